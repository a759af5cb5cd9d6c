"""The published values, as data; the claims of the paper, the rules that judge them, and the verdicts.

Needs no torch: reads finished units only.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from . import metrics

AGREES, DIFFERS, NO_VALUE = "agrees", "differs", "no published value"
REPRODUCED, CONTRADICTED, UNDECIDED = "reproduced", "contradicted", "undecided"

#: Names of the data sets as a reader would write them: digits are scikit-learn's, faces scikit-image's LFW subset.
TITLES = {
    "mnist": "MNIST",
    "fashion-mnist": "Fashion-MNIST",
    "cifar10": "CIFAR-10",
    "cats-vs-dogs": "Cats vs Dogs",
    "malaria": "Malaria",
    "digits": "Digits",
    "faces": "LFW faces",
}
SCORES = {"clean": "score_clean", "adv": "score_adv", "mod": "score_mod", "mod_adv": "score_mod-adv"}


@dataclass(frozen=True)
class Published:
    """One number of the paper.

    Attributes:
        row: row of the catalogue, for instance ``A10`` (Table II).
        value: as printed; percentages as proportions.
        n: sample size, where it is known or implied; None: not stated.
    """

    row: str
    dataset: str
    source: str
    target: str
    quantity: str
    value: float
    n: int | None = None

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


#: Tables I to III. The MNIST and Fashion-MNIST percentages are multiples of 1/32: one batch of 32 was scored.
PUBLISHED = (
    *_similarity("mnist", "0", "1", 0.2178, 0.0039),
    *_similarity("mnist", "1", "0", 0.1978, 0.0001),
    *_similarity("fashion-mnist", "Trouser", "Pullover", 0.1923, -0.0019),
    *_similarity("fashion-mnist", "Pullover", "Trouser", 0.2029, -0.0003),
    *_similarity("cats-vs-dogs", "Cat", "Dog", 0.3028, 0.0899),
    *_similarity("cats-vs-dogs", "Dog", "Cat", 0.3046, 0.0938),
    *_similarity("malaria", "Parasitized", "Uninfected", None, 0.0842),
    *_similarity("malaria", "Uninfected", "Parasitized", None, 0.0939),
    *_scores("mnist", "0", "1", 32, 100, 93.75, 90.62, 100),
    *_scores("mnist", "1", "0", 32, 100, 96.88, 96.85, 100),
    *_scores("fashion-mnist", "Trouser", "Pullover", 32, 100, 96.88, 90.62, 90.62),
    *_scores("fashion-mnist", "Pullover", "Trouser", 32, 100, 96.88, 96.85, 100),
    *_scores("cats-vs-dogs", "Cat", "Dog", None, 98.97, 85.35, 3.47, 3.49),
    *_scores("cats-vs-dogs", "Dog", "Cat", None, 99.87, 99.89, 7.37, 2.67),
    *_scores("malaria", "Parasitized", "Uninfected", None, 99.79, 99.68, 5.85, 46.11),
    *_scores("malaria", "Uninfected", "Parasitized", None, 99.21, 99.56, 7.55, 45.06),
)


def attacked_accuracy(dataset, *, default):
    """The paper's score_adv, averaged over both directions: what ε is matched to. ``default`` where it has none."""
    values = [p.value for p in PUBLISHED if p.dataset == dataset and p.quantity == "adv"]
    return float(np.mean(values)) if values else default


def published(row, dataset, source, target, quantity):
    """The :class:`Published` number, or None if the paper gives none."""
    key = (row, dataset, source, target, quantity)
    return next((p for p in PUBLISHED if (p.row, p.dataset, p.source, p.target, p.quantity) == key), None)


def title(dataset):
    """A data set's name as a reader would write it."""
    return TITLES.get(dataset, dataset)


def directions(units):
    """(unit, direction's name, its result block) for every direction of ``units``."""
    return [(unit, name, block) for unit in units for name, block in unit.result["directions"].items()]


def compare(row, units):
    """A table of the paper beside ours: rows A9 (Table I), A10 (Table II), A11 (Table III).

    A number of ours *agrees* where its interval and the paper's overlap (where the paper's sample size is not
    stated: where ours holds the paper's value), and *differs* otherwise.

    Returns:
        DataFrame with columns data set, direction, quantity, paper, paper_low, paper_high, ours, low, high, n,
        verdict, profile, seed.
    """
    if row not in ("A9", "A10", "A11"):
        raise ValueError(f"rows that can be compared are A9, A10 and A11, not {row}")
    cells = []
    for unit, name, block in directions(units):
        dataset = unit.result["dataset"]
        for quantity, (value, interval, n) in _ours(row, block).items():
            paper = published(row, dataset, block["source"], block["target"], quantity)
            theirs = paper.interval if paper else None
            cells.append(
                {"data set": title(dataset), "direction": name, "quantity": SCORES.get(quantity, quantity),
                 "paper": paper.value if paper else np.nan,
                 "paper_low": theirs.low if theirs else np.nan, "paper_high": theirs.high if theirs else np.nan,
                 "ours": value, "low": interval[0], "high": interval[1], "n": n,
                 "verdict": _agreement(paper, interval),
                 "profile": unit.result["profile"], "seed": unit.result["seed"]}
            )  # fmt: skip
    return pd.DataFrame(cells)


