"""Pictures of this study's pages: images, maps, regions and blobs of finished units, as sheets and frames of widgets.

Needs no torch. :func:`roa_helpers.page.figures.show` puts a :class:`.sheets.Sheet` on a page,
:func:`roa_helpers.page.widgets.browse` puts frames behind controls.
"""

import numpy as np
import pandas as pd

from ... import metrics
from ...data import title_of
from ...page import (
    MAPS,
    REGION_COLOURS,
    REGION_LABELS,
    Bar,
    Cell,
    Sheet,
    Strip,
    bordered,
    heat,
    minus,
    percent_of,
    picture,
    span,
)
from .maps import attacked, blob_picture, coloured_regions, example, four_regions, neutralised, perturbation
from .results import SCORES, directions, holding, named, setting_of

LEGEND = {REGION_LABELS[region]: colour for region, colour in REGION_COLOURS.items()}


def classes(units):
    """(unit, k) of every class by a label such as “MNIST: 0”."""
    return {
        named(unit, block["source"]): (unit, k)
        for unit in units
        for k, block in enumerate(unit.result["directions"].values())
    }


def stored(units):
    """How many examples every class of ``units`` has at least."""
    return min(len(unit.arrays[f"example_image_{k}"]) for unit, k in classes(units).values())


def confidence(unit, k, index):
    """The model's probability of the true class of one example: columns ``clean``, ``neutralised``, one row an ε."""
    table, name = unit.table("examples"), list(unit.result["directions"])[k]
    chosen = table[(table.direction == name) & (table.example == index)]
    return chosen.set_index("eps")[["clean", "neutralised"]].sort_index()


def plate(unit, *, index=0, definition="perturbation", first=2):
    """Fig. 3: one example of each class through the whole pipeline, from image to neutralised image.

    Args:
        index: which stored example.
        first: of how many classes.
    """
    shown = list(classes([unit]).items())[:first]
    return Sheet(
        tuple(Strip(label, tuple(_steps(unit, k, index, definition))) for label, (_, k) in shown),
        across=1,
        legend=LEGEND,
    )


def through(unit, k=0, index=0):
    """What the pipeline does to one example, in words: the probability of its true class at every stage."""
    eps = setting_of(_block(unit, k), "perturbation")["eps"]
    table = confidence(unit, k, index)
    clean, attack = (table.iloc[np.abs(table.index - at).argmin()] for at in (0, eps))
    return (
        f"the network gives its true class a probability of {clean.clean:.2f}, under the attack {attack.clean:.2f}, "
        f"neutralised {clean.neutralised:.2f}, and neutralised under the attack {attack.neutralised:.2f}"
    )


def _steps(unit, k, index, definition):
    setting, maps = setting_of(_block(unit, k), definition), example(unit, k, index)
    blob, eps = unit.arrays[f"{definition}_blob_{k}"], setting["eps"]
    modified = neutralised(maps["image"], blob, setting["value"])
    yield Cell(picture(maps["image"]), f"image\n{_score(unit, k, index, 0)}")
    attack = attacked(maps["image"], maps["perturbation"], eps)
    yield Cell(picture(attack), f"attacked, ε\u00a0=\u00a0{eps:g}\n{_score(unit, k, index, eps)}")
    yield Cell(perturbation(maps["perturbation"]), "perturbation")
    yield Cell(heat(maps[f"vulnerability_{definition}"], MAPS["vulnerability"]), "vulnerability")
    yield Cell(heat(maps["importance"], MAPS["importance"]), "Grad-CAM")
    yield _regions(maps, setting, definition, "four regions")
    yield Cell(blob_picture(blob), f"blob, θ = {setting['theta']:g}")
    yield Cell(picture(modified), f"neutralised\n{_score(unit, k, index, 0, 'neutralised')}")


def _block(unit, k):
    return list(unit.result["directions"].values())[k]


def _score(unit, k, index, eps, images="clean"):
    """“P = 0.93”: the model's probability of the true class at the ε of the table that is nearest to ``eps``."""
    table = confidence(unit, k, index)
    return f"P = {table[images].iloc[np.abs(table.index - eps).argmin()]:.2f}"


def _regions(maps, setting, definition, label):
    thresholds = setting["delta1"], setting["delta2"]
    masks = four_regions(maps["importance"], maps[f"vulnerability_{definition}"], *thresholds)
    return Cell(coloured_regions(maps["image"], masks), label)


