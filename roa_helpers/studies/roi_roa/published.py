"""The numbers that the paper prints, as data. Needs no torch."""

from dataclasses import dataclass

import numpy as np

from ... import metrics


@dataclass(frozen=True)
class Published:
    """One number of the paper.

    Attributes:
        row: row of the catalogue, for instance ``A10`` (Table II).
        value: as printed; percentages as proportions.
        n: sample size, where it is known or implied; None: not stated.
        rounding: half a unit of the last printed digit.
    """

    row: str
    dataset: str
    source: str
    target: str
    quantity: str
    value: float
    n: int | None = None
    rounding: float = 5e-5

    @property
    def k(self):
        """The count that the printed percentage of ``n`` rounds."""
        return round(self.value * self.n)

    @property
    def interval(self):
        """95 % Wilson interval of a proportion whose n is known, else None."""
        return metrics.wilson(self.k, self.n) if self.n else None


def _scores(dataset, source, target, n, clean, mod, adv, mod_adv):
    cells = (("A10", "clean", clean), ("A10", "mod", mod), ("A11", "adv", adv), ("A11", "mod_adv", mod_adv))
    return [Published(row, dataset, source, target, q, round(v / 100, 4), n) for row, q, v in cells]


def _similarity(dataset, source, target, individual, representative):
    rows = [Published("A9", dataset, source, target, "representative", representative)]
    if individual is not None:
        rows.insert(0, Published("A9", dataset, source, target, "individual", individual))
    return rows


#: The MNIST and Fashion-MNIST percentages are multiples of 1/32: one batch was scored.
BATCH = 32
#: Tables I to III.
PUBLISHED = (
    *_similarity("mnist", "0", "1", 0.2178, 0.0039),
    *_similarity("mnist", "1", "0", 0.1978, 0.0001),
    *_similarity("fashion-mnist", "Trouser", "Pullover", 0.1923, -0.0019),
    *_similarity("fashion-mnist", "Pullover", "Trouser", 0.2029, -0.0003),
    *_similarity("cats-vs-dogs", "Cat", "Dog", 0.3028, 0.0899),
    *_similarity("cats-vs-dogs", "Dog", "Cat", 0.3046, 0.0938),
    *_similarity("malaria", "Parasitized", "Uninfected", None, 0.0842),
    *_similarity("malaria", "Uninfected", "Parasitized", None, 0.0939),
    *_scores("mnist", "0", "1", BATCH, 100, 93.75, 90.62, 100),
    *_scores("mnist", "1", "0", BATCH, 100, 96.88, 96.85, 100),
    *_scores("fashion-mnist", "Trouser", "Pullover", BATCH, 100, 96.88, 90.62, 90.62),
    *_scores("fashion-mnist", "Pullover", "Trouser", BATCH, 100, 96.88, 96.85, 100),
    *_scores("cats-vs-dogs", "Cat", "Dog", None, 98.97, 85.35, 3.47, 3.49),
    *_scores("cats-vs-dogs", "Dog", "Cat", None, 99.87, 99.89, 7.37, 2.67),
    *_scores("malaria", "Parasitized", "Uninfected", None, 99.79, 99.68, 5.85, 46.11),
    *_scores("malaria", "Uninfected", "Parasitized", None, 99.21, 99.56, 7.55, 45.06),
)


def attacked_accuracy(dataset, classes, *, default):
    """What ε of both directions of a pair is matched to: the paper's score_adv, (source → target, target → source).

    For a pair that the paper does not print: the mean of what it prints for the data set; else ``default``.
    """
    found = [printed("A11", dataset, *pair, "adv") for pair in (classes, classes[::-1])]
    if None not in found:
        return tuple(paper.value for paper in found)
    values = [paper.value for paper in PUBLISHED if paper.dataset == dataset and paper.quantity == "adv"]
    return (float(np.mean(values)),) * 2 if values else default


def printed(row, dataset, source, target, quantity):
    """The :class:`Published` number, or None if the paper gives none."""
    key = (row, dataset, source, target, quantity)
    return next((p for p in PUBLISHED if (p.row, p.dataset, p.source, p.target, p.quantity) == key), None)


def clean_accuracy(dataset, classes):
    """The paper's score_clean of a pair of classes, mean over both directions, as one number; None if it has none."""
    found = [printed("A10", dataset, *pair, "clean") for pair in (classes, classes[::-1])]
    if None in found:
        return None
    n = sum(paper.n for paper in found) if all(paper.n for paper in found) else None
    return Published("A10", dataset, *classes, "clean", float(np.mean([paper.value for paper in found])), n)
