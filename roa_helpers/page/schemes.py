"""Charts on a dark page: the same drawing with its greys turned over and its colours kept, pictures as they are."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from matplotlib.collections import Collection
from matplotlib.colors import to_rgba, to_rgba_array
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.text import Text

#: What white and black become: the page of the book's theme in dark mode, and nearly white.
DARK, LIGHT = "#121212", "#eeeeee"
#: Least contrast of a mark against the page (WCAG 2.2, 1.4.11).
CONTRAST = 3.0
_COLOURS = (
    (Line2D, ("color", "markerfacecolor", "markeredgecolor")),
    (Text, ("color",)),
    (Patch, ("facecolor", "edgecolor")),
    (Collection, ("facecolor", "edgecolor")),
)


@contextmanager
def dark(figure: Figure) -> Iterator[Figure]:
    """The figure, which has been drawn before, in the colours of a dark page; afterwards in its own again.

    Greys are turned over between ``DARK`` and ``LIGHT``; colours stay, so that a legend, a caption and a data set's
    own colour hold in both schemes, unless they are too dark to be seen. Images, and marks whose colours stand for
    numbers, are left alone.
    """
    before = []
    try:
        for artist in _artists(figure):
            own = [(name, getattr(artist, f"get_{name}")()) for name in _colours_of(artist)]
            for name, colour in own:
                put = getattr(artist, f"set_{name}")
                before.append((put, colour))
                put(_turned(colour))
        yield figure
    finally:
        for put, own in reversed(before):
            put(own)


def _artists(figure):
    """All that a figure may draw: ticks, too, that an axis has no place for now and may have when it is drawn again."""
    axes = [axis for one in figure.axes for axis in (one.xaxis, one.yaxis)]
    ticks = [tick for axis in axes for tick in (*axis.majorTicks, *axis.minorTicks)]
    return dict.fromkeys([*figure.findobj(), *(artist for tick in ticks for artist in tick.findobj())])


def in_dark(colour) -> tuple[float, float, float, float]:
    """A colour as it is drawn on a dark page, (red, green, blue, alpha) in [0, 1]."""
    *rgb, alpha = to_rgba(colour)
    rgb, page, ink = np.array(rgb), np.array(to_rgba(DARK)[:3]), np.array(to_rgba(LIGHT)[:3])
    if np.ptp(rgb) < 0.08:
        rgb = ink + rgb.mean() * (page - ink)
    for step in np.linspace(0, 1, 21):
        lighter = rgb + step * (1 - rgb)
        if np.ptp(rgb) < 0.08 or contrast(lighter, page) >= CONTRAST:
            break
    return (*map(float, lighter), alpha)


def contrast(one, other) -> float:
    """The contrast ratio of two colours, 1 to 21 (WCAG 2.2)."""
    high, low = sorted(map(_luminance, (one, other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def _luminance(colour):
    rgb = np.array(to_rgba(tuple(colour) if not isinstance(colour, str) else colour)[:3])
    return float(np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4) @ (0.2126, 0.7152, 0.0722))


def _colours_of(artist):
    """Names of an artist's colours; none of marks that are coloured by numbers."""
    if isinstance(artist, Collection) and artist.get_array() is not None:
        return ()
    return next((names for kind, names in _COLOURS if isinstance(artist, kind)), ())


def _turned(colours):
    if isinstance(colours, np.ndarray) and colours.ndim == 2:
        return np.array([in_dark(one) for one in to_rgba_array(colours)]).reshape(-1, 4)
    return colours if isinstance(colours, str) and colours in ("none", "auto") else in_dark(colours)
