"""What lands on a page: pictures with alt text and data, tables, charts that draw what the results say."""

import base64
import html
import io
import re

import IPython.display
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from PIL import Image

from roa_helpers.page import figures, schemes, tables
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
    half = np.full((4, 4), np.nan)
    half[:, 2:] = 1.0
    figures.show_row({"<red>": image, "none": np.zeros((4, 4), dtype=bool), "half": half})
    (markup,) = page
    assert 'aria-label="Side by side: &lt;red&gt;, none, half."' in markup and 'alt="&lt;red&gt;"' in markup
    drawn = [Image.open(io.BytesIO(base64.b64decode(one))).convert("RGB")
             for one in re.findall(r'base64,([^"]+)"', markup)]  # fmt: skip
    assert [one.size for one in drawn] == [(4, 4)] * 3 and "roa-strip-title" not in markup.split("</style>")[1]
    corners = [[one.getpixel((x, 0)) for x in (0, 3)] for one in drawn]
    assert corners == [[(255, 0, 0)] * 2, [(0, 0, 0)] * 2, [(0, 0, 0), (255, 255, 255)]]


def test_a_drawing_by_hand_is_seen_in_both_schemes(page):
    figure, axis = figures.drawing(2, 1)
    axis.plot([0, 1])
    figures.show_drawing(figure, alt="a <line>")
    assert page[0].count('alt="a &lt;line&gt;"') == 2 and "<figure" not in page[0]


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


def test_numbers_that_differ_are_seen_to_differ(units):
    table = (
        comparison.compare("A9", units)
        .iloc[[0, 0, 0]]
        .assign(
            paper=[0.0038, 0.2, np.nan],
            ours=[0.001, 0.1, 0.0004],
            low=[-0.002, 0.05, 0.00012],
            high=[0.0037, 0.15, 0.001],
        )
    )
    shown = tables.present(table)
    assert shown.ours.tolist() == ["0.0010 [−0.0020, 0.0037]", "0.100 [0.050, 0.150]", "0.0004 [0.0001, 0.0010]"]
    assert shown.paper.tolist() == ["0.0038", "0.200", ""]


def test_tables_that_are_no_evidence_stand_apart_and_say_so(page, units):
    tables_ = [comparison.compare("A10", [unit]) for unit in units]
    caption = "<b>Table I</b>: the scores. In each cell more."
    figures.show_apart((tables_[1], tables_[0]), name="t", caption=caption, units=(units[1:], units[:1]))
    own, others = page
    assert "In each cell" in own and "In each cell" not in others and "Table I. Small sets" in others
    assert 'id="t"' in own and figures.OTHERS not in own and "profile desk" in own and "MNIST" in own
    assert 'id="t-others"' in others and figures.OTHERS in html.unescape(others) and "profile quick" in others
    page.clear()
    figures.show_apart((tables_[0][:0], tables_[0]), name="t", caption="C.", units=([], units[:1]))
    (alone,) = page
    assert 'id="t"' in alone and figures.OTHERS in html.unescape(alone)
    page.clear()
    figures.show_apart((tables_[0], tables_[0][:0]), name="t", caption="C.", units=(units, []), view=lambda t: t[["n"]])
    assert "<th>n</th>" in page[0] and "<th>where</th>" not in page[0]


def test_text_in_a_table_is_escaped_and_numbers_have_a_minus(page):
    figures.show_table(pd.DataFrame({"a": ["<b>", "-x"], "b": [-0.25, 1.0]}), name="t", caption="")
    assert "&lt;b&gt;" in page[0] and "<td>-x</td>" in page[0] and "<td>−0.25</td>" in page[0]
    assert "-0.25" in data_of(page[0]).decode()


HOSTILE = "<img src=x onerror=alert(1)>"


def test_only_bold_and_italic_of_a_caption_are_markup(page):
    figures.show(Figure(), name="f", caption=f"<b>Fig.</b> & <i>{HOSTILE}</i>", alt="", data=pd.DataFrame())
    assert "<b>Fig.</b> &amp; <i>&lt;img src=x onerror=alert(1)&gt;</i>" in page[0]
    figures.show_table(pd.DataFrame({HOSTILE: [HOSTILE]}), name="t", caption=HOSTILE)
    assert HOSTILE not in page[1] and page[1].count("&lt;img") == 3


