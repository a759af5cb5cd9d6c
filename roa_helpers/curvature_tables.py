"""Tables of the study ``curvature``: networks, Table 1, cost, choices, and what the definition of curvature changes.

Needs no torch.
"""

import numpy as np
import pandas as pd

from . import metrics
from .papers import judge, minus
from .published_curvature import IMAGES, NETWORK, SIDE, TABLE_ONE, label

#: The methods as a reader would write them.
METHODS = {
    "differences": "differences, logits",
    "fine": "differences, a tenth of the step",
    "softmax": "closed form, softmax",
    "twin": "smooth twin, Lanczos",
}


def span(values, form=""):
    """“60 to 200”, or one number where all are equal as they are written."""
    ends = dict.fromkeys(minus(value, form) for value in (min(values), max(values)))
    return " to ".join(ends)


def accuracies(units):
    """How well each network classifies, with Wilson's intervals: DataFrame."""
    rows = []
    for unit in units:
        model, counts = unit.result["model"], unit.result["provenance"]["data"]["counts"]["train"]
        low, high = metrics.wilson(model["test"]["k"], model["test"]["n"])
        start = {"scratch": "random", "imagenet": "ImageNet"}[model["initialisation"]]
        twin, found = unit.result["twin_agreement"], unit.result["deepfool"]
        rows.append(
            {"network": label(unit), "D": unit.result["dimensions"], "classes": len(unit.result["classes"]),
             "training images": sum(counts.values()), "initial weights": start,
             "test accuracy (%)": _percent(model["test"]["k"] / model["test"]["n"], low, high),
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
                f"{'f' if measured == 'unaware' else 'aware, f'} = {c.f}": _percent(
                    c.k / c.n, *metrics.wilson(c.k, c.n)
                )
                for measured in ("unaware", "aware")
                for c in own[own.measured == measured].itertuples()
            }
            rows.append(
                {"network": label(unit), "side": r.side, "share": r.share, "image": 255 * r.image,
                 "perturbation": 255 * r.perturbation,
                 "accuracy (%)": _percent(hit.k / hit.n, *metrics.wilson(hit.k, hit.n)), "n": hit.n} | cells
            )  # fmt: skip
    table = pd.DataFrame(rows)
    table.insert(5, "ratio (%)", (100 * table.perturbation / table.image).round(2))
    return table.round({"share": 2, "image": 0, "perturbation": 1}).fillna("")


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
                {"network": label(unit), "method": METHODS[method], "n": n, "D": size, "K": classes,
                 "gradients a class": f"{formula[0]} = {gradients:,}", "numbers held": f"{formula[1]} = {memory:,}"}
            )  # fmt: skip
    return pd.DataFrame(rows)


def _percent(value, low, high):
    return f"{100 * value:.1f} [{100 * low:.1f}, {100 * high:.1f}]"


def dependence(units):
    """Do Figs 3 and 4 depend on what is differentiated? Areas by method: DataFrame with intervals."""
    rows = []
    for unit in units:
        for method, found in unit.result["coupling"].items():
            for name in ("curved_flat", "curved_random", "positive_negative", "correlation", "beyond_dimension"):
                low, high = found[f"{name}_interval"]
                span_of = found.get(f"{name}_range", [np.nan] * 2)
                rows.append({"network": label(unit), "method": METHODS[method], "quantity": name, "value": found[name],
                             "low": low, "high": high, "n": found["images"], "from": span_of[0],
                             "to": span_of[1]})  # fmt: skip
    return pd.DataFrame(rows)


def depends(table):
    """What :func:`dependence` says, in words: does a verdict change with the method?"""
    told = []
    names = {"curved_flat": "curved over flat directions", "curved_random": "curved over random directions"}
    for name, words in names.items():
        for network, rows in table[table.quantity == name].groupby("network", sort=False):
            found = [judge((r.low, r.high), 0.0) for r in rows.itertuples()]
            spread = span(rows.value, ".2f")
            same = (
                "the same verdict with every method" if len(set(found)) == 1 else "a verdict that depends on the method"
            )
            reached = ", ".join(f"{r.method} to {r.to:.0f}" for r in rows.itertuples())
            told.append(
                f"- {network}, {words}: {same} ({', '.join(dict.fromkeys(found))}), area {spread}. Dimensions "
                f"compared: {reached}."
            )
    return "\n".join(told)


