"""How much the results move with the choices that the paper leaves open, one choice at a time.

The thresholds, what they are searched for with, and ε: read off the units of the study ``roi_roa``. The choices of the
training: off those of the study ``sensitivity``. Needs no torch.
"""

import numpy as np
import pandas as pd
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from . import papers
from .figures import drawing, look, place

#: What is looked at. Scores move in proportions; a change is against the value that was used, the others unchanged.
RESULTS = {
    "cost": "score_mod − score_clean",
    "gain": "score_mod-adv − score_adv",
    "individual": "mean SSIM of RoI and RoA",
    "representative": "SSIM of the representatives",
}
#: Those that are scores: shown in points.
SCORES = ("cost", "gain")
#: The open choices as a reader would write them; in this order they are shown.
LABELS = {
    "eps": "ε", "eps_target": "score_adv that ε aims at", "delta1": "δ₁", "delta2": "δ₂",
    "delta2_gradient": "δ₂ of the gradient", "theta": "θ", "value": "value of neutralised pixels",
    "clean_loss": "accuracy that may be lost", "tune": "images that tune", "seed": "seed", "train": "training images",
    "size": "side of the images", "width": "width of the network", "weights": "initial weights",
    "learning_rate": "learning rate", "epochs": "epochs", "batch": "batch", "weight_decay": "weight decay",
    "augment": "augmentation", "mixed": "mixed precision",
}  # fmt: skip
#: Choices of the grid search: the definition of the RoA that each belongs to.
SEARCHED = {"delta1": "perturbation", "delta2": "perturbation", "theta": "perturbation", "value": "perturbation",
            "delta2_gradient": "gradient"}  # fmt: skip
_GRID = ["delta1", "delta2", "theta", "value"]
_COLUMNS = ["measured", "choice", "data set", "direction", "seed", "value", "result", "change", "n"]
_CHANCE = {"color": "#DDDDDD", "lw": 6, "solid_capstyle": "butt"}


def moves(units, retrained_units=()):
    """Every change of a result that follows from another value of one choice: a row a value that was tried.

    Args:
        units: of the study ``roi_roa``.
        retrained_units: of the study ``sensitivity``.

    Returns:
        DataFrame with columns measured (``validation``, ``test`` or ``retrained``), choice, data set, direction
        (empty: mean of both), seed, value, result (a key of ``RESULTS``), change (against the value used), n (images
        a class).
    """
    rows = [row for unit in units for row in (*_searched(unit), *_on_curves(unit))]
    table = pd.DataFrame([*rows, *_retrained(retrained_units)], columns=_COLUMNS)
    order = {name: place for place, name in enumerate(LABELS)}
    return table.sort_values("choice", key=lambda names: names.map(order), kind="stable", ignore_index=True)


def ranges(table, *by):
    """From :func:`moves`: the lowest and highest change of each result, 0 for the value used among them.

    Returns:
        DataFrame with columns measured, choice, those of ``by``, result, low, high, largest (the change that is
        largest in size, with its sign).
    """
    grouped = table.groupby(["measured", "choice", *by, "result"], sort=False).change
    found = grouped.agg(low=lambda c: min(c.min(), 0.0), high=lambda c: max(c.max(), 0.0)).reset_index()
    return found.assign(largest=np.where(found.high >= -found.low, found.high, found.low))


def beyond_chance(table):
    """From :func:`moves`: by data set and choice of the training, which results move more than they do between seeds.

    Returns:
        list of (data set, choice, result), largest change above that of the seeds.
    """
    found = ranges(table[table.measured == "retrained"], "data set")
    chance = found[found.choice == "seed"].set_index(["data set", "result"]).largest.abs()
    others = found[found.choice != "seed"].set_index(["data set", "result"])
    exceeds = others.largest.abs() > chance.reindex(others.index)
    return [(dataset, choice, result) for (dataset, result), choice in others.choice[exceeds].items()]


def _row(unit, measured, choice, value, changes, *, n, direction=""):
    head = (measured, choice, papers.title(unit.result["dataset"]), direction, unit.result["seed"], value)
    return [(*head, result, change, n) for result, change in changes.items()]


