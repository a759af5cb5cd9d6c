"""Tables of open choices: what was used, grouped by data set, and how far results move with it."""

import pytest
import samples

from roa_helpers.records import store
from roa_helpers.studies.roi_roa import LABELS
from roa_helpers.studies.roi_roa.choices import REASONS
from roa_helpers.studies.roi_roa.tables import tuned
from roa_helpers.studies.sensitivity import changes, choices, compute, tables, words


@pytest.fixture(scope="module")
def retrained(computed, tmp_path_factory):
    """Units of ``sensitivity``: the tiny network, and the same as if two choices had changed its scores."""
    folder = tmp_path_factory.mktemp("retrained")
    model, splits, training, _ = computed
    first = choices.variants(samples.CHOICES)[0]
    units = []
    for varied, value, lost in (("", None, 0), ("seed_offset", 1, 1), ("epochs", 4, 3)):
        result = compute.measurements(model, splits, first, seed=0)
        for block in result["directions"].values():
            block["scores"]["mod"] = {"k": block["scores"]["clean"]["k"] - lost, "n": 12}
        result["model"]["test"]["k"] -= lost
        head = {"study": "sensitivity", "profile": "quick", "seed": 0, "dataset": "digits", "classes": ["0", "1"]}
        head |= {"varied": varied, "value": value, "fingerprint": {}}
        units.append(store.write(folder / (varied or "base"), head | result, arrays={}, tables={}))
    return units


def test_every_open_choice_has_a_name_a_value_and_a_reason(units):
    table = tables.open_choices(units)
    assert table.choice.tolist() == [LABELS[name] for name in REASONS]
    assert (table.why != "").all() and (table.value != "").all()


def test_values_are_told_once_where_all_data_sets_share_them(units):
    values = tables.open_choices(units).set_index("choice").value
    assert values["learning rate"] == "0.02" and values["mixed precision"] == "off" and values["seed"] == "0"
    assert values["images that tune"] == "6" and values["training images"] == "24"
    assert values["initial weights"] == "drawn at random"


def test_values_that_differ_name_their_data_sets(units):
    other = samples_with(units[1], eps_target=[0.9, 0.8])
    values = tables.open_choices([units[0], other]).set_index("choice").value
    assert values["score_adv that ε aims at"] == "0.5, 0.5: Digits; 0.9, 0.8: MNIST"


def samples_with(unit, **choices):
    """A unit as it would be with other choices."""
    copy = store.Unit(unit.path, files=unit.files)
    parameters = unit.result["parameters"]
    copy.__dict__["result"] = unit.result | {"parameters": parameters | {"choices": parameters["choices"] | choices}}
    return copy


def test_seeds_of_a_data_set_are_listed(units):
    again = store.Unit(units[0].path, files=units[0].files)
    again.__dict__["result"] = units[0].result | {"seed": 1}
    assert tables.open_choices([units[0], again]).set_index("choice").value["seed"] == "0, 1"


def test_of_many_numbers_only_how_far_they_go_is_told(units):
    many = [samples_with(units[0], learning_rate=0.01 * k) for k in range(1, 10)]
    assert tables.open_choices(many[:8]).set_index("choice").value["learning rate"].startswith("0.01, 0.02, 0.03, ")
    assert tables.open_choices(many).set_index("choice").value["learning rate"] == "0.01 to 0.09"


def test_ranges_say_where_they_were_measured(units, retrained):
    table = tables.open_choices(units, retrained).set_index("choice")
    cost, gain = (table[f"{changes.RESULTS[name]} moves by"] for name in changes.SCORES)
    assert cost["epochs"] == "retrained, Digits: −25.0 to 0" and cost["seed"] == "retrained, Digits: −8.3 to 0"
    assert cost["weight decay"] == gain["weight decay"] == "not measured"
    assert cost["δ₁"] == "validation: 0" and gain["θ"].startswith("validation: 0; test: ")
    assert cost["ε"] == "nothing, with the same blob" and gain["score_adv that ε aims at"] == "what ε moves"


def test_retrained_marks_what_moves_more_than_the_seed_does(retrained):
    table = tables.retrained(retrained).set_index("choice")
    label = changes.RESULTS["cost"]
    assert table.loc["epochs", label] == "−25.0 *" and table.loc["seed", label] == "−8.3"
    assert table.loc["epochs", changes.RESULTS["individual"]] == "0"
    assert table.loc["epochs", "instead"] == "4"
    k = retrained[2].result["model"]["test"]["k"]
    assert table.loc["epochs", "lowest accuracy (%)"] == round(100 * k / 24, 1)


def test_tuned_tells_the_chosen_setting(units):
    table, tuning = tuned(units), units[0].table("tuning")
    chosen = tuning[tuning.chosen & (tuning.definition == "perturbation")].iloc[0]
    assert table["data set"].tolist() == ["Digits", "MNIST"] and table["θ"].tolist() == [chosen.theta] * 2
    assert table["score_mod"][0] == round(100 * chosen["mod"], 1) and table["images a class"].tolist() == [6, 6]


@pytest.mark.parametrize(
    ("result", "value", "text"),
    [("cost", -0.0004, "0"), ("gain", -0.0314, "−3.1"), ("cost", 0.02, "+2.0"), ("individual", 0.0123, "+0.012")],
)
def test_changes_in_words(result, value, text):
    assert words.change(result, value) == text
    assert words.range_of(result, value, value) == text
