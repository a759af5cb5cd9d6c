"""Networks for photos with ImageNet's weights, wrapped so that they take images in [0, 1] and return logits."""

from dataclasses import dataclass

import torch
from torch import nn

from . import lite, weights
from .building import MEAN, STD

#: The network whose weights are installed with this package.
AT_HAND = "efficientnet_lite0"


class Normalised(nn.Module):
    """Normalise → network.

    Attributes:
        body: the network, (N, 3, H, W) → logits (N, K).
        cam_layer: the layer whose output Grad-CAM looks at, what comes before its global pooling; None where the
            network's forward pools without a module.
    """

    def __init__(self, body, *, mean=MEAN, std=STD):
        super().__init__()
        self.body = body
        self.register_buffer("mean", torch.tensor(mean).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(std).view(1, 3, 1, 1), persistent=False)

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


@dataclass(frozen=True, eq=False)
class Pretrained:
    """A network with ImageNet's weights.

    Attributes:
        name: what it is called.
        model: images (N, 3, H, W) in [0, 1] → logits (N, 1000), in evaluation mode.
        classes: names of its classes.
        side: of the images it was trained on, in pixels.
    """

    name: str
    model: nn.Module
    classes: tuple[str, ...]
    side: int


def pretrained(*names):
    """The first of some networks whose ImageNet weights can be had: ``AT_HAND``, or one of torchvision's.

    Args:
        names: of networks, the best first.

    Returns:
        :class:`Pretrained`; None where none can be had.

    Raises:
        UserError: the weights of ``AT_HAND`` are wanted, and not installed as they should be.
    """
    for name in names:
        if name == AT_HAND:
            body = Normalised(lite.imagenet(), mean=lite.MEAN, std=lite.STD)
            return Pretrained(name, body.eval(), weights.categories(), lite.SIDE)
        found = weights.network(name)
        if found is not None:
            body, side = found
            return Pretrained(name, Normalised(body).eval(), weights.categories(), side)
    return None
