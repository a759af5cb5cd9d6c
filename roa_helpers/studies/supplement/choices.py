"""Choices of the study ``supplement`` by profile, and why each is what it is."""

import random
from dataclasses import dataclass, replace
from itertools import combinations

from ...data import KNOWN
from ..roi_roa import Pair, attacked_accuracy, borrowed, choices

__all__ = ["REASONS", "SEEDS", "UNITS", "Supplement", "borrowed"]


@dataclass(frozen=True, kw_only=True)
class Supplement(Pair):
    """Choices of the study ``supplement``: one unordered pair of classes, scores over θ, thresholds not tuned.

    Attributes:
        most_seeds: how many of the profile's seeds are run (None: all).
    """

    delta1: float = 0.3
    delta2: float = 0.5
    theta: tuple[float, ...] = (0.10, 0.11, 0.12, 0.13, 0.14, 0.15, 0.16, 0.17, 0.18, 0.19)
    theta_published: tuple[float, ...] = (0.10, 0.13, 0.16, 0.19)
    value: tuple[float, ...] = (0.0, 1.0)
    most_seeds: int | None = None


def _pairs(dataset, *, first=None, **choices):
    """Every unordered pair of the ``first`` classes of a data set (None: of all)."""
    pairs = combinations(KNOWN[dataset].classes[:first], 2)
    return tuple(
        Supplement(
            dataset=dataset, classes=pair, **choices,
            eps_target=attacked_accuracy(dataset, pair, default=Supplement.eps_target),
        )
        for pair in pairs
    )  # fmt: skip


def _repeated(pairs, *, count=5, seed=0):
    """``pairs``, all but ``count`` of them, drawn by ``seed``, with the profile's first seed alone."""
    drawn = random.Random(seed).sample(pairs, count)
    return tuple(pair if pair in drawn else replace(pair, most_seeds=1) for pair in pairs)


#: The data sets of the supplement, with epochs for all training images.
_PAPER = {"mnist": {"epochs": 3}, "fashion-mnist": {"epochs": 4, "augment": True},
               "cifar10": {"epochs": 16, "augment": True}}  # fmt: skip
_DESK = {"mnist": {"train": 400, "epochs": 3}, "fashion-mnist": {"train": 400, "epochs": 3},
                    "cifar10": {"train": 700, "epochs": 7, "augment": True}}  # fmt: skip
#: Which units a profile has.
UNITS = {
    "quick": _pairs("digits", first=4, width=0.125, epochs=8, batch=32, val=20, test=30),
    "desk": tuple(
        pair
        for dataset, own in _DESK.items()
        for pair in _repeated(_pairs(dataset, mixed=True, batch=32, val=30, test=50, **own))
    ),
    "paper": tuple(
        pair for dataset, own in _PAPER.items() for pair in _pairs(dataset, mixed=True, weights="imagenet", **own)
    ),
}
#: Networks of each profile that is not run with one seed, for the pairs that are repeated.
SEEDS = {"desk": (0, 1, 2)}

#: Why each open choice is what it is; the book prints this beside the values.
REASONS = {
    "eps": choices.REASONS["eps"],
    "eps_target": "the paper’s score_adv of the pair, else its mean over the data set; CIFAR-10 has none: one half, "
    "which is also about the class probability under attack in the authors’ files",
    "delta1": "of the two values that tuning tries, the one that leaves the larger RoI, hence the smaller blob",
    "delta2": "below the smallest magnitude that one moved channel of three gives: every pixel that was altered counts",
    "theta": "the ten values of the authors’ files",
    "theta_published": "four of them, for the procedure of the authors’ pictures",
    "value": "“set to 0 or 1”; the files do not say which, so both",
}
