"""What the page on all pairs comes to. Needs no torch."""

from ...data import title_of
from ...page import answers, words
from . import agreement, presented, spread
from .matrices import PAIR, collected, datasets, kept_by_value, signed


def pairs(units, authors):
    """Whether the presented pairs are typical.

    Args:
        units: of this study, of the paper's data.
        authors: the authors' files (:func:`.reference.load`), or None.
    """
    paper = (
        "Two classes of each data set, chosen at random, stand for all: neutralisation keeps 93.75 % accuracy and "
        "more for MNIST and Fashion-MNIST (Table II). The supplement lists all 90 ordered pairs of three data sets."
    )
    if not units:
        return answers.nothing(paper)
    ours = collected(units)
    counted = [
        f"{len(ours[0][ours[0].dataset == name])} ordered pairs of {title_of(name)}" for name in datasets(ours[0])
    ]
    told = f"Run here: {words.listed(counted)}."
    if authors is None:
        return answers.Answer(
            paper,
            f"Of the ordered pairs in which anything is neutralised, so many keep {100 * presented.MOST:.0f} % of "
            f"their class probability, each at its best θ: {_held(ours[1])}. {told}",
            "The authors’ files are not at hand. With them this page counts all their pairs, and says whether the "
            "presented ones are among those that keep it.",
            _open(units),
        )
    table = presented.kept(authors.scores)
    held = int((table.kept >= presented.MOST).sum())
    rho = agreement.correlations(agreement.matched(ours, (authors.similarity, authors.scores), signed=signed(units)))
    clean = rho[_after(rho) & (rho["data set"] != agreement.TOGETHER)] if len(rho) else rho
    return answers.Answer(
        paper,
        f"In the authors’ own files {held} of {len(table)} pairs keep {100 * presented.MOST:.0f} % of their class "
        f"probability after neutralisation, each at its best θ, fewer than the presented pairs suggest. {told}",
        "The files give probabilities of the true class, the paper accuracies, of other images or another network "
        "perhaps: some printed accuracies are larger than the files allow. "
        + ("Over pairs, our probabilities after neutralisation go with theirs by a rank correlation of "
           f"{words.span(clean['ρ'], '.2f')}{_pictures(rho)}." if len(clean) else "Too few pairs were run here to "
           "correlate them.")
        + _repeated(units),
        _open(units),
    )  # fmt: skip


def _pictures(rho):
    """The same with the blob of the authors' pictures, where units have it."""
    own = rho[rho.quantity.str.startswith(f"clean, {agreement.PICTURES}") & (rho["data set"] != agreement.TOGETHER)]
    return f", with the blob of the authors’ pictures {words.span(own['ρ'], '.2f')}" if len(own) else ""


def _repeated(units):
    """How alike two of our own trainings are, where pairs were trained more than once."""
    if not spread.repeated(units):
        return ""
    shares = spread.shares(spread.by_network(units))
    rho = shares["ρ"][_after(shares)].dropna()
    if rho.empty:
        return ""
    return f" Over pairs that were trained again, one training of ours goes with another by {words.span(rho, '.2f')}."


def _after(table):
    """Rows about class probabilities of clean images after neutralisation."""
    return table.quantity.str.startswith("clean, set")


def _held(scores):
    """How many pairs keep ``MOST`` of the class probability of clean images, by data set and value, in words."""
    done = scores[scores.blob > 0].set_index(PAIR).index
    table, told = kept_by_value(scores, "clean"), []
    table = table[table.set_index(PAIR).index.isin(done)]
    for name in datasets(table):
        own = table[table.dataset == name]
        kept = (own["mean"] >= presented.MOST * own.start).groupby(own.value).sum()
        parts = [f"{count} with pixels set to {value:g}" for value, count in kept.items()]
        told.append(f"{title_of(name)}, of {len(own[PAIR].drop_duplicates())}, {words.listed(parts)}")
    return "; ".join(told) or "none was run"


def _open(units):
    left = 135 - len({(unit.result["dataset"], tuple(unit.result["classes"])) for unit in units})
    rest = f"{left} of the 135 unordered pairs were not run." if left else ""
    return tuple(filter(None, (rest, "To what value the authors set neutralised pixels is not known.")))
