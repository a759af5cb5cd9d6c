"""What a unit measures: cells from public functions again, attackers, strengths, a killed run."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from roa_helpers import attacks, data, errors, metrics, models, studies
from roa_helpers.models import resnet
from roa_helpers.records import fingerprints
from roa_helpers.studies.blurring import blur, choices, compute, defence, heatmaps
from roa_helpers.studies.blurring.published import MODELS, ROWS, TESTS


def test_the_classes_and_the_others_are_disjoint(loaded):
    names = ("left", "right", "top", "bottom", "middle")
    assert loaded.splits.train.class_names == names[:3] and loaded.others.train.class_names == names[3:]
    assert loaded.splits.train.images.shape == (24, 3, 32, 32) and len(loaded.splits.test) == 15
    assert loaded.provenance["others"]["counts"]["train"] == {"bottom": 8, "middle": 8}
    assert loaded.fingerprint == loaded.splits.fingerprint + loaded.others.fingerprint


def test_without_pretraining_no_others_are_loaded(patched, plan):
    alone = compute.load(replace(plan.choices, weights=choices.SCRATCH, classes=None))
    assert alone.others is None and alone.splits.test.class_names == ("left", "right", "top", "bottom", "middle")
    assert alone.fingerprint == alone.splits.fingerprint and "others" not in alone.provenance


@pytest.mark.parametrize("bad", [{"classes": 4}, {"classes": 1}, {"classes": 6, "weights": "scratch"}])
def test_too_few_classes_are_refused(patched, plan, bad):
    with pytest.raises(errors.UserError, match="digits has 5 classes"):
        compute.load(replace(plan.choices, **bad))


def test_every_cell_follows_from_public_functions(outcome, loaded):
    (result, arrays, tables), _, networks = outcome
    x, y = loaded.splits.test.images, loaded.splits.test.labels
    explainer = networks["original"][0]
    strengths = result["parameters"]["strengths"]

    def blurred(images):
        heat = heatmaps.importance(explainer, images, epsilon=1e-6, radius=0.5, steps=2)
        keep = {name: blur.keep_mask(one, 0.15) for name, one in heat.items()}
        return {"original": images, "blur": blur.gaussian(images, 4)} | {
            name: blur.blurred(images, mask, 4) for name, mask in keep.items()
        }

    def fgsm(model, images):
        return attacks.fgsm(model, images, models.predict(model, images).argmax(1), eps=strengths["fgsm"])

    def newtonfool(model, images):
        return attacks.newtonfool(model, images, eta=strengths["newtonfool"], steps=2)

    clean = blurred(x)
    cells = tables["cells"].set_index(["model", "row", "test"])
    assert len(cells) == 150 == arrays["hits"][..., 0].size
    for i, name in enumerate(MODELS):
        model = networks[name][0]
        expected = {
            "clean": clean,
            "blur_fgsm": {test: fgsm(model, images) for test, images in clean.items()},
            "fgsm_blur": blurred(fgsm(model, x)),
            "blur_newtonfool": {test: newtonfool(model, images) for test, images in clean.items()},
            "newtonfool_blur": blurred(newtonfool(model, x)),
        }
        for j, row in enumerate(ROWS):
            for k, test in enumerate(TESTS):
                hits = models.correct(model, expected[row][test], y)
                assert np.array_equal(arrays["hits"][i, j, k], hits.numpy()), (name, row, test)
                cell = cells.loc[name, row, test]
                assert (cell.k, cell.n, cell.accuracy) == (hits.sum(), 15, pytest.approx(hits.sum() / 15))
                assert (cell.low, cell.high) == pytest.approx(metrics.wilson(int(hits.sum()), 15))


def test_each_network_is_trained_on_its_own_images(outcome, loaded):
    _, _, networks = outcome
    x, explainer = loaded.splits.train.images, networks["original"][0]
    assert torch.equal(networks["original"][1], x)
    heat = heatmaps.importance(explainer, x, epsilon=1e-6, radius=0.5, steps=2)
    for name, one in heat.items():
        assert torch.equal(networks[name][1], blur.blurred(x, blur.keep_mask(one, 0.15), 4))


def test_attackers_of_a_defended_network(outcome, loaded):
    (result, arrays, tables), _, networks = outcome
    few = torch.cat([torch.arange(3) + 5 * k for k in range(3)])
    x, y = loaded.splits.test.images[few], loaded.splits.test.labels[few]
    guard = defence.Defence(explainer=networks["original"][0], keep=0.15, sigma=4.0, epsilon=1e-6, radius=0.5, steps=2)
    eps = result["parameters"]["strengths"]["knowing"]
    table = tables["knowing"].assign(hits=list(arrays["knowing"])).set_index(["model", "attacker"])
    assert len(table) == 3 + 4 * 6 and (table.n == 9).all()
    model = networks["pgd"][0]
    many = {"eps": eps, "steps": 2}
    expected = {
        "clean": x,
        "unaware_one": attacks.fgsm(model, x, y, eps=eps),
        "unaware_many": defence.straight_through(guard, "original", model, x, y, **many),
        "fixed": defence.fixed_mask(guard, "pgd", model, x, y, eps=eps),
        "recomputed": defence.straight_through(guard, "pgd", model, x, y, **many),
        "explainer": defence.straight_through(guard, "original", guard.explainer, x, y, **many),
    }
    for attacker, x_adv in expected.items():
        hits = models.correct(model, guard.apply(x_adv, "pgd"), y).numpy()
        assert np.array_equal(table.loc[("pgd", attacker), "hits"], hits)
    bare = models.correct(guard.explainer, attacks.fgsm(guard.explainer, x, y, eps=eps), y).numpy()
    assert np.array_equal(table.loc[("original", "unaware_one"), "hits"], bare)


def test_what_a_unit_tells(outcome, loaded):
    (result, arrays, tables), folder, networks = outcome
    assert result["classes"] == ["left", "right", "top"] and result["model"]["initialisation"] == "pretrained"
    assert result["model"]["other_classes"] == ["bottom", "middle"] and result["model"]["other_images"] == 16
    assert set(result["kept"]) == set(heatmaps.HEATMAPS) and result["kept"]["pgd"]["min"] >= 0.15
    assert len(tables["overlap"]) == 6 and tables["overlap"]["mean"].between(0, 1).all()
    assert arrays["example_image"].shape == (3, 3, 32, 32) and arrays["example_heat_pgd"].shape == (3, 32, 32)
    assert [path.suffix for path in folder.glob("blurring/[!.]*")] == [".safetensors"]  # what others start from


def test_strengths_are_matched_on_validation_images(outcome, loaded, plan):
    (result, _, tables), _, networks = outcome
    table, model, val = tables["strengths"], networks["original"][0], loaded.splits.val
    for name, part in table.groupby("attack"):
        assert len(part) == 3 and part.chosen.sum() == 1
        chosen = part[part.chosen].iloc[0]
        assert result["parameters"]["strengths"][name] == chosen.strength
        assert abs(chosen.accuracy - chosen.aim) == (part.accuracy - part.aim).abs().min()
        low, high = plan.choices.newtonfool_range if name == "newtonfool" else plan.choices.fgsm_range
        assert np.isclose(part.strength, (low * high) ** 0.5).any()  # where bisection begins
    eps = table[table.attack == "fgsm"].iloc[0]
    x_adv = attacks.fgsm(model, val.images, models.predict(model, val.images).argmax(1), eps=eps.strength)
    assert eps.k == models.correct(model, x_adv, val.labels).sum()


def test_the_aim_is_a_share_where_clean_accuracy_is_below_it(outcome, loaded, plan):
    _, _, networks = outcome
    model, val = networks["original"][0], loaded.splits.val
    wrong = val.subset(slice(None))
    wrong = data.ImageSet(wrong.images, (models.predict(model, wrong.images).argmax(1) + 1) % 3, wrong.class_names)
    table = compute.match(model, wrong, plan.choices)
    assert (table.aim == 0).all()  # nothing is right, so nothing is aimed at
    some = data.ImageSet(
        val.images, torch.where(torch.arange(12) < 10, wrong.labels - 1, wrong.labels) % 3, val.class_names
    )
    aims = compute.match(model, some, plan.choices).groupby("attack").aim.first()  # 10 of 12 are right: 83 %
    expected = {"fgsm": 10 / 12 * 246 / 269, "knowing": 5 / 12, "newtonfool": 82 / 300}
    assert aims.to_dict() == pytest.approx(expected)
    right = data.ImageSet(val.images, models.predict(model, val.images).argmax(1), val.class_names)
    aims = compute.match(model, right, plan.choices).groupby("attack").aim.first()
    assert aims.to_dict() == pytest.approx({"fgsm": 0.82, "knowing": 0.5, "newtonfool": 82 / 300})


def test_newtons_first_step_by_both_readings(outcome, loaded):
    (result, _, _), _, networks = outcome
    model, x = networks["original"][0].double(), loaded.splits.test.images.double()
    eta = result["parameters"]["strengths"]["newtonfool"]
    found = compute.newton_steps(model, x, eta)
    lengths = []
    for image in x:
        y = models.predict(model, image[None]).argmax(1)
        gradient, excess, _ = attacks.probability_gradient(model, image[None], y)
        size, slope = float((image**2).sum()) ** 0.5, float((gradient**2).sum()) ** 0.5
        first = min(eta * size * slope, float(excess)) / slope**2 * slope
        second = min(eta * size**2 * slope**2, float(excess)) / slope**4 * slope
        lengths.append((first, second, second / first))
    for values, name in zip(zip(*lengths, strict=True), ("definition", "squared", "ratio"), strict=True):
        assert found[name]["median"] == pytest.approx(float(np.median(values))) and found[name]["n"] == 15
    model.float()


def test_a_killed_run_loses_no_finished_network(outcome, loaded, plan, tmp_path, monkeypatch):
    whole = outcome[0]
    evaluate, measured = compute.evaluate, []

    def breaking(*args):
        if len(measured) == 2:
            raise KeyboardInterrupt
        measured.append(1)
        return evaluate(*args)

    monkeypatch.setattr(compute, "evaluate", breaking)
    with pytest.raises(KeyboardInterrupt):
        compute.compute(plan, loaded, checkpoints=tmp_path, progress=False)
    kept = {path.name for path in tmp_path.glob("blurring/[!.]*.npz")}
    assert kept == {f"{plan.name}-{name}.npz" for name in ("strengths", "original", "gradient")}
    counted = []
    monkeypatch.setattr(compute, "evaluate", lambda *args: counted.append(1) or evaluate(*args))
    resumed = compute.compute(plan, loaded, checkpoints=tmp_path, progress=False)
    assert len(counted) == 3
    assert np.array_equal(resumed[1]["hits"], whole[1]["hits"])
    pd.testing.assert_frame_equal(resumed[2]["knowing"], whole[2]["knowing"])
    pd.testing.assert_frame_equal(resumed[2]["strengths"], whole[2]["strengths"], check_dtype=False)


def test_imagenet_weights_that_are_missing_are_told(loaded, plan, tmp_path, monkeypatch):
    monkeypatch.setattr(resnet, "load_imagenet_weights", lambda model: False)
    wanted = replace(plan.choices, weights=choices.IMAGENET)
    state, told = compute.initial(loaded, wanted, seed=0, folder=tmp_path, progress=False)
    assert state is None and told == {"initialisation": "scratch"}
    monkeypatch.setattr(resnet, "load_imagenet_weights", lambda model: True)
    state, told = compute.initial(loaded, wanted, seed=0, folder=tmp_path, progress=False)
    assert "layer4.0.conv3.weight" in state and told == {"initialisation": "imagenet"}


def test_the_code_of_the_study_leaves_its_presentation_out():
    reached = fingerprints.reached(*studies.find("blurring").entries)
    found = {".".join(module.split(".")[-2:]) for module, _ in reached}
    parts = {f"blurring.{name}" for name in ("blur", "defence", "heatmaps")}
    assert {"attacks.fgsm", "explain.relevance", "models.resnet"} | parts <= found
    assert not {"blurring.results", "blurring.tables", "records.partial"} & found
    names = {name: {one for module, one in reached if module.endswith(f"blurring.{name}")}
             for name in ("published", "choices")}  # fmt: skip
    assert names == {"published": {"MODELS", "ROWS"}, "choices": {"SCRATCH", "PRETRAINED", "IMAGENET"}}
