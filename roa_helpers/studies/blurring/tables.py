"""Tables of this study's pages: the thesis's numbers beside ours, conclusions, attackers. Needs no torch."""

import numpy as np
import pandas as pd

from ... import metrics
from ...page import claims, words
from ...records import seeds
from . import published
from .claims import ALL, CLAIMS
from .published import HEATMAPS, ROWS, TESTS
from .results import has_printed, named, network

#: Whom each attacker is held against: the undefended A under as many steps (BIM's, where nothing is said).
_SAME_STEPS = {"clean": "clean", "unaware_one": "unaware_one", "fixed": "unaware_one", "worst": "worst"}


def accuracies(units):
    """The accuracy of A on clean originals, of each group beside the thesis's 89.67 %.

    Returns:
        DataFrame with columns group, network, training images, paper, ours, low, high, n, profile, seeds.
    """
    rows = []
    for group in seeds.groups(units):
        counts = [unit.result["model"]["accuracy"] for unit in group]
        each = [(c["k"] / c["n"], metrics.wilson(c["k"], c["n"]), c["n"]) for c in counts]
        ours, (low, high), n = seeds.across(each, limits=(0, 1))
        printed = published.cell("original", "clean", "original") if has_printed(group[0]) else None
        trained = sum(group[0].result["provenance"]["data"]["counts"]["train"].values())
        rows.append(
            {"group": named(group[0]), "network": network(group[0]), "training images": trained,
             "paper": printed.value if printed else np.nan, "ours": ours, "low": low, "high": high, "n": n}
            | seeds.columns(group)
        )  # fmt: skip
    return pd.DataFrame(rows)


def compare(group):
    """The 150 accuracies of a group beside those of the thesis, one a row.

    Returns:
        DataFrame with columns model, row, test, those of :func:`roa_helpers.page.claims.beside` (the thesis's interval
        is Wilson's, n = 300), sd (over seeds), profile, seeds.
    """
    cells = [unit.table("cells") for unit in group]
    rows = []
    for k, where in enumerate(cells[0][["model", "row", "test"]].to_dict("records")):
        own = [table.iloc[k] for table in cells]
        ours = [(one.accuracy, (one.low, one.high), int(one.n)) for one in own]
        spread = np.std([one.accuracy for one in own], ddof=1) if len(own) > 1 else np.nan
        printed = published.cell(**where) if has_printed(group[0]) else None
        rows.append(where | claims.beside(printed, ours, limits=(0, 1)) | {"sd": spread} | seeds.columns(group))
    return pd.DataFrame(rows)


def as_printed(table, model):
    """One of Tables 4.1 to 4.5, from :func:`compare`, for :mod:`roa_helpers.page.beside`: a row an attack and test set.

    Returns:
        DataFrame with the columns of :func:`compare`, and where (the attack), case (empty), quantity (the test set),
        percent.
    """
    own = table[table.model == model]
    return own.assign(where=own.row.map(ROWS), case="", quantity=own.test.map(TESTS), percent=True)


def overview(table):
    """The conclusions at a glance, from a table of verdicts: all models and rows together, and how many of them alone.

    Returns:
        DataFrame with columns claim, whose (the thesis or a group), change in points with its interval, verdict (of the
        thesis's own numbers, which rest on one network each: what they point to), intervals alone (“14 of 16 for it”:
        how many of the models and rows alone have a 95 % interval that points to the claim), n, networks, profile,
        seeds.
    """
    rows = []
    for claim in CLAIMS:
        own = table[table.id == claim.id]
        printed = own[own["paper toward"] != ""]
        if len(printed):
            first = printed[printed["where"] == printed["where"].iloc[0]]
            first = first.assign(verdict=claims.ONE_NETWORK, toward=first["paper toward"], why="")
            rows.append(_glance(claim, "the thesis", first, "paper", "paper_low", "paper_high")
                        | {"n": published.N, "networks": 1, "profile": "", "seeds": ""})  # fmt: skip
        for name, part in own.groupby("where", sort=False):
            told = part.iloc[-1][["n", "networks", "profile", "seeds"]].to_dict()
            rows.append(_glance(claim, name, part, "ours", "low", "high") | told)
    return pd.DataFrame(rows)


