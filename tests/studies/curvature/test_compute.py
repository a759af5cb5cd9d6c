"""What a unit measures, what a killed run keeps, other data."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from roa_helpers.compat import torchvision
from roa_helpers.errors import UserError
from roa_helpers.models import small, weights
from roa_helpers.studies.curvature import charts, compute, directions


def test_a_unit_counts_and_has_intervals(unit, plan):
    result = unit.result
    assert result["dataset"] == "digits" and result["model"]["network"] == "lenet" and result["dimensions"] == 64
    assert result["exact_hessian"] == 0 and result["featured"] in result["classes"]
    for found in result["coupling"].values():
        for name in ("curved_flat", "curved_random", "positive_negative", "correlation", "beyond_dimension"):
            low, high = found[f"{name}_interval"]
            assert low <= high and -1 <= found[name] <= 1
    assert list(result["coupling"]) == list(plan.choices.methods)
    assert result["model"]["test"]["n"] == 120 and result["deepfool"]["n"] == 40


def test_the_whole_space_holds_everything(unit):
    accuracy, norms = unit.table("accuracy"), unit.table("norms")
    whole = accuracy[(accuracy.dimension == 64) & (accuracy.part == "test")]
    assert whole.k.nunique() == 1 and len(whole) >= 5
    np.testing.assert_allclose(norms[norms.dimension == 64]["mean"], 1, atol=1e-4)
    nothing = norms[norms.dimension == 0]
    assert (nothing["mean"] == 0).all() and set(norms.attack) == set(charts.ATTACKS)


def test_a_killed_run_keeps_its_parts_and_ends_alike(unit, plan, checkpoint, splits, monkeypatch, tmp_path):
    calls, whole = [], directions.curvatures

    def counting(method, *rest):
        if "tried" not in rest[1]:  # half of the points of a class
            return whole(method, *rest)
        calls.append(method)
        if len(calls) == 13:
            raise KeyboardInterrupt
        return whole(method, *rest)

    path = tmp_path / "curvature" / f"{plan.name}.safetensors"
    path.parent.mkdir()
    path.write_bytes(checkpoint.read_bytes())
    monkeypatch.setattr(directions, "curvatures", counting)
    with pytest.raises(KeyboardInterrupt):
        compute.compute(plan, splits, checkpoints=tmp_path, progress=False)
    result, _, tables = compute.compute(plan, splits, checkpoints=tmp_path, progress=False)
    assert len(calls) == 13 + 4 * 10 - 12
    assert not (tmp_path / "curvature" / f"{plan.name}.parts").exists()
    assert result["coupling"]["twin"]["curved_flat"] == unit.result["coupling"]["twin"]["curved_flat"]
    pd.testing.assert_frame_equal(
        tables["accuracy"].reset_index(drop=True), unit.table("accuracy"), check_dtype=False, rtol=1e-5
    )


def test_one_class_is_not_enough(tmp_path, plan):
    (tmp_path / "own" / "only").mkdir(parents=True)
    for k in range(8):
        Image.new("RGB", (8, 8), (k, 0, 0)).save(tmp_path / "own" / "only" / f"{k}.png")
    with pytest.raises(UserError, match="too few classes, 1 where 3 are needed: only"):
        compute.load(replace(plan.choices, dataset=str(tmp_path / "own")), progress=False)


def test_halves_of_the_points_are_measured_for_some_classes(unit, plan):
    table = unit.table("halves")
    assert set(table["class"]) == set(range(plan.choices.halved)) and set(table.method) >= {"differences", "fine"}
    assert (table.dimension == 2 * plan.choices.energy).all() and (table.expected == table.dimension / 64).all()
    assert table.overlap.between(0, 1).all() and table.points.max() == 2
    assert (table[table.method == "softmax"].points == 2).all()  # two directions of a sign are asked for


@pytest.fixture
def offline(monkeypatch):
    """torchvision's weights cannot be had."""
    monkeypatch.setattr(weights, "state", lambda name: None)


def test_a_network_whose_weights_cannot_be_had_is_trained_or_left_out(offline, monkeypatch, plan, tmp_path):
    squeezenet = replace(plan.choices, network="imagenet-squeezenet")
    place = tmp_path / "weights" / "squeezenet1_1-imagenet.safetensors"
    with pytest.raises(UserError) as caught:
        compute.load(squeezenet, root=tmp_path, progress=False)
    assert str(caught.value).splitlines()[0] == (
        "without the ImageNet weights of squeezenet1_1, digits-imagenet-squeezenet is left out: there is no "
        f"{place}, and torchvision’s cannot be fetched"
    )
    monkeypatch.setitem(small.BUILDERS, "alexnet", small.lenet)
    alexnet = replace(plan.choices, network="imagenet-alexnet", epochs=1)
    splits = compute.load(alexnet, root=tmp_path, progress=False)
    assert splits.pretrained is None
    _, told = compute.train(alexnet, splits, seed=0, path=tmp_path / "model.safetensors", progress=False)
    assert told["initialisation"] == "scratch" and told["network"] == "alexnet"


def test_a_network_with_its_weights_is_not_trained(plan, splits, tmp_path):
    state = torchvision.models.squeezenet1_1().state_dict()
    found = weights.Found(state, "a file in the data folder", "5" * 64)
    own = compute.Material(splits.train, splits.val, splits.test, splits.provenance, found)
    squeezenet = replace(plan.choices, network="imagenet-squeezenet")
    model, told = compute.train(squeezenet, own, seed=0, path=tmp_path / "model.safetensors", progress=False)
    assert told == {
        "initialisation": "imagenet", "network": "imagenet-squeezenet", "mixed": False, "history": [],
        "weights": {"source": "a file in the data folder", "sha256": "5" * 64},
    }  # fmt: skip
    kept = state["classifier.1.weight"][list(small.IMAGENETTE)]
    assert torch.equal(model.head[0][1].weight.cpu(), kept) and not any(tmp_path.iterdir())
    other = replace(own, pretrained=found._replace(sha256="6" * 64))
    assert len({splits.fingerprint, own.fingerprint, other.fingerprint}) == 3
    assert replace(own, pretrained=None).fingerprint == splits.fingerprint
