"""Plates: a pair's RoA of one image, its representative RoA, its blob, and the blob rebuilt. Needs no torch."""

from ...page import Cell, Sheet, Strip
from .results import named

#: Which pairs are shown, and what a plate shows of each.
PLATES = {"best": "rebuilt best", "worst": "rebuilt worst"}
PARTS = {"one": "RoA of one image", "representative": "represen\u00adtative RoA", "blob": "blob as published",
         "rebuilt": "blob rebuilt", "wrong": "where the two differ"}  # fmt: skip


def plates(units):
    """The pair whose blob is rebuilt best and that whose is rebuilt worst, of every unit."""
    return Sheet(tuple(_strip(unit, which) for unit in units for which in unit.result["plates"]), across=2)


def data(units):
    """The arrays behind :func:`plates`, by unit, pair and part."""
    return {f"{unit.path.name}_{name}": array for unit in units for name, array in unit.arrays.items()}


def _strip(unit, which):
    source, target = unit.result["plates"][which]
    pairs = unit.table("pairs").astype({"source": str, "target": str})
    (row,) = pairs[(pairs.source == source) & (pairs.target == target)].itertuples()
    parts = {part: unit.arrays[f"{which}_{part}"] for part in PARTS if part != "wrong"}
    parts["representative"] = parts["representative"] / 255
    parts["wrong"] = parts["blob"] != parts["rebuilt"]
    cells = tuple(Cell(parts[part].astype(float), title) for part, title in PARTS.items())
    return Strip(f"{named(unit)}: {source} to {target}, {PLATES[which]}, {row.wrong} entries wrong", cells)
