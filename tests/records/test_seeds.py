"""Units that differ in their seed alone count once: a mean with its interval over networks and images."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from roa_helpers import evidence, metrics, studies
from roa_helpers.page import claims
from roa_helpers.records import seeds
from roa_helpers.studies.roi_roa import comparison, results, words

bounds = st.tuples(st.floats(-1, 1), st.floats(-1, 1)).map(sorted)


def test_the_mean_and_the_interval_over_networks():
    value, interval, n = seeds.across([(0.2, (0.1, 0.4), 30), (0.4, (0.3, 0.5), 28)])
    mean, whole = evidence.over_networks([0.2, 0.4], [(0.1, 0.4), (0.3, 0.5)])
    assert (value, interval, n) == (mean, whole, 28)
    assert seeds.across([(0.2, (0.1, 0.4), 30), (0.4, (0.3, 0.5), 28)], limits=(0, 1))[1] == (0, 1)
    assert seeds.across([(0.2, (0.1, 0.4), 30)]) == (0.2, pytest.approx((0.1, 0.4)), 30)
    assert np.isnan(seeds.across([(None, (None, None), 30)])[0])


def test_what_one_seed_leaves_undefined_stays_undefined():
    value, interval, _ = seeds.across([(np.nan, (np.nan, np.nan), 3), (0.4, (0.3, 0.5), 3)])
    assert np.isnan([value, *interval]).all()


@given(ends=st.lists(bounds, min_size=2, max_size=4))
def test_networks_that_differ_widen_the_interval(ends):
    _, alike, _ = seeds.across([(0.0, (-1, 1), 1)] * len(ends))
    _, apart, _ = seeds.across([(middle := sum(one) / 2, (middle - 1, middle + 1), 1) for one in ends])
    assert apart.high - apart.low >= alike.high - alike.low - 1e-12


def test_a_unit_is_one_network_told_apart_by_its_seed(two_seeds):
    assert [seeds.networks(unit) for unit in two_seeds] == [{0}, {1}]


def test_units_of_one_pair_are_found_together(units, two_seeds):
    assert [[u.path.name for u in pair] for pair in seeds.groups([*two_seeds, units[0]])] == [
        ["mnist-0-1-seed0", "mnist-0-1-seed1"], ["digits-0-1-seed0"],
    ]  # fmt: skip
    found = list(results.by_direction(two_seeds))
    assert [name for _, name, _ in found] == ["0 to 1", "1 to 0"]
    for pair, name, blocks in found:
        assert blocks == [unit.result["directions"][name] for unit in pair] and len(blocks) == 2
    assert seeds.columns(two_seeds) == {"profile": "desk", "seeds": "0, 1"}


def test_a_comparison_has_a_row_a_direction_whatever_the_number_of_seeds(two_seeds):
    table = comparison.compare("A11", two_seeds)
    assert len(table) == 4 and (table.seeds == "0, 1").all()
    for row in table.itertuples():
        score = {v: k for k, v in results.SCORES.items()}[row.quantity]
        counts = [unit.result["directions"][row.case]["scores"][score] for unit in two_seeds]
        intervals = [metrics.wilson(c["k"], c["n"]) for c in counts]
        assert row.ours == pytest.approx(np.mean([c["k"] / c["n"] for c in counts])) and row.n == 12
        shares = [c["k"] / c["n"] for c in counts]
        assert (row.low, row.high) == evidence.over_networks(shares, intervals, limits=(0, 1))[1]
        assert (row.next_low, row.next_high) == evidence.next_network(shares, intervals, limits=(0, 1))
        assert row.verdict == claims.TWO_NETWORKS and row.networks == 2
    assert "Of 4 numbers" in words.answer("A11", table)


def test_verdicts_are_given_once_for_all_seeds(two_seeds):
    together, alone = studies.verdicts(two_seeds), [studies.verdicts([unit]) for unit in two_seeds]
    assert len(together) == len(alone[0]) and (together.seeds == "0, 1").all()
    for row, first, second in zip(*(t.itertuples() for t in (together, *alone)), strict=True):
        assert row.id == first.id == second.id and row.case == first.case
        assert (row.networks, first.networks, second.networks) == (2, 1, 1)
        if np.isfinite(first.ours + second.ours):
            assert row.ours == pytest.approx((first.ours + second.ours) / 2)
