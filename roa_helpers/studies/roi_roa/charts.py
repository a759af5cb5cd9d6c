"""Charts of this study's pages: numbers of finished units as matplotlib figures, each with the data plotted.

Needs no torch. :func:`roa_helpers.page.figures.show` puts them on a page.
"""

import textwrap

import numpy as np
import pandas as pd
from matplotlib.lines import Line2D

from ... import evidence, metrics
from ...data import title_of
from ...page import NARROW, REGION_COLOURS, REGION_LABELS, claims, drawing, look, name_rows, panels
from ...records import seeds
from .claims import CLAIMS, registration
from .maps import coloured_regions, example, four_regions
from .published import printed
from .results import SCORES, by_direction, named, setting_of

SCORE_COLOURS = {"clean": "#000000", "adv": "#D55E00", "mod": "#0072B2", "mod_adv": "#009E73"}


def utility_vulnerability(unit, k, *, definition="gradient"):
    """Fig. 2 from real pixels: each pixel of one example by utility and vulnerability, in its region's colour."""
    block = list(unit.result["directions"].values())[k]
    setting = setting_of(block, definition)
    maps = example(unit, k)
    u, v = maps["importance"], maps[f"vulnerability_{definition}"]
    figure, (left, right) = drawing(NARROW, 5.2, nrows=2, height_ratios=(1.3, 1))
    masks = four_regions(u, v, setting["delta1"], setting["delta2"])
    for name, mask in masks.items():
        left.plot(
            u[mask], v[mask], ".", ms=3, color=REGION_COLOURS[name], label=f"{REGION_LABELS[name]} ({mask.mean():.0%})"
        )
    left.axvline(setting["delta1"], color="k", lw=0.8, ls="--")
    left.axhline(setting["delta2"], color="k", lw=0.8, ls="--")
    left.set(
        xlabel="utility U: scaled Grad-CAM", ylabel="vulnerability V: scaled gradient norm", xlim=(0, 1), ylim=(0, 1)
    )
    left.legend(loc="upper right", frameon=True, markerscale=3)
    right.imshow(coloured_regions(maps["image"], masks))
    right.set_axis_off()
    table = pd.DataFrame({"utility": u.ravel().round(4), "vulnerability": v.ravel().round(4)})
    return figure, table.assign(region=np.select([m.ravel() for m in masks.values()], list(masks), default=""))


def usefulness(units):
    """Section II-C: ρ̂ against γ̂ of the penultimate features; below 0 on the γ axis lies the non-robust part."""
    figure, axes = panels(len(units), columns=2, width=NARROW, height=2.0)
    tables = []
    for axis, unit in zip(axes, units, strict=True):
        table = unit.table("features")
        tables.append(table.assign(unit=unit.path.name))
        robust = table.gamma > 0
        axis.axhline(0, color="k", lw=0.8)
        axis.plot(table.rho[robust], table.gamma[robust], "o", ms=4, color="#0072B2", label="robust")
        axis.plot(table.rho[~robust], table.gamma[~robust], "^", ms=4, color="#D55E00", label="non-robust")
        eps = np.max(unit.result["parameters"]["eps"])
        axis.set_title(f"{title_of(unit.result['dataset'])}, ε = {eps:.3g}", fontsize=8)
    figure.supxlabel("ρ̂: usefulness", fontsize=9)
    figure.supylabel("γ̂: usefulness under attack", fontsize=9)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=2, frameon=False)
    return figure, pd.concat(tables)


