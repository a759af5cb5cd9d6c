"""Arrays as pictures, (H, W, 3) in [0, 1]: images, graded maps, borders of regions. Needs no torch."""

import matplotlib
import numpy as np
from matplotlib.colors import to_rgb


def picture(image):
    """(C, H, W), clipped to [0, 1], as (H, W, 3)."""
    image = np.clip(np.asarray(image, dtype=float), 0, 1)
    return np.moveaxis(np.broadcast_to(image, (3, *image.shape[1:])), 0, -1)


def heat(values, colours):
    """A graded map (H, W) in [0, 1] in the colours of a matplotlib colour map."""
    return matplotlib.colormaps[colours](np.asarray(values, dtype=float))[..., :3]


def bordered(image, mask, colour):
    """An image with the pixels of a region that touch its outside in one colour; the edge of the image is no border.

    Args:
        image: (C, H, W).     mask: the region, (H, W) bool.     colour: as matplotlib takes it.
    """
    padded = np.pad(mask, 1, mode="edge")
    inner = padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    out = picture(image).copy()
    out[mask & ~inner] = to_rgb(colour)
    return out
