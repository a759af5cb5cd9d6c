"""Figures of the study ``localized``: how an attack is made, explanations beside it, scores over size, ranks.

Needs no torch. :func:`roa_helpers.page.figures.show` puts them on a page.
"""

import numpy as np
import pandas as pd

from ... import metrics
from ...data import title_of
from ...page import NARROW, Cell, Sheet, Strip, bordered, drawing, name_rows, panels, picture
from .choices import REGIONS
from .evaluation import METRICS
from .recovery import AVERAGED, BOUND, EXPLAINERS, PAPER, TITLES
from .results import named, run_of, shape_of

COLOURS = {
    "saliency": "#0072B2",
    "guided_backprop": "#E69F00",
    "lime": "#D55E00",
    "random": "#777777",
    BOUND: "#000000",
}
MARKERS = {"saliency": "o", "guided_backprop": "s", "lime": "D"}
#: What a pixel is in a partial explanation, and its colour: Okabe–Ito, told apart in grey print.
PARTS = {
    "in both": "#0072B2", "attacked, not explained": "#E69F00", "explained, not attacked": "#56B4E9",
    "in neither": "#F2F2F2",
}  # fmt: skip
#: What the widget offers, lest the page grow heavy: the paper's explainers, and one that shares LIME's superpixels.
OFFERED = (*PAPER, AVERAGED[1])
#: Photos in the widget, and numbers of superpixels, as far as unions go.
BROWSED, COUNTS = 2, (1, 2, 3, 5, 20)
#: Photos of a unit whose attack is shown step by step; photos of 224 pixels weigh much.
PROCESSED = 1
#: Inches of a row of :func:`ranks`.
_LINE = 0.34


def stored_examples(unit):
    """The stored examples of a unit by photo: lists of positions in its ``shown_…`` arrays, of equal length."""
    photos = unit.table("examples")["photo"].to_numpy()[unit.arrays["shown"]]
    by_photo = [np.flatnonzero(photos == name) for name in dict.fromkeys(photos)]
    count = min(map(len, by_photo))
    return [rows[:count] for rows in by_photo]


def process(units):
    """Figs 1 and 2: photo, region, adversarial image and difference of the first example of some stored photos."""
    strips, data = [], {}
    for unit in units:
        for rows in stored_examples(unit)[:PROCESSED]:
            strips.append(_process(unit, rows[0]))
            for name in ("image", "adversarial", "region"):
                data[f"{unit.path.name}_{name}_{rows[0]}"] = unit.arrays[f"shown_{name}"][rows[0]]
    return Sheet(tuple(strips), across=2), data


def _process(unit, row):
    image, adversarial = (unit.arrays[f"shown_{name}"][row] / 255 for name in ("image", "adversarial"))
    region = unit.arrays["shown_region"][row]
    largest = max(abs(adversarial - image).max(), 1 / 255)
    difference = 0.5 + 0.5 * (adversarial - image) / largest
    target = unit.result["network"]["target"]
    name = unit.table("examples")["photo"][unit.arrays["shown"][row]]
    cells = (
        Cell(picture(image), "the photo", quality=75),
        Cell(bordered(image, region, "#D55E00"), f"the region, {region.mean():.0%} of it", quality=75),
        Cell(picture(adversarial), f"attacked: {target}", quality=75),
        Cell(picture(difference), f"the difference, grey: none, full colour: {largest:.2f}", quality=75),
    )
    return Strip(f"{name} ({named(unit)})", cells)


def partial_explanations(units):
    """Fig. 3: the region and the explanations of one size, that nearest to the region's, in white."""
    strips, data = [], {}
    for unit in units:
        for rows in stored_examples(unit):
            row = rows[0]
            region = unit.arrays["shown_region"][row]
            levels = dict(zip(EXPLAINERS, unit.arrays["shown_levels"][row], strict=True))
            n = _nearest(levels["lime"], region.sum(), unit)
            cells = [Cell(region.astype(float), "attacked region")]
            for name in (*PAPER, *AVERAGED):
                found = _upto(levels[name], n)
                cells.append(
                    Cell(
                        found.astype(float),
                        f"{TITLES[name]}\nJaccard {metrics.jaccard(found[None], region[None])[0]:.2f}",
                    )
                )
                data[f"{unit.path.name}_{name}_{row}"] = found
            data[f"{unit.path.name}_region_{row}"] = region
            photo = unit.table("examples")["photo"][unit.arrays["shown"][row]]
            strips.append(Strip(f"{photo}, n = {n} ({named(unit)})", tuple(cells)))
    return Sheet(tuple(strips), across=1), data


def _nearest(levels, area, unit):
    """The n = 1, 2, … whose union has the number of pixels nearest to ``area``."""
    count = unit.result["parameters"]["choices"]["unions"]
    return 1 + int(np.argmin([abs(int(_upto(levels, n).sum()) - area) for n in range(1, count + 1)]))


def _upto(levels, n):
    """The n-th partial explanation (H, W) bool, from a map of :func:`.recovery.levels`."""
    return (levels > 0) & (levels <= n)


