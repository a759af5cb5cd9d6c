"""One engine judges all claims: three networks at least, Holm's correction, what is no test told apart."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from roa_helpers import evidence, metrics
from roa_helpers.page import claims, tables
from roa_helpers.page.claims import (
    AGREES,
    CONTRADICTED,
    DIFFERS,
    NO_VALUE,
    NOT_JUDGED,
    NOT_TESTABLE,
    ONE_NETWORK,
    REPRODUCED,
    TWO_NETWORKS,
    UNDECIDED,
    Claim,
    Estimate,
)

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


def judged(claims_, units, **more):
    return claims.verdicts(claims_, units, where=lambda unit: unit.name, **more)


def thrice(name, cases, *, seeds=3):
    """Units of as many networks that all say the same."""
    return [Made(name, cases, seed) for seed in range(seeds)]


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
    units = thrice("a", {"x": (0.3, (0.2, 0.4), 9), "y": (0.1, (-0.1, 0.2), 8)})
    units += thrice("b", {"x": (-1, (-1.5, -0.5), 7)})
    table = judged((made("one"), made("two", bound=0.25, above=False, percent=True)), units)
    assert list(table) == claims.COLUMNS
    assert table[["id", "where", "case"]].to_numpy().tolist() == [
        [name, *place] for name in ("one", "two") for place in (("a", "x"), ("a", "y"), ("b", "x"))
    ]
    assert table.verdict.tolist() == [REPRODUCED, UNDECIDED, CONTRADICTED, UNDECIDED, REPRODUCED, REPRODUCED]
    assert table.toward.tolist() == table.verdict.tolist() and (table.networks == 3).all()
    assert table.n.tolist() == [9, 8, 7] * 2 and table.percent.tolist() == [False] * 3 + [True] * 3
    assert table.paper.isna().all() and (table["paper toward"] == "").all()


def test_units_that_differ_in_their_seed_are_one_row_over_networks_and_images():
    found = {0: (0.28, (0.2, 0.4), 7), 1: (0.3, (0.2, 0.4), 9), 2: (0.32, (0.2, 0.4), 9)}
    (row,) = judged((made(),), [Made("a", {"": one}, seed=seed) for seed, one in found.items()]).itertuples()
    values, intervals, _ = zip(*found.values(), strict=True)
    assert (row.low, row.high) == evidence.over_networks(values, intervals)[1]
    assert (row.next_low, row.next_high) == evidence.next_network(values, intervals)
    assert (row.ours, row.n, row.p) == (pytest.approx(0.3), 7, evidence.p_value(values, intervals, 0.0))
    assert (row.verdict, row.seeds, row.profile) == (REPRODUCED, "0, 1, 2", "desk")


def test_intervals_end_where_values_must_and_verdicts_stay():
    units = [Made("a", {"": (value, (value - 0.1, value + 0.1), 9)}, seed) for seed, value in enumerate((0.9, 0.7, 1))]
    table = judged((made(bound=0.5), made("d", bound=0.5, limits=(0.0, 1.0))), units)
    assert table.high[0] > 1 == table.high[1] == table.next_high[1] and table.low[0] == table.low[1]
    assert table.p[0] == table.p[1] and table.verdict[0] == table.verdict[1]


@pytest.mark.parametrize(("seeds", "verdict"), [(1, ONE_NETWORK), (2, TWO_NETWORKS), (3, REPRODUCED)])
def test_fewer_than_three_networks_decide_nothing(seeds, verdict):
    (row,) = judged((made(),), thrice("a", {"": (0.3, (0.29, 0.31), 9000)}, seeds=seeds)).itertuples()
    assert (row.verdict, row.toward, row.networks) == (verdict, REPRODUCED, seeds)
    assert np.isnan(row.p) == (seeds < 3) == np.isnan(row.p_holm)


def test_networks_are_counted_not_units():
    values = {0: 0.2, 1: 0.3, 2: 0.7}
    units = [Made("a", {"": (value, (value - 0.1, value + 0.1), 9)}, seed=seed) for seed, value in values.items()]
    (row,) = judged((made(),), units, networks=lambda unit: frozenset({"the same"})).itertuples()
    assert (row.networks, row.verdict, row.ours) == (1, ONE_NETWORK, pytest.approx(0.4))
    assert row.high - row.low == pytest.approx(0.2)  # no spread over networks: there is but one
    (row,) = judged((made(),), units[:1], networks=lambda unit: frozenset(range(45))).itertuples()
    assert (row.networks, row.verdict) == (45, REPRODUCED)


def test_no_effect_gets_a_wrong_verdict_in_at_most_5_percent_of_all_pages():
    """Ten claims of three networks each, whose spread and error are as large as each other; the truth is the bound."""
    rng, wrong, runs = np.random.default_rng(0), 0, 400
    for _ in range(runs):
        found = rng.normal(0, 0.03, (10, 3)) + rng.normal(0, 0.03, (10, 1))
        p = [evidence.p_value(one, [(v - 0.0588, v + 0.0588) for v in one], 0.0) for one in found]
        wrong += evidence.holm(p).min() < claims.ALPHA
    assert wrong / runs <= 0.05


def test_verdicts_are_holms_over_all_rows_that_can_be_decided():
    cases = {str(k): (0.3, (0.0 + 0.01 * k, 0.6), 9) for k in range(1, 6)}  # p from .05 to .02
    table = judged((made(),), thrice("a", cases))
    assert (table.toward == REPRODUCED).all() and (table.verdict == UNDECIDED).all()
    assert table.p_holm.tolist() == evidence.holm(table.p).tolist() and (table.p < 0.05).all()
    alone = judged((made(),), thrice("a", {"5": cases["5"]}) + thrice("b", cases, seeds=2))
    assert alone.verdict.tolist() == [REPRODUCED] + [TWO_NETWORKS] * 5
    assert (judged((made(),), thrice("a", cases), of_paper=lambda unit: False).verdict == UNDECIDED).all()
    apart = judged((made(),), thrice("a", {"5": cases["5"]}) + thrice("b", cases), of_paper=lambda u: u.name == "a")
    assert apart.verdict.tolist() == [REPRODUCED] + [UNDECIDED] * 5


def test_what_is_no_test_is_a_verdict_with_its_reason():
    units = thrice("a", {"": Estimate(0.3, (0.2, 0.4), 9, why="no attack")})
    (row,) = judged((made(),), units).itertuples()
    assert (row.verdict, row.why, row.toward, row.ours) == (NOT_TESTABLE, "no attack", "", pytest.approx(0.3))
    units[1] = Made("a", {"": (0.3, (0.2, 0.4), 9)}, 1)
    table = judged((made(),), units)
    assert table.why[0] == "in 2 of 3 networks, no attack" and table.verdict[0] == NOT_TESTABLE
    assert claims.spoken(table)[0] == "not testable (in 2 of 3 networks, no attack)"
    assert claims.spoken(table, reasons=False)[0] == NOT_TESTABLE


def test_a_claim_is_no_test_for_units_that_give_a_reason():
    estimate = claims.unless(lambda unit: "too weak" * (unit.name == "b"), given_by)
    units = thrice("a", {"": (1, (0.5, 2), 9)}) + thrice("b", {"": (1, (0.5, 2), 9)})
    table = judged((Claim("c", "claim", "a rule", estimate),), units)
    assert table.verdict.tolist() == [REPRODUCED, NOT_TESTABLE] and table.why.tolist() == ["", "too weak"]


def test_a_network_is_trained_where_it_is_clearly_nearer_to_no_error_than_to_chance():
    assert claims.untrained({"k": 80, "n": 100}, 10) == "" and claims.untrained({"k": 99, "n": 100}, 2) == ""
    assert "75%" in claims.untrained({"k": 80, "n": 100}, 2)  # Wilson: from .711
    assert "55%" in claims.untrained({"k": 10, "n": 100}, 10)


def test_a_part_stands_beside_the_whole_without_a_verdict():
    cases = {"all": (1, (0.5, 2), 9), "x": (-1, (-2, -0.5), 9)}
    table = judged((made(judged=lambda case: case == "all"),), thrice("a", cases))
    assert table.verdict.tolist() == [REPRODUCED, NOT_JUDGED] and table.toward.tolist() == [REPRODUCED, CONTRADICTED]
    assert np.isnan(table.p[1]) and table.p_holm[0] == table.p[0]
    assert claims.judged(table).case.tolist() == ["all"] and claims.summary(table).columns.tolist() == [
        "claim", REPRODUCED,
    ]  # fmt: skip
    assert claims.grid(table).a.tolist() == ["● (○)"] and "in brackets" in claims.legend(table)
    decided = claims.judged(table)
    assert "brackets" not in claims.legend(decided) and "in brackets" in claims.legend(decided, table)


def test_what_the_papers_numbers_point_to_stands_beside_ours_and_alone():
    claim = made(
        paper=lambda unit: {"x": (0.5, (0.4, 0.6)), "y": (0.2, claims.UNKNOWN)},
        alone={("the paper", "z"): (-0.5, (-0.6, -0.4), 2000)},
    )
    table = judged((claim,), thrice("a", {"x": (0.1, (-0.1, 0.3), 9), "y": (0.1, (0.05, 0.3), 9)}))
    assert table["paper toward"].tolist() == [REPRODUCED, "", CONTRADICTED]
    assert table.verdict.tolist() == [UNDECIDED, REPRODUCED, ""]
    assert table.n.tolist() == [9, 9, 2000] and np.isnan(table.ours[2]) and table.paper.tolist() == [0.5, 0.2, -0.5]
    assert claims.of_units(table).case.tolist() == ["x", "y"]
    assert claims.grid(table).to_dict("records") == [{"claim": "claim c", "a": "◐ ●", "the paper": "(○)"}]


def test_a_claim_about_all_units_together_has_rows_of_its_own():
    def spread(groups):
        return {"": (len(groups), (0.5, 3.0), len(groups))}

    units = [Made("a", {}), Made("a", {}, seed=1), Made("b", {})]
    table = judged((Claim("t", "together", "a rule", spread, together="all sets"),), units)
    assert table[["where", "ours", "profile", "seeds", "verdict", "networks"]].to_numpy().tolist() == [
        ["all sets", 2.0, "desk", "0 and 0, 1", REPRODUCED, 3]
    ]
    table = judged((Claim("t", "together", "a rule", spread, together="all sets"),), units, of_paper=lambda u: u.seed)
    assert table.ours.tolist() == [2.0]  # a group is the paper's if its first unit is; without any, all count
    table = judged(
        (Claim("t", "together", "a rule", spread, together="all sets"),), units, of_paper=lambda u: u.name == "b"
    )
    assert table[["ours", "seeds", "networks", "verdict"]].to_numpy().tolist() == [[1.0, "0", 1, ONE_NETWORK]]


def test_without_claims_or_units_there_is_an_empty_table_of_the_same_shape():
    for table in (judged((), [Made("a", {})]), judged((made(together="x"), made()), [])):
        assert table.empty and list(table) == claims.COLUMNS


def test_verdicts_are_counted_in_the_order_of_the_claims():
    units = thrice("a", {"x": (1, (0.9, 2), 9), "y": (-1, (-2, -0.9), 9), "z": (1, (0.9, 2), 9)})
    table = judged((made("b", statement="s"), made("a", statement="s")), units)
    assert claims.summary(table).to_numpy().tolist() == [["claim b", 2, 1], ["claim a", 2, 1]]
    assert claims.summary(table, by="statement").to_dict("records") == [
        {"statement": "s", REPRODUCED: 4, CONTRADICTED: 2}
    ]


def test_cases_are_told_together_where_all_agree_and_one_by_one_where_not():
    units = thrice("a", {"x": (1, (0.5, 2), 9), "y": (1, (0.5, 2), 9)}) + thrice("b", {"x": (1, (0.5, 2), 9)})
    rows = judged((made(),), units)
    assert claims.told(rows) == "reproduced in all 3 cases"
    assert claims.told(rows[2:]) == "reproduced"
    more = {"x": (0, (-1, 1), 9), "y": (1, (0.5, 2), 9), "": (-1, (-1.5, -0.5), 9)}
    rows = judged((made(),), [*units, *thrice("c", more)])
    assert claims.told(rows) == "reproduced for a, b, c (y); undecided for c (x); contradicted for c"
    assert claims.told(rows, form=".1f") == (
        "reproduced for a (x, 1.0), a (y, 1.0), b (x, 1.0), c (y, 1.0); undecided for c (x, 0.0); "
        "contradicted for c (−1.0)"
    )
    assert claims.told(rows[:0]) == ""
    rows = judged((made(),), [*units, Made("c", more)])
    assert claims.told(rows) == (
        "reproduced for a, b; one network for c (x); one network, toward reproduced for c (y); "
        "one network, toward contradicted for c"
    )


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
    rounding: float = 0.005


@pytest.mark.parametrize(
    ("printed", "verdict"),
    [
        (Printed(0.43, (0.33, 0.53)), AGREES), (Printed(0.9, (0.8, 0.95)), DIFFERS), (Printed(0.3), AGREES),
        (Printed(0.5), DIFFERS), (None, NO_VALUE), (Printed(0.404), AGREES), (Printed(0.406), DIFFERS),
        (Printed(0.45, (0.4, 0.5)), DIFFERS),  # the intervals overlap, the difference is .15 ± .11
    ],
)  # fmt: skip
def test_a_printed_number_agrees_where_the_interval_of_the_difference_holds_0(printed, verdict):
    row = claims.beside(printed, [(0.3, metrics.Interval(0.2, 0.4), 12)] * 3)
    assert row["verdict"] == verdict and row["networks"] == 3
    assert (row["ours"], row["low"], row["high"], row["n"]) == (0.3, pytest.approx(0.2), pytest.approx(0.4), 12)
    assert np.isnan(row["paper"]) == (printed is None)
    few = claims.beside(printed, [(0.3, metrics.Interval(0.2, 0.4), 12)])
    assert few["verdict"] == (ONE_NETWORK if printed else NO_VALUE) and few["toward"] == row["toward"]


def test_the_interval_of_the_difference_is_newcombes():
    paper, ours = metrics.wilson(30, 32), metrics.wilson(350, 400)
    row = claims.beside(Printed(30 / 32, paper), [(350 / 400, ours, 400)])
    assert (row["difference_low"], row["difference_high"]) == pytest.approx(metrics.newcombe(30, 32, 350, 400))


def test_an_undefined_number_of_ours_neither_agrees_nor_differs():
    row = claims.beside(Printed(0.5, (0.4, 0.6)), [(NAN, claims.UNKNOWN, 0)])
    assert row["verdict"] == NOT_TESTABLE and row["toward"] == ""


def test_a_number_that_a_result_holds_as_null_is_undefined():
    row = judged((made(),), [Made("a", {"": (None, (None, None), 9)})]).iloc[0]
    assert np.isnan([row.ours, row.low, row.high]).all()
    assert (row.verdict, row.why) == (NOT_TESTABLE, "there is nothing to measure it on")
    row = judged((made(),), [Made("a", {"": (0.5, claims.UNKNOWN, 9)})]).iloc[0]
    assert (row.ours, row.verdict, row.why) == (0.5, NOT_TESTABLE, "it has no interval")


def test_a_case_that_not_every_seed_has_counts_for_those_that_have_it():
    units = [Made("a", {"x": (0.3, (0.2, 0.4), 9)}), Made("a", {"y": (0.5, (0.4, 0.6), 8)}, seed=1)]
    table = judged((made(),), units)
    assert table[["case", "ours", "n", "seeds"]].values.tolist() == [["x", 0.3, 9, "0"], ["y", 0.5, 8, "1"]]


def test_a_printed_number_without_an_interval_has_no_verdict_of_its_own():
    row = judged((made(paper=lambda unit: {"": (0.7, None)}),), [Made("a", {"": (0.3, (0.2, 0.4), 9)})]).iloc[0]
    assert (row.paper, row["paper toward"], row.verdict) == (0.7, "", ONE_NETWORK)


def test_a_table_is_set_with_intervals_in_percent_where_the_claim_says_so():
    units = [Made("a", {"x": (0.3, (0.2, 0.4), 9)}), Made("b", {"": (0.1, claims.UNKNOWN, 8)})]
    table = judged((made("one"), made("two", percent=True)), units)
    shaped = tables.present(table)
    assert shaped.ours.tolist() == ["0.300 [0.200, 0.400]", "0.100", "30.0 [20.0, 40.0]", "10.0"]
    assert shaped["where"].tolist() == ["a: x", "b"] * 2 and "paper" not in shaped and "run" not in shaped
    assert shaped.verdict.tolist()[:2] == ["one network, toward reproduced", "× not testable (it has no interval)"]
    assert "next network" not in shaped and shaped.networks.tolist() == [1] * 4
    two = pd.concat([table, table.assign(seeds="0, 1", next_low=-0.1, next_high=0.5)])
    shaped = tables.present(two)
    assert set(shaped.run) == {"desk, seed 0", "desk, seeds 0, 1"}
    assert shaped["next network"].tolist()[3:] == [
        "",
        "−0.100 to 0.500",
        "−0.100 to 0.500",
        "−10.0 to 50.0",
        "−10.0 to 50.0",
    ]


def test_sentences_count_what_is_about_the_paper_or_else_what_there_is():
    table = pd.DataFrame({"of_paper": [True, False, True], "id": ["a", "b", "c"]})
    assert claims.counted(table).id.tolist() == ["a", "c"]
    assert claims.counted(table[1:2]).id.tolist() == ["b"]


@pytest.mark.parametrize(
    ("reasons", "told"),
    [
        (["", "no attack: 1", "no attack: 2"], "in 2 of 3 networks, no attack: 1 and 2"),
        (["no attack: 1", "no attack: 2", "no attack: 1"], "no attack: 1, 2 and 1"),
        (["a: 1.5 of 2 %", "a: 1 of 2 %", "a: 1.52 of 2 %"], "a: 1.5, 1 and 1.52 of 2 %"),
        (["a: 1 more", "a: 1 less", "a: 1 more"], "a: 1 more / 1 less"),
        (["no attack: 1", "empty", ""], "in 1 of 3 networks, no attack: 1; in 1 of 3 networks, empty"),
        (["empty", "empty", "empty"], "empty"),
    ],
)
def test_reasons_that_differ_in_their_numbers_are_one(reasons, told):
    units = [Made("a", {"": Estimate(0.3, (0.2, 0.4), 9, why=why)}, seed) for seed, why in enumerate(reasons)]
    assert judged((made(),), units).why[0] == told
