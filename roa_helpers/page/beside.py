"""The paper's numbers beside ours: in the layout of the paper's own table, and as dots with intervals. Needs no torch.

Tables come with the columns where, case, quantity, percent, profile, seeds, and those of
:func:`roa_helpers.page.claims.beside`.
"""

import numpy as np
import pandas as pd
from matplotlib.lines import Line2D

from . import claims, tables, words
from .figures import NARROW, name_rows, panels

_PAPER, _OURS = "#000000", "#0072B2"
#: Inches of a row of the chart.
_LINE = 0.44


def layout(table):
    """The paper's table: a row for each of its lines, a column a quantity; in each cell the paper's number over ours.

    The third line of a cell is ours − the paper's behind the mark of what the interval of the difference says; in
    brackets, where that rests on fewer than three networks.
    """
    lines, quantities = {}, list(dict.fromkeys(table.quantity))
    several = table.groupby(["where", "case"])[["profile", "seeds"]].nunique().gt(1).any(axis=None)
    for row in table.itertuples():
        key = (row.where, row.case, *((row.profile, row.seeds) if several else ()))
        line = lines.setdefault(key, {"": _line(row, several)})
        line[_headed(row)] = _cell(row)
    shaped = pd.DataFrame(lines.values()).fillna("")
    heads = [head for quantity in quantities for head in shaped if head.partition(" (%)")[0] == quantity]
    return shaped[["", *heads]]


def legend():
    """What stands in the cells of :func:`layout`, for a caption."""
    marks = claims.MARKS
    return (
        f"In each cell the paper’s number, ours with its 95 % interval, and ours − the paper’s: {marks[claims.AGREES]} "
        f"agrees (the interval of the difference holds 0), {marks[claims.DIFFERS]} differs; in brackets, on fewer than "
        "three networks."
    )


def _headed(row):
    return f"{row.quantity} (%)" if row.percent else row.quantity


def _line(row, several):
    run = f"\n{row.profile}, {'seeds' if ',' in row.seeds else 'seed'} {row.seeds}" if several else ""
    counted = f"n = {row.n}, {words.counted(row.networks, 'network')}"
    return "\n".join(filter(None, (row.where, row.case, counted))) + run


def _cell(row):
    scale = 100 if row.percent else 1
    paper, ours, low, high = (scale * value for value in (row.paper, row.ours, row.low, row.high))
    shown = f"{tables.decimals(row)}f"
    told = [f"paper {words.minus(round(paper, 2 if row.percent else 4), 'g')}"] if np.isfinite(paper) else []
    told.append(f"ours {words.minus(ours, f'.{shown}')}" + (
        f" [{words.minus(low, f'.{shown}')}, {words.minus(high, f'.{shown}')}]" if np.isfinite(low) else ""
    ))  # fmt: skip
    if row.toward:
        mark = claims.MARKS[row.toward]
        mark = mark if row.verdict == row.toward else f"({mark})"
        told.append(f"{mark} {words.minus(ours - paper, f'+.{shown}')}")
    return "\n".join(told)


def plot(table):
    """Every number of a table: the paper's (diamond) and ours (dot) with 95 % intervals, a panel a quantity.

    Returns:
        (figure, the data plotted)
    """
    quantities = list(dict.fromkeys(table.quantity))
    names = list(dict.fromkeys(_named(row) for row in table.itertuples()))
    figure, axes = panels(len(quantities), columns=len(quantities), width=NARROW, height=0.9 + _LINE * len(names))
    at = name_rows(axes, names, height=_LINE)
    for axis, quantity in zip(axes, quantities, strict=True):
        rows = table[table.quantity == quantity]
        scale = np.where(rows.percent, 100, 1)
        looks = (("paper", "paper_low", "paper_high", _PAPER, "D", "none"), ("ours", "low", "high", _OURS, "o", _OURS))
        for i, (value, low, high, colour, mark, fill) in enumerate(looks):
            place = [at(names.index(_named(row)), i, len(looks)) for row in rows.itertuples()]
            axis.hlines(place, scale * rows[low], scale * rows[high], color=colour, lw=1.4)
            axis.plot(scale * rows[value], place, mark, ms=4.5, color=colour, mfc=fill)
        axis.set_title(f"{quantity} (%)" if rows.percent.all() else quantity, fontsize=8)
        axis.tick_params(labelsize=7)
        if rows.percent.all():
            axis.set_xlim(-3, 103)
        axis.grid(axis="x", lw=0.4, alpha=0.5)
    keys = [Line2D([], [], color=_PAPER, marker="D", mfc="none", ms=5, lw=1.4, label="paper"),
            Line2D([], [], color=_OURS, marker="o", ms=5, lw=1.4, label="ours")]  # fmt: skip
    figure.legend(handles=keys, loc="outside upper center", ncols=2, frameon=False)
    return figure, table


def _named(row):
    text = f"{row.where}, {row.case}" if row.case else row.where
    return text if row.profile == "desk" else f"{text} ({row.profile})"


def finding(table):
    """What :func:`plot` shows, for its alternative text: how many of ours agree, and how far they lie apart."""
    known = table[table.toward != ""]
    if known.empty:
        return f"The paper prints none of these {len(table)} numbers; ours stand alone."
    agree = int((known.toward == claims.AGREES).sum())
    apart = (known.ours - known.paper).abs() * np.where(known.percent, 100, 1)
    return (
        f"Of {len(known)} numbers of the paper ours agree with {agree}; the distance is {apart.median():.2g} in the "
        f"median and at most {apart.max():.2g}{' points' if known.percent.all() else ''}."
    )
