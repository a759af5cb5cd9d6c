"""Charts and sheets of finished units."""

from roa_helpers.records import seeds
from roa_helpers.studies.blurring import charts


def test_pages_are_drawn_from_units(units):
    groups = seeds.groups(units)
    figure, table = charts.bars(groups[1])
    assert len(figure.axes) == 4 and len(table) == 150
    figure, table = charts.strengths(units)
    assert len(table) == 3 * 9 and set(table.attack) == {"fgsm", "knowing", "newtonfool"}
    figure, table = charts.attackers(units)
    assert len(table) == 2 * 4 * 7
    for sheet, arrays in (charts.blur_sheet(units[0]), charts.heatmap_sheet(units[0]),
                          charts.attack_sheet(units[0])):  # fmt: skip
        assert len(sheet.strips) == 3 and all(array.shape == (3, 3, 32, 32) for array in arrays.values())
        assert sheet.markup(name="a", alt="b").count("<img") == sum(len(strip.cells) for strip in sheet.strips)
    frames = charts.frames(units[0], (0.0, 0.15), (1.0, 2.0, 4.0))
    assert (len(frames), len(frames[0]), len(frames[0][0])) == (4, 2, 3)
    assert frames[0][1][2].title == "Gradient: 15% kept, σ = 4"
