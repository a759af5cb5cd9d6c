"""Superpixels: groups of similar, close pixels, what a map says on average in each, unions of the best ones.

A segmentation is a map (H, W) of whole numbers; each of 0…S−1 occurs and names a superpixel.
"""

import numpy as np
import torch

from .. import checks


def segment(image, *, kernel_size=4, max_dist=200, ratio=0.2):
    """Superpixels by quickshift (Vedaldi and Soatto, 2008), as scikit-image computes it.

    The defaults are those of the library lime. Its seed, which only breaks ties, is fixed: an image has one
    segmentation. With these settings superpixels are some twenty pixels wide, so small images have few.

    Args:
        image: (C, H, W) in [0, 1], C = 3, or 1 for grey, whose channel is repeated.
        kernel_size: width of the kernel that estimates the density, in pixels.
        max_dist: farthest that a pixel may be from the one it is joined to.
        ratio: weight of colour against position, in [0, 1].

    Returns:
        (H, W) int64.

    Raises:
        ValueError: a wrong shape, type or range.
    """
    from skimage.segmentation import quickshift

    check_image(image)
    rgb = image.detach().cpu().expand(3, -1, -1).permute(1, 2, 0).contiguous()
    rgb = (rgb.float() if rgb.dtype.itemsize < 4 else rgb).numpy()
    labels = quickshift(rgb, kernel_size=kernel_size, max_dist=max_dist, ratio=ratio, rng=42)
    return torch.from_numpy(np.unique(labels, return_inverse=True)[1].reshape(labels.shape)).long()


def check_image(image):
    """``image`` is a floating tensor (C, H, W) in [0, 1] with one or three channels."""
    if not torch.is_tensor(image) or image.ndim != 3 or not image.is_floating_point() or image.shape[0] not in (1, 3):
        found = checks.described(image)
        raise ValueError(f"image must be one floating tensor (C, H, W) with 1 or 3 channels, got {found}")
    if not image.numel():
        raise ValueError("image must have pixels")
    checks.pixels(image, name="image")


def check(segments, size):
    """``segments`` as an int64 tensor on the CPU, if it is a segmentation of ``size`` (H, W).

    Args:
        segments: tensor or array of whole numbers.
        size: (H, W).

    Returns:
        (H, W) int64.

    Raises:
        ValueError: another shape, other numbers, or labels that are not exactly 0…S−1.
    """
    found = torch.as_tensor(segments).detach().cpu()
    whole = not (found.is_floating_point() or found.is_complex() or found.dtype == torch.bool)
    if not whole or found.shape != tuple(size):
        raise ValueError(f"segments must be whole numbers {tuple(size)}, got {found.dtype} {tuple(found.shape)}")
    labels = found.unique()
    if not torch.equal(labels.long(), torch.arange(len(labels))):
        raise ValueError(
            f"segments must be labelled 0…{len(labels) - 1} without gaps,"
            f" got {len(labels)} labels from {int(labels[0])} to {int(labels[-1])}"
        )
    return found.long()


def superpixel_means(values, segments):
    """Mean of a map in each superpixel.

    Args:
        values: (H, W), one number a pixel.
        segments: (H, W), labels 0…S−1.

    Returns:
        (S,) float64, on the CPU.

    Raises:
        ValueError: a wrong shape or wrong labels.
    """
    if not torch.is_tensor(values) or values.ndim != 2:
        raise ValueError(f"values must be a tensor (H, W), got {getattr(values, 'shape', type(values).__name__)}")
    labels = check(segments, values.shape).flatten()
    sums = labels.bincount(weights=values.detach().cpu().double().flatten())
    return sums / labels.bincount()


def unions(segments, weights, count):
    """For n = 1…count the union of the n superpixels of largest weight, among those of positive weight.

    Equal weights: the lower label first. Where fewer than n weights are positive, the union is that of all of them.

    Args:
        segments: (H, W), labels 0…S−1.
        weights: (S,), what each superpixel is worth.
        count: number of unions, ≥ 1.

    Returns:
        (count, H, W) bool, each within the next.

    Raises:
        ValueError: a wrong shape, wrong labels or weights that are not numbers.
    """
    if not torch.is_tensor(weights) or weights.ndim != 1 or weights.isnan().any():
        raise ValueError("weights must be a tensor (S,) of numbers")
    if count < 1:
        raise ValueError(f"count must be at least 1, got {count}")
    segments = torch.as_tensor(segments)
    segments = check(segments, segments.shape[-2:])
    if len(weights) != segments.max() + 1:
        raise ValueError(f"{len(weights)} weights do not fit {int(segments.max()) + 1} superpixels")
    weights = weights.detach().cpu()
    order = weights.argsort(descending=True, stable=True)
    place = torch.full((len(weights),), count)
    place[order] = torch.arange(len(weights))
    place[~(weights > 0)] = count
    return place[segments] < torch.arange(1, count + 1)[:, None, None]
