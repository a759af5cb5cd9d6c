"""Similarity of maps, agreement of pixel sets, spatial correlation, intervals. Arrays in, arrays out; no torch."""

from typing import NamedTuple

import numpy as np
from scipy import stats
from skimage.metrics import structural_similarity


class Interval(NamedTuple):
    """A confidence interval [low, high]."""

    low: float
    high: float


def ssim(a, b, *, low=0.0):
    """Structural similarity of pairs of maps, averaged over each map.

    Wang et al. (2004), eq. 13, as scikit-image computes it by default: 7×7 uniform windows, K₁ = .01, K₂ = .03,
    sample covariance, data range 1 − low. The paper's Table I.

    Args:
        a, b: (N, H, W), or (N, C, H, W) averaged over channels; values in [low, 1], H and W at least 7.
        low: the smallest value there can be.

    Returns:
        (N,) in [−1, 1].

    Raises:
        ValueError: two shapes, too small, or values outside [low, 1].
    """
    a, b = _pair(a, b, dtype=float)
    if a.ndim not in (3, 4) or min(a.shape[-2:]) < 7:
        raise ValueError(f"ssim needs (N, H, W) or (N, C, H, W) with sides of at least 7, got {a.shape}")
    if not all(((v >= low) & (v <= 1)).all() for v in (a, b)):
        raise ValueError(f"ssim needs values in [{low:g}, 1]")
    axis, reach = 0 if a.ndim == 4 else None, 1 - low
    return np.array(
        [structural_similarity(p, q, data_range=reach, channel_axis=axis) for p, q in zip(a, b, strict=True)]
    )


def jaccard(p, c):
    """|P ∩ C| / |P ∪ C| of pixel sets (N, H, W) bool → (N,) in [0, 1]; two empty sets agree fully (1)."""
    p, c = _pair(p, c, dtype=bool)
    inside, union = (p & c).sum((1, 2)), (p | c).sum((1, 2))
    return np.where(union > 0, inside / np.maximum(union, 1), 1.0)


def hamming_likeness(p, c):
    """1 − Ham(P, C) / (H·W): the share of pixels on which two sets (N, H, W) bool agree → (N,) in [0, 1]."""
    p, c = _pair(p, c, dtype=bool)
    return 1 - (p ^ c).mean((1, 2))


def mean_ranks(scores):
    """Mean rank of each of K methods over N cases; rank 1 is the highest score, ties share their mean rank.

    Args:
        scores: (N, K), larger is better.

    Returns:
        (K,) in [1, K].
    """
    return stats.rankdata(-np.asarray(scores, dtype=float), axis=1).mean(0)


def wilson(k, n, *, level=0.95):
    """Wilson's score interval of a proportion k / n.

    Wilson (1927). The bounds are the p at which |k/n − p| = z √(p (1 − p) / n).

    Raises:
        ValueError: n < 1, k outside 0…n, or not whole numbers.
    """
    if not (n >= 1 and 0 <= k <= n and k == int(k) and n == int(n)):
        raise ValueError(f"need whole numbers 0 ≤ k ≤ n and n ≥ 1, got k = {k}, n = {n}")
    interval = stats.binomtest(int(k), int(n)).proportion_ci(confidence_level=level, method="wilson")
    return Interval(float(interval.low), float(interval.high))


def newcombe(k1, n1, k2, n2, *, level=0.95):
    """Interval of the difference k₂/n₂ − k₁/n₁ of two independent proportions.

    Newcombe (1998), method 10: with Wilson bounds lᵢ, uᵢ of pᵢ, the interval reaches
    √((p₂ − l₂)² + (u₁ − p₁)²) below the difference and √((u₂ − p₂)² + (p₁ − l₁)²) above it.

    Raises:
        ValueError: as :func:`wilson`.
    """
    first, second = wilson(k1, n1, level=level), wilson(k2, n2, level=level)
    p1, p2 = k1 / n1, k2 / n2
    below = np.hypot(p2 - second.low, first.high - p1)
    above = np.hypot(second.high - p2, p1 - first.low)
    return Interval(float(p2 - p1 - below), float(p2 - p1 + above))


def paired_difference(before, after, *, level=0.95):
    """Interval of the change of a proportion when the same N cases are scored twice.

    Bonett and Price (2012): with one case added to those gained and one to those lost, p₊ = (gained + 1) / (N + 2),
    p₋ = (lost + 1) / (N + 2), the interval is p₊ − p₋ ± z √((p₊ + p₋ − (p₊ − p₋)²) / (N + 2)). Unlike a bootstrap
    it keeps a width where no case changed.

    Args:
        before, after: hits, (N,), 0 or 1 (or bool); N ≥ 1.

    Raises:
        ValueError: two lengths, no cases, values other than 0 and 1, or a level that is none.
    """
    before, after = np.asarray(before), np.asarray(after)
    if before.shape != after.shape or before.ndim != 1 or len(before) == 0:
        raise ValueError(f"two arrays (N,) of hits are needed, N ≥ 1, got {before.shape} and {after.shape}")
    if not np.isin([before, after], (0, 1)).all():
        raise ValueError("hits must be 0 or 1")
    _check_level(level)
    n = len(before) + 2
    gained, lost = ((after > before).sum() + 1) / n, ((after < before).sum() + 1) / n
    centre = gained - lost
    reach = stats.norm.ppf((1 + level) / 2) * np.sqrt((gained + lost - centre**2) / n)
    return Interval(float(max(-1, centre - reach)), float(min(1, centre + reach)))


