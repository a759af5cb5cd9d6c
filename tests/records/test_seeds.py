"""Units that differ in their seed alone count once, and what is said of them holds for each."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from roa_helpers import metrics, studies
from roa_helpers.page import claims
from roa_helpers.records import seeds
from roa_helpers.studies.roi_roa import comparison, results, words

bounds = st.tuples(st.floats(-1, 1), st.floats(-1, 1)).map(sorted)


def test_the_mean_and_the_span_of_the_intervals():
    value, interval, n = seeds.across([(0.2, (0.1, 0.4), 30), (0.4, (0.3, 0.5), 28)])
    assert (value, interval, n) == (pytest.approx(0.3), (0.1, 0.5), 28)
    assert seeds.across([(0.2, (0.1, 0.4), 30)]) == (0.2, (0.1, 0.4), 30)


def test_what_one_seed_leaves_undefined_stays_undefined():
    value, interval, _ = seeds.across([(np.nan, (np.nan, np.nan), 3), (0.4, (0.3, 0.5), 3)])
    assert np.isnan([value, *interval]).all()


@given(intervals=st.lists(bounds, min_size=1, max_size=4), bound=st.floats(-1, 1))
def test_a_verdict_stands_only_if_it_holds_for_every_seed(intervals, bound):
    _, interval, _ = seeds.across([(0.0, one, 1) for one in intervals])
    each = {claims.judge(one, bound) for one in intervals}
    assert claims.judge(interval, bound) == (each.pop() if len(each) == 1 else claims.UNDECIDED)


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
        assert (row.low, row.high) == (min(i.low for i in intervals), max(i.high for i in intervals))
    assert "Of 4 numbers" in words.answer("A11", table)


def test_verdicts_are_given_once_for_all_seeds(two_seeds):
    together, alone = studies.verdicts(two_seeds), [studies.verdicts([unit]) for unit in two_seeds]
    assert len(together) == len(alone[0]) and (together.seeds == "0, 1").all()
    for row, first, second in zip(*(t.itertuples() for t in (together, *alone)), strict=True):
        assert row.id == first.id == second.id and row.case == first.case
        if row.verdict != claims.UNDECIDED:
            assert row.verdict == first.verdict == second.verdict
        if np.isfinite(first.ours + second.ours):
            assert row.ours == pytest.approx((first.ours + second.ours) / 2)
