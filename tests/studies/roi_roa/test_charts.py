"""Charts draw what the results say: the data behind each against the tables and counts of the units."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import samples
from matplotlib.figure import Figure

from roa_helpers import evidence, metrics, studies
from roa_helpers.data import title_of
from roa_helpers.page import claims, tables
from roa_helpers.studies.roi_roa import answers, charts, comparison, results, words
from roa_helpers.studies.roi_roa.claims import CLAIMS
from roa_helpers.studies.roi_roa.tables import similarity_choices

LABELS = {key: label for key, label, _, _ in charts.BLOBS}


def images_of(unit, name):
    rows = unit.table("images")
    return rows[(rows.direction == name) & (rows.definition == "perturbation")]


@pytest.mark.parametrize(("before", "after"), [("adv", "mod_adv"), ("clean", "mod")])
def test_a_change_is_that_of_the_same_images(units, before, after):
    figure, data = charts.change_plot(units, before, after)
    assert isinstance(figure, Figure) and len(data) == 4 * len(charts.BLOBS)
    found = data.set_index(["data set", "direction", "blob"])
    for unit, name, block in results.directions(units):
        images = images_of(unit, name)
        for key, label in LABELS.items():
            row = found.loc[(title_of(unit.result["dataset"]), name, label)]
            scores = block["scores"] if key is None else block["controls"][key]
            column = after if key is None else f"{after}, {key}"
            assert row.change == pytest.approx((scores[after]["k"] - block["scores"][before]["k"]) / 12)
            assert (row.low, row.high) == metrics.paired_difference(images[before], images[column])
            assert (row.n, row.profile, row.seeds) == (12, unit.result["profile"], "0")


def changes(*rows):
    """Rows of a change plot: data set, direction, low, high."""
    return pd.DataFrame([
        {"data set": name, "direction": direction, "blob": blob, "change": (low + high) / 2, "low": low, "high": high,
         "n": 9, "profile": "quick", "seeds": "0"}
        for name, direction, low, high in rows
        for blob in LABELS.values()
    ])  # fmt: skip


def test_a_tilt_is_told_from_a_defence():
    data = changes(
        ("both", "a to b", 0.1, 0.3), ("both", "b to a", 0.2, 0.4),
        ("tilted", "a to b", -0.5, -0.3), ("tilted", "b to a", 0.2, 0.4),
        ("worse", "a to b", -0.5, -0.3), ("worse", "b to a", -0.2, -0.1),
        ("unclear", "a to b", -0.1, 0.1), ("unclear", "b to a", 0.2, 0.4),
    )  # fmt: skip
    pairs = charts.tilts(data)
    assert isinstance(charts.tilt_plot({"clean images": pairs, "under attack": pairs}), Figure)
    assert list(pairs["data set"]) == ["both", "tilted", "worse", "unclear"]
    tilted = pairs.set_index("data set").loc["tilted"]
    assert (tilted["direction, first"], tilted["change, first"]) == ("a to b", pytest.approx(-0.4))
    assert (tilted["direction, second"], tilted["change, second"]) == ("b to a", pytest.approx(0.3))
    assert words.tilt(pairs) == (
        "it rises in both directions for both; it rises in one direction and falls in the other for tilted; it falls "
        "in both directions for worse; for 1 of 4 data sets the interval of at least one direction holds 0"
    )
    assert words.tilt(pairs[:1]) == "it rises in both directions for both"


def test_the_threats_are_compared_with_the_same_attack_without_a_blob(units):
    _, data = charts.threat_plot(units[:1])
    found = data.set_index(["direction", "threat"]).change
    for _, name, block in results.directions(units[:1]):
        threats, scores = block["threats"], block["scores"]
        counts = [(scores["adv"], scores["mod_adv"]), (scores["adv"], threats["adv_mod"]),
                  (scores["adv"], threats["mod_adv_mod"]), (threats["pgd"], threats["mod_pgd"])]  # fmt: skip
        for (label, *_), (without, with_blob) in zip(charts.THREATS, counts, strict=True):
            assert found[name, label] == pytest.approx((with_blob["k"] - without["k"]) / without["n"])
    assert set(data.n) == {12, samples.CHOICES.curve}


def test_the_papers_blob_is_compared_with_each_control_on_the_same_images(units):
    data = charts.against_controls(units, "mod_adv").set_index(["data set", "direction", "blob"])
    assert len(data) == 4 * 4
    for unit, name, block in results.directions(units):
        for key, label in list(LABELS.items())[1:]:
            change = (block["scores"]["mod_adv"]["k"] - block["controls"][key]["mod_adv"]["k"]) / 12
            row = data.loc[(title_of(unit.result["dataset"]), name, label)]
            assert row.change == pytest.approx(change) and row.low <= change <= row.high


def test_a_tally_counts_intervals_not_values():
    data = pd.DataFrame({"blob": ["a", "a", "a", "b"], "change": [0.5, 0.1, -0.5, 0.2],
                         "low": [0.4, -0.1, -0.6, 0.0], "high": [0.6, 0.3, -0.4, 0.4]})  # fmt: skip
    assert words.tally(data, "blob").splitlines() == [
        "- a: higher in 1, lower in 1, undecided in 1 of 3 directions",
        "- b: undecided in 1 of 1 directions",
    ]


def test_sentences_beside_the_papers_numbers(units):
    table = similarity_choices(units)
    spread = np.ptp(table[table.columns[2:]], axis=1)
    told = words.readings(table)
    assert f"by {spread.min():.3f} to {spread.max():.3f}," in told and "lie between 0.19 and 0.30," in told
    assert words.printed_sample().startswith("The paper’s MNIST and Fashion-MNIST percentages are multiples of 1/32,")
    verdicts = studies.verdicts(units)
    assert words.on_paper(verdicts).startswith("In 6 rows the paper’s own numbers have an interval; in 6 of them")
    assert words.on_paper(studies.verdicts(units[:1])) == ""


def test_fragile_features_are_counted_network_by_network():
    def unit(dataset, seed, rho, gamma):
        table = pd.DataFrame({"rho": rho, "gamma": gamma})
        path = Path(f"desk/roi_roa/{dataset}-seed{seed}")
        return SimpleNamespace(path=path, result={"dataset": dataset, "seed": seed}, table=lambda name: table)

    units = [unit("mnist", 0, [1, 1, 1, 1], [-1, 0, 0.1, 0.2]), unit("mnist", 1, [1, -1, 1], [-1, -1, 1]),
             unit("cifar10", 0, [0.5], [-0.5])]  # fmt: skip
    assert words.fragile(units) == [("MNIST", [(2, 4), (1, 2)]), ("CIFAR-10", [(1, 1)])]
    assert words.on_features(units).endswith("network by network: MNIST: 2 of 4 and 1 of 2; CIFAR-10: 1 of 1.")
    ours = answers.features(units).ours
    low, high = evidence.over_networks([0.5, 0.5], [metrics.wilson(2, 4), metrics.wilson(1, 2)], limits=(0, 1))[1]
    assert ours.startswith("The attack makes 50.0 to 100.0 % of")
    assert f"(MNIST 50.0 [{100 * low:.1f}, {100 * high:.1f}] %, CIFAR-10 100.0 [" in ours


def test_levels_are_the_range_over_directions(units):
    shares = [100 * b["threats"]["pgd"]["k"] / b["threats"]["pgd"]["n"] for _, _, b in results.directions(units)]
    told = words.attacked_levels(units)["pgd"]
    assert told == (
        f"{min(shares):.0f} % to {max(shares):.0f} %" if min(shares) < max(shares) else f"{shares[0]:.0f} %"
    )


@pytest.mark.parametrize("axis", ("eps", "theta"))
def test_curves_are_the_means_over_seeds(two_seeds, axis):
    figure, data = charts.score_curves(two_seeds, axis)
    assert len([a for a in figure.axes if a.get_visible()]) == 2 and (data.seeds == "0, 1").all()
    tables = [unit.table("curves") for unit in two_seeds]
    for row in data.itertuples():
        points = [t[(t.direction == row.direction) & (t["axis"] == axis) & (t["at"] == row.at)] for t in tables]
        counts = [p[p.score.map(results.SCORES) == row.score].iloc[0] for p in points]
        assert row.share == pytest.approx(np.mean([c.k / c.n for c in counts]))
        shares, intervals = [c.k / c.n for c in counts], [metrics.wilson(c.k, c.n) for c in counts]
        assert row.low == pytest.approx(evidence.over_networks(shares, intervals, limits=(0, 1))[1].low)


def test_a_verdict_has_a_place_in_the_panel_of_its_claim(units):
    verdicts = studies.verdicts(units)
    figure, data = charts.verdict_plot(verdicts)
    told = [c for c in CLAIMS if not c.together]
    assert len(data) == 2 * (5 * 3 + 1 + 2 + 1 + 2)  # both classes and each direction, or one of these
    panels = [a for a in figure.axes if a.get_visible()]
    assert [a.get_title(loc="left").replace("\n", " ") for a in panels] == [c.text for c in told]
    assert [t.get_text() for t in panels[0].texts] == [
        "Digits: both classes", "Digits: 0 to 1", "Digits: 1 to 0",
        "MNIST: both classes", "MNIST: 0 to 1", "MNIST: 1 to 0",
    ]  # fmt: skip
    marks = [line for line in panels[6].lines if len(line.get_xdata()) == 1]
    assert [int(line.get_ydata()[0]) for line in marks] == [1, 2, 4, 5]  # the paper's way, by direction


def test_a_plot_without_any_number_is_empty(units):
    verdicts = studies.verdicts(units)
    figure, data = charts.verdict_plot(verdicts[verdicts.ours.isna()])
    assert data.empty and not [a for a in figure.axes if a.get_visible()]


def test_the_grid_has_a_mark_a_data_set(units):
    verdicts = claims.judged(studies.verdicts(units))
    grid = claims.grid(verdicts).set_index("claim")
    assert len(grid) == 7 and set(verdicts.verdict) == {claims.ONE_NETWORK, claims.NOT_TESTABLE}
    for row in verdicts.itertuples():
        mark = "×" if row.verdict == claims.NOT_TESTABLE else f"({claims.MARKS[row.toward]})"
        assert grid.loc[row.claim, row.where] == mark


def test_registration_draws_every_class_of_which_it_is_known(units, computed, tmp_path):
    shown = [
        *units,
        samples.stored(tmp_path, computed, dataset="cifar10"),
        samples.stored(tmp_path, computed, dataset="x"),
    ]
    figure, data = charts.registration_plot(shown)
    assert isinstance(figure, Figure)
    known = data.drop_duplicates(["data set", "direction"]).groupby("data set").registered.agg(list)
    assert known.to_dict() == {"Digits": [True, True], "MNIST": [True, True], "CIFAR-10": [False, False]}


def test_the_accuracy_of_the_model_is_set_beside_the_papers(units):
    table = tables.present(comparison.accuracy(units))
    assert table.columns.tolist() == [
        "where", "paper", "ours", "n", "networks", "verdict", "training images", "run",
    ]  # fmt: skip
    assert table["where"].tolist() == ["Digits: 0 / 1", "MNIST: 0 / 1"] and table.paper[1] == "100.0 [94.3, 100.0]"
    assert table["training images"].tolist() == [48, 48]


def test_several_seeds_are_named(two_seeds, units):
    runs = tables.present(comparison.compare("A10", [*units[:1], *two_seeds])).run
    assert set(runs) == {"quick, seed 0", "desk, seeds 0, 1"}
