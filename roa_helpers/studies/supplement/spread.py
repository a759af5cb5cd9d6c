"""Does the pair of classes decide a number, or the training? Networks of one pair that differ in their seed.

A further seed gives other initial weights, another order of the same training images, the ε that then follows, and
other test images of the same classes. Needs no torch.
"""

from itertools import combinations

import numpy as np
import pandas as pd

from ... import metrics
from ...data import title_of
from ...records import seeds
from .agreement import LEAST, quantities, scatter, spearman
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
        dataset, source, target, quantity, seed, number (after neutralisation the mean over θ), others (mean of the
        direction’s other networks).
    """
    parts = [quantities(*collected([unit])).assign(seed=seeds.of(unit)) for unit in repeated(units)]
    table = pd.concat(parts).groupby([*_KEYS, "seed"], sort=False).number.mean().reset_index()
    whole = table.groupby(_KEYS).number
    others = (whole.transform("sum") - table.number) / (whole.transform("size") - 1)
    return table.assign(others=others)


def shares(table):
    """How much of a number's spread over directions is the direction's, and how much comes with another training.

    Args:
        table: of :func:`by_network`.

    Returns:
        a row a data set and quantity: directions, networks, “between directions” and “between trainings” (standard
        deviations, of the directions' own numbers and of the trainings of one direction), share, low, high (of the
        variance that lies between directions, :func:`roa_helpers.metrics.intraclass`, cut at 0; the two directions of
        a pair share their networks and count as one; NaN of one pair alone), ρ (Spearman's, of one training with
        another over at least ``LEAST`` directions, mean over pairs of seeds).
    """
    rows = []
    for name in datasets(table):
        for quantity, part in table[table.dataset == name].groupby("quantity", sort=False):
            directions = part.source + " to " + part.target
            pairs = {frozenset(pair) for pair in zip(part.source, part.target, strict=True)}
            mean = part.groupby(directions).number.transform("mean")
            within = ((part.number - mean) ** 2).sum() / (len(part) - directions.nunique())
            share, interval = np.nan, (np.nan, np.nan)
            if len(pairs) > 1:
                share, interval = metrics.intraclass(part.number, directions, independent=len(pairs))
            share, low, high = np.clip([share, *interval], 0, 1)
            between = mean.groupby(directions).first().var() if within == 0 else within * share / (1 - share)
            rows.append(
                {"data set": title_of(name), "quantity": quantity, "directions": directions.nunique(),
                 "networks": len(part) // 2, "between directions": np.sqrt(between), "between trainings":
                 np.sqrt(within), "share": share, "low": low, "high": high, "ρ": _alike(part)}
            )  # fmt: skip
    return pd.DataFrame(rows)


def _alike(part):
    wide = part.pivot(index=["source", "target"], columns="seed", values="number")
    both = (wide[list(two)].dropna() for two in combinations(wide, 2))
    return float(pd.Series([spearman(*two.to_numpy().T) for two in both if len(two) >= LEAST], dtype=float).mean())


def plot(table):
    """Each network's number over the mean of its direction's others, one panel a quantity; and the table.

    Over the mean of all, itself included, dots would rise whatever decides.
    """
    return scatter(table, "others", "number", xlabel="mean of the others", ylabel="one network"), table
