"""The figures of the pixel-importance thesis from our units: bar charts, strengths, attackers, blurred images."""

import numpy as np
import pandas as pd
import torch

from ...page import NARROW, drawing, panels, pictures, sheets
from ...records import seeds
from . import blur
from .published import HEATMAPS, MODELS, ROWS, TESTS
from .results import ATTACKERS, named
from .tables import compare, knowing

#: Okabe–Ito colours of the six test sets; the thesis’s own are dark grey, light grey, red, yellow, green and blue.
COLOURS = {"original": "#000000", "blur": "#999999", "gradient": "#D55E00", "input_x_gradient": "#E69F00",
           "lrp_epsilon": "#009E73", "pgd": "#0072B2"}  # fmt: skip
#: The four charts: number in the thesis, row that is drawn.
CHARTS = {
    "fgsm_blur": "Fig. 4.2",
    "newtonfool_blur": "Fig. 4.3",
    "blur_fgsm": "Fig. 4.4",
    "blur_newtonfool": "Fig. 4.5",
}
#: Colours and marks of the five rows of a table.
_ROW_LOOKS = (("#000000", "o"), ("#D55E00", "s"), ("#E69F00", "D"), ("#0072B2", "^"), ("#56B4E9", "v"))
SIGMAS = (1.0, 2.0, 3.0, 4.0)
ATTACKS = {"fgsm": ("FGSM, ε", "#D55E00", "o"), "newtonfool": ("NewtonFool, η", "#0072B2", "s")}
_AIMED = ATTACKS | {"knowing": ("FGSM, ε of the attackers who know the blur", "#E69F00", "^")}
_LOOKS = {"unaware_one": ("#56B4E9", "o"), "fixed": ("#0072B2", "s"), "unaware_many": ("#E69F00", "^"),
          "recomputed": ("#D55E00", "D"), "explainer": ("#CC79A7", "v"), "worst": ("#000000", "X")}  # fmt: skip


def bars(group):
    """Figs 4.2 to 4.5: accuracy of the five models on the six test sets, without attack (light) and under attack.

    Returns:
        (figure, the 150 rows of :func:`.tables.compare`).
    """
    table = compare(group)
    figure, axes = drawing(NARROW, 8.2, nrows=len(CHARTS), sharex=True, sharey=True)
    width = 0.8 / len(TESTS)
    clean = table[table.row == "clean"].set_index(["model", "test"])
    for axis, (row, number) in zip(axes, CHARTS.items(), strict=True):
        attacked = table[table.row == row].set_index(["model", "test"])
        for j, test in enumerate(TESTS):
            at = np.arange(len(MODELS)) + (j - 2.5) * width
            light, dark = (part.xs(test, level="test").loc[list(MODELS)] for part in (clean, attacked))
            axis.bar(at, 100 * light.ours, 0.92 * width, color=COLOURS[test], alpha=0.3)
            axis.bar(at, 100 * dark.ours, 0.55 * width, color=COLOURS[test], label=TESTS[test])
            axis.vlines(at, 100 * dark.low, 100 * dark.high, color="#FFFFFF", lw=2.4)
            axis.vlines(at, 100 * dark.low, 100 * dark.high, color="#000000", lw=0.9)
            last = test == list(TESTS)[-1] and dark.paper.notna().any()
            axis.plot(at, 100 * dark.paper, "D", ms=3.6, mfc="#FFFFFF", mec="#000000", mew=0.8,
                      label="the thesis’s, under attack" if last else None)  # fmt: skip
        axis.set_title(f"{number}: {ROWS[row]}", loc="left")
    names = [title.replace(": ", ":\n").replace("×", " ×\n") for title in MODELS.values()]
    axes[-1].set(xticks=range(len(MODELS)), xticklabels=names, ylim=(0, 100))
    axes[-1].tick_params(axis="x", labelsize=7.5)
    figure.supylabel("accuracy in %", fontsize=9)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=2, frameon=False, fontsize=8)
    return figure, table


