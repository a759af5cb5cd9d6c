"""The statements of “Recovering Localized Adversarial Attacks” as claims, and what it leaves open. Needs no torch."""

from dataclasses import replace

from ...data import title_of
from ...page import claims
from ...records import store
from .choices import REGIONS
from .recovery import AVERAGED, PAPER, TITLES
from .results import shape_of

_RULE = "reproduced where {} lies above 0, contradicted where it lies below (bootstrap over photos; one has none)"
_RANKS = _RULE.format("the mean rank, by the Jaccard index, of the worse minus that of the better explainer")
_ABOVE = _RULE.format("its mean Jaccard index minus that of a random explanation of the same size")


def where(unit):
    """What a table of verdicts calls a unit: data set and shape of the regions."""
    return f"{title_of(unit.result['dataset'])}, {REGIONS[shape_of(unit)]}"


def networks(unit):
    """The network that a unit attacks: ImageNet’s weights are one network, whatever the seed."""
    return frozenset({unit.result["network"]["name"]})


def _case(found):
    return {"": (found["mean"], store.numbers([found["low"], found["high"]]), found["n"])}


def _above_chance(name):
    return claims.Claim(
        f"above-chance-{name}", f"R1: {TITLES[name]} finds the attacked region better than chance", _ABOVE,
        lambda unit: _case(unit.result["above_random"]["jaccard"][name]), statement="R1",
    )  # fmt: skip


def _better(worse, better, statement=""):
    text = f"{TITLES[better]} ranks better than {TITLES[worse]}"
    return claims.Claim(
        f"{better}-over-{worse}", f"{statement}: {text}" if statement else text, _RANKS,
        lambda unit: _case(unit.result["differences"]["jaccard"][f"{worse} − {better}"]), statement=statement,
    )  # fmt: skip


def _of_segments(claim):
    """A claim of units whose regions are segments, as the paper's: it claims nothing of other shapes."""
    return replace(claim, estimate=lambda unit: claim.estimate(unit) if shape_of(unit) == "segments" else {})


CLAIMS = tuple(map(_of_segments, (
    *(_above_chance(name) for name in PAPER),
    _better("saliency", "guided_backprop", "R2"),
    _better("saliency", "lime", "R2"),
    _better("guided_backprop", "lime", "Table 1"),
)))  # fmt: skip
#: What the paper leaves open: whether LIME owes its lead to its superpixels, and whether it beats Grad-CAM.
QUESTIONS = tuple(_better(name, "lime") for name in (*AVERAGED, "grad_cam"))
