"""The pixel-importance thesis beside our results: its 150 accuracies, its two conclusions, and what an attacker leaves.

Needs no torch: reads finished units of the study ``blurring``. Units that differ in their seed or repetition alone are
one group and count once; as elsewhere the value is the mean over seeds, and the interval spans those of the seeds.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from . import metrics
from .config_blurring import IMAGENET, PRETRAINED, SCRATCH
from .papers import AGREES, CONTRADICTED, DIFFERS, NO_VALUE, REPRODUCED, judge, minus, title
from .published_blurring import HEATMAPS, MODELS, ROWS, TABLES, TESTS, N, count, interval
from .seeds import across_seeds

INITIALISATION = {SCRATCH: "from scratch", PRETRAINED: "pre-trained", IMAGENET: "ImageNet weights"}
ATTACKED = tuple(ROWS)[1:]
#: The attackers of the study, and whom each is held against: the undefended A under as many steps.
ATTACKERS = {
    "clean": "no attack", "unaware_one": "FGSM on the network alone", "fixed": "FGSM through the blur, mask fixed",
    "unaware_many": "BIM on the network alone", "recomputed": "BIM through the blur, mask computed anew",
    "explainer": "BIM on the network that explains", "worst": "any of these attacks",
}  # fmt: skip
_SAME_STEPS = {"clean": "clean", "unaware_one": "unaware_one", "fixed": "unaware_one", "worst": "worst"}


def groups(units):
    """Units that differ in their seed or repetition alone, in order of the seeds: a list of lists."""
    found = {}
    for unit in units:
        stem = unit.path.name.rpartition("-seed")[0].partition("-repeat")[0]
        found.setdefault((unit.path.parent, stem), []).append(unit)
    return [sorted(group, key=seed) for group in found.values()]


def seed(unit):
    """The seed that a unit's networks were trained with."""
    return unit.result["seed"] + unit.result["repeat"]


def label(unit):
    """A group in words: ``CIFAR-10, 3 classes, pre-trained``."""
    result = unit.result
    start = INITIALISATION[result["model"]["initialisation"]]
    return f"{title(result['dataset'])}, {len(result['classes'])} classes, {start}"


def run(group):
    """What rows of a table say of the units that they stand for: profile, and seeds such as “0, 1, 2”."""
    return {"profile": group[0].result["profile"], "seeds": ", ".join(str(seed(unit)) for unit in group)}


def published(unit):
    """Whether the thesis prints numbers for a unit's classes."""
    return unit.result["dataset"] == "cifar10" and len(unit.result["classes"]) == 3


def network(unit):
    """The architecture in words."""
    choices = unit.result["parameters"]["choices"]
    blocks, width = tuple(choices["blocks"]), choices["width"]
    name = "ResNet-50" if blocks == (3, 4, 6, 3) else f"bottlenecks {'-'.join(map(str, blocks))}"
    return name if width == 1 else f"{name}, {width:g} of the channels"


def accuracies(units):
    """The accuracy of A on clean originals, of each group beside the thesis's 89.67 %.

    Returns:
        DataFrame with columns group, network, training images, thesis, ours, low, high, n, profile, seeds.
    """
    rows = []
    for group in groups(units):
        counts = [unit.result["model"]["accuracy"] for unit in group]
        ours, (low, high), n = across_seeds([(c["k"] / c["n"], metrics.wilson(c["k"], c["n"]), c["n"]) for c in counts])
        known = published(group[0])
        trained = sum(group[0].result["provenance"]["data"]["counts"]["train"].values())
        rows.append(
            {"group": label(group[0]), "network": network(group[0]), "training images": trained,
             "thesis": count("original", "clean", "original") / N if known else np.nan,
             "ours": ours, "low": low, "high": high, "n": n} | run(group)
        )  # fmt: skip
    return pd.DataFrame(rows)


def compare(group):
    """The 150 accuracies of a group beside those of the thesis, one a row.

    An accuracy *agrees* where its interval, over all seeds, and the thesis's (Wilson, n = 300) overlap.

    Returns:
        DataFrame with columns model, row, test, thesis, thesis_low, thesis_high, thesis_n, ours, low, high, n, sd (over
        seeds), verdict, profile, seeds.
    """
    tables = [unit.table("cells") for unit in group]
    rows = []
    for k, (model, row, test) in enumerate(tables[0][["model", "row", "test"]].itertuples(index=False)):
        own = [table.iloc[k] for table in tables]
        ours, (low, high), n = across_seeds([(one.accuracy, (one.low, one.high), int(one.n)) for one in own])
        theirs = (np.nan, (np.nan, np.nan), 0)
        if published(group[0]):
            theirs = (count(model, row, test) / N, interval(model, row, test), N)
        verdict = NO_VALUE if not theirs[2] else AGREES if theirs[1][0] <= high and low <= theirs[1][1] else DIFFERS
        spread = np.std([one.accuracy for one in own], ddof=1) if len(own) > 1 else np.nan
        rows.append(
            {"model": model, "row": row, "test": test, "thesis": theirs[0], "thesis_low": theirs[1][0],
             "thesis_high": theirs[1][1], "thesis_n": theirs[2], "ours": ours, "low": low, "high": high, "n": n,
             "sd": spread, "verdict": verdict} | run(group)
        )  # fmt: skip
    return pd.DataFrame(rows)


