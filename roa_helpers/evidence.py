"""Trained networks as the unit of evidence: intervals over networks and images, p-values, Holm's correction.

A number of a network, such as a gain of accuracy, has an interval over test images. Networks that differ in chance
alone (initialisation, order of the images) have other numbers. What is said of a study must hold both spreads: value =
truth + effect of the network + effect of the images, two random effects. Arrays in, arrays out; no torch.
"""

import numpy as np
from scipy import optimize, stats

from .metrics import Interval, paired_difference

#: The level of all intervals that are given here, and that come back.
LEVEL = 0.95
#: Smaller p-values are given as this one.
SMALLEST_P = 1e-12


def over_networks(values, intervals, *, limits=(-np.inf, np.inf)):
    """Mean of K networks' values, and its 95 % interval over networks and images.

    With mean v̄, standard deviation s (K − 1) and 95 % bounds lᵢ ≤ vᵢ ≤ uᵢ of each network over images, the interval
    reaches

        √(t² s² / K + Σ (vᵢ − lᵢ)² / K)  below v̄, and  √(t² s² / K + Σ (uᵢ − vᵢ)² / K)  above it,

    where t is the 97.5 % point of Student's distribution with K − 1 degrees of freedom. Squared reaches of the two
    sources add, each with the factor of its own degrees of freedom: Banerjee (1960) shows that such an interval covers
    at least as often as it says. The second term is not divided by K once more, since networks are scored on the same
    images and share their error. Where they do not, the interval is wider than need be. Bounds keep their asymmetry
    (Zou and Donner, 2008), so that three networks without an error have an interval all the same. Of one network: its
    own interval, over images alone.

    A bootstrap over networks is no way out: of three it sees ten different samples, and covers too rarely.

    Args:
        values: (K, …).
        intervals: (K, 2, …), low and high.
        limits: what a value cannot go beyond; the interval is cut there.

    Returns:
        (mean, :class:`roa_helpers.metrics.Interval`), each (…); NaN where one of the K is.

    Raises:
        ValueError: no network, or shapes that do not fit.
    """
    values, below, above = _reaches(values, intervals)
    mean, between = values.mean(0), _between(values) * _t(len(values), 1 - LEVEL) ** 2
    low, high = mean - np.sqrt(between + below), mean + np.sqrt(between + above)
    return mean, Interval(np.clip(low, *limits), np.clip(high, *limits))


def next_network(values, intervals, *, limits=(-np.inf, np.inf)):
    """Where the value of one more network is expected, with 95 %.

    As :func:`over_networks`, with s² (1 + 1 / K) in the place of s² / K. NaN of fewer than two networks: one says
    nothing of the next.
    """
    values, below, above = _reaches(values, intervals)
    count = len(values)
    if count < 2:
        return Interval(*np.full((2, *values.shape[1:]), np.nan))
    mean, between = values.mean(0), _between(values) * (count + 1) * _t(count, 1 - LEVEL) ** 2
    low, high = mean - np.sqrt(between + below), mean + np.sqrt(between + above)
    return Interval(np.clip(low, *limits), np.clip(high, *limits))


def p_value(values, intervals, bound, *, df=np.inf):
    """Two-sided p-value of K networks' values against a bound: 1 − the level at which the interval reaches it.

    The interval is that of :func:`over_networks` at any level, whose reach over images grows with the quantile of
    Student's distribution.

    Args:
        values: (K,).
        intervals: (K, 2).
        bound: a number.
        df: degrees of freedom that the intervals were made with; ∞: normal.

    Returns:
        A number from ``SMALLEST_P`` to 1; NaN where a value, an interval or the bound is.
    """
    values, below, above = _reaches(values, intervals)
    mean, between = values.mean(), _between(values)
    away, images = abs(mean - bound), below if mean > bound else above
    if np.isnan([mean, between, images, bound]).any():
        return float("nan")

    def beyond(log_p):
        p = np.exp(log_p)
        scale = stats.t.isf(p / 2, df) / stats.t.isf((1 - LEVEL) / 2, df)
        return np.sqrt(between * _t(len(values), p) ** 2 + images * scale**2) - away

    if beyond(np.log(SMALLEST_P)) <= 0:
        return SMALLEST_P if away > 0 else 1.0
    return float(np.exp(optimize.brentq(beyond, np.log(SMALLEST_P), 0.0))) if away > 0 else 1.0


