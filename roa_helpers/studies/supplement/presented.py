"""What the authors' files show about themselves, and about the pairs of classes that the paper presents.

Every function takes tables of :class:`Reference <roa_helpers.studies.supplement.reference.Reference>`.
"""

import numpy as np
import pandas as pd

from ...data import title_of
from ..roi_roa import published
from .reference import STATISTICS

#: The share of its class probability that a pair keeps which keeps most of it.
MOST = 0.9
#: The pairs that the paper's tables show; of CIFAR-10 the pair whose pictures stand beside the files.
PRESENTED = {"mnist": ("0", "1"), "fashion-mnist": ("Trouser", "Pullover"), "cifar10": ("airplane", "automobile")}


def kept(scores):
    """Of each ordered pair: how much class probability neutralisation leaves at the θ that leaves most.

    Args:
        scores: of a :class:`.reference.Reference`.

    Returns:
        a row a pair: dataset, source, target, clean and clean_sd (mean and sd before), best and worst (largest and
        smallest mean after over θ), largest (of any image at any θ), kept (best / clean), rank of kept in its data
        set (1 keeps most), pairs, presented.
    """
    keys = ["dataset", "source", "target"]
    clean, mod = (scores[scores.score == score].groupby(keys, sort=False) for score in ("clean", "mod"))
    table = pd.DataFrame(
        {"clean": clean["mean"].first(), "clean_sd": clean["sd"].first(), "best": mod["mean"].max(),
         "worst": mod["mean"].min(), "largest": mod["max"].max()}
    ).reset_index()  # fmt: skip
    table["kept"] = table.best / table.clean
    groups = table.groupby("dataset").kept
    table["rank"], table["pairs"] = groups.rank(ascending=False, method="min").astype(int), groups.transform("size")
    rows = zip(table.dataset, table.source, table.target, strict=True)
    return table.assign(presented=[{s, t} == set(PRESENTED.get(dataset, ())) for dataset, s, t in rows])


def accuracy_limit(mean, largest):
    """The largest share of images that can be classified correctly, from the mean and maximum of their probability.

    With two classes an image is correct only if its class probability p is at least ½. If no p reaches ½ the share is
    0; otherwise, by Markov's inequality, at most mean / ½.
    """
    return np.where(np.asarray(largest) < 0.5, 0.0, np.minimum(1.0, 2 * np.asarray(mean)))


def attack_rows(scores):
    """The rows of folder 9 beside those of folder 8: dataset, source, target, theta, and the mean of each score."""
    keys = ["dataset", "source", "target", "theta"]
    wide = scores.pivot_table(index=keys, columns="score", values="mean", sort=False).reset_index()
    return wide[wide.adv.notna()].rename_axis(columns=None)


def printed(similarity):
    """Table I beside the files: dataset, source, target, quantity, printed, in the file, and whether they agree.

    They agree where the file's number, rounded or cut to four decimals, is the printed one.
    """
    rows = []
    for paper in published.PUBLISHED:
        found = similarity[
            (similarity.dataset == paper.dataset) & (similarity.source == paper.source)
            & (similarity.target == paper.target)
        ]  # fmt: skip
        if paper.row == "A9" and len(found):
            value = found["mean" if paper.quantity == "individual" else "representative"].item()
            agree = paper.value in (round(value, 4), np.trunc(1e4 * value) / 1e4)
            rows.append((paper.dataset, paper.source, paper.target, paper.quantity, paper.value, value, agree))
    columns = ["dataset", "source", "target", "quantity", "printed", "in the file", "agree"]
    return pd.DataFrame(rows, columns=columns)


def equal_numbers(similarity, *, digits=5):
    """Numbers of Malaria's individual SSIM that the same column of another data set holds too, to ``digits`` decimals.

    Returns:
        a row a coincidence: source, target, statistic, value, and of the other: data set, its source, its target, its
        value.
    """
    rows = []
    others = similarity[similarity.dataset != "malaria"]
    for one in similarity[similarity.dataset == "malaria"].itertuples():
        for statistic in STATISTICS:
            value = getattr(one, statistic)
            hits = others[(others[statistic] - value).abs() < 0.5 * 10.0**-digits]
            rows += [(one.source, one.target, statistic, value, h.dataset, h.source, h.target, getattr(h, statistic))
                     for h in hits.itertuples()]  # fmt: skip
    columns = ["source", "target", "statistic", "value", "data set", "its source", "its target", "its value"]
    return pd.DataFrame(rows, columns=columns)


def table_two(scores):
    """Table II beside folder 8 for the pairs that the paper presents.

    Returns:
        a row a direction: data set, direction, score_mod as printed, class probability before, after (at the θ that
        keeps most), the largest of any image at any θ, the largest accuracy that this allows, rank among the pairs.
    """
    shown = kept(scores)
    shown = shown[shown.presented]
    paper = [published.printed("A10", r.dataset, r.source, r.target, "mod") for r in shown.itertuples()]
    return pd.DataFrame(
        {"data set": shown.dataset.map(title_of), "direction": shown.source + " to " + shown.target,
         "score_mod printed": [one.value if one else np.nan for one in paper],
         "before": shown.clean, "after, best θ": shown.best, "largest of any image": shown.largest,
         "accuracy at most": accuracy_limit(shown.best, shown.largest),
         "rank": shown["rank"].astype(str) + " of " + shown.pairs.astype(str)}
    ).round(4)  # fmt: skip


def is_flat(table):
    """Pairs of :func:`kept` whose network answers nearly the same for every image: mean within .05 of ½, sd < .01."""
    return ((table.clean - 0.5).abs() < 0.05) & (table.clean_sd < 0.01)
