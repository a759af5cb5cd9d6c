"""Mean ranks of cases in groups, Friedman's test and the comparison after it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from roa_helpers import metrics
from roa_helpers.studies.localized import ranking


def test_ranks_share_ties_and_put_the_highest_first():
    assert ranking.ranks([[0.1, 0.9, 0.5], [0.2, 0.2, 0.1]]).tolist() == [[3, 1, 2], [1.5, 1.5, 3]]
    assert ranking.ranks(np.zeros((2, 5, 4))).tolist() == np.full((2, 5, 4), 2.5).tolist()


@given(seed=st.integers(0, 1000), k=st.integers(2, 5))
def test_ranks_of_a_case_sum_to_a_constant(seed, k):
    scores = np.random.default_rng(seed).integers(0, 3, (7, k))
    assert (ranking.ranks(scores).sum(1) == k * (k + 1) / 2).all()
    np.testing.assert_allclose(ranking.ranks(scores).mean(0), metrics.mean_ranks(scores))


def test_the_mean_is_that_of_cases_and_the_interval_that_of_groups():
    values, groups = np.array([1.0, 1.0, 1.0, 4.0]), np.array([7, 7, 7, 9])
    mean, low, high = ranking.clustered_mean(values, groups)
    assert mean == 1.75 and low == 1.0 and high == 4.0
    wide = ranking.clustered_mean(np.repeat([0.0, 1.0, 2.0], 50), np.repeat([0, 1, 2], 50))
    narrow = ranking.clustered_mean(np.repeat([0.0, 1.0, 2.0], 50), np.arange(150))
    assert wide[2] - wide[1] > 4 * (narrow[2] - narrow[1])


def test_a_group_of_its_own_for_each_case_is_the_ordinary_bootstrap():
    values = np.random.default_rng(0).random(30)
    mean, low, high = ranking.clustered_mean(values, np.arange(30))
    np.testing.assert_allclose((low, high), metrics.bootstrap(values), atol=1e-12)
    assert mean == values.mean()


def test_bootstrap_over_groups_equals_its_twin():
    rng = np.random.default_rng(1)
    values, groups = rng.random((9, 2)), np.array([0, 0, 1, 2, 2, 2, 3, 3, 3])
    draws = np.random.default_rng(0).integers(0, 4, (2000, 4))
    means = [np.concatenate([values[groups == g] for g in draw]).mean(0) for draw in draws]
    _, low, high = ranking.clustered_mean(values, groups)
    np.testing.assert_allclose((low, high), np.quantile(means, (0.025, 0.975), axis=0), atol=1e-12)


def test_cases_without_a_group_are_refused():
    for values, groups in ((np.zeros(0), np.zeros(0)), (np.zeros(3), np.zeros(2))):
        with pytest.raises(ValueError, match="need cases and a group for each"):
            ranking.clustered_mean(values, groups)


def test_friedmans_test_is_scipys_and_the_critical_difference_is_that_of_the_tables():
    scores = np.random.default_rng(2).random((14, 4)) + np.array([0, 0.1, 0.2, 2.0])
    found = ranking.friedman(scores)
    assert (found.statistic, found.p) == tuple(stats.friedmanchisquare(*scores.T))
    assert found.critical_difference == pytest.approx(2.569 * np.sqrt(4 * 5 / (6 * 14)), abs=2e-3)  # Demšar, Table 5
    ranks = found.mean_ranks
    far = [(i, j) for i in range(4) for j in range(i + 1, 4) if abs(ranks[i] - ranks[j]) >= found.critical_difference]
    assert found.different() == far and (0, 3) in far


def test_too_little_to_compare_is_refused():
    for shape in ((1, 3), (5, 2), (5,)):
        with pytest.raises(ValueError, match="B ≥ 2 and K ≥ 3"):
            ranking.friedman(np.zeros(shape))


def test_means_of_groups_are_in_the_order_of_the_groups():
    assert ranking.group_means([[1.0], [5.0], [3.0]], [2, 0, 2]).tolist() == [[5.0], [2.0]]


def test_one_group_has_no_interval():
    mean, low, high = ranking.clustered_mean([[1.0, 2.0], [3.0, 4.0]], [5, 5])
    assert mean.tolist() == [2, 3] and np.isnan(low).all() and np.isnan(high).all()
    assert all(np.isnan(ranking.clustered_mean([1.0, 2.0], [5, 5])[1:]))


def test_methods_that_always_tie_are_not_told_apart():
    found = ranking.friedman(np.ones((4, 3)))
    assert (found.statistic, found.p, found.different()) == (0.0, 1.0, [])
