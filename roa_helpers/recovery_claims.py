"""What the units of the study ``localized`` say, in tables and words. Needs no torch.

A rule reads an interval, never a bare number: :func:`roa_helpers.papers.judge`.
"""

import numpy as np
import pandas as pd

from . import metrics, papers
from .published_localized import EXAMPLES, EXPLAINED, EXPLANATIONS, MEAN_RANKS, PHOTOS
from .recovery import AVERAGED, PAPER, TITLES

METRICS = {"jaccard": "Jaccard", "hamming": "Hamming"}
REGIONS = {"segments": "segments of the photo", "squares": "squares", "blobs": "random blobs"}

R1 = "R1: {explainer} finds the attacked region better than chance"
BETTER = "{better} ranks better than {worse}"
RULES = (
    "R1: reproduced where the 95 % interval of an explainer’s mean Jaccard index minus that of a random explanation of "
    "the same size lies above 0, contradicted where it lies below. R2 and Table 1: the same for the mean rank of the "
    "worse minus that of the better explainer. The intervals are a bootstrap over photos; one photo has none."
)
#: (worse, better) by where the paper says so; and pairs that ask what it leaves open.
PAIRS = {
    ("saliency", "guided_backprop"): "R2",
    ("saliency", "lime"): "R2",
    ("guided_backprop", "lime"): "Table 1",
}
QUESTIONS = tuple((name, "lime") for name in (*AVERAGED, "grad_cam"))
#: How a question is answered by the verdict on “LIME ranks better”.
ANSWERS = {papers.REPRODUCED: "yes", papers.CONTRADICTED: "no", papers.UNDECIDED: "undecided"}


def kind(unit):
    """The shape of a unit's regions."""
    return unit.result["parameters"]["choices"]["regions"]


def label(unit):
    """What a chart says of a unit: data set, shape of the regions, profile."""
    seed = f", seed {unit.result['seed']}" if unit.result["seed"] else ""
    return f"{papers.title(unit.result['dataset'])}, {REGIONS[kind(unit)]}, {unit.result['profile']}{seed}"


def verdicts(units):
    """R1, R2 and Table 1 judged by the Jaccard index: a row a claim and unit, with interval, n and verdict."""
    rows = []
    for unit in units:
        above = unit.result["above_random"]["jaccard"]
        rows += [_row(unit, R1.format(explainer=TITLES[name]), above[name]) for name in PAPER]
        rows += [_better(unit, *pair, source=f"{source}: ") for pair, source in PAIRS.items()]
    return pd.DataFrame(rows)


def questions(units):
    """Does LIME rank better than gradients averaged over its superpixels, and than Grad-CAM? A row a pair and unit."""
    table = pd.DataFrame([_better(unit, *pair) for unit in units for pair in QUESTIONS])
    return table.assign(answer=table.pop("verdict").map(ANSWERS))


def _better(unit, worse, better, source=""):
    claim = source + BETTER.format(worse=TITLES[worse], better=TITLES[better])
    return _row(unit, claim, unit.result["differences"]["jaccard"][f"{worse} − {better}"])


def _row(unit, claim, found):
    low, high = _interval(found["low"], found["high"])
    return {
        "claim": claim, "data set": papers.title(unit.result["dataset"]), "regions": REGIONS[kind(unit)],
        "ours": found["mean"], "low": low, "high": high, "n": found["n"],
        "verdict": papers.judge(metrics.Interval(low, high), 0.0), "run": _run(unit),
    }  # fmt: skip


def _interval(*ends):
    """The ends of an interval, NaN where a result has none."""
    return tuple(np.nan if end is None else end for end in ends)


def _run(unit):
    return f"{unit.result['profile']}, seed {unit.result['seed']}"


def rank_table(units, which="paper"):
    """Table 1: mean ranks, the paper's (none beyond its three explainers) beside ours with intervals."""
    rows = []
    for unit in units:
        for metric, by in unit.result["ranks"][which].items():
            for name, found in by.items():
                low, high = _interval(*found["rank_interval"])
                rows.append({
                    "data set": papers.title(unit.result["dataset"]), "regions": REGIONS[kind(unit)],
                    "metric": METRICS[metric], "explainer": TITLES[name],
                    "paper": MEAN_RANKS[metric].get(name) if which == "paper" else None,
                    "ours": found["rank"], "low": low, "high": high,
                    "examples": unit.result["attack"]["success"]["k"], "run": _run(unit),
                })  # fmt: skip
    return pd.DataFrame(rows)


def attempts(units):
    """How many attacks were tried, and how they ended: a row a unit."""
    rows = []
    for unit in units:
        attack = unit.result["attack"]
        success = attack["success"]
        low, high = metrics.wilson(success["k"], success["n"])
        rows.append({
            "data set": papers.title(unit.result["dataset"]), "regions": REGIONS[kind(unit)],
            "photos": attack["photos"], "regions tried": success["n"],
            **{name: attack["outcomes"][name] for name in attack["outcomes"]},
            "success": f"{success['k'] / success['n']:.0%} [{low:.0%}, {high:.0%}]",
            "from photos": attack["photos_with_examples"], "explanations each": attack["explanations"],
            "run": _run(unit),
        })  # fmt: skip
    return pd.DataFrame(rows)


