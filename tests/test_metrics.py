import numpy as np
import pytest
import twins
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from roa_helpers import metrics

seeds = st.integers(0, 2**16)


def drawn(*shape, seed=0):
    return np.random.default_rng(seed).random(shape)


def sets(*shape, seed=0, share=0.5):
    return drawn(*shape, seed=seed) < share


def same(values, twin):
    return np.allclose(values, twin, rtol=0, atol=1e-12)


SLOPE = np.add.outer(np.arange(8.0), np.arange(8.0)) / 14
CHECKERBOARD = np.add.outer(np.arange(8), np.arange(8)) % 2

# Twins


def test_ssim_equals_its_twin():
    a, b = drawn(3, 9, 8), drawn(3, 9, 8, seed=1)
    assert same(metrics.ssim(a, b), [twins.ssim(p, q) for p, q in zip(a, b, strict=True)])


def test_ssim_of_regions_equals_its_twin():
    a, b = sets(3, 9, 8), sets(3, 9, 8, seed=1)
    assert same(metrics.ssim(a, b), [twins.ssim(p, q) for p, q in zip(a, b, strict=True)])


def test_ssim_of_colour_images_is_the_mean_over_channels():
    a, b = drawn(2, 3, 8, 8), drawn(2, 3, 8, 8, seed=1)
    assert same(metrics.ssim(a, b), np.mean([metrics.ssim(a[:, c], b[:, c]) for c in range(3)], axis=0))


def test_jaccard_and_hamming_equal_their_twins():
    p, c = sets(6, 4, 5), sets(6, 4, 5, seed=1)
    p[0], c[0], p[1] = False, False, c[1]
    pairs = list(zip(p.tolist(), c.tolist(), strict=True))
    assert same(metrics.jaccard(p, c), [twins.jaccard(*pair) for pair in pairs])
    assert same(metrics.hamming_likeness(p, c), [twins.hamming_likeness(*pair) for pair in pairs])


def test_mean_ranks_equal_their_twin():
    scores = np.random.default_rng(0).integers(0, 4, (20, 5))  # many ties
    assert same(metrics.mean_ranks(scores), twins.mean_ranks(scores.tolist()))


@pytest.mark.parametrize(("k", "n"), [(0, 1), (1, 1), (0, 10), (3, 10), (10, 10), (499, 500)])
def test_wilson_equals_its_closed_form(k, n):
    assert same(metrics.wilson(k, n), twins.wilson(k, n))


def test_wilson_at_another_level():
    assert same(metrics.wilson(3, 10, level=0.9), twins.wilson(3, 10, z=1.6448536269514722))


def test_morans_i_equals_its_twin():
    maps = np.stack([drawn(5, 7), sets(5, 7).astype(float), drawn(5, 7, seed=2) ** 5])
    assert same(metrics.morans_i(maps), [twins.morans_i(m.tolist()) for m in maps])


def test_alignment_equals_its_twin():
    maps = drawn(6, 4, 5) + drawn(4, 5, seed=1)
    assert same(metrics.alignment(maps), twins.alignment(maps))


def test_newcombe_by_hand():
    """The published example of 56/70 against 48/80: difference .20, interval .0524 to .3339."""
    low, high = metrics.newcombe(48, 80, 56, 70)
    assert (round(low, 4), round(high, 4)) == (0.0524, 0.3339)


# Exact values


def test_jaccard_and_hamming_by_hand():
    p, c = np.array([[[True, True], [False, False]]]), np.array([[[True, False], [True, False]]])
    assert metrics.jaccard(p, c) == 1 / 3
    assert metrics.hamming_likeness(p, c) == 0.5
    assert metrics.jaccard(p, ~p) == 0 and metrics.hamming_likeness(p, ~p) == 0
    assert metrics.jaccard(p & ~p, p & ~p) == 1 and metrics.hamming_likeness(p, p) == 1


def test_mean_ranks_by_hand():
    assert metrics.mean_ranks([[0.9, 0.5, 0.1], [0.9, 0.2, 0.2]]).tolist() == [1.0, 2.25, 2.75]


