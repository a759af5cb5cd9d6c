"""How far each result moves when one open choice changes, read off finished units. Needs no torch."""

import numpy as np
import pandas as pd

from ...data import title_of
from ..roi_roa import LABELS, images_that_tune

#: What is looked at. Scores move in proportions; a change is against the value that was used, the others unchanged.
RESULTS = {
    "cost": "score_mod − score_clean",
    "gain": "score_mod-adv − score_adv",
    "individual": "mean SSIM of RoI and RoA",
    "representative": "SSIM of the representatives",
}
#: Those that are scores: shown in points.
SCORES = ("cost", "gain")
#: Choices of the grid search: the definition of the RoA that each belongs to.
SEARCHED = {"delta1": "perturbation", "delta2": "perturbation", "theta": "perturbation", "value": "perturbation",
            "delta2_gradient": "gradient"}  # fmt: skip
_GRID = ["delta1", "delta2", "theta", "value"]
_COLUMNS = ["measured", "choice", "data set", "direction", "seed", "value", "result", "change", "n"]


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
    head = (measured, choice, title_of(unit.result["dataset"]), direction, unit.result["seed"], value)
    return [(*head, result, change, n) for result, change in changes.items()]


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

    The rule of :func:`roa_helpers.studies.roi_roa.search.tune` on its feasible settings; only losses with such a
    setting.
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
