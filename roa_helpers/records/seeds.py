"""Units that differ in their seed or repetition alone: found together, and their estimates as one. Needs no torch.

The value is the mean over seeds; the interval reaches from the lowest lower bound to the highest upper bound of the
seeds' own intervals, so what it excludes every seed excludes; n is that of one seed.
"""

import re

import numpy as np

from .. import metrics
from . import store


def groups(units):
    """Units that differ in their seed or repetition alone, in order of the seeds: a list of lists."""
    found = {}
    for unit in units:
        stem = re.sub(r"(-repeat\d+)?-seed\d+$", "", unit.path.name)
        found.setdefault((unit.path.parent, stem), []).append(unit)
    return [sorted(group, key=of) for group in found.values()]


def of(unit):
    """The seed that a unit's networks were trained with: that of the unit, and its repetition."""
    return unit.result["seed"] + unit.result.get("repeat", 0)


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


def across(estimates):
    """One (value, interval, n) from those of several seeds; NaN where one of them is, or is null in a result."""
    values, intervals, counts = zip(*estimates, strict=True)
    lows, highs = zip(*map(store.numbers, intervals), strict=True)
    values = store.numbers(values)
    return float(np.mean(values)), metrics.Interval(float(np.min(lows)), float(np.max(highs))), min(counts)