def as_printed(table):
    """The 150 accuracies of the thesis against ours, a panel a network, coloured by row; both with 95 % intervals.

    Args:
        table: of :func:`.tables.compare`.

    Returns:
        (figure, the table)
    """
    figure, axes = panels(len(MODELS), columns=2, width=NARROW, height=2.1, margin=0.9, sharex=True, sharey=True)
    for axis, (model, title) in zip(axes, MODELS.items(), strict=True):
        axis.plot((0, 100), (0, 100), color="#999999", lw=0.8)
        own = table[table.model == model]
        for (row, name), (colour, mark) in zip(ROWS.items(), _ROW_LOOKS, strict=True):
            part = 100 * own[own.row == row][["paper", "paper_low", "paper_high", "ours", "low", "high"]]
            axis.hlines(part.ours, part.paper_low, part.paper_high, color=colour, lw=0.5, alpha=0.6)
            axis.vlines(part.paper, part.low, part.high, color=colour, lw=0.5, alpha=0.6)
            axis.plot(part.paper, part.ours, mark, ms=4, color=colour, label=name)
        axis.set(title=title, xlim=(0, 100), ylim=(0, 100), aspect="equal")
    figure.supxlabel("the thesis’s accuracy (%)", fontsize=9)
    figure.supylabel("ours (%)", fontsize=9)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=2, frameon=False, fontsize=8)
    return figure, table


def strengths(units):
    """Accuracy of A on attacked validation images over the strength; dashed: the aim, filled: the strength chosen."""
    rows = seeds.groups(units)
    figure, axes = panels(len(rows), columns=min(2, len(rows)), width=NARROW, height=2.0, margin=0.8)
    data = []
    for axis, group in zip(axes, rows, strict=True):
        for unit in group:
            table = unit.table("strengths")
            data.append(table.assign(group=named(unit), seed=seeds.of(unit)))
            for name, (text, colour, marker) in _AIMED.items():
                own = table[table.attack == name]
                chosen = own[own.chosen]
                axis.plot(own.strength, 100 * own.accuracy, color=colour, lw=0.9)
                axis.plot(own.strength, 100 * own.accuracy, marker, ms=3.5, mfc="#FFFFFF", color=colour)
                axis.plot(chosen.strength, 100 * chosen.accuracy, marker, ms=5.5, color=colour,
                          label=text if unit is group[0] else None)  # fmt: skip
                axis.axhline(100 * own.aim.iloc[0], color=colour, lw=0.8, ls="--")
        axis.set(xscale="log", ylim=(0, 100))
        axis.set_title(named(group[0]).replace(", ", ",\n", 1), fontsize=8)
    figure.supxlabel("strength", fontsize=9)
    figure.supylabel("accuracy of A in %", fontsize=9)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=1, frameon=False, fontsize=8)
    return figure, pd.concat(data)


def attackers(units):
    """Accuracy of the networks behind their own blur under each attacker; lines: A without a blur, under one and many
    steps."""
    table = knowing(units)
    names = list(table.group.unique())
    figure, axes = panels(len(names), columns=min(2, len(names)), width=NARROW, height=2.4, margin=1.0)
    models = list(HEATMAPS)
    for axis, name in zip(axes, names, strict=True):
        part = table[table.group == name]
        for j, (attacker, (colour, marker)) in enumerate(_LOOKS.items()):
            own = part[part.attacker == attacker].set_index("model").loc[models]
            at = np.arange(len(models)) + 0.13 * (j - 2.5)
            axis.vlines(at, 100 * own.low, 100 * own.high, color=colour, lw=1.1)
            axis.plot(at, 100 * own.accuracy, marker, ms=4, color=colour, label=ATTACKERS[attacker])
        for attacker, style in (("fixed", "--"), ("recomputed", ":")):
            bare = 100 * part[part.attacker == attacker].undefended.iloc[0]
            steps = "FGSM" if attacker == "fixed" else "BIM"
            axis.axhline(bare, color="#000000", lw=0.9, ls=style, label=f"A undefended, {steps}")
        axis.set(xticks=range(len(models)), ylim=(0, 100))
        axis.set_xticklabels(["B", "C", "D", "E"])
        axis.set_title(name.replace(", ", ",\n", 1), fontsize=8)
    figure.supylabel("accuracy in %", fontsize=9)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=1, frameon=False, fontsize=8)
    return figure, table


