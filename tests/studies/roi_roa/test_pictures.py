"""The pictures of the book's paper show the stored arrays, and say what the model says."""

import re
from dataclasses import dataclass

import matplotlib
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from roa_helpers import metrics
from roa_helpers.page import figures, minus
from roa_helpers.page.pictures import picture
from roa_helpers.studies.roi_roa import charts, pictures, tables
from roa_helpers.studies.roi_roa.maps import example


@pytest.mark.parametrize("draw", [charts.usefulness, charts.similarity_histogram, charts.magnitude_histogram,
                                  charts.alignment_plot])  # fmt: skip
def test_charts_of_units_return_a_figure_and_its_data(draw, units):
    figure, data = draw(units)
    assert isinstance(figure, Figure) and len(data)


def test_sheets_hold_a_strip_a_class(units):
    kinds = ("importance", 3), ("vulnerability", 4)
    sheets = [
        (pictures.plate(units[0]), 2, 8),
        (pictures.isolation(units), 4, 3),
        (pictures.adversarial(units)[0], 4, 3),
    ]
    sheets += [(pictures.individual_regions(units, kind), 4, cells) for kind, cells in kinds]
    sheets += [(pictures.individual_regions(units, "vulnerability", definition="gradient"), 4, 3)]
    sheets += [(pictures.neutralisation_flow(units)[0], 4, 4), (pictures.representatives(units, "roa"), 2, 2)]
    for sheet, strips, cells in sheets:
        assert [len(strip.cells) for strip in sheet.strips] == [cells] * strips


def test_only_graded_maps_come_in_the_papers_colours_too(units):
    strip = pictures.individual_regions(units, "vulnerability").strips[0]
    assert [cell.paper is not None for cell in strip.cells] == [False, False, True, False]
    values = example(units[0], 0)["vulnerability_perturbation"]
    assert np.array_equal(strip.cells[2].image, matplotlib.colormaps["magma"](values)[..., :3])
    assert strip.cells[2].paper == pytest.approx(matplotlib.colormaps["jet"](1 - values)[..., :3], abs=0.02)
    assert all(cell.paper is None for s in pictures.representatives(units, "blob").strips for cell in s.cells)


def test_a_plate_shows_the_stored_arrays_and_the_models_probability(units):
    unit = units[0]
    image, attacked, *_, blob, modified = pictures.plate(unit, index=1).strips[1].cells
    block, maps = unit.result["directions"]["1 to 0"], example(unit, 1, 1)
    eps, value = block["parameters"]["eps"], block["parameters"]["value"]
    table = unit.table("examples").query("direction == '1 to 0' and example == 1").set_index("eps")
    step = np.clip(maps["image"] + eps * maps["perturbation"], 0, 1)
    assert attacked.image == pytest.approx(np.moveaxis(step, 0, -1), abs=1e-3)
    assert np.array_equal(blob.image[..., 0] == 0, unit.arrays["perturbation_blob_1"])
    assert (modified.image[unit.arrays["perturbation_blob_1"]] == value).all()
    assert image.label == f"image\nP = {table.clean[0]:.2f}"
    assert attacked.label.endswith(f"P = {table.clean[eps]:.2f}")
    assert modified.label == f"neutralised\nP = {table.neutralised[0]:.2f}"


@dataclass
class Told:
    """A unit that holds nothing but what the model says of its examples."""

    clean: tuple
    result = {"directions": {"0 to 1": {}, "1 to 0": {}}}

    def table(self, name):
        rows = [("0 to 1", e, eps, p) for e, answers in enumerate(self.clean) for eps, p in answers.items()]
        return pd.DataFrame(rows, columns=["direction", "example", "eps", "clean"])


@pytest.mark.parametrize(
    ("clean", "expected"),
    [
        (({0: 0.6, 0.1: 0.1, 0.2: 0.1}, {0: 0.9, 0.1: 0.8, 0.2: 0.1}), (1, 0.2)),
        (({0: 0.9, 0.1: 0.3, 0.2: 0.1}, {0: 0.9, 0.1: 0.2, 0.2: 0.1}), (0, 0.1)),
        (({0: 0.7, 0.1: 0.4, 0.2: 0.6}, {0: 0.9, 0.1: 0.8, 0.2: 0.7}), (0, 0.1)),
        (({0: 0.2, 0.1: 0.1}, {0: 0.9, 0.1: 0.8}), None),
    ],
)
def test_the_attack_that_is_shown_is_the_weakest_that_turns_the_surest_answer(clean, expected):
    assert pictures.turning_point(Told(clean), 0) == expected


def test_fig_1_says_what_the_model_says(units):
    sheet, data = pictures.adversarial(units)
    assert len(data) == len(sheet.strips) == 4
    for strip, row in zip(sheet.strips, data.itertuples(), strict=True):
        said = f"says {row.target}" if row.attacked < 0.5 else f"still says {row.source}"
        assert said in strip.cells[2].label and f"ε = {row.eps:g}" in strip.title


