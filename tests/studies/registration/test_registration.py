"""Images moved at random: what moves, what is measured, what is drawn."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import samples
import torch

from roa_helpers import attacks, data, explain, metrics, pipeline, regions, studies
from roa_helpers.records import store
from roa_helpers.studies.registration import charts, choices, compute, words
from roa_helpers.studies.roi_roa import pairs

CHOICES = choices.Registration(
    dataset="digits", classes=("0", "1"), size=32, width=1 / 16, epochs=2, batch=8, eps=(0.05, 0.2), shift=4, draws=3
)


def test_images_move_by_whole_pixels_and_edges_move_in():
    image = torch.zeros(1, 1, 5, 5)
    image[0, 0, 2, 2], image[0, 0, 0] = 1.0, 0.5
    moved = compute.moved(image.repeat(200, 1, 1, 1), 1, seed=0)
    places = {tuple(place.tolist()) for one in moved for place in (one[0] == 1).nonzero()}
    assert places == {(i, j) for i in (1, 2, 3) for j in (1, 2, 3)}
    down = next(one for one in moved if one[0, 3, 2] == 1)
    assert (down[0, :2] == 0.5).all()  # the edge row stands twice
    assert torch.equal(compute.moved(image, 0, seed=3), image) and len(compute.moved(image[:0], 2, seed=0)) == 0
    assert torch.equal(moved, compute.moved(image.repeat(200, 1, 1, 1), 1, seed=0))


@pytest.fixture
def loaded(monkeypatch):
    monkeypatch.setattr(data, "load", lambda *args, **kwargs: samples.splits())


def test_parts_are_moved_apart_and_the_data_tell_it(loaded):
    still, moved = compute.load(replace(CHOICES, shift=0)), compute.load(CHOICES)
    assert torch.equal(still.test.images, data.in_colour(samples.splits()).test.images)
    assert not torch.equal(moved.test.images, still.test.images) and moved.fingerprint != still.fingerprint
    assert torch.equal(moved.train.labels, still.train.labels)


def test_alignment_beyond_chance_follows_from_public_functions(loaded, tmp_path):
    splits = compute.load(CHOICES)
    model, _ = pairs.train(CHOICES, splits, seed=0, path=tmp_path / "m.safetensors", progress=False)
    result = compute.measurements(model, splits, CHOICES, seed=0)
    for k, (name, block) in enumerate(result["directions"].items()):
        assert name == samples.DIRECTIONS[k]
        x, y = pipeline.of_class(splits.test, k, seed=0)
        x_adv = attacks.fgsm(model, x, y, eps=result["parameters"]["eps"][k])
        found = {
            "roi": regions.region_of_importance(explain.grad_cam(model, x, y), CHOICES.delta1),
            "roa": regions.region_of_attack(x, x_adv, CHOICES.delta2),
        }
        for region, stack in found.items():
            maps, one = stack.numpy(), block["alignment"]["perturbation"][region]
            rolled = np.mean([metrics.alignment(metrics.rolled(maps, seed=1 + i)) for i in range(3)])
            assert one["value"] == pytest.approx(metrics.alignment(maps) - rolled, nan_ok=True)
            assert one["rolled"] == pytest.approx(rolled, nan_ok=True) and one["n"] == 12


def test_common_places_beat_chance_and_scattered_ones_do_not():
    common = np.zeros((30, 12, 12), bool)
    common[:, 3:7, 3:7] = True
    found = compute.excess(common, draws=9, seed=0)
    assert found["value"] > 0.8 and found["value_interval"] == pytest.approx((found["value"],) * 2)
    found = compute.excess(metrics.rolled(common, seed=100), draws=9, seed=0)
    low, high = found["value_interval"]
    assert abs(found["value"]) < 0.1 and low < 0 < high


def test_a_unit_is_planned_stored_and_drawn(loaded, results):
    plan = studies.Planned("registration", CHOICES, 0)
    unit, reused = studies.run(plan, profile="quick", progress=False)
    assert not reused and unit.path.name == "digits-0-1-shift-4-seed0" and unit.result["shift"] == 4
    assert not list(results.rglob("*.safetensors"))
    figure, table = charts.alignment([unit])
    assert len(figure.axes) == 3 and len(table) == 2 * 3 and (table["shift"] == 4).all()
    planned = studies.planned("desk", "registration")
    assert [(one.choices.shift, one.seed) for one in planned] == [(s, k) for s in (0, 4, 8) for k in (0, 1, 2)]
    assert [one.seed for one in studies.planned("desk", "registration", seed=5)] == [5] * 3


def unit_of(shift, seed, values, *, width=0.01):
    """A unit with one alignment for each direction, the same for all regions."""
    one = {
        name: {
            "source": name[0], "target": name[-1], "scores": {"clean": {"k": 9, "n": 10}},
            "alignment": {
                definition: {
                    region: {"value": value, "value_interval": [value - width, value + width], "n": 10}
                    for region in ("roi", "roa")
                }
                for definition in pipeline.DEFINITIONS
            },
        }
        for name, value in zip(samples.DIRECTIONS, values, strict=True)
    }  # fmt: skip
    choice = {"shift": shift, "dataset": "mnist", "classes": ["0", "1"]}
    result = {
        "study": "registration", "dataset": "mnist", "shift": shift, "seed": seed, "profile": "desk",
        "directions": one, "parameters": {"choices": choice}, "provenance": {"device": "cpu"},
    }  # fmt: skip
    unit = store.Unit(Path(f"mnist-0-1-shift-{shift}-seed{seed}"), files={})
    unit.__dict__["result"] = result
    return unit


def verdict(units):
    return studies.find("registration").verdicts(units, of_paper=lambda unit: True).set_index("case")


def test_the_claim_reads_the_loss_over_networks():
    units = [unit_of(shift, seed, (base + 0.01 * seed, base)) for shift, base in ((0, 0.6), (4, 0.3), (8, 0.2))
             for seed in (0, 1, 2)]  # fmt: skip
    table = verdict(units)
    assert table.ours.tolist() == pytest.approx([0.4] * 3) and set(table.verdict) == {"reproduced"}
    assert set(table.index) == {"RoI", "RoA", "RoA by gradient"}
    none = verdict([unit_of(shift, seed, (0.3, 0.3)) for shift in (0, 8) for seed in (0, 1, 2)])
    assert set(none.verdict) == {"contradicted"}
    scattered = verdict([unit_of(shift, seed, (0.3 + shift * seed / 10,) * 2) for shift in (0, 8) for seed in range(3)])
    assert set(scattered.verdict) == {"undecided"}


def test_with_few_networks_or_one_shift_there_is_no_test():
    few = verdict([unit_of(shift, seed, (0.6 - shift / 20,) * 2) for shift in (0, 8) for seed in (0, 1)])
    assert set(few.verdict) == {"not testable"} and few.why.str.contains("fewer than 3").all()
    assert verdict([unit_of(0, seed, (0.6, 0.5)) for seed in range(3)]).empty


def test_words_tell_the_means(loaded):
    _, data = charts.alignment([unit_of(shift, 0, (0.5 - shift / 20,) * 2) for shift in (0, 4, 8)])
    text = words.told(data)
    assert "RoI: 0.500 → 0.300 → 0.100" in text and "0, 4, 8 pixels" in text and "1 network of each" in text
    _, data = charts.alignment([unit_of(*each, (0.5, 0.5)) for each in ((0, 0), (0, 1), (4, 0), (8, 0))])
    assert "both classes and 2, 1 and 1 networks:" in words.told(data)


def test_alignment_without_an_interval_is_no_test():
    units = [unit_of(shift, seed, (0.6 - shift / 20,) * 2) for shift in (0, 8) for seed in range(3)]
    units[-1].result["directions"]["0 to 1"]["alignment"]["perturbation"]["roi"]["value_interval"] = [None, None]
    table = verdict(units)
    assert table.verdict.tolist() == ["not testable", "reproduced", "reproduced"]
    assert table.why["RoI"] == "by one network at most one image of a class has a region"
    data = charts.table(units)
    assert data.value.isna().sum() == 1
    assert "RoI: 0.600 → 0.200, without 1 of 12 where at most one image has a region\n- RoA: 0.600 → 0.200\n" in (
        words.told(data)
    )
