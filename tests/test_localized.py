"""The study of localised attacks on a tiny network: what a unit holds, what pages make of it, what goes wrong."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from roa_helpers import (
    config_localized,
    metrics,
    papers,
    photos,
    placement,
    ranking,
    recovery,
    recovery_charts,
    recovery_claims,
    store,
    superpixels,
    tables,
)
from roa_helpers.errors import UserError
from roa_helpers.studies import comparison, localized

CHOICES = replace(
    config_localized.QUICK[0], photos=6, region_count=2, eps=0.5, step=0.1, steps=20, patience=8, samples=30, unions=5,
    spread_seeds=2, path_steps=2, noise_samples=2, low=0.05, high=0.6, scale=100.0,
)  # fmt: skip
NAMES = recovery.EXPLAINERS


@pytest.fixture(scope="module")
def model():
    """The class is the colour with the brightest tile of 8×8 pixels: an attack on one region can succeed."""
    same = nn.Conv2d(3, 3, 1, bias=False)
    same.weight.data = 10 * torch.eye(3)[:, :, None, None]
    return nn.Sequential(nn.AvgPool2d(8), same, nn.ReLU(), nn.AdaptiveMaxPool2d(1), nn.Flatten()).eval()


@pytest.fixture(scope="module")
def pictures():
    """Six pictures of sixteen coloured patches, 48×48, with a little noise."""
    rng = np.random.default_rng(0)
    patches = rng.random((6, 3, 4, 4)).repeat(12, axis=2).repeat(12, axis=3)
    patches = np.clip(patches + 0.03 * rng.standard_normal(patches.shape), 0, 1)
    return photos.Photos(torch.from_numpy(patches).float(), tuple(f"photo {i}" for i in range(6)))


@pytest.fixture(scope="module")
def computed(model, pictures, tmp_path_factory):
    folder = tmp_path_factory.mktemp("parts")
    return localized.results(model, pictures, 2, CHOICES, seed=0, folder=folder, fingerprint="a"), folder


@pytest.fixture(scope="module")
def unit(computed, tmp_path_factory):
    (result, arrays, tables), _ = computed
    head = {"study": "localized", "profile": "quick", "seed": 0, "dataset": "photos"}
    told = {"name": "vgg16", "initialisation": "scratch", "target": "china", "trained_on": "photos", "classes": 3,
            "size": 48, "test": {"k": 30, "n": 40}}  # fmt: skip
    origin = store.provenance(device="cpu", data={}, seconds=1.0)
    whole = head | {"network": told} | result | {"provenance": origin, "fingerprint": {}}
    path = tmp_path_factory.mktemp("unit") / "photos-segments-seed0"
    return store.write(path, whole, arrays=arrays, tables=tables)


def test_attempts_are_counted_and_add_up(computed):
    (result, arrays, found), _ = computed
    attack, attempts = result["attack"], found["attempts"]
    assert sum(attack["outcomes"].values()) == attack["regions"] == len(attempts)
    assert attack["success"]["k"] == attack["outcomes"]["succeeded"] == len(found["examples"]) >= 3
    assert attack["success"]["n"] == attack["regions"] - attack["outcomes"]["already the target"]
    assert attack["explanations"] == attack["success"]["k"] * CHOICES.unions
    assert arrays["jaccard"].shape == (len(found["examples"]), len(NAMES) + 1, CHOICES.unions)
    tried = attempts[attempts.outcome == "succeeded"]
    assert (tried.steps <= CHOICES.steps).all() and (attempts.share.between(CHOICES.low, CHOICES.high)).all()


def test_what_is_stored_is_what_the_definitions_give(computed, model):
    (_, arrays, found), _ = computed
    for row, position in enumerate(arrays["shown"]):
        image, adversarial = (
            torch.from_numpy(arrays[f"shown_{n}"][row] / 255).float() for n in ("image", "adversarial")
        )
        region = arrays["shown_region"][row]
        moved = (image != adversarial).any(0).numpy()
        assert moved.any() and not (moved & ~region).any()
        for k in range(len(NAMES)):
            levels = arrays["shown_levels"][row, k]
            for n in range(1, CHOICES.unions + 1):
                mask = (levels > 0) & (levels <= n)
                expected = metrics.jaccard(mask[None], region[None])[0]
                assert arrays["jaccard"][position, k, n - 1] == pytest.approx(expected, abs=1e-3)
        sizes = {
            tuple(((levels > 0) & (levels <= n)).sum() for n in range(1, 6)) for levels in arrays["shown_levels"][row]
        }
        assert len(sizes) == 1  # every explainer has as many pixels as LIME


def test_ranks_are_those_of_every_explanation(computed):
    (result, arrays, _), _ = computed
    columns = [NAMES.index(name) for name in recovery.PAPER]
    cases = np.moveaxis(arrays["jaccard"].astype(float)[:, columns], 1, 2).reshape(-1, 3)
    ours = [result["ranks"]["paper"]["jaccard"][name]["rank"] for name in recovery.PAPER]
    np.testing.assert_allclose(ours, ranking.ranks(cases).mean(0), atol=0.05)  # float16 makes a few ties
    assert sum(ours) == pytest.approx(6)
    for name in recovery.PAPER:
        by = {metric: result["ranks"]["paper"][metric][name] for metric in comparison.METRICS}
        assert by["jaccard"]["rank"] == pytest.approx(by["hamming"]["rank"], abs=1e-9)
        low, high = by["jaccard"]["rank_interval"]
        assert low <= by["jaccard"]["rank"] <= high


def test_superpixels_are_explained_whole_by_averaged_gradients(model, pictures):
    image = pictures.images[0]
    region = placement.segments(image.numpy(), scale=100, sigma=0.8, min_size=100, count=1, low=0.05, high=0.6)[0]
    maps = {name: m[0].numpy() for name, m in localized.relevance(model, image[None], 2, CHOICES, seed=0).items()}
    found = localized.example(model, image, image, region, maps, 2, CHOICES, seed=0, key=(0, 0))
    labels = superpixels.segment(image, kernel_size=localized.kernel_size(48)).numpy()
    assert (found["segments"] == labels).all()
    levels = found["levels"][NAMES.index("lime")]
    assert all(len(np.unique(levels[labels == k])) == 1 for k in np.unique(labels))
    means = superpixels.superpixel_means(torch.from_numpy(maps["saliency"]), torch.from_numpy(labels))
    first = found["levels"][NAMES.index("saliency_superpixels")] == 1
    best = labels == int(means.argmax())
    assert best[first].all() or first[best].all()


def test_quickshift_is_limes_own_at_the_size_of_inception():
    assert localized.kernel_size(299) == 4


def test_a_killed_run_loses_no_finished_photos(model, pictures, computed, monkeypatch):
    (result, arrays, _), folder = computed

    def never(*args, **kwargs):
        raise AssertionError("computed again")

    monkeypatch.setattr(localized, "photo_group", never)
    again = localized.results(model, pictures, 2, CHOICES, seed=0, folder=folder, fingerprint="a")
    assert (again[1]["jaccard"] == arrays["jaccard"]).all() and again[0]["ranks"] == result["ranks"]
    with pytest.raises(AssertionError, match="computed again"):
        localized.results(model, pictures, 2, CHOICES, seed=0, folder=folder, fingerprint="b")
    broken = sorted(folder.iterdir())[0]
    broken.write_bytes(broken.read_bytes()[:100])
    with pytest.raises(AssertionError, match="computed again"):
        localized.results(model, pictures, 2, CHOICES, seed=0, folder=folder, fingerprint="a")


def test_when_no_attack_succeeds_there_is_one_message(model, pictures, tmp_path):
    with pytest.raises(UserError, match="none of .* attacks in a region reached the target\n.*larger eps"):
        localized.results(
            model, pictures, 0, replace(CHOICES, eps=0.0, steps=1), seed=0, folder=tmp_path, fingerprint=""
        )


def test_photos_that_are_all_of_one_colour_have_no_region(model, tmp_path):
    plain = photos.Photos(torch.full((2, 3, 48, 48), 0.5), ("a", "b"))
    with pytest.raises(UserError, match="no photo has a segment that covers 5% to 60% of it"):
        localized.results(model, plain, 2, CHOICES, seed=0, folder=tmp_path, fingerprint="")


def test_an_unknown_target_is_refused():
    with pytest.raises(UserError, match="no class 'wolf spider' to attack towards\n  it has     astronaut"):
        localized.load(replace(CHOICES, target="wolf spider"))


def test_photos_come_from_a_folder_or_from_the_test_part_of_a_data_set(tmp_path):
    from PIL import Image

    material = localized.load(CHOICES)
    assert len(material.photos.names) == CHOICES.photos and not any("china" in n for n in material.photos.names)
    assert set(material.provenance["counts"]) == {"photos", "train", "val", "test"}
    Image.new("L", (120, 100), 90).save(tmp_path / "one.png")
    own = localized.load(replace(CHOICES, dataset=str(tmp_path)))
    assert own.photos.names == ("one.png",) and own.provenance["source"] == "pictures of your own"
    assert own.fingerprint != material.fingerprint


def test_pretrained_weights_bring_their_target_and_size(monkeypatch):
    model, classes = nn.Flatten(), ("wolf spider", "tench")
    monkeypatch.setattr(localized.photo_networks, "pretrained", lambda name: (model, classes))
    choices = replace(CHOICES, pretrained=("inception_v3", "wolf spider", 40))
    material = localized.load(choices)
    assert material.splits is None and material.photos.images.shape[-1] == 40
    _, told, target = localized.network(choices, material, seed=0, weights=None)
    assert target == 0 and told == {
        "name": "inception_v3", "initialisation": "imagenet", "target": "wolf spider", "size": 40,
    }  # fmt: skip
    monkeypatch.setattr(localized.photo_networks, "pretrained", lambda name: None)
    assert localized.load(choices).photos.images.shape[-1] == CHOICES.size


# What pages make of a unit


def test_verdicts_follow_their_rule(unit):
    found = recovery_claims.verdicts([unit])
    assert len(found) == 6 and found.claim.is_unique
    for row in found.itertuples():
        assert row.verdict == papers.judge(metrics.Interval(row.low, row.high), 0.0)
        assert row.low <= row.ours <= row.high and row.n == unit.result["attack"]["success"]["k"]
    change = unit.result["differences"]["jaccard"]["saliency − lime"]["mean"]
    ranks = unit.result["ranks"]["paper"]["jaccard"]
    assert change == pytest.approx(ranks["saliency"]["rank"] - ranks["lime"]["rank"])


def test_table_1_stands_beside_ours(unit):
    found = recovery_claims.rank_table([unit])
    assert found.paper.tolist() == [2.58, 2.06, 1.36, 2.59, 2.03, 1.38]
    assert found.groupby("metric").ours.sum().tolist() == pytest.approx([6, 6])


def test_the_words_hold_the_numbers(unit):
    attack = unit.result["attack"]
    assert f"has {attack['success']['k']} from {attack['photos_with_examples']} photos" in recovery_claims.reached(
        [unit]
    )
    assert "75.0% [" in recovery_claims.network([unit]) and "on 40 test images" in recovery_claims.network([unit])
    assert "differ by at most 0.000. The paper’s differ by up to 0.03" in recovery_claims.answer_same_ranks([unit])
    ranks = unit.result["ranks"]["paper"]["jaccard"]
    assert all(f"{ranks[name]['rank']:.2f}" in recovery_claims.answer([unit]) for name in recovery.PAPER)
    five = unit.result["ranks"]["superpixels"]["jaccard"]
    best = min(five, key=lambda name: five[name]["rank"])
    assert f"{recovery.TITLES[best]} ranks best ({five[best]['rank']:.2f}" in recovery_claims.answer_superpixels([unit])
    assert f"of {len(unit.table('examples'))} explanations" in recovery_claims.sizes([unit])
    assert recovery_claims.attempts([unit]).succeeded.tolist() == [attack["success"]["k"]]
    assert recovery_claims.tests_table([unit]).photos.tolist() == [unit.result["tests"]["paper"]["jaccard"]["blocks"]]
    assert set(tables.chosen([unit], config_localized.REASONS).choice) == set(config_localized.REASONS)


def test_figures_show_what_is_stored(unit):
    shown = recovery_charts.shown(unit)
    sheet, data = recovery_charts.process([unit])
    assert len(sheet.strips) == len(shown) == CHOICES.shown and len(data) == 3 * len(shown)
    sheet, data = recovery_charts.partial_explanations([unit])
    assert (
        len({mask.sum() for name, mask in data.items() if name.endswith(f"_{shown[0][0]}") and "region" not in name})
        == 1
    )
    _, curves = recovery_charts.curves([unit])
    assert (curves.q25 <= curves.q75).all() and set(curves.explainer) == {*recovery.PAPER, "random", "bound"}
    _, found = recovery_charts.ranks([unit], "superpixels")
    assert found["rank"].sum() == pytest.approx(15)
    _, spread = recovery_charts.spread([unit])
    assert set(spread.seed) == {0, 1}


def test_the_widget_shows_the_score_of_what_it_shows(unit):
    frames, beside, names, regions, counts = recovery_charts.frames(unit)
    assert len(frames) == len(beside) == len(names) and counts == [1, 2, 3, 4, 5]
    assert all(len(of_photo) == regions for of_photo in frames)
    row = recovery_charts.shown(unit)[0][0]
    region, n = unit.arrays["shown_region"][row], 3
    levels = unit.arrays["shown_levels"][row][NAMES.index("lime")]
    mask = (levels > 0) & (levels <= n)
    lime = recovery_charts.OFFERED.index("lime")
    assert frames[0][0][lime][n - 1].title == f"Jaccard {metrics.jaccard(mask[None], region[None])[0]:.2f}"