def reached(units):
    """How far the runs shown come toward the paper's scale, in words."""
    best = max(units, key=lambda unit: unit.result["attack"]["success"]["k"])
    attack = best.result["attack"]
    return (
        f"The paper explains {EXAMPLES} adversarial examples from {PHOTOS} photos, {EXPLANATIONS:,} explanations of "
        f"each explainer. The largest run shown here ({label(best)}) has {attack['success']['k']} from "
        f"{attack['photos_with_examples']} photos, {attack['explanations']:,} explanations of each explainer."
    )


def network(units):
    """Which networks were attacked, and how good they are, in words."""
    found = {}
    for unit in units:
        told = unit.result["network"]
        found.setdefault((_run(unit), told["name"], told["target"]), told)
    lines = []
    for (run, name, target), told in found.items():
        if told["initialisation"] == "imagenet":
            lines.append(f"Profile {run}: {name} with ImageNet weights, target *{target}*")
            continue
        k, n = told["test"]["k"], told["test"]["n"]
        low, high = metrics.wilson(k, n)
        lines.append(
            f"Profile {run}: {name} trained from scratch on {papers.title(told['trained_on'])} ({told['classes']} "
            f"classes, {told['size']}×{told['size']} pixels), {k / n:.1%} [{low:.1%}, {high:.1%}] correct on {n} test "
            f"images, target *{target}*"
        )
    return "The networks that are attacked. " + "; ".join(lines) + "."


def answer_same_ranks(units):
    """When both metrics rank alike, and what that says of Table 1, in words."""

    def apart(ranks, of):
        return max(abs(of(ranks["jaccard"][name]) - of(ranks["hamming"][name])) for name in PAPER)

    each = max(apart(unit.result["ranks"]["paper"], lambda found: found["rank"]) for unit in units)
    means = max(apart(unit.result["ranks_of_means"], lambda found: found["mean"]) for unit in units)
    printed = apart(MEAN_RANKS, float)
    return (
        "When all explanations of a comparison have the same number of pixels, both scores rise with the number of "
        "pixels that explanation and region share and with nothing else, so they must rank alike: our ranks by Jaccard "
        f"and by Hamming differ by at most {each:.3f}. The paper’s differ by up to {printed:.2f}, so it did something "
        "else. It may have ranked each example once, by its mean score over n: then ours differ by up to "
        f"{means:.2f}. Or its explanations were not all of equal size, or equal scores were ranked apart."
    )


def answer(units):
    """R1 and R2 in words, from the verdicts of the units whose regions are segments, as in the paper."""
    lines = []
    for unit in [unit for unit in units if kind(unit) == "segments"]:
        table = verdicts([unit])
        ranks = unit.result["ranks"]["paper"]["jaccard"]
        order = sorted(ranks, key=lambda name: ranks[name]["rank"])
        said = " ".join(
            f"{which} is {_counted(table[table.claim.str.startswith(which)])}." for which in ("R1", "R2", "Table 1")
        )
        lines.append(
            f"**{label(unit)}.** {said} In order of mean rank: "
            + ", ".join(f"{TITLES[name]} {ranks[name]['rank']:.2f}" for name in order)
            + "."
        )
    return "\n\n".join(lines)


def _counted(table):
    if len(table) == 1:
        return table.verdict.iloc[0]
    counts = table.verdict.value_counts()
    return ", ".join(f"{word} {counts[word]} of {len(table)} times" for word in counts.index)


def answer_superpixels(units):
    """Is LIME’s lead that of superpixels, and does any explainer do better? In words, from ranks and intervals."""
    lines = []
    for unit in units:
        five, ten = (unit.result["ranks"][which]["jaccard"] for which in ("superpixels", "all"))
        answers = questions([unit]).set_index("claim")["answer"]
        said = [
            f"{TITLES[name]}: {answers[BETTER.format(worse=TITLES[name], better=TITLES['lime'])]}"
            for name, _ in QUESTIONS
        ]
        lines.append(
            f"- {label(unit)}: of these five {_first(five)}, of all ten {_first(ten)}. Does LIME rank better than "
            f"{'; '.join(said)}."
        )
    return "\n".join(lines)


def _first(ranks):
    """Who has the lowest mean rank, with LIME’s beside it where that is another."""
    best = min(ranks, key=lambda name: ranks[name]["rank"])
    beside = "" if best == "lime" else f", LIME {ranks['lime']['rank']:.2f}"
    return f"{TITLES[best]} ranks best ({ranks[best]['rank']:.2f}{beside})"


def tests_table(units, which="paper"):
    """Friedman’s test over photos and the pairs that differ after it (Nemenyi), by Jaccard: a row a unit."""
    rows = []
    for unit in units:
        test = unit.result["tests"][which]["jaccard"]
        if test:
            pairs = "; ".join(" and ".join(TITLES[name] for name in pair) for pair in test["different"])
            rows.append({
                "data set": papers.title(unit.result["dataset"]), "regions": REGIONS[kind(unit)],
                "photos": test["blocks"], "χ²": round(test["statistic"], 2), "p": f"{test['p']:.2g}",
                "critical difference": round(test["critical_difference"], 2), "differ": pairs or "none",
                "run": _run(unit),
            })  # fmt: skip
    return pd.DataFrame(rows)


def sizes(units):
    """How many superpixels speak for the target at all, in words."""
    lines = []
    for unit in units:
        table = unit.table("examples")
        few = (table.positive < EXPLAINED).sum()
        stops = "; their unions stop growing there" if few else ""
        lines.append(
            f"- {label(unit)}: {few} of {len(table)} explanations have fewer than {EXPLAINED} superpixels with "
            f"positive weight (median {table.positive.median():.0f}){stops}."
        )
    return "\n".join(lines)
