"""The conclusions of the pixel-importance thesis, as data, with the rules that judge them. Needs no torch."""

import numpy as np

from ... import evidence, metrics
from ...page import claims
from .published import HEATMAPS, MODELS, ROWS, TABLES, N
from .results import has_printed, named

ATTACKED = tuple(ROWS)[1:]
#: The case of all networks and attacks together; the others are “network, attack”.
ALL = "all"


def where(unit):
    """What a table of verdicts calls a unit: its data set, classes and initialisation."""
    return named(unit)


def _untrained(unit):
    return claims.untrained(unit.result["model"]["accuracy"], len(unit.result["classes"]))


def _claim(name, text, rule, terms, models, rows, bound=0.0, *, limits=claims.CHANGE):
    """A claim about some models and rows together, which is judged, and beside it about each of them alone.

    Args:
        terms: (accuracies or hits (model, row, test set, …), model, row) → [(sign, values (…))]: their sum is judged.
        models, rows: as in ``MODELS`` and ``ROWS``.
        limits: what the sum cannot go beyond.
    """
    cells = [(model, row) for model in models for row in rows]
    cases = {f"{MODELS[model]}, {ROWS[row]}": [(model, row)] for model, row in cells} | {ALL: cells}

    def estimate(unit):
        hits, found = unit.arrays["hits"].astype(float), {}
        for case, of in cases.items():
            change = np.mean([sum(sign * values for sign, values in terms(hits, *cell)) for cell in of], axis=0)
            found[case] = change.mean(), metrics.bootstrap(change), len(change)
        return found

    def paper(unit):
        return {case: _printed(terms, of) for case, of in cases.items()} if has_printed(unit) else {}

    return claims.Claim(name, text, rule, claims.unless(_untrained, estimate), bound, paper=paper, percent=True,
                        judged=lambda case: case == ALL, limits=limits)  # fmt: skip


def _printed(terms, cells):
    """(value, interval) of a claim over ``cells`` for the printed accuracies.

    The interval treats each mean over test sets as one proportion of 300 images, and the models' images as if they were
    others (:func:`roa_helpers.evidence.combined`).
    """
    accuracies = np.array(list(TABLES.values())) / 100
    found = [terms(accuracies, *cell) for cell in cells]
    means = [(parts[0][0], float(np.mean([value for _, value in parts]))) for parts in zip(*found, strict=True)]
    return evidence.combined([(sign, mean, metrics.wilson(round(N * mean), N)) for sign, mean in means])


def _of(values, model, row, *, first=0):
    """Mean over the test sets, those after ``first`` on, of one model in one row."""
    return values[list(MODELS).index(model), list(ROWS).index(row), first:].mean(0)


_RULE = "reproduced where {} lies above {}, contradicted where it lies below"
CLAIMS = (
    _claim(
        "trained", "networks trained on heatmap-blurred images are more accurate under attack than A",
        _RULE.format("their accuracy − A’s, mean over the six test sets,", "0"),
        lambda v, m, r: [(1, _of(v, m, r)), (-1, _of(v, "original", r))], tuple(HEATMAPS), ATTACKED,
    ),
    _claim(
        "trained-loss", "networks trained on heatmap-blurred images lose less accuracy to an attack than A",
        _RULE.format("A’s loss − theirs, mean over the six test sets,", "0"),
        lambda v, m, r: [(1, _of(v, m, r)), (-1, _of(v, m, "clean")), (-1, _of(v, "original", r)),
                         (1, _of(v, "original", "clean"))],
        tuple(HEATMAPS), ATTACKED, limits=(-2.0, 2.0),
    ),
    _claim(
        "late", "blurring after the attack keeps accuracy about the same",
        _RULE.format("accuracy on attacked, then blurred images − on blurred ones, mean over the five blurs,",
                     "−5 points"),
        lambda v, m, r: [(1, _of(v, m, r, first=1)), (-1, _of(v, m, "clean", first=1))],
        tuple(MODELS), ("fgsm_blur", "newtonfool_blur"), -0.05,
    ),
    _claim(
        "early", "blurring before the attack does not: accuracy drops",
        _RULE.format("accuracy on blurred images − on blurred, then attacked ones, mean over the five blurs,", "0"),
        lambda v, m, r: [(1, _of(v, m, "clean", first=1)), (-1, _of(v, m, r, first=1))],
        tuple(MODELS), ("blur_fgsm", "blur_newtonfool"),
    ),
)  # fmt: skip