def test_morans_i_by_hand():
    assert metrics.morans_i([[1, 0], [0, 1]]) == -1
    assert metrics.morans_i([[1, 1], [0, 0]]) == 0
    # mean 3/9; 1·1 edges 2 of 12, 1·0 edges 4, 0·0 edges 6: (9/12) (2·4/9 − 4·2/9 + 6·1/9) / 2
    assert same(metrics.morans_i([[1, 1, 0], [1, 0, 0], [0, 0, 0]]), 9 / 12 * (6 / 9) / 2)


def test_morans_i_of_known_patterns():
    assert metrics.morans_i(SLOPE) > 0.8
    assert same(metrics.morans_i(CHECKERBOARD), -1)
    noise = metrics.morans_i(drawn(4000, 6, 6))
    assert abs(noise.mean() + 1 / 35) < 4 * noise.std() / 4000**0.5


def test_morans_i_of_constant_maps_is_nan_and_warns_not():
    constant = np.full((6, 7), 0.1)
    assert constant.mean() != 0.1  # a mean that rounding leaves beside the value must not make a pattern
    with np.errstate(all="raise"):
        result = metrics.morans_i([constant, np.add.outer(np.arange(6), np.arange(7)) % 2])
    assert np.isnan(result[0]) and same(result[1], -1)


def test_alignment_by_hand():
    a, b = np.array([[1.0, 0.0]]), np.array([[0.0, 1.0]])
    assert metrics.alignment([a, a]) == 1
    assert metrics.alignment([a, b]) == 0
    assert metrics.alignment([a, a, b, a]) == 0.25  # ((3 − 1)/4)²: mean (3/4, 1/4) varies by 1/16, each map by 1/4
    assert np.isnan(metrics.alignment(np.ones((2, 2, 2))))


def test_alignment_of_unrelated_maps_is_one_over_their_number():
    values = [metrics.alignment(drawn(10, 6, 6, seed=s)) for s in range(200)]
    assert abs(np.mean(values) - 0.1) < 4 * np.std(values) / 200**0.5


def test_bootstrap_of_equal_values_has_no_width():
    assert metrics.bootstrap([0.25] * 5) == (0.25, 0.25)


def test_bootstrap_agrees_with_the_normal_interval_of_many_values():
    values = drawn(2000)
    low, high = metrics.bootstrap(values)
    half = 1.96 * values.std() / 2000**0.5
    assert abs(low - (values.mean() - half)) < half / 10 and abs(high - (values.mean() + half)) < half / 10


# Properties


@given(seed=seeds)
def test_ssim_is_one_for_equals_symmetric_and_at_most_one(seed):
    a, b = drawn(2, 8, 9, seed=seed), drawn(2, 8, 9, seed=seed + 1)
    assert same(metrics.ssim(a, a), 1)
    assert same(metrics.ssim(a, b), metrics.ssim(b, a))
    assert (np.abs(metrics.ssim(a, b)) <= 1).all() and (metrics.ssim(a, b) < 0.9).all()


@given(seed=seeds, share=st.floats(0, 1))
def test_jaccard_and_hamming_are_symmetric_shares_of_one_count(seed, share):
    p, c = sets(3, 4, 5, seed=seed, share=share), sets(3, 4, 5, seed=seed + 1, share=share)
    j, h = metrics.jaccard(p, c), metrics.hamming_likeness(p, c)
    assert ((j >= 0) & (j <= 1) & (h >= 0) & (h <= 1)).all()
    assert same(j, metrics.jaccard(c, p)) and same(h, metrics.hamming_likeness(c, p))
    union = (p | c).mean((1, 2))
    assert same(j * union, union - (1 - h))  # |P ∩ C| = |P ∪ C| − |P Δ C|


@given(n=st.integers(1, 10_000), share=st.floats(0, 1), level=st.floats(0.5, 0.999))
def test_wilson_lies_in_0_to_1_and_contains_the_proportion(n, share, level):
    k = round(share * n)
    low, high = metrics.wilson(k, n, level=level)
    assert 0 <= low <= k / n <= high <= 1 and low < high


