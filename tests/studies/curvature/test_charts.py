"""Charts of a finished unit."""

import pytest
from matplotlib.figure import Figure

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
