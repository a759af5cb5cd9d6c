"""What the page on all pairs comes to. Needs no torch."""

from ...data import title_of
from ...page import answers, words
from . import agreement, presented, spread
from .matrices import PAIR, STAGES, best, collected, datasets, signed


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
        kept, count = _held(ours[1])
        return answers.Answer(
            paper,
            f"{kept} of {words.counted(count, 'ordered pair')} keep {100 * presented.MOST:.0f} % of their class "
            f"probability after neutralisation, each at the best θ and value of the pixels. {told}",
            "The authors’ files are not at hand. With them this page counts all their pairs, and says whether the "
            "presented ones are among those that keep it.",
            _open(units),
        )
    table = presented.kept(authors.scores)
    held = int((table.kept >= presented.MOST).sum())
    rho = agreement.correlations(agreement.matched(ours, (authors.similarity, authors.scores), signed=signed(units)))
    clean = rho[rho.quantity.str.startswith("clean, set")] if len(rho) else rho
    return answers.Answer(
        paper,
        f"In the authors’ own files {held} of {len(table)} pairs keep {100 * presented.MOST:.0f} % of their class "
        f"probability after neutralisation, each at its best θ, fewer than the presented pairs suggest. {told}",
        "The files give probabilities of the true class, the paper accuracies, of other images or another network "
        "perhaps: some printed accuracies are larger than the files allow. "
        + ("Over pairs, our probabilities after neutralisation go with theirs by a rank correlation of "
           f"{words.span(clean['ρ'], '.2f')}." if len(clean) else "Too few pairs were run here to correlate them.")
        + _repeated(units),
        _open(units),
    )  # fmt: skip


def _repeated(units):
    """How alike two of our own trainings are, where pairs were trained more than once."""
    if not spread.repeated(units):
        return ""
    rho = spread.shares(spread.by_network(units))
    rho = rho[rho.quantity.str.startswith("clean, set")]["ρ"].dropna()
    return f" Two of our own trainings of one pair go with each other by {words.span(rho, '.2f')}." if len(rho) else ""


def _held(scores):
    """How many of our pairs keep ``MOST`` of the class probability of clean images, and how many pairs there are."""
    table = best(scores)
    start, end = (table[table.score == one].groupby(["dataset", *PAIR])["mean"].max() for one in STAGES["clean"])
    return int((end >= presented.MOST * start).sum()), len(start)


def _open(units):
    left = 135 - len({(unit.result["dataset"], tuple(unit.result["classes"])) for unit in units})
    rest = f"{left} of the 135 unordered pairs were not run." if left else ""
    return tuple(filter(None, (rest, "To what value the authors set neutralised pixels is not known.")))
