"""Charts of accuracy and of the defence by network. Needs no torch."""

import numpy as np
import pandas as pd

from ... import evidence, metrics
from ...data import title_of
from ...page import figures
from ...records import store
from ..roi_roa import published
from .choices import BASELINE, NETWORKS, PAPERS

#: Scored parts of the images: what a legend calls them, their mark and colour.
PARTS = {"test": ("test images", "o", "#0072B2"), "train": ("images it learnt from", "x", "#777777")}
#: Changes by the blob: label, table, columns before and after, mark, colour.
CHANGES = (
    ("clean images", "images", "clean", "mod, held out", "o", "#777777"),
    ("FGSM", "images", "adv", "mod_adv, held out", "s", "#0072B2"),
    ("FGSM, blob of the scored images", "images", "adv", "mod_adv, as in the paper", "D", "#D55E00"),
    ("PGD", "pgd", "pgd", "mod_pgd", "^", "#009E73"),
)
_STARTS = {"scratch": "from scratch", "imagenet": "after ImageNet"}


def called(result):
    """What a chart calls the network of a unit: architecture, what it learnt before, epochs, side of the images."""
    used, start = result["parameters"]["choices"], result["model"]["initialisation"]
    before = _STARTS.get(start, f"after {title_of(start)}")
    return f"{NETWORKS[result['network']]}, {before} ({used['epochs']} epochs, {used['size']} px)"


def _head(unit):
    result = unit.result
    return {"data set": title_of(result["dataset"]), "seed": result["seed"], "variant": result["variant"],
            "network": called(result), "baseline": result["variant"] == BASELINE,
            "papers": result["network"] in PAPERS}  # fmt: skip


def accuracies(units):
    """A row a unit and part of the images: accuracy in % with Wilson's interval, k of n; the paper's score_clean."""
    rows = []
    for unit in units:
        paper = published.clean_accuracy(unit.result["dataset"], unit.result["classes"])
        for part in PARTS:
            count = unit.result["model"][part]
            low, high = metrics.wilson(**count)
            rows.append(
                _head(unit) | {"images": part, "accuracy": 100 * count["k"] / count["n"], "low": 100 * low,
                               "high": 100 * high, **count, "paper": 100 * paper.value if paper else float("nan")}
            )  # fmt: skip
    return pd.DataFrame(rows)


def changes(units):
    """A row a unit and change by the blob, mean over both directions, in points, with its 95 % interval over images.

    Columns beside those of :func:`accuracies`: change, value, low, high, n; ``why``, where the blob of a direction is
    empty, so that nothing was changed.
    """
    rows = []
    for unit in units:
        directions = unit.result["directions"]
        for label, table, before, after, *_ in CHANGES:
            images = unit.table(table)
            hits = [images[images.direction == name] for name in directions]
            value, interval = evidence.balanced([evidence.change(own[before], own[after]) for own in hits])
            blob = "as in the paper" if "paper" in after else "held out"
            empty = [name for name, block in directions.items() if not block["share"][blob]]
            why = f"the blob is empty: {', '.join(empty)}" if empty else ""
            rows.append(_head(unit) | {"change": label, "value": 100 * value, "low": 100 * interval.low,
                                       "high": 100 * interval.high, "n": sum(map(len, hits)), "why": why})  # fmt: skip
    return pd.DataFrame(rows)


def regions(units):
    """A row a unit and direction: what FGSM leaves and aims at, SSIM of RoI and RoA, alignment beside its nulls."""
    rows = []
    for unit in units:
        aims = unit.result["parameters"]["choices"]["eps_target"]
        for (name, block), aim in zip(unit.result["directions"].items(), aims, strict=True):
            adv, ssim = block["scores"]["adv"], block["ssim"]
            row = {"direction": name, "ε": block["parameters"]["eps"], "score_adv": 100 * adv["k"] / adv["n"],
                   "aimed at": 100 * aim, "SSIM, individual": ssim["individual"]["mean"],
                   "SSIM, representative": ssim["representative"]}  # fmt: skip
            for region, label in (("roi", "RoI"), ("roa", "RoA")):
                one = block["alignment"][region]
                values = store.numbers([one["value"], one["untrained"], one["rolled"]])
                names = f"alignment of {label}", f"{label}, untrained", f"{label}, rolled"
                row |= dict(zip(names, values, strict=True))
            rows.append(_head(unit) | row)
    return pd.DataFrame(rows)


def _rows(data, series, *, key, value, xlabel):
    """A panel a data set, a line a network and a mark a series, each with its interval: the figure and its axes."""
    sets = list(dict.fromkeys(data["data set"]))
    lines = max(data[data["data set"] == one].groupby(["network", "seed"], sort=False).ngroups for one in sets)
    figure, axes = figures.panels(len(sets), columns=1, width=figures.NARROW, height=0.52 * lines + 0.6, margin=0.6)
    for axis, dataset in zip(axes, sets, strict=True):
        rows = data[data["data set"] == dataset]
        names = list(dict.fromkeys(zip(rows.network, rows.seed, strict=True)))
        several = len({seed for _, seed in names}) > 1
        labels = [f"{name}, seed {seed}" if several else name for name, seed in names]
        at = figures.name_rows([axis], labels, height=0.52)
        for i, (name, (label, mark, colour)) in enumerate(series.items()):
            part = rows[rows[key] == name]
            places = [names.index(one) for one in zip(part.network, part.seed, strict=True)]
            heights = [at(place, i, len(series)) for place in places]
            reach = [part[value] - part.low, part.high - part[value]]
            axis.errorbar(part[value], heights, xerr=reach, fmt=mark, ms=4, color=colour, lw=1.2, label=label)
        axis.set(title=dataset, xlabel=xlabel)
    return figure, axes, sets


def accuracy(units):
    """Accuracy by network, on test images and on those that it learnt from, beside the paper's (line)."""
    data = accuracies(units)
    figure, axes, sets = _rows(data, PARTS, key="images", value="accuracy", xlabel="accuracy (%)")
    for axis, dataset in zip(axes, sets, strict=True):
        paper = data[data["data set"] == dataset].paper.iloc[0]
        if np.isfinite(paper):
            axis.axvline(paper, color="k", lw=0.8, ls="--", label="the paper")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=2, frameon=False, fontsize=8)
    return figure, data


def gain(units):
    """Change of accuracy by the blob, mean over both classes, by network: on clean images, under FGSM and PGD."""
    data = changes(units)
    series = {label: (label, mark, colour) for label, _, _, _, mark, colour in CHANGES}
    figure, axes, _ = _rows(data, series, key="change", value="value", xlabel="change by the blob (points)")
    for axis in axes:
        axis.axvline(0, color="k", lw=0.8)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=2, frameon=False, fontsize=8)
    return figure, data
