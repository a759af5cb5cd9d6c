"""Tables of what moves with the open choices. Needs no torch."""

import pandas as pd

from ...data import title_of
from ...page import tables
from .. import roi_roa
from ..roi_roa import choices
from . import changes, words


def retrained(units):
    """Largest change of each result when one choice of the training changes; * where the seed changes it by less.

    The lowest accuracy of M that a choice led to stands beside them: a network that has not learnt moves everything.

    Args:
        units: of the study ``sensitivity``.
    """
    accuracy = {}
    for unit in units:
        key = title_of(unit.result["dataset"]), unit.result["varied"].replace("seed_offset", "seed")
        count = unit.result["model"]["test"]
        accuracy.setdefault(key, []).append(100 * count["k"] / count["n"])
    found = changes.moves([], units)
    largest = changes.ranges(found, "data set").set_index(["data set", "choice", "result"]).largest
    exceeding = changes.beyond_chance(found)
    rows = []
    for (dataset, choice), tried in found.groupby(["data set", "choice"], sort=False):
        row = {"data set": dataset, "choice": choices.LABELS[choice],
               "instead": ", ".join(dict.fromkeys(map(tables.written, tried.value))),
               "lowest accuracy (%)": round(min(accuracy[dataset, choice]), 1)}  # fmt: skip
        for result, label in changes.RESULTS.items():
            value = largest[dataset, choice, result]
            text = words.change(result, value)
            row[label] = f"{text} *" if (dataset, choice, result) in exceeding else text
        rows.append(row)
    return pd.DataFrame(rows)


def open_choices(units, retrained_units=()):
    """Every choice that the paper leaves open: what was used, why, and how much two results move with it.

    Args:
        units: of the study ``roi_roa``.
        retrained_units: of the study ``sensitivity``.

    Returns:
        DataFrame, a row a choice; the columns for cost and gain hold ranges in points, each with where it was
        measured (see :func:`.changes.moves`).
    """
    found = changes.moves(units, retrained_units)
    pooled = changes.ranges(found[found.measured != "retrained"])
    anew = changes.ranges(found[found.measured == "retrained"], "data set")
    moved = pd.concat([pooled.assign(where=pooled.measured), anew.assign(where="retrained, " + anew["data set"])])
    table = tables.open_choices(units, choices.REASONS, used=roi_roa.tables.used, labels=choices.LABELS)
    for result in changes.SCORES:
        texts = []
        for name in choices.REASONS:
            cells = moved[(moved.choice == name) & (moved.result == result)]
            ranges = [f"{c.where}: {words.range_of(result, c.low, c.high)}" for c in cells.itertuples()]
            texts.append("; ".join(ranges) or words.unmoved(name, result))
        table[f"{changes.RESULTS[result]} moves by"] = texts
    return table
