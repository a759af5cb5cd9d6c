"""Sheets: small pictures in strips, with their names as text, as HTML that needs no script.

A picture is stored at its own resolution, a pixel of the array a pixel of the file, and enlarged by the browser. So
nothing is blurred, a page stays small, and on a narrow screen a strip wraps instead of shrinking.
"""

import base64
import html
import io
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from PIL import Image

#: Layout of sheets and the rule of the colour switch; the book's style sheet adds the colours of its theme.
STYLE = """<style>
.roa-sheet{display:grid;gap:1rem 1.5rem;grid-template-columns:repeat(auto-fill,minmax(max(min(100%,var(--roa-strip)),
100%/(var(--roa-across) + .5)),1fr))}
.roa-cells{display:grid;gap:.3rem .35rem;grid-template-columns:repeat(auto-fit,minmax(4.7rem,1fr));
max-width:calc(var(--roa-cells)*14rem)}
.roa-strip-title{font-size:.85rem;font-weight:600;line-height:1.3;margin-bottom:.3rem}
.roa-note{font-size:.85rem;line-height:1.4;padding-top:.3rem}
.roa-cell{min-width:0}
.roa-cell-label{display:block;font-size:.75rem;line-height:1.25;overflow-wrap:anywhere;padding-top:.15rem}
.roa-pixels{display:block;height:auto;image-rendering:pixelated;outline:1px solid #8888;outline-offset:-1px;width:100%}
.roa-key{display:inline-block;font-size:.8rem;margin:.5rem 1.1rem 0 0;white-space:nowrap}
.roa-swatch{border:1px solid #888;border-radius:3px;display:inline-block;height:.9em;margin-right:.4em;
vertical-align:-.1em;width:.9em}
.roa-bar{display:block;white-space:normal}
.roa-bar .roa-pixels{display:inline-block;height:.8em;margin:0 .4em;vertical-align:-.05em;width:6rem}
.roa-colours{border:0;font-size:.8rem;margin:.6rem 0 0;padding:0}
.roa-colours legend{float:left;font-size:inherit;font-weight:600;margin:0 .8rem 0 0;padding:0;width:auto}
.roa-colours label{cursor:pointer;display:inline-block;margin:0 .9rem 0 0}
.roa-paper[hidden]{display:none!important}
.roa-panel:has(input[value=paper]:checked) .roa-even{display:none}
.roa-panel:has(input[value=paper]:checked) .roa-paper{display:block!important}
.roa-panel:has(input[value=paper]:checked) .roa-bar .roa-paper{display:inline-block!important}
@media print{.roa-colours{display:none}.roa-strip{break-inside:avoid}}
</style>"""


@dataclass(frozen=True)
class Cell:
    """One picture and the words below it.

    Attributes:
        image: (H, W) or (H, W, 3) in [0, 1].
        label: what it is; a line break starts a new line.
        paper: the same picture in the paper's colours, which the reader can switch to.
        quality: 1 to 100 for a lossy file; None: without loss.
    """

    image: np.ndarray
    label: str
    paper: np.ndarray | None = None
    quality: int | None = None


@dataclass(frozen=True)
class Strip:
    """Pictures that belong together, under a title (or none), with numbers that belong to all of them below."""

    title: str
    cells: tuple[Cell, ...]
    note: str = ""

    def markup(self):
        """The strip as HTML; each picture's alternative text is the title and its label."""
        cells = "".join(_cell(cell, self.title) for cell in self.cells)
        title = f'<div class="roa-strip-title">{html.escape(self.title)}</div>' if self.title else ""
        shape = f"--roa-cells:{len(self.cells)}"
        note = f'<div class="roa-note">{html.escape(self.note)}</div>' if self.note else ""
        return f'<div class="roa-strip">{title}<div class="roa-cells" style="{shape}">{cells}</div>{note}</div>'


@dataclass(frozen=True)
class Bar:
    """The colours from 0 to 1 of a graded map, with what they mean."""

    label: str
    image: np.ndarray
    paper: np.ndarray | None = None

    def markup(self):
        """The bar as HTML."""
        pictures = _versions(self.image, self.paper, None, f"colours from 0 to 1: {self.label}")
        return f'<div class="roa-key roa-bar">0{pictures}1 {html.escape(self.label)}</div>'