def blur_sheet(unit):
    """Fig. 3.1: one image a class, blurred entirely, σ = 1 to 4.

    Returns:
        (:class:`roa_helpers.page.sheets.Sheet`, arrays).
    """
    images = torch.from_numpy(unit.arrays["example_image"])
    levels = {sigma: blur.gaussian(images, sigma).numpy() for sigma in SIGMAS}
    strips = tuple(
        sheets.Strip(name, (_cell(images[k], "original"), *(_cell(x[k], f"σ = {s:g}") for s, x in levels.items())))
        for k, name in enumerate(_classes(unit))
    )
    return sheets.Sheet(strips, across=1), {f"sigma_{sigma:g}": x for sigma, x in levels.items()}


def heatmap_sheet(unit):
    """Fig. 3.2: one image a class, blurred where each heatmap is low, with the heatmaps, scaled to the range of each.

    Returns:
        (:class:`roa_helpers.page.sheets.Sheet`, arrays).
    """
    choices = unit.result["parameters"]["choices"]
    shown = {name: versions(unit, name, choices["keep"], choices["sigma"]) for name in HEATMAPS}
    strips = []
    for k, name in enumerate(_classes(unit)):
        cells = [_cell(unit.arrays["example_image"][k], "original")]
        for heatmap, title in HEATMAPS.items():
            heat = unit.arrays[f"example_heat_{heatmap}"][k]
            scaled = (heat - heat.min()) / max(float(np.ptp(heat)), 1e-30)
            cells += [sheets.Cell(pictures.heat(scaled, "cividis"), f"{title}: heatmap"),
                      _cell(shown[heatmap][k], f"{title}: blurred")]  # fmt: skip
        strips.append(sheets.Strip(name, tuple(cells)))
    return sheets.Sheet(tuple(strips), across=1), shown


def attack_sheet(unit):
    """One image a class under both attacks on A at the strengths used, and what they added, ten times enlarged."""
    images, strips, arrays = unit.arrays["example_image"], [], {}
    for name in ATTACKS:
        arrays[name] = unit.arrays[f"example_{name}"]
    for k, name in enumerate(_classes(unit)):
        cells = [_cell(images[k], "original")]
        for attack, (title, _, _) in ATTACKS.items():
            word = title.split(",")[0]
            added = np.clip(0.5 + 10 * (arrays[attack][k] - images[k]), 0, 1)
            cells += [_cell(arrays[attack][k], word), _cell(added, f"{word}: added, × 10")]
        strips.append(sheets.Strip(name, tuple(cells)))
    return sheets.Sheet(tuple(strips), across=1), arrays


def versions(unit, heatmap, share, sigma):
    """The stored images of a unit, blurred but for the share of pixels that a heatmap ranks highest: (n, C, H, W)."""
    images, heat = (torch.from_numpy(unit.arrays[f"example_{name}"]) for name in ("image", f"heat_{heatmap}"))
    return blur.blurred(images, blur.keep_mask(heat, share), sigma).numpy()


def frames(unit, shares, sigmas):
    """Strips for :func:`roa_helpers.page.widgets.browse`: by heatmap, by share of pixels kept, by σ."""
    return [
        [
            [
                sheets.Strip(
                    f"{title}: {share:.0%} kept, σ = {sigma:g}",
                    tuple(_cell(x, name) for x, name in zip(pictures_of, _classes(unit), strict=True)),
                )
                for sigma in sigmas
                for pictures_of in [versions(unit, heatmap, share, sigma)]
            ]
            for share in shares
        ]
        for heatmap, title in HEATMAPS.items()
    ]


def _classes(unit):
    return unit.result["classes"][: len(unit.arrays["example_image"])]


def _cell(image, text):
    return sheets.Cell(pictures.picture(image), text)
