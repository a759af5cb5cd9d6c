"""Charts of what stands against attackers who adapt. Needs no torch."""

import pandas as pd

from ... import evidence, metrics
from ...data import title_of
from ...page import NARROW, in_brackets
from ...page import panels as grid

#: The attacks in the order in which they are shown.
ATTACKS = {"clean": "no attack", "fgsm": "FGSM", "pgd": "PGD", "apgd": "APGD", "square": "Square"}
LOOKS = {
    "none": ("o", "#000000"), "own": ("s", "#0072B2"), "another network’s": ("D", "#D55E00"),
    "any class": ("^", "#009E73"),
}  # fmt: skip


def table(units):
    """A row a unit, direction, blob and attack: k of n images still classified, in %, with Wilson's interval."""
    rows = []
    for unit in units:
        for name, block in unit.result["directions"].items():
            for blob, scores in block["blobs"].items():
                for attack, count in scores.items():
                    low, high = metrics.wilson(**count)
                    rows.append(
                        {"data set": title_of(unit.result["dataset"]), "seed": unit.result["seed"], "direction": name,
                         "blob": blob, "attack": ATTACKS[attack], "accuracy": 100 * count["k"] / count["n"],
                         "low": 100 * low, "high": 100 * high, **count}
                    )  # fmt: skip
    return pd.DataFrame(rows)


def changes(units):
    """What each blob changes under each attack, mean over both classes, in points: a row a unit, blob and attack.

    Columns data set (with the seed, but for 0), blob, attack, ours, low, high (95 % interval over images, each scored
    with and without the blob), n, and ``empty``: the directions in which there is no blob, so that half of the change
    is none.
    """
    rows = []
    for unit in units:
        images, directions, seed = unit.table("images"), unit.result["directions"], unit.result["seed"]
        name = title_of(unit.result["dataset"]) + (f", seed {seed}" if seed else "")
        attacks = [attack for attack in ATTACKS if attack in images]
        for blob in (label for label in LOOKS if label != "none"):
            empty = ", ".join(way for way, block in directions.items() if not block["share"][blob])
            for attack in attacks:
                hits = [
                    [images[(images.direction == way) & (images.blob == which)][attack] for which in ("none", blob)]
                    for way in directions
                ]
                value, interval = evidence.balanced([evidence.change(*pair) for pair in hits])
                rows.append(
                    {"data set": name, "blob": blob, "attack": ATTACKS[attack], "ours": 100 * value,
                     "low": 100 * interval.low, "high": 100 * interval.high,
                     "n": sum(len(before) for before, _ in hits), "empty": empty}
                )  # fmt: skip
    return pd.DataFrame(rows)


def by_blob(table):
    """The table of :func:`changes` as a reader sees it: a column a blob."""
    wide = in_brackets(table).pivot_table("ours", ["data set", "attack"], "blob", aggfunc="first", sort=False)
    return wide.reset_index().rename_axis(columns=None)


def standing(units):
    """Accuracy under each attack, without a blob and with each: a panel a direction, a mark a blob."""
    data = table(units)
    panels = list(dict.fromkeys(zip(data["data set"], data.direction, strict=True)))
    figure, axes = grid(len(panels), columns=1, width=NARROW, height=1.9, margin=0.7, sharey=True)
    attacks = [name for name in ATTACKS.values() if name in set(data.attack)]
    for axis, (dataset, direction) in zip(axes, panels, strict=True):
        rows = data[(data["data set"] == dataset) & (data.direction == direction)]
        for i, (blob, (mark, colour)) in enumerate(LOOKS.items()):
            part = rows[rows.blob == blob]
            places = [attacks.index(name) + 0.16 * (i - 1.5) for name in part.attack]
            reach = [part.accuracy - part.low, part.high - part.accuracy]
            axis.errorbar(places, part.accuracy, reach, fmt=mark, ms=4, color=colour, lw=0.8, label=f"blob: {blob}")
        axis.set(title=f"{dataset}, {direction}", xticks=range(len(attacks)), xticklabels=attacks, ylim=(-4, 104))
    figure.supylabel("still classified (%)", fontsize=9)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=2, frameon=False, fontsize=8)
    return figure, data
