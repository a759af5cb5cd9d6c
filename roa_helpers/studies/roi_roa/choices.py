"""Choices of the study ``roi_roa`` by profile, why each is what it is, and what other studies of a pair share."""

from dataclasses import dataclass, replace

from ...data import KNOWN, Dataset, readable
from ...errors import UserError
from ...records import stem
from .published import attacked_accuracy

#: The stronger attack, PGD: steps of each start, starts, and how far the steps reach together, in units of ε.
PGD_STEPS, PGD_STARTS, PGD_REACH = 40, 2, 2.5
#: A radius at which every pixel can be made mid-grey: no image withstands an attack that works (Carlini et al., 2019).
ANYTHING = 0.5


@dataclass(frozen=True, kw_only=True)
class Pair:
    """A pair of classes and the network that tells them apart. Images a class are upper limits (None: all)."""

    dataset: str
    classes: tuple[str, str]
    size: int = 48
    train: int | None = None
    val: int | None = None
    test: int | None = None
    width: float = 1.0
    weights: str = "scratch"
    epochs: int = 2
    batch: int = 64
    learning_rate: float = 0.02
    weight_decay: float = 5e-4
    augment: bool = False
    mixed: bool = False
    eps: tuple[float, ...] = (0.002, 0.004, 0.008, 0.016, 0.031, 0.063, 0.094, 0.125, 0.188, 0.25)
    eps_target: tuple[float, float] = (0.5, 0.5)

    @property
    def name(self):
        """Name of the pair, what its units' folders begin with: ``mnist-0-1``."""
        return stem(self.dataset, *self.classes)


