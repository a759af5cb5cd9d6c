"""Networks for photos: torchvision's, wrapped so that they take images in [0, 1] and return logits."""

from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import nn

from ..compat import torchvision
from . import vgg, weights
from .building import MEAN, STD, seeded


class Normalised(nn.Module):
    """Normalise → network of torchvision.

    Attributes:
        body: the network, (N, 3, H, W) → logits (N, K).
        cam_layer: the layer whose output Grad-CAM looks at, what comes before its global pooling; None where the
            network's forward pools without a module.
    """

    def __init__(self, body):
        super().__init__()
        self.body = body
        self.register_buffer("mean", torch.tensor(MEAN).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(STD).view(1, 3, 1, 1), persistent=False)

    @property
    def cam_layer(self):
        layers = list(self.body.children())
        pooling = next((i for i, m in enumerate(layers) if isinstance(m, nn.AdaptiveAvgPool2d)), 0)
        return layers[pooling - 1] if pooling else None

    @property
    def network(self):
        """From normalised images to logits: ``body``."""
        return self.body

    def normalised(self, x):
        """What ``network`` takes, from images (N, 3, H, W) in [0, 1]."""
        return (x - self.mean) / self.std

    def forward(self, x):
        return self.body(self.normalised(x))


def build(name, class_count, *, width=1.0, seed=0):
    """An untrained network.

    Args:
        name: ``vgg16`` (:func:`.vgg.vgg16`, of any width), or a classification network of torchvision
            that ends in one linear layer, for instance ``regnet_x_400mf`` or ``inception_v3``.
        class_count: K.
        width: factor on the channels, for ``vgg16`` alone.
        seed: of the initialisation.

    Returns:
        A module that returns logits (N, K) for images (N, 3, H, W) in [0, 1].

    Raises:
        ValueError: torchvision has no such network, or it has no width to choose.
    """
    if name == "vgg16":
        return vgg.vgg16(class_count, width=width, seed=seed)
    if width != 1:
        raise ValueError(f"{name} has one width only, got {width}")
    if name not in torchvision.models.list_models(torchvision.models):
        raise ValueError(f"torchvision has no network {name!r}")
    with seeded(seed):
        body = torchvision.models.get_model(name, num_classes=class_count, **_without_extras(name))
    return Normalised(body).to(memory_format=torch.channels_last)


def pretrained(name):
    """A network of torchvision with its ImageNet weights.

    Returns:
        (module in evaluation mode, names of its classes); None where the weights cannot be had.
    """
    found = weights.network(name)
    if found is None:
        return None
    body, classes = found
    return Normalised(body).eval(), classes


def cropped(image_set, copies, *, seed, least=0.35, stretch=4 / 3):
    """Random crops of every image, brought back to its size: more to learn from where images are few.

    As Szegedy et al. (2015) train: a crop covers ``least`` to all of the area, its sides stand at most as 1 to
    ``stretch`` to each other.

    Args:
        image_set: :class:`.splits.ImageSet` of N images (C, H, W).
        copies: crops an image, ≥ 1.
        seed: of places and sizes.

    Returns:
        ImageSet of N · copies images, each image's crops one after the other.
    """
    generator = torch.Generator().manual_seed(seed)
    n, height, width = len(image_set) * copies, *image_set.images.shape[2:]
    area = least + (1 - least) * torch.rand(n, generator=generator)
    ratio = stretch ** (2 * torch.rand(n, generator=generator) - 1)
    rows = (height * (area / ratio).sqrt()).round().clamp(1, height).long()
    columns = (width * (area * ratio).sqrt()).round().clamp(1, width).long()
    top, left = (torch.rand(2, n, generator=generator) * torch.stack([height - rows + 1, width - columns + 1])).long()
    images = torch.empty(n, *image_set.images.shape[1:])
    for i, (r, c, t, q) in enumerate(zip(rows.tolist(), columns.tolist(), top.tolist(), left.tolist(), strict=True)):
        crop = image_set.images[i // copies, None, :, t : t + r, q : q + c]
        images[i] = F.interpolate(crop, (height, width), mode="bilinear", align_corners=False)[0]
    return replace(image_set, images=images, labels=image_set.labels.repeat_interleave(copies))


def _without_extras(name):
    """Options without the auxiliary heads, and with the initialisation that the default warns about."""
    return {"aux_logits": False, "init_weights": True} if name in ("inception_v3", "googlenet") else {}
