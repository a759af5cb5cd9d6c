"""The paper's claims, as data: what is estimated for each, and the rule that judges it. Needs no torch."""

from functools import partial

import numpy as np
import pandas as pd

from ... import data, evidence, metrics
from ...data import title_of
from ...page import claims
from ...records import store
from .published import printed
from .results import by_direction, defined

#: The case of both directions of a pair of classes together.
BOTH = "both classes"
#: An attack is one where the interval of the accuracy that it takes, mean over both classes, reaches this far
#: (2026-11-26: what takes less leaves nothing that a defence could give back).
ATTACK = 0.10
#: How far score_adv may lie from what ε aims at (2026-11-26: beyond that it is not the attack that the paper scored).
AIM = 0.10
#: By how much a map must exceed the strongest null to be worth the name (2026-11-26, before such nulls were recorded;
#: of quantities that reach from 0 to 1: a null that leaves no more than that to 1 is no test).
EXCESS = 0.05
#: Accuracy that neutralisation may cost and still be said to keep it.
KEPT = -0.05
#: The maps that claims about regions are of, and the null that every one of them needs; names as in ``nulls``.
TRAINED, UNTRAINED = "trained", "untrained"
NO_NULL = "no null of an untrained network is recorded"


def where(unit):
    """What a table of verdicts calls a unit: its data set. Cases are its directions, or both together."""
    return title_of(unit.result["dataset"])


def _blocks(unit, definition):
    """(direction's name, its block, the table of its images) for all directions of a unit."""
    images = unit.table("images")
    for name, block in unit.result["directions"].items():
        own = images[(images.direction == name) & (images.definition == definition)]
        yield name, defined(block, definition), own


def _untrained(unit):
    return claims.untrained(unit.result["model"]["test"], len(unit.result["classes"]))


# Regions, against nulls


def against_null(unit, direction, definition, region, statistic):
    """A statistic of the regions of a class by M, and the largest that any null has, as of :mod:`.nulls`.

    Returns:
        (observed, strongest), each (value, (low, high), n); None where no null of an untrained network is recorded.
    """
    if "nulls.csv" not in unit.files:
        return None
    table = unit.table("nulls")
    rows = table[(table.direction == direction) & (table.definition == definition)
                 & (table.region == region) & (table.statistic == statistic)]  # fmt: skip
    if UNTRAINED not in set(rows.maps):
        return None
    own, others = rows[rows.maps == TRAINED], rows[rows.maps != TRAINED].sort_values("value", na_position="first")
    return tuple((r.value, (r.low, r.high), int(r.n)) for r in (own.iloc[0], others.iloc[-1]))


def _beyond_null(region, statistic):
    """A claim's estimate: what is observed − the strongest null, mean over both directions, and of each."""

    def estimates(unit, definition):
        found, nulls, why = {}, [], _untrained(unit)
        for name in unit.result["directions"]:
            both = against_null(unit, name, definition, region, statistic)
            if both is None:
                found[name] = claims.Estimate(np.nan, claims.UNKNOWN, 0, why=NO_NULL)
            else:
                (*observed, n), (*null, _) = both
                nulls.append(null[0])
                found[name] = claims.Estimate(*evidence.combined([(1, *observed), (-1, *null)]), n, why=why)
        parts = found.values()
        whole = evidence.balanced([(one.value, one.interval) for one in parts])
        why = next((one.why for one in parts if one.why), "") or _crowded(nulls)
        return {BOTH: claims.Estimate(*whole, sum(one.n for one in parts), why=why)} | found

    return estimates


def _crowded(nulls):
    """Why the strongest nulls, one a class, leave nothing to exceed them by; empty where they do."""
    strongest = float(np.mean(nulls))
    return f"no room beyond the nulls: the strongest has {strongest:.3f} of 1" if strongest >= 1 - EXCESS else ""


