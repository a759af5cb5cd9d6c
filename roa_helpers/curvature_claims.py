"""The statements of “With Friends Like These, Who Needs Adversaries?” as claims, and their verdicts. Needs no torch.

Units that differ in their seed alone count once (:mod:`roa_helpers.seeds`).
"""

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd

from . import metrics
from .papers import CONTRADICTED, REPRODUCED, UNDECIDED, judge, minus
from .published_curvature import IMAGES, NETWORK, SIDE, TABLE_ONE, label
from .seeds import across_seeds, by_pair, run

#: The three statements that the paper makes, in the order of its sections.
STATEMENTS = {
    "lines": "Class scores are near-symmetric, monotone functions of one direction, alike for all images",
    "coupling": "Accuracy lives in few directions of high curvature, and the attacks’ norm lies in the same",
    "compression": "Compression helps only against an attacker who ignores it",
}
#: How large the error of a “near” symmetry, monotony or separability may be.
NEAR = 0.25
#: How much more norm an attacker may need who “is as effective as before”: the smallest factor above 1 in Table 1.
AS_EFFECTIVE = 2.0


@dataclass(frozen=True)
class Claim:
    """A claim and the rule that judges it.

    Attributes:
        id, text: name, and what is claimed.     statement: key of ``STATEMENTS``.
        rule: what makes it reproduced or contradicted.
        estimates: result of a unit and its tables → {case: (value, interval, n)}; cases are kinds of directions, or
            sides, or "" where there is one.
        bound: where the verdict turns.     above: whether the claim holds above the bound, or below it.
    """

    id: str
    text: str
    statement: str
    rule: str
    estimates: Callable
    bound: float
    above: bool = True


def _shape(measure, kinds=("positive", "negative")):
    def estimates(unit):
        found = unit.result["shapes"][measure]
        return {kind: (found[kind]["mean"], (found[kind]["low"], found[kind]["high"]), found[kind]["n"])
                for kind in kinds}  # fmt: skip

    return estimates


def _coupled(name):
    def estimates(unit):
        found = unit.result["coupling"][unit.result["parameters"]["choices"]["methods"][0]]
        return {"": (found[name], found[f"{name}_interval"], found["images"])}

    return estimates


def _plain(name, count):
    def estimates(unit):
        choices = unit.result["parameters"]["choices"]
        return {"": (unit.result[name], unit.result[f"{name}_interval"], choices[count])}

    return estimates


def _fooled(f):
    def estimates(unit):
        table = unit.table("compression")
        rows = table[(table.measured == "unaware") & (table.f == f) & (table.side < table.side.max())]
        return {f"{r.side} px": (r.k / r.n, metrics.wilson(r.k, r.n), r.n) for r in rows.itertuples()}

    return estimates


def _compressed(name, low, high, count):
    def estimates(unit):
        table = unit.table("compressed")
        rows = table[table.side < table.side.max()].to_dict("records")
        n = unit.result["parameters"]["choices"]["evaluated"]
        return {f"{r['side']} px": (r[name], (r[low], r[high]), r[count] if count else n) for r in rows}

    return estimates


_NEAR = (
    "the error is {}; reproduced where its 95 % interval (bootstrap over classes) lies below one quarter, contradicted "
    "where it lies above"
)
_HALF = (
    "reproduced where the 95 % interval (bootstrap over classes) of {} lies above one half, contradicted where it lies "
    "below"
)
_ZERO = "reproduced where the 95 % interval of {} lies above 0, contradicted where it lies below"

