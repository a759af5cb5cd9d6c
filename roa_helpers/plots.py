"""The pictures of the book: images, maps, regions and blobs of finished units as matplotlib figures.

Needs no torch. :func:`roa_helpers.figures.show` puts them on a page.
"""

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from . import papers
from .figures import MAPS, REGION_COLOURS, REGION_LABELS, STYLE


def drawing(width, height, **subplots):
    """An empty figure in the book's style, in inches, and its axes as ``Figure.subplots`` returns them."""
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(width, height), layout="constrained")
        return figure, figure.subplots(**subplots)


def panels(rows, columns, *, width=1.35, height=1.45, left=0.0):
    """A figure of ``rows`` × ``columns`` pictures without axes, and its axes as a 2-D array."""
    figure, axes = drawing(columns * width + left, rows * height, nrows=rows, ncols=columns, squeeze=False)
    for axis in axes.flat:
        axis.set(xticks=[], yticks=[])
        axis.spines[:].set_visible(False)
    return figure, axes


def name_row(axis, unit, block):
    """Write a data set and its source class to the left of a row of pictures."""
    text = f"{papers.title(unit.result['dataset'])}\n{block['source']}"
    axis.set_ylabel(text, rotation=0, ha="right", va="center")


def setting_of(block, definition):
    """The parameters that a direction was measured with, for a definition of the RoA."""
    return (block if definition == "perturbation" else block["definitions"][definition])["parameters"]


def label_of(unit, name):
    """“MNIST: 0 to 1”."""
    return f"{papers.title(unit.result['dataset'])}: {name}"


def picture(image):
    """(C, H, W) in [0, 1] as (H, W, 3) for ``imshow``."""
    image = np.clip(np.asarray(image, dtype=float), 0, 1)
    return np.moveaxis(np.broadcast_to(image, (3, *image.shape[1:])), 0, -1)


def four_regions(importance, vulnerability, delta1, delta2):
    """Eq. (1) as a dict of masks (H, W) from graded maps; the same rule as :mod:`roa_helpers.regions`, for drawing."""
    roi, roa = importance >= delta1, vulnerability >= delta2
    return {"uv": roi & roa, "u_not_v": roi & ~roa, "not_u_v": ~roi & roa, "not_u_not_v": ~roi & ~roa}


def coloured_regions(image, masks, *, strength=0.65):
    """The four regions laid in their colours over a grey version of the image: (H, W, 3) in [0, 1]."""
    base = np.repeat(picture(image).mean(-1, keepdims=True), 3, axis=-1)
    out = base.copy()
    for name, mask in masks.items():
        out[mask] = (1 - strength) * base[mask] + strength * np.array(to_rgb(REGION_COLOURS[name]))
    return out


def outlined(axis, image, mask, colour):
    """Draw an image with the outline of a region on it."""
    axis.imshow(picture(image))
    if mask.any() and not mask.all():
        axis.contour(mask.astype(float), [0.5], colors=[colour], linewidths=1.6)


def example(unit, k, index=0):
    """The maps of one stored example of class ``k``: image, perturbation, importance, vulnerability_*."""
    prefix, suffix = "example_", f"_{k}"
    names = [n for n in unit.arrays if n.startswith(prefix) and n.endswith(suffix)]
    return {n[len(prefix) : -len(suffix)]: unit.arrays[n][index].astype(float) for n in names}


def neutralised(image, blob, value):
    """(C, H, W) image with the blob's pixels at ``value``."""
    return np.where(blob, value, image)