def images_that_tune(unit):
    """Validation images a class that the settings were compared on: as many as there were, at most ``tune``."""
    return min(
        unit.result["parameters"]["choices"]["tune"], *unit.result["provenance"]["data"]["counts"]["val"].values()
    )


def _searched(unit):
    """From the tuning table: one threshold after the other, the rest as chosen; and a smaller loss allowed."""
    tuning, n = unit.table("tuning"), images_that_tune(unit)
    for name, definition in SEARCHED.items():
        table = tuning[tuning.definition == definition]
        (chosen,) = table[table.chosen].to_dict("records")
        column = name.removesuffix("_gradient")
        others = [other for other in _GRID if other != column]
        for row in table[(table[others] == [chosen[other] for other in others]).all(axis=1)].to_dict("records"):
            yield from _row(unit, "validation", name, row[column], _from(chosen, row), n=n)
    table = tuning[tuning.definition == "perturbation"]
    (chosen,) = table[table.chosen].to_dict("records")
    for loss, row in stricter(table):
        yield from _row(unit, "validation", "clean_loss", loss, _from(chosen, row), n=n)


def _from(chosen, row):
    return {"cost": row["mod"] - chosen["mod"], "gain": row["mod_adv"] - chosen["mod_adv"]}


def stricter(tuning):
    """The setting that tuning would choose if less clean accuracy might be lost: (loss allowed, row) for each loss.

    The rule of :func:`roa_helpers.pipeline.tune` on its feasible settings; only losses with such a setting.
    """
    feasible = tuning[tuning.feasible].sort_values(["mod_adv", "blob"], ascending=False, kind="stable")
    losses = (feasible.clean - feasible["mod"]).clip(lower=0)
    return [(loss, feasible[losses <= loss].iloc[0].to_dict()) for loss in sorted(losses.unique())]


def _on_curves(unit):
    """From the curves on test images: another ε with the same blob, another θ with the same ε."""
    curves, images = unit.table("curves"), unit.table("images")
    curves = curves.assign(share=curves.k / curves.n)
    for name in unit.result["directions"]:
        own = curves[curves.direction == name]
        n = int(own.n.iloc[0])
        shown = images[(images.direction == name) & (images.definition == "perturbation") & (images.image < n)]
        used = shown[["adv", "mod", "mod_adv"]].mean()
        for (axis, at), score in own.pivot(index=["axis", "at"], columns="score", values="share").iterrows():
            gain = score["mod_adv"] - used["mod_adv"]
            if axis == "eps":
                changes = {"gain": gain - (score["adv"] - used["adv"])}
            else:
                changes = {"cost": score["mod"] - used["mod"], "gain": gain}
            yield from _row(unit, "test", axis, at, changes, n=n, direction=name)


def _retrained(units):
    """From the pipeline run again with one choice changed: against the unit in which none is."""
    bases = {_pair(unit): unit for unit in units if not unit.result["varied"]}
    for unit in units:
        varied, base = unit.result["varied"], bases.get(_pair(unit))
        if not varied or base is None:
            continue
        offset = varied == "seed_offset"
        value = unit.result["seed"] + unit.result["value"] if offset else unit.result["value"]
        for name, block in unit.result["directions"].items():
            found, before = _results(block), _results(base.result["directions"][name])
            changes = {result: found[result] - before[result] for result in RESULTS}
            n = block["scores"]["clean"]["n"]
            yield from _row(unit, "retrained", "seed" if offset else varied, value, changes, n=n, direction=name)


def _pair(unit):
    return unit.result["profile"], unit.result["dataset"], tuple(unit.result["classes"]), unit.result["seed"]


def _results(block):
    share = {name: count["k"] / count["n"] for name, count in block["scores"].items()}
    return {
        "cost": share["mod"] - share["clean"],
        "gain": share["mod_adv"] - share["adv"],
        "individual": block["ssim"]["individual"]["mean"],
        "representative": block["ssim"]["representative"],
    }


