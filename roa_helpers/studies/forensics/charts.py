"""Charts of this study: agreement beside its controls, calibration of the representatives, SSIM. Needs no torch."""

import numpy as np
import pandas as pd

from ...data import title_of
from ...page import NARROW, drawing, look
from .results import named

#: What the blob is rebuilt from: column of the table of pairs, name, colour (Okabe–Ito), line.
READINGS = {
    "agreement": ("the pair’s own representative RoA", "#0072B2", "-"),
    "any_channel": ("its own, any channel", "#E69F00", "--"),
    "another": ("best other pair’s", "#D55E00", "-."),
    "reversed": ("reversed pair’s", "#009E73", ":"),
}


def agreement(units):
    """How well the blob is rebuilt, over all ordered pairs with a blob, beside the controls: a panel a unit.

    Returns:
        (figure, the table of what is drawn).
    """
    figure, axes = drawing(NARROW, 1.6 * len(units) + 0.8, nrows=len(units), squeeze=False, sharex=True)
    drawn, edges = [], np.linspace(0, 1, 51)
    for axis, unit in zip(axes[:, 0], units, strict=True):
        table = unit.table("pairs")
        table = table[table.filled > 0]
        for column, (name, colour, line) in READINGS.items():
            values = table[column].dropna()
            axis.hist(values, edges, histtype="step", color=colour, ls=line, lw=1.4, label=name)
        axis.set(ylabel="pairs", title=named(unit))
        drawn.append(table[["source", "target", *READINGS]].assign(unit=unit.path.name))
    data = pd.concat(drawn)
    lowest = np.floor(10 * data[list(READINGS)].min().min()) / 10
    axes[-1, 0].set(xlim=(lowest, 1.01), xlabel="share of entries that agree")
    handles, names = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncols=2, frameon=False, fontsize=8)
    return figure, data


def calibration(units):
    """Share of ones in the RoA of one image by what the representative shows, beside two ways of taking a mean."""
    figure, axis = drawing(NARROW, 3.2)
    shown = np.array([0.0, 1.0])
    axis.plot(shown, (1 + shown) / 2, color="k", lw=0.9, label="mean of −1 and +1")
    axis.plot(shown, shown, color="k", lw=0.9, ls=":", label="mean of 0 and 1")
    tables = []
    for unit in units:
        table = unit.table("calibration")
        colour, marker = look(title_of(unit.result["dataset"]))
        middle = (table["first"] + table["last"]) / 2 / 255
        axis.plot(middle, table.k / table.n, marker, color=colour, ms=4, label=named(unit))
        tables.append(table.assign(shown=middle, share=table.k / table.n, unit=unit.path.name))
    axis.set(xlabel="shown by the representative RoA", ylabel="share of ones in the RoA of one image", ylim=(0, 1.02))
    axis.legend(frameon=False, fontsize=8)
    return figure, pd.concat(tables)


def similarity(units):
    """SSIM of the pictures, a dot an ordered pair: beside that of an empty RoA, and beside the authors' mean.

    Grey lines: from the authors' smallest to their largest.
    """
    figure, axes = drawing(NARROW, 2.7, ncols=2)
    columns = ["source", "target", "two_scales", "zero", "authors_min", "authors_mean", "authors_max"]
    tables = [unit.table("pairs")[columns].assign(unit=unit.path.name) for unit in units]
    for unit, table in zip(units, tables, strict=True):
        colour, marker = look(title_of(unit.result["dataset"]))
        style = {"ls": "", "marker": marker, "color": colour, "ms": 4, "mec": "white", "mew": 0.3, "alpha": 0.85}
        axes[0].plot(table.zero, table.two_scales, label=named(unit), **style)
        axes[1].vlines(table.two_scales, table.authors_min, table.authors_max, color="#DDDDDD", lw=0.6, zorder=0)
        axes[1].plot(table.two_scales, table.authors_mean, **style)
    data = pd.concat(tables)
    for axis, other in zip(axes, ("zero", "authors_mean"), strict=True):
        ends = [data[["two_scales", other]].min().min(), data[["two_scales", other]].max().max()]
        axis.plot(ends, ends, color="#999999", lw=0.8)
    axes[0].set(xlabel="with an empty RoA", ylabel="of the pictures, on two scales")
    axes[1].set(xlabel="of the pictures", ylabel="the authors’ mean")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3, frameon=False, fontsize=8)
    return figure, data