def _graded(values, kind, label):
    """A graded map in the book's colours and in the paper's."""
    return Cell(heat(values, MAPS[kind]), label, paper=heat(values, MAPS["paper"]))


def _bar(kind, label):
    steps = np.linspace(0, 1, 64)[None]
    return Bar(label, heat(steps, MAPS[kind]), heat(steps, MAPS["paper"]))


def adversarial(units):
    """Fig. 1: of each class the surest stored example that FGSM turns, at the smallest ε of the grid that does it.

    Returns:
        (sheet, DataFrame of what is shown: data set, source, target, example, eps, clean, attacked).
    """
    strips, rows = [], []
    for label, (unit, k) in classes(units).items():
        block, turn = _block(unit, k), turning_point(unit, k)
        index, eps = turn or (0, max(unit.result["parameters"]["choices"]["eps"]))
        maps, scores = example(unit, k, index), confidence(unit, k, index).clean
        before, after = scores.loc[0], scores.loc[eps]
        said = f"the model says {block['target']}" if turn else f"the model still says {block['source']}"
        strips.append(
            Strip(
                f"{label}, ε = {eps:g}",
                (
                    Cell(picture(maps["image"]), f"image\nP = {before:.2f}"),
                    Cell(perturbation(maps["perturbation"]), "direction of the attack"),
                    Cell(picture(attacked(maps["image"], maps["perturbation"], eps)), f"{said}\nP = {after:.2f}"),
                ),
            )
        )
        rows.append({"data set": title_of(unit.result["dataset"]), "source": block["source"],
                     "target": block["target"], "example": index, "eps": eps, "clean": before,
                     "attacked": after})  # fmt: skip
    return Sheet(tuple(strips)), pd.DataFrame(rows)


def turning_point(unit, k):
    """The stored example that the model is surest of among those that FGSM takes from right to wrong.

    Returns:
        (example, smallest ε of the grid that turns it), or None if no ε of the grid turns any.
    """
    table, name = unit.table("examples"), list(unit.result["directions"])[k]
    table = table[table.direction == name]
    sure = table[(table.eps == 0) & (table.clean > 0.5)].set_index("example").clean
    turned = table[table.example.isin(sure.index) & (table.clean < 0.5)].groupby("example").eps.min()
    if turned.empty:
        return None
    index = sure[turned.index].idxmax()
    return int(index), float(turned[index])


def individual_regions(units, kind, *, definition="perturbation"):
    """Figs 6 and 7: for each data set and class one image, its graded map, and the region on the image.

    Args:
        units: finished units, one a pair of classes.
        kind: ``importance`` (RoI, Fig. 6) or ``vulnerability`` (RoA, Fig. 7).
        definition: of the RoA.
    """
    strips = []
    for label, (unit, k) in classes(units).items():
        setting, maps = setting_of(_block(unit, k), definition), example(unit, k)
        cells = [Cell(picture(maps["image"]), "image")]
        if kind == "importance":
            values, cut, region, colour = maps["importance"], setting["delta1"], "RoI", REGION_COLOURS["u_not_v"]
            cells.append(_graded(values, kind, "Grad-CAM"))
        else:
            values, cut = maps[f"vulnerability_{definition}"], setting["delta2"]
            region, colour = "RoA", REGION_COLOURS["not_u_v"]
            if definition == "perturbation":
                cells.append(Cell(perturbation(maps["perturbation"]), "perturbation"))
            cells.append(_graded(values, kind, {"perturbation": "its size", "gradient": "gradient norm"}[definition]))
        mask = values >= cut
        cells.append(Cell(bordered(maps["image"], mask, colour), f"{region}, {mask.mean():.0%}"))
        strips.append(Strip(label, tuple(cells)))
    meaning = {"importance": "importance", "vulnerability": "vulnerability"}[kind]
    return Sheet(tuple(strips), bars=(_bar(kind, meaning),))


def representatives(units, name, *, definition="perturbation"):
    """Figs 8, 9 and 10: one class-level map for each data set and class: ``roi``, ``roa``, ``not_u_v`` or ``blob``."""
    strips, kind = [], "importance" if name == "roi" else "vulnerability"
    for unit in units:
        cells = []
        for k, block in enumerate(unit.result["directions"].values()):
            values = unit.arrays[f"{definition}_{name}_{k}"]
            if name == "blob":
                cells.append(Cell(blob_picture(values), f"{block['source']}\n{values.mean():.0%} of the pixels"))
            else:
                cells.append(_graded(values, kind, block["source"]))
        strips.append(Strip(title_of(unit.result["dataset"]), tuple(cells)))
    bars = () if name == "blob" else (_bar(kind, "share of the images of the class"),)
    return Sheet(tuple(strips), across=3, bars=bars)