def registration(units, *, definition="perturbation"):
    """How much of the regions survives superposition, in classes with registered images and in others.

    Returns:
        DataFrame, a row for each region (roi, roa) and class of which it is known: region, data set, direction,
        registered, excess (alignment beyond the strongest null, or, where none is recorded, beyond that of the same
        regions rolled to random places; mean over seeds), null (which of the two).
    """
    rows = [
        {"region": region, "data set": where(group[0]), "direction": name,
         "registered": data.registered(group[0].result["dataset"], blocks[0]["source"])}
        | _excess(group, name, definition, region)
        for region in ("roi", "roa")
        for group, name, blocks in by_direction(units)
    ]  # fmt: skip
    return pd.DataFrame(rows).dropna().astype({"registered": bool})


def _excess(group, name, definition, region):
    """(alignment beyond the null, which null) of a class, mean over seeds; NaN where undefined."""
    both = [against_null(unit, name, definition, region, "alignment") for unit in group]
    if None not in both:
        return {"excess": float(np.mean([own[0] - null[0] for own, null in both])), "null": "strongest"}
    found = [defined(unit.result["directions"][name], definition)["colocation"][region] for unit in group]
    rolled = [store.numbers([one["alignment"], *one["alignment_null"]]) for one in found]
    return {"excess": float(np.mean([value - (low + high) / 2 for value, low, high in rolled])), "null": "rolled"}


# The defence


def _change(images, before, after):
    """(value, interval) of a change of a score of the same images; None where a score is not recorded."""
    if not {before, after} <= set(images) or images[[before, after]].isna().any(axis=None):
        return None
    return evidence.change(images[before], images[after])


def _attacked(unit, parts):
    """Why what ran is no attack to weaken, or not the paper's; empty where it is."""
    _, (_, most) = evidence.balanced([_change(images, "adv", "clean") for _, _, images in parts])
    if most < ATTACK:
        return f"no attack to weaken: it takes at most {100 * most:.1f} points of accuracy"
    aims = np.atleast_1d(unit.result["parameters"]["choices"]["eps_target"])
    reached = np.array([images["adv"].mean() for _, _, images in parts])
    reached = reached if len(aims) == len(reached) else reached.mean(keepdims=True)  # one aim: for their mean
    told = [f"{100 * score:.1f} %, to be {100 * aim:.1f} %" for score, aim in zip(reached, aims, strict=True)
            if abs(score - aim) > AIM]  # fmt: skip
    return f"aim missed: score_adv is {' and '.join(told)}" if told else ""


def _defended(before, after, *, attacked):
    """Both directions together, with the blob made from images that are not scored."""

    def estimates(unit, definition):
        parts = list(_blocks(unit, definition))
        total = sum(len(images) for _, _, images in parts)
        changes = [_change(images, before, f"{after}, held out") for _, _, images in parts]
        if None in changes:
            why = "no blob of images that are not scored is recorded"
            return {BOTH: claims.Estimate(np.nan, claims.UNKNOWN, total, why=why)}
        empty = [name for name, block, _ in parts if block["controls"]["held out"]["pixels"] == 0]
        why = _untrained(unit) or (attacked and _attacked(unit, parts)) or ""
        why = why or (f"the blob is empty: {', '.join(empty)}" if empty else "")
        return {BOTH: claims.Estimate(*evidence.balanced(changes), total, why=why)}

    return estimates


def by_class(unit, before, after, *, definition="perturbation"):
    """The change of a score of the same images: direction → :class:`roa_helpers.page.claims.Estimate`.

    Empty where a score is not recorded.
    """
    changes = {name: (_change(images, before, after), len(images)) for name, _, images in _blocks(unit, definition)}
    return {name: claims.Estimate(*change, n) for name, (change, n) in changes.items() if change}


def _printed_difference(row, before, after):
    """The paper's own change of a score, with its interval where the sample size is known, by direction."""

    def paper(unit):
        found = {}
        for name, block in unit.result["directions"].items():
            direction = unit.result["dataset"], block["source"], block["target"]
            first, last = (printed(row, *direction, quantity) for quantity in (before, after))
            if first and last:
                interval = metrics.newcombe(first.k, first.n, last.k, last.n) if first.n else claims.UNKNOWN
                found[name] = last.value - first.value, interval
        return found

    return paper


def _printed_balanced(row, before, after):
    """The same, mean over both directions."""

    def paper(unit):
        changes = list(_printed_difference(row, before, after)(unit).values())
        return {BOTH: evidence.balanced(changes)} if len(changes) == 2 else {}

    return paper


