"""What is measured on pictures made here: the readings that made them win, the controls lose, and the other way."""

from dataclasses import replace

import numpy as np
import pytest

from roa_helpers import studies
from roa_helpers.records import store
from roa_helpers.studies.forensics import claims, colours, compute, measure, rebuild, summary


def measured(material, choices):
    result, arrays, tables = compute.measurements(material, choices, seed=0)
    return result, arrays, tables["pairs"]


def verdicts(result, tmp_path):
    """Verdicts by claim of a unit that holds ``result``."""
    head = {"study": "forensics", "profile": "desk", "seed": 0, "dataset": "mnist", "fingerprint": {}}
    unit = store.write(tmp_path / "mnist-seed0", head | result, arrays={}, tables={})
    table = studies.verdicts([unit])
    return table.groupby("id").verdict.agg(lambda found: set(found)).to_dict()


def test_what_the_pictures_were_made_by_is_found(of):
    result, arrays, pairs = measured(of.material(), of.choices)
    assert (pairs.agreement == 1).all() and (pairs.wrong == 0).all()
    assert (pairs.level <= of.level).all() and (pairs["last"] >= of.level).all()
    assert result["rebuild"]["exact"] == {"k": 6, "n": 6} and result["rebuild"]["margin"] > 0.05
    assert result["signs"]["binary"] == result["signs"]["coloured"] == {"k": 6, "n": 6}
    assert result["mean"]["nearer"] > 0.2 and result["colours"]["one"]["known"] == {"k": 3, "n": 3}
    assert result["colours"]["representative"]["known"]["k"] == 0
    for core in claims.CORES:
        block = result["cores"][core]
        assert block["inside"]["k"] == block["inside"]["n"] > 0 and block["difference"] == 0 < block["gain"]
    assert set(result["plates"]) == {"best", "worst"} and arrays["best_rebuilt"].dtype == bool
    assert np.array_equal(arrays["worst_rebuilt"], arrays["worst_blob"])


def test_every_control_loses_on_every_pair(of):
    _, _, pairs = measured(of.material(), of.choices)
    for control in (*summary.CONTROLS, "cut_one", "cut_representative"):
        assert (pairs[control] < pairs.agreement).all()


def test_each_row_follows_from_public_functions(of):
    material = of.material()
    _, _, pairs = measured(material, of.choices)
    for i, row in pairs.iterrows():
        back = material.pairs.index(material.pairs[i][::-1])
        blob = material.blob[i] > 127
        assert (row.source, row.target) == tuple(of.classes[k] for k in material.pairs[i])
        assert row.reversed == rebuild.fitted(material.roa[back], blob).agreement
        others = [rebuild.fitted(material.roa[j], blob).agreement for j in range(6) if j not in (i, back)]
        assert (row.another, row.another_median) == (max(others), np.median(others))
        assert row.filled == blob.mean() and row.touched == np.mean([pixel.any() for pixel in blob.reshape(-1, 3)])
        assert row.positive + row.black == blob.size and row.ones == (material.roa_one[i] > 127).mean()


def test_all_claims_hold_on_such_pictures(of, tmp_path):
    result, _, _ = measured(of.material(), of.choices)
    found = verdicts(result, tmp_path)
    few = {"signs", "coloured", "jet", "in-range", "two-scales"}  # six pairs, three classes, numbers made up
    assert set(found) == {claim.id for claim in claims.CLAIMS}
    assert {name: found[name] for name in found if name not in few} == dict.fromkeys(set(found) - few, {"reproduced"})


def test_a_blob_without_colours_is_told_from_a_coloured_one(of, tmp_path):
    shown = of.maps()["roa"]
    whole = np.where(rebuild.any_channel(shown) > of.level, 255, 0).astype(np.uint8)
    result, _, pairs = measured(of.material(blob=whole), of.choices)
    assert (pairs.any_channel == 1).all() and (pairs.agreement < 1).all()
    assert verdicts(result, tmp_path)["beyond-controls"] == {"contradicted"}


