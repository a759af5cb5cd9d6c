"""The statements of a paper beside our results: claims as data, one rule to judge them, one table of verdicts.

A study declares its claims; here they are judged. Units that differ in their seed alone count once
(:mod:`roa_helpers.records.seeds`), so a verdict stands only if it holds for every seed. Needs no torch.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from ..records import seeds
from . import words

AGREES, DIFFERS, NO_VALUE = "agrees", "differs", "no published value"
REPRODUCED, CONTRADICTED, UNDECIDED = "reproduced", "contradicted", "undecided"
#: The order in which verdicts are counted and told.
VERDICTS = (REPRODUCED, UNDECIDED, CONTRADICTED)
MARKS = {AGREES: "●", REPRODUCED: "●", UNDECIDED: "◐", DIFFERS: "○", CONTRADICTED: "○", NO_VALUE: "–", "": ""}
UNKNOWN = np.nan, np.nan
#: Columns of a table of verdicts.
COLUMNS = [
    "id", "statement", "claim", "where", "case", "percent", "paper", "paper_low", "paper_high", "paper's verdict",
    "ours", "low", "high", "n", "verdict", "profile", "seeds",
]  # fmt: skip


@dataclass(frozen=True)
class Claim:
    """A statement of a paper with the rule that judges it.

    Attributes:
        id, text: its name, and what is claimed.
        rule: what makes it reproduced or contradicted, in words.
        estimate: unit → {case: (value, interval, n)}; a case is a direction, a side, a model, … or "" where there is
            one alone. Of a claim about ``together``: groups of units → the same.
        bound: where the verdict turns.
        above: whether the claim holds above the bound, or below it.
        paper: unit → {case: (value, interval)}, the paper's own numbers of the same kind.
        alone: (where, case) → (value, interval, n), the paper's own numbers that stand beside none of ours.
        percent: whether its numbers are proportions that a reader takes in %.
        statement: what the claim is a part of, where a paper's statements have several.
        together: of a claim about all units at once: what a table calls them.
    """

    id: str
    text: str
    rule: str
    estimate: Callable
    bound: float = 0.0
    above: bool = True
    paper: Callable = lambda unit: {}
    alone: Mapping = field(default_factory=dict)
    percent: bool = False
    statement: str = ""
    together: str = ""


def judge(interval, bound, *, above=True):
    """The verdict of an interval against a bound; undecided where the interval holds the bound or is undefined.

    Args:
        interval: (low, high), NaN where undefined.
        bound: where the verdict turns.
        above: whether what is claimed holds above the bound, or below it.
    """
    low, high = interval
    if np.isnan(low) or np.isnan(high):
        return UNDECIDED
    if low > bound:
        return REPRODUCED if above else CONTRADICTED
    if high < bound:
        return CONTRADICTED if above else REPRODUCED
    return UNDECIDED


def verdicts(claims, units, *, where):
    """Every claim judged for every group of units and case.

    The paper's own numbers, where it has them, are judged by the same rule.

    Args:
        claims: each a :class:`Claim`.
        units: of one study.
        where: unit → what the table calls it.

    Returns:
        DataFrame with ``COLUMNS``: by claim, then by unit, then by case. ``n`` is that of one seed.
    """
    rows, groups = [], seeds.groups(units) if claims else []
    for claim in claims:
        for group in () if claim.together else groups:
            found, theirs = [claim.estimate(unit) for unit in group], claim.paper(group[0])
            for case in dict.fromkeys(case for one in found for case in one):
                having = [(unit, one[case]) for unit, one in zip(group, found, strict=True) if case in one]
                told = seeds.columns([unit for unit, _ in having])
                ours = seeds.across([estimate for _, estimate in having])
                rows.append(_row(claim, where(group[0]), case, theirs.get(case), ours) | told)
        if claim.together and units:
            everything = seeds.all_columns(groups)
            rows += [_row(claim, claim.together, case, None, ours) | everything
                     for case, ours in claim.estimate(groups).items()]  # fmt: skip
        for (place, case), (value, interval, n) in claim.alone.items():
            rows.append(_row(claim, place, case, (value, interval), None) | {"n": n, "profile": "", "seeds": ""})
    return pd.DataFrame(rows, columns=COLUMNS)


def _row(claim, where, case, paper, ours):
    value, span = paper or (np.nan, None)
    span = span or UNKNOWN
    mean, interval, n = ours or (np.nan, UNKNOWN, 0)

    def judged(given, ends):
        return judge(ends, claim.bound, above=claim.above) if given and np.isfinite(ends[0]) else ""

    return {
        "id": claim.id, "statement": claim.statement, "claim": claim.text, "where": where, "case": case,
        "percent": claim.percent,
        "paper": value, "paper_low": span[0], "paper_high": span[1], "paper's verdict": judged(paper, span),
        "ours": mean, "low": interval[0], "high": interval[1], "n": n,
        "verdict": judge(interval, claim.bound, above=claim.above) if ours else "",
    }  # fmt: skip


def beside(paper, estimate):
    """A printed number and ours, (value, interval, n), in one row.

    Ours *agrees* where its interval and the paper's overlap (where the paper's sample size is not stated: where ours
    holds the paper's value), and *differs* otherwise; where ours is undefined, it is *undecided*.

    Args:
        paper: a number with ``value`` and ``interval`` (None: its sample size is not known), or None.
        estimate: (value, interval, n) of ours.
    """
    value, interval, n = estimate
    low, high = (paper.interval if paper else None) or UNKNOWN
    return {
        "paper": paper.value if paper else np.nan, "paper_low": low, "paper_high": high,
        "ours": value, "low": interval[0], "high": interval[1], "n": n, "verdict": _agreement(paper, interval),
    }  # fmt: skip


def _agreement(paper, interval):
    if paper is None:
        return NO_VALUE
    if np.isnan(interval).any():
        return UNDECIDED
    low, high = paper.interval or (paper.value, paper.value)
    return AGREES if low <= interval[1] and interval[0] <= high else DIFFERS


def of_units(table):
    """The rows of a table of verdicts that are about our units, not the paper's numbers alone."""
    return table[table.verdict != ""]


