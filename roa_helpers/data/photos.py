"""Photos to attack: the test part of a data set, or any folder or zip of pictures."""

import hashlib
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image

from ..errors import UserError
from . import archives


@dataclass(frozen=True, eq=False)
class Photos:
    """Photos (N, 3, S, S) float32 in [0, 1], and a name for each.

    Attributes:
        available: how many there were to choose from.
        unreadable: names of pictures that could not be read.
    """

    images: torch.Tensor
    names: tuple[str, ...]
    available: int = 0
    unreadable: tuple[str, ...] = ()

    @property
    def fingerprint(self):
        """SHA-256 of pixels and names."""
        digest = hashlib.sha256("\n".join(self.names).encode())
        digest.update(self.images.numpy().tobytes())
        return digest.hexdigest()


def of_set(image_set, count, *, without=None, seed=0):
    """A random sample of an :class:`.splits.ImageSet`, of all classes but ``without``; grey becomes colour.

    A larger ``count`` keeps what a smaller one chose. A photo is called like its class, and numbered where that has
    several.
    """
    names = image_set.class_names
    left_out = names.index(without) if without in names else -1
    order = torch.randperm(len(image_set), generator=torch.Generator().manual_seed(seed))
    chosen = [int(i) for i in order if int(image_set.labels[i]) != left_out][:count]
    images = image_set.images[chosen]
    labels = image_set.labels[chosen].tolist()
    several = (image_set.labels.bincount(minlength=len(names)) > 1).tolist()
    return Photos(
        images.expand(-1, 3, -1, -1).contiguous(),
        tuple(
            f"{names[label]} {i}" if several[label] else names[label] for i, label in zip(chosen, labels, strict=True)
        ),
        available=int((image_set.labels != left_out).sum()),
    )


def opened(place, *, size, count=None):
    """The pictures of a folder or ``.zip``, in colour (transparency laid on white), cut to a square of ``size``.

    Args:
        place: path; pictures may lie in folders at any depth. Hidden files and folders are passed over.
        size: side in pixels.
        count: the first so many by name (None: all).

    Raises:
        UserError: nothing there, no picture that can be read, or one smaller than ``size``.
    """

    def cut(name, picture):
        if min(picture.size) < size:
            raise UserError(
                f"{name} is {picture.width}×{picture.height} pixels, smaller than the {size}×{size} that the "
                "network takes\n  leave it out, or use a larger picture"
            )
        return np.asarray(_squared(picture, size), dtype=np.float32) / 255

    found, available, unreadable = archives.pictures_of(place, cut, count=count)
    return Photos(
        torch.from_numpy(np.stack(list(found.values()))).permute(0, 3, 1, 2).contiguous(),
        tuple(found),
        available=available,
        unreadable=tuple(unreadable),
    )


def _squared(picture, size):
    side = min(picture.size)
    left, top = (picture.width - side) // 2, (picture.height - side) // 2
    cut = picture.crop((left, top, left + side, top + side))
    return cut.resize((size, size), Image.Resampling.BILINEAR)
