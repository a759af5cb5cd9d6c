"""Numbers in words, by exact texts."""

import pandas as pd

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


def test_lists_counts_and_capitals():
    assert words.listed(["a"]) == "a" and words.listed(["a", "b", "c"]) == "a, b and c"
    assert words.counted(1, "unit") == "1 unit" and words.counted(2, "unit") == "2 units"
    assert words.capitalised("the RoI") == "The RoI" and words.capitalised("") == ""


def test_a_caption_tells_of_several_seeds_only_where_there_are():
    assert words.seeds_note(pd.DataFrame({"seeds": ["0", "0, 1"]})) == (
        " Of several seeds: the mean, its 95 % interval over networks and images."
    )
    assert words.seeds_note(pd.DataFrame({"seeds": ["0", "1"]})) == ""
