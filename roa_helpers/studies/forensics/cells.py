"""A picture of the authors' as the array that it shows, read at the middle of every cell. Needs no torch.

matplotlib drew these pictures: ``imshow`` of an array of 48×48 cells and three channels, on a figure of 432×288 pixels
with the margins of notebooks. The axes are a square in the middle of what the margins leave.
"""

import io

import numpy as np
from PIL import Image

from ...errors import UserError

#: Width and height of a picture in pixels, and cells of a side.
WIDTH, HEIGHT, CELLS = 432, 288, 48
#: Margins of the figure, as shares of its width (left, right) and, from below, of its height (bottom, top).
LEFT, RIGHT, BOTTOM, TOP = 0.125, 0.9, 0.125, 0.88
#: The axes in pixels: their side, and their upper left corner.
SIDE = HEIGHT * (TOP - BOTTOM)
UPPER, FIRST = HEIGHT * (1 - TOP), WIDTH * (LEFT + RIGHT) / 2 - SIDE / 2
#: The frame lets a fifth of what lies below it through; paper is white.
DARK, WHITE = 255 // 4, 255


def read(raw, *, path):
    """The array that a picture shows.

    Args:
        raw: the bytes of the file.     path: what messages call it.

    Returns:
        (48, 48, 3) uint8: values in [0, 1] as levels of 255, cut off below by matplotlib; what lies below 0 is shown
        as 0, above 1 as 255.

    Raises:
        UserError: no picture, another size, no frame where the axes must be, cells of several colours.
    """
    try:
        pixels = np.asarray(Image.open(io.BytesIO(raw)).convert("RGB"))
    except OSError as error:
        raise UserError(f"{path} cannot be read as a picture: {error}") from error
    if pixels.shape != (HEIGHT, WIDTH, 3):
        height, width = pixels.shape[:2]
        raise UserError(f"{path} has {width}×{height} pixels\n  a picture that can be read has {WIDTH}×{HEIGHT}")
    if not framed(pixels):
        raise UserError(f"{path} has no frame where the axes of these pictures are\n  its cells cannot be found")
    rows, columns = middles(UPPER), middles(FIRST)
    samples = [pixels[np.ix_(rows + down, columns + right)] for down in (0, 1) for right in (0, 1)]
    if any((sample != samples[0]).any() for sample in samples):
        raise UserError(f"{path} does not show {CELLS}×{CELLS} cells of one colour each\n  it cannot be read")
    return samples[0]


def middles(start):
    """Of each cell, the first of the two pixels in its middle, along an axis that begins at ``start``: (48,) int."""
    return np.floor(start + SIDE / CELLS * (np.arange(CELLS) + 0.5) - 0.5).astype(int)


def framed(pixels):
    """Whether a picture (H, W, 3) uint8 has a dark frame around the axes, and white above and right of it."""
    top, bottom = round(UPPER), round(UPPER + SIDE)
    left, right = round(FIRST), round(FIRST + SIDE)
    across, down = slice(left, right + 1), slice(top, bottom + 1)
    lines = pixels[top, across], pixels[bottom, across], pixels[down, left], pixels[down, right]
    around = pixels[top - 1, across], pixels[down, right + 1]
    return all(line.max() <= DARK for line in lines) and all(line.min() == WHITE for line in around)
