"""What the authors' files show about themselves, and about the pairs of classes that the paper presents.

Every function takes tables of :class:`roa_helpers.reference.Reference`; every number in a sentence is read from them.
"""

import numpy as np
import pandas as pd

from . import papers
from .reference import STATISTICS

#: The pairs that the paper's tables show; of CIFAR-10 the pair whose pictures stand beside the files.
PRESENTED = {"mnist": ("0", "1"), "fashion-mnist": ("Trouser", "Pullover"), "cifar10": ("airplane", "automobile")}


def kept(scores):
    """Of each ordered pair: how much class probability neutralisation leaves at the θ that leaves most.

    Args:
        scores: of a :class:`Reference`.

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
    for paper in papers.PUBLISHED:
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
    paper = [papers.published("A10", r.dataset, r.source, r.target, "mod") for r in shown.itertuples()]
    return pd.DataFrame(
        {"data set": shown.dataset.map(papers.title), "direction": shown.source + " to " + shown.target,
         "score_mod printed": [one.value if one else np.nan for one in paper],
         "before": shown.clean, "after, best θ": shown.best, "largest of any image": shown.largest,
         "accuracy at most": accuracy_limit(shown.best, shown.largest),
         "rank": shown["rank"].astype(str) + " of " + shown.pairs.astype(str)}
    ).round(4)  # fmt: skip


def is_flat(table):
    """Pairs of :func:`kept` whose network answers nearly the same for every image: mean within .05 of ½, sd < .01."""
    return ((table.clean - 0.5).abs() < 0.05) & (table.clean_sd < 0.01)


def findings(reference):
    """What the files show: sentences in Markdown, one subject each."""
    table = kept(reference.scores)
    for dataset, pairs in table.groupby("dataset", sort=False):
        yield _on_neutralisation(papers.title(dataset), pairs)
    yield _on_attack(attack_rows(reference.scores), table)
    yield _on_columns(reference.files, reference.similarity)
    yield _on_table_one(printed(reference.similarity))
    yield _on_table_two(table_two(reference.scores).dropna(subset="score_mod printed"))
    yield _on_malaria(reference.similarity)


def _on_neutralisation(title, pairs):
    enough, flat = pairs.kept >= 0.9, is_flat(pairs)
    text = (
        f"**{title}**: over {len(pairs)} pairs neutralisation takes the mean class probability from "
        f"{pairs.clean.mean():.2f} to {pairs.best.mean():.2f}, even at the θ that keeps most for each pair. "
        f"{enough.sum()} pairs keep 90 % of it. In {(pairs.largest < 0.5).sum()} pairs no image has a class "
        "probability of ½ or more afterwards, at any θ: with two classes, every image is misclassified."
    )
    if not flat.any():
        return text
    return (
        f"{text} In {flat.sum()} pairs the network gives every image nearly the same probability, about ½, before "
        f"anything is neutralised; {(flat & enough).sum()} of the {enough.sum()} pairs that keep 90 % are of this kind."
    )


def _on_attack(rows, table):
    pairs = rows.groupby("dataset", sort=False)[["source", "target"]].apply(lambda part: len(part.drop_duplicates()))
    counted = ", ".join(f"{n} of {papers.title(dataset)}" for dataset, n in pairs.items())
    gain, presented = rows.mod_adv - rows.adv, rows.merge(table, on=["dataset", "source", "target"]).presented
    return (
        f"**Under attack** the files list few pairs: {counted}; {len(rows)} rows, a pair at a θ. In "
        f"{(gain > 0).sum()} of them neutralisation raises the class probability, in {(gain == 0).sum()} it leaves it "
        f"as it is to the last digit, in {(gain < 0).sum()} it lowers it. {presented.sum()} of the rows belong to a "
        "presented pair."
    )


def _on_columns(files, similarity):
    wide, full = files[files.given > files.named], similarity[similarity.sd.notna()]
    between = full["mean"].between(full["min"], full["max"]) & full["median"].between(full["min"], full["max"])
    fits = between & (full.sd <= (full["max"] - full["min"]) / 2)
    return (
        f"**Columns.** The individual SSIM of {len(wide)} data sets has {wide.given.max()} numbers under "
        f"{wide.named.max()} names. They are read here as {', '.join(STATISTICS)}: in {fits.sum()} of {len(full)} rows "
        "the third and the fourth lie between the first two, and the fifth is at most half their distance, as a "
        "standard deviation must be; the third is what Table I prints."
    )


def _on_table_one(numbers):
    differing = numbers[~numbers.agree].itertuples()
    named = [f"{row.source} to {row.target}, {row.printed:.4f} in the table and {row[6]:.4f} in the file"
             for row in differing]  # fmt: skip
    return (
        f"**Table I** agrees with the files in {numbers.agree.sum()} of {len(numbers)} numbers (rounded or cut to four "
        f"decimals). It differs in: {'; '.join(named) or 'none'}."
    )


def _on_table_two(table):
    beyond = table[table["score_mod printed"] > table["accuracy at most"]]
    named = ", ".join(beyond["data set"] + " " + beyond.direction)
    return (
        f"**Table II** prints, for {len(beyond)} of {len(table)} presented directions ({named or 'none'}), an accuracy "
        "after neutralisation above the largest that the files allow at any of their θ. Where that is so, the table "
        "must rest on another network, another blob, another value of the neutralised pixels or other images than the "
        "files."
    )


def _on_malaria(similarity):
    equal = equal_numbers(similarity)
    same = equal[equal["data set"] == "cifar10"]
    count = similarity[similarity.dataset == "malaria"][STATISTICS].notna().sum().sum()
    named = "; ".join(
        f"{r.statistic} {r.value:.5f} of {r.source} to {r.target}: {r[6]} to {r[7]}" for r in same.itertuples()
    )
    return (
        f"**Malaria.** Of its {count} numbers of individual SSIM, {len(same)} equal a number in the same column of "
        f"CIFAR-10 to five decimals ({named or 'none'}), {len(equal) - len(same)} one of MNIST or Fashion-MNIST."
    )
