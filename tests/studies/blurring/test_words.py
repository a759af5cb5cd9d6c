"""Sentences about finished units."""

from roa_helpers.studies.blurring import tables, words


def test_answers_hold_the_numbers(units):
    table = tables.accuracies(units)
    assert f"{100 * table.ours.iloc[0]:.1f} %" in words.answer_accuracy(table)
    assert "no numbers" in words.answer_cells(units[:1])
    assert "of 150 accuracies" in words.answer_cells(units[1:])
    assert "Ours is of two networks: too few to decide." in words.answer_cells(units[1:])
    assert words.rules().count("Reproduced where") == 4
    assert words.answer_knowing(tables.knowing(units)).count("\n") == 1
    assert "by the definition the first step" in words.answer_newton(units)
    assert words.blurred(units[0]).startswith("The blur is SciPy’s Gaussian filter, σ = ")
    assert f"the {words.kept(units[0])} of the" in words.blurred(units[0])


def test_what_the_thesis_says_in_its_own_numbers():
    assert words.aims() == "The thesis’s A keeps 82 % under FGSM and 27 % under NewtonFool."
    assert "on 400 images of each of 3 classes" in words.learnt()
