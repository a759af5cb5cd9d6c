"""Tables of the study ``curvature``: networks, Table 1, cost, choices, and what the definition of curvature changes.

Needs no torch.
"""

import numpy as np
import pandas as pd

from ...page import span, words
from ...records import seeds
from .published import IMAGES, NETWORK, SIDE, TABLE_ONE
from .results import named

#: The methods as a reader would write them.
METHODS = {
    "differences": "differences, logits",
    "fine": "differences, a tenth of the step",
    "softmax": "closed form, softmax",
    "twin": "smooth twin, Lanczos",
}


def accuracies(units):
    """How well each network classifies, with Wilson's intervals: DataFrame."""
    rows = []
    for unit in units:
        model, counts = unit.result["model"], unit.result["provenance"]["data"]["counts"]["train"]
        start = {"scratch": "random", "imagenet": "ImageNet"}[model["initialisation"]]
        twin, found = unit.result["twin_agreement"], unit.result["deepfool"]
        rows.append(
            {"network": named(unit), "seed": seeds.of(unit), "D": unit.result["dimensions"],
             "classes": len(unit.result["classes"]),
             "training images": sum(counts.values()) if start == "random" else "none of these",
             "initial weights": start,
             "test accuracy (%)": words.percent_of(model["test"]["k"], model["test"]["n"]),
             "n": model["test"]["n"],
             "on training images (%)": f"{100 * model['train']['k'] / model['train']['n']:.1f}",
             "mean norm of an image": round(found["image"], 2), "of DeepFool": round(found["norm"], 3),
             "fooled": f"{found['k']} of {found['n']}", "twin agrees": f"{twin['k']} of {twin['n']}"}
        )  # fmt: skip
    return pd.DataFrame(rows)


def table_one(units):
    """Table 1: ours and the paper's. Norms in units of 255 levels, rates in %.

    Returns:
        DataFrame: network, side, share of the original side, image, perturbation, relative (perturbation / image, %),
        accuracy, n, unaware f=1 … 10, aware f=1 … 10 (the paper has none).
    """
    rows = []
    for row in TABLE_ONE:
        rates = {f"f = {f}": f"{100 * rate:.2f}" for f, rate in row.fooled.items()}
        rows.append(
            {"network": f"the paper: {NETWORK}", "side": row.side, "share": row.side / SIDE, "image": row.image,
             "perturbation": row.perturbation, "accuracy (%)": f"{100 * row.accuracy:.2f}", "n": IMAGES} | rates
        )  # fmt: skip
    for unit in units:
        counts = unit.table("compression")
        for r in unit.table("compressed").itertuples():
            own = counts[counts.side == r.side]
            hit = own[own.measured == "accuracy"].iloc[0]
            cells = {
                f"{'f' if measured == 'unaware' else 'aware, f'} = {c.f}": words.percent_of(c.k, c.n)
                for measured in ("unaware", "aware")
                for c in own[own.measured == measured].itertuples()
            }
            rows.append(
                {"network": named(unit), "side": r.side, "share": r.share, "image": 255 * r.image,
                 "perturbation": 255 * r.perturbation,
                 "accuracy (%)": words.percent_of(hit.k, hit.n), "n": hit.n} | cells
            )  # fmt: skip
    table = pd.DataFrame(rows)
    table.insert(5, "ratio (%)", (100 * table.perturbation / table.image).round(2))
    return table.round({"share": 2, "image": 2, "perturbation": 2}).fillna("")


def widest():
    """Half the width of the widest Wilson interval of the paper's fooling rates, in points."""
    intervals = [row.interval(f) for row in TABLE_ONE for f in row.fooled]
    return 100 * max(one.high - one.low for one in intervals) / 2


def costs(units):
    """What curvature costs: gradients (a forward and a backward pass of one image) and memory, from the formulas.

    Returns:
        DataFrame, a row a unit and a method: n boundary points a class, D, K, gradients a class, numbers in memory.
    """
    rows = []
    for unit in units:
        size, classes = unit.result["dimensions"], len(unit.result["classes"])
        choices = unit.result["parameters"]["choices"]
        for method, n in zip(choices["methods"], choices["boundary"], strict=True):
            products = 2 * 2 * choices["lanczos"] + 1
            gradients, memory = {
                "softmax": (n * classes, n * classes * size),
                "twin": (2 * n * products, products * size),
            }.get(method, (2 * n * size, size**2))
            told = {"softmax": ("n K", "n K D"), "twin": (f"2 n m (m = {products})", f"m D (m = {products})")}
            formula = told.get(method, ("2 n D", "D²"))
            rows.append(
                {"network": named(unit), "method": METHODS[method], "n": n, "D": size, "K": classes,
                 "gradients a class": f"{formula[0]} = {gradients:,}", "numbers held": f"{formula[1]} = {memory:,}"}
            )  # fmt: skip
    return pd.DataFrame(rows)


