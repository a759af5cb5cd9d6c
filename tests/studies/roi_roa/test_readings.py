"""Readings of the paper's procedure beside its numbers."""

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.figure import Figure
from skimage.metrics import structural_similarity

from roa_helpers.page import Sheet
from roa_helpers.studies.roi_roa import beyond, comparison, pictures, readings, results, tables, words


def test_every_printed_number_stands_beside_every_reading(units):
    _, mnist = units
    table = readings.table(units)
    assert len(table) == 12 and set(table["data set"]) == {"MNIST"}  # the paper prints none of the digits
    block = mnist.result["directions"]["0 to 1"]
    for reading, label in readings.READINGS.items():
        own = block if reading == "perturbation" else block["definitions"][reading]
        row = table[(table.direction == "0 to 1") & (table.quantity == "score_mod")].iloc[0]
        assert row[label] == own["scores"]["mod"]["k"] / 12
        row = table[(table.direction == "0 to 1") & (table.quantity == "individual")].iloc[0]
        assert row[label] == own["ssim"]["individual"]["mean"]
    assert table[table.quantity == "individual"][readings.ZERO].notna().all()
    assert table[table.quantity != "individual"][readings.ZERO].isna().all()
    shared = table[table.quantity.isin(["score_clean", "score_adv"])]
    assert (shared.nearest == readings.SEVERAL).all() and len(readings.told_apart(table)) == 8


def test_the_nearest_reading_is_named_and_a_tie_is_one():
    assert readings._nearest({"text": 0.4, "pictures": 0.1}, 0.2) == "pictures"
    assert readings._nearest({"text": 0.4, "pictures": 0.0}, 0.2) == readings.SEVERAL


def test_distances_and_words_follow_from_the_table(units):
    table = readings.table(units)
    found = readings.distances(table).set_index("quantity")
    for quantity, part in readings.told_apart(table).groupby("quantity"):
        for label in readings.READINGS.values():
            assert found.loc[quantity, label] == pytest.approx(np.mean(np.abs(part[label] - part.paper)), abs=1e-4)
        counts = [found.loc[quantity, f"nearest: {name}"] for name in (*readings.READINGS.values(), readings.SEVERAL)]
        assert sum(counts) == len(part) == found.loc[quantity, "n"]
    text = words.nearest(table)
    assert text.count("\n") == 4 and "without any entry by at most" in text
    assert "no number" in words.nearest(table[:0])


def test_the_chart_holds_what_it_draws(units):
    figure, data = readings.chart(readings.table(units))
    assert isinstance(figure, Figure) and len(data) == 8 and len(figure.axes) == 4


def test_the_procedure_of_the_pictures_is_drawn_in_colour(units):
    sheet = pictures.signed_procedure(units[:1])
    assert isinstance(sheet, Sheet) and [len(strip.cells) for strip in sheet.strips] == [5, 5]
    blob = units[0].arrays["published_blob_0"]
    assert np.array_equal(sheet.strips[0].cells[3].image, np.moveaxis(blob.astype(float), 0, -1))
    one = sheet.strips[0].cells[1].image
    assert set(np.unique(one)) <= {0.0, 1.0} and structural_similarity(one, one, channel_axis=-1, data_range=1) == 1


def test_signs_of_masked_gradients_follow_from_the_counts(units):
    table = tables.masking(units)
    assert len(table) == 4
    for row, (unit, name) in zip(table.to_dict("records"), [(u, n) for u in units for n in u.result["directions"]],
                                 strict=True):  # fmt: skip
        threats = unit.result["directions"][name]["threats"]
        assert row["FGSM leaves"] == 100 * threats["fgsm"]["k"] / 5 and row["n"] == 5
        assert row["ε"] == unit.result["directions"][name]["parameters"]["eps"] == 0.05
        images = unit.table("images")
        zero = images[(images.direction == name) & (images.definition == "perturbation")].zero_gradient.mean()
        signs = {
            "FGSM is weaker": threats["fgsm"]["k"] - threats["pgd"]["k"] > 0.5,
            "something withstands everything": threats["anything"]["k"] > 0,
            "gradients vanish": zero > 0.5,
        }
        assert row["signs"] == (", ".join(sign for sign, seen in signs.items() if seen) or "none")
    assert len(set(table.signs)) > 1  # one of the two directions of this tiny network is hard for FGSM


def test_accuracy_on_training_images_stands_beside_that_on_test_images(units):
    test, train = comparison.accuracy(units), comparison.accuracy(units, part="train")
    assert train.ours.tolist() == [unit.result["model"]["train"]["k"] / 20 for unit in units]
    assert train.n.tolist() == [20, 20] and test.n.tolist() == [24, 24]
    text = words.learnt(test, train)
    assert text.startswith("Of images that it learnt from") and "MNIST 100.0 % (test 100.0, paper 100.0)" in text
    assert "For 0 of 1 data sets" in text and "Digits" not in text
    better = words.learnt(test.assign(ours=0.5), train.assign(ours=0.99))
    assert "For 1 of 1 data sets" in better and words.learnt(test[:1], train[:1]) == ""


def test_the_chart_of_nulls_and_its_words_follow_from_the_tables(units):
    figure, data = beyond.chart(units)
    assert len(figure.axes) == 5 and set(data["data set"]) == {"MNIST", "Digits"}
    assert len(data) == sum(len(unit.table("nulls")) for unit in units)
    counts = beyond.beaten(data)
    for (definition, region, statistic, _), row in zip(beyond.PANELS, counts.itertuples(), strict=True):
        more = 0
        for unit in units:
            table = unit.table("nulls")
            table = table[(table.definition == definition) & (table.region == region) & (table.statistic == statistic)]
            for _, part in table.groupby("direction"):
                own = part[part.maps == "trained"].value.item()
                more += all(own > value for value in part[part.maps != "trained"].value.dropna())
        assert (row.k, row.n) == (more, 4)
    text = words.beyond_nulls(counts)
    assert f"RoI, Moran’s I, {counts.k[0]} of 4" in text and text.count(" of 4") == 5


def test_units_from_before_are_left_out_and_the_page_says_so(units):
    new, old = units[0], replace(units[1], files={n: text for n, text in units[1].files.items() if n != "nulls.csv"})
    assert results.holding([new, old], "nulls") == [new]
    assert readings.table([new, old]).empty and set(beyond.table([new, old])["data set"]) == {"Digits"}
    assert set(tables.masking([new, old])["data set"]) == {"Digits"}
    assert len(pictures.signed_procedure([new, old]).strips) == 2
    assert words.left_out([new, old]) == "Left out here, as recorded before this was measured: MNIST."
    assert words.left_out([new]) == ""
    uncounted = replace(old)
    uncounted.__dict__["result"] = old.result | {"model": {"test": old.result["model"]["test"]} | {
        name: old.result["model"][name] for name in ("initialisation", "mixed")}}  # fmt: skip
    train = comparison.accuracy([uncounted], part="train")
    assert train.ours.isna().all() and words.learnt(comparison.accuracy([uncounted]), train) == ""
