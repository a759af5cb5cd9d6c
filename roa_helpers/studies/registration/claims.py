"""The paper's claim about images that are registered, as data. Needs no torch."""

import numpy as np

from ... import evidence
from ...data import title_of
from ...page import claims
from ...records import store

#: The smallest loss of alignment that is worth the name (2026-11-26, before anything was recorded; alignment reaches
#: from 0 to 1).
LOSS = 0.05
#: Networks of each shift that a verdict needs.
LEAST = 3
#: Regions by definition of the RoA, and what a table calls them.
CASES = {("perturbation", "roi"): "RoI", ("perturbation", "roa"): "RoA", ("gradient", "roa"): "RoA by gradient"}


def where(unit):
    """What a table of verdicts calls a unit: its data set."""
    return title_of(unit.result["dataset"])


def _losses(units, definition, region):
    """(value, interval) of alignment at the smallest shift − that at the largest, mean over classes, for each seed."""
    shifts = {unit.result["shift"] for unit in units}
    ends = {min(shifts): 1.0, max(shifts): -1.0}
    by_seed = {}
    for unit in units:
        if len(ends) == 2 and unit.result["shift"] in ends:
            blocks = [block["alignment"][definition][region] for block in unit.result["directions"].values()]
            weight = ends[unit.result["shift"]] / len(blocks)
            terms = [(weight, one["value"], store.numbers(one["value_interval"])) for one in blocks]
            by_seed.setdefault(unit.result["seed"], []).extend(terms)
    return [evidence.combined(terms) for terms in by_seed.values() if {term[0] > 0 for term in terms} == {True, False}]


def _lost(groups):
    """Case → estimate, over the networks of each seed."""
    units, found = [unit for group in groups for unit in group], {}
    for (definition, region), case in CASES.items():
        losses = _losses(units, definition, region)
        if losses:
            values, intervals = zip(*losses, strict=True)
            mean, interval = evidence.over_networks(values, intervals)
            why = f"fewer than {LEAST} networks of each shift" if len(losses) < LEAST else ""
            if not why and np.isnan(interval).any():
                why = "by one network at most one image of a class has a region"
            n = units[0].result["directions"][next(iter(units[0].result["directions"]))]["scores"]["clean"]["n"]
            found[case] = claims.Estimate(float(mean), tuple(map(float, interval)), n, max(1, len(losses) - 1), why)
    return found


REGISTERED = claims.Claim(
    "registered", "regions survive superposition only where images are registered",
    "reproduced where moving the images takes more than "
    f"{LOSS} from the alignment of their regions beyond chance (at the smallest shift − at the largest, mean over "
    "both classes; the interval is Student’s over networks, which share their images), contradicted where less; "
    f"not testable with fewer than {LEAST} networks of each shift, or where at most one image of a class has a region "
    "by one of them",
    _lost, LOSS, together="all shifts", limits=claims.CHANGE,
)  # fmt: skip
CLAIMS = (REGISTERED,)