def asymmetry(units):
    """What the step study shows, in words."""
    told = []
    for unit in units:
        table = unit.table("steps")
        wide = table.pivot(index="share", columns="quantity", values="asymmetry")
        exact = unit.result["exact_hessian"]
        best = wide["logits"][wide["logits"] > 0].idxmin() if (wide["logits"] > 0).any() else np.nan
        used = unit.result["parameters"]["choices"]["step"]
        told.append(
            f"- {label(unit)}: the exact Hessian of the logits times a random vector has norm {exact:g}. Differences "
            f"of them, on these directions, are least asymmetric, {wide['logits'].loc[best]:.2f}, at {best:g} of the "
            f"distance to the boundary, and {wide['logits'].loc[used]:.2f} at the step that is used; those of the "
            f"smooth twin reach {wide['twin'].min():.0e}."
        )
    return "\n".join(told)


def hessians(units):
    """What each method measured, means over classes: DataFrame."""
    rows = []
    for unit in units:
        for method, own in unit.table("hessians").groupby("method", sort=False):
            rows.append(
                {"network": label(unit), "method": METHODS[method], "n": span(own.n),
                 "step": own.step.mean(), "asymmetry": own.asymmetry.mean(), "of one image": own.single.mean(),
                 "most positive": own.most_positive.mean(), "most negative": own.most_negative.mean()}
            )  # fmt: skip
    return pd.DataFrame(rows).round(3)


