"""Tables of a finished unit, the paper's ranks among them."""

import pytest

from roa_helpers import page
from roa_helpers.page import beside
from roa_helpers.studies.localized import choices, tables


def test_table_1_stands_beside_ours(unit):
    found = tables.mean_ranks([unit])
    assert found.paper.tolist() == [2.58, 2.06, 1.36, 2.59, 2.03, 1.38]
    assert found.groupby("quantity").ours.sum().tolist() == pytest.approx([6, 6])
    shaped = beside.layout(found)
    assert list(shaped) == ["", "Jaccard", "Hamming"] and len(shaped) == 3
    assert shaped.Jaccard.str.startswith(("paper 2.58", "paper 2.06", "paper 1.36")).all()


def test_tables_hold_the_numbers(unit):
    attack = unit.result["attack"]
    assert tables.attempts([unit]).succeeded.tolist() == [attack["success"]["k"]]
    assert tables.tests_table([unit]).photos.tolist() == [unit.result["tests"]["paper"]["jaccard"]["blocks"]]
    assert set(page.open_choices([unit], choices.REASONS).choice) == {
        name.replace("_", " ") for name in choices.REASONS
    }
