"""The charts of the book: numbers of finished units as matplotlib figures, each with the data plotted.

Needs no torch. :func:`roa_helpers.figures.show` puts them on a page; pictures of images are in ``plots``.
"""

import numpy as np
import pandas as pd
from matplotlib.patches import Patch

from . import metrics, papers
from .figures import REGION_COLOURS, REGION_LABELS, SCORE_COLOURS
from .plots import coloured_regions, drawing, example, four_regions, label_of, setting_of


def utility_vulnerability(unit, k, *, definition="gradient"):
    """Fig. 2 from real pixels: each pixel of one example by utility and vulnerability, in its region's colour."""
    block = list(unit.result["directions"].values())[k]
    setting = setting_of(block, definition)
    maps = example(unit, k)
    u, v = maps["importance"], maps[f"vulnerability_{definition}"]
    figure, (left, right) = drawing(6.4, 3.1, ncols=2, width_ratios=(1.4, 1))
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
    figure, axes = drawing(2.9 * len(units) + 0.4, 3.0, ncols=len(units), squeeze=False, sharey=True)
    tables = []
    for axis, unit in zip(axes[0], units, strict=True):
        table = unit.table("features")
        tables.append(table.assign(unit=unit.path.name))
        robust = table.gamma > 0
        axis.axhline(0, color="k", lw=0.8)
        axis.plot(table.rho[robust], table.gamma[robust], "o", ms=4, color="#0072B2", label="robust")
        axis.plot(table.rho[~robust], table.gamma[~robust], "^", ms=4, color="#D55E00", label="non-robust")
        axis.set(
            xlabel="ρ̂: usefulness",
            title=f"{papers.title(unit.result['dataset'])}, ε = {unit.result['parameters']['eps']:g}",
        )
    axes[0, 0].set_ylabel("γ̂: usefulness under attack")
    axes[0, 0].legend(frameon=False)
    return figure, pd.concat(tables)


def similarity_histogram(units):
    """Table I as a picture: SSIM of RoI and RoA of each image, with our mean and the paper's."""
    rows = papers.directions(units)
    figure, axis = drawing(6.4, 0.75 * len(rows) + 0.8)
    labels, data, marked = [], [], False
    for row, (unit, name, block) in enumerate(rows):
        images = unit.table("images")
        values = images[(images.direction == name) & (images.definition == "perturbation")].ssim
        spread = np.random.default_rng(0).uniform(-0.25, 0.25, len(values))
        axis.plot(values, row + spread, ".", ms=3, color="#56B4E9", alpha=0.6)
        axis.plot(values.mean(), row, "o", color="#0072B2", ms=6, label="our mean" if row == 0 else None)
        paper = papers.published("A9", unit.result["dataset"], block["source"], block["target"], "individual")
        if paper:
            axis.plot(paper.value, row, "D", color="#D55E00", ms=6, label=None if marked else "the paper’s mean")
            marked = True
        labels.append(label_of(unit, name))
        data.append(pd.DataFrame({"data set": unit.result["dataset"], "direction": name, "ssim": values}))
    axis.set(yticks=range(len(rows)), yticklabels=labels, xlabel="SSIM of RoI and RoA, one dot an image")
    axis.invert_yaxis()
    axis.legend(frameon=False, loc="best")
    return figure, pd.concat(data)


def tuning_surface(unit, *, definition="perturbation"):
    """A6: the settings of the grid by what they cost and what they gain on validation images; the chosen one ringed.

    Settings that leave a class without a blob cost and gain nothing; they are left out.
    """
    table = unit.table("tuning")
    empty = (
        ~table.chosen
        & ~table.feasible
        & (table.clean - table["mod"] <= unit.result["parameters"]["choices"]["clean_loss"])
    )
    table = table[(table.definition == definition) & ~empty]
    cost, gain = 100 * (table.clean - table["mod"]), 100 * (table.mod_adv - table.adv)
    limit = 100 * unit.result["parameters"]["choices"]["clean_loss"]
    figure, axis = drawing(5.6, 3.2)
    axis.axvspan(min(cost.min(), 0) - 2, limit, color="#009E73", alpha=0.08)
    for value, marker in zip(sorted(table.value.unique()), "o^sD", strict=False):
        rows = table.value == value
        dots = axis.scatter(cost[rows], gain[rows], c=table.theta[rows], marker=marker, s=26, vmin=0, vmax=1,
                            label=f"pixels set to {value:g}")  # fmt: skip
    axis.plot(cost[table.chosen], gain[table.chosen], "o", ms=13, mfc="none", mec="k", label="chosen")
    axis.axhline(0, color="k", lw=0.8)
    axis.set(xlabel="cost: score_clean − score_mod (points)", ylabel="gain: score_mod-adv − score_adv (points)")
    figure.colorbar(dots, label="θ")
    axis.legend(frameon=False, fontsize=8)
    return figure, table


