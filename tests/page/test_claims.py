"""One engine judges all claims: intervals against bounds, seeds counted once, the paper's numbers by the same rule."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from roa_helpers import metrics
from roa_helpers.page import claims, tables
from roa_helpers.page.claims import AGREES, CONTRADICTED, DIFFERS, NO_VALUE, REPRODUCED, UNDECIDED, Claim

NAN = float("nan")


@dataclass(frozen=True)
class Made:
    """A unit that holds one number with its interval for each case."""

    name: str
    cases: dict
    seed: int = 0
    result: dict = field(default_factory=dict)

    @property
    def path(self):
        return Path(f"desk/study/{self.name}-seed{self.seed}")

    def __post_init__(self):
        self.result.update(seed=self.seed, profile="desk")


def given_by(unit):
    return unit.cases


def made(claim_id="c", **more):
    return Claim(claim_id, f"claim {claim_id}", "a rule", given_by, **more)


def judged(claims_, units):
    return claims.verdicts(claims_, units, where=lambda unit: unit.name)


@pytest.mark.parametrize(
    ("low", "high", "bound", "above", "below"),
    [
        (0.1, 0.2, 0.0, REPRODUCED, CONTRADICTED), (-0.2, -0.1, 0.0, CONTRADICTED, REPRODUCED),
        (-0.1, 0.1, 0.0, UNDECIDED, UNDECIDED), (0.0, 0.0, 0.0, UNDECIDED, UNDECIDED),
        (NAN, NAN, 0.0, UNDECIDED, UNDECIDED), (NAN, -0.5, 0.0, UNDECIDED, UNDECIDED),
        (0.5, NAN, 0.0, UNDECIDED, UNDECIDED), (0.6, 0.7, 0.5, REPRODUCED, CONTRADICTED),
    ],
)  # fmt: skip
def test_a_verdict_reads_the_interval(low, high, bound, above, below):
    assert claims.judge((low, high), bound) == above
    assert claims.judge((low, high), bound, above=False) == below


@given(st.tuples(st.floats(-1, 1), st.floats(-1, 1)).map(sorted), st.floats(-1, 1))
def test_a_claim_below_a_bound_is_the_claim_above_it_mirrored(interval, bound):
    mirrored = [-end for end in interval[::-1]]
    assert claims.judge(interval, bound, above=False) == claims.judge(mirrored, -bound)


def test_a_row_a_claim_unit_and_case_in_that_order():
    units = [Made("a", {"x": (0.3, (0.2, 0.4), 9), "y": (0.1, (-0.1, 0.2), 8)}), Made("b", {"x": (-1, (-2, -0.5), 7)})]
    table = judged((made("one"), made("two", bound=0.25, above=False, percent=True)), units)
    assert list(table) == claims.COLUMNS
    assert table[["id", "where", "case"]].to_numpy().tolist() == [
        [name, *place] for name in ("one", "two") for place in (("a", "x"), ("a", "y"), ("b", "x"))
    ]
    assert table.verdict.tolist() == [REPRODUCED, UNDECIDED, CONTRADICTED, UNDECIDED, REPRODUCED, REPRODUCED]
    assert table.n.tolist() == [9, 8, 7] * 2 and table.percent.tolist() == [False] * 3 + [True] * 3
    assert table.paper.isna().all() and (table["paper's verdict"] == "").all()


def test_units_that_differ_in_their_seed_are_one_row_that_holds_for_each():
    units = [Made("a", {"": (0.3, (0.2, 0.4), 9)}, seed=1), Made("a", {"": (0.1, (0.05, 0.3), 7)}, seed=0)]
    (row,) = judged((made(),), units).itertuples()
    assert (row.ours, row.low, row.high, row.n) == (pytest.approx(0.2), 0.05, 0.4, 7)
    assert (row.verdict, row.seeds, row.profile) == (REPRODUCED, "0, 1", "desk")


def test_the_papers_numbers_are_judged_by_the_same_rule_beside_ours_and_alone():
    claim = made(
        paper=lambda unit: {"x": (0.5, (0.4, 0.6)), "y": (0.2, claims.UNKNOWN)},
        alone={("the paper", "z"): (-0.5, (-0.6, -0.4), 2000)},
    )
    unit = Made("a", {"x": (0.1, (-0.1, 0.3), 9), "y": (0.1, (0.05, 0.3), 9)})
    table = judged((claim,), [unit])
    assert table["paper's verdict"].tolist() == [REPRODUCED, "", CONTRADICTED]
    assert table.verdict.tolist() == [UNDECIDED, REPRODUCED, ""]
    assert table.n.tolist() == [9, 9, 2000] and np.isnan(table.ours[2]) and table.paper.tolist() == [0.5, 0.2, -0.5]
    assert claims.of_units(table).case.tolist() == ["x", "y"]
    assert claims.grid(table).to_dict("records") == [{"claim": "claim c", "a": "◐ ●", "the paper": "○"}]


def test_a_claim_about_all_units_together_has_rows_of_its_own():
    def spread(groups):
        return {"": (len(groups), (0.5, 3.0), len(groups))}

    units = [Made("a", {}), Made("a", {}, seed=1), Made("b", {})]
    table = judged((Claim("t", "together", "a rule", spread, together="all sets"),), units)
    assert table[["where", "ours", "profile", "seeds", "verdict"]].to_numpy().tolist() == [
        ["all sets", 2.0, "desk", "0 and 0, 1", REPRODUCED]
    ]


def test_without_claims_or_units_there_is_an_empty_table_of_the_same_shape():
    for table in (judged((), [Made("a", {})]), judged((made(together="x"), made()), [])):
        assert table.empty and list(table) == claims.COLUMNS


def test_verdicts_are_counted_in_the_order_of_the_claims():
    units = [Made("a", {"x": (1, (0.5, 2), 9), "y": (-1, (-2, -0.5), 9), "z": (1, (0.5, 2), 9)})]
    table = judged((made("b", statement="s"), made("a", statement="s")), units)
    assert claims.summary(table).to_numpy().tolist() == [["claim b", 2, 1], ["claim a", 2, 1]]
    assert claims.summary(table, by="statement").to_dict("records") == [
        {"statement": "s", REPRODUCED: 4, CONTRADICTED: 2}
    ]


def test_cases_are_told_together_where_all_agree_and_one_by_one_where_not():
    units = [Made("a", {"x": (1, (0.5, 2), 9), "y": (1, (0.5, 2), 9)}), Made("b", {"x": (1, (0.5, 2), 9)})]
    rows = judged((made(),), units)
    assert claims.told(rows) == "reproduced in all 3 cases"
    assert claims.told(rows[2:]) == "reproduced"
    rows = judged((made(),), [*units, Made("c", {"x": (0, (-1, 1), 9), "y": (1, (0.5, 2), 9), "": (-1, (-2, -1), 9)})])
    assert claims.told(rows) == "reproduced for a, b, c (y); undecided for c (x); contradicted for c"
    assert claims.told(rows, form=".1f") == (
        "reproduced for a (x, 1.0), a (y, 1.0), b (x, 1.0), c (y, 1.0); undecided for c (x, 0.0); "
        "contradicted for c (−1.0)"
    )
    assert claims.told(rows[:0]) == ""


def test_in_short_a_claim_has_its_interval_or_the_span_of_its_cases():
    claim = made(alone={("the paper", ""): (-0.5, (-0.6, -0.4), 9)})
    units = [Made("a", {"x": (0.25, (0.1, 0.5), 9), "y": (-1, (-2, -0.5), 9)}), Made("b", {"": (0.2, (0.1, 0.3), 9)})]
    assert claims.brief(judged((claim,), units)).to_dict("records") == [
        {"claim": "claim c", "a": "−1.00 to 0.25 (2 cases)", "b": "0.20 [0.10, 0.30]",
         "the paper": "−0.50 [−0.60, −0.40]"}
    ]  # fmt: skip


@dataclass(frozen=True)
class Printed:
    value: float
    interval: tuple | None = None


@pytest.mark.parametrize(
    ("printed", "verdict"),
    [
        (Printed(0.5, (0.4, 0.6)), AGREES), (Printed(0.9, (0.8, 0.95)), DIFFERS), (Printed(0.3), AGREES),
        (Printed(0.5), DIFFERS), (None, NO_VALUE), (Printed(0.45, (0.4, 0.5)), AGREES),
    ],
)  # fmt: skip
def test_a_printed_number_agrees_where_intervals_overlap_or_ours_holds_it(printed, verdict):
    row = claims.beside(printed, (0.3, metrics.Interval(0.2, 0.4), 12))
    assert row["verdict"] == verdict and (row["ours"], row["low"], row["high"], row["n"]) == (0.3, 0.2, 0.4, 12)
    assert np.isnan(row["paper"]) == (printed is None)


def test_an_undefined_number_of_ours_neither_agrees_nor_differs():
    assert claims.beside(Printed(0.5, (0.4, 0.6)), (NAN, claims.UNKNOWN, 0))["verdict"] == UNDECIDED


def test_a_number_that_a_result_holds_as_null_is_undefined():
    row = judged((made(),), [Made("a", {"": (None, (None, None), 9)})]).iloc[0]
    assert np.isnan([row.ours, row.low, row.high]).all() and row.verdict == UNDECIDED


def test_a_case_that_not_every_seed_has_counts_for_those_that_have_it():
    units = [Made("a", {"x": (0.3, (0.2, 0.4), 9)}), Made("a", {"y": (0.5, (0.4, 0.6), 8)}, seed=1)]
    table = judged((made(),), units)
    assert table[["case", "ours", "n", "seeds"]].values.tolist() == [["x", 0.3, 9, "0"], ["y", 0.5, 8, "1"]]


def test_a_printed_number_without_an_interval_has_no_verdict_of_its_own():
    row = judged((made(paper=lambda unit: {"": (0.7, None)}),), [Made("a", {"": (0.3, (0.2, 0.4), 9)})]).iloc[0]
    assert (row.paper, row["paper's verdict"], row.verdict) == (0.7, "", REPRODUCED)


def test_a_table_is_set_with_intervals_in_percent_where_the_claim_says_so():
    units = [Made("a", {"x": (0.3, (0.2, 0.4), 9)}), Made("b", {"": (0.1, claims.UNKNOWN, 8)})]
    table = judged((made("one"), made("two", percent=True)), units)
    shaped = tables.present(table)
    assert shaped.ours.tolist() == ["0.300 [0.200, 0.400]", "0.100", "30.0 [20.0, 40.0]", "10.0"]
    assert shaped["where"].tolist() == ["a: x", "b"] * 2 and "paper" not in shaped and "run" not in shaped
    assert shaped.verdict.tolist()[:2] == ["● reproduced", "◐ undecided"]
    two = pd.concat([table, table.assign(seeds="0, 1")])
    assert set(tables.present(two).run) == {"desk, seed 0", "desk, seeds 0, 1"}
