"""Reading the colours of the authors' heat maps. Needs no torch."""

import numpy as np

from ..roi_roa import colours


def known(picture):
    """Which cells of a picture (…, 3) uint8 have a colour of OpenCV's jet with red and blue exchanged: (…) bool."""
    return np.isin(_number(picture), _number(colours.exchanged()))


def core(picture, *, bluer=1):
    """Cells of a heat map (…, 3) uint8 that are bluer than red by ``bluer`` levels or more: (…) bool.

    In jet with red and blue exchanged that is the upper half of the scale.
    """
    picture = np.asarray(picture, dtype=int)
    return picture[..., 2] - picture[..., 0] >= bluer


def _number(picture):
    """Red, green and blue as one number."""
    return np.asarray(picture, dtype=int) @ (1 << 16, 1 << 8, 1)
