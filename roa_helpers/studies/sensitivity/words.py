"""What is said of the numbers of this study. Needs no torch."""

from ...page import minus
from ..roi_roa import LABELS
from .changes import RESULTS, SCORES, beyond_chance

_UNMOVED = {
    ("eps", "cost"): "nothing, with the same blob",
    ("eps_target", "cost"): "what ε moves",
    ("eps_target", "gain"): "what ε moves",
}


def unmoved(choice, result):
    """Why a table has no change of a result for a choice."""
    return _UNMOVED.get((choice, result), "not measured")


def change(result, value):
    """A change, in points where the result is a score: “−3.1”, “+2.0”, or “0” for what rounds to it."""
    value, digits = (100 * value, 1) if result in SCORES else (value, 3)
    return minus(value, f"+.{digits}f") if round(value, digits) else "0"


def range_of(result, low, high):
    """A range of changes: “−3.1 to +2.0”."""
    return " to ".join(dict.fromkeys((change(result, low), change(result, high))))


def exceeding(moves):
    """For each data set, which choices of the training move a result further than the seed does, in Markdown.

    Args:
        moves: of :func:`.changes.moves`, of retrained networks.
    """
    beyond = beyond_chance(moves)
    for dataset, rows in moves.groupby("data set", sort=False):
        tried = set(rows.choice) - {"seed"}
        told = []
        for result, label in RESULTS.items():
            names = [LABELS[choice] for d, choice, r in beyond if (d, r) == (dataset, result)]
            told.append(f"{label}: {', '.join(names) or 'none'}")
        yield (
            f"**{dataset}**: of {len(tried)} choices of the training, these move a result further than a change of the "
            f"seed does: {'; '.join(told)}."
        )
