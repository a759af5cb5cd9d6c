"""Table I of the paper: how alike RoI and RoA are."""

import numpy as np

from ... import metrics


def similarity(roi, roa):
    """Table I of the paper for two stacks of regions (N, H, W) bool: SSIM of individuals and of representatives.

    Returns:
        dict with ``individual`` (a :func:`.metrics.distribution` over images), ``representative``, and
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
        "individual": metrics.distribution(metrics.ssim(roi.numpy(), roa.numpy())),
        "representative": whole,
        "representative_interval": interval,
    }