def similarity_histogram(units):
    """Table I as a picture: SSIM of RoI and RoA of each image (of all seeds), with our mean and the paper's."""
    rows = list(by_direction(units))
    figure, axis = drawing(NARROW, 0.5 * len(rows) + 0.9)
    at = name_rows([axis], [named(pair[0], name) for pair, name, _ in rows], height=0.5)
    data, marked = [], False
    for row, (pair, name, blocks) in enumerate(rows):
        images = pd.concat([unit.table("images") for unit in pair])
        values = images[(images.direction == name) & (images.definition == "perturbation")].ssim
        spread = np.random.default_rng(0).uniform(-0.25, 0.25, len(values))
        axis.plot(values, at(row) + spread, ".", ms=3, color="#56B4E9", alpha=0.6)
        axis.plot(values.mean(), at(row), "o", color="#0072B2", ms=6, label="our mean" if row == 0 else None)
        dataset = pair[0].result["dataset"]
        paper = printed("A9", dataset, blocks[0]["source"], blocks[0]["target"], "individual")
        if paper:
            axis.plot(paper.value, at(row), "D", color="#D55E00", ms=6, label=None if marked else "the paper’s mean")
            marked = True
        data.append(pd.DataFrame({"data set": title_of(dataset), "direction": name, "ssim": values}))
    axis.set(xlabel="SSIM of RoI and RoA, one dot an image")
    figure.legend(loc="outside upper center", ncols=2, frameon=False)
    return figure, pd.concat(data)


def score_curves(units, axis_name):
    """Tables II and III as curves over ε or over θ on test images; dashed: the value used (of each seed)."""
    rows, data = list(by_direction(units)), []
    figure, axes = panels(len(rows), columns=2, width=NARROW, height=1.7, margin=0.5, sharex=True, sharey=True)
    for axis, (pair, name, blocks) in zip(axes, rows, strict=True):
        table = pd.concat([unit.table("curves") for unit in pair])
        table = table[(table.direction == name) & (table["axis"] == axis_name)]
        for score, points in table.groupby("score"):
            found = {
                at: seeds.across(
                    [(k / n, metrics.wilson(k, n), n) for k, n in zip(c.k, c.n, strict=True)], limits=(0, 1)
                )
                for at, c in points.groupby("at")
            }
            values, bounds = ([100 * np.array(one[i]) for one in found.values()] for i in (0, 1))
            axis.fill_between(list(found), *np.array(bounds).T, color=SCORE_COLOURS[score], alpha=0.15, lw=0)
            axis.plot(list(found), values, "o-", ms=2.5, lw=1.2, color=SCORE_COLOURS[score], label=SCORES[score])
            data += [
                {"data set": title_of(pair[0].result["dataset"]), "direction": name, "axis": axis_name, "at": at,
                 "score": SCORES[score], "share": value, "low": interval.low, "high": interval.high, "n": n}
                | seeds.columns(pair)
                for at, (value, interval, n) in found.items()
            ]  # fmt: skip
        for used in {block["parameters"][axis_name] for block in blocks}:
            axis.axvline(used, color="k", lw=0.8, ls="--")
        axis.set_title(named(pair[0], name).replace(": ", "\n"), fontsize=8)
        axis.set_ylim(-4, 104)
    if axis_name == "eps":
        axes[0].set_xscale("log")
    figure.supxlabel({"eps": "ε", "theta": "θ"}[axis_name], fontsize=9)
    figure.supylabel("accuracy (%)", fontsize=9)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=2, frameon=False)
    return figure, pd.DataFrame(data)


#: The blobs that are compared: key of the controls (None: the paper's blob), label, colour, marker.
BLOBS = (
    (None, "blob from the test images", "#0072B2", "o"),
    ("held out", "blob from validation images", "#009E73", "D"),
    ("random", "as many random pixels", "#999999", "s"),
    ("in the RoI", "as many pixels in the RoI", "#E69F00", "^"),
    ("in U−V−", "as many pixels in U−V−", "#CC79A7", "v"),
)
#: The threats that are compared: label, colour, marker, table of hits, score before, score after.
THREATS = (
    ("the paper’s: FGSM on neutralised images", "#0072B2", "o", "images", "adv", "mod_adv"),
    ("FGSM, unaware of the defence", "#009E73", "D", "images", "adv", "adv_mod"),
    ("FGSM, aware of the defence", "#D55E00", "s", "images", "adv", "mod_adv_mod"),
    ("PGD on neutralised images", "#000000", "^", "threats", "pgd", "mod_pgd"),
)


