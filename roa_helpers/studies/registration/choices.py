"""Choices of the study ``registration`` by profile, and why each is what it is."""

from dataclasses import dataclass, replace

from ..roi_roa import Pair, borrowed, choices

__all__ = ["REASONS", "SEEDS", "UNITS", "Registration", "borrowed"]


@dataclass(frozen=True, kw_only=True)
class Registration(Pair):
    """Choices of the study ``registration``: a pair of classes whose images are moved at random.

    Attributes:
        shift: every image is moved by up to as many pixels in either direction, before anything is learnt.
        delta1, delta2: thresholds of RoI and RoA, not tuned.
        draws: how often the regions are rolled to random places, to know what alignment chance gives.
    """

    shift: int = 0
    delta1: float = 0.3
    delta2: float = 0.5
    draws: int = 20

    @property
    def name(self):
        return f"{super().name}-shift-{self.shift}"


def _moved(base, shifts=(0, 4, 8)):
    return tuple(replace(base, shift=shift) for shift in shifts)


def _of(pair, **changes):
    """The choices of a :class:`.choices.Pair` with some changed."""
    shared = {name: getattr(pair, name) for name in Pair.__dataclass_fields__}
    return Registration(**shared | changes)


#: Which units a profile has.
UNITS = {
    "quick": _moved(_of(choices.DIGITS, train=60, val=20, test=40, epochs=4)),
    "desk": _moved(_of(choices.PAIRS[0], train=500, val=50, test=150, epochs=3, batch=32)),
    "paper": _moved(_of(choices.PAIRS[0], weights="imagenet")),
}
#: Networks of each profile that is not run with one seed.
SEEDS = {"desk": (0, 1, 2)}

#: Why each open choice is what it is; the book prints this beside the values.
REASONS = {
    "shift": "none; half and all of the margin around a digit of MNIST, of 48 pixels",
    "train": "images a class; that many suffice for digits, and they are learnt once for each shift and seed",
    "eps_target": choices.REASONS["eps_target"],
    "delta1": "of the two values that tuning tries elsewhere, the one that leaves the larger RoI",
    "delta2": "below the smallest magnitude that one moved channel of three gives: every pixel that was altered counts",
    "draws": "the mean of so many is known to about a hundredth",
}
