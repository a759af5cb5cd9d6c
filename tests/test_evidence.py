"""Intervals over networks and images cover what they say, whichever spread is larger; p-values and Holm fit them."""

from itertools import product
from math import sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from roa_helpers import evidence, metrics

NETWORKS = st.lists(
    st.tuples(st.floats(-1, 1), st.floats(0, 0.3), st.floats(0, 0.3)).map(lambda v: (v[0], v[0] - v[1], v[0] + v[2])),
    min_size=1,
    max_size=5,
)


def parted(networks):
    values, *ends = zip(*networks, strict=True)
    return list(values), list(zip(*ends, strict=True))


def twin(values, intervals, t):
    """The definition read aloud; ``t``: Student's 97.5 % point for as many networks."""
    k = len(values)
    mean = sum(values) / k
    variance = sum((v - mean) ** 2 for v in values) / (k - 1)
    below = sum((v - low) ** 2 for v, (low, _) in zip(values, intervals, strict=True)) / k
    above = sum((high - v) ** 2 for v, (_, high) in zip(values, intervals, strict=True)) / k
    return mean, mean - sqrt(t**2 * variance / k + below), mean + sqrt(t**2 * variance / k + above)


def test_the_interval_equals_its_twin():
    values, intervals = [0.5, 0.62, 0.57], [(0.41, 0.58), (0.5, 0.7), (0.5, 0.61)]
    mean, interval = evidence.over_networks(values, intervals)
    assert np.allclose([mean, *interval], twin(values, intervals, 4.302652729911275), atol=1e-12)
    mean, interval = evidence.over_networks(values[:2], intervals[:2])
    assert np.allclose([mean, *interval], twin(values[:2], intervals[:2], 12.706204736432095), atol=1e-12)


def test_one_network_has_its_own_interval_and_says_nothing_of_the_next():
    value, interval = evidence.over_networks([0.3], [(0.25, 0.4)])
    assert value == 0.3 and interval == pytest.approx((0.25, 0.4))
    assert np.isnan(evidence.next_network([0.3], [(0.25, 0.4)])).all()


def test_networks_without_an_error_keep_the_width_of_their_images():
    interval = metrics.wilson(50, 50)
    assert evidence.over_networks([1.0] * 3, [interval] * 3)[1] == pytest.approx(interval)


def test_an_interval_is_cut_where_values_cannot_go():
    _, wide = evidence.over_networks([0.9, 1.0], [(0.8, 0.95), (0.9, 1.0)])
    _, cut = evidence.over_networks([0.9, 1.0], [(0.8, 0.95), (0.9, 1.0)], limits=(0, 1))
    assert wide.high > 1 and cut == (max(0, wide.low), 1)
    assert evidence.next_network([0.9, 1.0], [(0.8, 0.95), (0.9, 1.0)], limits=(0, 1)) == (0, 1)


def test_what_one_network_leaves_undefined_stays_undefined():
    value, interval = evidence.over_networks([np.nan, 0.4], [(np.nan, np.nan), (0.3, 0.5)])
    assert np.isnan([value, *interval]).all()
    assert np.isnan(evidence.p_value([0.4, 0.5], [(np.nan, np.nan), (0.3, 0.5)], 0.0))


@pytest.mark.parametrize(("values", "intervals"), [([], []), ([0.1], [(0, 0.1), (0, 1)]), (0.5, (0.4, 0.6))])
def test_shapes_that_do_not_fit_are_refused(values, intervals):
    with pytest.raises(ValueError, match="networks"):
        evidence.over_networks(values, intervals)


def wilson(hits, n, z=1.959963984540054):
    """Wilson's intervals of many counts at once, (K, 2, runs)."""
    p = hits / n
    middle, reach = (p + z**2 / 2 / n) / (1 + z**2 / n), np.sqrt(p * (1 - p) / n + z**2 / 4 / n**2) / (1 + z**2 / n)
    return np.stack([middle - z * reach, middle + z * reach], axis=1)


def scored(networks, between, images, shared, *, runs, rng, truth=0.7):
    """Counts (K, runs) of networks of accuracy ``truth`` ± ``between``, on the same images.

    An image is as hard for one network as for another with probability ``shared``; else each draws it anew.
    """
    accuracy = np.clip(truth + between * rng.standard_normal((networks, runs)), 0, 1)
    hits = np.zeros((networks, runs))
    for _ in range(images):
        together, own = rng.random((1, runs), dtype=np.float32), rng.random((networks, runs), dtype=np.float32)
        hits += np.where(rng.random((1, runs), dtype=np.float32) < shared, together, own) < accuracy
    return hits


GRID = list(product((3, 5, 10), (0.0, 0.02, 0.05, 0.1), (100, 400, 1000)))


@pytest.mark.parametrize(("networks", "between", "images"), GRID)
def test_the_interval_covers_the_truth_in_93_of_100_runs(networks, between, images):
    """Hardest where networks share the error of all their images; the interval of images alone covers no more there."""
    rng = np.random.default_rng(networks * images)
    for shared in (1.0,) if images == 1000 else (0.0, 1.0):
        hits = scored(networks, between, images, shared, runs=1500, rng=rng)
        _, (low, high) = evidence.over_networks(hits / images, wilson(hits, images))
        assert ((low <= 0.7) & (high >= 0.7)).mean() >= 0.93