CLAIMS = (
    Claim(
        "symmetric", "a class score is nearly symmetric about some point of the line", "lines",
        _NEAR.format("the share of a curve’s variation that is odd about its best centre, median over images"),
        _shape("odd"), NEAR, above=False,
    ),
    Claim(
        "monotone", "it is monotone on both half-lines", "lines",
        _NEAR.format("the share of a curve’s movement that goes against the direction the sign of the curvature "
                     "predicts, median over images"),
        _shape("backward"), NEAR, above=False,
    ),
    Claim(
        "separable", "the curves of different images differ by a shift only", "lines",
        _NEAR.format("the share of the variation along the line that is not common to all images"),
        _shape("interaction"), NEAR, above=False,
    ),
    Claim(
        "sends-to", "the most positive direction sends images of other classes into its class", "lines",
        _HALF.format("the share of images of other classes that are taken for the class at the two ends of the line"),
        _shape("moved", ("positive",)), 0.5,
    ),
    Claim(
        "sends-from", "the most negative direction sends images of its class out of it", "lines",
        _HALF.format("the share of images of the class that are no longer taken for it at the two ends of the line"),
        _shape("left", ("negative",)), 0.5,
    ),
    Claim(
        "curved-over-flat", "the most curved directions hold more accuracy than the flattest", "coupling",
        _ZERO.format("the area between the accuracies on S_neg∪pos and S_flat (mean difference over the dimension; "
                     "bootstrap over test images)"),
        _coupled("curved_flat"), 0.0,
    ),
    Claim(
        "curved-over-random", "they hold more accuracy than as many random directions", "coupling",
        _ZERO.format("the area between the accuracies on S_neg∪pos and on a random subspace"),
        _coupled("curved_random"), 0.0,
    ),
    Claim(
        "same-subspaces", "the subspaces that hold the accuracy hold the norm of DeepFool", "coupling",
        _ZERO.format("Spearman’s ρ of what subspaces have more than random ones of their dimension: accuracy, and "
                     "share of the norm (bootstrap over test images)"),
        _coupled("beyond_dimension"), 0.0,
    ),
    Claim(
        "singular", "the leading singular vectors of DeepFool hold more accuracy than the last", "coupling",
        _ZERO.format("the area between the accuracies on S_hi and S_lo (bootstrap over test images)"),
        _plain("singular_area", "evaluated"), 0.0,
    ),
    Claim(
        "inverse", "over nested subspaces, confined DeepFool needs more where images keep less", "coupling",
        "reproduced where the 95 % interval of Spearman’s ρ of the median norm of confined DeepFool and the mean norm "
        "of the projected images, over subspaces, lies below 0 (bootstrap over test images), contradicted where it "
        "lies above; dimension alone gives a negative ρ, so this verdict says little",
        _plain("confined", "confined"), 0.0, above=False,
    ),
    Claim(
        "weakens", "compression weakens an attack that was made without it", "compression",
        "reproduced where the 95 % interval (Wilson’s) of the fooling rate at f = 1 lies below one half, contradicted "
        "where it lies above",
        _fooled(1), 0.5, above=False,
    ),
    Claim(
        "rescaled", "more norm restores it", "compression",
        "reproduced where the 95 % interval (Wilson’s) of the fooling rate at f = 10 lies above one half, contradicted "
        "where it lies below",
        _fooled(10), 0.5,
    ),
    Claim(
        "aware", "an attacker who knows of it needs less than twice the norm", "compression",
        "reproduced where the 95 % interval (bootstrap over test images) of the ratio of this attacker’s norm to that "
        "of DeepFool on the bare network (geometric mean) lies below 2, the smallest factor above 1 in Table 1, "
        "contradicted where it lies above",
        _compressed("ratio", "ratio_low", "ratio_high", "fooled"), AS_EFFECTIVE, above=False,
    ),
    Claim(
        "costs", "it costs accuracy", "compression",
        "reproduced where the 95 % interval (Bonett and Price’s, for the same images scored twice) of the loss of "
        "accuracy lies above 0, contradicted where it lies below",
        _compressed("loss", "loss_low", "loss_high", None), 0.0,
    ),
)  # fmt: skip


def verdict(claim, interval):
    """:func:`roa_helpers.papers.judge` for a claim that holds above its bound or below it."""
    found = judge(interval, claim.bound)
    opposite = {REPRODUCED: CONTRADICTED, CONTRADICTED: REPRODUCED, UNDECIDED: UNDECIDED}
    return found if claim.above else opposite[found]


def verdicts(units):
    """Every claim judged for every network: a row a claim, a network and a case.

    The paper's own numbers, where it prints them with their n (Table 1), are judged by the same rule.

    Returns:
        DataFrame: id, claim, statement, network, case, value, low, high, n, verdict, profile, seeds.
    """
    rows = []
    for claim in CLAIMS:
        for group in by_pair(units):
            several = [claim.estimates(unit) for unit in group]
            for case in several[0]:
                found = across_seeds([estimates[case] for estimates in several])
                rows.append(_judged(claim, label(group[0]), case, found) | run(group))
        for case, found in _of_the_paper(claim.id).items():
            rows.append(_judged(claim, f"the paper: {NETWORK}", case, found) | {"profile": "", "seeds": ""})
    return pd.DataFrame(rows)


