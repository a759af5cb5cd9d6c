"""ResNet-50 and narrower networks of the same blocks. Images in [0, 1] go in, logits come out.

He et al. (2016), in torchvision's form: the stride of a bottleneck is in its 3×3 convolution. Images of 32×32, the
smallest side that Keras's ResNet-50 takes, go through the published stem (7×7, stride 2, then 3×3 max pooling,
stride 2), so that the last block sees a single position and ImageNet weights fit.
"""

from collections import OrderedDict
from copy import deepcopy

import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from ..compat import torchvision
from . import weights
from .building import MEAN, STD, seeded

Bottleneck = torchvision.models.resnet.Bottleneck
#: Blocks of each of the four stages of ResNet-50.
RESNET50 = (3, 4, 6, 3)
_PLANES = (64, 128, 256, 512)
_SMALL = 4


class Convolution(nn.Conv2d):
    """A convolution that becomes a matrix product where its output has few positions and its input is bfloat16.

    oneDNN spends most of a backward pass of ResNet-50 at 32×32 on the reordering of weights for maps of 1×1 and 2×2;
    as a product of matrices the same sum takes a fifth of the time.
    """

    def forward(self, x):
        if x.dtype == torch.bfloat16 and x.device.type == "cpu" and positions(self, x.shape[2:]) <= _SMALL:
            return as_product(self, x)
        return super().forward(x)


def positions(convolution, size):
    """How many output positions a convolution has on maps of ``size`` (h, w)."""
    sides = zip(size, convolution.kernel_size, convolution.stride, convolution.padding, strict=True)
    height, width = ((side + 2 * padding - kernel) // stride + 1 for side, kernel, stride, padding in sides)
    return height * width


def as_product(convolution, x):
    """What an ungrouped, undilated convolution returns for (N, C, H, W), computed as one product of matrices."""
    kernel, stride, padding = convolution.kernel_size, convolution.stride, convolution.padding
    patches = F.unfold(x, kernel, padding=padding, stride=stride).transpose(1, 2)
    out = F.linear(patches, convolution.weight.flatten(1), convolution.bias)
    height = (x.shape[2] + 2 * padding[0] - kernel[0]) // stride[0] + 1
    return out.transpose(1, 2).unflatten(2, (height, -1))


class ResNet(nn.Module):
    """Normalise → stem → four stages of bottlenecks → mean over positions → linear.

    Attributes:
        network: from normalised images to logits; its parameters are named as those of torchvision's ResNet-50.
        mean, std: ImageNet's, (1, 3, 1, 1).
    """

    def __init__(self, network):
        super().__init__()
        self.network = network
        self.register_buffer("mean", torch.tensor(MEAN).view(1, -1, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(STD).view(1, -1, 1, 1), persistent=False)

    @property
    def cam_layer(self):
        return self.network.layer4

    def normalised(self, x):
        """What ``network`` takes, from images (N, 3, H, W) in [0, 1]."""
        return (x - self.mean) / self.std

    def forward(self, x):
        return self.network(self.normalised(x))


def resnet(class_count, *, blocks=RESNET50, width=1.0, seed=0):
    """A network of bottleneck blocks; ResNet-50 unless told otherwise.

    Args:
        class_count: K, at least 2.
        blocks: how many bottlenecks each of the four stages has.
        width: factor on the channels of every layer.
        seed: seed of the initialisation (He et al., 2015; the last normalisation of a block starts at 0).

    Returns:
        :class:`ResNet` for images of at least 32×32 pixels.

    Raises:
        ValueError: fewer than two classes, not four stages, or a width that leaves a layer without channels.
    """
    if class_count < 2 or len(blocks) != 4 or min(blocks) < 1 or not 64 * width >= 1:
        raise ValueError(
            "need at least 2 classes, four stages of at least one block and a width of at least 1/64, "
            f"got {class_count}, {blocks} and {width}"
        )
    with seeded(seed):
        network = _network(class_count, blocks, [round(planes * width) for planes in _PLANES])
        for module in network.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
                module.__class__ = Convolution
            if isinstance(module, Bottleneck):
                nn.init.zeros_(module.bn3.weight)
    return ResNet(network).to(memory_format=torch.channels_last)


def _network(class_count, blocks, planes):
    parts = [
        ("conv1", nn.Conv2d(3, planes[0], 7, stride=2, padding=3, bias=False)),
        ("bn1", nn.BatchNorm2d(planes[0])),
        ("relu", nn.ReLU(inplace=True)),
        ("maxpool", nn.MaxPool2d(3, stride=2, padding=1)),
    ]
    channels = planes[0]
    for k, (count, inner) in enumerate(zip(blocks, planes, strict=True)):
        parts.append((f"layer{k + 1}", _stage(channels, inner, count, stride=2 if k else 1)))
        channels = 4 * inner
    parts += [("avgpool", nn.AdaptiveAvgPool2d(1)), ("flatten", nn.Flatten()), ("fc", nn.Linear(channels, class_count))]
    return nn.Sequential(OrderedDict(parts))


def _stage(channels, inner, count, *, stride):
    shortcut = nn.Sequential(nn.Conv2d(channels, 4 * inner, 1, stride=stride, bias=False), nn.BatchNorm2d(4 * inner))
    rest = [Bottleneck(4 * inner, inner) for _ in range(count - 1)]
    return nn.Sequential(Bottleneck(channels, inner, stride, shortcut), *rest)


def load_imagenet_weights(model):
    """Fill all but the last layer of a full-width ResNet-50 with torchvision's ImageNet weights (the first version).

    Returns:
        Whether they could be had.
    """
    state = weights.state("resnet50", "IMAGENET1K_V1")
    if state is None:
        return False
    adopt(model, state)
    return True


def adopt(model, state):
    """Fill all but the last layer of ``model`` from a state by the names of ``network``, as a network of other classes
    leaves it.

    Raises:
        RuntimeError: another architecture.
    """
    own = {name: value for name, value in model.network.state_dict().items() if name.startswith("fc.")}
    model.network.load_state_dict({name: v for name, v in state.items() if not name.startswith("fc.")} | own)


def folded(model):
    """A copy of a :class:`ResNet` with each batch normalisation folded into the convolution before it.

    The same function in evaluation mode, up to rounding, and about twice as fast; not to be trained.
    """
    copy = deepcopy(model).eval().to(memory_format=torch.contiguous_format)
    _fold(copy.network, (("conv1", "bn1"),))
    for block in copy.modules():
        if isinstance(block, Bottleneck):
            _fold(block, (("conv1", "bn1"), ("conv2", "bn2"), ("conv3", "bn3")))
            if block.downsample is not None:
                _fold(block.downsample, (("0", "1"),))
    return copy.requires_grad_(False)


def _fold(parent, pairs):
    for convolution, normalisation in pairs:
        fused = fuse_conv_bn_eval(getattr(parent, convolution), getattr(parent, normalisation))
        setattr(parent, convolution, fused)
        setattr(parent, normalisation, nn.Identity())