def test_frames_follow_the_thresholds(units):
    first, last = (pictures.threshold_frame(units[0], 0, cut, cut) for cut in (0.0, 1.0))
    assert not np.array_equal(first.cells[0].image, last.cells[0].image)
    assert first.cells[0].label.startswith("U+V+ 100%")
    low, high = (pictures.blob_frame(units[0], 0, theta) for theta in (0.01, 1.0))
    share = units[0].arrays["perturbation_not_u_v_0"]
    assert np.array_equal(low.cells[0].image[..., 0] == 0, share >= 0.01)
    assert f"{(share >= 1).mean():.0%}" in high.cells[0].label


def test_frames_tell_the_scores_that_a_unit_holds(units):
    unit = units[0]
    table = unit.table("curves")
    mine = table[(table["axis"] == "theta") & (table["at"] == 0.2) & (table.direction == "0 to 1")]
    note = pictures.blob_frame(unit, 0, 0.2).note
    assert note.startswith(f"At θ = 0.2, on {mine.n.iloc[0]} test images")
    assert all(f"{100 * row.k / row.n:.1f} [" in note for row in mine.itertuples())
    assert "asked at θ = 0.2, 0.8" in pictures.blob_frame(unit, 0, 0.5).note
    chosen = pictures.chosen(unit, 0, "value")
    assert (
        pictures.blob_frame(unit, 0, 0.2, value=1 - chosen).note == ""
        and "(the θ" in pictures.blob_frame(unit, 0, pictures.chosen(unit, 0, "theta")).title
    )
    white = pictures.blob_frame(unit, 0, 0.0, value=1.0).cells[1].image
    assert (white == 1).all()
    grid = pictures.grid_of(unit, "eps")
    weak, strong = (pictures.attacked_frame(unit, 0, eps) for eps in (grid[0], grid[-1]))
    assert not np.array_equal(weak.cells[0].image, strong.cells[0].image)
    assert "score_mod-adv" in weak.note and weak.note != strong.note
    assert (
        f"{100 * unit.result['directions']['0 to 1']['scores']['mod']['k'] / 12:.1f}" in pictures.two_sets(unit, 0).note
    )


def test_regions_and_their_similarity_follow_shares_and_thresholds(units):
    share = units[0].arrays["perturbation_roi_0"]
    frame = pictures.shared_frame(units[0], 0, 0.5)
    assert np.array_equal(frame.cells[0].image[..., 0] == 0, share >= 0.5)
    alike = pictures.similarity_frame(units[0], 0, 2.0, 2.0)
    assert "regions 1.00;" in alike.note and "0% of the pixels" in alike.cells[0].label
    maps = example(units[0], 0)
    u, v = (maps[name][None] for name in ("importance", "vulnerability_perturbation"))
    other = pictures.similarity_frame(units[0], 0, 0.3, 0.5).note
    told = (metrics.ssim((u >= 0.3).astype(float), (v >= 0.5).astype(float))[0], metrics.ssim(u, v)[0])
    assert [minus(value, ".2f") for value in told] == re.findall(r"(−?\d\.\d\d)[;.]", other)


def test_frames_of_an_attack_grow_from_the_clean_image(units):
    first, *_, last = pictures.attack_frames(units[0], 0, 2)[1]
    maps, table = example(units[0], 0, 1), pictures.confidence(units[0], 0, 1)
    assert np.array_equal(first.cells[0].image, picture(maps["image"]))
    moved = np.abs(last.cells[0].image - first.cells[0].image)
    assert moved.max() == pytest.approx(table.index[-1], abs=1e-6)
    for frame, row in zip((first, last), (table.iloc[0], table.iloc[-1]), strict=True):
        assert f"P(0) = {row.clean:.2f}" in frame.cells[0].label
        assert f"P(0) = {row.neutralised:.2f}" in frame.cells[1].label


def test_every_stored_example_has_a_frame(units):
    frames = pictures.example_frames(units[0], 1)
    assert len(frames) == pictures.stored(units) == 2 and all(len(frame.cells) == 7 for frame in frames)
    assert list(pictures.classes(units)) == ["Digits: 0", "Digits: 1", "MNIST: 0", "MNIST: 1"]


def test_what_stands_beside_the_frames_names_the_chosen_thresholds(units):
    setting = next(iter(units[0].result["directions"].values()))
    maps = pictures.graded_maps(units[0], 0).cells
    assert f"δ₁ = {setting['definitions']['gradient']['parameters']['delta1']:g}" in maps[1].label
    assert f"θ = {setting['parameters']['theta']:g}" in pictures.share_map(units[0], 0).cells[0].label


def test_tables_of_units(units):
    shares = tables.region_shares(units)
    assert shares[list(figures.REGION_LABELS.values())].sum(axis=1).to_numpy() == pytest.approx(100, abs=0.3)
    found = tables.colocation(units)
    assert (found["p ≤ .05"] <= found["defined"]).all() and (found["defined"] <= found["n"]).all()
    assert len(tables.similarity_choices(units)) == 4
