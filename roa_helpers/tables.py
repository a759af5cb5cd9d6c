"""Tables read off finished units: one row a direction, as a reader sees them. Needs no torch."""

import pandas as pd

from . import config, papers, sensitivity
from .figures import REGION_LABELS

DEFINITIONS = {"perturbation": "paper’s RoA", "gradient": "RoA by gradient"}


def blocks(units):
    """(unit, direction's name, definition, result block, table of its images) for all directions and definitions."""
    for unit, name, block in papers.directions(units):
        images = unit.table("images")
        for definition in DEFINITIONS:
            own = block if definition == "perturbation" else block["definitions"][definition]
            rows = images[(images.direction == name) & (images.definition == definition)]
            yield unit, name, definition, own, rows


def colocation(units):
    """Mean Moran's I of single images' regions, and in how many images it is significant."""
    rows = []
    for unit, name, definition, _, images in blocks(units):
        regions = {"roi": "RoI"} if definition == "perturbation" else {}
        for region, label in (regions | {"roa": DEFINITIONS[definition]}).items():
            rows.append(
                {"data set": papers.title(unit.result["dataset"]), "direction": name, "region": label,
                 "mean Moran’s I": round(images[f"moran_{region}"].mean(), 3),
                 "p ≤ .05": int((images[f"p_{region}"] <= 0.05).sum()),
                 "defined": int(images[f"p_{region}"].notna().sum()), "n": len(images)}
            )  # fmt: skip
    return pd.DataFrame(rows)


def similarity_choices(units):
    """Mean SSIM of RoI and RoA for the four readings of Table I."""
    rows = {}
    for unit, name, definition, block, _ in blocks(units):
        row = rows.setdefault((unit.path, name), {"data set": papers.title(unit.result["dataset"]), "direction": name})
        row[f"regions, {DEFINITIONS[definition]}"] = round(block["ssim"]["individual"]["mean"], 3)
        row[f"graded maps, {DEFINITIONS[definition]}"] = round(block["ssim"]["graded"]["mean"], 3)
    return pd.DataFrame(rows.values())


def region_shares(units):
    """Mean share of the image (%) that each of the four regions takes."""
    return pd.DataFrame(
        {"data set": papers.title(unit.result["dataset"]), "direction": name, "definition": DEFINITIONS[definition]}
        | {label: round(100 * images[region].mean(), 1) for region, label in REGION_LABELS.items()}
        | {"n": len(images)}
        for unit, name, definition, _, images in blocks(units)
    )


def tuned(units):
    """The setting that tuning chose, and what it costs and gains on validation images: a row a unit."""
    rows = []
    for unit in units:
        tuning = unit.table("tuning")
        table = tuning[tuning.definition == "perturbation"]
        (chosen,) = table[table.chosen].to_dict("records")
        rows.append(
            {"data set": papers.title(unit.result["dataset"])}
            | {sensitivity.LABELS[name]: chosen[name] for name in ("delta1", "delta2", "theta", "value")}
            | {papers.SCORES[score]: round(100 * chosen[score], 1) for score in ("clean", "mod", "adv", "mod_adv")}
            | {"settings within the allowed cost": f"{table.feasible.sum()} of {len(table)}",
               "images a class": sensitivity.images_that_tune(unit)}
        )  # fmt: skip
    return pd.DataFrame(rows)


def retrained(units):
    """Largest change of each result when one choice of the training changes; * where the seed changes it by less.

    The lowest accuracy of M that a choice led to stands beside them: a network that has not learnt moves everything.

    Args:
        units: of the study ``sensitivity``.
    """
    accuracy = {}
    for unit in units:
        key = papers.title(unit.result["dataset"]), unit.result["varied"].replace("seed_offset", "seed")
        count = unit.result["model"]["test"]
        accuracy.setdefault(key, []).append(100 * count["k"] / count["n"])
    found = sensitivity.moves([], units)
    largest = sensitivity.ranges(found, "data set").set_index(["data set", "choice", "result"]).largest
    exceeding = sensitivity.beyond_chance(found)
    rows = []
    for (dataset, choice), tried in found.groupby(["data set", "choice"], sort=False):
        row = {"data set": dataset, "choice": sensitivity.LABELS[choice],
               "instead": ", ".join(dict.fromkeys(map(_word, tried.value))),
               "lowest accuracy (%)": round(min(accuracy[dataset, choice]), 1)}  # fmt: skip
        for result, label in sensitivity.RESULTS.items():
            value = largest[dataset, choice, result]
            text = _points(value) if result in sensitivity.SCORES else _signed(value, 3)
            row[label] = f"{text} *" if (dataset, choice, result) in exceeding else text
        rows.append(row)
    return pd.DataFrame(rows)


