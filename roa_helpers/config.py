"""Profiles, and every choice that the papers leave open.

A profile is a list of units to compute and the choices they are computed with. Everything here is frozen and
typed; a change of any value changes the fingerprint of the results that depend on it.
"""

import hashlib
import re
from dataclasses import dataclass, replace
from pathlib import Path

from .errors import UserError
from .papers import attacked_accuracy


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
    eps_target: float = 0.5

    @property
    def name(self):
        """Name of the pair, the stem of its units' folders: ``mnist-0-1``; a path gives its last part and a digest."""
        place = Path(self.dataset)
        digest = hashlib.sha256(self.dataset.encode()).hexdigest()[:6]
        dataset = self.dataset if place.name == self.dataset else f"own-{place.name}-{digest}"
        return re.sub(r"[^\w.-]+", "_", "-".join((dataset, *self.classes)))


@dataclass(frozen=True, kw_only=True)
class RoiRoa(Pair):
    """Choices of the study ``roi_roa``: the paper's pipeline on one pair of classes."""

    delta1: tuple[float, ...] = (0.3, 0.6)
    delta2: tuple[float, ...] = (0.5, 0.9)
    delta2_gradient: tuple[float, ...] = (0.1, 0.3)
    theta: tuple[float, ...] = (0.15, 0.3, 0.5, 0.7)
    value: tuple[float, ...] = (0.0, 1.0)
    clean_loss: float = 0.05
    tune: int = 32
    curve: int = 60
    curve_theta: tuple[float, ...] = (0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
    feature_count: int = 24
    feature_images: int = 32
    feature_steps: int = 3
    permutations: int = 99
    examples: int = 6


@dataclass(frozen=True, kw_only=True)
class Supplement(Pair):
    """Choices of the study ``supplement``: one unordered pair of classes, scores over θ, thresholds not tuned."""

    delta1: float = 0.3
    delta2: float = 0.5
    theta: tuple[float, ...] = (0.10, 0.11, 0.12, 0.13, 0.14, 0.15, 0.16, 0.17, 0.18, 0.19)
    value: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Sensitivity(RoiRoa):
    """Choices of the study ``sensitivity``: the pipeline with one choice of the training changed.

    Attributes:
        varied: the name of the choice that differs from the base (empty: none does).
        seed_offset: added to the unit's seed.
    """

    varied: str = ""
    seed_offset: int = 0

    @property
    def name(self):
        changed = f"-{self.varied}-{getattr(self, self.varied):g}" if self.varied else ""
        return super().name + changed


#: Why each open choice is what it is; the book prints this beside the values.
REASONS = {
    "size": "the authors' inputs are 48×48 pixels",
    "width": "channels of VGG16 are multiplied by it; below 1 only where the data are tiny",
    "weights": "ImageNet weights where they can be loaded, otherwise training from scratch",
    "eps": "not stated; the grid value at which FGSM's accuracy on validation images is nearest to eps_target",
    "eps_target": "the paper's score_adv, averaged over both directions; one half where it gives none",
    "delta1": "“a tuned parameter”; grid searched on validation images",
    "delta2": "“a tuned parameter”; lies between the four levels that three channels moved by 0 or ε can give",
    "delta2_gradient": "the same for the second definition of the RoA, whose maps are graded",
    "theta": "“a threshold”; the supplement uses .10 to .19, the grid goes on to larger, more selective values",
    "value": "“set to 0 or 1”",
    "clean_loss": "how much clean accuracy a setting may cost and still be chosen",
    "learning_rate": "not stated",
    "mixed": "convolutions in bfloat16 while training, where the processor has it; twice as fast",
    "epochs": "not stated; until validation accuracy levels off",
    "tune": "validation images a class that the grid search uses",
}


@dataclass(frozen=True, kw_only=True)
class Profile:
    """What is computed under one name. ``threads`` is fixed so that equal seeds give equal bytes."""

    name: str
    roi_roa: tuple[RoiRoa, ...]
    supplement: tuple[Supplement, ...] = ()
    sensitivity: tuple[Sensitivity, ...] = ()
    seeds: tuple[int, ...] = (0,)
    threads: int = 1


STUDIES = ("roi_roa",)


def _pair(dataset, *classes, **choices):
    """One of the paper's pairs; ε is matched to the paper's score_adv where it gives one."""
    target = attacked_accuracy(dataset, default=RoiRoa.eps_target)
    return RoiRoa(dataset=dataset, classes=classes, eps_target=target, mixed=True, **choices)


#: The pairs that the paper shows, and one of CIFAR-10, with epochs that full-width training from scratch needs.
_PAIRS = (
    _pair("mnist", "0", "1", epochs=3),
    _pair("fashion-mnist", "Trouser", "Pullover", epochs=4, augment=True),
    _pair("cifar10", "airplane", "automobile", epochs=16, augment=True),
    _pair("cats-vs-dogs", "Cat", "Dog", epochs=16, augment=True),
    _pair("malaria", "Parasitized", "Uninfected", epochs=6, augment=True),
)
#: Training images a class in the desk profile (None: all that are left after validation and test).
_DESK_TRAIN = {"mnist": 1000, "fashion-mnist": 3000, "cifar10": None, "cats-vs-dogs": None, "malaria": 2000}

PROFILES = {
    p.name: p
    for p in (
        Profile(
            name="quick",
            roi_roa=(
                RoiRoa(dataset="digits", classes=("0", "1"), width=0.125, epochs=6, batch=32),
                RoiRoa(dataset="faces", classes=("face", "non-face"), width=0.125, epochs=15, batch=16, augment=True),
            ),
        ),
        Profile(
            name="desk",
            roi_roa=tuple(replace(pair, train=_DESK_TRAIN[pair.dataset], val=100, test=400) for pair in _PAIRS),
        ),
        Profile(
            name="paper",
            roi_roa=tuple(replace(pair, weights="imagenet", tune=256, curve=1000) for pair in _PAIRS),
            seeds=(0, 1, 2),
            threads=8,
        ),
    )
}


def profile(name):
    """The profile called ``name``.

    Raises:
        UserError: no such profile; the message lists those there are.
    """
    if name not in PROFILES:
        raise UserError(f"unknown profile '{name}'\n  choose one of: {', '.join(PROFILES)}")
    return PROFILES[name]


@dataclass(frozen=True)
class Planned:
    """A unit that a profile plans: one study, one set of choices, one seed."""

    study: str
    choices: Pair
    seed: int

    @property
    def name(self):
        """Name of the unit's folder: ``mnist-0-1-seed0``."""
        return f"{self.choices.name}-seed{self.seed}"


def planned(profile_name, study, *, seed=None):
    """The units of ``study`` that a profile plans; ``seed`` replaces the profile's own seeds.

    Raises:
        UserError: unknown profile or study.
    """
    if study not in STUDIES:
        raise UserError(f"unknown study '{study}'\n  choose one of: {', '.join(STUDIES)}")
    plan = profile(profile_name)
    seeds = plan.seeds if seed is None else (seed,)
    return [Planned(study, choices, s) for choices in getattr(plan, study) for s in seeds]


def choices(profile_name, dataset, *, classes=None):
    """Choices for ``dataset`` in a profile; another pair of classes or another data set borrows them.

    Args:
        profile_name: name of a profile.
        dataset: a data set's name, or a path to a folder or zip of class folders.
        classes: the pair; None takes the pair that the profile names.

    Raises:
        UserError: unknown profile, or a data set outside the profile without its two classes.
    """
    planned = {c.dataset: c for c in profile(profile_name).roi_roa}
    base = planned.get(dataset)
    if classes is not None and len(set(classes)) != 2:
        raise UserError(f"a pair is two different classes, not {' and '.join(map(repr, classes))}")
    if base is None:
        if classes is None:
            raise UserError(
                f"profile '{profile_name}' names no pair of classes of '{dataset}'"
                f"\n  name one: --pair CLASS CLASS\n  or choose a data set of the profile: {', '.join(planned)}"
            )
        target = attacked_accuracy(dataset, default=RoiRoa.eps_target)
        return replace(next(iter(planned.values())), dataset=dataset, classes=tuple(classes), eps_target=target)
    return base if classes is None else replace(base, classes=tuple(classes))
