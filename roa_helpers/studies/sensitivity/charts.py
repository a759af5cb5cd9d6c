"""Charts of what moves with the open choices, and of the tuning surface. Needs no torch."""

import numpy as np
import pandas as pd
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from ...data import title_of
from ...page import NARROW, drawing, look, name_rows, panels, place
from ..roi_roa import LABELS
from .changes import RESULTS, SCORES, ranges

_CHANCE = {"color": "#DDDDDD", "lw": 6, "solid_capstyle": "butt"}


def moves_plot(table):
    """Every change of :func:`.changes.moves` as a dot, its range as a line: a panel a result, a row a choice.

    Behind the choices of the training: how far the result moves between seeds.

    Returns:
        (figure, the ranges that are drawn).
    """
    found = ranges(table, "data set")
    results = [result for result in RESULTS if result in set(table.result)]
    rows = list(dict.fromkeys(zip(table.choice, table.measured, strict=True)))
    datasets = sorted(set(table["data set"]), key=place)
    lines = -(-len(results) // 2)
    labels = [LABELS[choice] + (" on test images" if measured == "test" else "") for choice, measured in rows]
    height = 0.2 + max(0.16, 0.09 * len(datasets))
    figure, axes = drawing(NARROW, lines * (len(rows) * height + 0.6) + 0.7, nrows=lines, ncols=2, squeeze=False)
    for line in axes:
        at = name_rows(line, labels, height=height)
    for axis, result in zip(axes.flat, results, strict=True):
        scale = 100 if result in SCORES else 1
        dots = table[table.result == result].groupby(["choice", "measured", "data set"]).change
        spans = found[found.result == result].set_index(["choice", "measured", "data set"])
        for (choice, measured, dataset), span in spans.iterrows():
            y = at(rows.index((choice, measured)), datasets.index(dataset), len(datasets))
            chance = ("seed", "retrained", dataset)
            if measured == "retrained" and chance in spans.index:
                axis.plot(scale * spans.loc[chance, ["low", "high"]], [y, y], **_CHANCE, zorder=0)
            colour, marker = look(dataset)
            axis.plot([scale * span.low, scale * span.high], [y, y], color=colour, lw=1.2)
            values = scale * dots.get_group((choice, measured, dataset))
            axis.plot(values, np.full(len(values), y), marker, color=colour, ms=3)
        axis.axvline(0, color="k", lw=0.8)
        axis.set_title(RESULTS[result], fontsize=8)
        axis.set_xlabel("change (points)" if result in SCORES else "change", fontsize=8)
    handles = [Line2D([], [], color=c, marker=m, ms=4, lw=1.2, label=d) for d in datasets for c, m in [look(d)]]
    if "seed" in set(table.choice):
        handles.append(Line2D([], [], **_CHANCE, label="range over seeds"))
    figure.legend(handles=handles, loc="outside lower center", ncols=3, frameon=False, fontsize=8)
    return figure, found


def tuning_surfaces(units, *, definition="perturbation"):
    """A6: the settings of the grid by what they cost and gain on validation images, a panel a unit; the chosen ringed.

    Settings that leave a class without a blob cost and gain nothing; they are left out.

    Returns:
        (figure, the tuning tables of what is drawn).
    """
    figure, axes = panels(len(units), columns=2, width=NARROW, height=1.7, margin=1.0, sharex=True, sharey=True)
    values = sorted({value for unit in units for value in unit.table("tuning").value})
    markers, drawn = dict(zip(values, "o^sD", strict=False)), []
    for axis, unit in zip(axes, units, strict=True):
        tuning, limit = unit.table("tuning"), unit.result["parameters"]["choices"]["clean_loss"]
        empty = ~tuning.chosen & ~tuning.feasible & (tuning.clean - tuning["mod"] <= limit)
        table = tuning[(tuning.definition == definition) & ~empty]
        cost, gain = 100 * (table.clean - table["mod"]), 100 * (table.mod_adv - table.adv)
        axis.axvspan(-100, 100 * limit, color="#009E73", alpha=0.1, lw=0)
        axis.axhline(0, color="k", lw=0.8)
        for value, marker in markers.items():
            rows = table.value == value
            dots = axis.scatter(cost[rows], gain[rows], c=table.theta[rows], marker=marker, s=22, vmin=0, vmax=1)
        axis.plot(cost[table.chosen], gain[table.chosen], "o", ms=11, mfc="none", mec="k")
        axis.set_title(title_of(unit.result["dataset"]), fontsize=9)
        axis.tick_params(labelbottom=True)
        drawn.append(table.assign(unit=unit.path.name))
    data = pd.concat(drawn)
    axes[0].set_xlim(min(-3, 100 * (data.clean - data["mod"]).min() - 3), 100 * (data.clean - data["mod"]).max() + 3)
    for axis in axes[::2]:
        axis.set_ylabel("gain (points)")
    for axis in axes[-2:]:
        axis.set_xlabel("cost (points)")
    figure.colorbar(dots, ax=figure.axes, label="θ", shrink=0.6, location="top", aspect=30)
    marks = [(f"pixels set to {value:g}", marker, "#777777", 5) for value, marker in markers.items()]
    handles = [
        Line2D([], [], ls="", marker=marker, mfc=face, mec="k" if face == "none" else face, ms=size, label=label)
        for label, marker, face, size in (*marks, ("chosen", "o", "none", 9))
    ]
    handles.append(Patch(color="#009E73", alpha=0.1, label="allowed cost"))
    figure.legend(handles=handles, loc="outside lower center", ncols=2, frameon=False, fontsize=8)
    return figure, data