@given(k=st.integers(0, 20), n=st.integers(20, 40))
def test_newcombe_contains_the_difference_and_turns_with_it(k, n):
    low, high = metrics.newcombe(k, n, 5, 10)
    assert -1 <= low <= 5 / 10 - k / n <= high <= 1
    assert same(metrics.newcombe(5, 10, k, n), (-high, -low))


@given(seed=seeds, n=st.integers(1, 30))
def test_mean_ranks_share_out_a_fixed_sum(seed, n):
    ranks = metrics.mean_ranks(np.random.default_rng(seed).integers(0, 3, (n, 4)))
    assert same(ranks.sum(), 10) and ((ranks >= 1) & (ranks <= 4)).all()


@given(seed=seeds)
def test_rolled_keeps_the_values_of_each_map(seed):
    maps = drawn(4, 5, 6, seed=seed)
    moved = metrics.rolled(maps, seed=seed)
    assert moved.shape == maps.shape
    assert np.array_equal(np.sort(moved.reshape(4, -1)), np.sort(maps.reshape(4, -1)))


def test_rolled_moves_each_map_by_its_own_offset_and_repeats():
    maps = np.tile(drawn(1, 7, 9), (20, 1, 1))
    moved = metrics.rolled(maps, seed=1)
    assert len({m.tobytes() for m in moved}) > 10
    assert np.array_equal(moved, metrics.rolled(maps, seed=1))
    steps = [np.argwhere(m == maps[0, 0, 0])[0] for m in moved]
    assert all(np.array_equal(np.roll(m, -s, (0, 1)), maps[0]) for m, s in zip(moved, steps, strict=True))


@given(seed=seeds, scale=st.floats(0.1, 10), shift=st.floats(-5, 5))
def test_morans_i_ignores_scale_and_shift(seed, scale, shift):
    maps = drawn(2, 5, 6, seed=seed)
    assert np.allclose(metrics.morans_i(scale * maps + shift), metrics.morans_i(maps), rtol=0, atol=1e-9)


# Permutation test


def test_p_of_noise_is_uniform():
    p = metrics.permutation_p(drawn(400, 7, 7, seed=3), permutations=199)
    assert stats.kstest(p, "uniform").pvalue > 0.05
    assert ((p > 0) & (p <= 1)).all()


def test_p_of_smooth_maps_is_the_least_there_is():
    assert metrics.permutation_p(np.stack([SLOPE, SLOPE**2]), permutations=199).tolist() == [1 / 200] * 2


def test_each_map_is_compared_with_arrangements_of_its_own_pixels():
    assert metrics.permutation_p(SLOPE[None]) == 0.01
    noise = drawn(1, 8, 8, seed=2)
    alone = metrics.permutation_p(noise, permutations=999)
    beside = metrics.permutation_p(np.concatenate([noise, SLOPE[None] + 100]), permutations=999)[:1]
    assert 0.1 < alone[0] < 0.9 and abs(alone - beside) < 0.1


def test_p_of_a_checkerboard_is_one():
    assert metrics.permutation_p(CHECKERBOARD[None]) == 1


def test_p_of_a_constant_map_is_nan_and_leaves_its_neighbour_alone():
    p = metrics.permutation_p(np.stack([np.ones((8, 8)), SLOPE]))
    assert np.isnan(p[0]) and p[1] == 0.01


def test_p_depends_on_the_seed_alone():
    maps = drawn(5, 6, 6)
    assert np.array_equal(metrics.permutation_p(maps, seed=1), metrics.permutation_p(maps, seed=1))
    assert not np.array_equal(metrics.permutation_p(maps, seed=1), metrics.permutation_p(maps, seed=2))


def test_arrangements_that_tie_count_whatever_rounding_says():
    """In a 2×3 map all that counts is which values meet: of the 720 arrangements, 4 mirror images tie at the top."""
    rng = np.random.default_rng(0)
    value = np.array([0.1, 0.2, 0.4, 0.7, 0.8, 0.9])
    orders = np.array([rng.permutation(6) for _ in range(4000)])
    best = max((value[o].reshape(2, 3) for o in orders), key=metrics.morans_i)
    mirrored = np.stack([best, best[::-1], best[:, ::-1], best[::-1, ::-1]])
    p = metrics.permutation_p(mirrored, permutations=7200, seed=1)
    assert (p > 0.5 * 4 / 720).all()


