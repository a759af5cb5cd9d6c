"""What the units of this study say, in sentences: Markdown made of their numbers. Needs no torch."""

from collections import Counter

import numpy as np
import pandas as pd

from ...page import capitalised, claims, listed, span, words
from ...records import seeds
from .choices import FACTORS
from .claims import CLAIMS, STATEMENTS
from .published import TABLE_ONE
from .results import named, scaled_norm
from .tables import METHODS

#: The choices as a reader calls them, where that is more than their name.
LABELS = {
    "step": "step of differences", "methods": "definitions of curvature", "boundary": "boundary points a class",
    "halves": "points in a half at most",
    "candidates": "classes that DeepFool tries", "sharpness": "β of the smooth twin", "eps": "ε of FGSM",
    "deepfool_steps": "steps of DeepFool", "radius": "norm of universal perturbations", "delta1": "δ₁",
    "reach": "how far images are moved", "energy": "directions of the bridge", "delta2": "δ₂",
    "delta2_gradient": "δ₂ of the gradient", "width": "width of the layers",
}  # fmt: skip


def findings(statement, table):
    """A statement, the rule of each of its claims, and its verdicts in words: Markdown.

    Args:
        statement: key of ``STATEMENTS``.     table: from :func:`roa_helpers.page.claims.verdicts`.
    """
    lines = [f"**The paper: {STATEMENTS[statement][0].lower()}{STATEMENTS[statement][1:]}.**", ""]
    for claim in CLAIMS:
        rows = claims.of_units(table[table.id == claim.id])
        if claim.statement == statement and len(rows):
            told, known = claims.told(rows, form=".2f"), rows.ours.dropna()
            spread = f" Values: {span(known, '.2f')}." if len(known) else ""
            lines.append(f"- {capitalised(claim.text)}: {told}.{spread} Rule: {claim.rule}.")
    return "\n".join(lines)


def depends(table):
    """What :func:`.curvature.tables.dependence` says, in words: do areas point elsewhere with another method?"""
    names = {"curved_flat": "curved over flat directions", "curved_random": "curved over random directions"}
    told = []
    for network, own in table[table.quantity.isin(names)].groupby("network", sort=False):
        parts = []
        for quantity, rows in own.groupby("quantity", sort=False):
            found = dict.fromkeys(_side(row.low, row.high) for row in rows.itertuples())
            same = "the same with every method" if len(found) == 1 else "it depends on the method"
            parts.append(f"{names[quantity]}, {same} ({', '.join(found)}), area {span(rows.value, '.2f')}")
        reached = [f"{method} ({span(rows.to, '.0f')})" for method, rows in own.groupby("method", sort=False)]
        told.append(f"- {network}: {'; '.join(parts)}. Compared up to dimension: {'; '.join(reached)}.")
    return "\n".join(told)


def _side(low, high):
    """Where an interval lies."""
    return "above 0" if low > 0 else "below 0" if high < 0 else "around 0"


def asymmetry(units):
    """What the step study shows, in words."""
    told = []
    for name, group in _kinds(units):
        exact = span([unit.result["exact_hessian"] for unit in group], "g")
        head = f"- {name}: the exact Hessian of the logits times a random vector has norm {exact}."
        found = [one for one in map(_least_asymmetric, group) if np.isfinite(one[0])]
        if not found:
            told.append(f"{head} Differences of them, on these directions, find none at any step.")
            continue
        least, at, used, twin = zip(*found, strict=True)
        told.append(
            f"{head} Differences of them, on these directions, are least asymmetric, {span(least, '.2f')}, at "
            f"{span(at, 'g')} of the distance to the boundary, and {span(used, '.2f')} at the step that is used; those "
            f"of the smooth twin reach {span(twin, '.0e')}."
        )
    return "\n".join(told)


def _least_asymmetric(unit):
    """(least asymmetry of the logits' differences, at which step, at the step that is used; least of the twin's)."""
    wide = unit.table("steps").pivot(index="share", columns="quantity", values="asymmetry")
    curved = wide["logits"][wide["logits"] > 0]
    at = curved.idxmin() if len(curved) else np.nan
    used = wide["logits"].loc[unit.result["parameters"]["choices"]["step"]]
    return curved.min(), at, used, wide["twin"].min()


def _kinds(units):
    """(name, units) of networks that differ in their seed alone; the name says how many they are if several."""
    for group in seeds.groups(units):
        yield named(group[0]) + (f", {len(group)} networks" if len(group) > 1 else ""), group


