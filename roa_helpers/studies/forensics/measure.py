"""What is read off the pictures of one ordered pair of classes: a row of the table of pairs. Needs no torch."""

import numpy as np
import pandas as pd

from . import colours, rebuild, similarity

#: Where the core of the RoI is taken from: the heat map of a class's representative RoI, or that of one image.
CORES = {"representative": "roi", "one": "roi_one"}


def row(material, i, choices):
    """All numbers of the ``i``-th pair.

    Args:
        material: :class:`roa_helpers.studies.forensics.compute.Material`.

    Returns:
        dict: source, target; what :func:`signs`, :func:`blob`, :func:`controls`, :func:`inside` and
        :func:`.similarity.readings` give; the authors' own SSIM.
    """
    source, target = material.pairs[i]
    one, representative, shown = (getattr(material, kind)[i] for kind in ("roa_one", "roa", "blob"))
    published = shown > 127
    fit = rebuild.fitted(representative, published, highest=choices.highest)
    cores = {name: colours.core(getattr(material, kind)[source], bluer=choices.bluer) for name, kind in CORES.items()}
    found = {"source": material.classes[source], "target": material.classes[target]}
    found |= signs(one, representative, slack=choices.slack)
    found |= {"blob_between": between(shown, slack=choices.slack)} | blob(representative, published, fit)
    found |= controls(material, i, published, highest=choices.highest)
    for name, core in cores.items():
        found |= {f"{key}_{name}": number for key, number in inside(representative, published, core, fit.level).items()}
        reading = rebuild.cut(representative, core)
        found[f"cut_{name}"] = rebuild.fitted(reading, published, highest=choices.highest).agreement
    found |= similarity.readings(material.roi_one[source], one > 127)
    return found | {f"authors_{name}": material.authors[name].iloc[i] for name in ("min", "mean", "max")}


def between(picture, *, slack):
    """How many entries of a picture (…) uint8 are neither within ``slack`` levels of 0 nor of 255."""
    return int(((picture > slack) & (picture < 255 - slack)).sum())


def signs(one, representative, *, slack):
    """Is the RoA of one image a map of signs, and the representative a mean of such maps?

    Args:
        one, representative: (H, W, 3) uint8.

    Returns:
        dict: ``between``, entries that are neither 0 nor 1; ``ones``, the share that is 1; ``coloured``, whether
        channels differ; of the entries that the representative shows above 0: ``positive`` (how many), ``shown`` (mean
        of what is shown), ``agreeing`` (share that is 1 in the one image); ``black`` and ``black_ones``: entries that
        it shows as 0, and how many of them are 1 in the one image.
    """
    hit, above = one > 127, representative > 0
    some = above.any()
    return {
        "between": between(one, slack=slack), "ones": hit.mean(), "coloured": bool((np.ptp(one, axis=-1) > 0).any()),
        "positive": int(above.sum()), "shown": representative[above].mean() / 255 if some else np.nan,
        "agreeing": hit[above].mean() if some else np.nan,
        "black": int((~above).sum()), "black_ones": int(hit[~above].sum()),
    }  # fmt: skip


def blob(representative, published, fit):
    """How the blob follows from the representative at the best threshold ``fit``.

    Returns:
        dict: ``level``, ``last`` and ``agreement`` of the fit; ``wrong``, entries on which they do not agree, and
        ``wrong_near`` of them that are shown at one of the two levels beside the threshold; ``filled`` and ``touched``:
        the share of entries and of pixels (any channel) that the blob takes.
    """
    wrong = rebuild.rebuilt(representative, fit.level) != published
    near = (representative == fit.level) | (representative == fit.level + 1)
    return fit._asdict() | {
        "wrong": int(wrong.sum()), "wrong_near": int((wrong & near).sum()),
        "filled": published.mean(), "touched": published.any(-1).mean(),
    }  # fmt: skip


def controls(material, i, published, *, highest):
    """How well the blob is rebuilt from what should not give it, each at its own best threshold.

    Returns:
        dict: ``another``, the best of all other pairs' representatives but the reversed pair's, and their median;
        ``reversed``, the reversed pair's; ``any_channel``, its own without colours.
    """
    back = material.pairs.index(material.pairs[i][::-1])
    others = [representative for j, representative in enumerate(material.roa) if j not in (i, back)]
    best, median = rebuild.best_of_others(others, published, highest=highest) if others else (np.nan, np.nan)
    plain = {"reversed": material.roa[back], "any_channel": rebuild.any_channel(material.roa[i])}
    return {"another": best, "another_median": median} | {
        name: rebuild.fitted(reading, published, highest=highest).agreement for name, reading in plain.items()
    }


def inside(representative, published, core, level):
    """Entries above the threshold inside and outside the RoI's core, and how many of them are in the blob.

    Args:
        core: (H, W) bool.     level: of the threshold.

    Returns:
        dict: ``core``, its share of the pixels; ``above_in``, ``blob_in``, ``above_out``, ``blob_out``: counts.
    """
    above = rebuild.rebuilt(representative, level)
    found = {"core": core.mean()}
    for name, part in (("in", core[..., None]), ("out", ~core[..., None])):
        found |= {f"above_{name}": int((above & part).sum()), f"blob_{name}": int((above & published & part).sum())}
    return found


def heat(pictures):
    """What colours the heat maps of K classes have.

    Args:
        pictures: (K, H, W, 3) uint8.

    Returns:
        DataFrame, a row a class: ``known``, whether every cell has a colour of OpenCV's jet with red and blue
        exchanged; ``ends`` of ``entries``: how many entries are 0 or 255, of how many.
    """
    ends = ((pictures == 0) | (pictures == 255)).sum((1, 2, 3))
    return pd.DataFrame(
        {"known": colours.known(pictures).all((1, 2)), "ends": ends, "entries": pictures[0].size if len(ends) else 0}
    )


def calibration(material, bins):
    """Share of ones in the RoA of one image, by what the representative shows there, over all pairs that move.

    A representative that is the mean of ±1 is shown as v where a share (1 + v) / 2 of its images has +1; one that is
    the mean of 0 and 1 where a share v has 1. Pairs whose one RoA is black throughout are left out.

    Returns:
        DataFrame, a row a range of levels: first, last, k ones of n entries. The first row holds what is black.
    """
    moving = material.roa_one.max((1, 2, 3)) > 127
    levels, hits = material.roa[moving].ravel(), material.roa_one[moving].ravel() > 127
    edges = np.unique(np.linspace(1, 256, bins + 1).round().astype(int))
    rows = []
    for first, end in zip((0, *edges[:-1]), edges, strict=True):
        part = (levels >= first) & (levels < end)
        rows.append({"first": first, "last": end - 1, "k": int(hits[part].sum()), "n": int(part.sum())})
    return pd.DataFrame([one for one in rows if one["n"]])