def crossed(table, model):
    """One of Tables 4.1 to 4.5 as a reader sees it, from :func:`compare`: “ours (thesis)”, in %."""
    own = table[table.model == model]
    theirs = np.where(own.thesis.notna(), [f" ({100 * value:.1f})" for value in own.thesis], "")
    own = own.assign(text=[f"{100 * value:.1f}" for value in own.ours] + theirs)
    wide = own.pivot(index="row", columns="test", values="text").loc[list(ROWS), list(TESTS)]
    return wide.rename(index=ROWS, columns=TESTS).rename_axis(index=MODELS[model], columns=None).reset_index()


@dataclass(frozen=True)
class Claim:
    """A conclusion of the thesis with the rule that judges it.

    Attributes:
        terms: (accuracies or hits (model, row, test set, …), model, row) → [(sign, values (…))]: their sum is judged.
        models, rows: what it is judged for, each alone and all of them together.
        bound: reproduced where the interval of the sum lies above it, contradicted where it lies below.
    """

    id: str
    text: str
    rule: str
    terms: Callable
    models: tuple[str, ...]
    rows: tuple[str, ...]
    bound: float = 0.0


def _of(values, model, row, *, first=0):
    """Mean over the test sets, those after ``first`` on, of one model in one row."""
    return values[list(MODELS).index(model), list(ROWS).index(row), first:].mean(0)


_RULE = (
    "reproduced where the 95 % interval (bootstrap over images) of {} lies above {}, contradicted where it lies below"
)
CLAIMS = (
    Claim(
        "trained", "networks trained on heatmap-blurred images are more accurate under attack than A",
        _RULE.format("their accuracy − A’s, mean over the six test sets,", "0"),
        lambda v, m, r: [(1, _of(v, m, r)), (-1, _of(v, "original", r))], tuple(HEATMAPS), ATTACKED,
    ),
    Claim(
        "trained-loss", "networks trained on heatmap-blurred images lose less accuracy to an attack than A",
        _RULE.format("A’s loss − theirs, mean over the six test sets,", "0"),
        lambda v, m, r: [(1, _of(v, m, r)), (-1, _of(v, m, "clean")), (-1, _of(v, "original", r)),
                         (1, _of(v, "original", "clean"))],
        tuple(HEATMAPS), ATTACKED,
    ),
    Claim(
        "late", "blurring after the attack keeps accuracy about the same",
        _RULE.format("accuracy on attacked, then blurred images − on blurred ones, mean over the five blurs,",
                     "−5 points"),
        lambda v, m, r: [(1, _of(v, m, r, first=1)), (-1, _of(v, m, "clean", first=1))],
        tuple(MODELS), ("fgsm_blur", "newtonfool_blur"), -0.05,
    ),
    Claim(
        "early", "blurring before the attack does not: accuracy drops",
        _RULE.format("accuracy on blurred images − on blurred, then attacked ones, mean over the five blurs,", "0"),
        lambda v, m, r: [(1, _of(v, m, "clean", first=1)), (-1, _of(v, m, r, first=1))],
        tuple(MODELS), ("blur_fgsm", "blur_newtonfool"),
    ),
)  # fmt: skip
ALL = "all"


def verdicts(units):
    """Every claim judged for each group, model and row, and for all of these together (model and row ``ALL``).

    The thesis's own numbers are judged by the same rule; their interval treats each mean over test sets as one
    proportion of 300 images, and the models' images as if they were others (:func:`combined`).

    Returns:
        DataFrame with columns id, claim, group, model, row, thesis, thesis_low, thesis_high, thesis's verdict, ours,
        low, high, n, verdict, profile, seeds.
    """
    theirs = np.array(list(TABLES.values())) / 100
    rows = []
    for group in groups(units):
        hits = [unit.arrays["hits"].astype(float) for unit in group]
        for claim in CLAIMS:
            cells = [(model, row) for model in claim.models for row in claim.rows]
            for model, row, of in (*((*cell, [cell]) for cell in cells), (ALL, ALL, cells)):
                ours, (low, high), n = across_seeds([_ours(claim, of, one) for one in hits])
                value, span = _thesis(claim, of, theirs) if published(group[0]) else (np.nan, (np.nan, np.nan))
                rows.append(
                    {"id": claim.id, "claim": claim.text, "group": label(group[0]), "model": model, "row": row,
                     "thesis": value, "thesis_low": span[0], "thesis_high": span[1],
                     "thesis's verdict": judge(span, claim.bound) if published(group[0]) else "",
                     "ours": ours, "low": low, "high": high, "n": n, "verdict": judge((low, high), claim.bound)}
                    | run(group)
                )  # fmt: skip
    return pd.DataFrame(rows)


