"""The study of localised attacks on a tiny network: what a unit holds, what pages make of it, what goes wrong."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from roa_helpers import metrics
from roa_helpers.data import photos
from roa_helpers.errors import UserError
from roa_helpers.explain import superpixels
from roa_helpers.page import claims, tables
from roa_helpers.records import store
from roa_helpers.studies.localized import (
    charts,
    choices,
    comparison,
    compute,
    network,
    placement,
    ranking,
    recovery,
    results,
    tables,
    words,
)

CHOICES = replace(
    choices.QUICK[0], photos=6, region_count=2, eps=0.5, step=0.1, steps=20, patience=8, samples=30, unions=5,
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
    return compute.results(model, pictures, 2, CHOICES, seed=0, folder=folder, fingerprint="a"), folder


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
    maps = {name: m[0].numpy() for name, m in compute.relevance(model, image[None], 2, CHOICES, seed=0).items()}
    found = compute.example(model, image, image, region, maps, 2, CHOICES, seed=0, key=(0, 0))
    labels = superpixels.segment(image, kernel_size=compute.kernel_size(48)).numpy()
    assert (found["segments"] == labels).all()
    levels = found["levels"][NAMES.index("lime")]
    assert all(len(np.unique(levels[labels == k])) == 1 for k in np.unique(labels))
    means = superpixels.superpixel_means(torch.from_numpy(maps["saliency"]), torch.from_numpy(labels))
    first = found["levels"][NAMES.index("saliency_superpixels")] == 1
    assert first.sum() == found["budgets"][0]
    covered = [first[labels == k].mean() for k in means.argsort(descending=True).tolist()]
    whole = [share == 1 for share in covered]
    assert sum(0 < share < 1 for share in covered) <= 1 and whole == sorted(whole, reverse=True)


def test_chance_is_drawn_anew_for_every_example(computed):
    (_, arrays, _), _ = computed
    first, second = arrays["shown_levels"][:2, NAMES.index("random")] > 0
    assert (first & second).sum() < 0.9 * min(first.sum(), second.sum())


def test_rows_are_picked_across_parts():
    stacks = [np.arange(3)[:, None], np.zeros((0, 1)), np.arange(3, 7)[:, None]]
    assert compute.picked(stacks, np.array([6, 0, 3, 2])).ravel().tolist() == [6, 0, 3, 2]


def test_why_nothing_can_be_explained_is_said():
    with pytest.raises(UserError, match="sees the target in every photo already"):
        compute.check_successes(np.array([comparison.ALREADY] * 2), CHOICES)
    with pytest.raises(UserError, match="none of 1 attacks"):
        compute.check_successes(np.array([comparison.ALREADY, comparison.STALLED]), CHOICES)


def test_quickshift_is_limes_own_at_the_size_of_inception():
    assert compute.kernel_size(299) == 4


def test_a_killed_run_loses_no_finished_photos(model, pictures, computed, monkeypatch):
    (result, arrays, _), folder = computed

    def never(*args, **kwargs):
        raise AssertionError("computed again")

    monkeypatch.setattr(compute, "photo_group", never)
    again = compute.results(model, pictures, 2, CHOICES, seed=0, folder=folder, fingerprint="a")
    assert (again[1]["jaccard"] == arrays["jaccard"]).all() and again[0]["ranks"] == result["ranks"]
    with pytest.raises(AssertionError, match="computed again"):
        compute.results(model, pictures, 2, CHOICES, seed=0, folder=folder, fingerprint="b")
    broken = sorted(folder.iterdir())[0]
    broken.write_bytes(broken.read_bytes()[:100])
    with pytest.raises(AssertionError, match="computed again"):
        compute.results(model, pictures, 2, CHOICES, seed=0, folder=folder, fingerprint="a")


def test_when_no_attack_succeeds_there_is_one_message(model, pictures, tmp_path):
    with pytest.raises(UserError, match="none of .* attacks in a region reached the target\n.*larger eps"):
        compute.results(model, pictures, 0, replace(CHOICES, eps=0.0, steps=1), seed=0, folder=tmp_path, fingerprint="")


def test_photos_that_are_all_of_one_colour_have_no_region(model, tmp_path):
    plain = photos.Photos(torch.full((2, 3, 48, 48), 0.5), ("a", "b"))
    with pytest.raises(UserError, match="no photo has a segment that covers 5% to 60% of it"):
        compute.results(model, plain, 2, CHOICES, seed=0, folder=tmp_path, fingerprint="")


def test_an_unknown_target_is_refused():
    with pytest.raises(UserError, match="no class 'wolf spider' to attack towards\n  it has     astronaut"):
        compute.load(replace(CHOICES, target="wolf spider"))


def test_photos_come_from_a_folder_or_from_the_test_part_of_a_data_set(tmp_path):
    from PIL import Image

    material = compute.load(CHOICES)
    assert len(material.photos.names) == CHOICES.photos and not any("china" in n for n in material.photos.names)
    assert set(material.provenance["counts"]) == {"photos", "train", "val", "test"}
    Image.new("L", (120, 100), 90).save(tmp_path / "one.png")
    own = compute.load(replace(CHOICES, dataset=str(tmp_path)))
    assert own.photos.names == ("one.png",) and own.provenance["source"] == "pictures of your own"
    assert own.fingerprint != material.fingerprint


def test_pretrained_weights_bring_their_target_and_size(monkeypatch):
    model, classes = nn.Flatten(), ("wolf spider", "tench")
    monkeypatch.setattr(compute.photo_networks, "pretrained", lambda name: (model, classes))
    choices = replace(CHOICES, pretrained=("inception_v3", "wolf spider", 40))
    material = compute.load(choices)
    assert material.splits is None and material.photos.images.shape[-1] == 40
    _, told, target = network.network(choices, material, seed=0, weights=None)
    assert target == 0 and told == {
        "name": "inception_v3", "initialisation": "imagenet", "target": "wolf spider", "size": 40,
    }  # fmt: skip
    monkeypatch.setattr(compute.photo_networks, "pretrained", lambda name: None)
    assert compute.load(choices).photos.images.shape[-1] == CHOICES.size


# What pages make of a unit


def test_verdicts_follow_their_rule(unit):
    found = claims.verdicts([unit])
    assert len(found) == 6 and found.claim.is_unique
    for row in found.itertuples():
        assert row.verdict == claims.judge(metrics.Interval(row.low, row.high), 0.0)
        assert row.low <= row.ours <= row.high and row.n == unit.result["attack"]["success"]["k"]
    change = unit.result["differences"]["jaccard"]["saliency − lime"]["mean"]
    ranks = unit.result["ranks"]["paper"]["jaccard"]
    assert change == pytest.approx(ranks["saliency"]["rank"] - ranks["lime"]["rank"])


def test_what_the_paper_does_not_claim_is_answered_and_not_judged(unit):
    found = tables.questions([unit])
    assert "verdict" not in found and set(found.answer) <= {"yes", "no", "undecided"} and len(found) == 3
    for row in found.itertuples():
        assert row.answer == ("yes" if row.low > 0 else "no" if row.high < 0 else "undecided")
    assert not found.claim.str.startswith("R2").any()
    labels = claims.verdicts([unit]).claim.str.partition(":")[0]
    assert labels.tolist() == ["R1"] * 3 + ["R2"] * 2 + ["Table 1"]


def test_one_photo_has_no_interval_and_no_verdict(model, pictures, unit, tmp_path):
    rows = [i for i, name in enumerate(pictures.names) if name in set(unit.table("examples").photo)][:1]
    one = photos.Photos(pictures.images[rows], (pictures.names[rows[0]],), available=1)
    result, arrays, found = compute.results(
        model, one, 2, replace(CHOICES, shown=1), seed=0, folder=tmp_path / "parts", fingerprint=""
    )
    head = {name: unit.result[name] for name in ("study", "profile", "seed", "dataset", "network", "provenance")}
    alone = store.write(tmp_path / "one-seed0", head | result | {"fingerprint": {}}, arrays=arrays, tables=found)
    judged = claims.verdicts([alone])
    assert set(judged.verdict) == {"undecided"} and judged.low.isna().all() and judged.ours.notna().all()
    assert len(tables.in_brackets(judged)) == 6 and tables.rank_table([alone]).low.isna().all()
    assert tables.tests_table([alone]).empty
    charts.ranks([alone], "all")


def test_seeds_are_told_apart(unit, tmp_path):
    other = store.write(tmp_path / "x", unit.result | {"seed": 3}, arrays={}, tables={})
    assert results.label(other) == f"{results.label(unit)}, seed 3"
    assert words.network([unit, other]).count("trained from scratch") == 2
    assert claims.verdicts([other]).run.unique().tolist() == ["quick, seed 3"]


def test_table_1_stands_beside_ours(unit):
    found = tables.rank_table([unit])
    assert found.paper.tolist() == [2.58, 2.06, 1.36, 2.59, 2.03, 1.38]
    assert found.groupby("metric").ours.sum().tolist() == pytest.approx([6, 6])


def test_the_words_hold_the_numbers(unit):
    attack = unit.result["attack"]
    assert f"has {attack['success']['k']} from {attack['photos_with_examples']} photos" in words.reached([unit])
    assert "75.0% [" in words.network([unit]) and "on 40 test images" in words.network([unit])
    same, means = words.answer_same_ranks([unit]), unit.result["ranks_of_means"]
    apart = max(abs(means["jaccard"][n]["mean"] - means["hamming"][n]["mean"]) for n in recovery.PAPER)
    assert "differ by at most 0.000. The paper’s differ by up to 0.03" in same and f"up to {apart:.2f}. Or" in same
    ranks = unit.result["ranks"]["paper"]["jaccard"]
    assert all(f"{ranks[name]['rank']:.2f}" in words.answer([unit]) for name in recovery.PAPER)
    five = unit.result["ranks"]["superpixels"]["jaccard"]
    best = min(five, key=lambda name: five[name]["rank"])
    assert f"{recovery.TITLES[best]} ranks best ({five[best]['rank']:.2f}" in words.answer_superpixels([unit])
    assert f"of {len(unit.table('examples'))} explanations" in words.sizes([unit])
    assert tables.attempts([unit]).succeeded.tolist() == [attack["success"]["k"]]
    assert tables.tests_table([unit]).photos.tolist() == [unit.result["tests"]["paper"]["jaccard"]["blocks"]]
    assert set(tables.open_choices([unit], choices.REASONS).choice) == set(choices.REASONS)


def test_figures_show_what_is_stored(unit):
    shown = charts.stored_examples(unit)
    sheet, data = charts.process([unit])
    assert len(sheet.strips) == len(shown) == CHOICES.shown and len(data) == 3 * len(shown)
    sheet, data = charts.partial_explanations([unit])
    assert (
        len({mask.sum() for name, mask in data.items() if name.endswith(f"_{shown[0][0]}") and "region" not in name})
        == 1
    )
    _, curves = charts.curves([unit])
    assert (curves.q25 <= curves.q75).all() and set(curves.explainer) == {*recovery.PAPER, "random", "bound"}
    _, found = charts.ranks([unit], "superpixels")
    assert found["rank"].sum() == pytest.approx(15)
    _, spread = charts.spread([unit])
    assert set(spread.seed) == {0, 1}


def test_the_widget_shows_the_score_of_what_it_shows(unit):
    frames, beside, names, regions, counts = charts.frames(unit)
    assert len(frames) == len(beside) == len(names) and counts == [1, 2, 3, 4, 5]
    assert all(len(of_photo) == regions for of_photo in frames)
    row = charts.stored_examples(unit)[0][0]
    region, n = unit.arrays["shown_region"][row], 3
    levels = unit.arrays["shown_levels"][row][NAMES.index("lime")]
    mask = (levels > 0) & (levels <= n)
    lime = charts.OFFERED.index("lime")
    assert frames[0][0][lime][n - 1].title == f"Jaccard {metrics.jaccard(mask[None], region[None])[0]:.2f}"
