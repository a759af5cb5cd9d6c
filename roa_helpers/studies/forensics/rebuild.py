"""The blob rebuilt from a representative RoA, in the way that the pictures suggest and in ways that could refute it.

Representatives are (H, W, C) uint8, levels of 255; blobs (H, W, C) bool. A threshold k/255 takes what is shown above
level k. Needs no torch.
"""

from typing import NamedTuple

import numpy as np


class Fit(NamedTuple):
    """The threshold that agrees best.

    Attributes:
        level: the lowest of the best levels k; the threshold is k/255.
        last: the highest of the best levels.
        agreement: share of entries on which blob and [representative > k/255] agree.
    """

    level: int
    last: int
    agreement: float


def agreements(representative, blob, *, highest=254):
    """Share of entries on which [representative > k/255] and the blob agree, for k = 0, … highest: (highest + 1,).

    Raises:
        ValueError: two shapes.
    """
    if representative.shape != blob.shape:
        raise ValueError(f"two arrays of one shape are needed, got {representative.shape} and {blob.shape}")
    inside, outside = (np.bincount(representative[part], minlength=256) for part in (blob, ~blob))
    right = inside.sum() - np.cumsum(inside) + np.cumsum(outside)  # above k and in the blob, or neither
    return right[: highest + 1] / blob.size


def fitted(representative, blob, *, highest=254):
    """The threshold at which the rebuilt blob agrees best with the published one: :class:`Fit`."""
    found = agreements(representative, blob, highest=highest)
    best = np.flatnonzero(found == found.max())
    return Fit(int(best[0]), int(best[-1]), float(found.max()))


def rebuilt(representative, level):
    """[representative > level/255], channel by channel: (H, W, C) bool."""
    return representative > level


def any_channel(representative):
    """The reading without colours: every channel of a pixel is its largest, so that a threshold takes whole pixels."""
    return np.broadcast_to(representative.max(-1, keepdims=True), representative.shape)


def cut(representative, core):
    """The reading U−V+: nothing is above a threshold inside ``core`` (H, W) bool."""
    return np.where(core[..., None], 0, representative).astype(representative.dtype)


def best_of_others(representatives, blob, *, highest=254):
    """How well the blob is rebuilt from the best of other representatives (N, H, W, C), each with its own threshold.

    Returns:
        (largest agreement, median agreement) over the N.
    """
    found = [fitted(one, blob, highest=highest).agreement for one in representatives]
    return max(found), float(np.median(found))