def _ours(row, block):
    if row == "A9":
        ssim = block["ssim"]
        one = ssim["individual"]
        reach = 1.96 * one["sd"] / one["n"] ** 0.5
        return {
            "individual": (one["mean"], (one["mean"] - reach, one["mean"] + reach), one["n"]),
            "representative": (ssim["representative"], _numbers(ssim["representative_interval"]), one["n"]),
        }
    wanted = ("clean", "mod") if row == "A10" else ("adv", "mod_adv")
    counts = {name: block["scores"][name] for name in wanted}
    return {name: (c["k"] / c["n"], metrics.wilson(c["k"], c["n"]), c["n"]) for name, c in counts.items()}


def _numbers(values):
    return [np.nan if value is None else value for value in values]


def _agreement(paper, interval):
    if paper is None:
        return NO_VALUE
    low, high = paper.interval or (paper.value, paper.value)
    return AGREES if low <= interval[1] and interval[0] <= high else DIFFERS


@dataclass(frozen=True)
class Claim:
    """A statement of the paper with the rule that judges it.

    Attributes:
        estimate: (result block, table of its images) → (value, interval, n); the rule reads the interval.
        bound: the claim is reproduced where the interval lies above it, contradicted where it lies below.
        quantities: for claims about two scores, their names, so that the paper's own numbers can be judged too.
    """

    id: str
    text: str
    rule: str
    estimate: Callable
    bound: float
    quantities: tuple[str, str] | None = None


def _share(condition):
    def estimate(block, images):
        hits = condition(images)
        return hits.mean(), metrics.wilson(int(hits.sum()), len(hits)), len(hits)

    return estimate


def _difference(before, after):
    def estimate(block, images):
        change = (images[after] - images[before]).mean()
        return change, metrics.paired_difference(images[before], images[after]), len(images)

    return estimate


def _alignment(name):
    def estimate(block, images):
        found = block["colocation"][name]
        value, low, high = _numbers([found["alignment"], *found["alignment_null"]])
        return value - (low + high) / 2, metrics.Interval(value - high, value - low), len(images)

    return estimate


_MAJORITY = "reproduced where the 95 % Wilson interval of {} lies above one half, contradicted where it lies below"

CLAIMS = (
    Claim(
        "roi-colocated", "pixels of an image's RoI are co-located",
        _MAJORITY.format("the share of images whose RoI has a Moran's I with permutation p ≤ .05"),
        _share(lambda images: images.p_roi <= 0.05), 0.5,
    ),
    Claim(
        "roa-colocated", "pixels of an image's RoA are co-located",
        _MAJORITY.format("the share of images whose RoA has a Moran's I with permutation p ≤ .05 (an RoA that is empty "
                         "or the whole image has none)"),
        _share(lambda images: images.p_roa <= 0.05), 0.5,
    ),
    Claim(
        "roi-aligned", "the RoIs of a class share a place",
        "reproduced where their alignment exceeds the 95 % range of the same regions rolled to random places, "
        "contradicted where it lies below that range",
        _alignment("roi"), 0.0,
    ),
    Claim(
        "roa-aligned", "the RoAs of a class share a place",
        "reproduced where their alignment exceeds the 95 % range of the same regions rolled to random places, "
        "contradicted where it lies below that range",
        _alignment("roa"), 0.0,
    ),
    Claim(
        "isolation", "an image splits into four regions",
        _MAJORITY.format("the share of images in which none of the four regions is empty"),
        _share(lambda images: (images[["uv", "u_not_v", "not_u_v", "not_u_not_v"]] > 0).all(axis=1)), 0.5,
    ),
    Claim(
        "keeps-accuracy", "neutralisation keeps accuracy",
        "reproduced where the 95 % interval of score_mod − score_clean (Bonett and Price’s, for the same images "
        "scored twice) lies above −5 points, contradicted where it lies below",
        _difference("clean", "mod"), -0.05, ("clean", "mod"),
    ),
    Claim(
        "weakens-attack", "neutralisation weakens the attack",
        "reproduced where the 95 % interval of score_mod-adv − score_adv (Bonett and Price’s, for the same images "
        "scored twice) lies above 0, contradicted where it lies below",
        _difference("adv", "mod_adv"), 0.0, ("adv", "mod_adv"),
    ),
)  # fmt: skip


