"""Scores of many explanations compared: ranks, tests, intervals, tables. Needs no torch.

What is compared comes as a dict of arrays, made by :mod:`roa_helpers.studies.localized.compute`: of each attempt
``photo``, ``outcome``, ``steps``, ``share``; of each example, a success, ``jaccard`` and ``hamming`` (K + 1, n) for the
K explainers of ``recovery.EXPLAINERS`` and the bound, ``budgets`` (n,), and more. Examples of one photo are not
independent: intervals draw whole photos.
"""

import numpy as np
import pandas as pd

from ... import metrics
from . import ranking, recovery

METRICS = ("jaccard", "hamming")
#: Which explainers are ranked among each other.
SETS = {
    "paper": recovery.PAPER,
    "superpixels": (*recovery.PAPER, *recovery.AVERAGED),
    "all": recovery.EXPLAINERS,
}
SUCCEEDED, STALLED, OUT_OF_STEPS, ALREADY = range(4)
OUTCOMES = ("succeeded", "stalled", "out of steps", "already the target")


def measured(whole):
    """Scores, ranks and tests of all examples, as ``result.json`` holds them."""
    groups = whole["photo"][whole["outcome"] == SUCCEEDED]
    ranks, tests = {}, {}
    for which, names in SETS.items():
        columns = [recovery.EXPLAINERS.index(name) for name in names]
        for metric in METRICS:
            values = np.moveaxis(whole[metric][:, columns], 1, 2)  # (E, n, K)
            each = ranking.ranks(values).mean(1)
            mean, low, high = ranking.clustered_mean(each, groups)
            ranks.setdefault(which, {})[metric] = {
                name: {"rank": mean[k], "rank_interval": (low[k], high[k])} for k, name in enumerate(names)
            }
            tests.setdefault(which, {})[metric] = tested(ranking.group_means(values.mean(1), groups), names)
    scores = {
        name: {metric: clustered(whole[metric][:, k].mean(1), groups) for metric in METRICS}
        for k, name in enumerate((*recovery.EXPLAINERS, recovery.BOUND))
    }
    above = {
        metric: {
            name: clustered((whole[metric][:, k] - whole[metric][:, -2]).mean(1), groups)
            for k, name in enumerate(recovery.EXPLAINERS[:-1])
        }
        for metric in METRICS
    }
    return {"ranks": ranks, "tests": tests, "scores": scores, "above_random": above,
            "differences": differences(whole, groups), "ranks_of_means": ranks_of_means(whole, groups)}  # fmt: skip


def ranks_of_means(whole, groups):
    """The other reading of Table 1: each example ranked once, by its mean score over n; by metric and explainer."""
    columns, found = [recovery.EXPLAINERS.index(name) for name in recovery.PAPER], {}
    for metric in METRICS:
        each = ranking.ranks(whole[metric][:, columns].mean(2))
        found[metric] = {name: clustered(each[:, k], groups) for k, name in enumerate(recovery.PAPER)}
    return found


def differences(whole, groups):
    """Mean rank of one explainer minus that of another, with interval, among the smallest set that holds both.

    The sets are the paper's explainers; these and the gradients by superpixels; all.
    """
    pairs = (
        ("saliency", "lime"), ("guided_backprop", "lime"), ("saliency", "guided_backprop"),
        ("saliency_superpixels", "lime"), ("guided_backprop_superpixels", "lime"), ("grad_cam", "lime"),
    )  # fmt: skip
    found = {}
    for metric in METRICS:
        for first, second in pairs:
            names = next(names for names in SETS.values() if {first, second} <= set(names))
            columns = [recovery.EXPLAINERS.index(name) for name in names]
            each = ranking.ranks(np.moveaxis(whole[metric][:, columns], 1, 2)).mean(1)
            change = each[:, names.index(first)] - each[:, names.index(second)]
            found.setdefault(metric, {})[f"{first} − {second}"] = clustered(change, groups)
    return found


def clustered(values, groups):
    """Mean, sd and n of the examples, with the interval of :func:`.ranking.clustered_mean`."""
    mean, low, high = ranking.clustered_mean(values, groups)
    sd = float(np.std(values, ddof=1)) if len(values) > 1 else None
    return {"mean": float(mean), "sd": sd, "n": len(values), "low": float(low), "high": float(high)}


def tested(blocks, names):
    """Friedman's test over photos (B, K) and the pairs that differ; None where there are fewer than two photos."""
    if len(blocks) < 2:
        return None
    test = ranking.friedman(blocks)
    return {
        "statistic": test.statistic, "p": test.p, "blocks": test.blocks,
        "critical_difference": test.critical_difference, "mean_ranks": dict(zip(names, test.mean_ranks, strict=True)),
        "different": [[names[i], names[j]] for i, j in test.different()],
    }  # fmt: skip


def attack_counts(whole, found):
    """How many photos and regions were tried, and how the attempts ended."""
    ended = {name: int((whole["outcome"] == code).sum()) for code, name in enumerate(OUTCOMES)}
    succeeded = whole["outcome"] == SUCCEEDED
    tried = whole["outcome"] != ALREADY
    return {
        "photos": len(found.names), "photos_with_regions": len(np.unique(whole["photo"])),
        "photos_with_examples": len(np.unique(whole["photo"][succeeded])), "regions": len(succeeded),
        "outcomes": ended, "success": {"k": int(succeeded.sum()), "n": int(tried.sum())},
        "share": metrics.distribution(whole["share"][succeeded]),
        "explanations": int(succeeded.sum()) * whole["jaccard"].shape[2],
    }  # fmt: skip


def attempts_table(whole, found):
    """A row a region: photo, its share, how the attack ended, after how many steps."""
    return pd.DataFrame({
        "photo": [found.names[i] for i in whole["photo"]], "share": whole["share"],
        "outcome": [OUTCOMES[code] for code in whole["outcome"]], "steps": whole["steps"],
    })  # fmt: skip


def examples_table(whole, found):
    """A row an example: photo, share of the region, superpixels, how many of them speak for the target."""
    succeeded = whole["outcome"] == SUCCEEDED
    return pd.DataFrame({
        "photo": [found.names[i] for i in whole["photo"][succeeded]], "share": whole["share"][succeeded],
        "superpixels": whole["superpixels"], "positive": whole["positive"], "first_budget": whole["budgets"][:, 0],
        "last_budget": whole["budgets"][:, -1],
    })  # fmt: skip


def curves(whole, pixels):
    """A row an explainer, metric and number n of superpixels: quartiles and median over examples, explained share.

    ``pixels`` is how many a photo has.
    """
    share = np.median(whole["budgets"], axis=0) / pixels
    rows = []
    for metric in METRICS:
        for k, name in enumerate((*recovery.EXPLAINERS, recovery.BOUND)):
            low, middle, high = np.quantile(whole[metric][:, k], (0.25, 0.5, 0.75), axis=0)
            rows.append(pd.DataFrame({
                "metric": metric, "explainer": name, "n": np.arange(1, len(share) + 1), "share": share,
                "q25": low, "q50": middle, "q75": high,
            }))  # fmt: skip
    return pd.concat(rows)


def ranks_table(ranks):
    """The ranks of ``result.json`` as rows."""
    return pd.DataFrame([
        {"set": which, "metric": metric, "explainer": name, "mean_rank": row["rank"],
         "low": row["rank_interval"][0], "high": row["rank_interval"][1]}
        for which, by_metric in ranks.items() for metric, by in by_metric.items() for name, row in by.items()
    ])  # fmt: skip
