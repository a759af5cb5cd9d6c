"""The printed values."""

import pytest

from roa_helpers import metrics
from roa_helpers.studies.curvature import published, tables


def test_table_one_as_printed():
    rows = {row.side: row for row in published.TABLE_ONE}
    assert list(rows) == [227, 200, 150, 120, 100]
    assert rows[200].fooled[1] == 0.3275 and rows[100].fooled[10] == 0.883 and rows[227].accuracy == 0.5775
    assert rows[120].perturbation == 41.92 and rows[150].image == 26327.03
    assert rows[200].interval(1) == metrics.wilson(655, 2000)
    assert tables.widest() == pytest.approx(2.19, abs=0.01)
