"""The paper's numbers beside ours: Tables I to III, and how well M classifies. Needs no torch."""

import numpy as np
import pandas as pd

from ... import metrics
from ...data import title_of
from ...page import claims
from ...records import seeds, store
from .published import clean_accuracy, printed
from .results import SCORES, by_direction


def compare(row, units):
    """A table of the paper beside ours: rows A9 (Table I), A10 (Table II), A11 (Table III).

    Returns:
        DataFrame with columns where (data set), case (direction), quantity, percent (whether it is read in %), profile,
        seeds (for instance “0, 1, 2”), and those of :func:`roa_helpers.page.claims.beside`; n: images a seed.
    """
    if row not in ("A9", "A10", "A11"):
        raise ValueError(f"rows that can be compared are A9, A10 and A11, not {row}")
    cells = []
    for group, name, blocks in by_direction(units):
        dataset, found = group[0].result["dataset"], [_ours(row, block) for block in blocks]
        for quantity in found[0]:
            paper = printed(row, dataset, blocks[0]["source"], blocks[0]["target"], quantity)
            where = {"where": title_of(dataset), "case": name, "quantity": SCORES.get(quantity, quantity),
                     "percent": quantity in SCORES}  # fmt: skip
            ours, limits = [one[quantity] for one in found], (0, 1) if where["percent"] else (-1, 1)
            cells.append(where | claims.beside(paper, ours, limits=limits) | seeds.columns(group))
    return pd.DataFrame(cells)


def _ours(row, block):
    if row == "A9":
        ssim = block["ssim"]
        one = ssim["individual"]
        reach = 1.96 * one["sd"] / one["n"] ** 0.5
        return {
            "individual": (one["mean"], (one["mean"] - reach, one["mean"] + reach), one["n"]),
            "representative": (ssim["representative"], store.numbers(ssim["representative_interval"]), one["n"]),
        }
    wanted = ("clean", "mod") if row == "A10" else ("adv", "mod_adv")
    counts = {name: block["scores"][name] for name in wanted}
    return {name: (c["k"] / c["n"], metrics.wilson(c["k"], c["n"]), c["n"]) for name, c in counts.items()}


_UNCOUNTED = np.nan, claims.UNKNOWN, 0


def accuracy(units, *, part="test"):
    """How well M classifies images of both classes, beside the paper's score_clean of both directions.

    Args:
        part: ``test``, all test images, or ``train``, some of those that M learnt from (NaN: not counted).

    Returns:
        DataFrame with the columns of :func:`compare`; the case is the pair of classes; and training images,
        initialisation, mixed precision.
    """
    rows = []
    for group in seeds.groups(units):
        first, counts = group[0].result, [unit.result["model"].get(part) for unit in group]
        ours = [(c["k"] / c["n"], metrics.wilson(c["k"], c["n"]), c["n"]) if c else _UNCOUNTED for c in counts]
        rows.append(
            {"where": title_of(first["dataset"]), "case": " / ".join(first["classes"]), "quantity": SCORES["clean"],
             "percent": True}
            | claims.beside(clean_accuracy(first["dataset"], first["classes"]), ours, limits=(0, 1))
            | {"training images": sum(first["provenance"]["data"]["counts"]["train"].values()),
               "initialisation": first["model"]["initialisation"],
               "mixed precision": " and ".join(sorted({"yes" if u.result["model"]["mixed"] else "no" for u in group}))}
            | seeds.columns(group)
        )  # fmt: skip
    return pd.DataFrame(rows)
