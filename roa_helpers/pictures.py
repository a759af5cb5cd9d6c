"""Pixel arrays: the images, maps, regions and blobs of finished units in colours, ready to be shown.

Needs no torch. Every picture is (H, W, 3) in [0, 1].
"""

import matplotlib
import numpy as np
from matplotlib.colors import to_rgb

from .figures import REGION_COLOURS


def example(unit, k, index=0):
    """The maps of one stored example of class ``k``: image, perturbation, importance, vulnerability_*."""
    prefix, suffix = "example_", f"_{k}"
    names = [n for n in unit.arrays if n.startswith(prefix) and n.endswith(suffix)]
    return {n[len(prefix) : -len(suffix)]: unit.arrays[n][index].astype(float) for n in names}


def picture(image):
    """(C, H, W), clipped to [0, 1], as (H, W, 3)."""
    image = np.clip(np.asarray(image, dtype=float), 0, 1)
    return np.moveaxis(np.broadcast_to(image, (3, *image.shape[1:])), 0, -1)


def heat(values, colours):
    """A graded map (H, W) in [0, 1] in the colours of a matplotlib colour map."""
    return matplotlib.colormaps[colours](np.asarray(values, dtype=float))[..., :3]


def perturbation(steps):
    """A perturbation (C, H, W) in units of ε: grey where nothing moved, a channel's full colour where it rose by ε."""
    return picture(0.5 + 0.5 * np.asarray(steps, dtype=float))


def attacked(image, steps, eps):
    """FGSM at another ε: (C, H, W) clip(image + eps · sign(steps)), from the perturbation at any ε."""
    return np.clip(image + eps * np.sign(steps), 0, 1)


def neutralised(image, blob, value):
    """(C, H, W) image with the blob's pixels at ``value``."""
    return np.where(blob, value, image)


def four_regions(importance, vulnerability, delta1, delta2):
    """Eq. (1) as a dict of masks (H, W) from graded maps; the same rule as :mod:`roa_helpers.regions`, for drawing."""
    roi, roa = importance >= delta1, vulnerability >= delta2
    return {"uv": roi & roa, "u_not_v": roi & ~roa, "not_u_v": ~roi & roa, "not_u_not_v": ~roi & ~roa}


def coloured_regions(image, masks, *, strength=0.65):
    """The four regions laid in their colours over a grey version of the image, of 32 shades."""
    grey = np.round(31 * picture(image).mean(-1, keepdims=True)) / 31
    base = np.repeat(grey, 3, axis=-1)
    out = base.copy()
    for name, mask in masks.items():
        out[mask] = (1 - strength) * base[mask] + strength * np.array(to_rgb(REGION_COLOURS[name]))
    return out


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


def blob_picture(blob):
    """A blob (H, W) bool, black on white."""
    return np.repeat(1.0 - np.asarray(blob, dtype=float)[..., None], 3, axis=-1)