def glance(table):
    """:func:`overview` as a reader sees it: a row a conclusion, a column for the thesis and for each group."""
    rows = {}
    for row in table.itertuples():
        networks = words.counted(row.networks, "network")
        cell = f"{row.points}\n{row.verdict}\n{row[5]}\nn = {row.n}, {networks}"
        rows.setdefault(row.claim, {})[row.whose] = cell
    return pd.DataFrame(rows).T.fillna("").rename_axis("claim").reset_index()


def _glance(claim, whose, part, value, low, high):
    whole, alone = part[part.case == ALL], part[part.case != ALL]
    against = int((alone.toward == claims.CONTRADICTED).sum())
    count = f"{int((alone.toward == claims.REPRODUCED).sum())} of {len(alone)} for it"
    count += f", {against} against it" if against else ""
    return {"claim": claim.text, "whose": whose, "points": words.points(*whole[[value, low, high]].iloc[0]),
            "verdict": claims.spoken(whole).iloc[0], "intervals alone": count}  # fmt: skip


def knowing(units):
    """What the blur is worth against each attacker: a network behind its own blur beside A without any.

    Both face as many steps of the same ε on the same images; for ``worst``, an image counts where the classifier
    withstands every attack of the table.

    Returns:
        DataFrame with columns group, model, attacker, accuracy, low, high, undefended (A's accuracy), left (accuracy −
        undefended), left_low, left_high (Bonett and Price's interval over images, with the spread over seeds), n,
        profile, seeds.
    """
    rows = []
    for group in seeds.groups(units):
        hits = [_with_worst(unit) for unit in group]
        for model, attacker in hits[0]:
            if model == "original":
                continue
            bare = "original", _SAME_STEPS.get(attacker, "unaware_many")
            own = [(one[model, attacker], one[bare]) for one in hits]
            each = [(a.mean(), metrics.wilson(a.sum(), len(a)), len(a)) for a, _ in own]
            value, (low, high), n = seeds.across(each, limits=(0, 1))
            left, span, _ = seeds.across(
                [(a.mean() - b.mean(), metrics.paired_difference(b, a), len(a)) for a, b in own]
            )
            rows.append(
                {"group": named(group[0]), "model": model, "attacker": attacker, "accuracy": value, "low": low,
                 "high": high, "undefended": np.mean([b.mean() for _, b in own]), "left": left, "left_low": span.low,
                 "left_high": span.high, "n": n} | seeds.columns(group)
            )  # fmt: skip
    return pd.DataFrame(rows)


def _with_worst(unit):
    """(model, attacker) → hits (N,), with the attacker ``worst`` after those of each model."""
    keys = unit.table("knowing")[["model", "attacker"]].itertuples(index=False, name=None)
    found = dict(zip(keys, unit.arrays["knowing"].astype(int), strict=True))
    whole = {}
    for model in dict.fromkeys(model for model, _ in found):
        own = {key: hits for key, hits in found.items() if key[0] == model}
        whole |= own | {(model, "worst"): np.min(list(own.values()), axis=0)}
    return whole


def overlaps(units):
    """Jaccard index of the pixels that two heatmaps keep: mean and sd over images, a row a pair and group."""
    rows = []
    for group in seeds.groups(units):
        table = pd.concat([unit.table("overlap") for unit in group])
        for (first, second), part in table.groupby(["first", "second"], sort=False):
            rows.append({"group": named(group[0]), "heatmaps": f"{HEATMAPS[first]} and {HEATMAPS[second]}",
                         "Jaccard": part["mean"].mean(), "sd over images": part["sd"].mean(),
                         "n": int(part["n"].min()), "seeds": seeds.columns(group)["seeds"]})  # fmt: skip
    return pd.DataFrame(rows)
