"""What lands on a page: pictures with alt text and data, tables, charts that draw what the results say."""

import base64
import html
import io
import re

import IPython.display
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from PIL import Image

from roa_helpers.page import figures, tables
from roa_helpers.studies.roi_roa import comparison, pictures


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


def test_arrays_side_by_side_are_drawn_as_they_are(page):
    image = np.zeros((3, 4, 4))
    image[0] = 2.0  # clipped: red
    figures.show_row({"<red>": image, "none": np.zeros((4, 4), dtype=bool), "all": np.ones((4, 4))}, side=1.0)
    (markup,) = page
    assert 'alt="Side by side: &lt;red&gt;, none, all."' in markup
    drawn = Image.open(io.BytesIO(base64.b64decode(re.search(r'base64,([^"]+)"', markup)[1]))).convert("RGB")
    row = [drawn.getpixel((round(drawn.width * share), round(drawn.height * 0.7))) for share in (1 / 6, 3 / 6, 5 / 6)]
    assert row == [(255, 0, 0), (0, 0, 0), (255, 255, 255)]


def test_a_comparison_shows_values_with_intervals_and_marks(units):
    found = comparison.compare("A10", units)
    table = tables.present(found)
    assert table.columns.tolist() == ["where", "what", "paper", "ours", "n", "networks", "verdict", "run"]
    cell = found.iloc[0]
    assert table.ours[0] == f"{100 * cell.ours:.1f} [{100 * cell.low:.1f}, {100 * cell.high:.1f}]"
    assert table.verdict[0] == "– no published value" and table.paper[0] == ""
    assert table.paper[table["where"] == "MNIST: 0 to 1"].tolist()[1].startswith("93.8 [79.9, 98.3]")
    assert tables.present(comparison.compare("A10", units[:1])).columns.tolist() == [
        "where", "what", "ours", "n", "networks", "verdict",
    ]  # fmt: skip


def test_tables_that_are_no_evidence_stand_apart_and_say_so(page, units):
    tables_ = [comparison.compare("A10", [unit]) for unit in units]
    figures.show_apart((tables_[1], tables_[0]), name="t", caption="C.", units=(units[1:], units[:1]))
    own, others = page
    assert 'id="t"' in own and figures.OTHERS not in own and "profile desk" in own and "MNIST" in own
    assert 'id="t-others"' in others and figures.OTHERS in html.unescape(others) and "profile quick" in others
    page.clear()
    figures.show_apart((tables_[0][:0], tables_[0]), name="t", caption="C.", units=([], units[:1]))
    (alone,) = page
    assert 'id="t"' in alone and figures.OTHERS in html.unescape(alone)
    page.clear()
    figures.show_apart((tables_[0], tables_[0][:0]), name="t", caption="C.", units=(units, []), view=lambda t: t[["n"]])
    assert "<th>n</th>" in page[0] and "<th>where</th>" not in page[0]


def test_text_in_a_table_is_escaped(page):
    figures.show_table(pd.DataFrame({"a": ["<b>"]}), name="t", caption="")
    assert "&lt;b&gt;" in page[0]


HOSTILE = "<img src=x onerror=alert(1)>"


def test_only_bold_and_italic_of_a_caption_are_markup(page):
    figures.show(Figure(), name="f", caption=f"<b>Fig.</b> & <i>{HOSTILE}</i>", alt="", data=pd.DataFrame())
    assert "<b>Fig.</b> &amp; <i>&lt;img src=x onerror=alert(1)&gt;</i>" in page[0]
    figures.show_table(pd.DataFrame({HOSTILE: [HOSTILE]}), name="t", caption=HOSTILE)
    assert HOSTILE not in page[1] and page[1].count("&lt;img") == 3


def test_text_shows_markup_and_mathematics_as_they_are(page):
    figures.show_text(f"**bold** {HOSTILE} & $a$")
    assert page[0] == r"**bold** &lt;img src=x onerror=alert(1)&gt; &amp; \$a\$"


def test_places_without_a_chart_are_not_seen_and_the_chart_above_keeps_its_labels():
    figure, axes = figures.panels(4, columns=3, width=6, height=2, margin=0.5, sharex=True)
    assert axes.shape == (4,) and tuple(figure.get_size_inches()) == (6, 4.5)
    assert [axis.get_visible() for axis in figure.axes] == [True] * 4 + [False] * 2
    labelled = [axis.xaxis.get_tick_params()["labelbottom"] for axis in axes]
    assert labelled == [False, True, True, True]


def test_a_name_with_broken_mathematics_is_drawn(page):
    figure, axis = figures.drawing(4, 1)
    axis.set_title(r"$\frac$")
    axis.set_xticks([0, 1], [r"$\oops{$", "b"])
    figures.show(figure, name="m", caption=r"$\frac$", alt="", data=pd.DataFrame())
    assert "data:image/webp" in page[0]


def test_a_logarithmic_axis_keeps_its_powers(page):
    figure, axis = figures.drawing(4, 1)
    axis.plot([1e-3, 1e3], [1, 2])
    axis.set_xscale("log")
    axis.set_title("$a$")
    figures.show(figure, name="l", caption="", alt="", data=pd.DataFrame())
    powers = [label for label in axis.get_xticklabels() if label.get_text()]
    assert powers and all("$" in label.get_text() and label.get_parse_math() for label in powers)
    assert not axis.title.get_parse_math()


def test_a_cell_that_a_spreadsheet_would_run_stays_text(page):
    table = pd.DataFrame({"=a": ["=1+1", "+0.5", "@x", "b"], "n": [-1.0, 2.0, 3.0, 4.0], "s": ["-x", "-2", "\t=1", ""]})
    figures.show_table(table, name="t", caption="")
    assert data_of(page[0]).decode().splitlines() == [
        "'=a,n,s", "'=1+1,-1,'-x", "+0.5,2,-2", "'@x,3,'\t=1", "b,4,",
    ]  # fmt: skip


def test_a_chart_is_sharp_and_scrolls_on_a_narrow_screen(page):
    figure, axis = figures.drawing(4, 1)
    axis.plot([0, 1])
    figures.show(figure, name="c", caption="", alt="a line", data=pd.DataFrame())
    width, least = (int(n) for n in re.search(r'width="(\d+)".*min-width:(\d+)px', page[0]).groups())
    stored = Image.open(io.BytesIO(base64.b64decode(re.search(r'src="data:image/webp;base64,([^"]+)"', page[0])[1])))
    assert stored.width == pytest.approx(2 * width, abs=1) and least == round(0.72 * width)
    assert width == pytest.approx(4 * 110, abs=20) and "overflow-x:auto" in page[0]


def test_a_sheet_becomes_a_figure(page, units):
    figures.show(
        pictures.isolation(units), name="fig-4", caption="Regions.", alt="what it shows", data={"m": np.eye(2)}
    )
    assert page[0].count("<img") == 12 and 'aria-label="what it shows"' in page[0] and "Regions." in page[0]
    assert 'alt="MNIST: 1: RoA by gradient"' in page[0] and 'download="fig-4.npz"' in page[0]


def test_a_value_and_its_interval_are_one_column():
    table = pd.DataFrame({"what": list("abcd"), "ours": [1.234, 0.01234, 0.0, np.nan], "low": [1.0, -0.1, 0.0, np.nan],
                          "high": [12.5, 0.2, 0.0, np.nan]})  # fmt: skip
    found = tables.in_brackets(table)
    assert list(found) == ["what", "ours"]
    assert found.ours.tolist() == ["1.2 [1.0, 12.5]", "0.012 [−0.100, 0.200]", "0 [0, 0]", ""]