def _ours(claim, cells, hits):
    """(value, interval, n) of a claim over ``cells`` for one unit's hits (model, row, test set, image)."""
    change = np.mean([sum(sign * values for sign, values in claim.terms(hits, *cell)) for cell in cells], axis=0)
    return change.mean(), metrics.bootstrap(change), len(change)


def _thesis(claim, cells, accuracies):
    """(value, interval) of a claim over ``cells`` for the printed accuracies (model, row, test set)."""
    terms = [claim.terms(accuracies, *cell) for cell in cells]
    means = [(parts[0][0], float(np.mean([value for _, value in parts]))) for parts in zip(*terms, strict=True)]
    return combined(means, N)


def combined(terms, n):
    """Σ sign · p of independent proportions of n images each, and its 95 % interval.

    Zou and Donner (2008): bounds of the terms, here Wilson’s, are recovered as variances,
    low = Σ sign · p − √Σ (p − the bound of p on the side that lowers the sum)². Of two terms it is Newcombe’s.

    Args:
        terms: (sign, p), ….
        n: images; n · p is rounded for the bounds.

    Returns:
        (value, :class:`roa_helpers.metrics.Interval`).
    """
    bounds = [metrics.wilson(round(n * p), n) for _, p in terms]
    value = sum(sign * p for sign, p in terms)
    down, up = (
        sum((p - (span.low if (sign > 0) == lowers else span.high)) ** 2
            for (sign, p), span in zip(terms, bounds, strict=True)) ** 0.5
        for lowers in (True, False)
    )  # fmt: skip
    return value, metrics.Interval(value - down, value + up)


def overview(table):
    """The conclusions at a glance, from :func:`verdicts`: all models and rows together, and how many of them alone.

    Returns:
        DataFrame with columns claim, whose (the thesis or a group), change in points with its interval, verdict,
        reproduced (“14 of 16” models and rows alone), n, profile, seeds.
    """
    rows = []
    for claim in CLAIMS:
        own = table[table.id == claim.id]
        known = own[own["thesis's verdict"] != ""]
        if len(known):
            first = known[known.group == known.group.iloc[0]]
            rows.append(_glance(claim, "the thesis", first, "thesis", "thesis_low", "thesis_high", "thesis's verdict")
                        | {"n": N, "profile": "", "seeds": ""})  # fmt: skip
        for name, part in own.groupby("group", sort=False):
            last = part.iloc[-1]
            rows.append(_glance(claim, name, part, "ours", "low", "high", "verdict")
                        | {"n": last.n, "profile": last.profile, "seeds": last.seeds})  # fmt: skip
    return pd.DataFrame(rows)


def _glance(claim, whose, part, value, low, high, verdict):
    together, alone = part[part.model == ALL].iloc[0], part[part.model != ALL]
    against = int((alone[verdict] == CONTRADICTED).sum())
    count = f"{int((alone[verdict] == REPRODUCED).sum())} of {len(alone)}"
    count += f", {against} contradicted" if against else ""
    return {"claim": claim.text, "whose": whose, "points": points(together[value], together[low], together[high]),
            "verdict": together[verdict], "reproduced alone": count}  # fmt: skip


def points(value, low, high):
    """A change in points with its interval: “+3.1 [+1.0, +5.2]”."""
    value, low, high = (minus(100 * number, "+.1f") for number in (value, low, high))
    return f"{value} [{low}, {high}]"