def curves(units):
    """Fig. 4 over all examples: median and quartiles of both scores over the number of superpixels."""
    names = (*PAPER, "random", BOUND)
    figure, axes = drawing(NARROW, 2.4 * len(units) + 0.4, nrows=len(units), ncols=2, squeeze=False)
    tables = []
    for line, unit in zip(axes, units, strict=True):
        table = unit.table("curves")
        table = table[table.explainer.isin(names)]
        tables.append(table.assign(unit=unit.path.name, profile=unit.result["profile"]))
        for axis, metric in zip(line, METRICS, strict=True):
            for name in names:
                rows = table[(table.metric == metric) & (table.explainer == name)]
                style = {"ls": "--"} if name == BOUND else {"ls": ":"} if name == "random" else {}
                axis.plot(rows.n, rows.q50, color=COLOURS[name], label=TITLES[name], lw=1.6, marker=MARKERS.get(name),
                          ms=3, **style)  # fmt: skip
                if name in PAPER:
                    axis.fill_between(rows.n, rows.q25, rows.q75, color=COLOURS[name], alpha=0.15, lw=0)
            examples = unit.result["attack"]["success"]["k"]
            axis.set_ylabel(metric.capitalize(), fontsize=8)
            axis.tick_params(labelsize=7)
            axis.set_title(f"{_titled(unit)},\n{examples} examples", fontsize=7.5)
            axis.set_xticks((1, 5, 10, 15, 20))
    for axis in axes[-1]:
        axis.set_xlabel("n of LIME’s union", fontsize=8)
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3, frameon=False, fontsize=7.5)
    return figure, pd.concat(tables)


def ranks(units, which):
    """Mean ranks by Jaccard with their intervals: a panel a unit, a line an explainer of the set ``which``."""
    names = list(units[0].result["ranks"][which]["jaccard"])
    columns = min(2, len(units))
    figure, axes = panels(
        len(units), columns=columns, width=NARROW, height=0.6 + _LINE * len(names), margin=0.2, sharex=True
    )
    tables = []
    for first in range(0, len(units), columns):
        line = axes[first : first + columns]
        at = name_rows(line, [TITLES[name] for name in names], height=_LINE)
        for axis, unit in zip(line, units[first : first + columns], strict=True):
            found = unit.result["ranks"][which]["jaccard"]
            table = pd.DataFrame(
                [{"explainer": TITLES[n], "rank": found[n]["rank"]}
                 | dict(zip(("low", "high"), found[n]["rank_interval"], strict=True)) for n in names], dtype=object
            ).astype({"rank": float, "low": float, "high": float})  # fmt: skip
            tables.append(table.assign(unit=unit.path.name, profile=unit.result["profile"]))
            for row, (name, one) in enumerate(zip(names, table.itertuples(), strict=True)):
                kind = name.removesuffix("_superpixels")
                colour = COLOURS.get(kind, "#009E73")
                hollow = {"mfc": "white"} if name in AVERAGED else {}
                axis.plot((one.low, one.high), (at(row), at(row)), color=colour, lw=1.6)
                axis.plot(one.rank, at(row), color=colour, marker=MARKERS.get(kind, "o"), ms=5, **hollow)
            axis.axvline((len(names) + 1) / 2, color="k", lw=0.6, ls=":")
            axis.set(xlim=(0.8, len(names) + 0.2), xlabel="mean rank")
            axis.set_title(_titled(unit), fontsize=7.5)
            axis.tick_params(labelsize=7)
    return figure, pd.concat(tables)


def _titled(unit):
    """What a panel is of, in lines that are no wider than half a chart."""
    return f"{title_of(unit.result['dataset'])} ({run_of(unit)})\n{REGIONS[shape_of(unit)]}"


def spread(units):
    """LIME with other seeds: the Jaccard index of its unions, a line an example and seed, a colour an example."""
    figure, axes = drawing(NARROW, 2.2 * len(units), nrows=len(units), squeeze=False, sharey=True, sharex=True)
    colours = ("#0072B2", "#D55E00", "#009E73", "#E69F00", "#CC79A7", "#56B4E9")
    tables = []
    for axis, unit in zip(axes.flat, units, strict=True):
        table = unit.table("spread")
        tables.append(table.assign(unit=unit.path.name, profile=unit.result["profile"]))
        for colour, (_, rows) in zip(colours, table.groupby("example"), strict=False):
            for _, line in rows.groupby("seed"):
                axis.plot(line.n, line.jaccard, color=colour, lw=0.9)
        axis.set(xlabel="superpixels n", ylabel="Jaccard", title=named(unit))
        axis.title.set_fontsize(7.5)
    return figure, pd.concat(tables)


def frames(unit):
    """For a widget: a strip by photo, region, explainer of ``OFFERED`` and n; and one beside them by photo.

    Returns:
        (frames, photos’ strips, names of the photos, number of regions each, values of n).
    """
    arrays, photos = unit.arrays, unit.table("examples")["photo"]
    counts = [n for n in COUNTS if n <= unit.result["parameters"]["choices"]["unions"]]
    rows = stored_examples(unit)[:BROWSED]
    nested = [[[[_frame(unit, row, name, n) for n in counts] for name in OFFERED] for row in of_photo]
              for of_photo in rows]  # fmt: skip
    beside, names = [], []
    for of_photo in rows:
        names.append(photos[arrays["shown"][of_photo[0]]])
        beside.append(Strip("photo", (Cell(picture(arrays["shown_image"][of_photo[0]] / 255), names[-1], quality=85),)))
    return nested, beside, names, len(rows[0]), counts


def _frame(unit, row, name, n):
    region = unit.arrays["shown_region"][row]
    found = _upto(unit.arrays["shown_levels"][row][EXPLAINERS.index(name)], n)
    score = metrics.jaccard(found[None], region[None])[0]
    parts = (found & region, ~found & region, found & ~region, ~found & ~region)
    coloured = np.zeros((*region.shape, 3))
    for part, colour in zip(parts, PARTS.values(), strict=True):
        coloured[part] = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    return Strip(f"Jaccard {score:.2f}", (Cell(coloured, f"{found.mean():.1%} of the photo explained"),))


def as_in_paper(units):
    """The units whose regions are segments, as the paper's."""
    return [unit for unit in units if shape_of(unit) == "segments"]
