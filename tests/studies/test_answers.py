"""What pages come to: every answer says its three things of the units that it is given, and of none."""

import pytest

from roa_helpers import studies
from roa_helpers.page import answers
from roa_helpers.studies import blurring, curvature, forensics, localized, roi_roa, supplement

OF_PAIRS = ("whole", "features", "segregation", "representatives", "overlap", "isolation", "neutralisation", "findings")


def complete(answer):
    texts = [answer.paper, answer.ours, answer.why, *answer.open]
    return all(texts) and len(texts) > 3 and not any("nan" in text for text in texts)


@pytest.mark.parametrize("name", OF_PAIRS)
def test_pages_about_pairs_answer_from_recorded_units(name):
    answer = getattr(roi_roa.answers, name)
    units = studies.finished("desk", "roi_roa")
    assert units and complete(answer(units))
    assert answer([]) == answers.nothing(answer(units).paper) and complete(answer([]))


@pytest.mark.parametrize(
    ("study", "answer"),
    [
        ("blurring", blurring.answers.defence),
        ("curvature", curvature.answers.lines),
        ("curvature", curvature.answers.subspaces),
        ("forensics", forensics.answers.pictures),
        ("localized", lambda units: localized.answers.recovered(units, units)),
        ("supplement", lambda units: supplement.answers.pairs(units, None)),
    ],
)
def test_pages_of_other_studies_answer_from_what_is_recorded(study, answer):
    assert complete(answer(studies.finished("quick", study))) and complete(answer([]))


def test_numbers_of_the_supplement_are_told_apart_from_those_of_table_1():
    table = roi_roa.comparison.compare("A9", studies.finished("quick", "roi_roa"))
    assert roi_roa.words.in_supplement(table) == " (2 of them, Malaria’s, in its supplement)"
    assert roi_roa.words.in_supplement(table[table["where"] != "Malaria"]) == ""
