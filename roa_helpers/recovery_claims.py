"""What the units of the study ``localized`` say, in tables and words. Needs no torch.

A rule reads an interval, never a bare number: :func:`roa_helpers.papers.judge`.
"""

import pandas as pd

from . import metrics, papers
from .published_localized import EXAMPLES, EXPLAINED, EXPLANATIONS, MEAN_RANKS, PHOTOS
from .recovery import AVERAGED, PAPER, TITLES

METRICS = {"jaccard": "Jaccard", "hamming": "Hamming"}
REGIONS = {"segments": "segments of the photo", "squares": "squares", "blobs": "random blobs"}

R1 = "R1: {explainer} finds the attacked region better than chance"
R2 = "R2: {better} ranks better than {worse}"
RULES = (
    "R1: reproduced where the 95 % interval of an explainer’s mean Jaccard index minus that of a random explanation of "
    "the same size lies above 0, contradicted where it lies below. R2: the same for the mean rank of the worse minus "
    "that of the better explainer. The intervals are a bootstrap over photos."
)
#: Pairs (worse, better) of the paper's Table 1, and those that ask whether superpixels alone make LIME's lead.
PAIRS = (("saliency", "lime"), ("guided_backprop", "lime"), ("saliency", "guided_backprop"))
QUESTIONS = tuple((name, "lime") for name in AVERAGED)


def kind(unit):
    """The shape of a unit's regions."""
    return unit.result["parameters"]["choices"]["regions"]


def label(unit):
    """What a chart says of a unit: data set, shape of the regions, profile."""
    return f"{papers.title(unit.result['dataset'])}, {REGIONS[kind(unit)]}, {unit.result['profile']}"


def verdicts(units):
    """R1 and R2 judged by the Jaccard index for every unit: a row a claim and unit, with interval, n and verdict."""
    return pd.DataFrame(
        [
            row
            for unit in units
            for row in (
                *(
                    _row(unit, R1.format(explainer=TITLES[name]), _measured(unit, "above_random", name))
                    for name in PAPER
                ),
                *(_better(unit, worse, better) for worse, better in PAIRS),
            )
        ]
    )


def questions(units):
    """Does LIME still rank better when the gradients, too, are averaged over its superpixels? Rows as those above."""
    return pd.DataFrame([_better(unit, *pair) for unit in units for pair in QUESTIONS])


def _measured(unit, block, name):
    return unit.result[block]["jaccard"][name]


def _better(unit, worse, better):
    claim = R2.format(worse=TITLES[worse], better=TITLES[better])
    return _row(unit, claim, _measured(unit, "differences", f"{worse} − {better}"))


def _row(unit, claim, found):
    verdict = papers.judge(metrics.Interval(found["low"], found["high"]), 0.0)
    return {
        "claim": claim, "data set": papers.title(unit.result["dataset"]), "regions": REGIONS[kind(unit)],
        "ours": found["mean"], "low": found["low"], "high": found["high"], "n": found["n"], "verdict": verdict,
        "profile": unit.result["profile"],
    }  # fmt: skip