def welch(first, second, *, level=0.95):
    """Interval of the difference of two means, mean(first) − mean(second), of samples with variances of their own.

    Welch (1947), with the Welch–Satterthwaite degrees of freedom.

    Raises:
        ValueError: fewer than two values in a sample.
    """
    if min(len(first), len(second)) < 2:
        raise ValueError(f"two samples of at least two values are needed, got {len(first)} and {len(second)}")
    interval = stats.ttest_ind(first, second, equal_var=False).confidence_interval(level)
    return Interval(float(interval.low), float(interval.high))


def intraclass(values, groups, *, independent=None, level=0.95):
    """Share of the variance of N values that lies between groups and not within: the intraclass correlation ICC(1).

    Shrout and Fleiss (1979), one-way random effects. With the mean squares B between and W within G groups of kᵢ
    values, and k = (N − Σ kᵢ² / N) / (G − 1), which is kᵢ where all are equal,

        ICC = (B − W) / (B + (k − 1) W),

    1 where the groups decide the value, 0 where they do not, below it by chance alone; B / W has an F distribution,
    whence the interval, which is approximate where groups differ in size.

    Args:
        values: (N,).
        groups: (N,), the group of each value.
        independent: how many of the groups count as independent (None: all G of them). The interval has
            independent − 1 and independent · (k − 1) degrees of freedom.

    Returns:
        (ICC, :class:`Interval`); NaN where all values are equal.

    Raises:
        ValueError: fewer than two independent groups, more than there are, or no group with two values.
    """
    _check_level(level)
    values = np.asarray(values, dtype=float)
    _, place, sizes = np.unique(np.asarray(groups), return_inverse=True, return_counts=True)
    independent = len(sizes) if independent is None else independent
    if not 2 <= independent <= len(sizes) or sizes.max() < 2 or len(values) != len(place):
        raise ValueError(
            f"a share of variance needs two independent groups and two values in one: got {len(values)} values in "
            f"{len(sizes)} groups, {independent} of them independent"
        )
    means = np.bincount(place, values) / sizes
    within = ((values - means[place]) ** 2).sum() / (len(values) - len(sizes))
    between = (sizes * (means - values.mean()) ** 2).sum() / (len(sizes) - 1)
    k = (len(values) - (sizes**2).sum() / len(values)) / (len(sizes) - 1)
    if within == 0:
        value = 1.0 if between > 0 else np.nan
        return value, Interval(value, value)
    degrees, tail = (independent - 1, independent * (k - 1)), (1 + level) / 2
    ratios = between / within / np.array([1, stats.f.ppf(tail, *degrees), 1 / stats.f.ppf(tail, *degrees[::-1])])
    value, low, high = (float(ratio) for ratio in (ratios - 1) / (ratios + k - 1))
    return value, Interval(low, high)


