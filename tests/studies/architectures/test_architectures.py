"""Networks of other architectures: what they begin with, every number from public functions again, what is said."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import samples
import torch

from roa_helpers import attacks, data, metrics, models, pipeline, studies
from roa_helpers.errors import UserError
from roa_helpers.studies.architectures import charts, choices, compute, networks, words
from roa_helpers.studies.roi_roa import PGD_REACH, PGD_STARTS, PGD_STEPS, Pair, overlap

SMALL = {"delta2_gradient": (), "theta_published": (), "attacked": 4, "null_images": 6, "untrained": 2}
BASE = choices.Architecture(**vars(samples.CHOICES) | SMALL)
FIRST = replace(BASE, variant="first", weights="digits", first_epochs=1)


@pytest.fixture
def loaded(monkeypatch):
    monkeypatch.setattr(data, "load", lambda *args, **kwargs: samples.splits())


@pytest.fixture(scope="module")
def units(tmp_path_factory):
    """The baseline, and two networks of other architectures: finished units of the tiny pair."""
    found = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(data, "load", lambda *args, **kwargs: samples.splits())
        patch.setenv("ROA_RESULTS", str(tmp_path_factory.mktemp("results")))
        for one in (BASE, replace(BASE, variant="plain", network="vgg16"), FIRST):
            found.append(studies.run(studies.Planned("architectures", one, 0), profile="quick", progress=False)[0])
        kept = sorted(path.name for path in found[0].path.parents[1].glob("models/**/*.safetensors"))
    assert kept == ["digits-0-1-seed0.safetensors"]
    return [studies.presented(unit) for unit in found]


@pytest.mark.parametrize("k", (0, 1))
def test_every_number_follows_from_public_functions(loaded, tmp_path, k):
    material = compute.load(BASE)
    paths = [tmp_path / "a.safetensors", tmp_path / "b.safetensors"]
    model, _ = compute.train(BASE, material, seed=0, paths=paths, progress=False)
    splits = material.splits
    result, tables = compute.measurements(model, splits, BASE, seed=0)
    name = samples.DIRECTIONS[k]
    block = result["directions"][name]
    setting = pipeline.Setting(**block["parameters"])
    x, y = pipeline.of_class(splits.test, k, seed=0)
    side, held_out = pipeline.scan(model, x, y), pipeline.scan(model, *pipeline.of_class(splits.val, k, seed=0))
    for part, where in (("scores", held_out), ("way", side)):
        blob = pipeline.blob_of(where, setting, "perturbation")
        modified = torch.where(blob, torch.tensor(setting.value), x)
        expected = {
            "clean": models.correct(model, x, y),
            "adv": models.correct(model, attacks.fgsm(model, x, y, eps=setting.eps), y),
            "mod": models.correct(model, modified, y),
            "mod_adv": models.correct(model, attacks.fgsm(model, modified, y, eps=setting.eps), y),
        }
        assert block[part] == {score: metrics.count(hits) for score, hits in expected.items()}
        if part == "scores":
            step = PGD_REACH * setting.eps / PGD_STEPS
            budget = {"eps": setting.eps, "step": step, "steps": PGD_STEPS, "restarts": PGD_STARTS, "seed": 0}
            stand = [attacks.pgd_survivors(model, images[:4], y[:4], **budget) for images in (x, modified)]
            assert list(block["pgd"].values()) == [metrics.count(hits) for hits in stand]
            rows = tables["images"][tables["images"].direction == name]
            assert rows["mod_adv, held out"].tolist() == expected["mod_adv"].int().tolist()
    found = pipeline.regions_of(side, setting, "perturbation")
    assert block["ssim"] == overlap.similarity(*found)
    nulls = [networks.build("vgg16_bn", 2, width=BASE.width, seed=10_000 + i).eval() for i in (0, 1)]
    nulls = [pipeline.regions_of(pipeline.scan(one, x[:6], y[:6]), setting, "perturbation") for one in nulls]
    for i, region in enumerate(("roi", "roa")):
        one, maps = block["alignment"][region], found[i][:6].numpy()
        assert one["n"] == 6 and one["value"] == pytest.approx(metrics.alignment(maps), nan_ok=True)
        assert one["rolled"] == pytest.approx(metrics.alignment(metrics.rolled(maps, seed=0)), nan_ok=True)
        strongest = np.max([metrics.alignment(null[i].numpy()) for null in nulls])
        assert one["untrained"] == pytest.approx(strongest, nan_ok=True)
    assert result["model"]["test"] == metrics.count(models.correct(model, splits.test.images, splits.test.labels))
    assert result["model"]["train"]["n"] == 2 * BASE.train_scored


def test_features_are_those_of_what_was_learnt_before(loaded, tmp_path, monkeypatch):
    material = compute.load(FIRST)
    assert material.earlier and material.fingerprint != compute.load(BASE).fingerprint
    begun = []

    def fit(model, *args, **kwargs):
        begun.append(model.features[0].weight.clone())
        model.features[0].weight.data += 1
        return models.Trained(model.eval(), (), False)

    monkeypatch.setattr(compute, "trained", fit)
    _, told = compute.train(FIRST, material, seed=0, paths=["", ""], progress=False)
    assert told["initialisation"] == "digits" and told["first"]["n"] == 24
    assert torch.equal(begun[1], begun[0] + 1)
    donor = models.squeezenet(2, seed=8)
    tuned = replace(BASE, variant="tuned", network="squeezenet1_1", weights="imagenet")
    monkeypatch.setattr(models, "squeezenet_imagenet", lambda root: donor.features.state_dict())
    _, told = compute.train(tuned, compute.load(tuned), seed=0, paths=["", ""], progress=False)
    assert torch.equal(begun[2], donor.features[0].weight) and told["initialisation"] == "imagenet"


def test_weights_that_are_not_there_are_missed_when_data_are_loaded(loaded, tmp_path, monkeypatch):
    monkeypatch.setattr("roa_helpers.models.weights.state", lambda name: None)
    with pytest.raises(UserError, match="SqueezeNet"):
        compute.load(replace(BASE, variant="tuned", network="squeezenet1_1", weights="imagenet"), root=tmp_path)


def test_a_network_of_no_such_name_is_refused():
    with pytest.raises(ValueError, match="alexnet"):
        networks.build("alexnet", 2, width=1.0, seed=0)
    with pytest.raises(ValueError, match="alexnet"):
        networks.imagenet("alexnet")


def test_units_differ_in_name_and_begin_with_the_network_of_the_paper_s_study():
    for profile in studies.PROFILES:
        names = [one.name for one in choices.UNITS[profile]]
        assert len(set(names)) == len(names)
        base, paper = choices.UNITS[profile][0], {one.name: one for one in studies.find("roi_roa").units(profile)}
        assert base.variant == choices.BASELINE
        for field in set(Pair.__dataclass_fields__) - {"test"}:  # what M depends on
            assert getattr(base, field) == getattr(paper[base.pair], field)
        assert all(one.network in choices.NETWORKS for one in choices.UNITS[profile])


def test_charts_hold_every_unit(units):
    figure, table = charts.accuracy(units)
    assert len(table) == 2 * 3 and len(figure.axes) == 1
    assert [label.get_text() for label in figure.axes[0].texts] == [
        "VGG16 with batch norm, from scratch (2 epochs, 32 px)", "VGG16 as published, from scratch (2 epochs, 32 px)",
        "VGG16 with batch norm, after Digits (2 epochs, 32 px)",
    ]  # fmt: skip
    _, gains = charts.gain(units)
    assert len(gains) == 3 * 4 and (gains.n[gains.change == "PGD"] == 8).all()
    for unit in units:
        scores = [block["scores"] for block in unit.result["directions"].values()]
        expected = np.mean([(one["mod_adv"]["k"] - one["adv"]["k"]) / one["adv"]["n"] for one in scores])
        row = gains[(gains.variant == unit.result["variant"]) & (gains.change == "FGSM")].iloc[0]
        assert row.value == pytest.approx(100 * expected) and row.low <= row.value <= row.high
    assert len(charts.regions(units)) == 3 * 2


def _rows(**columns):
    shared = {"data set": "Cats vs Dogs", "seed": 0}
    return pd.DataFrame([shared | dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)])


VARIANTS = {"variant": ["baseline", "plain", "other"], "network": ["B", "P", "S"], "baseline": [True, False, False],
            "papers": [True, True, False]}  # fmt: skip


def test_words_say_what_moved_accuracy():
    counts = [860, 870, 980]
    intervals = np.array([metrics.wilson(k, 1000) for k in counts]) * 100
    table = _rows(**VARIANTS, images=["test"] * 3, k=counts, n=[1000] * 3, accuracy=[k / 10 for k in counts],
                  low=intervals[:, 0], high=intervals[:, 1], paper=[98.5] * 3)  # fmt: skip
    text = words.moved(table)
    assert "B classifies 86.0 % of 1,000" in text and "- P: +1.0 [−2.0, +4.0]" in text
    assert "largest clear difference: S." in text and text.endswith("interval of S.")
    assert words.moved(table[table.variant != "baseline"]) == ""
    assert "No difference is clear" in words.moved(table[table.variant != "other"])


def test_words_say_which_findings_hold_and_where_nothing_can_be_said():
    accuracy = _rows(**VARIANTS, images=["test"] * 3, k=[860, 870, 980], n=[1000] * 3, accuracy=[86.0, 87.0, 98.0])
    names = ["clean images", "FGSM", "PGD"]
    changes = pd.concat([
        _rows(**VARIANTS, change=[name] * 3, value=values, low=[v - 2 for v in values], high=[v + 2 for v in values],
              why=[""] * 3)
        for name, values in zip(names, ([-2, 0, -10], [5, 0, -6], [1, 0, 3]), strict=True)
    ])  # fmt: skip
    twice = {name: [value for value in values for _ in range(2)] for name, values in VARIANTS.items()}
    regions = _rows(**twice, score_adv=[5.0] * 6, **{"aimed at": [4.0] * 6}, **{
        f"{kind}{region}{null}": [0.4 if kind else 0.1] * 6
        for region in ("RoI", "RoA") for kind, null in (("alignment of ", ""), ("", ", untrained"), ("", ", rolled"))
    })  # fmt: skip
    text = words.held(changes, accuracy, regions)
    assert "Cats vs Dogs, P" not in text
    base, other = (line for line in text.splitlines() if line.startswith("- "))
    assert "keeps accuracy: points to it, −2.0 [−4.0, +0.0]" in base and "FGSM: points to it, +5.0" in base
    assert "PGD: undecided" in base and "RoIs of a class share a place: above the nulls in 2 of 2" in base
    assert "keeps accuracy: points against it" in other and "weakens FGSM: points against it" in other
    assert "misses its aim by 40.0 points" in words.held(changes, accuracy, regions.assign(score_adv=44.0))
    assert "no attack to weaken" in words.held(changes, accuracy, regions.assign(score_adv=85.0))
    assert "not testable (the network is not clearly right" in words.held(changes, accuracy.assign(k=500), regions)
    assert "blob is empty" in words.held(changes.assign(why="the blob is empty: x"), accuracy, regions)
    assert "empty or everything" in words.held(changes, accuracy, regions.assign(**{"alignment of RoI": np.nan}))
