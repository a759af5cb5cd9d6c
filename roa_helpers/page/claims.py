"""The statements of a paper beside our results: claims as data, one rule to judge them, one table of verdicts.

A study declares its claims; here they are judged. The unit of evidence is a trained network: units that differ in
their seed alone are one row (:mod:`roa_helpers.records.seeds`), whose interval holds the spread over networks and over
images (:mod:`roa_helpers.evidence`). Fewer than three networks decide nothing, and Holm's correction runs over all
rows that could decide something. Needs no torch.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import pandas as pd

from .. import evidence, metrics
from ..records import seeds
from . import words

AGREES, DIFFERS, NO_VALUE = "agrees", "differs", "no published value"
REPRODUCED, CONTRADICTED, UNDECIDED = "reproduced", "contradicted", "undecided"
ONE_NETWORK, TWO_NETWORKS, NOT_TESTABLE = "one network", "two networks", "not testable"
#: Of a row that stands beside one that is judged: the paper's own way of scoring, or a part of the whole.
NOT_JUDGED = "not judged"
#: The order in which verdicts are counted and told.
VERDICTS = (REPRODUCED, UNDECIDED, CONTRADICTED, ONE_NETWORK, TWO_NETWORKS, NOT_TESTABLE)
FEW = {1: ONE_NETWORK, 2: TWO_NETWORKS}
MARKS = {
    AGREES: "●", REPRODUCED: "●", UNDECIDED: "◐", DIFFERS: "○", CONTRADICTED: "○", NOT_TESTABLE: "×", NO_VALUE: "–",
    ONE_NETWORK: "", TWO_NETWORKS: "", NOT_JUDGED: "", "": "",
}  # fmt: skip
UNKNOWN = np.nan, np.nan
#: A verdict needs an adjusted p-value below this.
ALPHA = 0.05
#: A network counts as trained if the interval of its accuracy lies above this share of the way from chance to no error
#: (2026-11-26: untrained networks passed rules about regions, and about accuracy that is kept).
TRAINED = 0.5
#: Columns of a table of verdicts.
COLUMNS = [
    "id", "statement", "claim", "where", "case", "percent", "paper", "paper_low", "paper_high", "paper toward",
    "ours", "low", "high", "next_low", "next_high", "n", "networks", "p", "p_holm", "toward", "verdict", "why",
    "of_paper", "profile", "seeds",
]  # fmt: skip


class Estimate(NamedTuple):
    """A number that a claim is judged by.

    Attributes:
        value, interval, n: with its 95 % interval over images, and how many there are.
        df: degrees of freedom of the interval; ∞: normal.
        why: what makes it no test of the claim; empty where it is one.
    """

    value: float
    interval: tuple[float, float]
    n: int
    df: float = np.inf
    why: str = ""


#: What shares and errors cannot go beyond; what their differences, areas between them and correlations cannot.
SHARE, CHANGE = (0.0, 1.0), (-1.0, 1.0)


@dataclass(frozen=True)
class Claim:
    """A statement of a paper with the rule that judges it.

    Attributes:
        id, text: its name, and what is claimed.
        rule: what makes it reproduced or contradicted, in words.
        estimate: unit → {case: the fields of an :class:`Estimate`, the first three at least}; a case is a direction, a
            side, a model, … or "" where there is one alone. Of a claim about ``together``: groups of units → the same.
        bound: where the verdict turns.
        above: whether the claim holds above the bound, or below it.
        paper: unit → {case: (value, interval)}, the paper's own numbers of the same kind.
        alone: (where, case) → (value, interval, n), the paper's own numbers that stand beside none of ours.
        percent: whether its numbers are proportions that a reader takes in %.
        statement: what the claim is a part of, where a paper's statements have several.
        together: of a claim about all units at once (of the paper's data, where there are such): what a table calls
            them.
        judged: case → whether it gets a verdict. Other cases stand beside: parts of the whole, or the paper's own way
            of scoring.
        limits: what a value cannot go beyond; intervals over networks are cut there.
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
    judged: Callable = lambda case: True
    limits: tuple[float, float] = (-np.inf, np.inf)


def judge(interval, bound, *, above=True):
    """What an interval says against a bound; undecided where the interval holds the bound or is undefined.

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


def untrained(count, classes):
    """Why a network is no test of any claim: it does not classify. Empty where it does.

    Args:
        count: its test images, ``{"k", "n"}`` correct of all.
        classes: how many there are.
    """
    least = 1 / classes + TRAINED * (1 - 1 / classes)
    if metrics.wilson(count["k"], count["n"]).low > least:
        return ""
    return f"the network is not clearly right on more than {least:.0%} of its test images"


def unless(why, estimate):
    """A claim's estimate, no test of it for units of which ``why(unit)`` gives a reason."""

    def estimates(unit):
        reason = why(unit)
        return {case: Estimate(*one)._replace(why=reason or Estimate(*one).why) for case, one in estimate(unit).items()}

    return estimates


def verdicts(claims, units, *, where, networks=seeds.networks, of_paper=lambda unit: True):
    """Every claim judged for every group of units and case.

    A row is *not testable* where one of its networks is no test, or has no value; *one network* or *two networks*
    where it rests on so few. Of all other rows that are judged, those are *reproduced* or *contradicted* whose p-value,
    adjusted by Holm's method over these rows, is below .05; rows that are no evidence about the paper are adjusted
    apart. ``toward`` says what the 95 % interval alone points to. The paper's own numbers, where it has them, have no
    more than that: they rest on one network.

    Args:
        claims: each a :class:`Claim`.
        units: of one study.
        where: unit → what the table calls it.
        networks: unit → frozenset of the trained networks that it rests on, by a name within its group. What units of
            the same networks say is averaged first.
        of_paper: unit → whether it is of the paper's data, and so evidence about the paper.

    Returns:
        DataFrame with ``COLUMNS``: by claim, then by unit, then by case. ``n`` is that of one network.
    """
    rows, groups = [], seeds.groups(units) if claims else []
    for claim in claims:
        for group in () if claim.together else groups:
            found, theirs = [claim.estimate(unit) for unit in group], claim.paper(group[0])
            for case in dict.fromkeys(case for one in found for case in one):
                having = [(unit, one[case]) for unit, one in zip(group, found, strict=True) if case in one]
                told = seeds.columns([unit for unit, _ in having]) | {"of_paper": of_paper(group[0])}
                ours = _by_network([(networks(unit), Estimate(*estimate)) for unit, estimate in having])
                count = len(frozenset().union(*(networks(unit) for unit, _ in having)))
                rows.append(_row(claim, where(group[0]), case, theirs.get(case), ours, count) | told)
        if claim.together and groups:
            own = [group for group in groups if of_paper(group[0])] or groups
            told = seeds.all_columns(own) | {"of_paper": of_paper(own[0][0])}
            count = sum(len(frozenset().union(*map(networks, group))) for group in own)
            rows += [_row(claim, claim.together, case, None, [Estimate(*ours)], count) | told
                     for case, ours in claim.estimate(own).items()]  # fmt: skip
        for (place, case), (value, interval, n) in claim.alone.items():
            alone = {"n": n, "of_paper": True, "profile": "", "seeds": ""}
            rows.append(_row(claim, place, case, (value, interval), [], 0) | alone)
    return _decided(pd.DataFrame(rows, columns=COLUMNS))


def _by_network(estimates):
    """Estimates, one for each set of networks: the mean of those that share theirs, and of their intervals' reaches."""
    shared = {}
    for names, estimate in estimates:
        shared.setdefault(names, []).append(estimate)
    return [_mean(several) for several in shared.values()]


def _mean(estimates):
    first, *others = estimates
    if not others:
        return first
    values, intervals, counts = seeds.arrays([one[:3] for one in estimates])
    value, (low, high) = np.mean(values), np.mean(intervals, axis=0)
    why = "; ".join(dict.fromkeys(one.why for one in estimates if one.why))
    return Estimate(float(value), (float(low), float(high)), min(counts), min(one.df for one in estimates), why)


def _row(claim, where, case, paper, ours, networks):
    value, span = paper or (np.nan, None)
    span = span or UNKNOWN
    row = {
        "id": claim.id, "statement": claim.statement, "claim": claim.text, "where": where, "case": case,
        "percent": claim.percent, "paper": value, "paper_low": span[0], "paper_high": span[1],
        "paper toward": judge(span, claim.bound, above=claim.above) if np.isfinite(span[0]) else "",
        "ours": np.nan, "low": np.nan, "high": np.nan, "next_low": np.nan, "next_high": np.nan, "n": 0,
        "networks": networks, "p": np.nan, "p_holm": np.nan, "toward": "", "verdict": "", "why": "",
    }  # fmt: skip
    if not ours:
        return row
    triples = [one[:3] for one in ours]
    values, intervals, _ = seeds.arrays(triples)
    mean, interval, n = seeds.across(triples, limits=claim.limits)
    further = evidence.next_network(values, intervals, limits=claim.limits)
    why = _why(ours, mean, interval)
    judged_ = claim.judged(case)
    testable = judged_ and not why and networks not in FEW
    df = min(one.df for one in ours)
    return row | {
        "ours": mean, "low": interval.low, "high": interval.high, "n": n,
        "next_low": float(further.low), "next_high": float(further.high),
        "p": evidence.p_value(values, intervals, claim.bound, df=df) if testable else np.nan,
        "toward": "" if why else judge(interval, claim.bound, above=claim.above),
        "verdict": NOT_JUDGED if not judged_ else NOT_TESTABLE if why else FEW.get(networks, UNDECIDED),
        "why": why,
    }  # fmt: skip


def _why(estimates, mean, interval):
    """What makes estimates no test; with how many networks it concerns, where not all.

    Reasons that differ behind their colon alone are one.
    """
    reasons = {}
    for kind, colon, numbers in (one.why.partition(": ") for one in estimates if one.why):
        reasons.setdefault(kind + colon, []).append(numbers)
    told = []
    for kind, numbers in reasons.items():
        share = "" if len(numbers) == len(estimates) else f"in {len(numbers)} of {len(estimates)} networks, "
        told.append(share + kind + _gathered_numbers(numbers))
    if told:
        return "; ".join(told)
    if np.isnan(mean):
        return "there is nothing to measure it on"
    return "it has no interval" if np.isnan(interval).any() else ""


def _gathered_numbers(texts):
    """Texts that differ in their numbers alone as one, “at most 1.2 and 2.3 points”, in their order; others listed."""
    parts = [re.split(r"(\d+(?:\.\d+)?)", text) for text in texts]  # numbers in the odd places
    if len({tuple(part[::2]) for part in parts}) > 1:
        return " / ".join(dict.fromkeys(texts))
    places = (place if len(set(place)) > 1 else place[:1] for place in zip(*parts, strict=True))
    return "".join(words.listed(list(place)) for place in places)


def _decided(table):
    """The table with adjusted p-values, and the verdicts that follow."""
    adjusted = np.full(len(table), np.nan)
    own = table.of_paper.astype(bool).to_numpy()
    for rows in (own, ~own):
        adjusted[rows] = evidence.holm(table["p"][rows])
    return table.assign(p_holm=adjusted, verdict=table["verdict"].where(~(adjusted < ALPHA), table["toward"]))


def beside(paper, estimates, *, limits=(-np.inf, np.inf)):
    """A printed number and ours in one row.

    Ours *agrees* where the 95 % interval of the difference, ours − the paper's, holds 0, and *differs* otherwise.
    The interval is Newcombe's, of two independent numbers with their own intervals
    (:func:`roa_helpers.evidence.combined`); where the paper's sample size is not stated, its number is taken as exact
    but for rounding. Fewer than three networks only point to one of these (``toward``).

    Args:
        paper: a number with ``value``, ``interval`` (None: its sample size is not known) and, if that is None,
            ``rounding``, half a unit of its last digit; or None.
        estimates: (value, interval, n) of each network.
        limits: what a value cannot go beyond.
    """
    values, intervals, _ = seeds.arrays(estimates)
    value, interval, n = seeds.across(estimates, limits=limits)
    further = evidence.next_network(values, intervals, limits=limits)
    low, high = (paper.interval if paper else None) or UNKNOWN
    row = {
        "paper": paper.value if paper else np.nan, "paper_low": low, "paper_high": high,
        "ours": value, "low": interval.low, "high": interval.high, "n": n, "networks": len(estimates),
        "next_low": float(further.low), "next_high": float(further.high),
    }  # fmt: skip
    return row | _agreement(paper, value, interval, len(estimates))


def _agreement(paper, value, interval, networks):
    if paper is None or np.isnan(interval).any():
        return {"difference_low": np.nan, "difference_high": np.nan, "toward": "",
                "verdict": NO_VALUE if paper is None else NOT_TESTABLE}  # fmt: skip
    if paper.interval:
        _, (low, high) = evidence.combined([(1, value, interval), (-1, paper.value, paper.interval)])
    else:
        low, high = interval.low - paper.value - paper.rounding, interval.high - paper.value + paper.rounding
    toward = AGREES if low <= 0 <= high else DIFFERS
    return {"difference_low": low, "difference_high": high, "toward": toward, "verdict": FEW.get(networks, toward)}


def of_units(table):
    """The rows of a table of verdicts that are about our units, not the paper's numbers alone."""
    return table[table.verdict != ""]


def judged(table):
    """The rows that have a verdict: neither the paper's numbers alone nor what stands beside."""
    return table[table.verdict.isin(VERDICTS)]


def apart(table):
    """The rows that are evidence about the paper, of its own data sets, and the others: two tables."""
    own = table.of_paper.astype(bool)
    return table[own], table[~own]


def counted(table):
    """The rows that a page counts: those that are evidence about the paper, or the others where there are none."""
    own, others = apart(table)
    return own if len(own) else others


def spoken(table, *, reasons=True):
    """Verdicts with what belongs to them: where too few networks point, and (``reasons``) why one is not testable."""
    told = []
    for row in table.itertuples():
        if row.verdict == NOT_TESTABLE and reasons and getattr(row, "why", ""):
            told.append(f"{row.verdict} ({row.why})")
        elif row.toward not in ("", UNDECIDED, row.verdict):
            told.append(f"{row.verdict}, toward {row.toward}")
        else:
            told.append(row.verdict)
    return pd.Series(told, index=table.index, dtype=object)


def grid(table):
    """Verdicts at a glance: a row a claim, a column for each ``where``, a mark for each case (:func:`legend`)."""
    toward = table["toward"].where(table["toward"] != "", table["paper toward"])
    marks = table.verdict.map(MARKS).where(~_open(table), "(" + toward.map(MARKS) + ")")
    wide = table.assign(mark=marks).pivot_table(
        index="claim", columns="where", values="mark", aggfunc=" ".join, sort=False
    )
    return wide.fillna("").rename_axis(columns=None).reset_index()


def _open(table):
    """Of each row, whether nothing is decided and :func:`grid` can only say what its interval points to."""
    return table.verdict.isin((ONE_NETWORK, TWO_NETWORKS, NOT_JUDGED, ""))


def summary(table, *, by="claim"):
    """Verdicts counted: a row for each entry of a column, a column a verdict."""
    own = judged(table)
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
    texts = spoken(rows)
    order = sorted(texts.unique(), key=lambda text: [*VERDICTS, NOT_JUDGED].index(rows.verdict[texts == text].iloc[0]))
    parts = []
    for text in order:
        of = rows[texts == text]
        if len(of) == len(rows):
            parts.append(f"{text} in all {len(rows)} cases" if len(rows) > 1 else text)
        else:
            parts.append(f"{text} for {', '.join(_valued(of, form) if form else _gathered(of, rows))}")
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


def legend(*tables):
    """What the marks of verdicts mean, in words; what brackets mean only where the :func:`grid` of a table has any."""
    marks = ", ".join(f"{MARKS[verdict]} {verdict}" for verdict in VERDICTS if MARKS[verdict])
    if not any(_open(table).any() for table in tables):
        return marks
    return f"{marks}; in brackets, what an interval points to where nothing is decided: fewer than three networks"
