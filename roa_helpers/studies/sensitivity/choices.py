"""Choices of the study ``sensitivity`` by profile: the pipeline with one choice of the training changed at a time."""

from dataclasses import dataclass, replace

from ..roi_roa import RoiRoa, borrowed, choices

__all__ = ["UNITS", "Sensitivity", "borrowed", "variants"]


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
        if not self.varied:
            return super().name
        value = getattr(self, self.varied)
        return f"{super().name}-{self.varied}-{value if isinstance(value, str) else f'{value:g}'}"


def variants(base):
    """The study ``sensitivity`` of a pair: ``base`` itself, two more seeds, and one choice changed at a time.

    Learning rate, epochs and batch are halved and doubled, the width is halved, the side of the images is set to 32
    and 64; mixed precision and augmentation are switched off and ImageNet weights left out where ``base`` has them.

    Args:
        base: :class:`.choices.RoiRoa`; its grids for other definitions of the RoA are left out.

    Returns:
        tuple of :class:`Sensitivity`.
    """
    changes = [("seed_offset", 1), ("seed_offset", 2), ("size", 32), ("size", 64), ("width", base.width / 2)]
    changes += [("learning_rate", base.learning_rate * factor) for factor in (0.5, 2)]
    for name in ("epochs", "batch"):
        changes += [(name, (getattr(base, name) + 1) // 2), (name, 2 * getattr(base, name))]
    changes += [(name, False) for name in ("mixed", "augment") if getattr(base, name)]
    changes += [("weights", "scratch")] if base.weights != "scratch" else []
    first = Sensitivity(**vars(replace(base, delta2_gradient=(), theta_published=())))
    return first, *(replace(first, varied=name, **{name: value}) for name, value in changes)


#: Where a dozen networks are trained in turn: few validation images, and a grid that spans what it did, coarsely.
_FEW = {"tune": 16, "delta1": (0.3,), "theta": (0.3, 0.7)}
_FASHION = choices.PAIRS[1]
#: Which units a profile has.
UNITS = {
    "quick": variants(replace(choices.DIGITS, **_FEW)),
    "desk": variants(replace(_FASHION, train=300, val=32, test=100, batch=32, **_FEW)),
    "paper": tuple(variant for pair in choices.UNITS["paper"] for variant in variants(pair)),
}