@pytest.mark.parametrize("between", (0.02, 0.1))
def test_one_more_network_lies_where_it_is_expected(between):
    hits = scored(4, between, 200, 1.0, runs=2000, rng=np.random.default_rng(7))
    low, high = evidence.next_network(hits[:3] / 200, wilson(hits[:3], 200))
    inside = (low <= hits[3] / 200) & (hits[3] / 200 <= high)
    assert inside.mean() >= 0.95


def test_a_bootstrap_over_three_networks_covers_too_rarely():
    """Why there is none."""
    rng = np.random.default_rng(3)
    hits = scored(3, 0.05, 400, 1.0, runs=1000, rng=rng) / 400
    drawn = rng.integers(0, 3, (400, 3))
    low, high = np.quantile(hits[drawn].mean(1), [0.025, 0.975], axis=0)
    assert ((low <= 0.7) & (high >= 0.7)).mean() < 0.85


# p-values


@given(networks=NETWORKS, bound=st.floats(-1, 1))
def test_a_p_value_is_below_5_percent_where_the_interval_leaves_the_bound_out(networks, bound):
    values, intervals = parted(networks)
    _, (low, high) = evidence.over_networks(values, intervals)
    p = evidence.p_value(values, intervals, bound)
    assert 0 < p <= 1
    if min(abs(low - bound), abs(high - bound)) > 1e-6:
        assert (p < 0.05) == (not low <= bound <= high)


def test_a_p_value_is_students_without_images_and_normal_without_a_spread():
    values = [0.1, 0.3, 0.25]
    bare = evidence.p_value(values, [(v, v) for v in values], 0.05)
    assert bare == pytest.approx(stats.ttest_1samp(values, 0.05).pvalue)
    z = 0.3 / (0.2 / 1.959963984540054)
    assert evidence.p_value([0.3], [(0.1, 0.5)], 0.0) == pytest.approx(2 * stats.norm.sf(z))
    t = 0.3 / (0.2 / stats.t.ppf(0.975, 4))
    assert evidence.p_value([0.3], [(0.1, 0.5)], 0.0, df=4) == pytest.approx(2 * stats.t.sf(t, 4))


def test_a_p_value_takes_the_reach_toward_the_bound():
    values, intervals = [0.3], [(0.1, 0.4)]
    assert evidence.p_value(values, intervals, 0.1) == pytest.approx(0.05)
    assert evidence.p_value(values, intervals, 0.4) == pytest.approx(0.05)


def test_values_without_any_spread_are_the_bound_or_surely_not():
    assert evidence.p_value([0.25] * 3, [(0.25, 0.25)] * 3, 0.25) == 1
    assert evidence.p_value([0.25] * 3, [(0.25, 0.25)] * 3, 0.1) == evidence.SMALLEST_P


def test_nothing_is_tested_against_a_bound_that_is_no_number():
    assert np.isnan(evidence.p_value([0.5, 0.6], [(0.4, 0.6), (0.5, 0.7)], float("nan")))


@pytest.mark.parametrize("wrong", [-0.01, 1.01, float("inf")])
def test_what_is_no_p_value_is_refused(wrong):
    with pytest.raises(ValueError, match="p-values must lie in"):
        evidence.holm([0.5, float("nan"), wrong])


def test_holm_by_hand():
    assert evidence.holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    adjusted = evidence.holm([np.nan, 0.6, 0.04])
    assert np.isnan(adjusted[0]) and adjusted[1:] == pytest.approx([0.6, 0.08])
    assert evidence.holm([0.7, 0.9]).tolist() == [1, 1] and evidence.holm([]).size == 0


# Sums of independent numbers


def test_combined_is_newcombes_for_two_proportions():
    one, other = metrics.wilson(24, 40), metrics.wilson(18, 40)
    for terms in ([(1, 0.6, one), (-1, 0.45, other)], [(-1, 0.45, other), (1, 0.6, one)]):
        value, interval = evidence.combined(terms)
        assert value == pytest.approx(0.15) and tuple(interval) == pytest.approx(
            tuple(metrics.newcombe(18, 40, 24, 40))
        )


def test_combined_of_a_mean_by_hand():
    value, interval = evidence.combined([(0.5, 0.2, (0.1, 0.5)), (0.5, 0.6, (0.2, 0.7))])
    assert (value, *interval) == pytest.approx((0.4, 0.4 - sqrt(0.05**2 + 0.2**2), 0.4 + sqrt(0.15**2 + 0.05**2)))


def test_a_balanced_change_is_the_mean_of_the_classes_changes_and_adds_their_squared_reaches():
    first, second = ([1, 1, 0, 0], [1, 1, 1, 0]), ([1] * 10, [0] * 5 + [1] * 5)
    value, (low, high) = evidence.balanced([evidence.change(*first), evidence.change(*second)])
    assert value == pytest.approx((1 / 4 - 5 / 10) / 2)
    parts = [(1 / 4, metrics.paired_difference(*first)), (-5 / 10, metrics.paired_difference(*second))]
    assert low == pytest.approx(value - sqrt(sum((own - ends.low) ** 2 for own, ends in parts)) / 2)
    assert high == pytest.approx(value + sqrt(sum((ends.high - own) ** 2 for own, ends in parts)) / 2)