def signed_procedure(units):
    """Figs 7, 9 and 10 by the procedure of the authors' pictures: RoA of one image, of the class, blob, neutralised.

    Every map is in colour: each channel stands for itself, what is negative is black. Units that were recorded before
    this procedure was run are left out.
    """
    strips = []
    for label, (unit, k) in classes(holding(units, "nulls")).items():
        maps, setting = example(unit, k), setting_of(_block(unit, k), "published")
        representative, blob = unit.arrays[f"published_roa_{k}"], unit.arrays[f"published_blob_{k}"]
        modified = neutralised(maps["image"], blob, setting["value"])
        strips.append(
            Strip(
                label,
                (
                    Cell(picture(maps["image"]), "image"),
                    Cell(picture((maps["perturbation"] > 0).astype(float)), "RoA of one image"),
                    Cell(picture(np.clip(representative, 0, 1)), "representative RoA"),
                    Cell(
                        picture(blob.astype(float)), f"blob, above {setting['theta']:g}\n{blob.mean():.0%} of entries"
                    ),
                    Cell(picture(modified), f"neutralised, set to {setting['value']:g}"),
                ),
            )
        )
    return Sheet(tuple(strips), across=1)


def isolation(units):
    """Fig. 4 from real images: each class's example and its four regions, for both definitions of the RoA."""
    strips = []
    for label, (unit, k) in classes(units).items():
        maps, block = example(unit, k), _block(unit, k)
        parts = (
            _regions(maps, setting_of(block, definition), definition, words)
            for definition, words in (("perturbation", "paper’s RoA"), ("gradient", "RoA by gradient"))
        )
        strips.append(Strip(label, (Cell(picture(maps["image"]), "image"), *parts)))
    return Sheet(tuple(strips), legend=LEGEND)


def neutralisation_flow(units):
    """Fig. 5 from real images: for each class the four sets and the model's score on each.

    Returns:
        (sheet, DataFrame of the scores: data set, direction, score, k, n).
    """
    strips, rows = [], []
    for unit, name, block in directions(units):
        k = list(unit.result["directions"]).index(name)
        setting, maps = block["parameters"], example(unit, k)
        modified = neutralised(maps["image"], unit.arrays[f"perturbation_blob_{k}"], setting["value"])
        shown = {
            "clean": ("S_clean", maps["image"]),
            "adv": ("S_adv", attacked(maps["image"], maps["perturbation"], setting["eps"])),
            "mod": ("S_mod", modified),
            "mod_adv": ("S_mod-adv", attacked(modified, maps["perturbation_modified"], setting["eps"])),
        }
        cells = []
        for score, (title, image) in shown.items():
            count = block["scores"][score]
            cells.append(Cell(picture(image), f"{title}\n{100 * count['k'] / count['n']:.1f} %"))
            rows.append({"data set": title_of(unit.result["dataset"]), "direction": name,
                         "score": SCORES[score], **count})  # fmt: skip
        strips.append(Strip(named(unit, name), tuple(cells)))
    return Sheet(tuple(strips)), pd.DataFrame(rows)


def example_frames(unit, k):
    """A frame for every stored example of a class: image, maps, and the four regions by both definitions."""
    frames = []
    for index in range(len(unit.arrays[f"example_image_{k}"])):
        maps, block = example(unit, k, index), _block(unit, k)
        cells = (
            Cell(picture(maps["image"]), f"image\n{_score(unit, k, index, 0)}"),
            Cell(heat(maps["importance"], MAPS["importance"]), "Grad-CAM"),
            Cell(perturbation(maps["perturbation"]), "perturbation"),
            Cell(heat(maps["vulnerability_perturbation"], MAPS["vulnerability"]), "its size"),
            _regions(maps, setting_of(block, "perturbation"), "perturbation", "regions, paper’s RoA"),
            Cell(heat(maps["vulnerability_gradient"], MAPS["vulnerability"]), "gradient norm"),
            _regions(maps, setting_of(block, "gradient"), "gradient", "regions, RoA by gradient"),
        )
        frames.append(Strip(f"{named(unit, block['source'])}, example {index + 1}", cells))
    return frames


