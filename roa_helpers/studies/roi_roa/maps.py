"""The stored maps of finished units as arrays and in colours; every picture is (H, W, 3) in [0, 1]."""

import numpy as np
from matplotlib.colors import to_rgb

from ...page import REGION_COLOURS, picture


def example(unit, k, index=0):
    """The maps of one stored example of class ``k``: image, perturbation, importance, vulnerability_*."""
    prefix, suffix = "example_", f"_{k}"
    names = [n for n in unit.arrays if n.startswith(prefix) and n.endswith(suffix)]
    return {n[len(prefix) : -len(suffix)]: unit.arrays[n][index].astype(float) for n in names}


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


def blob_picture(blob):
    """A blob (H, W) bool, black on white."""
    return np.repeat(1.0 - np.asarray(blob, dtype=float)[..., None], 3, axis=-1)
