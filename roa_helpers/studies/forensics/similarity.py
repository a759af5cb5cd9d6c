"""SSIM of a heat map in colour and a perturbation of zeros and ones, on scales that agree and that do not.

Needs no torch.
"""

import numpy as np

from ... import metrics


def readings(heat, roa):
    """SSIM of one heat map and one RoA for three readings of the authors' numbers.

    Args:
        heat: colours (H, W, 3) uint8.     roa: (H, W, 3) bool.

    Returns:
        dict: ``two_scales``, the heat map from 0 to 255 and the RoA of 0 and 1 with data range 255; ``zero``, the same
        heat map and an RoA without any entry; ``one_scale``, both from 0 to 1 with data range 1.
    """
    values = _channels_first(heat / 255)
    found = {"two_scales": roa / 255, "zero": np.zeros(roa.shape), "one_scale": roa.astype(float)}
    return {name: float(metrics.ssim(values, _channels_first(other))[0]) for name, other in found.items()}


def _channels_first(picture):
    return np.moveaxis(picture, -1, 0)[None]
