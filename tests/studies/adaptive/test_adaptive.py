"""Attackers who adapt: blobs, the defended network, every count from public functions again."""

import sys
from dataclasses import replace
from types import SimpleNamespace

import pandas as pd
import pytest
import samples
import torch

from roa_helpers import attacks, data, models, pipeline, regions, studies
from roa_helpers.studies.adaptive import charts, choices, compute, words
from roa_helpers.studies.roi_roa import PGD_REACH, PGD_STARTS, PGD_STEPS, pairs

CHOICES = choices.Adaptive(**vars(samples.CHOICES) | {"images": 4, "delta2_gradient": (), "theta_published": ()})


@pytest.fixture(scope="module")
def networks(tmp_path_factory):
    folder, splits = tmp_path_factory.mktemp("two"), data.in_colour(samples.splits())
    return splits, *(
        pairs.train(CHOICES, splits, seed=seed, path=folder / f"{seed}.safetensors", progress=False)[0]
        for seed in (0, 1)
    )


@pytest.fixture(scope="module")
def measured(networks):
    splits, model, other = networks
    return compute.measurements(model, other, splits, CHOICES, seed=0)


def test_a_defended_network_sees_neutralised_images_and_lets_no_gradient_through_the_blob(networks):
    splits, model, _ = networks
    x, y = splits.test.images[:3], splits.test.labels[:3]
    blob = torch.zeros(32, 32, dtype=torch.bool)
    blob[:10] = True
    defended = compute.Neutralised(model, blob, 1.0).eval()
    assert torch.equal(models.predict(defended, x), models.predict(model, regions.neutralise(x, blob, 1.0)))
    gradient = attacks.loss_gradient(defended, x, y)
    assert (gradient[:, :, :10] == 0).all() and (gradient[:, :, 10:] != 0).any()


@pytest.mark.parametrize("k", (0, 1))
def test_every_count_follows_from_public_functions(networks, measured, k):
    splits, model, other = networks
    result, tables = measured
    name = samples.DIRECTIONS[k]
    block = result["directions"][name]
    setting = pipeline.Setting(**block["parameters"])
    x, y = (part[:4] for part in pipeline.of_class(splits.test, k, seed=0))

    def inside(network, klass):
        side = pipeline.scan(network, *pipeline.of_class(splits.val, klass, seed=0))
        return regions.isolate(*pipeline.regions_of(side, setting, "perturbation")).not_u_v

    made = {
        "own": regions.blob(inside(model, k), setting.theta),
        "another network’s": regions.blob(inside(other, k), setting.theta),
        "any class": regions.blob(torch.cat([inside(model, k), inside(model, 1 - k)]), setting.theta),
    }
    assert list(block["blobs"]) == ["none", *made] and block["scores"] == block["blobs"]["none"]
    for label, scores in block["blobs"].items():
        defended = model
        if label != "none":
            assert block["share"][label] == made[label].double().mean().item()
            defended = compute.Neutralised(model, made[label], setting.value).eval()
        step = PGD_REACH * setting.eps / PGD_STEPS
        budget = {"eps": setting.eps, "step": step, "steps": PGD_STEPS, "restarts": PGD_STARTS, "seed": 0}
        expected = {
            "clean": models.correct(defended, x, y),
            "fgsm": models.correct(defended, attacks.fgsm(defended, x, y, eps=setting.eps), y),
            "pgd": attacks.pgd_survivors(defended, x, y, **budget),
        }
        for attack, hits in expected.items():
            assert scores[attack] == {"k": int(hits.sum()), "n": 4}
            rows = tables["images"]
            rows = rows[(rows.direction == name) & (rows.blob == label)]
            assert rows[attack].tolist() == hits.int().tolist()


def test_the_networks_are_those_of_the_study_that_it_stands_on(monkeypatch, results):
    monkeypatch.setattr(data, "load", lambda *args, **kwargs: samples.splits())
    studies.run(studies.Planned("roi_roa", samples.CHOICES, 0), profile="quick", progress=False)
    models_folder = results / "quick" / "models"
    before = {path.name: path.stat().st_mtime_ns for path in models_folder.glob("*.safetensors")}
    unit, reused = studies.run(studies.Planned("adaptive", CHOICES, 0), profile="quick", progress=False)
    after = {path.name: path.stat().st_mtime_ns for path in models_folder.glob("*.safetensors")}
    assert not reused and before.items() < after.items() and len(after) == 2
    figure, table = charts.standing([unit])
    assert len(table) == 2 * 4 * len(set(table.attack)) and len(figure.axes) == 2
    assert studies.planned("desk", "adaptive")[0].choices.images == 100