def test_a_mean_of_zeros_and_ones_is_told_from_one_of_signs(of, tmp_path):
    rng = np.random.default_rng(5)
    mean = rng.random(of.maps()["roa"].shape)
    plain = {"roa": (255 * mean).astype(np.uint8), "roa_one": np.where(rng.random(mean.shape) < mean, 255, 0)}
    result, _, _ = measured(of.material(**plain), of.choices)
    assert result["mean"]["nearer"] < 0 and verdicts(result, tmp_path)["mean-of-signs"] == {"contradicted"}


def test_a_blob_that_leaves_out_the_core_is_seen(of, tmp_path):
    made = of.maps()
    cores = np.stack([colours.core(made["roi_one"][a]) for a, _ in made["pairs"]])
    blob = np.where(cores[..., None], 0, made["blob"]).astype(np.uint8)
    result, _, pairs = measured(of.material(blob=blob), of.choices)
    assert (pairs.cut_one == 1).all() and result["cores"]["one"]["inside"]["k"] == 0
    found = verdicts(result, tmp_path)
    assert "contradicted" in found["keeps-core"] and "contradicted" in found["not-cut"]


def test_grey_values_and_equal_channels_are_seen(of, tmp_path):
    made = of.maps()
    grey = np.broadcast_to(made["roa"][..., :1], made["roa"].shape)
    result, _, _ = measured(of.material(roa_one=grey), of.choices)
    assert result["signs"]["binary"]["k"] == 0 == result["signs"]["coloured"]["k"]
    found = verdicts(result, tmp_path)
    assert found["signs"] == found["coloured"] == {"contradicted"}


def test_black_pictures_are_counted_and_left_out(of):
    made = of.maps()
    made["roa_one"][0] = 0
    made["blob"][1] = 0
    result, _, pairs = measured(of.material(**made), of.choices)
    assert result["signs"]["moving"] == {"k": 5, "n": 6} and result["mean"]["pairs"] == 5
    assert result["rebuild"]["pairs"] == 5 and pairs.two_scales[0] == pairs.zero[0]
    none, arrays, _ = measured(of.material(blob=np.zeros_like(made["blob"])), of.choices)
    assert np.isnan(none["rebuild"]["agreement"]) and none["cores"]["one"]["inside"] is None and arrays == {}


def test_the_calibration_counts_every_entry_once(of):
    material = of.material()
    table = measure.calibration(material, 15)
    assert table.n.sum() == material.roa.size and table.k.sum() == (material.roa_one > 127).sum()
    assert table["first"].tolist()[:2] == [0, 1] and table["last"].iloc[-1] == 255
    assert (table["first"].iloc[1:].to_numpy() == table["last"].iloc[:-1].to_numpy() + 1).all()


def test_an_interval_draws_unordered_pairs():
    rng = np.random.default_rng(0)
    values = np.repeat(rng.normal(size=20), 2)
    together = [np.array([2 * k, 2 * k + 1]) for k in range(20)]
    apart = [np.array([k]) for k in range(40)]
    value, wide = summary.median(values, together)
    same, narrow = summary.median(values, apart)
    assert value == same == np.median(values) and wide.high - wide.low > narrow.high - narrow.low
    holes = np.append(values, [np.nan, 7.0])
    assert summary.median(holes, [*together, np.array([40, 41])])[0] == np.nanmedian(holes)
    assert np.isnan(summary.median([np.nan], [np.array([0])])[0])


def test_a_unit_is_stored_once_and_found_again(of, results, monkeypatch):
    monkeypatch.setattr(compute, "load", lambda *args, **kwargs: of.material())
    plan = studies.Planned("forensics", of.choices, 0)
    unit, reused = studies.run(plan, profile="desk", progress=False)
    assert not reused and unit.path == results / "desk" / "forensics" / "mnist-seed0"
    assert studies.run(plan, profile="desk", progress=False)[1]
    assert unit.result["parameters"]["choices"]["dataset"] == unit.result["dataset"] == "mnist"
    assert sum(path.stat().st_size for path in unit.path.iterdir()) < 100_000
    assert not studies.run(replace(plan, choices=replace(of.choices, bins=5)), profile="desk", progress=False)[1]


@pytest.mark.parametrize("profile", ("desk", "paper"))
def test_a_unit_is_planned_for_every_readable_data_set(profile):
    plans = studies.planned(profile, "forensics", seed=0)
    assert [plan.name for plan in plans] == ["mnist-seed0", "fashion-mnist-seed0", "cifar10-seed0"]
