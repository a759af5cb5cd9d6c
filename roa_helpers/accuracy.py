"""How well M classifies, beside the paper's score_clean. Needs no torch."""

import pandas as pd

from . import metrics
from .papers import AGREES, DIFFERS, SCORES, beside, minus
from .published import clean_accuracy, title
from .seeds import across_seeds, by_pair, run


def compare(units):
    """How well M classifies the test images of both classes, beside the paper's score_clean of both directions.

    Returns:
        DataFrame with the columns of :func:`roa_helpers.papers.compare`, ``classes`` in place of ``direction``, and
        training images, initialisation, mixed precision.
    """
    rows = []
    for pair in by_pair(units):
        first, counts = pair[0].result, [unit.result["model"]["test"] for unit in pair]
        estimate = across_seeds([(c["k"] / c["n"], metrics.wilson(c["k"], c["n"]), c["n"]) for c in counts])
        rows.append(
            {"data set": title(first["dataset"]), "classes": " / ".join(first["classes"]), "quantity": SCORES["clean"]}
            | beside(clean_accuracy(first["dataset"], first["classes"]), estimate)
            | {"training images": sum(first["provenance"]["data"]["counts"]["train"].values()),
               "initialisation": first["model"]["initialisation"],
               "mixed precision": "yes" if first["model"]["mixed"] else "no"}
            | run(pair)
        )  # fmt: skip
    return pd.DataFrame(rows)


def answer(table):
    """The paragraph under a table of :func:`compare`, in Markdown, from its numbers alone."""
    ends = dict.fromkeys(f"{100 * value:.1f} %" for value in (table.ours.min(), table.ours.max()))
    where = ", depending on the data set" if len(ends) > 1 else ""
    text = [f"M classifies {' to '.join(ends)} of the test images correctly{where}."]
    told = []
    for verdict in (AGREES, DIFFERS):
        rows = table[table.verdict == verdict]
        apart = (f"{row['data set']} ({minus(100 * (row.ours - row.paper), '+.1f')})" for _, row in rows.iterrows())
        told += [f"{verdict} for {', '.join(apart)}"] * bool(len(rows))
    if told:
        text.append(
            f"Beside the mean of the paper’s two score_clean it {' and '.join(told)} (ours − theirs, in points)."
        )
    starts = {"scratch": "random weights", "imagenet": "ImageNet weights"}
    for start, rows in table.groupby("initialisation"):
        text.append(f"Training started from {starts[start]} for {', '.join(rows['data set'].unique())}.")
    return " ".join(text)
