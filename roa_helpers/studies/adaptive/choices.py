"""Choices of the study ``adaptive`` by profile, and why each is what it is."""

from dataclasses import dataclass

from ..roi_roa import RoiRoa, borrowed, choices

__all__ = ["REASONS", "UNITS", "Adaptive", "borrowed"]


@dataclass(frozen=True, kw_only=True)
class Adaptive(RoiRoa):
    """Choices of the study ``adaptive``: those of ``roi_roa``, so that both share their networks.

    Attributes:
        images: test images a class that are attacked.
        apgd_steps: steps of APGD.
        queries: of Square, for each image.
    """

    images: int = 100
    apgd_steps: int = 50
    queries: int = 1000


def _of(pair, **changes):
    """The choices of a :class:`.choices.RoiRoa` with some changed; definitions that are not attacked are left out."""
    return Adaptive(**vars(pair) | {"delta2_gradient": (), "theta_published": ()} | changes)


#: Which units a profile has.
UNITS = {
    "quick": (_of(choices.DIGITS, images=10, apgd_steps=5, queries=50, tune=8, delta1=(0.3,), theta=(0.3, 0.7)),),
    "desk": tuple(map(_of, choices.UNITS["desk"])),
    "paper": tuple(_of(pair, images=500) for pair in choices.UNITS["paper"]),
}

#: Why each open choice is what it is; the book prints this beside the values.
REASONS = {
    "images": "as many as PGD is run on elsewhere; an interval of about ±10 points a network and direction",
    "apgd_steps": "half of what its authors take; it finds its step lengths by itself",
    "queries": "a fifth of what its authors take: a test whether gradients mislead, not the strongest attack",
}
