"""What lands on a page: pictures with alt text and data, tables, charts that draw what the results say."""

import base64
import io
import re

import IPython.display
import numpy as np
import pandas as pd
import pytest
import torch
from matplotlib.figure import Figure

from roa_helpers import charts, figures, papers, plots, regions, tables


@pytest.fixture
def page(monkeypatch):
    """The markup that is displayed."""
    shown = []
    monkeypatch.setattr(IPython.display, "display", lambda item: shown.append(item.data))
    return shown


def data_of(markup):
    return base64.b64decode(re.search(r'href="data:[^;]+;base64,([^"]+)"', markup)[1])


def test_a_figure_carries_its_alt_text_caption_data_and_origin(page, units):
    data = pd.DataFrame({"a": [1, 2], "b": ["x", "y"]})
    figures.show(Figure(), name="fig-0", caption="A caption.", alt='a "quoted" text', data=data, units=units)
    (markup,) = page
    assert 'id="fig-0"' in markup and "A caption." in markup and 'alt="a &quot;quoted&quot; text"' in markup
    assert 'download="fig-0.csv"' in markup and "profile quick" in markup and "n = 12 test images" in markup
    assert pd.read_csv(io.BytesIO(data_of(markup))).equals(data)


def test_arrays_are_linked_as_npz(page):
    figures.show(Figure(), name="maps", caption="", alt="maps", data={"m": np.eye(3)})
    with np.load(io.BytesIO(data_of(page[0]))) as file:
        assert np.array_equal(file["m"], np.eye(3))


def test_a_comparison_shows_values_with_intervals_and_marks(units):
    found = papers.compare("A10", units)
    table = figures.present(found)
    assert table.columns.tolist() == ["direction", "what", "paper", "ours", "n", "verdict", "run"]
    cell = found.iloc[0]
    assert table.ours[0] == f"{100 * cell.ours:.1f} [{100 * cell.low:.1f}, {100 * cell.high:.1f}]"
    assert table.verdict[0] == "– no published value" and table.paper[0] == ""
    assert table.paper[table.direction == "MNIST: 0 to 1"].tolist()[1].startswith("93.8 [79.9, 98.3]")
    assert figures.present(papers.compare("A10", units[:1])).columns.tolist() == [
        "direction", "what", "ours", "n", "verdict",
    ]  # fmt: skip


def test_text_in_a_table_is_escaped(page):
    figures.show_table(pd.DataFrame({"a": ["<b>"]}), name="t", caption="")
    assert "&lt;b&gt;" in page[0]


def test_regions_drawn_are_those_of_the_package(units):
    maps = plots.example(units[0], 0)
    u, v = maps["importance"], maps["vulnerability_gradient"]
    expected = regions.isolate(torch.tensor(u >= 0.3)[None], torch.tensor(v >= 0.2)[None])
    drawn = plots.four_regions(u, v, 0.3, 0.2)
    assert all(np.array_equal(mask, getattr(expected, name)[0].numpy()) for name, mask in drawn.items())


def test_coloured_regions_leave_no_pixel_uncoloured():
    masks = plots.four_regions(np.array([[0.1, 0.9]]), np.array([[0.1, 0.9]]), 0.5, 0.5)
    drawn = plots.coloured_regions(np.zeros((3, 1, 2)), masks, strength=1.0)
    expected = [plots.to_rgb(figures.REGION_COLOURS[name]) for name in ("not_u_not_v", "uv")]
    assert drawn[0] == pytest.approx(np.array(expected))


@pytest.mark.parametrize("draw", [charts.usefulness, charts.similarity_histogram, charts.magnitude_histogram,
                                  charts.alignment_plot])  # fmt: skip
def test_charts_of_units_return_a_figure_and_its_data(draw, units):
    figure, data = draw(units)
    assert isinstance(figure, Figure) and len(data)


def test_change_plot_holds_the_change_of_the_scores(units):
    _, data = charts.change_plot(units, "adv", "mod_adv")
    for (_, name, block), (_, rows) in zip(
        papers.directions(units), data.groupby(np.arange(len(data)) // 3), strict=True
    ):
        scores, control = block["scores"], block["controls"]["random"]["mod_adv"]
        found = rows.set_index("blob").change
        assert set(rows.direction) == {name}
        assert found["blob from the test images"] == pytest.approx((scores["mod_adv"]["k"] - scores["adv"]["k"]) / 12)
        assert found["as many random pixels"] == pytest.approx((control["k"] - scores["adv"]["k"]) / 12)


def test_curves_and_surfaces_are_drawn_for_every_unit(units):
    for axis in ("eps", "theta"):
        figure, data = charts.score_curves(units, axis)
        assert len(figure.axes) == 4 and (data["axis"] == axis).all()
    _, data = charts.tuning_surface(units[0])
    assert data.chosen.sum() == 1 and (data.definition == "perturbation").all()
    figure, data = charts.verdict_plot(papers.verdicts(units))
    assert len(data) == 4 * len(papers.CLAIMS)


def test_pictures_of_units(units):
    for figure in (plots.plate(units[0], 0), plots.isolation(units), plots.individual_regions(units, "importance"),
                   plots.representatives(units, "blob"), plots.neutralisation_flow(units[0], 1)[0]):  # fmt: skip
        assert isinstance(figure, Figure) and figure.axes


def test_frames_follow_the_thresholds(units):
    frames = plots.region_frames(units[0], 0, [0.0, 1.0], [0.0, 1.0])
    assert frames[0][0].dtype == np.uint8 and frames[0][0].shape == (32, 32, 3)
    assert not np.array_equal(frames[0][0], frames[1][1])
    low, high = plots.blob_frames(units[0], 0, [0.01, 1.0])
    blob = units[0].arrays["perturbation_not_u_v_0"]
    drawn = low[:, 34:66].mean(-1) < 128
    assert np.array_equal(drawn, blob >= 0.01) and low.shape == high.shape == (32, 100, 3)


def test_tables_of_units(units):
    shares = tables.region_shares(units)
    assert shares[list(figures.REGION_LABELS.values())].sum(axis=1).to_numpy() == pytest.approx(100, abs=0.3)
    found = tables.colocation(units)
    assert (found["p ≤ .05"] <= found["defined"]).all() and (found["defined"] <= found["n"]).all()
    assert len(tables.similarity_choices(units)) == 4
    choices = tables.open_choices(units).set_index("choice")
    setting = next(iter(units[0].result["directions"].values()))["parameters"]
    assert choices.loc["theta", "Digits"] == setting["theta"] and (choices.why != "").all()