def test_attacks_of_the_library_are_run_where_it_is_installed(networks, monkeypatch):
    splits, model, _ = networks
    x, y = splits.test.images[:4], splits.test.labels[:4]
    asked = []

    def attack(model, **options):
        asked.append(options)
        return lambda images, labels: images * 0

    monkeypatch.setattr(compute, "find_spec", lambda name: None)
    assert compute.elsewhere(model, x, y, eps=0.1, choices=CHOICES, seed=3) == {}
    monkeypatch.setattr(compute, "find_spec", lambda name: name)
    monkeypatch.setitem(sys.modules, "torchattacks", SimpleNamespace(APGD=attack, Square=attack))
    found = compute.elsewhere(model, x, y, eps=0.1, choices=CHOICES, seed=3)
    assert asked == [{"norm": "Linf", "eps": 0.1, "steps": 50, "seed": 3},
                     {"norm": "Linf", "eps": 0.1, "n_queries": 1000, "seed": 3}]  # fmt: skip
    assert torch.equal(found["apgd"], models.correct(model, 0 * x, y)) and set(found) == {"apgd", "square"}


def test_apgd_and_square_stay_in_the_ball_and_do_no_less_than_fgsm(networks):
    pytest.importorskip("torchattacks")
    splits, model, _ = networks
    x, y = splits.test.images[:6], splits.test.labels[:6]
    found = compute.elsewhere(model, x, y, eps=0.1, choices=replace(CHOICES, queries=50), seed=0)
    fgsm = models.correct(model, attacks.fgsm(model, x, y, eps=0.1), y)
    assert found["apgd"].sum() <= fgsm.sum()


@pytest.fixture
def unit():
    """A unit of MNIST, 40 images a direction: what each blob leaves of no attack and of FGSM, by direction."""
    left = {
        "0 to 1": {"none": (40, 10), "own": (40, 30), "another network’s": (10, 10), "any class": (40, 10)},
        "1 to 0": {"none": (40, 20), "own": (38, 40), "another network’s": (40, 20), "any class": (40, 40)},
    }
    rows = [
        {"image": image, "clean": int(image < clean), "fgsm": int(image < fgsm), "blob": blob, "direction": name}
        for name, blobs in left.items() for blob, (clean, fgsm) in blobs.items() for image in range(40)
    ]  # fmt: skip
    share = {"own": 0.1, "another network’s": 0.2, "any class": 0.0}
    directions = {name: {"share": share | {"any class": 0.3 * (name == "1 to 0")}} for name in left}
    result = {"dataset": "mnist", "seed": 0, "directions": directions}
    return SimpleNamespace(result=result, table=lambda name: pd.DataFrame(rows))


def test_a_change_is_the_mean_over_both_directions_with_its_paired_interval(unit):
    table = charts.changes([unit]).set_index(["blob", "attack"])
    assert table.ours["own", "no attack"] == pytest.approx(-2.5) and table.ours["own", "FGSM"] == pytest.approx(50)
    assert table.ours["another network’s", "no attack"] == pytest.approx(-37.5)
    assert (table.n == 80).all() and (table.low < table.ours).all() and (table.ours < table.high).all()
    assert table["empty"].to_dict() == {
        (blob, attack): "0 to 1" if blob == "any class" else "" for blob, attack in table.index
    }
    seen = charts.by_blob(charts.changes([unit]))
    assert list(seen) == ["data set", "attack", "own", "another network’s", "any class"]
    again = SimpleNamespace(result=unit.result | {"seed": 2}, table=unit.table)
    assert charts.by_blob(charts.changes([unit, again]))["data set"].tolist() == ["MNIST"] * 2 + ["MNIST, seed 2"] * 2
    assert seen.attack.tolist() == ["no attack", "FGSM"] and seen.own[1].startswith("50.0 [")


def test_words_name_the_data_sets_that_clearly_change_and_leave_out_empty_blobs(unit):
    text = words.told(charts.changes([unit]))
    assert "- blob: own: FGSM: higher for MNIST\n- blob: another network’s: no attack: lower for MNIST" in text
    assert text.endswith("Not counted, since the blob of a class is empty: any class for MNIST (0 to 1).")
    table = pd.DataFrame({"attack": ["FGSM"]})
    assert "torchattacks" in words.missing(table) and words.missing(table.assign(attack="APGD")) == ""