def grid(table):
    """Verdicts at a glance: a row a claim, a column for each ``where``, a mark for each case."""
    verdict = table.verdict.where(table.verdict != "", table["paper's verdict"])
    marks = table.assign(mark=verdict.map(MARKS))
    wide = marks.pivot_table(index="claim", columns="where", values="mark", aggfunc=" ".join, sort=False)
    return wide.fillna("").rename_axis(columns=None).reset_index()


def summary(table, *, by="claim"):
    """Verdicts counted: a row for each entry of a column, a column a verdict."""
    own = of_units(table)
    counts = pd.crosstab(own[by], own.verdict).loc[list(dict.fromkeys(own[by]))]
    return counts[[verdict for verdict in VERDICTS if verdict in counts]].rename_axis(columns=None).reset_index()


def brief(table):
    """A table of verdicts in short: a row a claim, a column for each ``where``; the span where there are cases."""
    rows = {}
    for (claim, where), own in table.groupby(["claim", "where"], sort=False):
        value, low, high = (own[ours].fillna(own[paper]) for ours, paper in
                            (("ours", "paper"), ("low", "paper_low"), ("high", "paper_high")))  # fmt: skip
        one = words.bracketed(value.iloc[0], low.iloc[0], high.iloc[0], ".2f")
        rows.setdefault(claim, {})[where] = one if len(own) == 1 else f"{words.span(value, '.2f')} ({len(own)} cases)"
    return pd.DataFrame(rows).T.fillna("").rename_axis("claim").reset_index()


def told(rows, *, form=None):
    """The verdicts of one claim in words: “reproduced for MNIST, CIFAR-10 (0 to 1); undecided for …”.

    Args:
        rows: of a table of verdicts, about our units.
        form: format of the values, such as ``.2f``; None: cases without their values.
    """
    parts = []
    for verdict in VERDICTS:
        of = rows[rows.verdict == verdict]
        if 0 < len(of) == len(rows):
            parts.append(f"{verdict} in all {len(rows)} cases" if len(rows) > 1 else verdict)
        elif len(of):
            parts.append(f"{verdict} for {', '.join(_valued(of, form) if form else _gathered(of, rows))}")
    return "; ".join(parts)


def _valued(rows, form):
    """Each case with its value."""
    for row in rows.itertuples():
        case = f"{row.case}, " if row.case else ""
        yield f"{row.where} ({case}{words.minus(row.ours, form)})"


def _gathered(rows, everything):
    """Where all cases are among ``rows``, its name alone; else with the cases that are."""
    whole = everything.groupby("where").size()
    for where, part in rows.groupby("where", sort=False):
        cases = ", ".join(filter(None, part.case))
        yield where if len(part) == whole[where] or not cases else f"{where} ({cases})"


def legend():
    """What the marks of verdicts mean, in words."""
    return ", ".join(f"{MARKS[verdict]} {verdict}" for verdict in VERDICTS)
