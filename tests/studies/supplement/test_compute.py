"""The study of the supplement on pictures made here: every number from public functions again, schema, reuse."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import samples
import torch

from roa_helpers import attacks, data, explain, metrics, models, pipeline, regions, studies
from roa_helpers.models import training
from roa_helpers.studies.roi_roa import overlap
from roa_helpers.studies.supplement import choices, compute

CHOICES = choices.Supplement(
    dataset="digits", classes=("0", "1"), size=32, width=1 / 16, epochs=2, batch=8, eps=(0.05, 0.2),
    theta=(0.1, 0.11, 0.6), theta_published=(0.1, 0.3), value=(0.0, 1.0),
)  # fmt: skip
NUMBERS = ["min", "max", "mean", "median", "sd"]


@pytest.fixture(scope="module")
def measured(computed):
    model, splits, _, _ = computed
    return compute.measurements(model, splits, CHOICES, seed=0)


@pytest.fixture
def loaded(monkeypatch, results):
    monkeypatch.setattr(data, "load", lambda *args, **kwargs: samples.splits())
    return results


def five(values):
    """Minimum, maximum, mean, median, standard deviation, the slow way."""
    ordered = sorted(float(v) for v in values)
    n = len(ordered)
    mean = sum(ordered) / n
    median = (ordered[(n - 1) // 2] + ordered[n // 2]) / 2
    return [ordered[0], ordered[-1], mean, median, (sum((v - mean) ** 2 for v in ordered) / (n - 1)) ** 0.5]


@pytest.mark.parametrize("k", (0, 1))
def test_every_score_follows_from_public_functions(computed, measured, k):
    model, splits, _, _ = computed
    result, arrays, tables = measured
    eps, images = result["parameters"]["eps"][k], splits.test.of_class(k)
    x, y = images.images, images.labels
    x_adv = attacks.fgsm(model, x, y, eps=eps)
    roi = regions.region_of_importance(explain.grad_cam(model, x, y), CHOICES.delta1)
    roa = regions.region_of_attack(x, x_adv, CHOICES.delta2)
    inside = regions.isolate(roi, roa).not_u_v
    name = samples.DIRECTIONS[k]
    table = tables["scores"][tables["scores"].direction == name]
    assert len(table) == 2 + 2 * 3 * 2 and (table.n == 12).all()
    for row in table.to_dict("records"):
        pictures = x
        if row["score"].startswith("mod"):
            blob = regions.blob(inside, row["theta"])
            pictures = regions.neutralise(x, blob, row["value"])
            assert row["blob"] == pytest.approx(blob.double().mean().item())
            assert np.array_equal(arrays[f"blobs_{k}"][CHOICES.theta.index(row["theta"])], blob.numpy())
        if row["score"].endswith("adv"):
            pictures = attacks.fgsm(model, pictures, y, eps=eps)
        logits = models.predict(model, pictures)
        expected = [float(torch.exp(row_ - torch.logsumexp(row_, 0))[k]) for row_ in logits.double()]
        assert [row[n] for n in NUMBERS] == pytest.approx(five(expected), abs=1e-6)
        assert row["low"] <= row["mean"] <= row["high"]
        assert row["k"] == sum(int(one[k] > one[1 - k]) for one in logits)
    table = tables["published"][tables["published"].direction == name]
    signs = (x_adv - x).sign()
    assert len(table) == 2 * 2 * 2
    assert np.array_equal(arrays[f"signed_roa_{k}"], signs.double().mean(0).numpy().astype(np.float16))
    for row in table.to_dict("records"):
        blob = signs.double().mean(0) > row["theta"]
        pictures = torch.where(blob, row["value"], x)
        if row["score"] == "mod_adv":
            pictures = attacks.fgsm(model, pictures, y, eps=eps)
        expected = models.predict(model, pictures).softmax(1)[:, k].double().tolist()
        assert row["blob"] == pytest.approx(blob.double().mean().item())
        assert [row[n] for n in NUMBERS] == pytest.approx(five(expected), abs=1e-6)
    block = result["directions"][name]
    similarity = metrics.ssim(roi.numpy(), roa.numpy())
    assert [block["ssim"]["individual"][n] for n in NUMBERS] == pytest.approx(five(similarity))
    means = [maps.double().mean(0).numpy() for maps in (roi, roa)]
    assert block["ssim"]["representative"] == pytest.approx(metrics.ssim(*(m[None] for m in means))[0])
    assert np.array_equal(arrays[f"roi_{k}"], means[0].astype(np.float16))
    assert np.array_equal(arrays[f"roa_{k}"], means[1].astype(np.float16))
    scores = tables["scores"][tables["scores"].direction == name]
    scores = scores[scores.score.isin(["clean", "adv"])].set_index("score")
    assert {s: block["scores"][s]["k"] for s in ("clean", "adv")} == scores.k.to_dict()


def test_the_interval_of_a_representative_is_that_of_leaving_each_image_out():
    generator = torch.Generator().manual_seed(3)
    roi, roa = (torch.rand(5, 9, 9, generator=generator) > 0.5 for _ in range(2))
    found = overlap.similarity(roi, roa)
    left = []
    for i in range(5):
        rest = [torch.cat([maps[:i], maps[i + 1 :]]).double().mean(0)[None].numpy() for maps in (roi, roa)]
        left.append(metrics.ssim(*rest)[0])
    assert found["representative_interval"] == pytest.approx(metrics.jackknife(found["representative"], left))


def test_equal_blobs_are_scored_once(computed, monkeypatch):
    model, splits, _, _ = computed
    calls = []
    single = pipeline.neutralised
    monkeypatch.setattr(pipeline, "neutralised", lambda *args: calls.append(1) or single(*args))
    _, arrays, tables = compute.measurements(model, splits, CHOICES, seed=0)
    different = sum(len(np.unique(arrays[f"blobs_{k}"], axis=0)) for k in (0, 1))
    signed = sum(len({(arrays[f"signed_roa_{k}"] > t).tobytes() for t in CHOICES.theta_published}) for k in (0, 1))
    assert different < 2 * len(CHOICES.theta) and len(calls) == (different + signed) * len(CHOICES.value)
    rows = tables["scores"].set_index(["direction", "score", "value", "theta"])
    for key in ((d, s, v) for d in samples.DIRECTIONS for s in ("mod", "mod_adv") for v in CHOICES.value):
        assert rows.loc[(*key, 0.1), NUMBERS].equals(rows.loc[(*key, 0.11), NUMBERS])


def test_a_unit_is_stored_and_its_weights_are_not(loaded):
    plan = studies.Planned("supplement", CHOICES, 0)
    unit, reused = studies.run(plan, profile="quick", progress=False)
    assert not reused and unit.path == loaded / "quick" / "supplement" / "digits-0-1-seed0"
    assert not list(loaded.rglob("*.safetensors")) and not list(loaded.rglob("*.part"))
    assert unit.result["classes"] == ["0", "1"] and unit.result["model"]["test"]["n"] == 24
    assert set(unit.table("scores").score) == {"clean", "adv", "mod", "mod_adv"}
    again, reused = studies.run(plan, profile="quick", progress=False)
    assert reused and again.result == unit.result
    assert studies.run(replace(plan, choices=replace(CHOICES, delta1=0.5)), profile="quick", progress=False)[1] is False


def test_a_measurement_that_was_stopped_needs_no_new_training(loaded, monkeypatch):
    plan = studies.Planned("supplement", CHOICES, 0)
    with monkeypatch.context() as patch:
        patch.setattr(compute, "measurements", lambda *args, **kwargs: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            studies.run(plan, profile="quick", progress=False)
    assert len(list(loaded.rglob("*.safetensors"))) == 1
    monkeypatch.setattr(training, "_train", lambda *args: pytest.fail("trained anew"))
    studies.run(plan, profile="quick", progress=False)
    assert not list(loaded.rglob("*.safetensors"))


@pytest.mark.parametrize(("name", "sets", "pairs"), (("quick", 1, 6), ("desk", 3, 45), ("paper", 3, 45)))
def test_profiles_plan_every_unordered_pair_once(name, sets, pairs):
    plans = studies.planned(name, "supplement", seed=0)
    found = {}
    for plan in plans:
        found.setdefault(plan.choices.dataset, []).append(frozenset(plan.choices.classes))
    assert len(found) == sets and all(len(set(one)) == len(one) == pairs for one in found.values())
    assert len({plan.name for plan in plans}) == len(plans)


def test_five_pairs_of_each_data_set_are_repeated_with_further_seeds():
    found = Counter((plan.choices.dataset, plan.seed) for plan in studies.planned("desk", "supplement"))
    assert found == {(name, seed): 45 if seed == 0 else 5
                     for name in ("mnist", "fashion-mnist", "cifar10") for seed in (0, 1, 2)}  # fmt: skip