def enough(units):
    """How much two halves of the boundary points share, and two sets of the number before, in words.

    Args:
        units: from :func:`.curvature.tables.halved`.
    """
    told, most = [], []
    for name, group in _kinds(units):
        choices = group[0].result["parameters"]["choices"]
        used = dict(zip(choices["methods"], choices["boundary"], strict=True))
        halves = pd.concat([unit.table("halves").assign(seed=seeds.of(unit)) for unit in group])
        for method, own in halves.groupby("method", sort=False):
            classes = own.sort_values("points").groupby(["seed", "class"])
            last, before = classes.nth(-1), classes.nth(-2)
            largest = last.groupby("seed")[["overlap", "expected"]].mean()
            text = f"{_sets(last)} share {span(largest.overlap, '.2f')} (random: {span(largest.expected, '.2f')})"
            if len(before):
                text += f", {_sets(before)} {span(before.groupby('seed').overlap.mean(), '.2f')}"
            told.append(
                f"- {name}, {METHODS[method]}: {text}; the directions rest on up to {used[method]} points a class."
            )
            most.append(largest.overlap.mean())
    half = sum(share >= 0.5 for share in most)
    closing = (
        f"The two largest sets share half of their subspace or more in {half} of {words.counted(len(most), 'line')}. "
        "Where they share less, other points would give other directions: what this page says holds of those that "
        "were found, not of those that all images would give."
    )
    return "\n".join(told) + "\n\n" + closing


def _sets(table):
    """“two sets of 4 to 8 points”, of rows of the table of halves."""
    return f"two sets of {span(table.points)} " + ("point" if set(table.points) == {1} else "points")


def untaught(units):
    """Which networks were not trained here, and what their accuracy says, in words; empty where there are none."""
    told = [unit for unit in units if unit.result["model"]["initialisation"] == "imagenet"]
    if not told:
        return ""
    names = " and ".join(f"{named(unit)}, whose weights are from {_source(unit)}" for unit in told)
    return (
        f"Not trained here: {names}. Of ImageNet’s thousand logits those of the data set’s classes are kept. Most of "
        "Imagenette’s pictures, its validation part included, are training pictures of ImageNet, which such a network "
        "has learnt: its accuracy says nothing about new pictures, and its directions, attacks and losses of accuracy "
        "are those of pictures it knows. It is one network whatever the seed, so it decides no claim."
    )


def _source(unit):
    return unit.result["model"]["weights"]["source"]


def drawn(units):
    """Which of several networks of one kind pictures and charts show, in words; empty where there is one of each."""
    several = [group for group in seeds.groups(units) if len(group) > 1]
    if not several:
        return ""
    told = "; ".join(f"{named(group[0])}, seeds {listed([str(seeds.of(unit)) for unit in group])}" for group in several)
    return (
        f"Several networks were trained of {told}, on the same training images. The box, the verdicts and sentences "
        "that name their number count each; pictures, charts, the tables with them and the comparison of definitions "
        "show the one with the lowest seed."
    )


def few(units):
    """How many of the most curved dimensions hold nine tenths of the accuracy, in words."""
    told = [f"- {text}." for text in held(units)]
    return "Smallest S_neg∪pos tried that keeps nine tenths of the bare accuracy:\n\n" + "\n".join(told)


def held(units):
    """How many of the most curved dimensions hold nine tenths of the accuracy, in words: a text a kind of network."""
    for name, group in _kinds(units):
        size, found = group[0].result["dimensions"], [_enough(unit, "both") for unit in group]
        reached = [dimension for dimension, _ in found if dimension is not None]
        missed = [last for dimension, last in found if dimension is None]
        told = []
        if reached:
            random = [_enough(unit, "random")[0] for unit in group]
            by_chance = "not by all" if None in random else span(random)
            share = span([one / size for one in reached], ".0%")
            told.append(f"{span(reached)} of {size} dimensions ({share}; random ones: {by_chance})")
        if missed:
            whose = f" by {len(missed)} of them" if reached else ""
            told.append(
                f"not reached{whose} ({span([last.k / last.n for last in missed], '.0%')} accuracy at "
                f"{span([last.dimension for last in missed])} of {size}, the last computed)"
            )
        yield f"{name}: {', '.join(told)}"


def _enough(unit, kind):
    """(the smallest dimension tried that holds nine tenths of the accuracy, or None; the row of the last computed)."""
    table, method = unit.table("accuracy"), unit.result["parameters"]["choices"]["methods"][0]
    own = table[(table.method == method) & (table.kind == kind) & (table.part == "test")].sort_values("dimension")
    bare = unit.table("compression").query("measured == 'accuracy'").sort_values("side").iloc[-1]
    enough = own.dimension[own.k / own.n >= 0.9 * bare.k / bare.n]
    return int(enough.iloc[0]) if len(enough) else None, own.iloc[-1]