def moves_plot(table):
    """Every change of :func:`moves` as a dot, its range as a line: a panel a result, a row a choice, a line a data set.

    Behind the choices of the training: how far the result moves between seeds.

    Returns:
        (figure, the ranges that are drawn).
    """
    found = ranges(table, "data set")
    results = [result for result in RESULTS if result in set(table.result)]
    rows = list(dict.fromkeys(zip(table.choice, table.measured, strict=True)))
    datasets = sorted(set(table["data set"]), key=place)
    step = 0.8 / len(datasets)
    lines = -(-len(results) // 2)
    height = lines * (len(rows) * max(0.24, 0.09 * len(datasets)) + 0.6) + 0.4
    figure, axes = drawing(6.8, height, nrows=lines, ncols=2, squeeze=False, sharey=True)
    for axis, result in zip(axes.flat, results, strict=True):
        scale = 100 if result in SCORES else 1
        dots = table[table.result == result].groupby(["choice", "measured", "data set"]).change
        spans = found[found.result == result].set_index(["choice", "measured", "data set"])
        for (choice, measured, dataset), span in spans.iterrows():
            y = rows.index((choice, measured)) + step * (datasets.index(dataset) - (len(datasets) - 1) / 2)
            chance = ("seed", "retrained", dataset)
            if measured == "retrained" and chance in spans.index:
                axis.plot(scale * spans.loc[chance, ["low", "high"]], [y, y], **_CHANCE, zorder=0)
            colour, marker = look(dataset)
            axis.plot([scale * span.low, scale * span.high], [y, y], color=colour, lw=1.2)
            values = scale * dots.get_group((choice, measured, dataset))
            axis.plot(values, np.full(len(values), y), marker, color=colour, ms=3)
        axis.axvline(0, color="k", lw=0.8)
        for row in range(1, len(rows)):
            axis.axhline(row - 0.5, color="#EEEEEE", lw=0.8, zorder=0)
        axis.set_title(RESULTS[result], fontsize=9)
        axis.set_xlabel("change (points)" if result in SCORES else "change")
    labels = [LABELS[choice] + (" on test images" if measured == "test" else "") for choice, measured in rows]
    axes[0, 0].set(yticks=range(len(rows)), yticklabels=labels, ylim=(len(rows) - 0.45, -0.55))
    handles = [Line2D([], [], color=c, marker=m, ms=4, lw=1.2, label=d) for d in datasets for c, m in [look(d)]]
    if "seed" in set(table.choice):
        handles.append(Line2D([], [], **_CHANCE, label="range over seeds"))
    figure.legend(handles=handles, loc="outside lower center", ncols=4, frameon=False, fontsize=8)
    return figure, found


def tuning_surfaces(units, *, definition="perturbation"):
    """A6: the settings of the grid by what they cost and gain on validation images, a panel a unit; the chosen ringed.

    Settings that leave a class without a blob cost and gain nothing; they are left out.

    Returns:
        (figure, the tuning tables of what is drawn).
    """
    lines = -(-len(units) // 2)
    figure, axes = drawing(6.8, 2.1 * lines + 0.7, nrows=lines, ncols=2, squeeze=False, sharex=True, sharey=True)
    values = sorted({value for unit in units for value in unit.table("tuning").value})
    markers, drawn = dict(zip(values, "o^sD", strict=False)), []
    for axis, unit in zip(axes.flat, units, strict=False):
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
        axis.set_title(papers.title(unit.result["dataset"]), fontsize=9)
        axis.tick_params(labelbottom=True)
        drawn.append(table.assign(unit=unit.path.name))
    for axis in axes.flat[len(units) :]:
        axis.set_visible(False)
    data = pd.concat(drawn)
    axes[0, 0].set_xlim(min(-3, 100 * (data.clean - data["mod"]).min() - 3), 100 * (data.clean - data["mod"]).max() + 3)
    for axis in axes[:, 0]:
        axis.set_ylabel("gain (points)")
    for axis in axes.flat[: len(units)][-2:]:
        axis.set_xlabel("cost (points)")
    figure.colorbar(dots, ax=axes, label="θ", shrink=0.6)
    marks = [(f"pixels set to {value:g}", marker, "#777777", 5) for value, marker in markers.items()]
    handles = [
        Line2D([], [], ls="", marker=marker, mfc=face, mec="k" if face == "none" else face, ms=size, label=label)
        for label, marker, face, size in (*marks, ("chosen", "o", "none", 9))
    ]
    handles.append(Patch(color="#009E73", alpha=0.1, label="allowed cost"))
    figure.legend(handles=handles, loc="outside lower center", ncols=4, frameon=False, fontsize=8)
    return figure, data
