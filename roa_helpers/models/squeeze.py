"""SqueezeNet 1.1, a network for photos that is small enough to carry ImageNet's weights along."""

from torch import nn

from ..compat import torchvision
from ..data import shown
from ..errors import UserError
from . import vgg, weights
from .building import MEAN, STD, seeded

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
        root: folder of the data sets (None: ``$ROA_DATA`` or ``~/.cache/roa``), see :func:`.weights.found`.

    Raises:
        UserError: the weights can neither be found nor fetched, or the file does not hold them.
    """
    found = weights.found("squeezenet1_1", root=root)
    if found is None:
        raise UserError(
            "ImageNet weights of SqueezeNet 1.1 not found\n"
            f"  looked in  {shown(weights.place('squeezenet1_1', root))}, and torchvision’s cannot be fetched\n"
            "  mend it:   run where torchvision can download them,\n"
            "         or  put the state of torchvision.models.squeezenet1_1 there"
        )
    prefix = "features."
    return {name[len(prefix) :]: value for name, value in found.state.items() if name.startswith(prefix)}
