"""Tables as a reader sees them: values with intervals, verdicts with marks, open choices. Needs no torch."""

import math

import numpy as np
import pandas as pd

from .. import data
from . import words
from .claims import AGREES, MARKS, spoken

#: More numbers than this are told by how far they go.
MANY = 8


def present(table):
    """The paper's numbers beside ours as a reader sees them: each with its interval, verdicts with a mark.

    Numbers of a row have as many :func:`decimals` as it takes to see where they differ.

    Columns without any entry are left out, and those of which every row says the same are: what, run. ``next network``
    is where the value of one more network is expected; of one network nothing is known of the next.

    Args:
        table: with the columns of :func:`roa_helpers.page.claims.verdicts`, or those of ``beside`` and where, case,
            quantity, percent, profile, seeds.
    """
    scale = np.where(table["percent"], 100, 1)
    digits = [decimals(row) for row in table.itertuples()]
    several = table["seeds"].str.contains(",")
    run = table["profile"] + np.where(several, ", seeds ", ", seed ") + table["seeds"]
    shaped = {
        "claim": table.get("claim"),
        "where": table["where"] + np.where(table["case"] == "", "", ": ") + table["case"],
        "what": table.get("quantity"),
        "paper": _values(table["paper"], table["paper_low"], table["paper_high"], scale, digits),
        "the paper’s points to": table.get("paper toward"),
        "ours": _values(table["ours"], table["low"], table["high"], scale, digits),
        "next network": _spans(table["next_low"], table["next_high"], scale, digits),
        "n": table["n"],
        "networks": table["networks"],
        "verdict": table["verdict"].map(MARKS).str.cat(spoken(table), sep=" ").str.strip(),
        "training images": table.get("training images"),
        "run": np.where(table["profile"] == "", "", run),
    }
    shaped = pd.DataFrame({name: column for name, column in shaped.items() if column is not None})
    sparse = ("paper", "the paper’s points to", "next network")
    empty = [name for name in sparse if name in shaped and (shaped[name] == "").all()]
    alone = [name for name in ("what", "run") if name in shaped and shaped[name].nunique() == 1]
    return shaped.drop(columns=empty + alone)


def decimals(row):
    """How many decimals the numbers of a row are shown with: one in %, three of others, and up to three more.

    More where an end of our interval would seem to meet 0, or the paper's number with which ours does not agree: what
    is shown stands in the order in which the numbers are.

    Args:
        row: with the columns percent, paper, low, high and toward of :func:`roa_helpers.page.claims.beside`.
    """
    scale, least = (100, 1) if row.percent else (1, 3)
    ends = [scale * end for end in (row.low, row.high) if np.isfinite(end)]
    others = [0.0, *(scale * one for one in (row.paper,) if np.isfinite(one) and row.toward != AGREES)]
    pairs = [(end, other) for end in ends for other in others]
    enough = (d for d in range(least, least + 3) if all(_told_apart(*pair, d) for pair in pairs))
    return next(enough, least + 3)


def _told_apart(a, b, digits):
    """Whether two numbers that are not the same are not the same as they are shown, with a sign that is right."""
    return math.isclose(a, b, abs_tol=1e-12) or words.minus(a, f".{digits}f") != words.minus(b, f".{digits}f")


def in_brackets(table):
    """A table whose columns ``ours``, ``low``, ``high`` became one, “value [low, high]”.

    Values have as many decimals as give the largest of the three numbers of their row three significant digits.
    """
    numbers = table[["ours", "low", "high"]].to_numpy(dtype=float)
    largest = np.nan_to_num(np.abs(numbers)).max(axis=1)
    digits = [max(0, 2 - math.floor(math.log10(value))) if value else 0 for value in largest]
    ours = _values(table["ours"], table["low"], table["high"], np.ones(len(table)), digits)
    return table.assign(ours=ours).drop(columns=["low", "high"])


def _values(values, lows, highs, scales, digits):
    """“value [low, high]”, without the bracket where there is no interval, empty where there is no value."""
    texts = []
    for value, low, high, scale, places in zip(values, lows, highs, scales, digits, strict=True):
        form = f".{places}f"
        text = words.minus(scale * value, form) if np.isfinite(value) else ""
        ends = (words.minus(scale * end, form) for end in (low, high))
        texts.append(f"{text} [{', '.join(ends)}]" if np.isfinite(low) else text)
    return texts


def _spans(lows, highs, scales, digits):
    """“low to high”, empty where there is none."""
    return [
        " to ".join(words.minus(k * end, f".{d}f") for end in (low, high)) if np.isfinite(low) else ""
        for low, high, k, d in zip(lows, highs, scales, digits, strict=True)
    ]


def choices_of(unit):
    """The choices that a unit was computed with, by name."""
    used = unit.result["parameters"]
    return used["choices"] | used


def open_choices(units, reasons, *, used=choices_of, labels=None):
    """What a paper leaves open: what was used for each data set, and why. A row a choice.

    Args:
        units: of one study.
        reasons: why, by name of the choice.
        used: unit → its choices by name.
        labels: the choices as a reader would write them, by name.
    """
    return pd.DataFrame(
        {
            "choice": (labels or {}).get(name, name.replace("_", " ")),
            "value": _by_data_set(units, name, used),
            "why": reason,
        }
        for name, reason in reasons.items()
    )


def _by_data_set(units, name, used):
    """One value for all data sets, or each value with its data sets, in words."""
    values, titles = {}, {}
    for unit in units:
        values.setdefault(data.title_of(unit.result["dataset"]), []).append(used(unit).get(name))
    for title, own in values.items():
        titles.setdefault(_of_set(own), []).append(title)
    if len(titles) == 1:
        return next(iter(titles))
    return "; ".join(f"{texts}: {', '.join(names)}" for texts, names in titles.items())


def _of_set(values):
    """The different values of a data set in words, those that are lists apart; of many numbers how far they go."""
    texts = dict.fromkeys(map(written, values))
    numbers = [number for value in values for number in (value if isinstance(value, list) else [value])]
    if len(texts) > MANY and all(isinstance(number, float) for number in numbers):
        return words.span(numbers, ".4g")
    return (" or " if any("," in text for text in texts) else ", ").join(texts)


def written(value):
    """The value of a choice in words."""
    if value is None:
        return "all"
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, list):
        return ", ".join(written(one) if not isinstance(one, list) else f"{one[0]} {one[1]:.4g}" for one in value)
    return f"{value:.4g}" if isinstance(value, float) else str(value)
