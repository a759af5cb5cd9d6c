"""Tables of a finished unit."""

import pytest

from roa_helpers import page
from roa_helpers.studies.curvature import choices, tables


def test_tables_of_a_unit(unit):
    table = tables.table_one([unit])
    assert len(table) == 5 + len(unit.table("compressed")) and table["f = 1"].iloc[1] == "32.75"
    assert table["ratio (%)"].iloc[0] == round(100 * 63.96 / 26798.72, 2)
    costs = tables.costs([unit])
    assert costs["gradients a class"].iloc[0] == "2 n D = 512" and costs["numbers held"].iloc[0] == "D² = 4,096"
    assert len(tables.hessians([unit])) == 4 and len(tables.accuracies([unit])) == 1
    assert set(page.open_choices([unit], choices.REASONS).choice) == {
        name.replace("_", " ") for name in choices.REASONS
    }
    log = tables.universal([unit])
    assert list(log.epoch) == list(range(1, len(unit.result["universal"]) + 1)) and (log.n == 40).all()
    libraries = tables.libraries([unit])
    assert libraries["ratio to ours"].iloc[0] == pytest.approx(1, abs=1e-4)