def score_curves(units, axis_name):
    """Tables II and III as curves over ε or over θ on test images; the dashed line marks the value used."""
    rows = papers.directions(units)
    lines = -(-len(rows) // 2)
    figure, axes = drawing(6.4, 2.2 * lines, nrows=lines, ncols=2, squeeze=False, sharey=True)
    data = []
    for axis, (unit, name, block) in zip(axes.flat, rows, strict=False):
        table = unit.table("curves")
        table = table[(table.direction == name) & (table["axis"] == axis_name)]
        for score, points in table.groupby("score"):
            bounds = np.array([metrics.wilson(k, n) for k, n in zip(points.k, points.n, strict=True)])
            axis.fill_between(points["at"], *(100 * bounds.T), color=SCORE_COLOURS[score], alpha=0.15, lw=0)
            axis.plot(
                points["at"],
                100 * points.k / points.n,
                "o-",
                ms=3,
                color=SCORE_COLOURS[score],
                label=papers.SCORES[score],
            )
        used = block["parameters"][axis_name]
        axis.axvline(used, color="k", lw=0.8, ls="--")
        if axis_name == "eps":
            axis.set_xscale("log")
        axis.set(
            title=label_of(unit, name),
            ylim=(-3, 103),
            xlabel={"eps": "ε", "theta": "θ"}[axis_name],
        )
        data.append(table.assign(dataset=unit.result["dataset"]))
    axes[0, 0].legend(frameon=False, fontsize=8)
    for axis in axes[:, 0]:
        axis.set_ylabel("accuracy (%)")
    return figure, pd.concat(data)


#: The blobs that are compared: key of the controls (None: the paper's blob), label, colour, marker.
BLOBS = (
    (None, "blob from the test images", "#0072B2", "o"),
    ("held out", "blob from validation images", "#009E73", "D"),
    ("random", "as many random pixels", "#999999", "s"),
)


def change_plot(units, before, after):
    """The change between two scores of the same images: the paper's blob and two controls, with intervals."""
    rows, data = papers.directions(units), []
    figure, axis = drawing(6.4, 0.6 * len(rows) + 1.2)
    for row, (unit, name, block) in enumerate(rows):
        images = unit.table("images")
        images = images[(images.direction == name) & (images.definition == "perturbation")]
        start, n = block["scores"][before]["k"], block["scores"][before]["n"]
        for offset, (key, label, colour, marker) in enumerate(BLOBS):
            found = (block["scores"] if key is None else block["controls"][key])[after]
            change, height = (found["k"] - start) / n, row + 0.2 * (offset - 1)
            low, high = metrics.paired_difference(images[before], images[after if key is None else f"{after}, {key}"])
            axis.plot([100 * low, 100 * high], [height, height], color=colour, lw=1.5)
            axis.plot(100 * change, height, marker, color=colour, ms=5, label=label if row == 0 else None)
            data.append({"data set": unit.result["dataset"], "direction": name, "blob": label, "change": change,
                         "low": low, "high": high, "n": n})  # fmt: skip
    axis.axvline(0, color="k", lw=0.8)
    axis.set(yticks=range(len(rows)), yticklabels=[label_of(u, n) for u, n, _ in rows],
             xlabel=f"{papers.SCORES[after]} − {papers.SCORES[before]} (points)")  # fmt: skip
    axis.invert_yaxis()
    figure.legend(loc="outside lower center", ncols=3, frameon=False, fontsize=8)
    return figure, pd.DataFrame(data)


def magnitude_histogram(units):
    """What FGSM's magnitude and the gradient's tell apart: shares of the examples’ pixels in bins of width .025."""
    figure, axes = drawing(2.9 * len(units) + 0.4, 2.6, ncols=len(units), squeeze=False, sharey=True)
    edges, data = np.linspace(0, 1, 41), []
    for axis, unit in zip(axes[0], units, strict=True):
        for definition, colour in (("perturbation", "#D55E00"), ("gradient", "#0072B2")):
            names = [f"example_vulnerability_{definition}_{k}" for k in (0, 1)]
            counts, _ = np.histogram(np.concatenate([unit.arrays[n].astype(float).ravel() for n in names]), edges)
            share = counts / counts.sum()
            label = {"perturbation": "FGSM’s step", "gradient": "gradient norm"}[definition]
            axis.stairs(100 * share, edges, color=colour, lw=1.6, label=label)
            title = papers.title(unit.result["dataset"])
            data.append(pd.DataFrame({"data set": title, "definition": definition, "from": edges[:-1], "share": share}))
        axis.set(title=papers.title(unit.result["dataset"]), xlabel="scaled magnitude of a pixel", yscale="log")
    axes[0, 0].set_ylabel("pixels (%)")
    axes[0, 0].legend(frameon=False, fontsize=8)
    return figure, pd.concat(data).round(5)


def alignment_plot(units):
    """Alignment of the regions of a class against the range of the same regions rolled to random places."""
    rows, data = papers.directions(units), []
    figure, axes = drawing(6.4, 0.42 * len(rows) + 1.0, ncols=2, sharey=True, sharex=True)
    for axis, region in zip(axes, ("roi", "roa"), strict=True):
        for row, (unit, name, block) in enumerate(rows):
            found = block["colocation"][region]
            low, high = (np.nan if v is None else v for v in found["alignment_null"])
            value = np.nan if found["alignment"] is None else found["alignment"]
            axis.plot([low, high], [row, row], color="#999999", lw=6, solid_capstyle="butt")
            axis.plot(value, row, "o", color="#0072B2", ms=6)
            data.append({"region": region, "data set": unit.result["dataset"], "direction": name, "alignment": value,
                         "null_low": low, "null_high": high})  # fmt: skip
        axis.set(title={"roi": "RoI", "roa": "RoA"}[region], xlabel="alignment", xlim=(-0.03, 1.03))
    axes[0].set(yticks=range(len(rows)), yticklabels=[label_of(u, n) for u, n, _ in rows])
    axes[0].invert_yaxis()
    return figure, pd.DataFrame(data)


def verdict_plot(verdicts):
    """Every claim's quantity with its interval against the claim's bound, one row a direction."""
    claims = [claim for claim in papers.CLAIMS if claim.id in set(verdicts.id)]
    per = int(verdicts.groupby("id").size().max())
    lines = -(-len(claims) // 2)
    figure, axes = drawing(7.2, lines * (0.22 * per + 0.75), nrows=lines, ncols=2, sharey=True, squeeze=False)
    colours = {papers.REPRODUCED: "#009E73", papers.UNDECIDED: "#999999", papers.CONTRADICTED: "#D55E00"}
    for axis, claim in zip(axes.flat, claims, strict=False):
        table = verdicts[verdicts.id == claim.id]
        for row, entry in enumerate(table.itertuples()):
            axis.plot([entry.low, entry.high], [row, row], color=colours[entry.verdict], lw=2)
            axis.plot(entry.ours, row, "o", color=colours[entry.verdict], ms=5)
        axis.axvline(claim.bound, color="k", lw=0.8)
        axis.set_title(claim.text, loc="left", fontsize=8)
        labels = [f"{d}: {n}" for d, n in zip(table["data set"], table.direction, strict=True)]
        axis.set(yticks=range(len(table)), yticklabels=labels)
    for axis in axes.flat[len(claims) :]:
        axis.set_visible(False)
    axes[0, 0].invert_yaxis()
    handles = [Patch(color=colour, label=verdict) for verdict, colour in colours.items()]
    figure.legend(handles=handles, loc="outside lower center", ncols=3, frameon=False)
    return figure, verdicts[["claim", "data set", "direction", "ours", "low", "high", "n", "verdict"]]
