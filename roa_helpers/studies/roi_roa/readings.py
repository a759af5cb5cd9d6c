"""Every number that the paper prints beside what each reading of its procedure gives. Needs no torch.

The paper's text and the authors' pictures describe two procedures; the book adds a third definition of the RoA, by
gradient. All three are run on the same networks, so what they give can be told apart from what chance gives.
"""

import numpy as np
import pandas as pd

from ...data import title_of
from ...page import NARROW, drawing, name_rows
from .published import printed
from .results import SCORES, by_direction, defined, holding

#: The readings by name, as a reader would call them.
READINGS = {"perturbation": "text", "gradient": "by gradient", "published": "pictures"}
#: What an RoA without a single entry gives; a reading of Table I's individual SSIM alone.
ZERO = "no RoA at all"
#: Where readings come equally near.
SEVERAL = "several"
#: Rows of the catalogue: Tables I, II and III.
TABLES = {"A9": "I", "A10": "II", "A11": "III"}
#: Columns of :func:`table` that hold a reading.
COLUMNS = [*READINGS.values(), ZERO]


def table(units):
    """A row for each number that the paper prints of these units: what every reading gives, mean over seeds.

    Units that were recorded before every reading was run are left out.

    Returns:
        DataFrame: table, data set, direction, quantity, paper, n of the paper (NaN: not stated), the columns of
        ``COLUMNS`` (NaN: does not apply), nearest (the reading that comes nearest; ``ZERO`` does not compete),
        networks.
    """
    rows = []
    for group, name, blocks in by_direction(holding(units, "nulls")):
        for row, number in TABLES.items():
            for quantity in _QUANTITIES[row]:
                dataset = group[0].result["dataset"]
                paper = printed(row, dataset, blocks[0]["source"], blocks[0]["target"], quantity)
                if paper is None:
                    continue
                ours = {label: np.mean([_value(defined(block, reading), quantity) for block in blocks])
                        for reading, label in READINGS.items()}  # fmt: skip
                zero = np.mean([block["definitions"]["published"]["ssim"]["zero"]["mean"] for block in blocks])
                rows.append(
                    {"table": number, "data set": title_of(dataset), "direction": name,
                     "quantity": SCORES.get(quantity, quantity), "paper": paper.value, "n of the paper": paper.n}
                    | ours
                    | {ZERO: zero if quantity == "individual" else np.nan, "nearest": _nearest(ours, paper.value),
                       "networks": len(group)}
                )  # fmt: skip
    before = ["table", "data set", "direction", "quantity", "paper", "n of the paper"]
    return pd.DataFrame(rows, columns=[*before, *COLUMNS, "nearest", "networks"])


def _nearest(ours, paper):
    """The label whose value comes nearest to the paper's; ``SEVERAL`` where two come equally near."""
    apart = {label: abs(value - paper) for label, value in ours.items()}
    best = [label for label, distance in apart.items() if np.isclose(distance, min(apart.values()), atol=1e-9)]
    return best[0] if len(best) == 1 else SEVERAL


_QUANTITIES = {"A9": ("individual", "representative"), "A10": ("clean", "mod"), "A11": ("adv", "mod_adv")}


def _value(block, quantity):
    if quantity == "individual":
        return block["ssim"]["individual"]["mean"]
    if quantity == "representative":
        return block["ssim"]["representative"]
    count = block["scores"][quantity]
    return count["k"] / count["n"]


#: Quantities that do not depend on the reading, so that nothing can be told from them.
_SHARED = (SCORES["clean"], SCORES["adv"])


def told_apart(rows):
    """Rows of :func:`table` whose quantity depends on the reading."""
    return rows[~rows.quantity.isin(_SHARED)]


def distances(rows):
    """How far each reading lies from the paper: a row a table and quantity.

    Args:
        rows: of :func:`table`.

    Returns:
        DataFrame: table, quantity, n (numbers), mean absolute difference of each reading and of ``ZERO``, and in how
        many numbers each comes nearest.
    """
    found = []
    for (number, quantity), part in told_apart(rows).groupby(["table", "quantity"], sort=False):
        apart = part[COLUMNS].sub(part.paper, axis=0).abs().mean()
        nearest = {f"nearest: {label}": int((part.nearest == label).sum()) for label in (*READINGS.values(), SEVERAL)}
        found.append({"table": number, "quantity": quantity, "n": len(part)} | apart.round(4).to_dict() | nearest)
    return pd.DataFrame(found)


def chart(rows):
    """The paper's numbers (line) and what each reading gives (marks), by table: one panel a quantity."""
    rows = told_apart(rows)
    quantities = list(dict.fromkeys(rows.quantity))
    names = list(dict.fromkeys(rows["data set"] + ", " + rows.direction))
    figure, axes = drawing(NARROW, 1.3 + 0.36 * len(names), ncols=len(quantities), squeeze=False)
    at = name_rows(axes[0], names, height=0.36)
    looks = dict(zip(COLUMNS, (("o", "#0072B2"), ("s", "#E69F00"), ("D", "#D55E00"), ("x", "#666666")), strict=True))
    for axis, quantity in zip(axes[0], quantities, strict=True):
        part = rows[rows.quantity == quantity]
        places = [at(names.index(name)) for name in part["data set"] + ", " + part.direction]
        axis.plot(part.paper, places, "|", ms=14, mew=2.5, color="k", label="paper")
        for label, (mark, colour) in looks.items():
            axis.plot(part[label], places, mark, ms=5, color=colour, mfc="none", label=label)
        axis.set_title(quantity.replace(" ", "\n"), fontsize=7)
        axis.tick_params(labelsize=7)
        axis.locator_params(axis="x", nbins=3)
    figure.legend(
        *axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=2, frameon=False, fontsize=8
    )
    return figure, rows
