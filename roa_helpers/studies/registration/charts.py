"""Charts of alignment over shifts. Needs no torch."""

import numpy as np
import pandas as pd

from ...data import title_of
from ...page import NARROW, drawing, look
from ...records import store

#: What is drawn: definition of the RoA, region, and how a reader calls it.
PANELS = (("perturbation", "roi", "RoI"), ("perturbation", "roa", "RoA"), ("gradient", "roa", "RoA by gradient"))


def table(units):
    """Alignment beyond chance: a row a unit, direction and region; NaN where fewer than two images have a region.

    Columns: data set, shift, seed, direction, region, value, low, high, n.
    """
    rows = []
    for unit in units:
        for name, block in unit.result["directions"].items():
            for definition, region, label in PANELS:
                one = block["alignment"][definition][region]
                low, high = store.numbers(one["value_interval"])
                value = np.nan if np.isnan([low, high]).any() else one["value"]
                rows.append(
                    {"data set": title_of(unit.result["dataset"]), "shift": unit.result["shift"],
                     "seed": unit.result["seed"], "direction": name, "region": label, "value": value,
                     "low": low, "high": high, "n": one["n"]}
                )  # fmt: skip
    return pd.DataFrame(rows)


def alignment(units):
    """Alignment of the regions of a class over the shift of its images: a mark a network and class, a line the mean.

    Each data set has a colour and a mark of its own.
    """
    data = table(units)
    figure, axes = drawing(NARROW, 2.5, ncols=len(PANELS), sharey=True, squeeze=False)
    for axis, (_, _, label) in zip(axes[0], PANELS, strict=True):
        for dataset, part in data[data.region == label].groupby("data set", sort=False):
            colour, mark = look(dataset)
            means = part.groupby("shift").value.mean()
            axis.plot(means.index, means, color=colour, lw=1.5)
            axis.plot(part["shift"], part.value, mark, ms=4.5, mfc="none", color=colour, label=dataset)
        axis.axhline(0, color="k", lw=0.8, ls="--")
        axis.set_title(label, fontsize=8)
        axis.set_xticks(sorted(set(data["shift"])))
    axes[0, 0].set_ylabel("alignment beyond chance", fontsize=8)
    figure.supxlabel("moved by up to (pixels)", fontsize=8)
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=3, frameon=False)
    return figure, data