def knowing(units):
    """What the blur is worth against each attacker: a network behind its own blur beside A without any.

    Both face as many steps of the same ε on the same images; for ``worst``, an image counts where the classifier
    withstands every attack of the table.

    Returns:
        DataFrame with columns group, model, attacker, accuracy, low, high, undefended (A's accuracy), left (accuracy −
        undefended), left_low, left_high (Bonett and Price's interval), n, verdict (whether something is left), profile,
        seeds.
    """
    rows = []
    for group in groups(units):
        hits = [_with_worst(unit) for unit in group]
        for model, attacker in hits[0]:
            if model == "original":
                continue
            bare = "original", _SAME_STEPS.get(attacker, "unaware_many")
            own = [(one[model, attacker], one[bare]) for one in hits]
            value, (low, high), n = across_seeds([(a.mean(), metrics.wilson(a.sum(), len(a)), len(a)) for a, _ in own])
            left, span, _ = across_seeds(
                [(a.mean() - b.mean(), metrics.paired_difference(b, a), len(a)) for a, b in own]
            )
            rows.append(
                {"group": label(group[0]), "model": model, "attacker": attacker, "accuracy": value, "low": low,
                 "high": high, "undefended": np.mean([b.mean() for _, b in own]), "left": left, "left_low": span.low,
                 "left_high": span.high, "n": n, "verdict": judge(span, 0.0)} | run(group)
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


def answer_accuracy(table):
    """How near A comes to the thesis's accuracy, as a sentence in Markdown, from :func:`accuracies`."""
    told = [f"{row.group}: {100 * row.ours:.1f} % [{100 * row.low:.1f}, {100 * row.high:.1f}]"
            for row in table.itertuples()]  # fmt: skip
    aim = count("original", "clean", "original")
    low, high = metrics.wilson(aim, N)
    return (
        f"The thesis’s A classifies {100 * aim / N:.2f} % [{100 * low:.1f}, {100 * high:.1f}] of its {N} clean test "
        f"images correctly. Ours: {'; '.join(told)}."
    )


def answer_cells(group):
    """How many of the 150 accuracies agree, and whether they rise and fall together, in Markdown."""
    table = compare(group)
    if not published(group[0]):
        return f"{label(group[0])}: the thesis has no numbers for these classes."
    agree = int((table.verdict == AGREES).sum())
    off = 100 * (table.ours - table.thesis)
    rho = stats.spearmanr(table.ours, table.thesis).statistic
    return (
        f"{label(group[0])}: of {len(table)} accuracies {agree} agree with the thesis’s and {len(table) - agree} "
        f"differ; ours are {minus(off.mean(), '+.1f')} points off on average, {off.abs().mean():.1f} in absolute "
        f"value, and their rank correlation over the {len(table)} cells is {minus(rho, '.2f')}. To agree means that "
        "the 95 % intervals overlap; ours span those of all seeds, so that more seeds agree more easily."
    )


def answer_conclusions(table):
    """The verdicts on the thesis's conclusions, with the rules, as a Markdown list, from :func:`verdicts`."""
    lines = []
    for claim in CLAIMS:
        own = table[(table.id == claim.id) & (table.model == ALL)]
        told = [f"{row.group}: {row.verdict} ({points(row.ours, row.low, row.high)}; seeds {row.seeds}, n = {row.n})"
                for row in own.itertuples()]  # fmt: skip
        theirs = own[own["thesis's verdict"] != ""].head(1)
        spans = [points(*row) for row in theirs[["thesis", "thesis_low", "thesis_high"]].itertuples(index=False)]
        first = [f"the thesis’s own numbers: {verdict} ({span})"
                 for verdict, span in zip(theirs["thesis's verdict"], spans, strict=True)]  # fmt: skip
        lines.append(f"- **{claim.text[0].upper()}{claim.text[1:]}.** Rule: {claim.rule}. {'; '.join(first + told)}.")
    return "\n".join(lines)


def answer_knowing(table):
    """What is left of the defence, group by group, as a Markdown list, from :func:`knowing`."""
    lines = []
    for name, part in table.groupby("group", sort=False):
        told = []
        for attacker in ("unaware_one", "fixed", "unaware_many", "recomputed", "explainer", "worst"):
            own = part[part.attacker == attacker]
            above = int((own.verdict == REPRODUCED).sum())
            told.append(f"{ATTACKERS[attacker]}: {minus(100 * own.left.mean(), '+.1f')} points over the undefended A "
                        f"(mean of {len(own)} networks; above 0 for {above})")  # fmt: skip
        lines.append(f"- {name}, n = {part.n.iloc[0]}: {'; '.join(told)}.")
    return "\n".join(lines)


def answer_newton(units):
    """What squaring the norms makes of NewtonFool's first step, as a Markdown list."""
    lines = []
    for group in groups(units):
        unit = group[0]
        steps, eta = unit.result["newton_step"], unit.result["parameters"]["strengths"]["newtonfool"]
        lines.append(
            f"- {label(unit)}, seed {seed(unit)}, η = {eta:.3g}: by the definition the first step has a median ℓ₂ "
            f"length of {steps['definition']['median']:.3g}, with squared norms {steps['squared']['median']:.3g}; the "
            f"median of their ratio over {steps['ratio']['n']} test images is {steps['ratio']['median']:.3g}."
        )
    return "\n".join(lines)
