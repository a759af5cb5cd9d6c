"""VGG16, the network of the book's paper."""

import torch
from torch import nn

from ..compat import torchvision
from . import weights
from .building import MEAN, STD, seeded

_VGG16 = (64, 64, "M", 128, 128, "M", 256, 256, 256, "M", 512, 512, 512, "M", 512, 512, 512, "M")


#: Channels of the original head's two hidden layers, and the side of the maps that it reads.
_HIDDEN, _GRID = 4096, 7


class Classifier(nn.Module):
    """Normalise → features → mean over positions → head.

    Attributes:
        features: convolutions, (N, C, H, W) → (N, D, h, w).
        pool: the mean over positions, → (N, D).
        head: linear layer on the pooled features (N, D) → logits (N, K).
        cam_layer: the module whose output Grad-CAM looks at.
    """

    def __init__(self, features, head, *, cam_layer, mean, std):
        super().__init__()
        self.features = features
        self.pool = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.head = head
        self._cam_index = next(i for i, m in enumerate(features) if m is cam_layer)
        self.register_buffer("mean", torch.tensor(mean).view(1, -1, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(std).view(1, -1, 1, 1), persistent=False)

    @property
    def cam_layer(self):
        return self.features[self._cam_index]

    @property
    def network(self):
        """From normalised images to logits, one module after the other."""
        return nn.Sequential(self.features, self.pool, self.head)

    def normalised(self, x):
        """What ``network`` takes, from images (N, C, H, W) in [0, 1]."""
        return (x - self.mean) / self.std

    def penultimate(self, x):
        """The flattened features (N, D) that the linear head reads, for images (N, C, H, W) in [0, 1]."""
        return self.pool(self.features(self.normalised(x)))

    def forward(self, x):
        return self.head(self.penultimate(x))


def vgg16(class_count, *, width=1.0, channels=3, seed=0):
    """VGG16 with batch normalisation and one linear layer behind global average pooling.

    Simonyan and Zisserman (2015), configuration D, as torchvision builds it. With 48×48 images the last block is
    3×3 before its pooling and 1×1 after it. The paper does not say which head it used.

    Args:
        class_count: K, at least 2.
        width: factor on the channels of every layer.
        channels: C of the images.
        seed: seed of the initialisation.

    Returns:
        :class:`Classifier` for images of at least 32×32 pixels.

    Raises:
        ValueError: fewer than two classes, or a width that leaves a layer without channels.
    """
    if class_count < 2 or not 512 * width >= 8:
        raise ValueError(f"need at least 2 classes and a width of at least 1/64, got {class_count} and {width}")
    plan = ["M" if n == "M" else max(1, round(n * width)) for n in _VGG16]
    with seeded(seed):
        features = torchvision.models.vgg.make_layers(plan, batch_norm=True)
        if channels != 3:
            features[0] = nn.Conv2d(channels, plan[0], 3, padding=1)
        head = nn.Linear(plan[-2], class_count)
        for module in features.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
                nn.init.zeros_(module.bias)
    mean, std = MEAN, STD
    if channels != 3:
        mean, std = (0.5,) * channels, (0.25,) * channels
    model = Classifier(features, head, cam_layer=features[-2], mean=mean, std=std)
    return model.to(memory_format=torch.channels_last)


class Dropout(nn.Dropout):
    """Dropout whose masks follow from a seed and the number of batches seen, so that a resumed training repeats them.

    Attributes:
        batches: how many it has seen while training; kept in checkpoints.
    """

    def __init__(self, *, seed):
        super().__init__()
        self.seed = seed
        self.register_buffer("batches", torch.zeros((), dtype=torch.int64))

    def forward(self, x):
        if not self.training:
            return x
        generator = torch.Generator().manual_seed(1_000_003 * self.seed + int(self.batches))
        self.batches += 1
        kept = torch.rand(x.shape, generator=generator).to(x.device) >= self.p
        return torch.where(kept, x / (1 - self.p), 0)


class Original(Classifier):
    """Normalise → features → the hidden layers of the original head → its last layer.

    Attributes:
        pool: mean over positions to 7×7, two hidden layers, each with ReLU and dropout, → (N, D).
    """

    def __init__(self, features, pool, head, **named):
        super().__init__(features, head, **named)
        self.pool = pool


def plain_vgg16(class_count, *, width=1.0, seed=0):
    """VGG16 as it was published: without batch normalisation, with two hidden layers of 4096 and dropout in its head.

    Simonyan and Zisserman (2015), configuration D, as torchvision builds it; maps of other than 7×7 cells are brought
    to these by means. Weights are drawn as He et al. (2015) draw them, without which nothing is learnt from scratch.

    Args:
        class_count: K, at least 2.
        width: factor on the channels of every layer, hidden ones included.
        seed: seed of the initialisation, and of the dropout.

    Returns:
        :class:`Original` for images of at least 32×32 pixels and three channels.

    Raises:
        ValueError: fewer than two classes, or a width that leaves a layer without channels.
    """
    if class_count < 2 or not 512 * width >= 8:
        raise ValueError(f"need at least 2 classes and a width of at least 1/64, got {class_count} and {width}")
    plan = ["M" if n == "M" else max(1, round(n * width)) for n in _VGG16]
    hidden = round(_HIDDEN * width)
    with seeded(seed):
        features = torchvision.models.vgg.make_layers(plan, batch_norm=False)
        pool = nn.Sequential(
            nn.AdaptiveAvgPool2d(_GRID), nn.Flatten(),
            nn.Linear(plan[-2] * _GRID**2, hidden), nn.ReLU(), Dropout(seed=2 * seed),
            nn.Linear(hidden, hidden), nn.ReLU(), Dropout(seed=2 * seed + 1),
        )  # fmt: skip
        head = nn.Linear(hidden, class_count)
        for module in (*features.modules(), *pool.modules()):
            if isinstance(module, (nn.Conv2d, nn.Linear)):
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
                nn.init.zeros_(module.bias)
    model = Original(features, pool, head, cam_layer=features[-2], mean=MEAN, std=STD)
    return model.to(memory_format=torch.channels_last)


def load_imagenet_features(model):
    """Fill the convolutions of a full-width :func:`vgg16` with torchvision's ImageNet weights.

    Returns:
        Whether they could be had.
    """
    state = weights.state("vgg16_bn", "IMAGENET1K_V1")
    if state is None:
        return False
    prefix = "features."
    model.features.load_state_dict({k[len(prefix) :]: v for k, v in state.items() if k.startswith(prefix)})
    return True