def graded_maps(unit, k, *, index=0, definition="gradient"):
    """The strip beside :func:`threshold_frame`: the image and the two maps that are cut."""
    maps, setting = example(unit, k, index), setting_of(_block(unit, k), definition)
    cells = (
        Cell(picture(maps["image"]), "image"),
        Cell(heat(maps["importance"], MAPS["importance"]), f"importance\nchosen δ₁ = {setting['delta1']:g}"),
        Cell(
            heat(maps[f"vulnerability_{definition}"], MAPS["vulnerability"]),
            f"vulnerability\nchosen δ₂ = {setting['delta2']:g}",
        ),
    )
    return Strip(named(unit, _block(unit, k)["source"]), cells)


def threshold_frame(unit, k, delta1, delta2, *, index=0, definition="gradient"):
    """The four regions of one example at two thresholds, and the share of the image that each takes."""
    maps = example(unit, k, index)
    masks = four_regions(maps["importance"], maps[f"vulnerability_{definition}"], delta1, delta2)
    shares = ", ".join(f"{REGION_LABELS[name]} {mask.mean():.0%}" for name, mask in masks.items())
    return Strip("four regions", (Cell(coloured_regions(maps["image"], masks), shares),))


def similarity_frame(unit, k, delta1, delta2, *, index=0, definition="perturbation"):
    """RoI and RoA of one example at two thresholds, black on white, and their SSIM."""
    maps, block = example(unit, k, index), _block(unit, k)
    roi, roa = maps["importance"] >= delta1, maps[f"vulnerability_{definition}"] >= delta2
    graded, cut = (
        metrics.ssim(*(one[None].astype(float) for one in pair))[0]
        for pair in ((maps["importance"], maps[f"vulnerability_{definition}"]), (roi, roa))
    )
    return Strip(
        f"{named(unit, block['source'])}, example {index + 1}",
        (
            Cell(blob_picture(roi), f"RoI, {roi.mean():.0%} of the pixels"),
            Cell(blob_picture(roa), f"RoA, {roa.mean():.0%} of the pixels"),
        ),
        note=f"SSIM of the regions {minus(cut, '.2f')}; of the graded maps, whatever the thresholds, "
        f"{minus(graded, '.2f')}.",
    )


def shared_frame(unit, k, share, *, definition="perturbation"):
    """The pixels that lie in the RoI, and in the RoA, of at least a share of the images of a class."""
    cells = []
    for name, words in (("roi", "RoI"), ("roa", "RoA")):
        mask = unit.arrays[f"{definition}_{name}_{k}"] >= share
        cells.append(
            Cell(blob_picture(mask), f"in the {words} of at least {share:.0%}\n{mask.mean():.0%} of the pixels")
        )
    return Strip(named(unit, _block(unit, k)["source"]), tuple(cells))


def share_map(unit, k, *, definition="perturbation"):
    """The strip beside :func:`blob_frame`: the share of images in which a pixel lies in U−V+."""
    block = _block(unit, k)
    share = unit.arrays[f"{definition}_not_u_v_{k}"]
    label = f"share in U−V+\nchosen θ = {setting_of(block, definition)['theta']:g}"
    return Strip(named(unit, block["source"]), (Cell(heat(share, MAPS["vulnerability"]), label),))


def blob_frame(unit, k, theta, *, index=0, value=None, definition="perturbation"):
    """The blob of a class at θ, one example neutralised with it, and the scores of the class at that θ.

    Args:
        value: what the pixels are set to; None: the value that was chosen, at which the scores were taken.
    """
    block = _block(unit, k)
    blob, image = unit.arrays[f"{definition}_not_u_v_{k}"] >= theta, example(unit, k, index)["image"]
    setting = setting_of(block, definition)
    cells = (
        Cell(blob_picture(blob), f"blob, {blob.mean():.0%} of the pixels"),
        Cell(picture(neutralised(image, blob, setting["value"] if value is None else value)), "neutralised"),
    )
    note = "" if value not in (None, setting["value"]) else scores_at(unit, k, "theta", theta)
    used = " (the θ that was chosen)" if np.isclose(theta, setting["theta"]) else ""
    return Strip(f"θ = {theta:g}{used}", cells, note=note)


