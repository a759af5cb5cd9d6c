"""What units report in the same words: counts, distributions, similarity of regions."""

import numpy as np

from .. import metrics


def count(hits):
    """k of n images for hits (N,) bool: ``{"k", "n"}``."""
    return {"k": int(hits.sum()), "n": len(hits)}


def distribution(values):
    """min, max, mean, median, sd (N − 1) and n of values (N,): the five numbers of the paper's supplement, and n."""
    values = np.asarray(values, dtype=np.float64)
    return {"min": values.min(), "max": values.max(), "mean": values.mean(), "median": np.median(values),
            "sd": values.std(ddof=1) if len(values) > 1 else np.nan, "n": len(values)}  # fmt: skip


def similarity(roi, roa):
    """Table I of the paper for two stacks of regions (N, H, W) bool: SSIM of individuals and of representatives.

    Returns:
        dict with ``individual`` (a :func:`distribution` over images), ``representative``, and
        ``representative_interval``, a jackknife over images.
    """
    totals = [maps.double().sum(0, keepdim=True) for maps in (roi, roa)]
    whole, interval = metrics.ssim(*(total.numpy() / len(roi) for total in totals))[0], (np.nan, np.nan)
    if len(roi) > 1:
        without = (
            (total - maps.double()).numpy() / (len(roi) - 1) for total, maps in zip(totals, (roi, roa), strict=True)
        )
        interval = metrics.jackknife(whole, metrics.ssim(*without))
    return {
        "individual": distribution(metrics.ssim(roi.numpy(), roa.numpy())),
        "representative": whole,
        "representative_interval": interval,
    }
