"""Blurring what does not matter: a Gaussian blur, and images that keep their most important pixels.

The defence of the pixel-importance thesis, Section 3.2. All functions are differentiable with respect to the image.
"""

import math
from functools import cache

import numpy as np
import torch
from scipy.ndimage import gaussian_filter1d

from ... import checks


def gaussian(x, sigma):
    """Gaussian blur of each channel, as SciPy's ``gaussian_filter`` computes it (reflected edges, cut off at 4σ).

    The filter is linear and separable: B_H x B_Wᵀ, B the response of SciPy's filter to the identity matrix.

    Args:
        x: images (N, C, H, W).
        sigma: standard deviation in pixels, ≥ 0; 0 changes nothing.

    Returns:
        (N, C, H, W).

    Raises:
        ValueError: a negative σ.
    """
    if not 0 <= sigma < float("inf"):
        raise ValueError(f"sigma must be finite and ≥ 0, got {sigma}")
    rows, columns = (torch.as_tensor(_responses(side, sigma), dtype=x.dtype, device=x.device) for side in x.shape[2:])
    return rows @ x @ columns.T


@cache
def _responses(side, sigma):
    """The filter along one axis as a matrix (side, side): row i holds the weights of output i."""
    return np.eye(side) if sigma == 0 else gaussian_filter1d(np.eye(side), sigma, axis=0)


def keep_mask(importance, share):
    """The pixels that stay as they are: at least the given share, those of the highest importance.

    A pixel is kept where its importance is at least that of the pixel at rank ⌈share · H · W⌉; all that tie with this
    one are kept too.

    Args:
        importance: (N, H, W), finite; only the order of a map's values counts.
        share: in [0, 1]; 0 keeps nothing.

    Returns:
        (N, 1, H, W) bool, True where a pixel is kept.

    Raises:
        ValueError: a wrong shape, NaN, or a share outside [0, 1].
    """
    checks.maps(importance, name="importance")
    checks.unit_interval(share, name="share")
    if importance.isnan().any():
        raise ValueError("importance must not be NaN")
    flat = importance.flatten(1)
    count = math.ceil(round(share * flat.shape[1], 9))
    if count == 0:
        return torch.zeros_like(importance, dtype=torch.bool)[:, None]
    threshold = flat.topk(count, dim=1).values[:, -1]
    return (importance >= threshold[:, None, None])[:, None]


def blurred(x, keep, sigma):
    """Images whose kept pixels are their own and whose others are those of the blurred image.

    Args:
        x: images (N, C, H, W).
        keep: (N, 1, H, W) bool, from :func:`keep_mask`; None blurs everything.
        sigma: as in :func:`gaussian`.
    """
    smooth = gaussian(x, sigma)
    if keep is None:
        return smooth
    checks.region(keep, x)
    return torch.where(keep, x, smooth)


def pull_back(gradient, keep, sigma):
    """A gradient with respect to the result of :func:`blurred`, turned into one with respect to its images.

    The blur with a fixed mask is linear in x, D x = m ⊙ x + (1 − m) ⊙ B x, so this is
    Dᵀ g = m ⊙ g + Bᵀ ((1 − m) ⊙ g): what an attacker needs who knows the defence.

    Args:
        gradient: g, (N, C, H, W).
        keep: m, (N, 1, H, W) bool.
        sigma: as in :func:`gaussian`.

    Returns:
        (N, C, H, W).
    """
    image = torch.zeros_like(gradient, requires_grad=True)
    with torch.enable_grad():
        return torch.autograd.grad(blurred(image, keep, sigma), image, gradient)[0]