#: What is said of a result that was not measured for a choice, where it can be said.
_UNMOVED = {
    ("eps", "cost"): "nothing, with the same blob",
    ("eps_target", "cost"): "what ε moves",
    ("eps_target", "gain"): "what ε moves",
}


def open_choices(units, retrained_units=()):
    """Every choice that the paper leaves open: what was used, why, and how much two results move with it.

    Args:
        units: of the study ``roi_roa``.
        retrained_units: of the study ``sensitivity``.

    Returns:
        DataFrame, a row a choice; the columns for cost and gain hold ranges in points, each with where it was
        measured (see :func:`roa_helpers.sensitivity.moves`).
    """
    found = sensitivity.moves(units, retrained_units)
    pooled = sensitivity.ranges(found[found.measured != "retrained"])
    anew = sensitivity.ranges(found[found.measured == "retrained"], "data set")
    moved = pd.concat([pooled.assign(where=pooled.measured), anew.assign(where="retrained, " + anew["data set"])])
    rows = []
    for name, reason in config.REASONS.items():
        row = {"choice": sensitivity.LABELS[name], "value": _by_data_set(units, name), "why": reason}
        for result in sensitivity.SCORES:
            cells = moved[(moved.choice == name) & (moved.result == result)]
            ranges = [f"{c.where}: {_span(c.low, c.high)}" for c in cells.itertuples()]
            row[f"{sensitivity.RESULTS[result]} moves by"] = "; ".join(ranges) or _UNMOVED.get(
                (name, result), "not measured"
            )
        rows.append(row)
    return pd.DataFrame(rows)


def chosen(units, reasons):
    """The open choices of a study of one data set each: every value that its units used, and why.

    Args:
        units: of one study.
        reasons: why, by name of the choice.
    """
    used = [unit.result["parameters"]["choices"] for unit in units]
    rows = []
    for name, reason in reasons.items():
        values = dict.fromkeys(_written(one[name]) for one in used)
        rows.append({"choice": name, "value": "; ".join(values), "why": reason})
    return pd.DataFrame(rows)


def _written(value):
    if isinstance(value, list):
        return ", ".join(_written(one) if not isinstance(one, list) else f"{one[0]} {one[1]:.4g}" for one in value)
    if value is None:
        return "all"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _by_data_set(units, name):
    """What was used for one choice, in words: one value for all data sets, or each value with its data sets."""
    values, titles = {}, {}
    for unit in units:
        values.setdefault(papers.title(unit.result["dataset"]), {})[_word(_used(unit).get(name))] = None
    for title, words in values.items():
        titles.setdefault(", ".join(words), []).append(title)
    if len(titles) == 1:
        return next(iter(titles))
    return "; ".join(f"{words}: {', '.join(names)}" for words, names in titles.items())


def _used(unit):
    """The choices that a unit was computed with, after tuning, by name."""
    used, block = unit.result["parameters"], next(iter(unit.result["directions"].values()))
    model, counts = unit.result["model"], unit.result["provenance"]["data"]["counts"]
    found = {
        "delta2_gradient": block["definitions"]["gradient"]["parameters"]["delta2"],
        "weights": {"scratch": "drawn at random", "imagenet": "ImageNet"}[model["initialisation"]],
        "mixed": model.get("mixed"),
        "train": min(counts["train"].values()),
        "tune": sensitivity.images_that_tune(unit),
        "seed": unit.result["seed"],
    }
    return used["choices"] | used | block["parameters"] | found


def _word(value):
    if value is None:
        return "not recorded"
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _span(low, high):
    """A range of changes in points: “−3.1 to +2.0”."""
    ends = dict.fromkeys((_points(low), _points(high)))
    return " to ".join(ends)


def _points(change):
    return _signed(100 * change, 1)


def _signed(value, digits):
    """“−3.1”, “+2.0”, or “0” for what rounds to it."""
    return papers.minus(value, f"+.{digits}f") if round(value, digits) else "0"