@dataclass(frozen=True)
class Sheet:
    """Strips side by side, as many as fit, at most ``across`` of them.

    Attributes:
        strips: what is shown.
        across: most strips in a line.
        legend: CSS colours by what they mean.
        bars: colour bars of graded maps.
    """

    strips: tuple[Strip, ...]
    across: int = 2
    legend: Mapping[str, str] = field(default_factory=dict)
    bars: tuple[Bar, ...] = ()

    def markup(self, *, name, alt):
        """The sheet as HTML, with a colour switch where there are pictures in the paper's colours.

        Args:
            name: unique on the page.
            alt: what the sheet as a whole shows.
        """
        widest = max(len(strip.cells) for strip in self.strips)
        shape = f"--roa-across:{self.across};--roa-strip:{5 * min(widest, 4)}rem"
        strips = "".join(strip.markup() for strip in self.strips)
        keys = legend_markup(self.legend) + "".join(bar.markup() for bar in self.bars)
        two = any(cell.paper is not None for strip in self.strips for cell in strip.cells)
        return (
            f'{STYLE}<div class="roa-panel" role="group" aria-label="{html.escape(alt, quote=True)}">'
            f'<div class="roa-sheet" style="{shape}">{strips}</div>{keys}{_switch(name) if two else ""}</div>'
        )


def legend_markup(colours):
    """Coloured squares with their names, from CSS colours by name."""
    return "".join(
        f'<span class="roa-key"><span class="roa-swatch" style="background:{html.escape(colour)}"></span>'
        f"{html.escape(name)}</span>"
        for name, colour in colours.items()
    )


def encode(image, *, quality=None):
    """An array as a WebP file in memory.

    Args:
        image: (H, W) or (H, W, 3) in [0, 1].
        quality: 1 to 100; None: without loss.

    Raises:
        ValueError: another shape or range.
    """
    image = np.asarray(image, dtype=float)
    if image.ndim not in (2, 3) or (image.ndim == 3 and image.shape[2] != 3):
        raise ValueError(f"a picture is (H, W) or (H, W, 3), not {image.shape}")
    if not (image.min() >= 0 and image.max() <= 1):
        raise ValueError("a picture lies in [0, 1]")
    file = io.BytesIO()
    options = {"lossless": True} if quality is None else {"quality": quality}
    Image.fromarray(np.round(255 * image).astype(np.uint8)).save(file, format="webp", **options)
    return file.getvalue()


def img(image, alt, *, quality=None, attributes='class="roa-pixels"'):
    """An array as an ``img`` element that holds its own data."""
    data = base64.b64encode(encode(image, quality=quality)).decode()
    height, width = np.shape(image)[:2]
    return (
        f'<img {attributes} alt="{html.escape(alt, quote=True)}" width="{width}" height="{height}" '
        f'src="data:image/webp;base64,{data}">'
    )


def _versions(image, paper, quality, alt):
    if paper is None:
        return img(image, alt, quality=quality)
    return img(image, alt, quality=quality, attributes='class="roa-pixels roa-even"') + img(
        paper, f"{alt} (the paper’s colours)", quality=quality, attributes='class="roa-pixels roa-paper" hidden'
    )


def _cell(cell, title):
    alt = ": ".join(filter(None, (title, cell.label))).replace("\n", ", ")
    pictures = _versions(cell.image, cell.paper, cell.quality, alt)
    label = html.escape(cell.label).replace("\n", "<br>")
    return f'<div class="roa-cell">{pictures}<span class="roa-cell-label" aria-hidden="true">{label}</span></div>'


def _switch(name):
    names = {"even": "even steps of lightness (cividis, magma)", "paper": "the paper’s (jet, blue is high)"}
    buttons = "".join(
        f'<label><input type="radio" name="{html.escape(name, quote=True)}-colours" value="{value}"'
        f"{' checked' if value == 'even' else ''}> {text}</label>"
        for value, text in names.items()
    )
    return f'<fieldset class="roa-colours"><legend>Colours</legend>{buttons}</fieldset>'
