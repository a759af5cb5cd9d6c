"""The thesis's conclusions, judged from hits and from what it prints."""

import numpy as np
import pytest

from roa_helpers import metrics, studies
from roa_helpers.page import claims
from roa_helpers.studies.blurring.claims import ALL
from roa_helpers.studies.blurring.published import MODELS, ROWS, TABLES


def case(model, row):
    return f"{MODELS[model]}, {ROWS[row]}"


def test_conclusions_are_judged_from_hits(units):
    table = studies.verdicts(units[:1])
    hits = units[0].arrays["hits"].astype(float)
    row = table[(table.id == "trained") & (table.case == case("pgd", "fgsm_blur"))].iloc[0]
    change = hits[4, 2].mean(0) - hits[0, 2].mean(0)
    assert row.ours == pytest.approx(change.mean()) and (row.low, row.high) == pytest.approx(metrics.bootstrap(change))
    row = table[(table.id == "early") & (table.case == case("original", "blur_newtonfool"))].iloc[0]
    assert row.ours == pytest.approx((hits[0, 0, 1:] - hits[0, 3, 1:]).mean())
    row = table[(table.id == "late") & (table.case == ALL)].iloc[0]
    change = np.mean([hits[m, r, 1:] - hits[m, 0, 1:] for m in range(5) for r in (2, 4)])
    assert row.ours == pytest.approx(change)
    row = table[(table.id == "trained-loss") & (table.case == case("gradient", "blur_fgsm"))].iloc[0]
    assert row.ours == pytest.approx(((hits[0, 0] - hits[0, 1]) - (hits[1, 0] - hits[1, 1])).mean())
    assert (table["paper toward"] == "").all() and len(table) == 2 * 17 + 2 * 11
    assert claims.judged(table).case.tolist() == [ALL] * 4 and (table.networks == 1).all()


def test_an_a_that_does_not_classify_is_no_test(units):
    unit = units[0]
    for k, why in ((13, ""), (6, "the network is not clearly right on more than 55% of its test images")):
        told = unit.result["model"] | {"accuracy": {"k": k, "n": 15}}
        unit.__dict__["result"] = unit.result | {"model": told, "classes": list(range(10))}
        table = studies.verdicts([unit])
        assert set(table.why) == {why} and (claims.NOT_TESTABLE in set(table.verdict)) == bool(why)
        del unit.__dict__["result"]


def test_what_the_thesiss_numbers_point_to_stands_beside(units):
    table = studies.verdicts(units[1:])
    row = table[(table.id == "trained") & (table.case == case("lrp_epsilon", "fgsm_blur"))].iloc[0]
    mean = {m: np.mean(TABLES[m][2]) / 100 for m in ("original", "lrp_epsilon")}
    assert row.paper == pytest.approx(mean["lrp_epsilon"] - mean["original"])
    expected = metrics.newcombe(round(300 * mean["original"]), 300, round(300 * mean["lrp_epsilon"]), 300)
    assert (row.paper_low, row.paper_high) == pytest.approx(tuple(expected), abs=0.002)  # Newcombe rounds the value too
    whole = table[table.case == ALL].set_index("id")["paper toward"]
    assert whole["early"] == "reproduced" and whole["late"] == "undecided"  # −1.1 points, give or take six