def beyond(units):
    """How large perturbations are at the largest f, in words."""
    f, paper = FACTORS[-1], TABLE_ONE[0]
    told = []
    for name, group in _kinds(units):
        told.append(f"{name}, {span([scaled_norm(unit) for unit in group], '.0%')}")
    return (
        f"The paper scales perturbations only while they stay far smaller than images: at f = {f} they have "
        f"{100 * f * paper.perturbation / paper.image:.1f} % of the norm of its images. Ours have: "
        f"{'; '.join(told)}. Above 100 % a perturbation outweighs the image, and a changed prediction says nothing of "
        "the compression."
    )


def beside_random(units):
    """How the errors of the three shapes along curved directions compare with a random direction, in words."""
    names = {"odd": "symmetry", "backward": "monotony", "interaction": "separability"}
    told = []
    for measure, name in names.items():
        random = span([unit.result["shapes"][measure]["random"]["mean"] for unit in units], ".2f")
        told.append(f"of {name} in {_below_random(units, measure)} (random: {random})")
    return (
        "Are curved directions special in this? Along a random direction nothing of the kind is claimed. The interval "
        "of the error along a curved direction, a network and sign each, lies below that along a random one: "
        f"{'; '.join(told)}. Where a random direction is as symmetric, symmetry says little about curvature."
    )


def more_symmetric(units):
    """In how many of their curved directions networks are clearly more symmetric than along a random one, in words."""
    return "; ".join(f"{name}: {_below_random(group, 'odd')}" for name, group in _kinds(units))


def _below_random(units, measure):
    """“3 of 6”: for how many networks and signs the error's interval lies below that along a random direction."""
    errors = [unit.result["shapes"][measure] for unit in units]
    found = [one[kind]["high"] < one["random"]["low"] for one in errors for kind in ("positive", "negative")]
    return f"{sum(found)} of {len(found)}"


def at_one_dimension(units):
    """S_hi beside S_lo at equal dimension, in words."""
    told = []
    for name, group in _kinds(units):
        found = []
        for unit in group:
            wide = unit.table("confined").pivot(index="dimension", columns="order", values=["median", "image"])
            wide = wide[wide.index < wide.index.max()]
            smaller, larger = wide["median"]["hi"] < wide["median"]["lo"], wide["image"]["hi"] > wide["image"]["lo"]
            found.append((len(wide), int(smaller.sum()), int(larger.sum())))
        count, smaller, larger = (span(numbers) for numbers in zip(*found, strict=True))
        told.append(
            f"- {name}: of {count} dimensions below the whole space, S_hi needs the smaller perturbation in {smaller} "
            f"and holds the larger image in {larger}."
        )
    return "\n".join(told)


def bridged(units):
    """What the bridge shows, in words: where the energy of curved directions lies beyond the share of pixels."""
    names = {"roi": "the RoI", "roa": "the RoA", "not_u_v": "U−V+"}
    than = {"above 0": "more than", "below 0": "less than", "around 0": "not clearly other than"}
    told = []
    for network, group in _kinds(units):
        bridges = pd.concat([unit.table("bridge") for unit in group])
        own = bridges[(bridges.definition == "perturbation") & (bridges.kind == "curved")]
        parts = []
        for region, name in names.items():
            rows = own[own.region == region]
            sides = Counter(than[_side(row.low, row.high)] for row in rows.itertuples())
            share = ", ".join(f"by {k} {side}" for side, k in sides.items()) if len(sides) > 1 else next(iter(sides))
            parts.append(
                f"{name} holds {span(100 * rows.energy, '.1f')} %, {share} its {span(100 * rows.pixels, '.1f')} % of "
                "the pixels" + (" (nearly the whole image, so this says nothing)" if rows.pixels.min() > 0.95 else "")
            )
        told.append(f"- {network}: {'; '.join(parts)}.")
    return "Energy of the most curved directions, RoA by perturbation:\n\n" + "\n".join(told)


def on_libraries(table):
    """What the table of :func:`.curvature.tables.libraries` shows, in words."""
    others = table[table.library != "roa-helpers"]
    if others.empty:
        return "No other library was installed where these units were computed, so there is nothing to compare with."
    return f"Norms of other libraries are {span(others['ratio to ours'], '.3f')} of ours."


def sample(units):
    """How many test images figures rest on, in words."""
    counts = [next(iter(unit.result["coupling"].values()))["images"] for unit in units]
    return f"{span(counts)} test images a network"
