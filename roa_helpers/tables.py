"""Tables read off finished units: one row a direction, as a reader sees them. Needs no torch."""

import pandas as pd

from . import config, papers
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


def open_choices(units):
    """Every choice that the paper leaves open: what was used for each data set, and why."""
    rows = []
    for name, reason in config.REASONS.items():
        values = {}
        for unit in units:
            used, block = unit.result["parameters"], next(iter(unit.result["directions"].values()))
            chosen = used["choices"] | used | block["parameters"]
            chosen["delta2_gradient"] = block["definitions"]["gradient"]["parameters"]["delta2"]
            values[papers.title(unit.result["dataset"])] = chosen[name]
        rows.append({"choice": name} | values | {"why": reason})
    return pd.DataFrame(rows)
