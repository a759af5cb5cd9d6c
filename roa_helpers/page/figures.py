"""What goes on a page: figures and tables with name, caption, alt text, data and provenance; the book's colours.

Needs no torch. The drawings themselves are the matter of each study.
"""

import base64
import html
import io
import re
from contextlib import contextmanager
from contextvars import ContextVar

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.ticker import LogFormatter
from PIL import Image

from .. import data
from ..records import store
from . import schemes, tables, words
from .sheets import Cell, Sheet, Strip

#: Okabe–Ito colours of the four regions, told apart by colour-blind readers and in grey print.
REGION_COLOURS = {"uv": "#E69F00", "u_not_v": "#0072B2", "not_u_v": "#D55E00", "not_u_not_v": "#BBBBBB"}
REGION_LABELS = {"uv": "U+V+", "u_not_v": "U+V−", "not_u_v": "U−V+", "not_u_not_v": "U−V−"}
#: Colour maps of the graded maps. The lightness of the first two rises with the value, so that they can be read in
#: grey print and with any kind of colour vision; "paper" is the one of the paper's own pictures, where blue is high.
MAPS = {"importance": "cividis", "vulnerability": "magma", "paper": "jet_r"}
STYLE = {"font.size": 9, "axes.titlesize": 9, "axes.spines.top": False, "axes.spines.right": False,
         "figure.dpi": 110, "savefig.bbox": "tight", "svg.hashsalt": "roa"}  # fmt: skip
_LOOKS = (("#0072B2", "o"), ("#D55E00", "s"), ("#009E73", "D"), ("#E69F00", "^"), ("#CC79A7", "v"), ("#56B4E9", "P"),
          ("#000000", "X"), ("#777777", "*"))  # fmt: skip
#: Pixels an inch of a chart's file; it is shown at ``figure.dpi``, so it stays sharp on dense screens and, the light
#: one, in print.
LIGHT_DPI, DARK_DPI = 200, 150
#: How far a chart may shrink on a narrow screen before it scrolls, and the widest, in inches, that a telephone of 400
#: px shows whole.
LEAST, NARROW = 0.7, 4.4
#: Inches that the name of a row takes.
_NAME = 0.17
#: Stands for a line break while pandas writes a table, which would write the break as two characters.
_BREAK = "\u2028"
#: Tables with more rows are folded.
LONG = 24
_FORMULA = re.compile(r"[=+@\t\r-]")
#: The sign of a number in a cell.
_MINUS = re.compile(r"<td>-(?=[\d.])")
_GATHERED = ContextVar("gathered", default=None)


def drawing(width, height, **subplots):
    """An empty figure in the book's style, in inches, and its axes as ``Figure.subplots`` returns them."""
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(width, height), layout="constrained")
        return figure, figure.subplots(**subplots)


