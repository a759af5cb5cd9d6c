"""Choices of the study ``blurring``, the pixel-importance thesis, by profile; and why each is what it is."""

from dataclasses import dataclass, replace

from ...records import stem
from .published import AIMS, CLASSES, KEEP, SIGMA, TRAIN

#: Where a network's weights come from: not trained before, trained on the data set's other classes, or on ImageNet.
SCRATCH, PRETRAINED, IMAGENET = "scratch", "pretrained", "imagenet"


@dataclass(frozen=True, kw_only=True)
class Blurring:
    """One data set, one kind of initialisation. Images a class are upper limits (None: all).

    Attributes:
        classes: the first so many classes of the data set are told apart (None: all of them).
        most_seeds: how many of the profile's seeds are run (None: all).
        blocks, width: of :func:`roa_helpers.models.resnet.resnet`.
        pretrain: images a class of the other classes, for ``pretrained``.
        aims: accuracy of the model A on attacked originals that the attacks' strengths are matched to, by attack.
        knowing: test images a class that the attacker who knows the defence is tried on.
    """

    dataset: str
    classes: int | None = CLASSES
    weights: str = SCRATCH
    most_seeds: int | None = None
    size: int = 32
    train: int | None = TRAIN
    val: int | None = 80
    test: int | None = 100
    blocks: tuple[int, int, int, int] = (3, 4, 6, 3)
    width: float = 1.0
    epochs: int = 12
    batch: int = 64
    learning_rate: float = 0.05
    pretrain: int | None = 1000
    pretrain_epochs: int = 8
    pretrain_batch: int = 64
    pretrain_rate: float = 0.05
    weight_decay: float = 5e-4
    augment: bool = True
    mixed: bool = True
    sigma: float = SIGMA
    keep: float = KEEP
    lrp_epsilon: float = 1e-6
    pgd_radius: float = 0.5
    pgd_steps: int = 3
    aims: tuple[tuple[str, float], ...] = AIMS
    fgsm_range: tuple[float, float] = (2**-12, 0.25)
    newtonfool_range: tuple[float, float] = (1e-4, 1.0)
    newtonfool_steps: int = 5
    trials: int = 8
    knowing: int | None = 50
    knowing_steps: int = 5
    knowing_aim: float = 0.5

    @property
    def name(self):
        """Name of the choices: ``cifar10-3-pretrained``, with ``-full-width`` where no channel is left out."""
        width = ("full-width",) if self.width == 1 else ()
        return stem(self.dataset, str(self.classes or "all"), self.weights, *width)


_NARROW = Blurring(
    dataset="digits", blocks=(1, 1, 1, 1), width=0.25, train=80, val=20, test=25, epochs=8, pretrain=60,
    pretrain_epochs=6, augment=False, knowing=10, knowing_steps=3, trials=6, batch=32, learning_rate=0.02,
    pretrain_batch=32,
)  # fmt: skip
_CIFAR = Blurring(dataset="cifar10")
_FINE = {"weights": PRETRAINED, "epochs": 6, "learning_rate": 0.02}

_QUICK = (_NARROW, replace(_NARROW, weights=PRETRAINED))
_QUARTER = replace(_CIFAR, width=0.25, knowing=30)
_DESK = (
    replace(_QUARTER, **_FINE),
    _QUARTER,
    replace(_QUARTER, width=1.0, most_seeds=1),
    replace(_QUARTER, classes=None, train=100, val=10, test=20, epochs=10, knowing=9, most_seeds=1),
)
_FULL = replace(_CIFAR, pretrain=None, pretrain_epochs=30, val=200, knowing=None, epochs=40)
_PAPER = (
    replace(_FULL, weights=IMAGENET, epochs=10, learning_rate=0.01),
    replace(_FULL, weights=PRETRAINED, epochs=10, learning_rate=0.01),
    _FULL,
    replace(_FULL, classes=None, train=None, test=None),
)

#: Which units a profile has.
UNITS = {"quick": _QUICK, "desk": _DESK, "paper": _PAPER}
#: Networks of each profile that is not run with one seed.
SEEDS = {"desk": (0, 1, 2)}

#: Why each open choice is what it is; the book prints this beside the values.
REASONS = {
    "blocks": "bottlenecks in each of the four stages; (3, 4, 6, 3) is ResNet-50, fewer where a minute must do",
    "width": "channels are multiplied by it; below 1 where time is short",
    "size": "the smallest side that Keras’s ResNet-50 takes, and CIFAR-10’s own; the stem is the published one",
    "weights": "“the provided Keras ResNet50”: whether its ImageNet weights were used is not stated",
    "train": "images a class, the thesis’s; in the larger version all there are, less where time is short",
    "test": "images a class, the thesis’s; in the larger version all there are, less where time is short",
    "val": "images a class, from the training part; not in the thesis, which does not say how it chose",
    "epochs": "not stated",
    "batch": "not stated",
    "learning_rate": "not stated; smaller where the weights have been trained before",
    "pretrain": "images a class of the other classes, which stand in for ImageNet; no class is shared",
    "augment": "not stated; flips and small shifts, for photographs only",
    "mixed": "convolutions in bfloat16 while training, where the processor is faster in it; measured in float32",
    "sigma": "the thesis’s",
    "keep": "the thesis’s",
    "lrp_epsilon": "not stated; the default of zennit, close to that of other libraries",
    "pgd_radius": "not stated; ℓ₂ length of the perturbation whose size is the heatmap, in units of the pixel range",
    "pgd_steps": "not stated",
    "aims": "strengths are not stated; matched, on validation images, to the thesis’s accuracy of model A on attacked "
    "originals, or to the share of clean accuracy that this leaves where it would be hardly an attack on ours",
    "newtonfool_steps": "not stated; most images flip earlier, and then stop",
    "trials": "strengths tried by bisection of their logarithm",
    "knowing": "test images a class for the attacker who knows the defence",
    "knowing_aim": "share of A’s clean accuracy on validation images that FGSM leaves at the ε of these attackers; at "
    "the ε matched to the thesis’s accuracy hardly anything falls, whoever attacks",
    "knowing_steps": "steps of the attacker who computes the mask anew; the other attackers of that table have as many",
}