def plate(unit, k, *, index=0, definition="perturbation"):
    """One example through the whole pipeline, from image to neutralised image (the paper's Figs 3 to 5)."""
    block = list(unit.result["directions"].values())[k]
    setting = setting_of(block, definition)
    maps, blob = example(unit, k, index), unit.arrays[f"{definition}_blob_{k}"]
    masks = four_regions(maps["importance"], maps[f"vulnerability_{definition}"], setting["delta1"], setting["delta2"])
    adversarial = maps["image"] + setting["eps"] * maps["perturbation"]
    figure, axes = panels(1, 7, width=1.3, height=1.75)
    titles = ("image", f"FGSM, ε = {setting['eps']:g}", "Grad-CAM", "vulnerability", "four regions",
              f"blob, θ = {setting['theta']:g}", "neutralised")  # fmt: skip
    shown = (
        picture(maps["image"]), picture(adversarial), maps["importance"], maps[f"vulnerability_{definition}"],
        coloured_regions(maps["image"], masks), blob, picture(neutralised(maps["image"], blob, setting["value"])),
    )  # fmt: skip
    scales = (None, None, MAPS["importance"], MAPS["vulnerability"], None, "Greys", None)
    for axis, text, content, scale in zip(axes[0], titles, shown, scales, strict=True):
        axis.imshow(content, cmap=scale, vmin=0, vmax=1)
        axis.set_title(text)
    legend(figure)
    return figure


def legend(figure):
    """The colours of the four regions, below a figure."""
    handles = [Patch(color=REGION_COLOURS[name], label=REGION_LABELS[name]) for name in REGION_COLOURS]
    figure.legend(handles=handles, loc="outside lower center", ncols=4, frameon=False)


def individual_regions(units, kind, *, definition="perturbation", cmap=None):
    """Figs 6 and 7: for each data set and class one image, its graded map, and the region on the image.

    Args:
        kind: ``importance`` (RoI, Fig. 6) or ``vulnerability`` (RoA, Fig. 7).
    """
    rows = papers.directions(units)
    figure, axes = panels(len(rows), 3, width=1.5, height=1.5, left=1.0)
    for row, (axis, (unit, name, block)) in enumerate(zip(axes, rows, strict=True)):
        k = list(unit.result["directions"]).index(name)
        setting = setting_of(block, definition)
        maps = example(unit, k)
        values = maps["importance" if kind == "importance" else f"vulnerability_{definition}"]
        mask = values >= setting["delta1" if kind == "importance" else "delta2"]
        axis[0].imshow(picture(maps["image"]))
        name_row(axis[0], unit, block)
        axis[1].imshow(values, cmap=cmap or MAPS[kind], vmin=0, vmax=1)
        outlined(axis[2], maps["image"], mask, REGION_COLOURS["u_not_v" if kind == "importance" else "not_u_v"])
        if row == 0:
            for a, text in zip(axis, ("image", "graded map", "region"), strict=True):
                a.set_title(text)
    return figure


def representatives(units, name, *, definition="perturbation", cmap=None):
    """Figs 8, 9 and 10: one class-level map for each data set and class: ``roi``, ``roa``, ``not_u_v`` or ``blob``."""
    figure, axes = panels(2, max(1, len(units)), width=1.7, height=1.75)
    colours = cmap or {"roi": MAPS["importance"], "blob": "Greys"}.get(name, MAPS["vulnerability"])
    for column, unit in enumerate(units):
        for k, block in enumerate(unit.result["directions"].values()):
            values = unit.arrays[f"{definition}_{name}_{k}"].astype(float)
            drawn = axes[k, column].imshow(values, cmap=colours, vmin=0, vmax=1)
            axes[k, column].set_title(f"{papers.title(unit.result['dataset'])}\n{block['source']}")
            axes[k, column].spines[:].set(visible=True, color="#BBBBBB")
    if name != "blob":
        figure.colorbar(drawn, ax=axes, shrink=0.7, label="share of the images of the class")
    return figure


def map_data(units, name, *, definition="perturbation"):
    """The arrays behind :func:`representatives`, by unit and class."""
    return {
        f"{unit.path.name}_{block['source']}".replace(" ", "_"): unit.arrays[f"{definition}_{name}_{k}"]
        for unit in units
        for k, block in enumerate(unit.result["directions"].values())
    }