# Bad input


def test_two_shapes_are_refused():
    for metric in (metrics.ssim, metrics.jaccard, metrics.hamming_likeness):
        with pytest.raises(ValueError, match="one shape"):
            metric(sets(2, 8, 8), sets(1, 8, 8))


def test_sets_that_are_none_are_refused():
    for metric in (metrics.jaccard, metrics.hamming_likeness):
        for p in (drawn(2, 4, 4), sets(4, 4), np.ones((2, 4, 4), dtype=np.uint8)):
            with pytest.raises(ValueError, match="bool"):
                metric(p, p)


@pytest.mark.parametrize("shape", [(8, 8), (2, 6, 8), (2, 8, 6)])
def test_maps_too_small_for_ssim_are_refused(shape):
    with pytest.raises(ValueError, match="at least 7"):
        metrics.ssim(drawn(*shape), drawn(*shape))


@pytest.mark.parametrize("value", [-0.1, 1.1, np.nan])
@pytest.mark.parametrize("second", [False, True])
def test_values_that_ssim_is_not_defined_for_are_refused(value, second):
    a, b = drawn(1, 8, 8), drawn(1, 8, 8)
    (b if second else a)[0, 3, 3] = value
    with pytest.raises(ValueError, match=r"\[0, 1\]"):
        metrics.ssim(a, b)


@pytest.mark.parametrize(("k", "n"), [(0, 0), (-1, 10), (11, 10), (2.5, 10), (float("nan"), 10)])
def test_proportions_that_are_none_are_refused(k, n):
    with pytest.raises(ValueError, match="k ≤ n"):
        metrics.wilson(k, n)


def test_moran_needs_neighbours_both_ways():
    for shape in ((3,), (1, 4), (4, 1)):
        with pytest.raises(ValueError, match="at least 2"):
            metrics.morans_i(np.arange(np.prod(shape), dtype=float).reshape(shape))


@pytest.mark.parametrize("values", [[], [[0.1, 0.2]]])
def test_a_bootstrap_of_nothing_is_refused(values):
    with pytest.raises(ValueError, match="bootstrap"):
        metrics.bootstrap(values)


def test_the_jackknife_of_a_mean_is_its_classical_interval():
    x = np.random.default_rng(0).normal(size=30)
    without = (x.sum() - x) / 29
    reach = stats.norm.ppf(0.975) * x.std(ddof=1) / np.sqrt(30)
    assert metrics.jackknife(x.mean(), without) == pytest.approx((x.mean() - reach, x.mean() + reach))
    with pytest.raises(ValueError, match="N ≥ 2"):
        metrics.jackknife(1.0, [1.0])


def test_the_intraclass_correlation_by_the_table_of_its_source():
    """Six targets rated by four judges (Shrout and Fleiss, 1979, Table 2): .17 by their Table 4."""
    ratings = np.array([[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]])
    targets = np.repeat(range(6), 4)
    value, (low, high) = metrics.intraclass(ratings.ravel(), targets)
    between, within = 4 * ratings.mean(1).var(ddof=1), ratings.var(axis=1, ddof=1).mean()
    assert (between, within) == pytest.approx((11.24, 6.26), abs=0.005)  # their Table 3
    assert value == pytest.approx((between - within) / (between + 3 * within)) and round(value, 2) == 0.17
    fewer, (lower, higher) = metrics.intraclass(ratings.ravel(), targets, independent=3)
    assert lower < low < value == fewer < high < higher


def test_the_intraclass_correlation_recovers_the_share_that_values_were_drawn_with():
    rng, covered = np.random.default_rng(0), []
    groups = np.repeat(range(8), [2, 3, 3, 3, 3, 3, 3, 2])
    for _ in range(300):
        values = 2 * rng.normal(size=8)[groups] + rng.normal(size=len(groups))  # variances 4 and 1
        _, (low, high) = metrics.intraclass(values, groups)
        covered.append(low <= 4 / 5 <= high)
    assert 0.92 <= np.mean(covered) <= 0.98


