"""Units that differ in their seed alone: found together, and their estimates as one. Needs no torch.

The value is the mean over seeds; the interval reaches from the lowest lower bound to the highest upper bound of the
seeds' own intervals, so what it excludes every seed excludes; n is that of one seed.
"""

import numpy as np

from . import metrics


def by_pair(units):
    """The units of each pair of classes, which differ in their seed alone: a list of lists."""
    pairs = {}
    for unit in units:
        pairs.setdefault((unit.path.parent, unit.path.name.rpartition("-seed")[0]), []).append(unit)
    return list(pairs.values())


def one_of_each(units):
    """Of the units of each pair, the one with the lowest seed: what figures of single images show."""
    return [min(pair, key=lambda unit: unit.result["seed"]) for pair in by_pair(units)]


def by_direction(units):
    """(units that differ in their seed alone, direction's name, their result blocks) for every direction."""
    for pair in by_pair(units):
        for name in pair[0].result["directions"]:
            yield pair, name, [unit.result["directions"][name] for unit in pair]


def run(pair):
    """What the rows of a table say of the units they stand for: profile, and seeds such as “0, 1, 2”."""
    return {"profile": pair[0].result["profile"], "seeds": ", ".join(str(unit.result["seed"]) for unit in pair)}


def across_seeds(estimates):
    """One (value, interval, n) from those of several seeds; NaN where one of them is."""
    values, intervals, counts = zip(*estimates, strict=True)
    lows, highs = zip(*intervals, strict=True)
    return float(np.mean(values)), metrics.Interval(float(np.min(lows)), float(np.max(highs))), min(counts)


def note(table):
    """A sentence for the caption of a table or chart, empty unless a row of it stands for several seeds."""
    several = table["seeds"].str.contains(",").any()
    return " Of several seeds: the mean, and the span of their intervals." if several else ""
