"""How finished units of a pair of classes are read."""

from types import SimpleNamespace

import pandas as pd

from roa_helpers.studies.roi_roa import rows_of


def test_rows_of_a_table_are_those_about_the_data_sets_of_units():
    table = pd.DataFrame({"data set": ["MNIST", "Digits", "MNIST"], "n": [1, 2, 3]})
    assert rows_of(table, [SimpleNamespace(result={"dataset": "mnist"})]).n.tolist() == [1, 3]
    assert rows_of(table, []).empty
