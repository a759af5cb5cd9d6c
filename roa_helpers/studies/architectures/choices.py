"""Choices of the study ``architectures`` by profile, and why each is what it is."""

from dataclasses import dataclass

from ..roi_roa import RoiRoa, borrowed, choices

__all__ = ["BASELINE", "NETWORKS", "PAPERS", "REASONS", "UNITS", "Architecture", "borrowed"]

#: What a reader calls each network.
NETWORKS = {
    "vgg16_bn": "VGG16 with batch norm", "vgg16": "VGG16 as published", "squeezenet1_1": "SqueezeNet 1.1",
    "efficientnet_lite0": "EfficientNet-Lite0",
}  # fmt: skip
#: Those of the paper's architecture.
PAPERS = ("vgg16_bn", "vgg16")

#: The variant that all others are held against: the network of ``roi_roa``.
BASELINE = "baseline"


@dataclass(frozen=True, kw_only=True)
class Architecture(RoiRoa):
    """Choices of the study ``architectures``: those of ``roi_roa``, and which network.

    Attributes:
        variant: what the unit is called by.
        network: one of ``NETWORKS``.
        weights: what the network has learnt before: ``scratch``, ``imagenet``, or all classes of a data set.
        first_train: images a class of that data set (None: all).
        first_epochs: passes over them.
    """

    variant: str = BASELINE
    network: str = "vgg16_bn"
    first_train: int | None = None
    first_epochs: int = 4

    @property
    def pair(self):
        """Name of the pair: what the unit of ``roi_roa`` is called by."""
        return super().name

    @property
    def name(self):
        return f"{self.pair}-{self.variant}"


def _of(pair, **changes):
    """The choices of a :class:`.choices.RoiRoa` with some changed; definitions that are not measured are left out."""
    return Architecture(**vars(pair) | {"delta2_gradient": (), "theta_published": ()} | changes)


def _cats_and_dogs(profile):
    return next(pair for pair in choices.UNITS[profile] if pair.dataset == "cats-vs-dogs")


def _quick(**changes):
    return _of(choices.DIGITS, attacked=8, null_images=10, untrained=1, tune=8, delta1=(0.3,), delta2=(0.5,),
               theta=(0.3, 0.7), test=20, train_scored=20, **changes)  # fmt: skip


def _variants(pair, **measured):
    """The variants of a pair, each in the order in which charts show them."""
    first = {"first_train": 2000, "first_epochs": 3}
    fine = {"weights": "imagenet", "size": 112, "batch": 32, "learning_rate": 0.005}
    scratch = measured | {"weights": "scratch"}
    again = () if pair.weights == "scratch" else (_of(pair, variant="scratch", **scratch),)
    return (
        _of(pair, **measured),
        *again,
        _of(pair, variant="longer", epochs=24, **scratch),
        _of(pair, variant="plain", network="vgg16", epochs=8, batch=128, learning_rate=0.01, **scratch),
        _of(pair, variant="first-cifar10", epochs=6, **measured | {"weights": "cifar10"} | first),
        _of(pair, variant="first-imagenette", epochs=6,
            **measured | {"weights": "imagenette"} | first | {"first_epochs": 6}),
        _of(pair, variant="squeezenet", network="squeezenet1_1", epochs=4, **measured | fine),
        _of(pair, variant="lite0", network="efficientnet_lite0", epochs=4,
            **measured | fine | {"learning_rate": 0.001}),
    )  # fmt: skip


#: Which units a profile has.
UNITS = {
    "quick": (
        _quick(),
        _quick(variant="plain", network="vgg16", learning_rate=0.01),
        _quick(variant="first-digits", weights="digits", first_train=30),
        _quick(variant="squeezenet", network="squeezenet1_1"),
    ),
    "desk": _variants(_cats_and_dogs("desk"), attacked=50, null_images=50, untrained=2),
    "paper": _variants(_cats_and_dogs("paper")),
}  # fmt: skip

#: Why each open choice is what it is; the book prints this beside the values.
REASONS = {
    "network": "the paper names VGG16 and neither its head nor batch normalisation; SqueezeNet and "
    "EfficientNet-Lite0 are others",
    "weights": "whatever else is given: CIFAR-10 and Imagenette stand for ImageNet, with which the paper began",
    "first_train": "images a class of the data set that is learnt first; as much as a desk has time for",
    "first_epochs": "as many as bring about as many steps as the pair itself needs",
    "epochs": "of the baseline as in roi_roa; half as many again to see what time alone brings; few where weights are "
    "there already",
    "size": "48 pixels as in roi_roa; half of what ImageNet’s networks have learnt from, for those",
    "learning_rate": "a quarter for weights that are there already, half for layers without normalisation, a twentieth "
    "for weights that normalisation is folded into: with more, training stays at chance on training images",
}