def test_text_shows_markup_and_mathematics_as_they_are_and_none_is_no_paragraph(page):
    figures.show_text("")
    figures.show_text(f"**bold** {HOSTILE} & $a$")
    assert page[0] == r"**bold** &lt;img src=x onerror=alert(1)&gt; &amp; \$a\$"


def test_places_without_a_chart_are_not_seen_and_the_chart_above_keeps_its_labels():
    figure, axes = figures.panels(4, columns=3, width=6, height=2, margin=0.5, sharex=True)
    assert axes.shape == (4,) and tuple(figure.get_size_inches()) == (6, 4.5)
    assert [axis.get_visible() for axis in figure.axes] == [True] * 4 + [False] * 2
    labelled = [axis.xaxis.get_major_ticks()[0].label1.get_visible() for axis in axes]
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
    assert 'aria-label="chart c"' in page[0]
    width, least = (int(n) for n in re.search(r'width="(\d+)".*min-width:(\d+)px', page[0]).groups())
    stored = Image.open(io.BytesIO(base64.b64decode(re.search(r'src="data:image/webp;base64,([^"]+)"', page[0])[1])))
    assert stored.width == pytest.approx(width * 200 / 110, abs=1) and least == round(figures.LEAST * width)
    assert width == pytest.approx(4 * 110, abs=20) and "overflow-x:auto" in page[0]


def test_a_chart_is_drawn_for_both_schemes_and_left_as_it_was(page):
    figure, axis = figures.drawing(2, 1)
    line = axis.plot([0, 1], color="#000000", marker="o", mfc="none")[0]
    blue = axis.plot([1, 0], color="#0072B2")[0]
    seen = axis.imshow(np.ones((2, 2, 3)), extent=(0, 0.2, 0, 0.2))
    figures.show(figure, name="c", caption="", alt="two lines", data=pd.DataFrame())
    assert page[0].count('alt="two lines"') == 2 and page[0].count(" hidden ") == 1
    light, dark = (
        np.asarray(Image.open(io.BytesIO(base64.b64decode(one))).convert("RGB"))
        for one in re.findall(r'src="data:image/webp;base64,([^"]+)"', page[0])
    )
    page_colour = [int(schemes.DARK[i : i + 2], 16) for i in (1, 3, 5)]
    assert (
        light.shape[0] == pytest.approx(dark.shape[0] * 200 / 150, abs=2)
        and light[0, 0].tolist() == [255] * 3
        and dark[0, 0].tolist() == page_colour
    )
    assert (dark == 255).all(-1).sum() > 100  # the picture is not turned over
    assert [line.get_color(), line.get_markeredgecolor(), blue.get_color()] == ["#000000", "#000000", "#0072B2"]
    assert figure.get_facecolor() == (1, 1, 1, 1) and seen.get_array().min() == 1


def test_ticks_that_come_back_when_a_chart_is_drawn_again_are_light():
    figure, axis = figures.drawing(4, 1)
    axis.plot([0, 1])
    figure.draw_without_rendering()
    axis.locator_params(axis="x", nbins=2)
    with schemes.dark(figure):
        axis.locator_params(axis="x", nbins=10)
        figure.draw_without_rendering()
        colours = [label.get_color() for label in axis.get_xticklabels()]
    assert len(colours) > 3
    assert all(to_rgba(one) == pytest.approx(to_rgba(schemes.LIGHT)) for one in colours)


def test_colours_stay_and_greys_are_turned_over():
    assert schemes.in_dark("#D55E00") == pytest.approx(to_rgba("#D55E00"))
    assert schemes.in_dark("black") == pytest.approx(to_rgba(schemes.LIGHT))
    assert schemes.in_dark((1, 1, 1, 0.5)) == pytest.approx(to_rgba(schemes.DARK, 0.5))
    assert schemes.contrast(schemes.in_dark("#000080")[:3], schemes.DARK) >= schemes.CONTRAST
    assert schemes.contrast("white", "black") == pytest.approx(21)


def test_names_of_rows_stand_above_what_is_drawn_in_them():
    figure, axes = figures.drawing(4, 2, ncols=2)
    at = figures.name_rows(axes, ["first", "second"], height=0.34)
    assert [text.get_text() for text in axes[0].texts] == ["first", "second"] and not axes[1].texts
    places = [[at(row, i, 3) for i in range(3)] for row in range(2)]
    assert all(row - 0.5 + 0.17 / 0.34 < y < row + 0.5 for row, ys in enumerate(places) for y in ys)
    assert axes[1].get_ylim() == (1.5, -0.5) and places[0] == sorted(places[0])


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
