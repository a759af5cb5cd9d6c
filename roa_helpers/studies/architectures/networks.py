"""The networks of this study by name, and the weights that they begin with. All have ``features`` and a ``head``."""

from ... import models
from .choices import NETWORKS


def build(name, class_count, *, width, seed):
    """A network of ``NETWORKS``, untrained.

    Args:
        class_count: K.
        width: factor on the channels, of VGG16 alone; the others have one width.
        seed: of the initialisation.

    Returns:
        :class:`roa_helpers.models.vgg.Classifier`.

    Raises:
        ValueError: no such network.
    """
    if name == "vgg16_bn":
        return models.vgg16(class_count, width=width, seed=seed)
    if name == "vgg16":
        return models.plain_vgg16(class_count, width=width, seed=seed)
    if name == "squeezenet1_1":
        return models.squeezenet(class_count, seed=seed)
    if name == "efficientnet_lite0":
        return models.efficientnet_lite0(class_count, seed=seed)
    raise ValueError(f"networks are {', '.join(NETWORKS)}, not {name!r}")


def imagenet(name, *, root=None):
    """ImageNet's weights for the features of a network, by parameter.

    Args:
        root: folder of the data sets.

    Raises:
        ValueError: a network that this study doesn't fine-tune.
        UserError: they cannot be had.
    """
    if name == "squeezenet1_1":
        return models.squeezenet_imagenet(root)
    if name == "efficientnet_lite0":
        return models.lite0_imagenet()
    raise ValueError(f"no ImageNet weights are known for {name!r}")