def panels(count, *, columns, width, height, margin=0.0, **options):
    """A figure with so many charts in lines of ``columns``, and their axes, (count,).

    Args:
        count: how many charts.
        columns: how many side by side; places of the last line that stay empty are not seen.
        width: of the figure, in inches.
        height: of a line of charts, in inches.
        margin: what the figure is higher than its lines, in inches.
        options: of ``Figure.subplots``.
    """
    lines = -(-count // columns)
    figure, axes = drawing(width, height * lines + margin, nrows=lines, ncols=columns, squeeze=False, **options)
    for empty, above in zip(axes.flat[count:], axes.flat[count - columns :], strict=False):
        empty.set_visible(False)
        above.tick_params(labelbottom=True)
    return figure, axes.flat[:count]


def name_rows(axes, labels, *, height):
    """Name the rows of a chart, 0 at the top, each above what is drawn in it, so that names take no width.

    Args:
        axes: side by side, of the same rows; the names stand in the first.
        labels: a name a row.
        height: of a row, in inches.

    Returns:
        (row, i, n) → where the i-th of n marks of a row lies on the vertical axis.
    """
    top = _NAME / height
    for axis in axes:
        axis.set(yticks=[], ylim=(len(labels) - 0.5, -0.5))
        edges = np.arange(len(labels)) - 0.5
        axis.hlines(edges, 0, 1, transform=axis.get_yaxis_transform(), color="#CCCCCC", lw=0.6, zorder=0)
    across = axes[0].get_yaxis_transform()
    for row, label in enumerate(labels):
        name = axes[0].text(0.01, row - 0.46, label, transform=across, va="top", fontsize=7.5, color="#444444")
        name.set_in_layout(False)
    axes[0].set_zorder(1)  # so that a name may reach across the axes beside it
    axes[0].patch.set_visible(False)
    return lambda row, i=0, n=1: row - 0.5 + top + (1 - top) * (i + 0.5) / n


def place(title):
    """Position of a data set, by its title, among those of the book; those that are not the book's come last."""
    titles = list(data.TITLES.values())
    return titles.index(title) if title in titles else len(titles)


def look(title):
    """Colour (Okabe–Ito) and marker of a data set, the same in every chart; the last is for all others."""
    return _LOOKS[min(place(title), len(_LOOKS) - 1)]


def show(figure, **parts):
    """Put a figure on the page; arguments as those of :func:`markup`."""
    put(markup(figure, **parts))


def markup(figure, *, name, caption, alt, data, units=(), sample=None, folded=False):
    """A figure as HTML: picture, caption, a link to its data, and where it came from.

    Args:
        figure: matplotlib figure, or :class:`roa_helpers.page.sheets.Sheet`.
        name: anchor on the page and stem of the data file, for instance ``fig-6``.
        caption: one or two sentences; what the figure shows. ``<b>`` and ``<i>`` are markup, all else is text.
        alt: what a reader who cannot see it should know.
        data: DataFrame of what is plotted (linked as CSV), or dict of arrays (linked as NPZ).
        units: the units it was drawn from.
        sample: what was measured on, in words; None: the images that the units themselves tell of.
        folded: whether the reader opens it, by the first sentence of its caption.
    """
    picture = figure.markup(name=name, alt=alt) if isinstance(figure, Sheet) else _chart(figure, name=name, alt=alt)
    shown = (
        f'<figure class="roa" id="{html.escape(name)}">{picture}'
        f"<figcaption>{inline(caption)} {_data_link(name, data)}{_origin(units, sample)}</figcaption></figure>"
    )
    return _folded(_title(caption), shown) if folded else shown


def show_row(pictures):
    """Put arrays side by side on the page, a pixel for each entry, with their names below: for trying things out.

    Args:
        pictures: name → image (3, H, W) or map (H, W), clipped to [0, 1]; of maps 0, or nothing, is drawn black and 1
            white.
    """
    arrays = {name: np.clip(np.nan_to_num(np.asarray(values, dtype=float)), 0, 1) for name, values in pictures.items()}
    cells = (Cell(np.moveaxis(one, 0, -1) if one.ndim == 3 else one, name) for name, one in arrays.items())
    put(Sheet((Strip("", tuple(cells)),), across=1).markup(name="row", alt=f"Side by side: {', '.join(pictures)}."))


def show_drawing(figure, *, alt):
    """Put a matplotlib figure on the page without caption and data, in the colours of the page: for trying things out.

    Args:
        figure: as of :func:`drawing`.
        alt: what a reader who cannot see it should know; names the chart, so it is unique on the page.
    """
    put(_chart(figure, name=alt, alt=alt))


def show_table(table, *, name, caption, view=None, units=(), sample=None):
    """Put a DataFrame on the page with its caption and its data; arguments as those of :func:`markup`.

    Tables with the paper's numbers beside ours are set by :func:`roa_helpers.page.tables.present`. Of any other,
    ``view`` is what a reader sees where that differs from the data. One of more than ``LONG`` rows is folded.
    """
    beside = view is None and "paper_low" in table
    shaped = tables.present(table) if beside else table if view is None else view
    lines = shaped.map(lambda cell: cell.replace("\n", _BREAK) if isinstance(cell, str) else cell)
    body = lines.to_html(index=False, border=0, na_rep="–", classes="roa-table", escape=True).replace(_BREAK, "<br>")
    caption_row = f"<caption>{inline(caption)} {_data_link(name, table)}{_origin(units, sample)}</caption>"
    body = _MINUS.sub("<td>−", body).replace("<thead>", caption_row + "<thead>", 1)
    whole = f'<div class="roa-table" id="{html.escape(name)}">{body}</div>'
    put(whole if len(shaped) <= LONG else _folded(f"All {len(shaped)} rows: {_title(caption)}", whole))


#: What is said of a table that is no evidence about a paper.
OTHERS = "Small sets that come with the package, or one’s own: they show that the code runs, and are no evidence here."


def show_apart(parts, *, name, caption, units, view=None, sample=None):
    """Put a table of the paper's data sets on the page, and, apart from it, that of others, marked as no evidence.

    Where both are shown, the second repeats no more of the caption than its first sentence.

    Args:
        parts: two tables, as of :func:`roa_helpers.page.claims.apart`; one without rows is left out.
        name, caption, sample: as of :func:`show`.
        units: those of each table, as of ``roa_helpers.studies.apart``.
        view: table → what a reader sees of it, where that differs.
    """
    own, others = parts
    again = f"{_first_sentence(caption)}." if len(own) else caption
    told = ((own, "", caption), (others, "-others" if len(own) else "", f"{again} {OTHERS}"))
    for (table, suffix, text), of in zip(told, units, strict=True):
        if len(table):
            seen = view(table) if view else None
            show_table(table, view=seen, name=f"{name}{suffix}", caption=text, units=of, sample=sample)


def show_text(text):
    """Put a paragraph of Markdown, computed from results, on the page; HTML and mathematics in it stay text.

    Nothing is put where there is nothing to say.
    """
    if text:
        put(html.escape(text, quote=False).replace("$", r"\$"), kind="Markdown")


@contextmanager
def gathered():
    """What is shown meanwhile goes into a list of (kind, text), ``HTML`` or ``Markdown``, instead of on a notebook."""
    parts = []
    token = _GATHERED.set(parts)
    try:
        yield parts
    finally:
        _GATHERED.reset(token)


def _folded(summary, shown):
    return f'<details class="roa-all"><summary>{summary}</summary>{shown}</details>'


def _title(caption):
    """The first sentence of a caption as HTML, without markup."""
    return html.escape(_first_sentence(caption))


def _first_sentence(caption):
    """The first sentence of a caption, or what stands before its colon, without markup and full stop."""
    return re.split(r"(?<=[^ .])[.:] ", re.sub("</?[bi]>", "", caption))[0].rstrip(".")


def inline(text):
    """Text as HTML in which ``<b>`` and ``<i>`` are markup and all else is text."""
    return re.sub("&lt;(/?[bi])&gt;", r"<\1>", html.escape(text))


def put(text, *, kind="HTML"):
    """Put ``HTML`` or ``Markdown`` on the page as it is, or into the list of :func:`gathered`."""
    parts = _GATHERED.get()
    if parts is not None:
        parts.append((kind, text))
        return
    from IPython import display

    display.display(getattr(display, kind)(text))


def _chart(figure, *, name, alt):
    """A matplotlib figure as an image for a light page and one for a dark one, of which the book's style shows one.

    On a narrow screen it scrolls rather than become too small to read.
    """
    _take_names_as_they_are(figure)
    light, width = _image(figure, LIGHT_DPI)
    with schemes.dark(figure):
        dark, _ = _image(figure, DARK_DPI)
    looks = f"height:auto;max-width:100%;min-width:{round(LEAST * width)}px"
    own = f'alt="{html.escape(alt, quote=True)}" width="{width}"'
    return (
        f'<div class="roa-chart" tabindex="0" role="group" aria-label="{html.escape(f"chart {name}", quote=True)}" '
        f'style="overflow-x:auto"><img class="roa-on-light" {own} style="{looks}" src="{light}">'
        f'<img class="roa-on-dark" hidden {own} style="{looks}" src="{dark}"></div>'
    )


def _image(figure, dpi):
    """The figure as a file in a data address, in 256 colours, and how wide it is shown, in px."""
    drawn, buffer = io.BytesIO(), io.BytesIO()
    with matplotlib.rc_context(STYLE):
        figure.savefig(drawn, format="png", dpi=dpi)
    picture = Image.open(drawn).convert("RGB")
    few = picture.quantize(256, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    few.convert("RGB").save(buffer, "webp", lossless=True)
    return f"data:image/webp;base64,{_text(buffer)}", round(picture.width * STYLE["figure.dpi"] / dpi)


def _take_names_as_they_are(figure):
    """No text is mathematics (a class may be named $\\frac$), but for the powers that logarithmic axes write."""
    axes = [axis for one in figure.axes for axis in (one.xaxis, one.yaxis)]
    scaled = [axis for axis in axes if isinstance(axis.get_major_formatter(), LogFormatter)]
    powers = {label for axis in scaled for label in axis.get_ticklabels(which="both")}
    for text in figure.findobj(lambda part: isinstance(part, Text) and part not in powers):
        text.set_parse_math(False)


def _text(buffer):
    return base64.b64encode(buffer.getvalue()).decode()


def _data_link(name, data):
    if isinstance(data, pd.DataFrame):
        kind, media = "csv", "text/csv"
        buffer = io.BytesIO(_no_formulas(data).to_csv(index=False, float_format="%.6g").encode())
    else:
        kind, media, buffer = "npz", "application/zip", io.BytesIO()
        np.savez_compressed(buffer, **data)
    address = f"data:{media};base64,{_text(buffer)}"
    return f'<a class="roa-data" download="{html.escape(name)}.{kind}" href="{address}">data ({kind.upper()})</a>'


def _no_formulas(table):
    """``table`` with an apostrophe before text that a spreadsheet would run as a formula."""
    return table.rename(columns=_inert).map(_inert)


def _inert(cell):
    return f"'{cell}" if isinstance(cell, str) and _FORMULA.match(cell) and not _is_number(cell) else cell


def _is_number(text):
    try:
        float(text)
    except ValueError:
        return False
    return True


def _origin(units, sample):
    """Where the numbers come from: profiles, devices, dates, sample; and whether the present code would differ."""
    lines = []
    for profile in dict.fromkeys(unit.result["profile"] for unit in units):
        own = [unit for unit in units if unit.result["profile"] == profile]
        results = [unit.result for unit in own]
        devices = ", ".join(sorted({r["provenance"]["device"] for r in results}))
        dates = sorted(r["provenance"]["finished"][:10] for r in results)
        when = dates[0] if dates[0] == dates[-1] else f"{dates[0]} to {dates[-1]}"
        counts = () if sample else [n for unit in own for n in unit.sample]
        told = f", {words.images_a_direction(counts)}" if counts else ""
        lines.append(f"profile {profile} ({devices}, {when}){told}")
    if not lines:
        return ""
    text = html.escape("; ".join(lines) + (f"; {sample}" if sample else ""))
    outdated = store.outdated(units)
    mark = f" <strong>Outdated: {html.escape(outdated)}.</strong>" if outdated else ""
    return f'<span class="roa-origin">{text}{mark}</span>'
