"""Orders of pixels, partial explanations of equal size, their scores."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from roa_helpers import metrics
from roa_helpers.studies.localized import recovery


def drawn(seed, side=6):
    """An order of side² pixels, three budgets, a region that is not empty."""
    rng = np.random.default_rng(seed)
    region = rng.random((side, side)) < 0.3
    region[0, 0] = True
    return rng.permutation(side**2), np.sort(rng.integers(0, side**2 + 1, 3)), region


def twin(order, budgets, region):
    """Both scores, each partial explanation built as a mask and compared by the definitions."""
    masks = np.zeros((len(budgets), region.size), dtype=bool)
    for mask, budget in zip(masks, budgets, strict=True):
        for position in order[:budget]:
            mask[position] = True
    masks, regions = masks.reshape(-1, *region.shape), np.stack([region] * len(budgets))
    return metrics.jaccard(masks, regions), metrics.hamming_likeness(masks, regions)


@given(seed=st.integers(0, 10_000))
def test_scores_equal_their_twin_and_stay_below_the_bound(seed):
    order, budgets, region = drawn(seed)
    found = recovery.scores(order, budgets, region)
    np.testing.assert_allclose(found, twin(order, budgets, region), atol=1e-15)
    best = recovery.bound(budgets, int(region.sum()), region.size)
    assert all((score <= limit + 1e-15).all() for score, limit in zip(found, best, strict=True))


def test_at_one_size_both_scores_order_explanations_alike():
    _, budgets, region = drawn(3)
    rng = np.random.default_rng(0)
    found = np.array([recovery.scores(rng.permutation(36), budgets, region) for _ in range(50)])
    for k in range(len(budgets)):
        assert (np.argsort(found[:, 0, k], kind="stable") == np.argsort(found[:, 1, k], kind="stable")).all()


def test_scores_of_a_small_example():
    region = np.array([[True, True], [False, False]])
    jaccard, hamming = recovery.scores(np.array([0, 2, 1, 3]), [0, 1, 2, 3, 4], region)
    assert jaccard.tolist() == [0, 1 / 2, 1 / 3, 2 / 3, 1 / 2]
    assert hamming.tolist() == [0.5, 0.75, 0.5, 0.75, 0.5]


@pytest.mark.parametrize(
    ("order", "budgets", "region"),
    [([0, 1, 2], [1], np.ones((2, 2), bool)), ([0, 1, 2, 3], [5], np.ones((2, 2), bool)),
     ([0, 1, 2, 3], [-1], np.ones((2, 2), bool)), ([0, 1, 2, 3], [1], np.zeros((2, 2), bool))],
)  # fmt: skip
def test_sizes_that_do_not_fit_are_refused(order, budgets, region):
    with pytest.raises(ValueError, match="need an order of all pixels"):
        recovery.scores(np.array(order), budgets, region)


def test_pixels_are_ordered_by_relevance_and_ties_by_the_seed():
    relevance = np.array([[0.0, 3.0, 0.0], [1.0, 0.0, 2.0]])
    orders = [recovery.ordered(relevance, seed=seed) for seed in range(8)]
    assert all(order[:3].tolist() == [1, 5, 3] and sorted(order[3:]) == [0, 2, 4] for order in orders)
    assert len({tuple(order) for order in orders}) > 1
    assert (recovery.ordered(relevance, seed=0) == orders[0]).all()


def test_negative_gradients_are_discarded_before_the_norm():
    gradients = torch.tensor([[[[1.0, -5.0]], [[2.0, -1.0]], [[-4.0, 3.0]]]])
    assert recovery.positive_norm(gradients).tolist() == [[[3.0, 3.0]]]


@given(seed=st.integers(0, 10_000))
def test_levels_hold_every_partial_explanation(seed):
    order, budgets, region = drawn(seed)
    levels = recovery.levels(order, budgets, region.shape)
    for n, budget in enumerate(budgets, start=1):
        assert set(np.flatnonzero((levels > 0) & (levels <= n))) == set(order[:budget])


def test_unions_become_an_order_that_gives_them_back():
    unions = np.array([[[1, 0, 0, 0]], [[1, 0, 1, 0]], [[1, 0, 1, 0]]], dtype=bool)
    order = recovery.ordered(recovery.union_relevance(unions), seed=0)
    for union in unions:
        assert set(order[: union.sum()]) == set(np.flatnonzero(union))
