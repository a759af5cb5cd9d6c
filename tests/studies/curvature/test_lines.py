"""Shapes of curves: exact values, invariances, a slow twin."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from roa_helpers.studies.curvature import lines

S = np.linspace(-1, 1, 21)


def test_symmetric_odd_and_shifted_curves():
    shares, centres = lines.odd_share([S**2, S, (S - S[12]) ** 2, np.abs(S) + 3])
    assert shares == pytest.approx([0, 1, 0, 0])
    assert centres[2] == 12 and centres[0] == centres[3] == 10


def test_as_much_odd_as_even():
    even = np.where(np.abs(S) > 0.5, 1.0, -1.0)
    odd = np.sign(S) * (np.abs(S) > 0.01)
    even, odd = even / np.sqrt(((even - even[10:].mean()) ** 2)[10:].sum()), odd / np.sqrt((odd**2)[10:].sum())
    assert lines._odd((even + odd)[None], 10) == pytest.approx([0.5])


def odd_twin(curve, centre):
    """One curve, one offset at a time."""
    reach = min(centre, len(curve) - 1 - centre)
    odd = [(curve[centre + t] - curve[centre - t]) / 2 for t in range(reach + 1)]
    even = [(curve[centre + t] + curve[centre - t]) / 2 for t in range(reach + 1)]
    middle = sum(even) / len(even)
    a, b = sum(v * v for v in odd), sum((v - middle) ** 2 for v in even)
    return a / (a + b)


@given(st.integers(0, 500))
def test_the_odd_share_is_the_least_over_centres_of_the_middle_third(seed):
    curves = np.random.default_rng(seed).standard_normal((3, 15))
    shares, centres = lines.odd_share(curves)
    for curve, share, centre in zip(curves, shares, centres, strict=True):
        all_shares = {c: odd_twin(curve, c) for c in range(5, 10)}
        assert share == pytest.approx(min(all_shares.values())) and all_shares[centre] == pytest.approx(share)


@given(st.floats(0.1, 10), st.floats(-5, 5), st.integers(0, 200))
def test_scale_and_shift_of_scores_change_nothing(factor, shift, seed):
    curves = np.random.default_rng(seed).standard_normal((4, 21))
    moved = factor * curves + shift
    np.testing.assert_allclose(lines.odd_share(moved)[0], lines.odd_share(curves)[0], atol=1e-9)
    np.testing.assert_allclose(
        lines.backward_share(moved, rising=True), lines.backward_share(curves, rising=True), atol=1e-9
    )
    assert lines.interaction_share(moved) == pytest.approx(lines.interaction_share(curves))


def test_monotone_curves_and_a_curve_that_turns():
    back = lines.backward_share([S**2, -(S**2), np.cos(4 * np.pi * S)], rising=True)
    assert back[0] == 0 and back[1] > 0.5 and 0.3 < back[2] < 0.7
    assert lines.backward_share([-(S**2)], rising=False) == [0]
    curve = np.abs(S) * 10
    curve[-1] -= 2  # up by 9, down by 1 on the right; up by 10 on the left
    assert lines.backward_share([curve], rising=True) == pytest.approx([1 / 20])


def test_curves_that_differ_by_a_shift_have_no_interaction():
    shifted = np.stack([S**2, S**2 + 3, S**2 - 1])
    assert lines.interaction_share(shifted) == pytest.approx(0)
    assert lines.interaction_share(np.stack([S, -S])) == pytest.approx(1)
    assert lines.interaction_share(np.stack([S, 3 * S])) == pytest.approx(0.2)


def test_constant_curves_have_no_shape():
    flat = np.ones((2, 21))
    assert np.isnan(lines.odd_share(flat)[0]).all() and np.isnan(lines.backward_share(flat, rising=True)).all()
    assert np.isnan(lines.interaction_share(flat))


def test_area_is_a_mean_height():
    assert lines.area([2, 2, 2], [0, 1, 5]) == 2
    assert lines.area([[0, 1], [1, 3]], [0, 4]).tolist() == [0.5, 2]


@pytest.mark.parametrize("values", [np.ones(9), np.ones((2, 4)), np.ones((2, 3, 9))])
def test_too_few_positions(values):
    with pytest.raises(ValueError, match="at least 5 positions"):
        lines.odd_share(values)
