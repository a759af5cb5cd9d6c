"""What a unit measures, what a killed run keeps, other data."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from roa_helpers.errors import UserError
from roa_helpers.models import small
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


def test_imagenet_weights_that_cannot_be_had_are_said(monkeypatch, splits, plan, tmp_path):
    monkeypatch.setattr(small, "imagenet_alexnet", lambda: None)
    monkeypatch.setitem(small.BUILDERS, "alexnet", small.lenet)
    choices = replace(plan.choices, network="imagenet-alexnet", epochs=1)
    _, told = compute.train(choices, splits, seed=0, path=tmp_path / "model.safetensors", progress=False)
    assert told["initialisation"] == "scratch" and told["network"] == "alexnet"
