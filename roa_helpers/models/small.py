"""Small networks for images of 8 to 64 pixels, AlexNet and SqueezeNet with ImageNet weights, smooth twins of them all.

Every model takes images in [0, 1], subtracts the mean image of its training data inside, and returns logits. All are
piecewise linear in the image: convolutions, ReLU, pooling, batch normalisation in evaluation mode.
"""

import copy
import math

import torch
import torch.nn.functional as F
from torch import nn

from ..compat import torchvision
from .building import MEAN, STD, seeded

#: Images are divided by it after the mean was subtracted: about the standard deviation of photographs.
SCALE = 0.25
#: Positions of Imagenette's classes among the thousand of ImageNet, in the order of the data set's labels.
IMAGENETTE = (0, 217, 482, 491, 497, 566, 569, 571, 574, 701)


class Network(nn.Module):
    """Subtract the mean image → features → head.

    Attributes:
        features: layers (N, C, H, W) → (N, K', h, w).     head: layers behind them → logits (N, K).
        cam_layer: the last convolution, where Grad-CAM looks; in SqueezeNet, the last of its blocks of three.
    """

    def __init__(self, features, head, *, mean, scale=SCALE):
        super().__init__()
        self.features, self.head = features, head
        self.register_buffer("mean", mean.detach().clone())
        self.register_buffer("scale", torch.as_tensor(scale))

    @property
    def cam_layer(self):
        parts = [part for part in self.features if any(isinstance(m, nn.Conv2d) for m in part.modules())]
        return parts[-1]

    @property
    def network(self):
        """From normalised images to logits, one module after the other."""
        return nn.Sequential(self.features, self.head)

    def normalised(self, x):
        """What ``network`` takes, from images (N, C, H, W) in [0, 1]."""
        return (x - self.mean) / self.scale

    def forward(self, x):
        return self.head(self.features(self.normalised(x)))


class SmoothMax(nn.Module):
    """Maximum over windows, smoothed: log(mean of exp(β x)) / β, below the maximum by at most log(window) / β."""

    def __init__(self, pool, sharpness):
        super().__init__()
        self.size, self.stride, self.padding, self.whole = pool.kernel_size, pool.stride, pool.padding, pool.ceil_mode
        self.sharpness = sharpness

    def forward(self, x):
        before = self.padding
        after = [before + self._missing(length + 2 * before) for length in x.shape[:1:-1]]
        x = F.pad(x, (before, after[0], before, after[1]), value=torch.finfo(x.dtype).min / 1e3)
        windows = x.unfold(2, self.size, self.stride).unfold(3, self.size, self.stride).flatten(4)
        return (torch.logsumexp(self.sharpness * windows, -1) - 2 * math.log(self.size)) / self.sharpness

    def _missing(self, length):
        """What the last window lacks of a side, where windows that reach beyond it count (``ceil_mode``)."""
        return (self.size - length) % self.stride if self.whole else 0


def lenet(class_count, *, mean, width=1.0, seed=0):
    """LeNet as Caffe and MatConvNet have it: 20 and 50 filters, 500 units, ReLU, maximum pooling.

    LeCun et al. (1998) had fewer filters and saturating units. Filters are 5×5 without padding; below 20 pixels, where
    that would leave nothing, 3×3 with padding.

    Args:
        class_count: K.
        mean: mean image (C, H, W) of the training data.
        width: factor on the filters and units.
        seed: seed of the initialisation.
    """
    channels, side = mean.shape[0], mean.shape[-1]
    kernel, padding = (5, 0) if side >= 20 else (3, 1)
    first, second, units = _widths((20, 50, 500), width)
    with seeded(seed):
        features = nn.Sequential(
            nn.Conv2d(channels, first, kernel, padding=padding), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(first, second, kernel, padding=padding), nn.ReLU(), nn.MaxPool2d(2),
        )  # fmt: skip
        with torch.no_grad():
            size = features(mean[None].float()).numel()
        head = nn.Sequential(nn.Flatten(), nn.Linear(size, units), nn.ReLU(), nn.Linear(units, class_count))
        return _ready(features, head, mean)


def nin(class_count, *, mean, width=1.0, seed=0):
    """Network in network for 32×32 images: three convolutions, each followed by two of 1×1, and global pooling.

    Lin, Chen and Yan (2014). Differs by batch normalisation in place of dropout, which lets it learn in few epochs.
    Arguments as those of :func:`lenet`.
    """
    a, b, c, d = _widths((192, 160, 96, 192), width)
    with seeded(seed):
        features = nn.Sequential(
            *_block(mean.shape[0], a, 5), *_block(a, b, 1), *_block(b, c, 1), nn.MaxPool2d(3, 2, 1),
            *_block(c, d, 5), *_block(d, d, 1), *_block(d, d, 1), nn.AvgPool2d(3, 2, 1),
            *_block(d, d, 3), *_block(d, d, 1), nn.Conv2d(d, class_count, 1),
        )  # fmt: skip
        return _ready(features, nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten()), mean)


