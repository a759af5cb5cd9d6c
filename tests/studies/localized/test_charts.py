"""Figures and widget of a finished unit."""

import pytest

from roa_helpers import metrics
from roa_helpers.studies.localized import charts, recovery


def test_figures_show_what_is_stored(unit, tiny):
    shown = charts.stored_examples(unit)
    sheet, data = charts.process([unit])
    assert len(shown) == tiny.shown and len(sheet.strips) == charts.PROCESSED and len(data) == 3 * charts.PROCESSED
    sheet, data = charts.partial_explanations([unit])
    explained = {name: mask for name, mask in data.items() if name.endswith(f"_{shown[0][0]}") and "region" not in name}
    assert len({mask.sum() for mask in explained.values()}) == 1
    _, curves = charts.curves([unit])
    assert (curves.q25 <= curves.q75).all() and set(curves.explainer) == {*recovery.PAPER, "random", "bound"}
    _, found = charts.ranks([unit], "superpixels")
    assert found["rank"].sum() == pytest.approx(15)
    _, spread = charts.spread([unit])
    assert set(spread.seed) == {0, 1}


def test_the_widget_shows_the_score_of_what_it_shows(unit):
    frames, beside, names, regions, counts = charts.frames(unit)
    assert len(frames) == len(beside) == len(names) and counts == [1, 2, 3, 5]
    assert all(len(of_photo) == regions for of_photo in frames)
    row = charts.stored_examples(unit)[0][0]
    region, n = unit.arrays["shown_region"][row], 3
    levels = unit.arrays["shown_levels"][row][recovery.EXPLAINERS.index("lime")]
    mask = (levels > 0) & (levels <= n)
    lime = charts.OFFERED.index("lime")
    assert frames[0][0][lime][n - 1].title == f"Jaccard {metrics.jaccard(mask[None], region[None])[0]:.2f}"
