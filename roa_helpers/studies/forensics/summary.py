"""The table of pairs taken together: medians, their intervals, and counts. Needs no torch."""

import numpy as np

from ... import metrics
from .measure import CORES

#: Readings that should not give the blob; a pair's strongest is the one that agrees best.
CONTROLS = ("another", "reversed", "any_channel")


def groups(table):
    """Rows of the same unordered pair of classes: a list of arrays of positions."""
    sides = [frozenset(pair) for pair in zip(table.source, table.target, strict=True)]
    return [np.flatnonzero([side == one for side in sides]) for one in dict.fromkeys(sides)]


def median(values, rows, *, resamples=2000, seed=0):
    """The median of values (P,), and its interval: a percentile bootstrap that draws unordered pairs.

    Args:
        values: a number an ordered pair; NaN: none, left out.
        rows: positions of each unordered pair, of :func:`groups`.

    Returns:
        (median, :class:`roa_helpers.metrics.Interval`); NaN where there is no value.
    """
    values = np.asarray(values, dtype=float)
    rows = [kept for one in rows if len(kept := one[np.isfinite(values[one])])]
    if not rows:
        return np.nan, metrics.Interval(np.nan, np.nan)
    padded = np.full((len(rows), max(map(len, rows))), np.nan)
    for place, one in enumerate(rows):
        padded[place, : len(one)] = values[one]
    draws = np.random.default_rng(seed).integers(0, len(rows), (resamples, len(rows)))
    medians = np.nanmedian(padded[draws].reshape(resamples, -1), axis=1)
    low, high = np.quantile(medians, [0.025, 0.975])
    return float(np.nanmedian(padded)), metrics.Interval(float(low), float(high))


def count(hits):
    """k of n for hits (N,) bool; None where there is nothing to count."""
    return metrics.count(hits) if len(hits) else None


def total(table, k, n):
    """k of n from two columns of counts; None where there is nothing to count."""
    return {"k": int(table[k].sum()), "n": int(table[n].sum())} if table[n].sum() else None


def summed(table, heat, choices, *, seed):
    """What ``result.json`` holds of all pairs.

    Args:
        table: the table of pairs.
        heat: of :func:`.measure.heat` for the heat maps of one image (``one``) and of representatives
            (``representative``).

    Returns:
        dict of blocks: ``signs``, ``mean``, ``rebuild``, ``controls``, ``cores``, ``colours``, ``ssim``. A median
        stands as NAME beside NAME_interval; ``pairs`` tells on how many ordered pairs those of its block rest.
    """
    rows = groups(table)

    def medians(**columns):
        found = {}
        for name, values in columns.items():
            found[name], found[f"{name}_interval"] = median(values, rows, resamples=choices.resamples, seed=seed)
        return found

    moving, holding = table.ones > 0, table.filled > 0
    mean = table[moving & (table.positive > 0)]
    gap = (mean.agreeing - mean.shown).abs() - (mean.agreeing - (1 + mean.shown) / 2).abs()
    held = table.where(holding)
    strongest = held[list(CONTROLS)].max(axis=1)
    return {
        "signs": {
            "binary": count(table.between == 0), "blobs": count(table.blob_between == 0),
            "coloured": count(table.coloured[moving]), "moving": count(moving),
        },
        "mean": medians(nearer=gap.reindex(table.index)) | {
            "pairs": len(mean), "black_ones": total(table[moving], "black_ones", "black"),
            "black": {"k": int(table.black.sum()), "n": int((table.black + table.positive).sum())},
        },
        "rebuild": medians(
            agreement=held.agreement, margin=held.agreement - strongest, threshold=held.level / 255,
            touched=held.touched,
        ) | {
            "pairs": int(holding.sum()), "exact": count(table.wrong[holding] == 0), "entries": _entries(table),
            "lowest": float(held.agreement.min()),
        },
        "controls": medians(**{name: held[name] for name in (*CONTROLS, "another_median")}),
        "cores": {name: _core(held, name, medians) for name in CORES},
        "colours": {name: {"known": count(own.known), "ends": total(own, "ends", "entries")}
                    for name, own in heat.items()},
        "ssim": _similarity(table, medians),
    }  # fmt: skip


def _entries(table):
    """Of all entries of all pairs with a blob: how many disagree, and how many of these beside the threshold."""
    part = table[table.filled > 0]
    return {"wrong": int(part.wrong.sum()), "near": int(part.wrong_near.sum())}


def _core(held, name, medians):
    """The blob inside and outside the RoI's core, in pairs where entries on both sides are above the threshold."""
    sides = {side: (held[f"blob_{side}_{name}"], held[f"above_{side}_{name}"]) for side in ("in", "out")}
    both = (sides["in"][1] > 0) & (sides["out"][1] > 0)
    shares = {side: (k / n).where(both) for side, (k, n) in sides.items()}
    found = medians(
        difference=shares["in"] - shares["out"], cut=held[f"cut_{name}"].where(both),
        gain=(held.agreement - held[f"cut_{name}"]).where(both), size=held[f"core_{name}"].where(both),
    )  # fmt: skip
    part = held[both]
    return found | {
        "pairs": int(both.sum()),
        "inside": total(part, f"blob_in_{name}", f"above_in_{name}"),
        "outside": total(part, f"blob_out_{name}", f"above_out_{name}"),
    }


def _similarity(table, medians):
    """The readings of the individual SSIM beside the authors' numbers."""
    distance = {name: (table[name] - table.authors_mean).abs() for name in ("two_scales", "zero", "one_scale")}
    found = medians(
        two_scales=table.two_scales, zero=table.zero, one_scale=table.one_scale, authors=table.authors_mean,
        change=(table.two_scales - table.zero).abs(), nearer=distance["one_scale"] - distance["two_scales"],
    )  # fmt: skip
    within = {name: count(table[name].between(table.authors_min, table.authors_max)) for name in distance}
    return found | {"within": within, "pairs": len(table)}