def _judged(claim, network, case, estimate):
    value, (low, high), n = estimate
    return {"id": claim.id, "claim": claim.text, "statement": claim.statement, "network": network, "case": case,
            "value": value, "low": low, "high": high, "n": n, "verdict": verdict(claim, (low, high))}  # fmt: skip


def _of_the_paper(claim_id):
    factor = {"weakens": 1, "rescaled": 10}.get(claim_id)
    rows = [row for row in TABLE_ONE if row.side < SIDE] if factor else []
    return {f"{row.side} px": (row.fooled[factor], row.interval(factor), IMAGES) for row in rows}


def grid(table, marks):
    """Verdicts at a glance: a row a claim, a column a network, a mark for each case.

    Args:
        table: from :func:`verdicts`.     marks: a mark for each verdict.
    """
    wide = table.assign(mark=table.verdict.map(marks)).pivot_table(
        index="claim", columns="network", values="mark", aggfunc=" ".join, sort=False
    )
    return wide.fillna("").rename_axis(columns=None).reset_index()


def shown(table):
    """The table of :func:`verdicts` as a reader sees it: value [interval], without what all rows share."""
    numbers = [f"{minus(r.value, '.3f')} [{minus(r.low, '.3f')}, {minus(r.high, '.3f')}]" for r in table.itertuples()]
    return pd.DataFrame({"claim": table.claim, "network": table.network, "case": table.case, "value [95 %]": numbers,
                         "n": table.n, "verdict": table.verdict})  # fmt: skip


def brief(table):
    """The table of :func:`verdicts` in short: a row a claim, a column a network; the span where there are cases."""
    rows = {}
    for (claim, network), own in table.groupby(["claim", "network"], sort=False):
        values = [minus(value, ".2f") for value in (own.value.min(), own.value.max())]
        one = f"{values[0]} [{minus(own.low.iloc[0], '.2f')}, {minus(own.high.iloc[0], '.2f')}]"
        rows.setdefault(claim, {})[network] = one if len(own) == 1 else f"{' to '.join(values)} ({len(own)} cases)"
    return pd.DataFrame(rows).T.fillna("").rename_axis("claim").reset_index()


def findings(statement, table):
    """A statement, the rule of each of its claims, and its verdicts in words: Markdown.

    Args:
        statement: key of ``STATEMENTS``.     table: from :func:`verdicts`.
    """
    lines = [f"**The paper: {STATEMENTS[statement][0].lower()}{STATEMENTS[statement][1:]}.**", ""]
    for claim in CLAIMS:
        rows = table[(table.id == claim.id) & (table.profile != "")]
        if claim.statement != statement or rows.empty:
            continue
        told = []
        for word in (REPRODUCED, UNDECIDED, CONTRADICTED):
            of = rows[rows.verdict == word]
            if len(of) == len(rows):
                told.append(f"{word} in all {len(rows)} cases" if len(rows) > 1 else word)
            elif len(of):
                places = (f"{r.network} ({r.case}, {minus(r.value, '.2f')})" if r.case else
                          f"{r.network} ({minus(r.value, '.2f')})" for r in of.itertuples())  # fmt: skip
                told.append(f"{word} for {', '.join(places)}")
        spread = " to ".join(dict.fromkeys(minus(value, ".2f") for value in (rows.value.min(), rows.value.max())))
        lines.append(
            f"- {claim.text[0].upper()}{claim.text[1:]}: {'; '.join(told)}. Values: {spread}. Rule: {claim.rule}."
        )
    return "\n".join(lines)


def counted(table):
    """How many verdicts of each kind a statement's claims got, over all networks and cases: DataFrame."""
    own = table[table.profile != ""]
    counts = pd.crosstab(own.statement, own.verdict).reindex(list(STATEMENTS)).dropna(how="all").astype(int)
    order = [word for word in (REPRODUCED, UNDECIDED, CONTRADICTED) if word in counts]
    named = counts[order].rename(index=STATEMENTS).rename_axis(columns=None)
    return named.reset_index(names="statement")
