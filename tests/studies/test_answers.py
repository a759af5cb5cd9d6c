"""What pages come to: every answer says its three things of the units that it is given, and of none."""

import pandas as pd
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


def test_that_intervals_point_is_said_of_the_data_sets_with_few_networks():
    units = [unit for unit in studies.finished("desk", "roi_roa") if unit.result["dataset"] in ("mnist", "cifar10")]
    single = [unit for unit in units if unit.result["seed"] == 0]
    mixed = [unit for unit in units if unit in single or unit.result["dataset"] == "mnist"]
    few, some, all_three = (roi_roa.answers.whole(found).ours for found in (single, mixed, units))
    assert len(single) == 2 and len(units) == 6
    assert few.endswith(". That is where intervals point; a verdict needs three networks.")
    assert some.endswith(". On CIFAR-10 that is where intervals point; a verdict needs three networks.")
    assert "networks" not in all_three.replace("untrained networks", "")


def test_a_claim_counts_as_held_by_its_verdict_and_with_few_networks_by_its_interval():
    rows = [
        ("reproduced", "reproduced", 3), ("undecided", "reproduced", 3), ("undecided", "undecided", 5),
        ("one network", "reproduced", 1), ("two networks", "contradicted", 2), ("not testable", "", 3),
    ]  # fmt: skip
    table = pd.DataFrame(rows, columns=["verdict", "toward", "networks"]).assign(id="keeps-accuracy")
    assert roi_roa.answers._shown(table, "keeps-accuracy") == "2 of the 5 data sets (2 undecided)"
    assert roi_roa.answers._shown(table[:1], "keeps-accuracy") == "1 of the 1 data set"


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