def alexnet(class_count, *, mean, width=1.0, seed=0):
    """AlexNet's five convolutions and two hidden layers for images of 32 pixels and more.

    Krizhevsky et al. (2012), as torchvision has it. Differs by 3×3 filters with stride 1 at the bottom (an image of
    32 pixels has nothing to spare), by batch normalisation in place of dropout, and by 512 units in place of 4096.
    Arguments as those of :func:`lenet`.
    """
    a, b, c, d, units = _widths((64, 192, 384, 256, 512), width)
    with seeded(seed):
        features = nn.Sequential(
            *_block(mean.shape[0], a, 3), nn.MaxPool2d(2), *_block(a, b, 3), nn.MaxPool2d(2),
            *_block(b, c, 3), *_block(c, d, 3), *_block(d, d, 3), nn.MaxPool2d(2), nn.AdaptiveAvgPool2d(4),
        )  # fmt: skip
        head = nn.Sequential(
            nn.Flatten(), nn.Linear(16 * d, units), nn.BatchNorm1d(units), nn.ReLU(),
            nn.Linear(units, units), nn.BatchNorm1d(units), nn.ReLU(), nn.Linear(units, class_count),
        )  # fmt: skip
        return _ready(features, head, mean)


def imagenet(name, state, positions=IMAGENETTE):
    """One of torchvision's networks with its ImageNet weights, reduced to some of the thousand classes.

    Args:
        name: ``alexnet`` or ``squeezenet1_1`` (Iandola et al., 2016), whose last layer ends in a ReLU: its logits are
            never below 0.
        state: its weights by parameter.
        positions: of the classes, in the order of the logits wanted.

    Returns:
        :class:`Network` in evaluation mode, for images of 224×224 pixels; SqueezeNet also takes smaller ones.
    """
    with torch.device("meta"):
        found = torchvision.models.get_model(name)
    found.load_state_dict({key: value.clone() for key, value in state.items()}, assign=True)
    last = [m for m in found.classifier if isinstance(m, nn.Linear | nn.Conv2d)][-1]
    last.weight, last.bias = (nn.Parameter(p.detach()[list(positions)]) for p in (last.weight, last.bias))
    for module in found.modules():
        if isinstance(module, nn.ReLU):
            module.inplace = False
    pooled = isinstance(last, nn.Conv2d)  # the classifier of SqueezeNet pools by itself
    head = (found.classifier, nn.Flatten()) if pooled else (found.avgpool, nn.Flatten(), found.classifier)
    mean, std = (torch.tensor(v).view(3, 1, 1) for v in (MEAN, STD))
    return Network(found.features, nn.Sequential(*head), mean=mean, scale=std).eval()


#: What builds each of the networks that are trained here.
BUILDERS = {"lenet": lenet, "nin": nin, "alexnet": alexnet}


def smooth_twin(model, *, sharpness):
    """A copy of ``model`` without kinks: softplus(β x) / β for ReLU, :class:`SmoothMax` for maximum pooling.

    The weights are those of ``model``; its logits are approached as the sharpness β grows, so its second derivatives
    say where, and how much, the pieces of ``model`` bend on the scale 1 / β of an activation.

    Args:
        model: any network made of modules.
        sharpness: β > 0.
    """
    twin = copy.deepcopy(model)
    for parent in list(twin.modules()):
        for name, child in parent.named_children():
            if isinstance(child, nn.ReLU):
                setattr(parent, name, nn.Softplus(beta=sharpness))
            elif isinstance(child, nn.MaxPool2d):
                setattr(parent, name, SmoothMax(child, sharpness))
    return twin


def _widths(counts, width):
    return [max(2, round(count * width)) for count in counts]


def _block(before, after, kernel):
    return nn.Conv2d(before, after, kernel, padding=kernel // 2, bias=False), nn.BatchNorm2d(after), nn.ReLU()


def _ready(features, head, mean):
    for module in (*features.modules(), *head.modules()):
        if isinstance(module, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    return Network(features, head, mean=mean).to(memory_format=torch.channels_last)


class Resampled(nn.Module):
    """A network behind a unit that shrinks the image to ``side`` pixels and enlarges it again: Section 4.4.

    Bicubic, with antialiasing where it shrinks; nothing is clipped.
    """

    def __init__(self, model, side):
        super().__init__()
        self.model, self.side = model, side

    def forward(self, x):
        return self.model(resampled(x, self.side))


def resampled(x, side):
    """Images (N, C, H, W) at ``side``×``side`` pixels and back at H×W, bicubic; unchanged where ``side`` is H and W."""
    whole = tuple(x.shape[2:])
    if whole == (side, side):
        return x
    small = F.interpolate(x, (side, side), mode="bicubic", align_corners=False, antialias=True)
    return F.interpolate(small, whole, mode="bicubic", align_corners=False)
