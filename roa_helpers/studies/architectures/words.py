"""What the units of this study say, in sentences: Markdown made of their numbers. Needs no torch."""

import numpy as np

from ... import metrics
from ...page import claims, minus
from ..roi_roa import claims as rules

#: What the paper finds about the blob: the change that shows it, and the bound above which the change must lie.
FINDINGS = {
    "neutralisation keeps accuracy": ("clean images", 100 * rules.KEPT),
    "neutralisation weakens FGSM": ("FGSM", 0.0),
    "neutralisation weakens PGD": ("PGD", 0.0),
}


def moved(data):
    """What each variant adds to the accuracy of the baseline, from ``charts.accuracies``, a paragraph a baseline.

    Every variant is scored on the same test images; the interval is that of two independent samples (Newcombe's), which
    is wider than need be.
    """
    told = []
    for (dataset, _), rows in data[data.images == "test"].groupby(["data set", "seed"], sort=False):
        if not rows.baseline.any():
            continue
        base, lines, clear = rows[rows.baseline].iloc[0], [], []
        for one in rows[~rows.baseline].itertuples():
            low, high = metrics.newcombe(base.k, base.n, one.k, one.n)
            change = one.accuracy - base.accuracy
            lines.append(f"- {one.network}: {_points(change, 100 * low, 100 * high)}")
            if low > 0 or high < 0:
                clear.append((change, one.network))
        reaching = [one.network for one in rows.itertuples() if one.high >= one.paper]
        verdict = f"The largest clear difference: {max(clear, key=lambda c: abs(c[0]))[1]}. " if clear else (
            "No difference is clear. "
        )  # fmt: skip
        if np.isfinite(base.paper):
            verdict += f"The paper’s {base.paper:.1f} % lies within or below the interval of " + (
                "; ".join(reaching) + "." if reaching else "none."
            )
        told.append(
            f"**{dataset}**: {base.network} classifies {base.accuracy:.1f} % of {base.n:,} test images. Against that, "
            "in points:\n\n" + "\n".join(lines) + f"\n\n{verdict}"
        )  # fmt: skip
    return "\n\n".join(told)


def held(changes, accuracies, regions):
    """Whether each finding holds for networks of other architectures, and for the baseline, in Markdown.

    Args:
        changes, accuracies, regions: tables of ``charts``.

    Returns:
        A line a network and finding: *points to* or *against*, where the 95 % interval over images lies beyond the
        bound, else undecided; *not testable* where the network is no classifier, the blob is empty, or, of an attack
        that is to be weakened, where it takes less than a tenth of the images or misses what ε aims at.
    """
    lines = []
    keys = ["data set", "seed", "variant"]
    for key, rows in changes.groupby(keys, sort=False):
        if rows.papers.all() and not rows.baseline.all():
            continue
        test = accuracies[(accuracies[keys] == list(key)).all(axis=1) & (accuracies.images == "test")].iloc[0]
        side = regions[(regions[keys] == list(key)).all(axis=1)]
        says = [f"{finding}: {_judged(rows[rows.change == change].iloc[0], bound, test, side)}"
                for finding, (change, bound) in FINDINGS.items()]  # fmt: skip
        says += [f"{region}s of a class share a place: {_shared(side, region)}" for region in ("RoI", "RoA")]
        lines.append(f"- {key[0]}, {rows.network.iloc[0]} – " + "; ".join(says))
    return (
        "For the baseline and for networks of other architectures:\n\n" + "\n".join(lines) + "\n\nEach line is one "
        "trained network; its intervals are over images alone and say nothing of what another network would give."
    )  # fmt: skip


def _judged(row, bound, test, side):
    if why := claims.untrained({"k": int(test.k), "n": int(test.n)}, 2) or row.why:
        return f"not testable ({why})"
    if row.change != "clean images":
        missed = (side.score_adv - side["aimed at"]).abs().max()
        if test.accuracy - side.score_adv.mean() < 100 * rules.ATTACK:
            return "not testable (no attack to weaken)"
        if missed > 100 * rules.AIM:
            return f"not testable (score_adv misses its aim by {missed:.1f} points)"
    says = "points to it" if row.low > bound else "points against it" if row.high < bound else "undecided"
    return f"{says}, {_points(row.value, row.low, row.high)}"


def _shared(side, region):
    """Alignment beyond the strongest null of every direction, by the margin of the claims; intervals are not used."""
    nulls = side[[f"{region}, untrained", f"{region}, rolled"]].max(axis=1)
    excess = side[f"alignment of {region}"] - nulls
    if excess.isna().any():
        return "not testable (regions that are empty or everything)"
    above = int((excess > rules.EXCESS).sum())
    return f"above the nulls in {above} of {len(side)} directions"


def _points(value, low, high):
    value, low, high = (minus(number, "+.1f") for number in (value, low, high))
    return f"{value} [{low}, {high}]"
