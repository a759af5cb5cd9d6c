"""The study on pictures made here: every score from public functions again, schema, repeatability, reuse."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import samples
import torch
from samples import CHOICES, DIRECTIONS
from skimage.metrics import structural_similarity

from roa_helpers import attacks, data, explain, metrics, models, pipeline, regions, studies
from roa_helpers.errors import UserError
from roa_helpers.studies.roi_roa import choices, colours, compute, controls, nulls, signed


@pytest.fixture
def loaded(monkeypatch, results):
    calls, splits = [], samples.splits()
    monkeypatch.setattr(data, "load", lambda *args, **kwargs: calls.append(args) or splits)
    return calls


@pytest.mark.parametrize("k", (0, 1))
@pytest.mark.parametrize("definition", pipeline.DEFINITIONS)
def test_scores_follow_from_public_functions(computed, k, definition):
    model, splits, _, (result, arrays, _) = computed
    block = result["directions"][DIRECTIONS[k]]
    own = block if definition == "perturbation" else block["definitions"]["gradient"]
    setting, images = own["parameters"], splits.test.of_class(k)
    x, y = images.images, images.labels
    x_adv = attacks.fgsm(model, x, y, eps=setting["eps"])
    roi = regions.region_of_importance(explain.grad_cam(model, x, y), setting["delta1"])
    if definition == "perturbation":
        roa = regions.region_of_attack(x, x_adv, setting["delta2"])
    else:
        roa = regions.gradient_magnitude(attacks.loss_gradient(model, x, y)) >= setting["delta2"]
    blob = regions.blob(regions.isolate(roi, roa).not_u_v, setting["theta"])
    x_mod = regions.neutralise(x, blob, setting["value"])
    sets = {"clean": x, "adv": x_adv, "mod": x_mod, "mod_adv": attacks.fgsm(model, x_mod, y, eps=setting["eps"])}
    assert own["scores"] == {name: {"k": int(models.correct(model, s, y).sum()), "n": 12} for name, s in sets.items()}
    for name, images in sets.items():
        probability = models.predict(model, images).softmax(1)[:, k].double().numpy()
        assert own["probability"][name]["mean"] == pytest.approx(probability.mean(), abs=1e-6)
        assert own["probability"][name]["sd"] == pytest.approx(probability.std(ddof=1), abs=1e-6)
    assert np.array_equal(arrays[f"{definition}_blob_{k}"], blob.numpy())
    assert np.array_equal(arrays[f"{definition}_roi_{k}"], regions.representative(roi).numpy())
    assert np.array_equal(arrays[f"{definition}_roa_{k}"], regions.representative(roa).numpy())
    representatives = [regions.representative(maps)[None].numpy() for maps in (roi, roa)]
    assert own["ssim"]["representative"] == pytest.approx(metrics.ssim(*representatives)[0], abs=1e-6)
    low, high = own["ssim"]["representative_interval"]
    assert low < own["ssim"]["representative"] < high
    similarity = metrics.ssim(roi.numpy(), roa.numpy())
    assert own["ssim"]["individual"]["mean"] == pytest.approx(similarity.mean())
    assert own["ssim"]["individual"]["sd"] == pytest.approx(similarity.std(ddof=1))
    assert own["ssim"]["individual"]["n"] == 12


def test_the_table_of_images_adds_up_to_the_scores(computed):
    _, _, _, (result, _, tables) = computed
    images = tables["images"]
    for name, block in result["directions"].items():
        blocks = {"perturbation": block} | block["definitions"]
        for definition, own in blocks.items():
            rows = images[(images.direction == name) & (images.definition == definition)]
            assert {s: int(rows[s].sum()) for s in own["scores"]} == {s: c["k"] for s, c in own["scores"].items()}
    split = images[images.definition != "published"]
    parts = split[["uv", "u_not_v", "not_u_v", "not_u_not_v"]].sum(axis=1)
    assert parts.to_numpy() == pytest.approx(1.0)


def test_curves_pass_through_the_scores(computed):
    model, splits, _, (result, _, tables) = computed
    curves = tables["curves"]
    assert set(curves["axis"]) == {"eps", "theta"} and (curves.n == 5).all()
    side = pipeline.scan(model, *pipeline.of_class(splits.test, 0, seed=0))[:5]
    for eps in CHOICES.eps:
        (row,) = curves[
            (curves.direction == DIRECTIONS[0]) & (curves.score == "adv") & (curves["at"] == eps)
        ].itertuples()
        assert row.k == int(pipeline.attacked(model, side, eps).sum())


def rows_of(tables, k, table="images"):
    rows = tables[table][tables[table].direction == DIRECTIONS[k]]
    return rows[rows.definition == "perturbation"] if table == "images" else rows


@pytest.mark.parametrize("k", (0, 1))
def test_controls_follow_from_public_functions(computed, k):
    model, splits, _, (result, arrays, tables) = computed
    block = result["directions"][DIRECTIONS[k]]
    setting, count = block["parameters"], block["blob"]["pixels"]
    assert 0 < count < 32 * 32
    images, held_out, other = splits.test.of_class(k), splits.val.of_class(k), splits.val.of_class(1 - k)
    order = torch.randperm(32 * 32, generator=torch.Generator().manual_seed(0)).tolist()

    def parts_of(images):
        x, y = images.images, images.labels
        roi = regions.region_of_importance(explain.grad_cam(model, x, y), setting["delta1"])
        roa = regions.region_of_attack(x, attacks.fgsm(model, x, y, eps=setting["eps"]), setting["delta2"])
        return roi, regions.isolate(roi, roa)

    def top(maps):
        share = maps.double().mean(0).flatten().tolist()
        ranked = sorted(order, key=lambda pixel: -share[pixel])  # stable: ties stay in the seed's order
        return torch.tensor([pixel in ranked[:count] for pixel in range(32 * 32)]).reshape(32, 32)

    roi, parts = parts_of(images)
    blobs = {
        "held out": regions.blob(parts_of(held_out)[1].not_u_v, setting["theta"]),
        "any class": regions.blob(
            torch.cat([parts_of(images)[1].not_u_v for images in (held_out, other)]), setting["theta"]
        ),
        "random": torch.tensor([pixel in order[:count] for pixel in range(32 * 32)]).reshape(32, 32),
        "in the RoI": top(roi),
        "in U−V−": top(parts.not_u_not_v),
    }
    assert list(block["controls"]) == list(blobs)
    for name, blob in blobs.items():
        x, y = regions.neutralise(images.images, blob, setting["value"]), images.labels
        hits = {"mod": models.correct(model, x, y),
                "mod_adv": models.correct(model, attacks.fgsm(model, x, y, eps=setting["eps"]), y)}  # fmt: skip
        found = block["controls"][name]
        assert {s: found[s] for s in hits} == {s: {"k": int(h.sum()), "n": 12} for s, h in hits.items()}
        assert found["pixels"] == int(blob.sum())
        paper = arrays[f"perturbation_blob_{k}"]
        assert found["jaccard"] == pytest.approx((paper & blob.numpy()).sum() / (paper | blob.numpy()).sum())
        for score in hits:
            assert rows_of(tables, k)[f"{score}, {name}"].sum() == found[score]["k"]


def test_the_highest_pixels_by_hand():
    values = torch.tensor([[0.1, 0.9], [0.5, 0.5]])
    assert controls.highest(values, 1, seed=0).tolist() == [[False, True], [False, False]]
    assert controls.highest(values, 3, seed=0).tolist() == [[False, True], [True, True]]
    drawn = {tuple(controls.highest(values, 2, seed=s).flatten().tolist()) for s in range(20)}
    assert drawn == {(False, True, True, False), (False, True, False, True)}


@pytest.mark.parametrize("k", (0, 1))
def test_threats_follow_from_public_functions(computed, k):
    model, splits, _, (result, arrays, tables) = computed
    block = result["directions"][DIRECTIONS[k]]
    eps, value = block["parameters"]["eps"], block["parameters"]["value"]
    blob = torch.from_numpy(arrays[f"perturbation_blob_{k}"])
    x, y = pipeline.of_class(splits.test, k, seed=0)
    x_mod = regions.neutralise(x, blob, value)
    attacked = {"adv": attacks.fgsm(model, x, y, eps=eps), "mod_adv": attacks.fgsm(model, x_mod, y, eps=eps)}
    for name, images in attacked.items():
        hits = models.correct(model, regions.neutralise(images, blob, value), y)
        assert block["threats"][f"{name}_mod"] == {"k": int(hits.sum()), "n": 12}
        assert rows_of(tables, k)[f"{name}_mod"].tolist() == hits.int().tolist()
    table = rows_of(tables, k, "threats")
    assert table.image.tolist() == list(range(5))
    held_out = pipeline.scan(model, *pipeline.of_class(splits.val, k, seed=0))
    blob = pipeline.blob_of(held_out, pipeline.Setting(**block["parameters"]), "perturbation")
    attacked = {"pgd": (x, eps), "mod_pgd": (x_mod, eps), "anything": (x, 0.5),
                "mod_pgd, held out": (regions.neutralise(x, blob, value), eps)}  # fmt: skip
    for name, (images, radius) in attacked.items():
        budget = {"eps": radius, "step": radius / 16, "steps": 40, "restarts": 2, "seed": 0}
        standing = attacks.pgd_survivors(model, images[:5], y[:5], **budget)
        assert table[name].tolist() == standing.int().tolist()
    for name, shown in (("fgsm", "adv"), ("mod_fgsm", "mod_adv")):
        assert table[name].tolist() == rows_of(tables, k)[shown].tolist()[:5]
    for score in (*attacked, "fgsm", "mod_fgsm"):
        assert block["threats"][score] == {"k": int(table[score].sum()), "n": 5}


def test_an_attack_through_the_defence_is_the_attack_on_what_it_leaves(computed):
    """FGSM on x ↦ M(neutralise(x)) from S_clean: neutralised again, the same images as ``mod_adv_mod`` sees."""
    model, splits, _, (result, arrays, _) = computed
    setting = result["directions"][DIRECTIONS[0]]["parameters"]
    blob = torch.from_numpy(arrays["perturbation_blob_0"])
    x, y = pipeline.of_class(splits.test, 0, seed=0)

    def defended(images):
        return model(regions.neutralise(images.clamp(0, 1), blob, setting["value"]))

    leaf = x.clone().requires_grad_()
    torch.nn.functional.cross_entropy(defended(leaf), y, reduction="sum").backward()
    through = (x + setting["eps"] * leaf.grad.sign()).clamp(0, 1)
    x_mod = regions.neutralise(x, blob, setting["value"])
    known = attacks.fgsm(model, x_mod, y, eps=setting["eps"])
    again = [regions.neutralise(images, blob, setting["value"]) for images in (through, known)]
    assert torch.equal(*again)


@pytest.mark.parametrize("k", (0, 1))
def test_the_examples_table_holds_their_probabilities(computed, k):
    model, splits, _, (result, arrays, tables) = computed
    block = result["directions"][DIRECTIONS[k]]
    x, y = pipeline.of_class(splits.test, k, seed=0)
    picked = [i for i in range(12) if models.correct(model, x, y)[i]][:2]
    assert np.array_equal(arrays[f"example_image_{k}"], x[picked].numpy().astype(np.float16))
    x_mod = regions.neutralise(x, torch.from_numpy(arrays[f"perturbation_blob_{k}"]), block["parameters"]["value"])
    table = rows_of(tables, k, "examples")
    assert sorted(set(table.eps)) == [0.0, *CHOICES.eps] and len(table) == 2 * 3
    for column, images in (("clean", x), ("neutralised", x_mod)):
        for eps, rows in table.groupby("eps"):
            adv = attacks.fgsm(model, images, y, eps=eps)[picked]
            assert rows.example.tolist() == [0, 1]
            assert rows[column].tolist() == pytest.approx(
                models.predict(model, adv).softmax(1)[:, k].tolist(), abs=1e-5
            )


def test_equal_seeds_give_equal_bytes(computed):
    model, splits, _, first = computed
    second = compute.measurements(model, splits, CHOICES, seed=0)
    assert json.dumps(first[0], default=str) == json.dumps(second[0], default=str)
    assert all(np.array_equal(first[1][name], second[1][name], equal_nan=True) for name in first[1])
    assert all(first[2][name].equals(second[2][name]) for name in first[2])


def test_a_unit_is_stored_found_again_and_computed_anew_when_a_choice_changes(loaded, results, monkeypatch):
    plan = studies.Planned("roi_roa", CHOICES, 0)
    unit, reused = studies.run(plan, profile="quick", progress=False)
    assert not reused and unit.path == results / "quick" / "roi_roa" / "digits-0-1-seed0"
    assert unit.result["provenance"]["data"]["source"] == "made here"
    assert set(unit.result["fingerprint"]) == {"parameters", "code", "data"}
    for block in unit.result["directions"].values():
        assert set(block["ssim"]["individual"]) == {"min", "max", "mean", "median", "sd", "n"}
    again, reused = studies.run(plan, profile="quick", progress=False)
    assert reused and again.result == unit.result
    other = studies.Planned("roi_roa", replace(CHOICES, theta=(0.9,)), 0)
    assert studies.run(other, profile="quick", progress=False)[1] is False
    assert not list(results.rglob("*.tmp"))


def test_other_data_are_noticed(loaded, results, monkeypatch):
    plan = studies.Planned("roi_roa", CHOICES, 0)
    studies.run(plan, profile="quick", progress=False)
    monkeypatch.setattr(data, "load", lambda *args, **kwargs: replace(samples.splits(), test=samples.pictures(12, 9)))
    assert studies.run(plan, profile="quick", progress=False)[1] is False


def test_units_computes_what_is_missing_and_reads_the_rest(loaded, results, monkeypatch):
    monkeypatch.setitem(choices.UNITS, "quick", (CHOICES,))
    (unit,) = studies.units("roi_roa", "quick", seed=0, progress=False)
    before = len(loaded)
    (again,) = studies.units("roi_roa", "quick", seed=0, progress=False)
    assert again.path == unit.path and len(loaded) == before
    assert studies.standing(unit) == "current"


def test_examples_are_classified_correctly_and_hold_every_map(computed):
    _, _, _, (_, arrays, _) = computed
    names = {n.removesuffix("_0") for n in arrays if n.startswith("example_") and n.endswith("_0")}
    vulnerable = {f"example_vulnerability_{definition}" for definition in pipeline.DEFINITIONS}
    assert names == {
        "example_image", "example_importance", "example_perturbation", "example_perturbation_modified", *vulnerable
    }  # fmt: skip
    assert all(np.abs(arrays[f"{name}_0"]).max() <= 1.01 for name in names)


def test_alignment_tells_common_places_from_scattered_ones():
    common = np.zeros((30, 12, 12), bool)
    common[:, 3:7, 3:7] = True
    scattered = metrics.rolled(common, seed=1)
    assert compute.colocation(common, seed=0, permutations=19)["alignment"] == pytest.approx(1)
    assert compute.colocation(common, seed=0, permutations=19)["alignment_p"] == 0.05
    found = compute.colocation(scattered, seed=0, permutations=19)
    assert found["alignment"] < 0.2 and found["alignment_p"] > 0.05
    full = np.ones((9, 8, 8), bool)
    assert np.isnan(compute.colocation(full, seed=0, permutations=3)["alignment"])


def test_too_few_pictures_are_refused_before_anything_is_computed(results, monkeypatch):
    splits = samples.splits()
    splits.provenance["counts"]["val"]["1"] = 1
    monkeypatch.setattr(data, "load", lambda *args, **kwargs: splits)
    with pytest.raises(UserError, match="val: 1 of 1"):
        studies.run(studies.Planned("roi_roa", CHOICES, 0), profile="quick", progress=False)
    assert not list(results.rglob("*.safetensors*"))


def test_examples_exist_even_where_the_model_fails(computed):
    model, splits, _, _ = computed
    x, y = pipeline.of_class(splits.test, 0, seed=0)
    wrong, setting = (
        pipeline.scan(model, x, 1 - y),
        pipeline.Setting(eps=0.1, delta1=0.3, delta2=0.5, theta=0.2, value=0),
    )
    assert not wrong.hit.all()
    settings = dict.fromkeys((*pipeline.DEFINITIONS, pipeline.PUBLISHED), setting)
    seen = compute.Seen(wrong, wrong, wrong, wrong)
    _, arrays, tables = compute.direction(model, seen, settings, CHOICES, seed=0)
    assert len(arrays["example_image"]) == 2 and set(tables["examples"].example) == {0, 1}


@pytest.mark.parametrize("k", (0, 1))
def test_the_procedure_of_the_pictures_read_aloud(computed, k):
    model, splits, _, (result, arrays, tables) = computed
    block = result["directions"][DIRECTIONS[k]]["definitions"]["published"]
    eps, theta, value = (block["parameters"][name] for name in ("eps", "theta", "value"))
    assert block["parameters"]["delta1"] is None and block["parameters"]["delta2"] is None
    x, y = pipeline.of_class(splits.test, k, seed=0)
    x_adv = attacks.fgsm(model, x, y, eps=eps)
    signs = (x_adv - x).sign()
    x_held, y_held = pipeline.of_class(splits.val, k, seed=0)
    held_out = (attacks.fgsm(model, x_held, y_held, eps=eps) - x_held).sign().double().mean(0) > theta
    blob = signs.double().mean(0) > theta
    sets = {"clean": x, "adv": x_adv}
    for name, one in (("", blob), (", held out", held_out)):
        x_mod = torch.where(one, torch.tensor(value), x)
        sets |= {f"mod{name}": x_mod, f"mod_adv{name}": attacks.fgsm(model, x_mod, y, eps=eps)}
    assert block["scores"] == {name: {"k": int(models.correct(model, s, y).sum()), "n": 12} for name, s in sets.items()}
    for name, images in sets.items():
        probability = models.predict(model, images).softmax(1)[:, k].double().numpy()
        assert block["probability"][name]["mean"] == pytest.approx(probability.mean(), abs=1e-6)
    assert np.array_equal(arrays[f"published_blob_{k}"], blob.numpy())
    assert np.array_equal(arrays[f"published_roa_{k}"], signs.double().mean(0).float().numpy())
    assert block["blob"] == {"entries": int(blob.sum()), "share": blob.double().mean().item(),
                             "touched": blob.any(0).double().mean().item()}  # fmt: skip


def test_table_one_of_the_pictures_equals_its_slow_twin():
    generator = torch.Generator().manual_seed(1)
    heat = torch.rand(4, 9, 9, generator=generator)
    signs = torch.randint(-1, 2, (4, 3, 9, 9), generator=generator).to(torch.int8)
    found = signed.similarity(heat, signs)
    for name, ones in (("individual", (signs > 0).numpy()), ("zero", np.zeros(signs.shape))):
        values = []
        for one, roa in zip(heat.numpy(), ones, strict=True):
            picture = colours.exchanged()[np.round(one * 255).astype(int)].astype(float)
            values.append(structural_similarity(picture, np.moveaxis(roa, 0, -1).astype(float), data_range=255,
                                                channel_axis=-1))  # fmt: skip
        assert found[name]["mean"] == pytest.approx(np.mean(values)) and found[name]["n"] == 4

    def representative(rows):
        mean, roa = heat[rows].double().mean(0).numpy(), signs[rows].double().mean(0).numpy()
        return np.mean([structural_similarity(mean, channel, data_range=2) for channel in roa])

    whole = representative([0, 1, 2, 3])
    assert found["representative"] == pytest.approx(whole)
    left = [representative([j for j in range(4) if j != i]) for i in range(4)]
    assert found["representative_interval"] == pytest.approx(metrics.jackknife(whole, left))


def test_nulls_follow_from_public_functions(computed):
    model, splits, _, (result, _, tables) = computed
    block, table = result["directions"][DIRECTIONS[0]], rows_of(tables, 0, "nulls")
    table = table[table.definition == "perturbation"].set_index(["maps", "draw", "region", "statistic"])
    setting = block["parameters"]
    networks = {("trained", 0): model} | {
        ("untrained", j): models.vgg16(2, width=CHOICES.width, seed=10_000 + j).eval() for j in range(2)
    }

    def pair(network, k):
        x, y = (part[:8] for part in pipeline.of_class(splits.test, k, seed=0))
        roi = regions.region_of_importance(explain.grad_cam(network, x, y), setting["delta1"])
        roa = regions.region_of_attack(x, attacks.fgsm(network, x, y, eps=setting["eps"]), setting["delta2"])
        return roi.numpy(), roa.numpy()

    for source, network in networks.items():
        roi, roa = pair(network, 0)
        for region, stack in (("roi", roi), ("roa", roa)):
            single = [0 if m.all() or not m.any() else metrics.morans_i(m) for m in stack]
            assert table.loc[(*source, region, "moran"), "value"] == pytest.approx(np.mean(single))
            aligned = metrics.alignment(stack)
            assert table.loc[(*source, region, "alignment"), "value"] == pytest.approx(aligned, nan_ok=True)
        four = [all(p.any() for p in (u & v, u & ~v, ~u & v, ~u & ~v)) for u, v in zip(roi, roa, strict=True)]
        assert table.loc[(*source, "both", "four"), "value"] == np.mean(four)
    (roi, roa), (other_roi, other_roa) = pair(model, 0), pair(model, 1)
    for region, own, other in (("roi", roi, other_roi), ("roa", roa, other_roa)):
        mixed = metrics.alignment(np.concatenate([own[:4], other[:4]]))
        assert table.loc[("other class", 0, region, "alignment"), "value"] == pytest.approx(mixed)
    assert set(table.n) == {8}


def test_a_coarse_null_keeps_the_size_and_has_the_grain_of_its_cells():
    masks = torch.zeros(3, 24, 24, dtype=torch.bool)
    masks[0, :5], masks[1, 3, 4] = True, True
    smooth, fine = nulls.coarse(masks, (3, 3), seed=0), nulls.coarse(masks, (24, 24), seed=0)
    for drawn in (smooth, fine):
        assert drawn.sum((1, 2)).tolist() == masks.sum((1, 2)).tolist() == [120, 1, 0]
    assert metrics.morans_i(smooth[0].numpy()) > 0.7 > 0.2 > abs(metrics.morans_i(fine[0].numpy()))


def test_the_regions_of_an_untrained_network_do_not_beat_those_of_others():
    """The rule of the claims, value − strongest null, in networks that learnt nothing."""
    splits, excess = samples.splits(), []
    for seed in range(6):
        model = models.vgg16(2, width=CHOICES.width, seed=seed).eval()
        sides = [pipeline.scan(model, *pipeline.of_class(data.in_colour(splits).test, k, seed=0)) for k in (0, 1)]
        settings = dict.fromkeys(pipeline.DEFINITIONS, pipeline.Setting(0.1, 0.3, 0.5, 0.3, 0.0))
        table = nulls.table(model, *sides, settings, CHOICES, seed=seed)
        own = table.maps == "trained"
        keys = ["definition", "region", "statistic"]
        strongest = table[~own].groupby(keys).value.max()
        excess.append(table[own].set_index(keys).value - strongest)
    beaten = pd.concat(excess, axis=1) > 0.05
    assert beaten.shape == (10, 6) and beaten.mean(axis=None) < 0.35


def test_training_images_are_scored_apart(computed):
    model, splits, _, (result, _, _) = computed
    x, y = (
        torch.cat(p) for p in zip(*(pipeline.of_class(splits.train, k, seed=0, limit=10) for k in (0, 1)), strict=True)
    )
    assert result["model"]["train"] == {"k": int(models.correct(model, x, y).sum()), "n": 20}
    assert result["model"]["test"]["n"] == 24