def example_data(units, *names):
    """The arrays of the first example of each class, by unit, class and map."""
    return {
        f"{unit.path.name}_{block['source']}_{name}".replace(" ", "_"): example(unit, k)[name].astype(np.float16)
        for unit in units
        for k, block in enumerate(unit.result["directions"].values())
        for name in names
    }


def region_frames(unit, k, delta1s, delta2s, *, index=0, definition="gradient"):
    """Frames for a slider over δ1 and one over δ2: the four regions of one example, ``[i][j]`` uint8 (H, W, 3)."""
    maps = example(unit, k, index)
    u, v = maps["importance"], maps[f"vulnerability_{definition}"]
    return [[_bytes(coloured_regions(maps["image"], four_regions(u, v, d1, d2))) for d2 in delta2s] for d1 in delta1s]


def blob_frames(unit, k, thetas, *, index=0, definition="perturbation"):
    """Frames for a slider over θ: the class's U−V+ map, its blob, and one example neutralised, side by side."""
    share = unit.arrays[f"{definition}_not_u_v_{k}"].astype(float)
    block = list(unit.result["directions"].values())[k]
    value, image = setting_of(block, definition)["value"], example(unit, k, index)["image"]
    graded = matplotlib.colormaps[MAPS["vulnerability"]](share)[..., :3]
    gap = np.ones((len(share), 2, 3))
    frames = []
    for theta in thetas:
        blob = share >= theta
        drawn = np.repeat(1.0 - blob[..., None], 3, axis=-1)
        frames.append(_bytes(np.hstack([graded, gap, drawn, gap, picture(neutralised(image, blob, value))])))
    return frames


def _bytes(picture):
    return np.round(255 * np.clip(picture, 0, 1)).astype(np.uint8)


def isolation(units):
    """Fig. 4 from real images: each class's example and its four regions, for both definitions of the RoA."""
    rows = papers.directions(units)
    figure, axes = panels(len(rows), 3, width=1.5, height=1.5, left=1.0)
    for axis, (unit, name, block) in zip(axes, rows, strict=True):
        maps = example(unit, list(unit.result["directions"]).index(name))
        axis[0].imshow(picture(maps["image"]))
        name_row(axis[0], unit, block)
        for cell, definition in zip(axis[1:], ("perturbation", "gradient"), strict=True):
            setting = setting_of(block, definition)
            thresholds = setting["delta1"], setting["delta2"]
            masks = four_regions(maps["importance"], maps[f"vulnerability_{definition}"], *thresholds)
            cell.imshow(coloured_regions(maps["image"], masks))
    for axis, text in zip(axes[0], ("image", "paper’s RoA", "RoA by gradient"), strict=True):
        axis.set_title(text)
    legend(figure)
    return figure


def neutralisation_flow(unit, k):
    """Fig. 5 from a real image: the four sets and the model's score on each, with the data plotted."""
    block, maps = list(unit.result["directions"].values())[k], example(unit, k)
    setting, blob = block["parameters"], unit.arrays[f"perturbation_blob_{k}"]
    modified = neutralised(maps["image"], blob, setting["value"])
    shown = {
        "clean": ("S_clean", maps["image"]),
        "adv": ("S_adv", maps["image"] + setting["eps"] * maps["perturbation"]),
        "mod": ("S_mod", modified),
        "mod_adv": ("S_mod-adv", modified + setting["eps"] * maps["perturbation_modified"]),
    }
    figure, axes = panels(1, 4, width=1.75, height=2.2)
    rows = []
    for axis, (score, (title, image)) in zip(axes[0], shown.items(), strict=True):
        count = block["scores"][score]
        axis.imshow(picture(image))
        axis.set(title=title, xlabel=f"accuracy {100 * count['k'] / count['n']:.1f} %")
        rows.append({"score": papers.SCORES[score], **count})
    return figure, pd.DataFrame(rows)
