"""Does the pair of classes decide a number, or the training? Networks of one pair that differ in their seed.

A further seed gives other initial weights, another order of the images and other test images of the same classes.
Needs no torch.
"""

from itertools import combinations

import numpy as np
import pandas as pd

from ... import metrics
from ...data import title_of
from ...records import seeds
from .agreement import quantities, scatter, spearman
from .matrices import PAIR, collected, datasets

_KEYS = [*PAIR, "quantity"]


def repeated(units):
    """Of the units of this study, those of pairs that more than one network was trained for."""
    return [unit for group in seeds.groups(units) if len(group) > 1 for unit in group]


def by_network(units):
    """The numbers of single networks, of the pairs that several were trained for.

    Args:
        units: of this study.

    Returns:
        dataset, source, target, quantity, seed, number (after neutralisation the mean over θ), mean (of the direction's
        networks).
    """
    parts = [quantities(*collected([unit])).assign(seed=seeds.of(unit)) for unit in repeated(units)]
    table = pd.concat(parts).groupby([*_KEYS, "seed"], sort=False).number.mean().reset_index()
    return table.assign(mean=table.groupby(_KEYS).number.transform("mean"))[[*_KEYS, "seed", "number", "mean"]]


def shares(table):
    """How much of a number's spread over directions is the pair's, and how much comes with another training.

    Args:
        table: of :func:`by_network`.

    Returns:
        a row a data set and quantity: directions, networks, “between pairs” (standard deviation of the directions'
        means), “between trainings” (root of the mean variance of a direction's networks), share
        (:func:`roa_helpers.metrics.intraclass`), low, high (both directions of a pair share a network and count as
        one), ρ (Spearman's, of one training with another over directions, mean over pairs of seeds).
    """
    rows = []
    for name in datasets(table):
        for quantity, part in table[table.dataset == name].groupby("quantity", sort=False):
            directions = part.source + " to " + part.target
            pairs = {frozenset(pair) for pair in zip(part.source, part.target, strict=True)}
            own = part.groupby(directions).number
            share, (low, high) = (np.nan, (np.nan, np.nan))
            if len(pairs) > 1:
                share, (low, high) = metrics.intraclass(part.number, directions, independent=len(pairs))
            rows.append(
                {"data set": title_of(name), "quantity": quantity, "directions": own.ngroups,
                 "networks": len(part) // 2, "between pairs": own.mean().std(), "between trainings":
                 np.sqrt(own.var().mean()), "share": share, "low": low, "high": high, "ρ": _alike(part)}
            )  # fmt: skip
    return pd.DataFrame(rows)


def _alike(part):
    wide = part.pivot(index=["source", "target"], columns="seed", values="number")
    both = (wide[list(two)].dropna() for two in combinations(wide, 2))
    return float(pd.Series([spearman(*two.to_numpy().T) for two in both if len(two)]).mean())


def plot(table):
    """Each network's number over the mean of its direction's networks, one panel a quantity; and the table."""
    return scatter(table, "mean", "number", xlabel="mean of the networks", ylabel="one network"), table