def holm(p_values):
    """p-values adjusted for their number, so that any is below α by chance in at most a share α of all studies.

    Holm (1979): of M sorted p-values the i-th is multiplied by M − i + 1, and is at least as large as the one before.

    Args:
        p_values: (M,); NaN are no tests, do not count and stay NaN.

    Returns:
        (M,) in [0, 1].

    Raises:
        ValueError: a p-value outside [0, 1].
    """
    adjusted = np.array(p_values, dtype=float)
    if ((adjusted < 0) | (adjusted > 1)).any():
        raise ValueError(f"p-values must lie in [0, 1], got {adjusted.tolist()}")
    known = np.flatnonzero(~np.isnan(adjusted))
    order = known[np.argsort(adjusted[known], kind="stable")]
    factors = np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(1, np.maximum.accumulate(factors * adjusted[order]))
    return adjusted


def combined(terms):
    """Σ weight · value of independent numbers with their intervals, and its interval.

    Zou and Donner (2008): the distances from the values to their bounds are recovered as variances,
    low = Σ w v − √Σ w² (v − the bound of v on the side that lowers the sum)². For the difference of two proportions
    with Wilson's intervals it is Newcombe's (1998, method 10).

    Args:
        terms: (weight, value, (low, high)), ….

    Returns:
        (value, :class:`roa_helpers.metrics.Interval`).
    """
    total = sum(weight * value for weight, value, _ in terms)
    down, up = (
        sum((weight * (value - (low if (weight > 0) == lowers else high))) ** 2
            for weight, value, (low, high) in terms) ** 0.5
        for lowers in (True, False)
    )  # fmt: skip
    return float(total), Interval(float(total - down), float(total + up))


def change(before, after):
    """The change of a score of the same images, and its 95 % interval over images.

    Args:
        before, after: hits (N,), 0 or 1.

    Returns:
        (value, :class:`roa_helpers.metrics.Interval`), the interval Bonett and Price's
        (:func:`roa_helpers.metrics.paired_difference`).
    """
    before, after = np.asarray(before, dtype=float), np.asarray(after, dtype=float)
    return float((after - before).mean()), paired_difference(before, after)


def balanced(changes):
    """Mean of the changes of several classes, of different images: (value, interval) of each → (value, interval)."""
    return combined([(1 / len(changes), value, interval) for value, interval in changes])


def _reaches(values, intervals):
    """Values (K, …), and the mean squared distances to their lower and upper bounds over images, (…)."""
    values, intervals = np.asarray(values, dtype=float), np.asarray(intervals, dtype=float)
    if values.ndim < 1 or len(values) == 0 or intervals.shape != (len(values), 2, *values.shape[1:]):
        raise ValueError(
            f"need values (K, …) and intervals (K, 2, …) of K ≥ 1 networks, got {values.shape} and {intervals.shape}"
        )
    below, above = values - intervals[:, 0], intervals[:, 1] - values
    return values, *((np.maximum(reach, 0) ** 2).mean(0) for reach in (below, above))


def _between(values):
    """s² / K, 0 of one network."""
    return values.var(0, ddof=1) / len(values) if len(values) > 1 else np.zeros(values.shape[1:])


def _t(count, alpha):
    """Two-sided quantile of Student's distribution for the mean of ``count`` networks."""
    return stats.t.isf(alpha / 2, count - 1) if count > 1 else 0.0
