"""Units that differ in their seed alone: found together, and their estimates as one. Needs no torch.

The value is the mean over seeds; the interval holds the spread over seeds and over images
(:func:`roa_helpers.evidence.over_networks`); n is that of one seed.
"""

import re

import numpy as np

from .. import evidence, metrics
from . import store


def groups(units):
    """Units that differ in their seed alone, in order of the seeds: a list of lists."""
    found = {}
    for unit in units:
        stem = re.sub(r"-seed\d+$", "", unit.path.name)
        found.setdefault((unit.path.parent, stem), []).append(unit)
    return [sorted(group, key=of) for group in found.values()]


def of(unit):
    """The seed that a unit's networks were trained with."""
    return unit.result["seed"]


def one_of_each(units):
    """Of the units of each group, the one with the lowest seed: what figures of single images show."""
    return [group[0] for group in groups(units)]


def columns(group):
    """What the rows of a table say of the units they stand for: profile, and seeds such as “0, 1, 2”."""
    return {"profile": group[0].result["profile"], "seeds": ", ".join(str(of(unit)) for unit in group)}


def all_columns(found):
    """The same for rows that stand for several groups."""
    several = [columns(group) for group in found]
    return {name: " and ".join(sorted({one[name] for one in several})) for name in ("profile", "seeds")}


def networks(unit):
    """The trained networks that a unit rests on: one, told apart from those of its group by its seed."""
    return frozenset({of(unit)})


def across(estimates, *, limits=(-np.inf, np.inf)):
    """One (value, interval, n) from those of several networks; NaN where one of them is, or is null in a result.

    Args:
        estimates: (value, 95 % interval over images, n) of each.
        limits: what a value cannot go beyond.
    """
    values, intervals, counts = arrays(estimates)
    value, interval = evidence.over_networks(values, intervals, limits=limits)
    return float(value), metrics.Interval(*map(float, interval)), min(counts)


def arrays(estimates):
    """Values (K,), intervals (K, 2) and counts of K estimates (value, interval, n); what is null becomes NaN."""
    values, intervals, counts = zip(*estimates, strict=True)
    return store.numbers(values), np.array([store.numbers(one) for one in intervals], dtype=float), counts
