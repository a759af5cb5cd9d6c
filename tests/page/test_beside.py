"""The paper's numbers beside ours."""

import pandas as pd

from roa_helpers.page import beside, claims


class Printed:
    value, interval, rounding = 0.0038, None, 5e-5


def table(*cells):
    """Rows (where, quantity, percent, paper, our value, interval)."""
    return pd.DataFrame(
        {"where": where, "case": "", "quantity": quantity, "percent": percent, "profile": "desk", "seeds": "0"}
        | claims.beside(paper, [(ours, interval, 40)])
        for where, quantity, percent, paper, ours, interval in cells
    )


def test_a_line_of_the_paper_is_a_row_and_a_quantity_a_column():
    found = table(
        ("MNIST", "individual", False, Printed, 0.001, (-0.002, 0.0036)),
        ("MNIST", "score", True, None, 0.5, (0.25, 0.75)),
        ("Malaria", "individual", False, Printed, 0.01, (0.001, 0.02)),
    )
    shaped = beside.layout(found)
    assert list(shaped) == ["", "individual", "score (%)"]
    assert shaped[""].tolist() == ["MNIST\nn = 40, 1 network", "Malaria\nn = 40, 1 network"]
    assert shaped["score (%)"].tolist() == ["ours 50.0 [25.0, 75.0]", ""]
    assert shaped.individual[1] == "paper 0.0038\nours 0.010 [0.001, 0.020]\n(●) +0.006"


def test_what_differs_is_shown_with_so_many_decimals_that_it_does():
    differs = table(("MNIST", "individual", False, Printed, 0.001, (-0.002, 0.0036)))
    assert differs.toward.item() == "differs"
    assert "[−0.0020, 0.0036]" in beside.layout(differs).individual[0]


def test_runs_of_one_line_stand_apart():
    both = table(("MNIST", "x", False, Printed, 0.1, (0.0, 0.2)), ("MNIST", "x", False, Printed, 0.3, (0.2, 0.4)))
    both["profile"] = ["desk", "paper"]
    assert len(beside.layout(both)) == 2 and beside.layout(both)[""][1].endswith("paper, seed 0")


def test_the_chart_holds_every_number_and_its_text_says_what_it_shows():
    found = table(
        ("MNIST", "a", False, Printed, 0.1, (0.05, 0.2)), ("Malaria", "a", False, Printed, 0.004, (0.0, 0.01))
    )
    figure, data = beside.plot(found)
    dots = [line.get_xdata().tolist() for line in figure.axes[0].lines]
    assert dots == [[0.0038, 0.0038], [0.1, 0.004]] and data is found
    assert beside.finding(found) == (
        "Of 2 numbers of the paper ours agree with 1; the distance is 0.048 in the median and at most 0.096."
    )
    assert beside.finding(table(("MNIST", "a", False, None, 0.1, (0, 1)))).startswith("The paper prints none")