def scores_at(unit, k, axis, value):
    """The accuracies of a direction that a unit holds at one θ or ε, with their intervals, in words."""
    table, name = unit.table("curves"), list(unit.result["directions"])[k]
    rows = table[(table["axis"] == axis) & (table.direction == name)]
    own = rows[np.isclose(rows["at"], value)]
    sign = {"theta": "θ", "eps": "ε"}[axis]
    if own.empty:
        stored = ", ".join(f"{at:g}" for at in sorted(rows["at"].unique()))
        return f"The network was asked at {sign} = {stored}, so there are no scores here."
    told = "; ".join(f"{SCORES[row.score]} {percent_of(row.k, row.n)} %" for row in own.itertuples())
    return f"At {sign} = {value:g}, on {span(own.n)} test images of the class: {told}."


def two_sets(unit, k, *, index=0):
    """The strip beside :func:`attacked_frame`: an image as it is and neutralised, with the scores on clean images."""
    block, maps = _block(unit, k), example(unit, k, index)
    modified = neutralised(maps["image"], unit.arrays[f"perturbation_blob_{k}"], block["parameters"]["value"])
    told = "; ".join(f"{SCORES[score]} {percent_of(**block['scores'][score])} %" for score in ("clean", "mod"))
    cells = Cell(picture(maps["image"]), "S_clean", quality=85), Cell(picture(modified), "S_mod", quality=85)
    return Strip(named(unit, list(unit.result["directions"])[k]), cells, note=f"Without an attack: {told}.")


def attacked_frame(unit, k, eps, *, index=0, quality=75):
    """The same image under attack at ε, without and with neutralisation, and the scores at that ε."""
    block, maps = _block(unit, k), example(unit, k, index)
    modified = neutralised(maps["image"], unit.arrays[f"perturbation_blob_{k}"], block["parameters"]["value"])
    pairs = (("S_adv", maps["image"], "perturbation"), ("S_mod-adv", modified, "perturbation_modified"))
    cells = tuple(
        Cell(picture(attacked(image, maps[steps], eps)), title, quality=quality) for title, image, steps in pairs
    )
    used = " (the ε of the tables)" if np.isclose(eps, block["parameters"]["eps"]) else ""
    return Strip(f"ε = {eps:g}{used}", cells, note=scores_at(unit, k, "eps", eps))


def chosen(unit, k, name, *, definition="perturbation"):
    """What the study uses for a class: ``eps``, ``delta1``, ``delta2``, ``theta`` or ``value``."""
    return setting_of(_block(unit, k), definition)[name]


def grid_of(unit, axis):
    """The values of ε or θ at which a unit holds scores, in order."""
    table = unit.table("curves")
    return sorted(float(value) for value in table[table["axis"] == axis]["at"].unique())


def attack_frames(unit, k, count, *, quality=90):
    """Frames ``[i][j]`` for the first ``count`` stored examples and a slider over ε: attacked before and after
    neutralisation, with the model's probability of the true class."""
    block = _block(unit, k)
    blob, value = unit.arrays[f"perturbation_blob_{k}"], block["parameters"]["value"]
    frames = []
    for index in range(count):
        maps, scores = example(unit, k, index), confidence(unit, k, index)
        modified = neutralised(maps["image"], blob, value)
        pairs = (
            ("clean", "image", maps["image"], "perturbation"),
            ("neutralised", "neutralised image", modified, "perturbation_modified"),
        )
        frames.append(
            [
                Strip(
                    f"{named(unit, block['source'])}, attacked with ε = {eps:g}",
                    tuple(
                        Cell(
                            picture(attacked(image, maps[steps], eps)),
                            f"{words}\n{_answer(block, row[column])}",
                            quality=quality,
                        )
                        for column, words, image, steps in pairs
                    ),
                )
                for eps, row in scores.iterrows()
            ]
        )
    return frames


def _answer(block, probability):
    said = block["source"] if probability > 0.5 else block["target"]
    return f"the model says {said}, P({block['source']}) = {probability:.2f}"


def map_data(units, name, *, definition="perturbation"):
    """The arrays behind :func:`representatives`, by unit and class."""
    return {
        f"{unit.path.name}_{block['source']}".replace(" ", "_"): unit.arrays[f"{definition}_{name}_{k}"]
        for unit in units
        for k, block in enumerate(unit.result["directions"].values())
    }


def example_data(units, *names, index=0):
    """The arrays of one example of each class, by unit, class and map."""
    return {
        f"{unit.path.name}_{block['source']}_{name}".replace(" ", "_"): example(unit, k, index)[name].astype(np.float16)
        for unit in units
        for k, block in enumerate(unit.result["directions"].values())
        for name in names
    }
