"""The paper beside our results: its numbers and ours, its claims, the rules that judge them, and the verdicts.

Needs no torch: reads finished units only. Units that differ in their seed alone count once (:mod:`roa_helpers.seeds`),
so a verdict stands only if it holds for every seed.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from . import metrics
from .published import PUBLISHED, TITLES, Published, attacked_accuracy, published, registered, title
from .seeds import across_seeds, by_direction, by_pair, run

__all__ = [
    "ACROSS", "AGREES", "CLAIMS", "CONTRADICTED", "DIFFERS", "NO_VALUE", "PUBLISHED", "REPRODUCED", "SCORES", "TITLES",
    "UNDECIDED", "Claim", "Published", "answer", "attacked_accuracy", "beside", "compare", "directions", "findings",
    "judge", "minus", "published", "registered", "registration", "summary", "title", "verdicts",
]  # fmt: skip

AGREES, DIFFERS, NO_VALUE = "agrees", "differs", "no published value"
REPRODUCED, CONTRADICTED, UNDECIDED = "reproduced", "contradicted", "undecided"

SCORES = {"clean": "score_clean", "adv": "score_adv", "mod": "score_mod", "mod_adv": "score_mod-adv"}


def directions(units):
    """(unit, direction's name, its result block) for every direction of ``units``."""
    return [(unit, name, block) for unit in units for name, block in unit.result["directions"].items()]


def compare(row, units):
    """A table of the paper beside ours: rows A9 (Table I), A10 (Table II), A11 (Table III).

    A number of ours *agrees* where its interval, over all seeds, and the paper's overlap (where the paper's sample
    size is not stated: where ours holds the paper's value), and *differs* otherwise.

    Returns:
        DataFrame with columns data set, direction, quantity, paper, paper_low, paper_high, ours, low, high, n (images
        a seed), verdict, profile, seeds (for instance “0, 1, 2”).
    """
    if row not in ("A9", "A10", "A11"):
        raise ValueError(f"rows that can be compared are A9, A10 and A11, not {row}")
    cells = []
    for pair, name, blocks in by_direction(units):
        dataset, found = pair[0].result["dataset"], [_ours(row, block) for block in blocks]
        for quantity in found[0]:
            paper = published(row, dataset, blocks[0]["source"], blocks[0]["target"], quantity)
            where = {"data set": title(dataset), "direction": name, "quantity": SCORES.get(quantity, quantity)}
            cells.append(where | beside(paper, across_seeds([one[quantity] for one in found])) | run(pair))
    return pd.DataFrame(cells)


def beside(paper, estimate):
    """The paper's number and ours, (value, interval, n), in one row."""
    value, interval, n = estimate
    theirs = (paper.interval if paper else None) or (np.nan, np.nan)
    return {
        "paper": paper.value if paper else np.nan, "paper_low": theirs[0], "paper_high": theirs[1],
        "ours": value, "low": interval[0], "high": interval[1], "n": n, "verdict": _agreement(paper, interval),
    }  # fmt: skip


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
        estimate: (result block, table of its images) → (value, interval, n); the rule reads the interval. Of a claim
            about all data sets: rows of :func:`registration` → the same.
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


def _excess(block, name):
    """(alignment beyond that of the same regions at random places, its range) of a class; NaN where undefined."""
    found = block["colocation"][name]
    value, low, high = _numbers([found["alignment"], *found["alignment_null"]])
    return value - (low + high) / 2, metrics.Interval(value - high, value - low)


def _alignment(name):
    return lambda block, images: (*_excess(block, name), len(images))


def registration(units, *, definition="perturbation"):
    """How much of the regions survives superposition, in classes with registered images and in others.

    Returns:
        DataFrame, a row for each region (roi, roa) and class of which it is known: region, data set, direction,
        registered, excess (alignment beyond that of the same regions rolled to random places; mean over seeds).
    """
    rows = [
        {"region": region, "data set": title(pair[0].result["dataset"]), "direction": name,
         "registered": registered(pair[0].result["dataset"], blocks[0]["source"]),
         "excess": float(np.mean([_excess(_defined(block, definition), region)[0] for block in blocks]))}
        for region in ("roi", "roa")
        for pair, name, blocks in by_direction(units)
    ]  # fmt: skip
    return pd.DataFrame(rows).dropna().astype({"registered": bool})


def _difference_of_kinds(table):
    """Mean excess of the data sets with registered images − that of the others; None if there is none of a kind."""
    means = table.groupby(["registered", "data set"]).excess.mean()
    kinds = [means[means.index.get_level_values("registered") == kind].to_numpy() for kind in (True, False)]
    one, other = kinds
    if not (len(one) and len(other)):
        return None
    interval = metrics.welch(one, other) if min(len(one), len(other)) > 1 else metrics.Interval(np.nan, np.nan)
    return one.mean() - other.mean(), interval, len(one) + len(other)


def _defined(block, definition):
    return block if definition == "perturbation" else block["definitions"][definition]


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
#: The claim that is about all data sets at once; judged for the RoI and for the RoA.
ACROSS = Claim(
    "registered", "regions survive superposition only where images are registered",
    "reproduced where the 95 % interval (Welch’s) of a difference lies above 0, contradicted where it lies below: the "
    "mean alignment of data sets whose images are free of translational variance minus that of the others. Alignment "
    "counts beyond that of the same regions rolled to random places; the sample are the data sets (mean over "
    "classes and seeds), at least two of either kind",
    _difference_of_kinds, 0.0,
)  # fmt: skip


def judge(interval, bound):
    """The verdict of an interval against a bound; undecided where the interval holds the bound or is undefined."""
    low, high = interval
    if low > bound:
        return REPRODUCED
    return CONTRADICTED if high < bound else UNDECIDED


def verdicts(units, *, definition="perturbation"):
    """Every claim judged for every direction of ``units``, by the paper's definition of the RoA or the other.

    ``ACROSS`` has two rows, data set “all data sets”, direction “RoI” and “RoA”, if there are both kinds of data sets.

    Returns:
        DataFrame with columns id, claim, data set, direction, paper, paper_low, paper_high, paper's verdict (the same
        rule applied to the paper's own numbers), ours, low, high, n (images a seed, or data sets), verdict, profile,
        seeds.
    """
    rows = []
    for pair, name, blocks in by_direction(units):
        tables = [unit.table("images") for unit in pair]
        images = [table[(table.direction == name) & (table.definition == definition)] for table in tables]
        dataset, own = pair[0].result["dataset"], [_defined(block, definition) for block in blocks]
        where = {"data set": title(dataset), "direction": name}
        for claim in CLAIMS:
            found = across_seeds([claim.estimate(*one) for one in zip(own, images, strict=True)])
            rows.append(_judged(claim, where, found, _paper_difference(claim, dataset, blocks[0])) | run(pair))
    runs = pd.DataFrame([run(pair) for pair in by_pair(units)])
    for region, table in registration(units, definition=definition).groupby("region", sort=False):
        found = ACROSS.estimate(table)
        if found:
            where = {"data set": "all data sets", "direction": {"roi": "RoI", "roa": "RoA"}[region]}
            everything = {name: " and ".join(runs[name].unique()) for name in runs}
            rows.append(_judged(ACROSS, where, found, _NOTHING) | everything)
    order = [claim.id for claim in (*CLAIMS, ACROSS)]
    return pd.DataFrame(rows).sort_values("id", key=lambda ids: ids.map(order.index), kind="stable", ignore_index=True)


_NOTHING = np.nan, (np.nan, np.nan)


def _judged(claim, where, estimate, published_estimate):
    value, interval, n = estimate
    paper, theirs = published_estimate
    return {"id": claim.id, "claim": claim.text} | where | {
        "paper": paper, "paper_low": theirs[0], "paper_high": theirs[1],
        "paper's verdict": judge(theirs, claim.bound) if np.isfinite(theirs[0]) else "",
        "ours": value, "low": interval[0], "high": interval[1], "n": n, "verdict": judge(interval, claim.bound),
    }  # fmt: skip


def _paper_difference(claim, dataset, block):
    if not claim.quantities:
        return _NOTHING
    row = "A10" if "clean" in claim.quantities else "A11"
    before, after = (published(row, dataset, block["source"], block["target"], q) for q in claim.quantities)
    if before is None or after is None:
        return _NOTHING
    interval = metrics.newcombe(before.k, before.n, after.k, after.n) if before.n else _NOTHING[1]
    return after.value - before.value, interval


def summary(table):
    """Verdicts counted by claim: a row a claim, a column a verdict."""
    counts = pd.crosstab(table["claim"], table["verdict"])
    order = [claim.text for claim in (*CLAIMS, ACROSS) if claim.text in counts.index]
    columns = [verdict for verdict in (REPRODUCED, UNDECIDED, CONTRADICTED) if verdict in counts.columns]
    return counts.loc[order, columns].rename_axis(columns=None).reset_index()


def findings(claim, table):
    """A claim's rule and its verdicts by data set and direction, as a paragraph in Markdown.

    Args:
        claim: one of ``CLAIMS``, or ``ACROSS``.
        table: from :func:`verdicts`.
    """
    rows, told = table[table.id == claim.id], []
    for verdict in (REPRODUCED, CONTRADICTED, UNDECIDED):
        of = rows[rows.verdict == verdict]
        if len(of) == len(rows) > 1:
            told.append(f"{verdict} in all {len(rows)} cases")
        elif len(of):
            whole = rows.groupby("data set").size()
            places = [
                dataset if len(part) == whole[dataset] else f"{dataset} ({', '.join(part.direction)})"
                for dataset, part in of.groupby("data set", sort=False)
            ]
            told.append(f"{verdict} for {', '.join(places)}")
    opening = f"**{claim.text[0].upper()}{claim.text[1:]}.** Rule: {claim.rule}."
    return f"{opening} Verdict: {'; '.join(told) or 'none, for want of data sets of both kinds'}."


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


def minus(value, form):
    """A number in a format such as ``.1f``, with a typographic minus."""
    return f"{value:{form}}".replace("-", "−")


def _remark_ssim(table):
    one, many = (table[table.quantity == q].ours for q in ("individual", "representative"))
    ends = [minus(value, ".3f") for value in (one.min(), one.max(), many.min(), many.max())]
    yield f"Over all directions shown, the mean SSIM of individual images lies between {ends[0]} and {ends[1]},"
    yield f"and that of the representatives between {ends[2]} and {ends[3]}; 1 would be the same region."


def _remark_change(before, after, what):
    def remark(table):
        wide = table.pivot_table(index=["data set", "direction", "profile", "seeds"], columns="quantity", values="ours")
        change = 100 * (wide[SCORES[after]] - wide[SCORES[before]])
        ends = [f"{minus(change[at], '+.1f')} points for {at[0]}, {at[1]}" for at in (change.idxmin(), change.idxmax())]
        if change.min() < change.max():
            yield f"Neutralisation changes {what} by {ends[0]}, and by {ends[1]}, the two ends of the range."
        else:
            yield f"Neutralisation changes {what} by {minus(change.min(), '+.1f')} points in every direction shown."

    return remark


_REMARKS = {
    "A9": _remark_ssim,
    "A10": _remark_change("clean", "mod", "clean accuracy"),
    "A11": _remark_change("adv", "mod_adv", "accuracy under attack"),
}