def change_plot(units, before, after):
    """The change between two scores of the same images: the paper's blob and the controls, with intervals.

    Returns:
        (figure, DataFrame: data set, direction, blob, change, low, high, n, profile, seeds).
    """
    series = [
        (label, colour, marker, "images", before, after if key is None else f"{after}, {key}")
        for key, label, colour, marker in BLOBS
    ]
    return _changes(units, series, "blob", f"{SCORES[after]} − {SCORES[before]} (points)")


def threat_plot(units):
    """The change of accuracy under attack by the paper's blob, for attackers that differ in what they know and do.

    Returns:
        (figure, DataFrame: data set, direction, threat, change, low, high, n, profile, seeds).
    """
    return _changes(units, THREATS, "threat", "accuracy with the blob − without, under the same attack (points)")


def tilts(changes):
    """The change by the paper's blob in the one direction beside that in the other: a row a pair of classes.

    Args:
        changes: from :func:`change_plot`.

    Returns:
        DataFrame: data set, profile, seeds, and direction, change, low, high of the first and of the second direction.
    """
    own = changes[changes.blob == BLOBS[0][1]]
    keys = ["data set", "profile", "seeds"]
    first, second = (own[own.groupby(keys).cumcount() == k] for k in (0, 1))
    columns = [*keys, "direction", "change", "low", "high"]
    return first[columns].merge(second[columns], on=keys, suffixes=(", first", ", second"))


def tilt_plot(tables):
    """One direction against the other: a tilt of M toward one class raises one score and lowers the other.

    Args:
        tables: of :func:`tilts`, by title.
    """
    figure, axes = drawing(NARROW, 3.0 * len(tables) + 0.5, nrows=len(tables), squeeze=False)
    for axis, (title, pairs) in zip(axes[:, 0], tables.items(), strict=True):
        axis.axhline(0, color="k", lw=0.8)
        axis.axvline(0, color="k", lw=0.8)
        for _, row in pairs.iterrows():
            colour, marker = look(row["data set"])
            x, y = (100 * row[f"change, {side}"] for side in ("first", "second"))
            axis.plot([100 * row["low, first"], 100 * row["high, first"]], [y, y], color=colour, lw=1)
            axis.plot([x, x], [100 * row["low, second"], 100 * row["high, second"]], color=colour, lw=1)
            axis.plot(x, y, marker, color=colour, ms=6, label=row["data set"])
        axis.set(title=title, ylabel="second class → first (points)")
    axes[-1, 0].set_xlabel("change, first class → second (points)")
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3, frameon=False, fontsize=8)
    return figure


def against_controls(units, after):
    """A score with the paper's blob − with each control, same images: the columns of :func:`change_plot`."""
    return pd.DataFrame([
        _change(pair, name, "images", f"{after}, {key}", after) | {"blob": label}
        for key, label, _, _ in BLOBS[1:]
        for pair, name, _ in by_direction(units)
    ])  # fmt: skip


def _change(pair, name, table, before, after):
    """The change of a score of the same images, with its interval, of a direction."""
    estimates = []
    for unit in pair:
        rows = unit.table(table)
        rows = rows[(rows.direction == name) & (rows.get("definition", "perturbation") == "perturbation")]
        estimates.append((*evidence.change(rows[before], rows[after]), len(rows)))
    value, interval, n = seeds.across(estimates, limits=(-1, 1))
    return {"data set": title_of(pair[0].result["dataset"]), "direction": name, "change": value,
            "low": interval.low, "high": interval.high, "n": n} | seeds.columns(pair)  # fmt: skip