@dataclass(frozen=True, kw_only=True)
class RoiRoa(Pair):
    """Choices of the study ``roi_roa``: the paper's pipeline on one pair of classes."""

    delta1: tuple[float, ...] = (0.3, 0.6)
    delta2: tuple[float, ...] = (0.5, 0.9)
    delta2_gradient: tuple[float, ...] = (0.1, 0.3)
    theta: tuple[float, ...] = (0.15, 0.3, 0.5, 0.7)
    theta_published: tuple[float, ...] = (0.1, 0.14, 0.19)
    value: tuple[float, ...] = (0.0, 1.0)
    clean_loss: float = 0.05
    tune: int = 32
    attacked: int = 100
    null_images: int = 100
    untrained: int = 3
    train_scored: int = 500
    curve: int = 60
    curve_theta: tuple[float, ...] = (0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
    feature_count: int = 24
    feature_images: int = 32
    feature_steps: int = 3
    permutations: int = 99
    examples: int = 6


def _pair(dataset, *classes, **choices):
    """One of the paper's pairs; ε of each direction is matched to the paper's score_adv where it gives one."""
    target = attacked_accuracy(dataset, classes, default=RoiRoa.eps_target)
    return RoiRoa(dataset=dataset, classes=classes, eps_target=target, mixed=True, **choices)


#: The pairs that the paper shows, and one of CIFAR-10, with epochs that full-width training from scratch needs.
PAIRS = (
    _pair("mnist", "0", "1", epochs=4),
    _pair("fashion-mnist", "Trouser", "Pullover", epochs=4, augment=True),
    _pair("cifar10", "airplane", "automobile", epochs=16, augment=True),
    _pair("cats-vs-dogs", "Cat", "Dog", epochs=16, augment=True),
    _pair("malaria", "Parasitized", "Uninfected", epochs=6, augment=True),
)
#: Training images a class in the desk profile (None: all that are left after validation and test).
_DESK_TRAIN = {"mnist": 2500, "fashion-mnist": 3000, "cifar10": None, "cats-vs-dogs": None, "malaria": 2000}

_SMALL = {"width": 0.125, "attacked": 20, "null_images": 30}
DIGITS = RoiRoa(dataset="digits", classes=("0", "1"), epochs=6, batch=32, **_SMALL)
_FACES = RoiRoa(dataset="faces", classes=("face", "non-face"), epochs=15, batch=16, augment=True, **_SMALL)
#: Which units a profile has.
UNITS = {
    "quick": (DIGITS, _FACES),
    "desk": tuple(replace(pair, train=_DESK_TRAIN[pair.dataset], val=100, test=400) for pair in PAIRS),
    "paper": tuple(replace(pair, weights="imagenet", tune=256, curve=1000) for pair in PAIRS),
}
#: Networks of each profile that is not run with one seed.
SEEDS = {"desk": (0, 1, 2)}


def borrowed(units, dataset, classes):
    """The choices of a pair of classes; a pair that ``units`` lacks borrows those of its data set, or of the first.

    Args:
        units: choices, each a :class:`Pair`.
        dataset: a data set's name, or a path to a folder or zip of class folders.
        classes: the pair in either order, by name or by label; None takes every pair of ``units``.

    Returns:
        list, one for each pair and variant.

    Raises:
        UserError: a data set that ``units`` lack without its two classes, or not two different classes.
    """
    same_set = [one for one in units if one.dataset == dataset]
    pair = None if classes is None else _pair_of(dataset, classes)
    found = [one for one in same_set if pair is None or set(one.classes) == set(pair)]
    if found:
        return found
    if pair is None:
        raise UserError(
            f"no pair of classes of '{dataset}' is planned\n  name one: --pair CLASS CLASS"
            f"\n  or choose a data set of the profile: {', '.join(dict.fromkeys(one.dataset for one in units))}"
        )
    lenders = same_set or units
    target = attacked_accuracy(dataset, pair, default=Pair.eps_target)
    return [
        replace(one, dataset=dataset, classes=pair, eps_target=target)
        for one in lenders
        if (one.dataset, one.classes) == (lenders[0].dataset, lenders[0].classes)
    ]


def _pair_of(dataset, classes):
    """Two classes by the names, and in the order, that a known data set gives them; labels and folders name them too.

    Raises:
        UserError: not two different classes.
    """
    known = KNOWN.get(dataset, Dataset(dataset))
    numbers = {str(k): name for k, name in enumerate(known.classes)}
    names = numbers | dict(zip(known.folders, known.classes, strict=False)) | {name: name for name in known.classes}
    pair = [names.get(one, one) for one in map(readable, classes)]
    if len(set(pair)) != 2:
        raise UserError(f"a pair is two different classes, not {' and '.join(repr(readable(one)) for one in classes)}")
    order = {name: k for k, name in enumerate(known.classes)}
    return tuple(sorted(pair, key=lambda name: (order.get(name, -1), name)))


#: Why each open choice is what it is; the book prints this beside the values.
REASONS = {
    "eps": "not stated; for each direction the grid value at which FGSM’s accuracy on validation images is nearest to "
    "the one aimed at",
    "eps_target": "the paper’s score_adv of each direction; one half where it gives none",
    "delta1": "“a tuned parameter”; grid searched on validation images",
    "delta2": "“a tuned parameter”; lies between the levels that three channels moved by 0 or ε can give",
    "delta2_gradient": "the same for the second definition of the RoA, whose maps are graded",
    "theta": "“a threshold”; the supplement uses .10 to .19, the grid goes on to larger, more selective values",
    "theta_published": "by the authors’ pictures the blob’s threshold lies at .10 to .12 in most pairs; the supplement "
    "names .10 to .19",
    "value": "“set to 0 or 1”",
    "clean_loss": "how much clean accuracy a setting may cost and still be chosen",
    "tune": "validation images a class that the grid search uses; a compromise with the time it takes",
    "seed": "of the initialisation and of the order of the images; what chance moves, the others are held against",
    "train": "images a class: what the data set has, less validation and test; capped where a profile’s time is short",
    "size": "the authors’ inputs are 48×48 pixels",
    "width": "channels of VGG16 are multiplied by it; below 1 only where the data are tiny",
    "weights": "ImageNet weights where they can be loaded, otherwise training from scratch",
    "learning_rate": "not stated",
    "epochs": "not stated; until validation accuracy levels off",
    "batch": "not stated",
    "weight_decay": "not stated; the value that VGG16 was published with",
    "augment": "flips and small shifts, for all but handwritten digits",
    "mixed": "convolutions in bfloat16 while training, where the processor is faster in it",
}
#: The open choices as a reader would write them; in this order they are shown.
LABELS = {
    "eps": "ε", "eps_target": "score_adv that ε aims at", "delta1": "δ₁", "delta2": "δ₂",
    "delta2_gradient": "δ₂ of the gradient", "theta": "θ",
    "theta_published": "θ of the pictures’ procedure", "value": "value of neutralised pixels",
    "clean_loss": "accuracy that may be lost", "tune": "images that tune", "seed": "seed", "train": "training images",
    "size": "side of the images", "width": "width of the network", "weights": "initial weights",
    "learning_rate": "learning rate", "epochs": "epochs", "batch": "batch", "weight_decay": "weight decay",
    "augment": "augmentation", "mixed": "mixed precision",
}  # fmt: skip
