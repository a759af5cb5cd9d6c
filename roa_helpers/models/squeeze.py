"""SqueezeNet 1.1, a network for photos that is small enough to carry ImageNet's weights along."""

from torch import nn

from ..compat import torchvision
from . import vgg, weights
from .building import MEAN, STD, seeded

#: The file of its ImageNet weights below the data folder: the state of torchvision's network, as safetensors.
FILE = "weights/squeezenet1_1-imagenet.safetensors"
#: Channels of its features.
CHANNELS = 512


def squeezenet(class_count, *, seed=0):
    """SqueezeNet 1.1 with one linear layer behind global average pooling.

    Iandola et al. (2016), as torchvision builds it. Its own head is a 1×1 convolution with a ReLU, whose logits are
    never negative; that is for a thousand classes. For few, the same convolution without the ReLU stands behind the
    mean over positions, with which it commutes, so that Grad-CAM and gradients never meet a logit that is cut off.

    Args:
        class_count: K, at least 2.
        seed: of the initialisation.

    Returns:
        :class:`.vgg.Classifier` for images of at least 32×32 pixels.

    Raises:
        ValueError: fewer than two classes.
    """
    if class_count < 2:
        raise ValueError(f"need at least 2 classes, got {class_count}")
    with seeded(seed):
        features = torchvision.models.squeezenet1_1().features
        head = nn.Linear(CHANNELS, class_count)
    return vgg.Classifier(features, head, cam_layer=features[-1], mean=MEAN, std=STD)


def squeezenet_imagenet(root=None):
    """ImageNet's weights for the features of :func:`squeezenet`, by parameter.

    Args:
        root: folder of the data sets (None: ``$ROA_DATA`` or ``~/.cache/roa``); ``FILE`` lies below it, else the
            weights are torchvision's.

    Raises:
        UserError: neither the file nor torchvision's weights can be had, or the file cannot be read.
    """
    state = weights.below(root, FILE, "squeezenet1_1", title="SqueezeNet 1.1")
    prefix = "features."
    return {name[len(prefix) :]: value for name, value in state.items() if name.startswith(prefix)}