def _changes(units, series, key, xlabel):
    """Intervals of changes: a band of rows for each direction, a row in it for each of ``series``."""
    rows, data = list(by_direction(units)), []
    height = 0.11 * len(series) + 0.22
    figure, axis = drawing(NARROW, height * len(rows) + 1.0 + 0.15 * len(series))
    at = name_rows([axis], [named(pair[0], name) for pair, name, _ in rows], height=height)
    for row, (pair, name, _) in enumerate(rows):
        for i, (label, colour, marker, table, before, after) in enumerate(series):
            found = _change(pair, name, table, before, after)
            y = at(row, i, len(series))
            axis.plot([100 * found["low"], 100 * found["high"]], [y, y], color=colour, lw=1.3)
            axis.plot(100 * found["change"], y, marker, color=colour, ms=4, label=label if row == 0 else None)
            data.append(found | {key: label})
    axis.axvline(0, color="k", lw=0.8)
    axis.set_xlabel(xlabel, fontsize=8)
    figure.legend(loc="outside lower center", ncols=1, frameon=False, fontsize=8)
    order = ["data set", "direction", key, "change", "low", "high", "n", "profile", "seeds"]
    return figure, pd.DataFrame(data)[order]


def magnitude_histogram(units):
    """What FGSM's magnitude and the gradient's tell apart: shares of the examples’ pixels in bins of width .025."""
    figure, axes = panels(len(units), columns=2, width=NARROW, height=1.8)
    edges, data = np.linspace(0, 1, 41), []
    for axis, unit in zip(axes, units, strict=True):
        for definition, colour in (("perturbation", "#D55E00"), ("gradient", "#0072B2")):
            names = [f"example_vulnerability_{definition}_{k}" for k in (0, 1)]
            counts, _ = np.histogram(np.concatenate([unit.arrays[n].astype(float).ravel() for n in names]), edges)
            share = counts / counts.sum()
            label = {"perturbation": "FGSM’s step", "gradient": "gradient norm"}[definition]
            axis.stairs(100 * share, edges, color=colour, lw=1.6, label=label)
            title = title_of(unit.result["dataset"])
            data.append(pd.DataFrame({"data set": title, "definition": definition, "from": edges[:-1], "share": share}))
        axis.set(title=title_of(unit.result["dataset"]), yscale="log", ylim=(5e-3, 150))
    figure.supxlabel("scaled magnitude of a pixel", fontsize=9)
    figure.supylabel("pixels (%)", fontsize=9)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=2, frameon=False)
    return figure, pd.concat(data).round(5)


def alignment_plot(units):
    """Alignment of the regions of a class against the range of the same regions rolled to random places."""
    rows, data = list(by_direction(units)), []
    figure, axes = drawing(NARROW, 0.34 * len(rows) + 0.9, ncols=2, sharey=True, sharex=True)
    at = name_rows(axes, [named(pair[0], name) for pair, name, _ in rows], height=0.34)
    for axis, (region, label) in zip(axes, (("roi", "RoI"), ("roa", "RoA")), strict=True):
        for row, (pair, name, blocks) in enumerate(rows):
            found = [block["colocation"][region] for block in blocks]
            numbers = np.array([[one["alignment"], *one["alignment_null"]] for one in found], dtype=float)
            value, low, high = numbers[:, 0].mean(), numbers[:, 1].min(), numbers[:, 2].max()
            axis.plot([low, high], [at(row)] * 2, color="#999999", lw=6, solid_capstyle="butt")
            axis.plot(value, at(row), "o", color="#0072B2", ms=5)
            data.append({"region": region, "data set": title_of(pair[0].result["dataset"]), "direction": name,
                         "alignment": value, "null_low": low, "null_high": high})  # fmt: skip
        axis.set(title=label, xlabel="alignment", xlim=(-0.03, 1.03), xticks=(0, 0.5, 1))
    return figure, pd.DataFrame(data)


