"""Directions and moved images as pictures."""

import numpy as np

from roa_helpers.studies.curvature import pictures


def test_pictures_of_directions_and_confined_perturbations(unit):
    sheet = pictures.directions([unit])
    assert len(sheet.strips) == pictures.CLASSES and unit.result["featured"] in sheet.strips[0].title
    assert len(pictures.confined([unit]).strips) == len(unit.table("confined"))
    assert len(pictures.confined_data([unit])[unit.path.name]) == len(unit.table("confined"))
    grey = pictures.direction(np.array([[[0.0, 2.0], [-2.0, 1.0]]]))
    assert grey[..., 0].tolist() == [[0.5, 1.0], [0.0, 0.75]]


def test_the_widget_moves_an_image_and_says_what_the_network_says(unit, plan):
    frames = pictures.frames(unit, "positive")
    assert len(frames) == pictures.IMAGES and len(frames[0]) == len(pictures.PLACES)
    places = pictures.offered(unit)
    assert places[0] == 0 and places[-1] == plan.choices.positions - 1 and plan.choices.positions // 2 in places
    middle = pictures.shifted(unit, 0, "positive", plan.choices.positions // 2)
    np.testing.assert_allclose(middle, unit.arrays["shown_images"][0], atol=1e-3)
    said = unit.result["classes"][int(unit.arrays["shown_scores"][0, 0, 0].argmax())]
    assert frames[0][0].cells[0].label.endswith(said)


def test_a_confined_image_is_shown_from_the_smallest_subspace_to_the_whole(unit):
    table, count = unit.table("confined"), pictures.sizes(unit)
    assert count == (table.order == "hi").sum()
    for order, rows in table.groupby("order"):
        told = [pictures.confined_frame(unit, f"S_{order}", size, count) for size in range(1, count + 1)]
        assert [int(frame.title.split()[1]) for frame in told] == rows.dimension.tolist()
        assert f"it fools {rows.fooled.iloc[0]}," in told[0].note
    ends = [pictures.confined_frame(unit, "S_lo", size, 2).title for size in (1, 2)]
    assert ends[1].split()[1] == str(table.dimension.max()) and ends[0] != ends[1]


def test_of_large_pictures_one_class_and_the_largest_subspaces_are_shown(unit, monkeypatch):
    monkeypatch.setattr(pictures, "LOSSLESS_SIDE", 4)
    strips, table = pictures.directions([unit]).strips, unit.table("confined")
    assert len(strips) == 1 and all(cell.quality for cell in strips[0].cells)
    largest = table.groupby("order").dimension.max()
    titles = [strip.title for strip in pictures.confined([unit]).strips]
    assert sorted(title.partition(": ")[2] for title in titles) == [f"S_{order}, {n}" for order, n in largest.items()]
    assert len(pictures.confined_data([unit])[unit.path.name]) == len(titles) == 2