def overlaps(units):
    """Overlap of the subspaces of two methods, by number of directions: DataFrame."""
    tables = [
        unit.table("overlaps")
        .assign(network=label(unit))
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


def few(units):
    """How many of the most curved dimensions hold nine tenths of the accuracy, in words."""
    told = []
    for unit in units:
        table, method = unit.table("accuracy"), unit.result["parameters"]["choices"]["methods"][0]
        own = table[(table.method == method) & (table.kind == "both") & (table.part == "test")].sort_values("dimension")
        bare = unit.table("compression").query("measured == 'accuracy'").sort_values("side").iloc[-1]
        size, last = unit.result["dimensions"], own.iloc[-1]
        enough = own[own.k / own.n >= 0.9 * bare.k / bare.n]
        told.append(f"- {label(unit)}: " + (
            f"{enough.iloc[0].dimension} of {size} dimensions ({enough.iloc[0].dimension / size:.0%})."
            if len(enough)
            else f"not reached; {last.k / last.n:.0%} accuracy at {last.dimension} of {size}, the last computed."
        ))  # fmt: skip
    return "Smallest S_neg∪pos tried that keeps nine tenths of the bare accuracy:\n\n" + "\n".join(told)


def beyond(units):
    """How large perturbations are at f = 10, in words."""
    shares = [10 * unit.result["deepfool"]["norm"] / unit.result["deepfool"]["image"] for unit in units]
    told = ", ".join(f"{label(unit)} {share:.0%}" for unit, share in zip(units, shares, strict=True))
    return (
        "The paper scales perturbations only while they stay far smaller than images: at f = 10 they have 2.4 % of the "
        f"norm of its images. Here they have more: {told}. Above 100 % a perturbation outweighs the image, and a "
        "changed prediction says nothing of the compression."
    )


def beside_random(units):
    """How the errors of the three shapes along curved directions compare with a random direction, in words."""
    names = {"odd": "symmetry", "backward": "monotony", "interaction": "separability"}
    told = []
    for measure, words in names.items():
        found = [unit.result["shapes"][measure] for unit in units]
        pairs = [(one[kind], one["random"]) for one in found for kind in ("positive", "negative")]
        smaller = sum(own["high"] < random["low"] for own, random in pairs)
        random = span([one["random"]["mean"] for one in found], ".2f")
        told.append(f"of {words} in {smaller} of {len(pairs)} cases (random: {random})")
    return (
        "Are curved directions special in this? Along a random direction nothing of the kind is claimed. The interval "
        f"of the error along a curved direction lies below that along a random one: {'; '.join(told)}. Where a random "
        "direction is as symmetric, symmetry says little about curvature."
    )


def compressed(units):
    """The attacker who knows of the unit, and the loss of accuracy: DataFrame, a row a network and side."""
    rows = []
    for unit in units:
        for r in unit.table("compressed").itertuples():
            if r.share < 1:
                rows.append(
                    {"network": label(unit), "side": r.side, "fooled": f"{r.fooled} of {r.attacked}",
                     "norm, relative": f"{r.ratio:.2f} [{r.ratio_low:.2f}, {r.ratio_high:.2f}]",
                     "loss of accuracy": minus(100 * r.loss, ".1f")
                     + f" [{minus(100 * r.loss_low, '.1f')}, {minus(100 * r.loss_high, '.1f')}]"}
                )  # fmt: skip
    return pd.DataFrame(rows)


def at_one_dimension(units):
    """S_hi beside S_lo at equal dimension, in words."""
    told = []
    for unit in units:
        wide = unit.table("confined").pivot(index="dimension", columns="order", values=["median", "image"])
        wide = wide[wide.index < wide.index.max()]
        smaller = int((wide["median"]["hi"] < wide["median"]["lo"]).sum())
        larger = int((wide["image"]["hi"] > wide["image"]["lo"]).sum())
        told.append(
            f"- {label(unit)}: of {len(wide)} dimensions below the whole space, S_hi needs the smaller perturbation in "
            f"{smaller} and holds the larger image in {larger}."
        )
    return "\n".join(told)


def bridged(units):
    """What the bridge shows, in words: where the energy of curved directions lies beyond the share of pixels."""
    names = {"roi": "the RoI", "roa": "the RoA", "not_u_v": "U−V+"}
    told = []
    for unit in units:
        table = unit.table("bridge")
        own = table[(table.definition == "perturbation") & (table.kind == "curved")].set_index("region")
        parts = []
        for region, words in names.items():
            one = own.loc[region]
            verdict = judge((one.low, one.high), 0.0)
            than = {"reproduced": "more than", "contradicted": "less than", "undecided": "not clearly other than"}
            parts.append(
                f"{words} holds {100 * one.energy:.1f} %, {than[verdict]} its {100 * one.pixels:.1f} % of the pixels"
                + (" (nearly the whole image, so this says nothing)" if one.pixels > 0.95 else "")
            )
        told.append(f"- {label(unit)}: {'; '.join(parts)}.")
    return "Energy of the most curved directions, RoA by perturbation:\n\n" + "\n".join(told)


def libraries(units):
    """DeepFool by library: DataFrame."""
    tables = [unit.table("libraries").assign(network=label(unit)) for unit in units]
    table = pd.concat(tables)[["network", "library", "fooled", "tried", "mean", "sd", "ratio"]]
    return table.rename(columns={"mean": "mean norm", "ratio": "ratio to ours"}).round(4)


def on_libraries(table):
    """What the table of :func:`libraries` shows, in words."""
    others = table[table.library != "roa-helpers"]
    if others.empty:
        return "No other library was installed where these units were computed, so there is nothing to compare with."
    return f"Norms of other libraries are {span(others['ratio to ours'], '.3f')} of ours."


def sample(units):
    """How many test images figures rest on, in words."""
    counts = [next(iter(unit.result["coupling"].values()))["images"] for unit in units]
    return f"{span(counts)} test images a network"


def universal(units):
    """How the universal perturbation grew: DataFrame, a row an epoch; rates in % with Wilson's intervals."""
    rows = []
    for unit in units:
        for one in unit.result["universal"]:
            rate = _percent(one["k"] / one["n"], *metrics.wilson(one["k"], one["n"]))
            rows.append(
                {"network": label(unit), "epoch": one["epoch"], "fooled (%)": rate, "n": one["n"],
                 "norm": round(one["l2"], 2), "norm / mean norm of an image": round(
                     one["l2"] / unit.result["deepfool"]["image"], 2)}
            )  # fmt: skip
    return pd.DataFrame(rows)
