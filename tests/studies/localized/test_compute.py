"""What a unit holds, beside what the definitions give; a killed run; what goes wrong."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from roa_helpers import metrics, studies
from roa_helpers.data import photos
from roa_helpers.errors import UserError
from roa_helpers.explain import superpixels
from roa_helpers.models import photo
from roa_helpers.studies.localized import compute, evaluation, placement, ranking, recovery

NAMES = recovery.EXPLAINERS


def test_attempts_are_counted_and_add_up(computed, tiny):
    (result, arrays, found), _ = computed
    attack, attempts = result["attack"], found["attempts"]
    assert sum(attack["outcomes"].values()) == attack["regions"] == len(attempts)
    assert attack["success"]["k"] == attack["outcomes"]["succeeded"] == len(found["examples"]) >= 3
    assert attack["success"]["n"] == attack["regions"] - attack["outcomes"]["already the target"]
    assert attack["explanations"] == attack["success"]["k"] * tiny.unions
    assert arrays["jaccard"].shape == (len(found["examples"]), len(NAMES) + 1, tiny.unions)
    tried = attempts[attempts.outcome == "succeeded"]
    assert (tried.steps <= tiny.steps).all() and (attempts.share.between(tiny.low, tiny.high)).all()


def test_what_is_stored_is_what_the_definitions_give(computed, model, tiny):
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
            for n in range(1, tiny.unions + 1):
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
        by = {metric: result["ranks"]["paper"][metric][name] for metric in evaluation.METRICS}
        assert by["jaccard"]["rank"] == pytest.approx(by["hamming"]["rank"], abs=1e-9)
        low, high = by["jaccard"]["rank_interval"]
        assert low <= by["jaccard"]["rank"] <= high


def test_superpixels_are_explained_whole_by_averaged_gradients(model, pictures, tiny):
    image = pictures.images[0]
    region = placement.segments(image.numpy(), scale=100, sigma=0.8, min_size=100, count=1, low=0.05, high=0.6)[0]
    maps = {name: m[0].numpy() for name, m in compute.relevance(model, image[None], 2, tiny, seed=0).items()}
    found = compute.example(model, image, image, region, maps, 2, tiny, seed=0, key=(0, 0))
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


def test_why_nothing_can_be_explained_is_said(tiny):
    with pytest.raises(UserError, match="sees the target in every photo already"):
        compute.check_successes(np.array([evaluation.ALREADY] * 2), tiny)
    with pytest.raises(UserError, match="none of 1 attacks"):
        compute.check_successes(np.array([evaluation.ALREADY, evaluation.STALLED]), tiny)


def test_quickshift_is_limes_own_at_the_size_of_inception():
    assert compute.kernel_size(299) == 4


def test_a_killed_run_loses_no_finished_photos(model, pictures, computed, monkeypatch, tiny):
    (result, arrays, _), folder = computed

    def never(*args, **kwargs):
        raise AssertionError("computed again")

    monkeypatch.setattr(compute, "photo_group", never)
    again = compute.measurements(model, pictures, 2, tiny, seed=0, folder=folder, fingerprint="a")
    assert (again[1]["jaccard"] == arrays["jaccard"]).all() and again[0]["ranks"] == result["ranks"]
    with pytest.raises(AssertionError, match="computed again"):
        compute.measurements(model, pictures, 2, tiny, seed=0, folder=folder, fingerprint="b")
    broken = sorted(folder.iterdir())[0]
    broken.write_bytes(broken.read_bytes()[:100])
    with pytest.raises(AssertionError, match="computed again"):
        compute.measurements(model, pictures, 2, tiny, seed=0, folder=folder, fingerprint="a")


def test_when_no_attack_succeeds_there_is_one_message(model, pictures, tmp_path, tiny):
    with pytest.raises(UserError, match="none of .* attacks in a region reached the target\n.*larger eps"):
        still = replace(tiny, eps=0.0, steps=1)
        compute.measurements(model, pictures, 0, still, seed=0, folder=tmp_path, fingerprint="")


def test_photos_that_are_all_of_one_colour_have_no_region(model, tmp_path, tiny):
    plain = photos.Photos(torch.full((2, 3, 48, 48), 0.5), ("a", "b"))
    with pytest.raises(UserError, match="no photo has a segment that covers 5% to 60% of it"):
        compute.measurements(model, plain, 2, tiny, seed=0, folder=tmp_path, fingerprint="")


@pytest.fixture
def pretrained(monkeypatch):
    """Networks for photos of 40×40 pixels by name; they are found in the place of those with ImageNet's weights."""
    found = {}

    def first(*names):
        return next((found[name] for name in names if name in found), None)

    def put(name, classes=("tench", "wolf spider"), model=None):
        found[name] = photo.Pretrained(name, model or nn.Flatten(), classes, 40)

    monkeypatch.setattr(photo, "pretrained", first)
    return put


def test_an_unknown_target_is_refused(pretrained, tiny):
    pretrained("efficientnet_lite0")
    with pytest.raises(UserError, match="efficientnet_lite0 has no class 'fox' to attack towards\n.*another target"):
        compute.load(replace(tiny, target="fox"))


def test_without_any_weights_there_is_one_message(pretrained, tiny):
    with pytest.raises(UserError, match="the weights of inception_v3 can neither be found nor fetched\n.*_lite0"):
        compute.load(replace(tiny, networks=("inception_v3",)))


def test_photos_come_from_a_folder_or_from_the_test_part_of_a_data_set(pretrained, tmp_path, tiny):
    pretrained("efficientnet_lite0")
    material = compute.load(tiny)
    assert set(material.photos.names) == {"astronaut", "cat", "coffee", "rocket", "china", "flower"}
    assert material.photos.images.shape == (6, 3, 40, 40) and material.provenance["counts"] == {"photos": {"all": 6}}
    Image.new("L", (120, 100), 90).save(tmp_path / "one.png")
    own = compute.load(replace(tiny, dataset=str(tmp_path)))
    assert own.photos.names == ("one.png",) and own.provenance["source"] == "pictures of your own"
    assert own.fingerprint != material.fingerprint


def test_photos_of_the_target_class_are_left_out(pretrained, tiny, tmp_path):
    pretrained("efficientnet_lite0")
    place = tmp_path / "imagenet_samples"
    place.mkdir()
    for k, name in enumerate(("n01440764_tench", "n01775062_wolf_spider", "n02114367_timber_wolf")):
        Image.new("RGB", (60, 50), (9 * k, 0, 0)).save(place / f"{name}.png")
    material = compute.load(replace(tiny, dataset="imagenet-samples"), root=tmp_path)
    assert set(material.photos.names) == {"tench", "timber wolf"} and material.photos.available == 2


def test_the_first_network_whose_weights_can_be_had_is_attacked(pretrained, pictures, model, tiny, tmp_path):
    def attacked():
        wanted = replace(tiny, networks=("inception_v3", "efficientnet_lite0"), target="blue", photos=2)
        material = replace(compute.load(wanted), photos=pictures)
        plan = studies.Planned("localized", wanted, 0)
        return compute.compute(plan, material, checkpoints=tmp_path)[0]["network"], material.fingerprint

    pretrained("efficientnet_lite0", ("red", "green", "blue"), model)
    first, sum_of_first = attacked()
    assert first == {"name": "efficientnet_lite0", "initialisation": "imagenet", "target": "blue", "size": 40}
    pretrained("inception_v3", ("red", "green", "blue"), model)
    second, sum_of_second = attacked()
    assert second["name"] == "inception_v3" and sum_of_first != sum_of_second
    assert not list((tmp_path / "localized").iterdir())  # the finished parts of a finished unit