def test_values_that_do_not_vary_within_their_groups_are_all_the_groups():
    assert metrics.intraclass([1, 1, 2, 2], [0, 0, 1, 1]) == (1, (1, 1))
    assert np.isnan(metrics.intraclass([1, 1, 1, 1], [0, 0, 1, 1])[0])


@pytest.mark.parametrize(
    ("values", "groups", "independent"),
    [([1, 2], [0, 0], None), ([1, 2], [0, 1], None), ([1, 2, 3], [0, 0], None), ([1, 2, 3, 4], [0, 0, 1, 1], 1),
     ([1, 2, 3, 4], [0, 0, 1, 1], 3)],
)  # fmt: skip
def test_a_share_of_variance_needs_groups(values, groups, independent):
    with pytest.raises(ValueError, match="two independent groups"):
        metrics.intraclass(values, groups, independent=independent)


def test_welch_by_hand():
    """Means 3 and 6, squared standard errors 1/3 and 4: 3 ± t √(13/3), ν = (13/3)² / ((1/3)²/2 + 4²/1)."""
    low, high = metrics.welch([2, 3, 4], [4, 8])
    freedom = (13 / 3) ** 2 / ((1 / 3) ** 2 / 2 + 4**2 / 1)
    reach = stats.t.ppf(0.975, freedom) * (13 / 3) ** 0.5
    assert (low, high) == pytest.approx((-3 - reach, -3 + reach))
    with pytest.raises(ValueError, match="at least two"):
        metrics.welch([1, 2], [3])


def test_paired_difference_by_hand():
    before, after = [1] * 8 + [0] * 2, [1] * 7 + [0] + [1] * 2  # one lost, two gained, of ten
    gained, lost = 3 / 12, 2 / 12
    reach = stats.norm.ppf(0.975) * np.sqrt((gained + lost - (gained - lost) ** 2) / 12)
    assert metrics.paired_difference(before, after) == pytest.approx((gained - lost - reach, gained - lost + reach))


def test_paired_difference_keeps_a_width_where_nothing_changed():
    low, high = metrics.paired_difference([1] * 15, [1] * 15)
    assert low < -0.1 and high > 0.1
    low, high = metrics.paired_difference([1] * 400, [1] * 400)
    assert -0.01 < low < 0 < high < 0.01


@pytest.mark.parametrize("after", ([1], [1, 2], [0.5, 1]))
def test_paired_difference_refuses_what_is_no_pair_of_hits(after):
    with pytest.raises(ValueError, match="hits"):
        metrics.paired_difference([0, 1], after)


def test_the_interval_of_a_paired_difference_covers_the_truth():
    rng = np.random.default_rng(0)
    before = rng.random((2000, 60)) < 0.8
    after = np.where(rng.random((2000, 60)) < 0.3, rng.random((2000, 60)) < 0.6, before)
    truth = 0.3 * (0.6 - 0.8)
    inside = [low <= truth <= high for low, high in map(metrics.paired_difference, before, after)]
    assert 0.935 < np.mean(inside) < 0.985


def test_the_interval_of_alignment_leaves_each_map_out_in_turn():
    maps = np.random.default_rng(4).random((6, 5, 5)) > 0.4
    left = [metrics.alignment(np.array([m for j, m in enumerate(maps) if j != i])) for i in range(6)]
    assert metrics.alignment_interval(maps) == pytest.approx(metrics.jackknife(metrics.alignment(maps), left))
    assert np.isnan(metrics.alignment_interval(maps[:1])).all()


@pytest.mark.parametrize("level", [0, 1, 2, -0.5, float("nan")])
def test_a_level_that_is_none_is_refused(level):
    for interval in (
        lambda: metrics.paired_difference([0, 1], [1, 1], level=level),
        lambda: metrics.jackknife(1.0, [1.0, 2.0], level=level),
        lambda: metrics.intraclass([1, 2, 3, 4], [0, 0, 1, 1], level=level),
    ):
        with pytest.raises(ValueError, match="level must lie between 0 and 1"):
            interval()


@pytest.mark.parametrize("permutations", [0, -5])
def test_a_test_without_permutations_is_refused(permutations):
    with pytest.raises(ValueError, match="at least 1"):
        metrics.permutation_p(np.eye(4)[None], permutations=permutations)
