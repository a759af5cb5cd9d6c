"""The charts of “With Friends Like These, Who Needs Adversaries?”: Figs 1 to 5, and what stands beside them.

Needs no torch. :func:`roa_helpers.page.figures.show` puts them on a page.
"""

import numpy as np
import pandas as pd
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from ... import metrics
from ...page import NARROW, REGION_LABELS, drawing, name_rows, panels
from .choices import FACTORS
from .claims import NEAR
from .published import IMAGES, SIDE, TABLE_ONE
from .results import named
from .tables import METHODS, agreement, dependence

#: Colours (Okabe–Ito) and names of the kinds of directions and subspaces.
KINDS = {
    "positive": ("#0072B2", "S_pos"), "negative": ("#D55E00", "S_neg"), "both": ("#000000", "S_neg∪pos (curved)"),
    "flat": ("#E69F00", "S_flat"), "random": ("#999999", "random"),
}  # fmt: skip
DIRECTIONS = {"positive": "most positive", "negative": "most negative", "flat": "flattest", "random": "random"}
ATTACKS = ("DeepFool", "FGSM", "universal", "saliency")
ORDERS = {"hi": ("#0072B2", "S_hi"), "lo": ("#D55E00", "S_lo")}
#: What is compared by :func:`areas`, and what a panel is called.
AREAS = {"curved_flat": "curved − flat", "curved_random": "curved − random",
         "beyond_dimension": "ρ beyond dimension"}  # fmt: skip
_STEPS = {"logits": ("#D55E00", "o", "logits"), "softmax": ("#0072B2", "s", "softmax scores"),
          "twin": ("#009E73", "^", "logits of the smooth twin")}  # fmt: skip
#: Units side by side.
_ACROSS = 2
_METHODS = dict(zip(METHODS, ("#000000", "#999999", "#0072B2", "#009E73"), strict=True))


