"""Ranks of methods over cases that come in groups: mean ranks with intervals, Friedman's test, post-hoc comparison."""

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from scipy import stats

from ... import metrics


def clustered_mean(values, groups, *, level=0.95, resamples=2000, seed=0):
    """Mean over cases, with a bootstrap that draws whole groups: cases of one photo are not independent.

    Args:
        values: (N,) or (N, K).
        groups: (N,) the group of each case.

    Returns:
        (mean, low, high), each a number or (K,); percentile interval, undefined (NaN) where there is one group.

    Raises:
        ValueError: no cases, or another number of groups than of cases.
    """
    values, groups = np.asarray(values, dtype=float), np.asarray(groups)
    if len(values) == 0 or groups.shape != values.shape[:1]:
        raise ValueError(f"need cases and a group for each, got {values.shape} and {groups.shape}")
    _, which = np.unique(groups, return_inverse=True)
    count = np.bincount(which).astype(float)
    if len(count) == 1:  # says nothing of how groups differ
        undefined = np.full(values.shape[1:], np.nan)[()]
        return values.mean(0), undefined, undefined
    sums = np.zeros((len(count), *values.shape[1:]))
    np.add.at(sums, which, values)
    draws = np.random.default_rng(seed).integers(0, len(count), (resamples, len(count)))
    weights = count[draws].sum(1).reshape(-1, *[1] * (values.ndim - 1))
    low, high = np.quantile(sums[draws].sum(1) / weights, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return values.mean(0), low, high


def ranks(scores):
    """Rank of each of K methods in each case, (…, K); rank 1 is the highest score, ties share their mean rank."""
    return stats.rankdata(-np.asarray(scores, dtype=float), axis=-1)


@dataclass(frozen=True)
class Friedman:
    """Friedman's test of K methods over B blocks, and the comparison of pairs after it.

    Attributes:
        statistic, p: of the test that all methods have the same mean rank (χ² with K − 1 degrees of freedom).
        blocks: B.
        mean_ranks: (K,) over blocks.
        critical_difference: two methods differ when their mean ranks lie at least this far apart.
    """

    statistic: float
    p: float
    blocks: int
    mean_ranks: np.ndarray
    critical_difference: float

    def different(self):
        """Pairs (i, j) of methods whose mean ranks differ, by position."""
        return [
            (i, j)
            for i, j in combinations(range(len(self.mean_ranks)), 2)
            if abs(self.mean_ranks[i] - self.mean_ranks[j]) >= self.critical_difference
        ]


def friedman(scores, *, alpha=0.05):
    """Friedman's test with Nemenyi's comparison of all pairs.

    Friedman (1937), as SciPy computes it; Demšar (2006), Section 3.2.2:
    CD = q_α √(K (K + 1) / (6 B)), q_α the studentized range for K groups and ∞ degrees of freedom over √2.

    Args:
        scores: (B, K), a row a block, larger is better; K ≥ 3.

    Raises:
        ValueError: fewer than three methods or two blocks.
    """
    scores = np.asarray(scores, dtype=float)
    if scores.ndim != 2 or scores.shape[1] < 3 or len(scores) < 2:
        raise ValueError(f"need (B, K) scores with B ≥ 2 and K ≥ 3, got {scores.shape}")
    tied = bool((np.ptp(scores, axis=1) == 0).all())
    statistic, p = (0.0, 1.0) if tied else stats.friedmanchisquare(*scores.T)
    blocks, methods = scores.shape
    q = stats.studentized_range.ppf(1 - alpha, methods, np.inf) / np.sqrt(2)
    difference = q * np.sqrt(methods * (methods + 1) / (6 * blocks))
    return Friedman(float(statistic), float(p), blocks, metrics.mean_ranks(scores), float(difference))


def group_means(values, groups):
    """Mean of the cases (N, …) of each group, groups sorted: (G, …)."""
    values, groups = np.asarray(values, dtype=float), np.asarray(groups)
    return np.stack([values[groups == g].mean(0) for g in np.unique(groups)])
