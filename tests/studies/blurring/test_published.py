"""The printed tables."""

import numpy as np

from roa_helpers.studies.blurring.published import TABLES


def test_every_printed_accuracy_is_a_count_of_300():
    values = np.array(list(TABLES.values()))
    assert values.shape == (5, 5, 6)
    assert (np.abs(values * 3 - np.round(values * 3)) <= 0.0101).all()


def test_the_tables_are_read_right():
    values = np.array(list(TABLES.values()))
    assert values.sum((1, 2)).round(2).tolist() == [1784.65, 1979.68, 2061.0, 2071.69, 1910.99]
    assert values.sum((0, 1)).round(2).tolist() == [1470.32, 1614.68, 1694.35, 1671.98, 1686.01, 1670.67]
    assert (values[:, 1, 0] == values[:, 2, 0]).all()  # FGSM on originals is in two rows
    assert (values[[3, 4], 3, 0] != values[[3, 4], 4, 0]).all()  # NewtonFool too, but was run twice