def judge(interval, bound):
    """The verdict of an interval against a bound; undecided where the interval holds the bound or is undefined."""
    low, high = interval
    if low > bound:
        return REPRODUCED
    return CONTRADICTED if high < bound else UNDECIDED


def verdicts(units, *, definition="perturbation"):
    """Every claim judged for every direction of ``units``, by the paper's definition of the RoA or the other.

    Returns:
        DataFrame with columns id, claim, data set, direction, paper, paper_low, paper_high, paper's verdict (the same
        rule applied to the paper's own numbers), ours, low, high, n, verdict, profile, seed.
    """
    rows = []
    for unit, name, block in directions(units):
        images = unit.table("images")
        images = images[(images.direction == name) & (images.definition == definition)]
        own = block if definition == "perturbation" else block["definitions"][definition]
        for claim in CLAIMS:
            value, interval, n = claim.estimate(own, images)
            paper, theirs = _paper_difference(claim, unit.result["dataset"], block)
            rows.append(
                {"id": claim.id, "claim": claim.text, "data set": title(unit.result["dataset"]), "direction": name,
                 "paper": paper, "paper_low": theirs[0], "paper_high": theirs[1],
                 "paper's verdict": judge(theirs, claim.bound) if np.isfinite(theirs[0]) else "",
                 "ours": value, "low": interval[0], "high": interval[1], "n": n,
                 "verdict": judge(interval, claim.bound),
                 "profile": unit.result["profile"], "seed": unit.result["seed"]}
            )  # fmt: skip
    order = [claim.id for claim in CLAIMS]
    return pd.DataFrame(rows).sort_values("id", key=lambda ids: ids.map(order.index), kind="stable", ignore_index=True)


def _paper_difference(claim, dataset, block):
    missing = np.nan, (np.nan, np.nan)
    if not claim.quantities:
        return missing
    row = "A10" if "clean" in claim.quantities else "A11"
    before, after = (published(row, dataset, block["source"], block["target"], q) for q in claim.quantities)
    if before is None or after is None:
        return missing
    interval = metrics.newcombe(before.k, before.n, after.k, after.n) if before.n else missing[1]
    return after.value - before.value, interval


def summary(table):
    """Verdicts counted by claim: a row a claim, a column a verdict."""
    counts = pd.crosstab(table["claim"], table["verdict"])
    order = [claim.text for claim in CLAIMS if claim.text in counts.index]
    columns = [verdict for verdict in (REPRODUCED, UNDECIDED, CONTRADICTED) if verdict in counts.columns]
    return counts.loc[order, columns].rename_axis(columns=None).reset_index()


def answer(row, table):
    """The paragraph that belongs under a table of :func:`compare`, in Markdown, from its numbers alone."""
    known = table[table.verdict != NO_VALUE]
    agree = int((known.verdict == AGREES).sum())
    if known.empty:
        opening = "None of these data sets has a published value, so nothing is compared here."
    else:
        sets = ", ".join(known["data set"].unique())
        opening = (
            f"Of {len(known)} numbers that the paper prints for {sets}, ours agree with {agree} and differ from "
            f"{len(known) - agree}."
        )
    return " ".join((opening, *_REMARKS[row](table)))


def _minus(value, form):
    return f"{value:{form}}".replace("-", "−")


def _remark_ssim(table):
    one, many = (table[table.quantity == q].ours for q in ("individual", "representative"))
    ends = [_minus(value, ".3f") for value in (one.min(), one.max(), many.min(), many.max())]
    yield f"Over all directions shown, the mean SSIM of individual images lies between {ends[0]} and {ends[1]},"
    yield f"and that of the representatives between {ends[2]} and {ends[3]}; 1 would be the same region."


def _remark_change(before, after, what):
    def remark(table):
        wide = table.pivot_table(index=["data set", "direction", "profile", "seed"], columns="quantity", values="ours")
        change = 100 * (wide[SCORES[after]] - wide[SCORES[before]])
        lowest, highest = change.idxmin(), change.idxmax()
        yield f"Neutralisation changes {what} by {_minus(change.min(), '+.1f')} points for {lowest[0]}, {lowest[1]},"
        yield f"and by {_minus(change.max(), '+.1f')} points for {highest[0]}, {highest[1]}, the two ends of the range."

    return remark


_REMARKS = {
    "A9": _remark_ssim,
    "A10": _remark_change("clean", "mod", "clean accuracy"),
    "A11": _remark_change("adv", "mod_adv", "accuracy under attack"),
}
