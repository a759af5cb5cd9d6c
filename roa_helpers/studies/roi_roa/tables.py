"""Tables read off finished units: one row a direction, as a reader sees them. Needs no torch."""

import pandas as pd

from ...data import title_of
from ...page import REGION_LABELS
from . import choices
from .results import SCORES, defined, directions, holding, images_that_tune

DEFINITIONS = {"perturbation": "paper’s RoA", "gradient": "RoA by gradient"}


def blocks(units):
    """(unit, direction's name, definition, result block, table of its images) for all directions and definitions."""
    for unit, name, block in directions(units):
        images = unit.table("images")
        for definition in DEFINITIONS:
            rows = images[(images.direction == name) & (images.definition == definition)]
            yield unit, name, definition, defined(block, definition), rows


def colocation(units):
    """Mean Moran's I of single images' regions, and in how many images it is significant."""
    rows = []
    for unit, name, definition, _, images in blocks(units):
        regions = {"roi": "RoI"} if definition == "perturbation" else {}
        for region, label in (regions | {"roa": DEFINITIONS[definition]}).items():
            rows.append(
                {"data set": title_of(unit.result["dataset"]), "direction": name, "region": label,
                 "mean Moran’s I": round(images[f"moran_{region}"].mean(), 3),
                 "p ≤ .05": int((images[f"p_{region}"] <= 0.05).sum()),
                 "defined": int(images[f"p_{region}"].notna().sum()), "n": len(images)}
            )  # fmt: skip
    return pd.DataFrame(rows)


def similarity_choices(units):
    """Mean SSIM of RoI and RoA for the four readings of Table I."""
    rows = {}
    for unit, name, definition, block, _ in blocks(units):
        row = rows.setdefault((unit.path, name), {"data set": title_of(unit.result["dataset"]), "direction": name})
        row[f"regions, {DEFINITIONS[definition]}"] = round(block["ssim"]["individual"]["mean"], 3)
        row[f"graded maps, {DEFINITIONS[definition]}"] = round(block["ssim"]["graded"]["mean"], 3)
    return pd.DataFrame(rows.values())


def region_shares(units):
    """Mean share of the image (%) that each of the four regions takes."""
    return pd.DataFrame(
        {"data set": title_of(unit.result["dataset"]), "direction": name, "definition": DEFINITIONS[definition]}
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
            {"data set": title_of(unit.result["dataset"])}
            | {choices.LABELS[name]: chosen[name] for name in ("delta1", "delta2", "theta", "value")}
            | {SCORES[score]: round(100 * chosen[score], 1) for score in ("clean", "mod", "adv", "mod_adv")}
            | {"settings within the allowed cost": f"{table.feasible.sum()} of {len(table)}",
               "images a class": images_that_tune(unit)}
        )  # fmt: skip
    return pd.DataFrame(rows)


#: By how much PGD may beat FGSM before that is a sign of masked gradients, and the share of entries whose gradient may
#: vanish (2026-11-26, before the attacks of 40 steps were recorded).
WEAKER, VANISHING = 0.1, 0.5


def masking(units):
    """Signs that gradients mislead an attacker, after the checklist of Carlini et al. (2019): a row a direction.

    Units that were recorded before these attacks were run are left out.

    Returns:
        DataFrame: data set, direction, ε, n; in %: images still classified under FGSM, under PGD, and under PGD at a
        radius that nothing should withstand; mean share of entries without a gradient (%); ``signs``, those found:
        “FGSM is weaker” (by more than ``WEAKER``), “something withstands everything”, “gradients vanish” (in more than
        ``VANISHING`` of the entries), or “none”.
    """
    rows = []
    for unit, name, definition, block, images in blocks(holding(units, "nulls")):
        if definition != "perturbation":
            continue
        shares = {attack: block["threats"][attack]["k"] / block["threats"][attack]["n"]
                  for attack in ("fgsm", "pgd", "anything")}  # fmt: skip
        zero = images.zero_gradient.mean()
        found = {
            "FGSM is weaker": shares["fgsm"] - shares["pgd"] > WEAKER,
            "something withstands everything": shares["anything"] > 0,
            "gradients vanish": zero > VANISHING,
        }
        rows.append(
            {"data set": title_of(unit.result["dataset"]), "direction": name, "ε": block["parameters"]["eps"],
             "FGSM leaves": round(100 * shares["fgsm"], 1), "PGD leaves": round(100 * shares["pgd"], 1),
             f"PGD with ε = {choices.ANYTHING:g} leaves": round(100 * shares["anything"], 1),
             "entries without gradient": round(100 * zero, 1),
             "signs": ", ".join(sign for sign, seen in found.items() if seen) or "none",
             "n": block["threats"]["pgd"]["n"]}
        )  # fmt: skip
    return pd.DataFrame(rows)


#: What a network starts from.
_STARTS = {"scratch": "drawn at random", "imagenet": "ImageNet"}
#: Of a unit that was recorded before the procedure of the authors' pictures was run.
_NOT_RUN = {"parameters": {"theta": "not run"}}


def used(unit):
    """The choices that a unit was computed with, after tuning, by name."""
    own, block = unit.result["parameters"], next(iter(unit.result["directions"].values()))
    model, counts = unit.result["model"], unit.result["provenance"]["data"]["counts"]
    found = {
        "delta2_gradient": block["definitions"]["gradient"]["parameters"]["delta2"],
        "theta_published": block["definitions"].get("published", _NOT_RUN)["parameters"]["theta"],
        "weights": _STARTS[model["initialisation"]],
        "mixed": model.get("mixed"),
        "train": min(counts["train"].values()),
        "tune": images_that_tune(unit),
        "seed": unit.result["seed"],
    }
    return own["choices"] | block["parameters"] | own | found
