"""Networks of one pair: their numbers side by side, and whose is the variance, the pair's or the training's."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from roa_helpers.studies.supplement import spread, words

from .test_reference import unit_of


@pytest.fixture
def units(tmp_path):
    """Two pairs with two networks each, and one pair with one."""
    runs = [("01", 0, 0.0), ("01", 1, 0.2), ("23", 0, 0.1), ("23", 1, 0.1), ("45", 0, 0.3)]
    return [unit_of(tmp_path / "units", "mnist", tuple(pair), seed=seed, shift=shift) for pair, seed, shift in runs]


def test_each_networks_numbers_stand_beside_the_mean_of_the_others_of_its_direction(units):
    assert [unit.path.name for unit in spread.repeated(units)] == [unit.path.name for unit in units[:4]]
    table = spread.by_network(units)
    assert set(table.source + table.target) == {"01", "10", "23", "32"} and set(table.seed) == {0, 1}
    one = table[(table.quantity == "clean, set to 1") & (table.source == "0")]
    assert one.number.tolist() == pytest.approx([0.72, 0.92]) and one.others.tolist() == pytest.approx([0.92, 0.72])
    one = table[(table.quantity == "SSIM of individuals") & (table.source == "3")]
    assert one.number.tolist() == pytest.approx([0.4, 0.4])  # .2 and .1 for the second direction and the shift
    assert len(table) == 4 * 2 * 8


def of_networks(numbers, quantity="q"):
    """A table of :func:`spread.by_network` from numbers (pair, seed); both directions of a pair are equal."""
    rows = [
        {"dataset": "mnist", "source": f"{a}{pair}", "target": f"{b}{pair}", "quantity": quantity, "seed": seed,
         "number": number}
        for pair, of in enumerate(numbers) for seed, number in enumerate(of) for a, b in ("xy", "yx")
    ]  # fmt: skip
    return pd.DataFrame(rows)


def test_where_the_pair_decides_all_variance_is_its_own():
    (row,) = spread.shares(of_networks([[0.1, 0.1], [0.4, 0.4], [0.8, 0.8], [0.9, 0.9]])).to_dict("records")
    assert (row["share"], row["low"], row["high"]) == (1, 1, 1) and row["ρ"] == pytest.approx(1)
    assert (row["directions"], row["networks"], row["between trainings"]) == (8, 8, 0)
    assert row["between directions"] == pytest.approx(np.std([0.1, 0.4, 0.8, 0.9] * 2, ddof=1))


def test_where_the_training_decides_no_variance_is_the_pairs():
    (row,) = spread.shares(of_networks([[0.1, 0.9], [0.9, 0.1], [0.5, 0.5], [0.3, 0.7]])).to_dict("records")
    assert row["share"] == row["low"] == row["high"] == row["between directions"] == 0
    assert row["ρ"] == pytest.approx(-1)
    assert row["between trainings"] == pytest.approx(np.sqrt((0.32 + 0.32 + 0 + 0.08) / 4))


def test_share_and_standard_deviations_say_the_same():
    rng = np.random.default_rng(2)
    numbers = rng.normal(size=(6, 1)) + 0.5 * rng.normal(size=(6, 3))
    (row,) = spread.shares(of_networks(numbers)).to_dict("records")
    between, within = row["between directions"] ** 2, row["between trainings"] ** 2
    assert row["share"] == pytest.approx(between / (between + within))


def test_trainings_are_correlated_over_enough_directions_alone():
    few = of_networks([[0.1, 0.1], [0.4, 0.4], [0.8, 0.8]])
    assert np.isnan(spread.shares(few)["ρ"].item())


def test_both_directions_of_a_pair_count_as_one_in_the_interval():
    rng = np.random.default_rng(0)
    numbers = rng.normal(size=(5, 1)) + 0.3 * rng.normal(size=(5, 3))
    table = of_networks(numbers)
    (row,) = spread.shares(table).to_dict("records")
    between = 3 * np.var(numbers.mean(1), ddof=1) * 10 / 9 * 4 / 5  # of ten directions, each twice
    ratio = between / np.var(numbers, axis=1, ddof=1).mean()
    low, high = ratio / stats.f.ppf(0.975, 4, 10), ratio * stats.f.ppf(0.975, 10, 4)
    expected = [(r - 1) / (r + 2) for r in (ratio, low, high)]
    assert [row["share"], row["low"], row["high"]] == pytest.approx(expected)


def test_one_pair_alone_has_no_share():
    (row,) = spread.shares(of_networks([[0.1, 0.9]])).to_dict("records")
    assert np.isnan([row["share"], row["low"], row["high"], row["between directions"]]).all()
    text = words.repeated(pd.DataFrame([row]))
    assert "2 networks" in text and "nothing to compare" in text


def test_sentences_say_where_the_variance_lies():
    pair = of_networks([[0.1, 0.1], [0.4, 0.4], [0.8, 0.8]], "one")
    training = of_networks(np.random.default_rng(1).normal(size=(40, 3)), "two")
    table = pd.concat([spread.shares(pair), spread.shares(training)])
    assert words.repeated(table).endswith("lie? Between directions for 1 (“one”) and between trainings for 1 (“two”).")
    assert words.repeated(table[:1]).endswith("lie? Between directions for all 1.")


def test_a_panel_a_quantity_a_dot_a_network(units):
    figure, data = spread.plot(spread.by_network(units))
    assert [axis.get_title().replace("\n", " ") for axis in figure.axes] == list(dict.fromkeys(data.quantity))
    (dots,) = (line for line in figure.axes[0].lines if line.get_marker() != "None")
    assert sorted(dots.get_ydata()) == pytest.approx([0.2, 0.3, 0.3, 0.3, 0.4, 0.4, 0.4, 0.5])
