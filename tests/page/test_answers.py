"""The box at the top of a page, and what it says of verdicts."""

import pandas as pd
import pytest

from roa_helpers.page import answers


def shown(show, answer, monkeypatch):
    found = []
    monkeypatch.setattr("IPython.display.display", found.append)
    show(answer)
    return found[0].data


def rows(*pairs):
    """Rows of a table of verdicts, (verdict, toward) each."""
    return pd.DataFrame([{"verdict": verdict, "toward": toward} for verdict, toward in pairs])


def test_the_box_has_three_lines_and_what_it_is_given_stays_text(monkeypatch):
    answer = answers.Answer("a < b", "<b>yes</b>, by <img src=x>", "so", ("one", "two <i>x</i>"))
    box = shown(answers.show, answer, monkeypatch)
    assert box.count("<dt>") == box.count("<dd>") == 3
    assert "a &lt; b" in box and "<b>yes</b>" in box and "<img" not in box
    assert (
        shown(answers.show_open, answer, monkeypatch)
        == '<ul class="roa-remains"><li>one</li><li>two <i>x</i></li></ul>'
    )


def test_verdicts_are_counted_and_those_of_few_networks_told_by_where_they_point():
    table = rows(
        ("reproduced", "reproduced"), ("reproduced", "reproduced"), ("not testable", ""), ("one network", "undecided"),
        ("one network", "contradicted"), ("two networks", "contradicted"), ("not judged", "reproduced"), ("", ""),
    )  # fmt: skip
    told = answers.standing(table)
    assert told == "2 reproduced, 1 not testable, 1 points nowhere, 2 point to contradicted (6 data sets)"
    assert answers.standing(table[-2:], noun="case") == "no case tells"


@pytest.mark.parametrize(("toward", "told"), [(["agrees", "differs", ""], "1 of 2 numbers"), (["", ""], None)])
def test_numbers_that_agree_are_counted_among_those_that_the_paper_prints(toward, told):
    assert answers.agreeing(pd.DataFrame({"toward": toward})) == told


def test_few_networks_are_told_of():
    assert answers.networks(pd.DataFrame({"networks": [3, 5, 0]})) == ""
    assert answers.networks(pd.DataFrame({"networks": [1, 2]})).startswith(
        "All that the box at the top says rests on fewer"
    )
    assert answers.networks(pd.DataFrame({"networks": [1, 3, 3]})).startswith(
        "1 of the 3 numbers behind the box at the top rests on"
    )
