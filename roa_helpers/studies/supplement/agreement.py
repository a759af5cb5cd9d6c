"""How far our numbers of the supplement agree with the authors'. Needs no torch.

Both come as (similarity, scores), tables as :func:`.matrices.collected` returns them.
"""

from collections import defaultdict

import numpy as np
import pandas as pd
from matplotlib.lines import Line2D
from scipy import stats

from ...data import title_of
from ...page import NARROW, look, panels
from .matrices import PAIR, STAGES, datasets, stages

#: What the name of a quantity holds that is measured with the blob of the authors' pictures.
PICTURES = "pictures’ blob "


def quantities(similarity, scores, signed=None):
    """What is compared: the SSIM of RoI and RoA, and the class probability at each stage, a number a row.

    Args:
        similarity, scores: as :func:`.matrices.collected` returns them, or the authors', which name no value that
            neutralised pixels get.
        signed: scores by the procedure of the authors' pictures (:func:`.matrices.signed`), where there are any.

    Returns:
        dataset, source, target, quantity, theta (NaN but after neutralisation), number.
    """
    parts = [
        similarity[PAIR].assign(quantity=f"SSIM of {what}", theta=np.nan, number=similarity[column])
        for column, what in (("mean", "individuals"), ("representative", "representatives"))
    ]
    for stage in STAGES:
        for blob, table in (("", scores), (PICTURES, signed)):
            for label, rows in () if table is None else stages(table, stage):
                if label == "before":
                    rows = rows.drop_duplicates(PAIR).assign(theta=np.nan)
                parts.append(rows[[*PAIR, "theta"]].assign(quantity=f"{stage}, {blob}{label}", number=rows["mean"]))
    return pd.concat([part for part in parts if len(part)], ignore_index=True)


def matched(ours, theirs, *, signed=None):
    """Our numbers beside the authors' for the pairs that both have.

    Args:
        ours, theirs, signed: as :func:`quantities` takes them.

    Returns:
        a row a pair and quantity (after neutralisation one for each value of ours, each the mean over the θ that both
        have): dataset, source, target, quantity, ours, theirs.
    """
    own, published = quantities(*ours, signed), quantities(*theirs)
    own = own.assign(counterpart=own.quantity.str.replace(f", ({PICTURES})?set to .*", ", after", regex=True))
    both = own.rename(columns={"number": "ours"}).merge(
        published.rename(columns={"number": "theirs", "quantity": "counterpart"}), on=[*PAIR, "counterpart", "theta"]
    )
    return both.groupby([*PAIR, "quantity"], sort=False)[["ours", "theirs"]].mean().reset_index()


#: Fewer ordered pairs than this are not correlated.
LEAST = 8


#: What a row over the pairs of all data sets is called.
TOGETHER = "all together"


def spearman(a, b):
    """Spearman's ρ (…) of numbers (…, n) along the last axis; NaN where one side is constant."""
    ranks = [stats.rankdata(side, axis=-1) for side in (a, b)]
    a, b = (side - side.mean(-1, keepdims=True) for side in ranks)
    scale = np.sqrt((a**2).sum(-1) * (b**2).sum(-1))
    return np.divide((a * b).sum(-1), scale, out=np.full(scale.shape, np.nan), where=scale > 0)[()]


def correlations(pairs, *, resamples=2000, seed=0):
    """Spearman's rank correlation of our numbers with the authors', by data set and over all, for each quantity.

    The interval is a percentile bootstrap over unordered pairs of classes, since both directions share a network.

    Args:
        pairs: of :func:`matched`; a quantity with fewer than ``LEAST`` pairs, of a data set or of all, is left out.

    Returns:
        a row a data set and quantity, then a row a quantity over all data sets if there are several: n, ours and
        theirs (means), ρ, low, high.
    """
    rows = []
    names = [(name, title_of(name)) for name in datasets(pairs)]
    several = [(None, TOGETHER)] if len(names) > 1 else []
    for name, title in names + several:
        for quantity, part in (pairs if name is None else pairs[pairs.dataset == name]).groupby("quantity", sort=False):
            if len(part) >= LEAST:
                low, high = _over_pairs(part, resamples, np.random.default_rng(seed))
                rows.append(
                    {"data set": title, "quantity": quantity, "n": len(part), "ours": part.ours.mean(),
                     "theirs": part.theirs.mean(), "ρ": spearman(part.ours, part.theirs), "low": low, "high": high}
                )  # fmt: skip
    return pd.DataFrame(rows)


def _over_pairs(part, resamples, rng):
    sides = part[PAIR].apply(lambda row: (row["dataset"], frozenset((row["source"], row["target"]))), axis=1)
    groups = [np.flatnonzero(sides == one) for one in dict.fromkeys(sides)]
    ours, theirs, alike = part.ours.to_numpy(), part.theirs.to_numpy(), defaultdict(list)
    for drawn in rng.integers(0, len(groups), (resamples, len(groups))):
        rows = np.concatenate([groups[i] for i in drawn])
        alike[len(rows)].append(rows)  # samples of one size are ranked at once
    draws = np.concatenate([spearman(ours[rows], theirs[rows]) for rows in map(np.array, alike.values())])
    known = draws[np.isfinite(draws)]
    return np.quantile(known, [0.025, 0.975]) if len(known) else (np.nan, np.nan)


def plot(pairs):
    """Our number against the authors', a dot an ordered pair, one panel a quantity; on the line both are equal.

    Quantities with fewer than ``LEAST`` pairs have no panel.
    """
    enough = pairs.groupby("quantity")["quantity"].transform("size") >= LEAST
    return scatter(pairs[enough], "theirs", "ours", xlabel="the authors’", ylabel="ours"), pairs


def scatter(table, x, y, **labels):
    """One column of a table over another about the line on which they are equal, a panel a quantity.

    Args:
        table: dataset, quantity, and the columns ``x`` and ``y``.
        labels: of the axes, ``xlabel`` and ``ylabel``.
    """
    groups = list(table.groupby("quantity", sort=False))
    figure, axes = panels(len(groups), columns=2, width=NARROW, height=2.1, margin=0.5)
    for axis, (quantity, part) in zip(axes, groups, strict=True):
        ends = [part[[x, y]].min().min(), part[[x, y]].max().max()]
        axis.plot(ends, ends, color="#999999", lw=0.8)
        for dataset, rows in part.groupby("dataset", sort=False):
            colour, marker = look(title_of(dataset))
            axis.plot(rows[x], rows[y], marker, color=colour, ms=5, mec="white", mew=0.4, alpha=0.85)
        axis.set_title(quantity.replace(", ", ",\n", 1), fontsize=8)
        axis.set(**labels)
    looks = {title: look(title) for title in map(title_of, datasets(table))}
    handles = [Line2D([], [], color=colour, marker=mark, ls="", label=name) for name, (colour, mark) in looks.items()]
    figure.legend(handles=handles, loc="outside lower center", ncols=3, frameon=False, fontsize=8)
    return figure
