"""Numbers in words, by exact texts."""

import numpy as np
import pandas as pd
import pytest

from roa_helpers import metrics
from roa_helpers.page import words


def test_signs_spans_and_intervals_are_typographic():
    assert words.minus(-0.25, "+.1f") == "−0.2" and words.minus(3, "") == "3"
    assert words.span([3, 1, 2]) == "1 to 3" and words.span([0.501, 0.502], ".2f") == "0.50"
    assert words.bracketed(-0.5, -1, 0.25, ".2f") == "−0.50 [−1.00, 0.25]"
    assert words.percent(0.5, 0.412, 0.588) == "50.0 [41.2, 58.8]"
    assert words.points(0.031, 0.01, -0.052) == "+3.1 [+1.0, −5.2]"
    low, high = metrics.wilson(1000, 2000)
    assert words.percent_of(1000, 2000) == f"50.0 [{100 * low:.1f}, {100 * high:.1f}]"
    assert words.share_of(1000, 2000) == f"1,000 of 2,000 (50.0% [{low:.1%}, {high:.1%}])"
    assert words.images_a_direction([60, 200, 80]) == "n = 60 to 200 test images a direction"


def test_what_rounds_to_zero_has_no_minus():
    assert [words.minus(-0.0001, form) for form in (".2f", "+.1f", ".1%")] == ["0.00", "+0.0", "0.0%"]
    assert words.minus(-0.006, ".2f") == "−0.01"


def test_lists_counts_and_capitals():
    assert words.listed(["a"]) == "a" and words.listed(["a", "b", "c"]) == "a, b and c"
    assert words.listed(["a, b", "c"]) == "a, b and c" and words.listed(["a, b", "c", "d"]) == "a, b; c; and d"
    assert words.counted(1, "unit") == "1 unit" and words.counted(2, "unit") == "2 units"
    assert words.capitalised("the RoI") == "The RoI" and words.capitalised("") == ""


def test_a_caption_tells_of_several_seeds_only_where_there_are():
    assert words.seeds_note(pd.DataFrame({"seeds": ["0", "0, 1"]})) == (
        " Of several seeds, here and below: the mean, its 95 % interval over networks and images."
    )
    assert words.seeds_note(pd.DataFrame({"seeds": ["0", "1"]})) == ""


@pytest.mark.parametrize("value", [100 * 0.5075, 203 * 100 / 400, 0.5075 * 100.0, 203 / 400 * 100])
def test_a_number_is_rounded_once_whatever_it_was_computed_by(value):
    assert words.minus(value, ".1f") == words.minus(203 / 400, ".1%")[:-1] == "50.8"


def test_nouns_have_their_article():
    assert [words.an(name) for name in ("airplane", "Trouser", "8", "Uninfected", "0")] == [
        "an airplane", "a Trouser", "an 8", "an Uninfected", "a 0",
    ]  # fmt: skip


def test_what_a_chart_shows_is_told_from_its_data():
    table = pd.DataFrame({"set": ["a", "b", "a", "b"], "blob": ["own", "own", "other", "other"],
                          "change": [-0.125, 0.5, 0.25, np.nan], "high": [0, 0.6, 0.1, 0]})  # fmt: skip
    told = words.ranges(table, "change", of=["set"], by=["blob"], form="+.1f", scale=100, bound=0)
    assert told == "own: −12.5 (a) to +50.0 (b), median +18.8, above 0 in 1 of 2; other: +25.0 (a), above 0 in 1 of 1."
    assert words.ranges(table, "change", of=["set", "blob"], bound="high") == (
        "−0.12 (a, own) to 0.50 (b, own), median 0.25, above high in 1 of 3."
    )
    assert words.ranges(table[3:], "change", of=["set"]) == "No values."
    assert words.ranges(table.assign(change=0.5), "change", of=["set"], bound=0) == "0.50 throughout."
    named = words.ranges(table[:1], "change", of=["set"], by=["blob"], names={"own": "its own"})
    assert named == "its own: −0.12 (a)."


def test_shares_and_levels_are_told():
    assert words.parts_of(pd.Series(["U", "U", "V", "U"])) == "U 75%, V 25%"
    assert words.levels({"the_one": np.eye(2), "other": np.zeros(3)}) == "mean 0.00 (other) to 0.50 (the one)."