def rank_table(units, which="paper"):
    """Table 1: mean ranks, the paper's (none beyond its three explainers) beside ours with intervals."""
    rows = []
    for unit in units:
        for metric, by in unit.result["ranks"][which].items():
            for name, found in by.items():
                low, high = found["rank_interval"]
                rows.append({
                    "data set": papers.title(unit.result["dataset"]), "regions": REGIONS[kind(unit)],
                    "metric": METRICS[metric], "explainer": TITLES[name],
                    "paper": MEAN_RANKS[metric].get(name) if which == "paper" else None,
                    "ours": found["rank"], "low": low, "high": high,
                    "examples": unit.result["attack"]["success"]["k"], "profile": unit.result["profile"],
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
            **{name: attack["outcomes"][name] for name in ("succeeded", "stalled", "out of steps")},
            "success": f"{success['k'] / success['n']:.0%} [{low:.0%}, {high:.0%}]",
            "from photos": attack["photos_with_examples"], "explanations each": attack["explanations"],
            "profile": unit.result["profile"],
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
        found.setdefault((unit.result["profile"], told["name"], told["target"]), told)
    lines = []
    for (profile, name, target), told in found.items():
        if told["initialisation"] == "imagenet":
            lines.append(f"profile {profile}: {name} with ImageNet weights, target *{target}*")
            continue
        k, n = told["test"]["k"], told["test"]["n"]
        low, high = metrics.wilson(k, n)
        lines.append(
            f"profile {profile}: {name} trained from scratch on {papers.title(told['trained_on'])} ({told['classes']} "
            f"classes, {told['size']}×{told['size']} pixels), {k / n:.1%} [{low:.1%}, {high:.1%}] correct on {n} test "
            f"images, target *{target}*"
        )
    return "The networks that are attacked. " + "; ".join(lines) + "."


def answer_same_ranks(units):
    """Why both metrics rank alike here, and what that says of Table 1, in words."""
    apart = max(
        abs(by["jaccard"][name]["rank"] - by["hamming"][name]["rank"])
        for unit in units for by in [unit.result["ranks"]["paper"]] for name in PAPER
    )  # fmt: skip
    printed = max(abs(MEAN_RANKS["jaccard"][name] - MEAN_RANKS["hamming"][name]) for name in PAPER)
    return (
        "When all explanations of a comparison have the same number of pixels, both scores rise with the number of "
        "pixels that explanation and region share and with nothing else, so they must rank alike: our ranks by Jaccard "
        f"and by Hamming differ by at most {apart:.3f}. The paper’s differ by up to {printed:.2f}: either its "
        "explanations were not all of equal size, or it ranked equal scores apart."
    )


def answer(units):
    """R1 and R2 in words, from the verdicts of the units whose regions are segments, as in the paper."""
    lines = []
    for unit in [unit for unit in units if kind(unit) == "segments"]:
        table = verdicts([unit])
        ranks = unit.result["ranks"]["paper"]["jaccard"]
        order = sorted(ranks, key=lambda name: ranks[name]["rank"])
        r1, r2 = (table[table.claim.str.startswith(which)] for which in ("R1", "R2"))
        lines.append(
            f"**{label(unit)}.** R1 is {_counted(r1)}. R2 is {_counted(r2)}. In order of mean rank: "
            + ", ".join(f"{TITLES[name]} {ranks[name]['rank']:.2f}" for name in order)
            + "."
        )
    return "\n\n".join(lines)


def _counted(table):
    counts = table.verdict.value_counts()
    return ", ".join(f"{word} {counts[word]} of {len(table)} times" for word in counts.index)


def answer_superpixels(units):
    """Is LIME's lead that of superpixels? In words, from the ranks among the five explainers."""
    lines = []
    for unit in units:
        ranks = unit.result["ranks"]["superpixels"]["jaccard"]
        best = min(ranks, key=lambda name: ranks[name]["rank"])
        judged = questions([unit]).verdict
        ahead, behind = ((judged == word).sum() for word in (papers.CONTRADICTED, papers.REPRODUCED))
        says = f"{TITLES[best]} ranks best ({ranks[best]['rank']:.2f}, LIME {ranks['lime']['rank']:.2f})"
        if best == "lime":
            says = f"LIME ranks best ({ranks['lime']['rank']:.2f})"
        lines.append(
            f"- {label(unit)}: {says}; of the two gradients averaged over superpixels, {ahead} rank better than LIME "
            f"and {behind} worse, by their intervals."
        )
    return "\n".join(lines)


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
                "profile": unit.result["profile"],
            })  # fmt: skip
    return pd.DataFrame(rows)


def sizes(units):
    """What the explanations of the paper cannot show: how many superpixels speak for the target at all, in words."""
    lines = []
    for unit in units:
        table = unit.table("examples")
        few = (table.positive < EXPLAINED).sum()
        lines.append(
            f"{label(unit)}: {few} of {len(table)} explanations have fewer than {EXPLAINED} superpixels with positive "
            f"weight (median {table.positive.median():.0f}); their unions stop growing there"
        )
    return "; ".join(lines) + "."
