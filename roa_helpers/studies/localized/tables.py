"""Tables of this study's pages: ranks, attempts, tests. Needs no torch."""

import pandas as pd

from ... import metrics
from ...data import title_of
from ...page import claims
from ...records import store
from .choices import REGIONS
from .claims import QUESTIONS, networks, where
from .published import MEAN_RANKS, Printed
from .recovery import TITLES
from .results import run_of, shape_of


def mean_ranks(units):
    """Table 1 beside ours: a row an explainer and score, for :mod:`roa_helpers.page.beside`.

    Units of several seeds attack the same network, so each run has rows of its own.
    """
    rows = []
    for unit in units:
        for metric, printed in MEAN_RANKS.items():
            for name, value in printed.items():
                found = unit.result["ranks"]["paper"][metric][name]
                ours = found["rank"], store.numbers(found["rank_interval"]), unit.result["attack"]["success"]["k"]
                rows.append(
                    {"where": TITLES[name], "case": "", "quantity": metric.capitalize(), "percent": False}
                    | claims.beside(Printed(value), [ours], limits=(1, len(printed)))
                    | {"profile": unit.result["profile"], "seeds": str(unit.result["seed"])}
                )
    return pd.DataFrame(rows)


def attempts(units):
    """How many attacks were tried, and how they ended: a row a unit."""
    rows = []
    for unit in units:
        attack = unit.result["attack"]
        success = attack["success"]
        low, high = metrics.wilson(success["k"], success["n"])
        rows.append({
            "data set": title_of(unit.result["dataset"]), "regions": REGIONS[shape_of(unit)],
            "photos": attack["photos"], "regions tried": success["n"],
            **{name: attack["outcomes"][name] for name in attack["outcomes"]},
            "success": f"{success['k'] / success['n']:.0%} [{low:.0%}, {high:.0%}]",
            "from photos": attack["photos_with_examples"], "explanations each": attack["explanations"],
            "run": run_of(unit),
        })  # fmt: skip
    return pd.DataFrame(rows)


def tests_table(units, which="paper"):
    """Friedman’s test over photos and the pairs that differ after it (Nemenyi), by Jaccard: a row a unit."""
    rows = []
    for unit in units:
        test = unit.result["tests"][which]["jaccard"]
        if test:
            pairs = "; ".join(" and ".join(TITLES[name] for name in pair) for pair in test["different"])
            rows.append({
                "data set": title_of(unit.result["dataset"]), "regions": REGIONS[shape_of(unit)],
                "photos": test["blocks"], "χ²": round(test["statistic"], 2), "p": f"{test['p']:.2g}",
                "critical difference": round(test["critical_difference"], 2), "differ": pairs or "none",
                "run": run_of(unit),
            })  # fmt: skip
    return pd.DataFrame(rows)


#: How a question is answered by the verdict on “LIME ranks better”, and by what an interval points to.
_ANSWERS = {claims.REPRODUCED: "yes", claims.CONTRADICTED: "no", claims.UNDECIDED: "undecided"}


def questions(units):
    """Does LIME rank better than gradients averaged over its superpixels, and than Grad-CAM? A row a pair and unit."""
    table = claims.verdicts(QUESTIONS, units, where=where, networks=networks)
    columns = ["id", "claim", "where", "ours", "low", "high", "n", "networks", "profile", "seeds"]
    toward = table.toward.map(_ANSWERS)
    few = table.verdict.isin(claims.FEW.values())
    answer = table.verdict.map(_ANSWERS).fillna(table.verdict)
    return table[columns].assign(answer=answer.where(~few, table.verdict + ", toward " + toward))