def dependence(units):
    """Do Figs 3 and 4 depend on what is differentiated? Areas by method: DataFrame with intervals."""
    rows = []
    for unit in units:
        for method, found in unit.result["coupling"].items():
            for name in ("curved_flat", "curved_random", "positive_negative", "correlation", "beyond_dimension"):
                low, high = found[f"{name}_interval"]
                span_of = found.get(f"{name}_range", [np.nan] * 2)
                rows.append({"network": named(unit), "method": METHODS[method], "quantity": name, "value": found[name],
                             "low": low, "high": high, "n": found["images"], "from": span_of[0],
                             "to": span_of[1]})  # fmt: skip
    return pd.DataFrame(rows)


def hessians(units):
    """What each method measured, means over classes: DataFrame."""
    rows = []
    for unit in units:
        for method, own in unit.table("hessians").groupby("method", sort=False):
            rows.append(
                {"network": named(unit), "method": METHODS[method], "n": span(own.n),
                 "step": own.step.mean(), "asymmetry": own.asymmetry.mean(), "of one image": own.single.mean(),
                 "most positive": own.most_positive.mean(), "most negative": own.most_negative.mean()}
            )  # fmt: skip
    return pd.DataFrame(rows).round(3)


def agreement(units):
    """What two halves of the boundary points of a class share, by their number: DataFrame.

    Args:
        units: from :func:`halved`.
    """
    tables = [unit.table("halves").assign(network=named(unit)).replace({"method": METHODS}) for unit in units]
    return pd.concat(tables)[["network", "method", "class", "points", "dimension", "overlap", "expected"]]


def halved(units):
    """Those units that were recorded with halves of their boundary points, and had points enough for them."""
    return [unit for unit in units if "halves.csv" in unit.files and len(unit.table("halves"))]


def overlaps(units):
    """Overlap of the subspaces of two methods, by number of directions: DataFrame."""
    tables = [
        unit.table("overlaps")
        .assign(network=named(unit))
        .replace({"first": METHODS, "second": METHODS})
        .query("expected < 1")
        for unit in units
    ]
    table = pd.concat(tables)[["network", "first", "second", "d", "dimension", "overlap", "expected"]]
    return table.round(3)


def ends(table):
    """The table of :func:`overlaps` in short: each pair of definitions at the fewest and the most directions."""

    def told(row):
        return f"{row.overlap:.2f} (random {row.expected:.2f}) in {row.dimension} dimensions"

    return pd.DataFrame(
        {"network": network, "first": first, "second": second, "fewest": told(own.iloc[0]), "most": told(own.iloc[-1])}
        for (network, first, second), own in table.groupby(["network", "first", "second"], sort=False)
    )


def compressed(units):
    """The attacker who knows of the unit, and the loss of accuracy: DataFrame, a row a network and side."""
    rows = []
    for unit in units:
        for r in unit.table("compressed").itertuples():
            if r.share < 1:
                rows.append(
                    {"network": named(unit), "side": r.side, "fooled": f"{r.fooled} of {r.attacked}",
                     "norm, relative": words.bracketed(r.ratio, r.ratio_low, r.ratio_high, ".2f"),
                     "loss of accuracy": words.percent(r.loss, r.loss_low, r.loss_high)}
                )  # fmt: skip
    return pd.DataFrame(rows)


def libraries(units):
    """DeepFool by library: DataFrame."""
    tables = [unit.table("libraries").assign(network=named(unit)) for unit in units]
    table = pd.concat(tables)[["network", "library", "fooled", "tried", "mean", "sd", "ratio"]]
    return table.rename(columns={"mean": "mean norm", "ratio": "ratio to ours"}).round(4)


def universal(units):
    """How the universal perturbation grew: DataFrame, a row an epoch; rates in % with Wilson's intervals."""
    rows = []
    for unit in units:
        for one in unit.result["universal"]:
            rate = words.percent_of(one["k"], one["n"])
            rows.append(
                {"network": named(unit), "epoch": one["epoch"], "fooled (%)": rate, "n": one["n"],
                 "norm": round(one["l2"], 2), "norm / mean norm of an image": round(
                     one["l2"] / unit.result["deepfool"]["image"], 2)}
            )  # fmt: skip
    return pd.DataFrame(rows)
