"""What a paper leaves open, and what was chosen."""

from types import SimpleNamespace

from roa_helpers.page import tables


def chosen(**values):
    """What the table says of a choice, for (data set, value) pairs."""
    ((name, pairs),) = values.items()
    units = [SimpleNamespace(result={"dataset": dataset, "parameters": {name: value}}) for dataset, value in pairs]
    return tables.open_choices(units, {name: "not stated"}, used=lambda unit: unit.result["parameters"]).value.item()


def test_a_value_that_all_data_sets_share_is_told_once():
    assert chosen(eps=[("mnist", 0.1), ("cifar10", 0.1)]) == "0.1"


def test_other_values_stand_with_their_data_sets():
    assert chosen(eps=[("mnist", 0.1), ("cifar10", 0.03), ("malaria", 0.1)]) == "0.1: MNIST, Malaria; 0.03: CIFAR-10"


def test_values_of_one_data_set_stand_beside_each_other():
    assert chosen(epochs=[("cifar10", 6), ("cifar10", 12), ("cifar10", 6)]) == "6, 12"


def test_lists_of_one_data_set_do_not_run_into_each_other():
    methods = [("cifar10", ["softmax", "twin"]), ("cifar10", ["differences", "softmax", "twin"])]
    assert chosen(methods=methods) == "softmax, twin or differences, softmax, twin"
    assert chosen(methods=methods[:1]) == "softmax, twin"


def test_of_many_numbers_the_table_says_how_far_they_go():
    assert chosen(eps=[("mnist", 0.01 * k) for k in range(1, tables.MANY + 2)]) == "0.01 to 0.09"