def _by_unit(units, rows, *, height=1.5, sharex="col", sharey=False):
    """A figure with a column of charts for each unit, titled, ``_ACROSS`` of them side by side.

    Args:
        rows, height: charts of a column, and inches of each.
        sharex: "col": the charts of a column have one horizontal axis; "all": all charts.
        sharey: whether all charts have one vertical axis.

    Returns:
        (figure, axes (rows, units)).
    """
    count, across = len(units), min(_ACROSS, len(units))
    blocks = -(-count // across)
    figure, grid = drawing(
        NARROW, (height * rows + 0.25) * blocks + 0.4, nrows=rows * blocks, ncols=across, squeeze=False
    )
    axes = np.concatenate(np.split(grid, blocks), axis=1)
    for empty in axes[:, count:].flat:
        empty.set_visible(False)
    axes = axes[:, :count]
    for unit, column in zip(units, axes.T, strict=True):
        column[0].set_title(named(unit), fontsize=8)
        for axis in column:
            if axis is not (first := column[0] if sharex == "col" else axes[0, 0]):
                axis.sharex(first)
            if sharey and axis is not axes[0, 0]:
                axis.sharey(axes[0, 0])
            axis.tick_params(labelsize=7, labelbottom=axis is column[-1])
    return figure, axes


def _name_lines(axes, names, *, size=8):
    """Name the charts of a column, beside the first of those that stand side by side."""
    for column in axes.T[::_ACROSS]:
        for axis, name in zip(column, names, strict=True):
            axis.set_ylabel(name, fontsize=size)


def single_curves(units):
    """Fig. 1: the score of one class along its most positive and its most negative direction, a curve an image.

    Thick where the network takes the shifted image for that class.

    Returns:
        (figure, arrays by unit: positions s, scores and whether the class is predicted, (2, images, positions)).
    """
    figure, axes = _by_unit(units, 2)
    data = {}
    for column, unit in zip(axes.T, units, strict=True):
        names, shown = unit.result["classes"], unit.result["featured"]
        positions = unit.arrays["positions"]
        for axis, kind in zip(column, ("positive", "negative"), strict=True):
            at = list(DIRECTIONS).index(kind)
            curves = unit.arrays["curves"][at].astype(float)
            inside = unit.arrays["classes"][at] == names.index(shown)
            for curve, mark in zip(curves, inside, strict=True):
                axis.plot(positions, curve, lw=0.6, color="#BBBBBB", zorder=1)
                axis.plot(positions, np.where(mark, curve, np.nan), lw=1.0, color=KINDS[kind][0], zorder=2)
        data |= {f"{unit.path.name}_s": positions, f"{unit.path.name}_scores": unit.arrays["curves"][:2],
                 f"{unit.path.name}_inside": unit.arrays["classes"][:2] == names.index(shown)}  # fmt: skip
        column[0].set_title(f"{named(unit)}: “{shown}”", fontsize=8)
        column[-1].set_xlabel("s", fontsize=8)
    _name_lines(axes, [f"score,\n{DIRECTIONS[kind]}" for kind in ("positive", "negative")])
    names = {"#BBBBBB": "another class is predicted", "#0072B2": "the class itself (upper row)",
             "#D55E00": "the class itself (lower row)"}  # fmt: skip
    handles = [Line2D([], [], color=colour, lw=1.5, label=words) for colour, words in names.items()]
    figure.legend(handles=handles, loc="outside lower center", ncols=1, frameon=False, fontsize=8)
    return figure, data


def population(units, kind):
    """Fig. 2 for one kind of direction: scores of the class shown and of the best other (30 %, median, 70 %); below,
    the shares of images that are moved into the class and kept in it, and the median softmax score of those outside.

    Returns:
        (figure, DataFrame of what is drawn).
    """
    figure, axes = _by_unit(units, 2)
    data = []
    for (above, below), unit in zip(axes.T, units, strict=True):
        table = unit.table("responses")
        table = table[table.kind == kind]
        for name, colour in (("target", "#0072B2"), ("other", "#D55E00")):
            above.fill_between(table.s, table[f"{name}_30"], table[f"{name}_70"], color=colour, alpha=0.25, lw=0)
            above.plot(table.s, table[f"{name}_50"], color=colour, lw=1.3)
        below.plot(table.s, 100 * table.moved / table.others, color="#0072B2", lw=1.3)
        below.plot(table.s, 100 * table.softmax, color="#CC79A7", lw=1.0, ls=":")
        below.plot(table.s, 100 * table.kept / table.own.where(table.own > 0), color="k", lw=1.0, ls="--")
        every = unit.table("moved")
        every = every[every.kind == kind]
        below.plot(every.s, 100 * every.moved / every.others, color="#009E73", lw=1.0)
        below.set(ylim=(-4, 104))
        below.set_xlabel("s", fontsize=8)
        above.set_title(f"{named(unit)}: “{unit.result['featured']}”", fontsize=8)
        data.append(table.assign(network=named(unit), target=unit.result["featured"]))
    _name_lines(axes, ("class score", "%"))
    handles = [
        Patch(color="#0072B2", alpha=0.5, label="score of the class"),
        Patch(color="#D55E00", alpha=0.5, label="best other score"),
        Line2D([], [], color="#0072B2", label="moved into the class"),
        Line2D([], [], color="#009E73", label="the same, mean over all classes"),
        Line2D([], [], color="k", ls="--", label="of the class and still in it"),
        Line2D([], [], color="#CC79A7", ls=":", label="median softmax of the others"),
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=2, frameon=False, fontsize=7.5)
    return figure, pd.concat(data)


def shapes(units):
    """The errors of symmetry, monotony and separability for each kind of direction, with intervals over classes."""
    measures = {"odd": "odd share\n(0: symmetric)", "backward": "backward share\n(0: monotone)",
                "interaction": "not common to images\n(0: separable)"}  # fmt: skip
    figure, axes = drawing(NARROW, 0.85 * len(units) + 1.2, ncols=3, sharey=True)
    at = name_rows(axes, [named(unit) for unit in units], height=0.85)
    data = []
    for axis, (measure, title) in zip(axes, measures.items(), strict=True):
        for row, unit in enumerate(units):
            found = unit.result["shapes"][measure]
            for k, (kind, one) in enumerate(found.items()):
                y, colour = at(row, k, len(found)), KINDS[kind][0]
                axis.plot([one["low"], one["high"]], [y, y], color=colour, lw=1.5)
                axis.plot(one["mean"], y, "osD^"[k], color=colour, ms=4)
                data.append({"network": named(unit), "measure": measure, "kind": kind} | one)
        axis.axvline(NEAR, color="k", lw=0.8, ls="--")
        axis.set_title(title, fontsize=8)
        axis.set(xlim=(-0.03, 1.03), xticks=(0, 0.5, 1))
        axis.tick_params(labelsize=7)
    handles = [Line2D([], [], color=KINDS[kind][0], marker="osD^"[k], ms=4, label=f"{words} direction")
               for k, (kind, words) in enumerate(DIRECTIONS.items())]  # fmt: skip
    figure.legend(handles=handles, loc="outside lower center", ncols=2, frameon=False, fontsize=8)
    return figure, pd.DataFrame(data)


def steps(units):
    """The step study: asymmetry, norm, and error against the exact or closed form, by step."""
    columns = {"asymmetry": "‖H − Hᵀ‖ / 2‖H‖\nof the mean", "norm": "norm of one\nimage’s Hessian",
               "error": "relative error"}  # fmt: skip
    figure, axes = _by_unit(units, 3, height=1.35, sharex="all")
    data = []
    for column, unit in zip(axes.T, units, strict=True):
        table = unit.table("steps")
        data.append(table.assign(network=named(unit)))
        for quantity, (colour, marker, _) in _STEPS.items():
            own = table[table.quantity == quantity]
            for axis, name in zip(column, columns, strict=True):
                values = own[name].where(own[name] > 0) if name != "asymmetry" else own[name]
                axis.plot(own.share, values, marker=marker, ms=3, lw=1, color=colour)
        column[0].axhline(0.5**0.5, color="k", lw=0.8, ls=":")
        column[0].set(xscale="log", ylim=(-0.03, 0.8))
        for axis in column[1:]:
            axis.set_yscale("log")
        for axis in column:
            axis.axvline(unit.result["parameters"]["choices"]["step"], color="#AAAAAA", lw=0.8, ls="--")
        column[-1].set_xlabel("step / distance to the boundary", fontsize=7.5)
    _name_lines(axes, columns.values(), size=7.5)
    handles = [Line2D([], [], color=c, marker=m, ms=4, label=words) for c, m, words in _STEPS.values()]
    figure.legend(handles=handles, loc="outside lower center", ncols=3, frameon=False, fontsize=8)
    return figure, pd.concat(data)


def halves(units):
    """What two halves of the boundary points agree on, over the number of points in each, by definition of curvature.

    A thin line a class, their mean thick; dotted: two random subspaces. Units are those of :func:`.tables.halved`.
    """
    figure, axes = _by_unit(units, 1, height=1.7, sharey=True)
    data = []
    for axis, unit in zip(axes[0], units, strict=True):
        table = agreement([unit])
        data.append(table)
        for name, own in table.groupby("method", sort=False):
            colour = _METHODS[{words: method for method, words in METHODS.items()}[name]]
            for _, one in own.groupby("class"):
                axis.plot(one.points, one.overlap, ".-", ms=3, lw=0.5, color=colour, alpha=0.5)
            mean = own.groupby("points")[["overlap", "expected"]].mean()
            axis.plot(mean.index, mean.overlap, ".-", ms=4, lw=1.4, color=colour, label=name)
            axis.plot(mean.index, mean.expected, ":", lw=1, color=colour)
        axis.set_xscale("log", base=2)
        axis.set(ylim=(-0.03, 1.03))
        axis.set_xlabel("points in each half", fontsize=8)
    _name_lines(axes, ["overlap"])
    table = pd.concat(data)
    handles = [Line2D([], [], color=_METHODS[method], label=words) for method, words in METHODS.items()
               if words in set(table.method)]  # fmt: skip
    handles.append(Line2D([], [], color="#999999", ls=":", label="random subspaces"))
    figure.legend(handles=handles, loc="outside lower center", ncols=2, frameon=False, fontsize=7.5)
    return figure, table


def figure_three(units):
    """Fig. 3: accuracy on subspaces (top), and the share of the norm of four perturbations inside them (below).

    Returns:
        (figure, (accuracies, retained norms) in one DataFrame).
    """
    figure, axes = _by_unit(units, 1 + len(ATTACKS), height=1.2)
    data = []
    for column, unit in zip(axes.T, units, strict=True):
        primary = unit.result["parameters"]["choices"]["methods"][0]
        accuracy, norms = (_of(unit.table(name), primary) for name in ("accuracy", "norms"))
        for kind, (colour, _) in KINDS.items():
            for part, style in (("test", "-"), ("train", ":")):
                own = accuracy[(accuracy.kind == kind) & (accuracy.part == part)]
                column[0].plot(own.dimension, 100 * own.k / own.n, style, color=colour, lw=1.2)
            for axis, attack in zip(column[1:], ATTACKS, strict=True):
                own = norms[(norms.kind == kind) & (norms.attack == attack)]
                axis.plot(own.dimension, own["mean"], color=colour, lw=1.2)
                axis.set_ylim(-0.03, 1.03)
        column[0].set_ylim(-3, 103)
        _by_dimension(column[0])
        column[-1].set_xlabel("dimension", fontsize=8)
        data += [accuracy.assign(network=named(unit), quantity="accuracy"),
                 norms.assign(network=named(unit), quantity="retained norm")]  # fmt: skip
    _name_lines(axes, ("accuracy (%)", *ATTACKS))
    handles = [Line2D([], [], color=c, label=words) for c, words in KINDS.values()]
    handles.append(Line2D([], [], color="k", ls=":", label="training images"))
    figure.legend(handles=handles, loc="outside lower center", ncols=3, frameon=False, fontsize=7.5)
    return figure, pd.concat(data)


def by_method(units):
    """Accuracy of test images on S_neg∪pos and S_flat for every definition of curvature."""
    figure, axes = _by_unit(units, 2, height=1.4, sharey=True)
    data = []
    for column, unit in zip(axes.T, units, strict=True):
        table = unit.table("accuracy")
        table = table[table.part == "test"]
        for axis, kind in zip(column, ("both", "flat"), strict=True):
            for method in unit.result["coupling"]:
                own = table[(table.kind == kind) & (table.method == method)]
                axis.plot(own.dimension, 100 * own.k / own.n, color=_METHODS[method], lw=1.2)
                data.append(own.assign(network=named(unit)))
            first = unit.result["parameters"]["choices"]["methods"][0]
            random = table[(table.kind == "random") & (table.method == first)]
            axis.plot(random.dimension, 100 * random.k / random.n, color="#E69F00", lw=1, ls="--")
        _by_dimension(column[0])
        column[1].set_xlabel("dimension", fontsize=8)
    _name_lines(axes, [f"accuracy (%)\non {KINDS[kind][1]}" for kind in ("both", "flat")])
    used = [method for method in METHODS if any(method in unit.result["coupling"] for unit in units)]
    handles = [Line2D([], [], color=_METHODS[method], label=METHODS[method]) for method in used]
    handles.append(Line2D([], [], color="#E69F00", ls="--", label="random subspace"))
    figure.legend(handles=handles, loc="outside lower center", ncols=2, frameon=False, fontsize=7.5)
    return figure, pd.concat(data)


def areas(units):
    """The areas of Fig. 3 by definition of curvature, with intervals: curved over flat, and over random."""
    table = dependence(units)
    rows = list(dict.fromkeys(zip(table.network, table.method, strict=True)))
    figure, axes = drawing(NARROW, 0.34 * len(rows) + 0.8, ncols=3, sharey=True)
    at = name_rows(axes, [f"{network}: {method}" for network, method in rows], height=0.34)
    for axis, (name, title) in zip(axes, AREAS.items(), strict=True):
        for one in table[table.quantity == name].itertuples():
            y = at(rows.index((one.network, one.method)))
            axis.plot([one.low, one.high], [y, y], color="#0072B2", lw=1.5)
            axis.plot(one.value, y, "o", color="#0072B2", ms=4)
        axis.axvline(0, color="k", lw=0.8)
        axis.set_title(title, fontsize=8)
        axis.tick_params(labelsize=7)
        axis.locator_params(axis="x", nbins=3)
    return figure, table


def figure_four(units):
    """Fig. 4: accuracy on the first m singular vectors of DeepFool perturbations, and on the last m."""
    figure, axes = _by_unit(units, 1, height=1.9)
    data = []
    for axis, unit in zip(axes[0], units, strict=True):
        table = unit.table("singular")
        data.append(table.assign(network=named(unit)))
        for order, (colour, _) in ORDERS.items():
            for part, style in (("test", "-"), ("train", ":")):
                own = table[(table.order == order) & (table.part == part)]
                axis.plot(own.dimension, 100 * own.k / own.n, style, color=colour, lw=1.3)
        axis.set(ylim=(-3, 103))
        _by_dimension(axis)
        axis.set_xlabel("dimension", fontsize=8)
    _name_lines(axes, ["accuracy (%)"])
    handles = [Line2D([], [], color=c, label=words) for c, words in ORDERS.values()]
    handles.append(Line2D([], [], color="k", ls=":", label="training images"))
    figure.legend(handles=handles, loc="outside lower center", ncols=3, frameon=False, fontsize=8)
    return figure, pd.concat(data)


def figure_five(units):
    """Fig. 5: median norm of confined DeepFool (left axis) and mean norm of the projected images (right axis)."""
    figure, axes = _by_unit(units, 2, height=1.6)
    data = []
    for column, unit in zip(axes.T, units, strict=True):
        table = unit.table("confined")
        data.append(table.assign(network=named(unit)))
        for axis, order in zip(column, ORDERS, strict=True):
            own = table[table.order == order].replace(np.inf, np.nan)
            axis.plot(own.dimension, own["median"], "o-", ms=3, lw=1.2, color="#0072B2")
            axis.set(xscale="log", yscale="log")
            axis.yaxis.set_major_locator(LogLocator(subs=(1, 3), numticks=12))
            axis.yaxis.set_major_formatter(FuncFormatter(lambda norm, _: f"{norm:g}"))
            axis.yaxis.set_minor_formatter(NullFormatter())
            other = axis.twinx()
            other.plot(own.dimension, own.image, "s-", ms=3, lw=1.2, color="#D55E00")
            other.tick_params(labelsize=7, colors="#D55E00")
            other.set_ylim(0, None)
        column[-1].set_xlabel("dimension", fontsize=8)
    _name_lines(axes, [f"norm, {words}" for _, words in ORDERS.values()])
    handles = [Line2D([], [], color="#0072B2", marker="o", ms=3, label="confined DeepFool (left)"),
               Line2D([], [], color="#D55E00", marker="s", ms=3, label="projected image (right)")]  # fmt: skip
    figure.legend(handles=handles, loc="outside lower center", ncols=2, frameon=False, fontsize=8)
    return figure, pd.concat(data)


def compression(units):
    """Table 1 as curves: fooling rate over f for each side, of an attacker who ignores the unit and of one who knows.

    The first panel holds the paper's rows, with Wilson intervals from its 2000 images.

    Returns:
        (figure, DataFrame: network, side, share, measured, f, rate, low, high, n).
    """
    rows = [
        {"network": "the paper", "side": row.side, "share": row.side / SIDE, "measured": "unaware", "f": f,
         "rate": rate, "low": row.interval(f).low, "high": row.interval(f).high, "n": IMAGES}
        for row in TABLE_ONE if row.side < SIDE for f, rate in row.fooled.items()
    ]  # fmt: skip
    for unit in units:
        whole = unit.table("compressed").side.max()
        for r in unit.table("compression").itertuples():
            if r.f and r.side < whole:
                low, high = metrics.wilson(r.k, r.n)
                rows.append({"network": named(unit), "side": r.side, "share": r.side / whole, "measured": r.measured,
                             "f": r.f, "rate": r.k / r.n, "low": low, "high": high, "n": r.n})  # fmt: skip
    table = pd.DataFrame(rows)
    names = list(dict.fromkeys(table.network))
    figure, axes = panels(len(names), columns=2, width=NARROW, height=2.1, margin=0.6, sharey=True)
    colours = ("#0072B2", "#009E73", "#E69F00", "#D55E00")
    for axis, name in zip(axes, names, strict=True):
        own = table[table.network == name]
        for colour, side in zip(colours, sorted(set(own.side), reverse=True), strict=False):
            for measured, style in (("unaware", "-"), ("aware", ":")):
                part = own[(own.side == side) & (own.measured == measured)]
                axis.plot(part.f, 100 * part.rate, style, color=colour, lw=1.2, marker=".", ms=3,
                          label=f"{side} px" if style == "-" else None)  # fmt: skip
                if style == "-":
                    axis.fill_between(part.f, 100 * part.low, 100 * part.high, color=colour, alpha=0.2, lw=0)
        axis.set_title(name.replace(", ", "\n"), fontsize=8)
        axis.set(xticks=FACTORS, ylim=(-3, 103), xlabel="f")
        axis.legend(fontsize=6.5, frameon=False, loc="lower right")
        axis.tick_params(labelsize=7)
    figure.supylabel("fooling rate (%)", fontsize=8)
    handles = [
        Line2D([], [], color="k", ls=style, label=words)
        for style, words in (
            ("-", "scaled DeepFool that ignores the unit"),
            (":", "DeepFool through it, norm at most f times"),
        )
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=1, frameon=False, fontsize=8)
    return figure, table


#: Regions of the bridge in the order in which they are drawn.
REGIONS = {"roi": "RoI", "roa": "RoA"} | REGION_LABELS


def bridge(units):
    """The energy of curved and of flat directions in the book's regions, less the region's share of the pixels."""
    names = {"perturbation": "RoA by perturbation", "gradient": "RoA by gradient"}
    figure, axes = _by_unit(units, 2, height=1.7, sharey=True)
    data = []
    for column, unit in zip(axes.T, units, strict=True):
        table = unit.table("bridge")
        data.append(table.assign(network=named(unit)))
        for axis, definition in zip(column, names, strict=True):
            for shift, kind, colour, marker in ((-0.15, "curved", "#0072B2", "o"), (0.15, "flat", "#E69F00", "s")):
                own = table[(table.definition == definition) & (table.kind == kind)].set_index("region")
                for y, region in enumerate(REGIONS):
                    one = own.loc[region]
                    axis.plot([one.low, one.high], [y + shift] * 2, color=colour, lw=1.5)
                    axis.plot(one.difference, y + shift, marker, color=colour, ms=3.5)
            axis.axvline(0, color="k", lw=0.8)
            axis.set(yticks=range(len(REGIONS)), yticklabels=list(REGIONS.values()), ylim=(len(REGIONS) - 0.5, -0.5))
        column[-1].set_xlabel("energy − pixels", fontsize=8)
    _name_lines(axes, names.values())
    handles = [Line2D([], [], color=c, marker=m, ms=4, label=words) for c, m, words in
               (("#0072B2", "o", "most curved directions"), ("#E69F00", "s", "flattest directions"))]  # fmt: skip
    figure.legend(handles=handles, loc="outside lower center", ncols=2, frameon=False, fontsize=8)
    return figure, pd.concat(data)


def _by_dimension(axis):
    """A horizontal axis from 0, even up to 10 and logarithmic beyond, with no more names than have room."""
    axis.set_xscale("symlog", linthresh=10)
    axis.set_xlim(left=0)
    axis.set_xticks((0, 10, 100, 1000), ("0", "10", "100", "1000"))
    axis.set_xticks((), minor=True)


def _of(table, method):
    return table[table.method == method]
