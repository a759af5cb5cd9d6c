"""Charts of a finished unit."""

import pytest
from matplotlib.figure import Figure

from roa_helpers.page import NARROW
from roa_helpers.studies.curvature import charts

CHARTS = ("single_curves", "shapes", "steps", "halves", "figure_three", "by_method", "areas", "figure_four",
          "figure_five", "compression", "bridge")  # fmt: skip


@pytest.mark.parametrize("name", CHARTS)
def test_charts_give_a_figure_and_its_data(unit, name):
    figure, table = getattr(charts, name)([unit])
    assert isinstance(figure, Figure) and len(table) and figure.axes


@pytest.mark.parametrize("kind", charts.DIRECTIONS)
def test_the_population_has_a_chart_for_every_kind(unit, plan, kind):
    figure, table = charts.population([unit], kind)
    assert set(table.kind) == {kind} and len(table) == plan.choices.positions
    below = figure.axes[1]
    assert below.get_ylim()[1] > 100


def test_more_than_two_networks_stand_below_each_other(unit):
    figure, _ = charts.figure_three([unit] * 3)
    shown = [axis for axis in figure.axes if axis.get_visible()]
    lines = 1 + len(charts.ATTACKS)
    assert figure.get_figwidth() == NARROW and len(shown) == 3 * lines == len(figure.axes) - lines
    assert sum(bool(axis.get_title()) for axis in shown) == 3
    assert [axis.get_ylabel() for axis in shown].count("DeepFool") == 2
    top = next(axis for axis in shown if axis.get_title())
    assert len(top.get_shared_x_axes().get_siblings(top)) == lines
