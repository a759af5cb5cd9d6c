"""EfficientNet-Lite0: EfficientNet-B0 without squeeze-and-excitation and with ReLU6, and its ImageNet weights.

Tan and Le (2019), Table 1, in the variant that Google published in 2020 for devices that compute with whole numbers.
Its weights, converted from TensorFlow, come as a package with this one, so that there is an ImageNet network on every
machine; of that package nothing runs.
"""

import torch
import torch.nn.functional as F
from torch import nn

from . import vgg, weights
from .building import seeded

#: Side of the images it was trained on, in pixels.
SIDE = 224
#: What it subtracts from pixels in [0, 1], and divides by: of the bytes 0…255, 127 and 128.
MEAN, STD = (127 / 255,) * 3, (128 / 255,) * 3
#: ε of its batch normalisations.
EPSILON = 1e-3
#: Of each stage: blocks, side of the filters, stride of the first block, widening inside, channels.
STAGES = (
    (1, 3, 1, 1, 16), (2, 3, 2, 6, 24), (2, 5, 2, 6, 40), (3, 3, 2, 6, 80), (3, 5, 1, 6, 112), (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)  # fmt: skip
STEM, HEAD = 32, 1280


class Same(nn.Conv2d):
    """A convolution padded as TensorFlow's ``SAME``: ⌈H / stride⌉ rows; of an odd number the last side has one more."""

    def forward(self, x):
        padding = []
        for length, kernel, stride in zip(x.shape[:1:-1], self.kernel_size[::-1], self.stride[::-1], strict=True):
            missing = max((-(-length // stride) - 1) * stride + kernel - length, 0)
            padding += [missing // 2, missing - missing // 2]
        return super().forward(F.pad(x, padding))


class Residual(nn.Sequential):
    """x + layers(x)."""

    def forward(self, x):
        return x + super().forward(x)


def network(class_count=1000):
    """The network, untrained, batch normalisation folded into its convolutions: for evaluation alone.

    Args:
        class_count: K.

    Returns:
        A module, images (N, 3, H, W), normalised by ``MEAN`` and ``STD`` → logits (N, K).
    """
    layers, width = [*_convolution(3, STEM, 3, stride=2)], STEM
    for blocks, kernel, stride, widening, channels in STAGES:
        for place in range(blocks):
            layers.append(_block(width, channels, kernel, stride=1 if place else stride, widening=widening))
            width = channels
    layers.append(nn.Sequential(*_convolution(width, HEAD, 1)))
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(HEAD, class_count))


def _block(given, made, kernel, *, stride, widening):
    """Widen by 1×1, filter each channel, narrow by 1×1 without a rectifier; added to what came in where that fits."""
    inside = given * widening
    layers = [*_convolution(given, inside, 1)] if widening > 1 else []
    layers += [
        *_convolution(inside, inside, kernel, stride=stride, groups=inside),
        *_convolution(inside, made, 1, rectified=False),
    ]
    return (Residual if stride == 1 and given == made else nn.Sequential)(*layers)


def _convolution(given, made, kernel, *, stride=1, groups=1, rectified=True):
    kind, padding = (Same, 0) if stride > 1 else (nn.Conv2d, kernel // 2)
    yield kind(given, made, kernel, stride=stride, padding=padding, groups=groups)
    if rectified:
        yield nn.ReLU6(inplace=True)


def efficientnet_lite0(class_count, *, seed=0):
    """The network with one linear layer for few classes behind global average pooling.

    Args:
        class_count: K, at least 2.
        seed: of the initialisation.

    Returns:
        :class:`.vgg.Classifier`; its batch normalisations are folded into its convolutions, so that it is meant to be
        fine-tuned from :func:`lite0_imagenet`.

    Raises:
        ValueError: fewer than two classes.
    """
    if class_count < 2:
        raise ValueError(f"need at least 2 classes, got {class_count}")
    with seeded(seed):
        features = network()[:-3]
        head = nn.Linear(HEAD, class_count)
    return vgg.Classifier(features, head, cam_layer=features[-1], mean=MEAN, std=STD)


def lite0_imagenet():
    """ImageNet's weights for the features of :func:`efficientnet_lite0`, by parameter.

    Raises:
        UserError: the package that holds the weights is not installed, or is not what was published.
    """
    return imagenet()[:-3].state_dict()


def imagenet():
    """The network with its ImageNet weights, in evaluation mode.

    Raises:
        UserError: the package that holds the weights is not installed, or is not what was published.
    """
    found = network()
    found.load_state_dict(folded(weights.packaged(weights.LITE0), found))
    return found.eval().to(memory_format=torch.channels_last)


def folded(state, model):
    """The weights as they were published → parameters of :func:`network`.

    w' = w γ / √(v + ε),  b' = β − m γ / √(v + ε), with scale γ, shift β, mean m and variance v of the normalisation
    behind each convolution; convolutions and normalisations stand in the order in which they compute.

    Args:
        state: name → tensor, the keys of the published file.
        model: :func:`network`, whose layers say where each goes.

    Raises:
        ValueError: another number of convolutions or normalisations.
    """
    filters = [name for name, value in state.items() if value.ndim == 4]
    norms = [name.removesuffix("running_var") for name in state if name.endswith("running_var")]
    found = {"weight": state["_fc.weight"], "bias": state["_fc.bias"]}
    found = {f"{len(model) - 1}.{name}": value for name, value in found.items()}
    layers = [name for name, layer in model.named_modules() if isinstance(layer, nn.Conv2d)]
    for layer, weight, norm in zip(layers, filters, norms, strict=True):
        scale, shift, mean, variance = (
            state[norm + name].double() for name in ("weight", "bias", "running_mean", "running_var")
        )
        scale = scale / (variance + EPSILON).sqrt()
        found[f"{layer}.weight"] = (state[weight].double() * scale[:, None, None, None]).to(state[weight])
        found[f"{layer}.bias"] = (shift - mean * scale).to(state[weight])
    return found
