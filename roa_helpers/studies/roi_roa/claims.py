"""The paper's claims, as data: what is estimated for each, and the rule that judges it. Needs no torch."""

import numpy as np
import pandas as pd

from ... import data, metrics
from ...data import title_of
from ...page import claims
from ...records import store
from .published import printed
from .results import by_direction, defined


def where(unit):
    """What a table of verdicts calls a unit: its data set. Cases are its directions."""
    return title_of(unit.result["dataset"])


def _for_each_direction(estimate, definition):
    """(block of a direction, table of its images) → (value, interval, n), for all directions of a unit."""

    def estimates(unit):
        images, found = unit.table("images"), {}
        for name, block in unit.result["directions"].items():
            own = images[(images.direction == name) & (images.definition == definition)]
            found[name] = estimate(defined(block, definition), own)
        return found

    return estimates


def _share(condition):
    def estimate(block, images):
        hits = condition(images)
        return hits.mean(), metrics.wilson(int(hits.sum()), len(hits)), len(hits)

    return estimate


def _difference(before, after):
    def estimate(block, images):
        change = (images[after] - images[before]).mean()
        return change, metrics.paired_difference(images[before], images[after]), len(images)

    return estimate


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


def _excess(block, region):
    """(alignment beyond that of the same regions at random places, its range) of a class; NaN where undefined."""
    found = block["colocation"][region]
    value, low, high = store.numbers([found["alignment"], *found["alignment_null"]])
    return value - (low + high) / 2, metrics.Interval(value - high, value - low)


def _alignment(region):
    return lambda block, images: (*_excess(block, region), len(images))


def registration(units, *, definition="perturbation"):
    """How much of the regions survives superposition, in classes with registered images and in others.

    Returns:
        DataFrame, a row for each region (roi, roa) and class of which it is known: region, data set, direction,
        registered, excess (alignment beyond that of the same regions rolled to random places; mean over seeds).
    """
    rows = [
        {"region": region, "data set": where(group[0]), "direction": name,
         "registered": data.registered(group[0].result["dataset"], blocks[0]["source"]),
         "excess": float(np.mean([_excess(defined(block, definition), region)[0] for block in blocks]))}
        for region in ("roi", "roa")
        for group, name, blocks in by_direction(units)
    ]  # fmt: skip
    return pd.DataFrame(rows).dropna().astype({"registered": bool})


def _difference_of_kinds(definition):
    """Mean excess of the data sets with registered images − that of the others, for RoI and RoA."""

    def estimate(groups):
        table, found = registration([unit for group in groups for unit in group], definition=definition), {}
        for region, title in (("roi", "RoI"), ("roa", "RoA")):
            means = table[table.region == region].groupby(["registered", "data set"]).excess.mean()
            kinds = means.index.get_level_values("registered")
            one, other = (means[kinds == kind].to_numpy() for kind in (True, False))
            if len(one) and len(other):
                interval = (
                    metrics.welch(one, other) if min(len(one), len(other)) > 1 else metrics.Interval(*claims.UNKNOWN)
                )
                found[title] = one.mean() - other.mean(), interval, len(one) + len(other)
        return found

    return estimate


_MAJORITY = "reproduced where the 95 % Wilson interval of {} lies above one half, contradicted where it lies below"
_ALIGNED = (
    "reproduced where their alignment exceeds the 95 % range of the same regions rolled to random places, contradicted "
    "where it lies below that range"
)


def by_definition(definition):
    """The claims, with RoA in one of ``roa_helpers.pipeline.DEFINITIONS``."""

    def claim(name, text, rule, estimate, bound=0.0, **more):
        return claims.Claim(name, text, rule, _for_each_direction(estimate, definition), bound, **more)

    return (
        claim(
            "roi-colocated", "pixels of an image's RoI are co-located",
            _MAJORITY.format("the share of images whose RoI has a Moran's I with permutation p ≤ .05"),
            _share(lambda images: images.p_roi <= 0.05), 0.5,
        ),
        claim(
            "roa-colocated", "pixels of an image's RoA are co-located",
            _MAJORITY.format("the share of images whose RoA has a Moran's I with permutation p ≤ .05 (an RoA that is "
                             "empty or the whole image has none)"),
            _share(lambda images: images.p_roa <= 0.05), 0.5,
        ),
        claim("roi-aligned", "the RoIs of a class share a place", _ALIGNED, _alignment("roi")),
        claim("roa-aligned", "the RoAs of a class share a place", _ALIGNED, _alignment("roa")),
        claim(
            "isolation", "an image splits into four regions",
            _MAJORITY.format("the share of images in which none of the four regions is empty"),
            _share(lambda images: (images[["uv", "u_not_v", "not_u_v", "not_u_not_v"]] > 0).all(axis=1)), 0.5,
        ),
        claim(
            "keeps-accuracy", "neutralisation keeps accuracy",
            "reproduced where the 95 % interval of score_mod − score_clean (Bonett and Price’s, for the same images "
            "scored twice) lies above −5 points, contradicted where it lies below",
            _difference("clean", "mod"), -0.05, paper=_printed_difference("A10", "clean", "mod"),
        ),
        claim(
            "weakens-attack", "neutralisation weakens the attack",
            "reproduced where the 95 % interval of score_mod-adv − score_adv (Bonett and Price’s, for the same images "
            "scored twice) lies above 0, contradicted where it lies below",
            _difference("adv", "mod_adv"), paper=_printed_difference("A11", "adv", "mod_adv"),
        ),
        claims.Claim(
            "registered", "regions survive superposition only where images are registered",
            "reproduced where the 95 % interval (Welch’s) of a difference lies above 0, contradicted where it lies "
            "below: the mean alignment of data sets whose images are free of translational variance minus that of the "
            "others. Alignment counts beyond that of the same regions rolled to random places; the sample are the data "
            "sets (mean over classes and seeds), at least two of either kind",
            _difference_of_kinds(definition), together="all data sets",
        ),
    )  # fmt: skip


#: The claims with the paper's definition of the RoA.
CLAIMS = by_definition("perturbation")