def bootstrap(values, *, statistic=np.mean, level=0.95, resamples=2000, seed=0):
    """Percentile bootstrap interval of a statistic of N values; for paired scores give their differences.

    Efron (1979). Equal values give an interval of width 0: the bootstrap cannot see what was never sampled.

    Args:
        values: (N,), N ≥ 1.
        statistic: function of an array along ``axis``.

    Raises:
        ValueError: no values.
    """
    values = np.asarray(values, dtype=float)
    if values.ndim != 1 or len(values) == 0:
        raise ValueError(f"bootstrap needs values (N,), N ≥ 1, got {values.shape}")
    draws = np.random.default_rng(seed).integers(0, len(values), (resamples, len(values)))
    low, high = np.quantile(statistic(values[draws], axis=1), [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(low), float(high))


def jackknife(value, leave_one_out, *, level=0.95):
    """Interval of a statistic from its values on the sample without each of its N elements.

    Tukey (1958):  value ± z √((N − 1) / N · Σ (θᵢ − θ̄)²). For statistics that resampling with replacement would bias.

    Args:
        value: the statistic of the whole sample.
        leave_one_out: θᵢ, (N,), N ≥ 2.

    Raises:
        ValueError: fewer than two values, or a level that is none.
    """
    values = np.asarray(leave_one_out, dtype=float)
    if values.ndim != 1 or len(values) < 2:
        raise ValueError(f"jackknife needs values (N,), N ≥ 2, got {values.shape}")
    _check_level(level)
    error = np.sqrt((len(values) - 1) * values.var())
    reach = stats.norm.ppf((1 + level) / 2) * error
    return Interval(float(value - reach), float(value + reach))


def morans_i(maps):
    """Moran's I of maps with rook contiguity: do neighbouring pixels resemble each other?

    Moran (1950):  I = (n / W) Σ_ij w_ij z_i z_j / Σ_i z_i², z the deviations from the map's mean, w_ij = 1 for
    pixels that share an edge, W = Σ w_ij. About −1/(n − 1) for a random arrangement, near 1 for smooth patches, near
    −1 for a checkerboard.

    Args:
        maps: (…, H, W), H and W at least 2.

    Returns:
        (…); NaN where a map is constant.

    Raises:
        ValueError: too small.
    """
    maps = np.asarray(maps, dtype=float)
    if maps.ndim < 2 or min(maps.shape[-2:]) < 2:
        raise ValueError(f"maps must be (…, H, W) with sides of at least 2, got {maps.shape}")
    z = maps - maps.mean((-2, -1), keepdims=True)
    products = (z[..., 1:, :] * z[..., :-1, :]).sum((-2, -1)) + (z[..., :, 1:] * z[..., :, :-1]).sum((-2, -1))
    height, width = maps.shape[-2:]
    edges = (height - 1) * width + height * (width - 1)
    square = (z**2).sum((-2, -1))
    constant = np.ptp(maps, axis=(-2, -1)) == 0
    return np.where(constant, np.nan, height * width / edges * products / np.where(constant, 1, square))


def permutation_p(maps, *, permutations=99, seed=0):
    """One-sided p-value of Moran's I of each map against random arrangements of its own pixels.

    p = (1 + #{I(permuted) ≥ I}) / (1 + permutations). Arrangements that tie count, whatever rounding says.

    Args:
        maps: (N, H, W).

    Returns:
        (N,) in (0, 1]; NaN where a map is constant.

    Raises:
        ValueError: no permutations.
    """
    if permutations < 1:
        raise ValueError(f"permutations must be at least 1, got {permutations}")
    maps = np.asarray(maps, dtype=float)
    observed = morans_i(maps)
    rng = np.random.default_rng(seed)
    flat = maps.reshape(len(maps), -1)
    exceed = np.zeros(len(maps))
    for _ in range(permutations):
        exceed += morans_i(rng.permuted(flat, axis=1).reshape(maps.shape)) >= observed - 1e-12
    return np.where(np.isnan(observed), np.nan, (1 + exceed) / (1 + permutations))


def alignment(maps):
    """Share of the maps' variance over pixels that survives averaging: Var(mean of maps) / mean of Var(map).

    1 when all maps are equal, about 1/N for maps that are unrelated to each other.

    Args:
        maps: (N, H, W).

    Returns:
        A number in [0, 1]; NaN if every map is constant.
    """
    maps = np.asarray(maps, dtype=float)
    single = maps.var((1, 2)).mean()
    return float(maps.mean(0).var() / single) if single > 0 else float("nan")


def alignment_interval(maps):
    """The interval of :func:`alignment` by the :func:`jackknife` over maps (N, H, W); NaN where N < 2."""
    if len(maps) < 2:
        return Interval(float("nan"), float("nan"))
    return jackknife(alignment(maps), [alignment(np.delete(maps, i, axis=0)) for i in range(len(maps))])


def rolled(maps, *, seed=0):
    """Each map (N, H, W) shifted cyclically by its own random offset: the same shapes, no common place."""
    rng = np.random.default_rng(seed)
    shifts = [tuple(int(rng.integers(side)) for side in maps.shape[1:]) for _ in maps]
    return np.stack([np.roll(m, shift, (0, 1)) for m, shift in zip(maps, shifts, strict=True)])


def _check_level(level):
    """A level of confidence lies between 0 and 1; of another one the normal quantile would be NaN."""
    if not 0 < level < 1:
        raise ValueError(f"level must lie between 0 and 1, got {level}")


def _pair(a, b, *, dtype):
    a, b = np.asarray(a), np.asarray(b)
    if a.shape != b.shape:
        raise ValueError(f"two arrays of one shape are needed, got {a.shape} and {b.shape}")
    if dtype is bool and (a.dtype != bool or b.dtype != bool or a.ndim != 3):
        raise ValueError(f"two bool arrays (N, H, W) are needed, got {a.dtype} and {b.dtype} {a.shape}")
    return a.astype(dtype), b.astype(dtype)


def count(hits):
    """k of n images for hits (N,) bool: ``{"k", "n"}``."""
    return {"k": int(hits.sum()), "n": len(hits)}


def distribution(values):
    """min, max, mean, median, sd (N − 1) and n of values (N,): the five numbers of the paper's supplement, and n."""
    values = np.asarray(values, dtype=np.float64)
    return {"min": values.min(), "max": values.max(), "mean": values.mean(), "median": np.median(values),
            "sd": values.std(ddof=1) if len(values) > 1 else np.nan, "n": len(values)}  # fmt: skip