def _both(case):
    return case == BOTH


def _nothing(case):
    return False


#: What the rules of several claims have in common, by what they are about.
SHARED = {
    "Of regions": (
        "reproduced where the quantity named, mean over both classes, exceeds the strongest null (maps of untrained "
        f"networks, random maps as coarse, of alignment also a mixture with the other class) by more than {EXCESS}, "
        "contradicted where by less; not testable without the null of an untrained network, where the strongest null "
        f"has {1 - EXCESS} or more of at most 1, or where the network is no classifier"
    ),
    "Of the defence": (
        "both classes count together, since pixels that tilt the network toward one class raise one score and lower "
        "the other; the blob is made from images that are not scored; not testable where the network is no classifier "
        "or the blob is empty"
    ),
    "In the paper’s way": (
        "no verdict: one direction alone, and a blob made from the images that are scored; 95 % interval, same images"
    ),
}
#: What a difference of two values of Moran's I cannot go beyond.
_MORAN = (-np.inf, np.inf)
_REGION, _WAY = "{} against the strongest null", "no verdict"


def by_definition(definition):
    """The claims, with RoA in one of ``roa_helpers.pipeline.DEFINITIONS``."""

    def claim(name, text, rule, estimate, bound=0.0, **more):
        more = {"judged": _both, "limits": claims.CHANGE} | more
        return claims.Claim(name, text, rule, partial(estimate, definition=definition), bound, **more)

    return (
        claim(
            "roi-colocated", "pixels of an image’s RoI are co-located",
            _REGION.format("Moran’s I of an RoI, mean over images,"),
            _beyond_null("roi", "moran"), EXCESS, limits=_MORAN,
        ),
        claim(
            "roa-colocated", "pixels of an image’s RoA are co-located",
            _REGION.format("Moran’s I of an RoA, mean over images (0 for one that is empty or the whole image),"),
            _beyond_null("roa", "moran"), EXCESS, limits=_MORAN,
        ),
        claim(
            "roi-aligned", "the RoIs of a class share a place", _REGION.format("their alignment,"),
            _beyond_null("roi", "alignment"), EXCESS,
        ),
        claim(
            "roa-aligned", "the RoAs of a class share a place", _REGION.format("their alignment,"),
            _beyond_null("roa", "alignment"), EXCESS,
        ),
        claim(
            "isolation", "an image splits into four regions",
            _REGION.format("the share of images in which none of the four regions is empty,"),
            _beyond_null("both", "four"), EXCESS, percent=True,
        ),
        claim(
            "keeps-accuracy", "neutralisation keeps accuracy",
            f"reproduced where score_mod − score_clean lies above −{-100 * KEPT:.0f} points, contradicted where it "
            "lies below",
            _defended("clean", "mod", attacked=False), KEPT, paper=_printed_balanced("A10", "clean", "mod"),
            percent=True,
        ),
        claim(
            "keeps-accuracy-papers-way", "neutralisation keeps accuracy (scored in the paper’s way)", _WAY,
            partial(by_class, before="clean", after="mod"), KEPT, paper=_printed_difference("A10", "clean", "mod"),
            percent=True,
            judged=_nothing,
        ),
        claim(
            "weakens-attack", "neutralisation weakens the attack",
            "reproduced where the balanced gain, score_mod-adv − score_adv, lies above 0, contradicted where it lies "
            f"below; not testable either where the attack takes less than {100 * ATTACK:.0f} points of accuracy (there "
            f"is none to weaken) and where score_adv misses what ε aims at by more than {100 * AIM:.0f} points",
            _defended("adv", "mod_adv", attacked=True), paper=_printed_balanced("A11", "adv", "mod_adv"), percent=True,
        ),
        claim(
            "weakens-attack-papers-way", "neutralisation weakens the attack (scored in the paper’s way)", _WAY,
            partial(by_class, before="adv", after="mod_adv"), paper=_printed_difference("A11", "adv", "mod_adv"),
            percent=True,
            judged=_nothing,
        ),
    )  # fmt: skip


#: The claims with the paper's definition of the RoA.
CLAIMS = by_definition("perturbation")