VERDICT_COLOURS = {
    claims.REPRODUCED: "#009E73", claims.UNDECIDED: "#999999", claims.CONTRADICTED: "#D55E00",
    claims.ONE_NETWORK: "#56B4E9", claims.TWO_NETWORKS: "#0072B2", claims.NOT_TESTABLE: "#CC79A7",
    claims.NOT_JUDGED: "#444444",
}  # fmt: skip
VERDICT_SHAPES = dict(zip(VERDICT_COLOURS, "oDXs^v.", strict=True))


def verdict_plot(verdicts):
    """Every claim's quantity with its interval against the claim's bound: a panel a claim, a row a direction or pair.

    Claims of which no row has a number have no panel.
    """
    shown = verdicts[verdicts.id.isin([claim.id for claim in CLAIMS if not claim.together]) & verdicts.ours.notna()]
    judged = [claim for claim in CLAIMS if claim.id in set(shown.id)]
    places = list(dict.fromkeys(zip(shown["where"], shown.case, strict=True)))
    places.sort(key=lambda place: list(dict.fromkeys(shown["where"])).index(place[0]))
    rows = [": ".join(place) for place in places]
    figure, axes = panels(max(1, len(judged)), columns=3, width=NARROW, height=0.3 * len(rows) + 0.85, margin=0.6)
    for empty in axes[len(judged) :]:
        empty.set_visible(False)
    for first in range(0, len(axes) if rows else 0, 3):
        at = name_rows(axes[first : first + 3], rows, height=0.3)
    for axis, claim in zip(axes, judged, strict=False):
        for entry in shown[shown.id == claim.id].itertuples():
            row = places.index((entry.where, entry.case))
            colour = VERDICT_COLOURS[entry.verdict]
            axis.plot([entry.low, entry.high], [at(row)] * 2, color=colour, lw=1.5)
            axis.plot(entry.ours, at(row), VERDICT_SHAPES[entry.verdict], color=colour, ms=4)
        axis.axvline(claim.bound, color="k", lw=0.8)
        axis.set_title(textwrap.fill(claim.text, 18), loc="left", fontsize=8)
        axis.tick_params(labelsize=7)
        axis.locator_params(axis="x", nbins=3)
    handles = [
        Line2D([], [], color=colour, marker=VERDICT_SHAPES[verdict], ms=5, label=verdict)
        for verdict, colour in VERDICT_COLOURS.items()
        if verdict in set(shown.verdict)
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=3, frameon=False, fontsize=8)
    return figure, shown[["claim", "where", "case", "ours", "low", "high", "n", "networks", "verdict"]]


def registration_plot(units, *, definition="perturbation"):
    """What superposition leaves of the regions, for classes with registered images and for others."""
    data = registration(units, definition=definition)
    figure, axes = drawing(NARROW, 2.3, ncols=2, sharey=True)
    kinds = ((True, "registered", "#0072B2", "o"), (False, "not registered", "#D55E00", "^"))
    for axis, (region, label) in zip(axes, (("roi", "RoI"), ("roa", "RoA")), strict=True):
        for row, (kind, _, colour, marker) in enumerate(kinds):
            found = data[(data.region == region) & (data.registered == kind)]
            height = row + np.linspace(-0.25, 0.25, len(found)) if len(found) > 1 else np.full(len(found), row)
            axis.plot(found.excess, height, marker, color=colour, ms=5, alpha=0.8)
            means = found.groupby("data set").excess.mean()
            axis.plot([means.mean()] * 2, [row - 0.35, row + 0.35], color=colour, lw=2)
        axis.axvline(0, color="k", lw=0.8)
        axis.set(title=label, xlabel="beyond its null", xticks=(0, 0.5, 1))
    axes[0].set(yticks=(0, 1), yticklabels=[words.replace(" ", "\n") for _, words, _, _ in kinds], ylim=(1.5, -0.5))
    return figure, data
