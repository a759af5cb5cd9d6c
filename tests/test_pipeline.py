"""The steps of the pipeline against the public functions they are made of, and against definitions read aloud."""

import itertools
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from roa_helpers import attacks, data, explain, metrics, models, pipeline, regions
from roa_helpers.models import resnet
from roa_helpers.studies.roi_roa import RoiRoa, search, usefulness

EPS = 0.1


@pytest.fixture(scope="module")
def scanned():
    model = models.vgg16(2, width=1 / 16, seed=3).eval()
    x = torch.rand(10, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    y = torch.tensor([0, 1] * 5)
    return model, pipeline.scan(model, x, y)


@pytest.fixture(scope="module")
def sides(scanned):
    model, side = scanned
    return model, [side[side.y == k] for k in (0, 1)]


@pytest.fixture(scope="module")
def choices():
    tiny = RoiRoa(dataset="digits", classes=("0", "1"), delta1=(0.2, 0.6), delta2=(0.5,), delta2_gradient=(0.2,))
    return replace(tiny, theta=(0.2, 0.9), value=(0.0, 1.0), clean_loss=0.3)


def test_a_scan_is_the_three_public_functions_in_one_pass(scanned):
    model, side = scanned
    assert torch.equal(side.hit, models.correct(model, side.x, side.y))
    by_hand = models.predict(model, side.x).softmax(1)[range(10), side.y]
    assert torch.allclose(side.probability, by_hand, rtol=1e-5)
    hit, probability = pipeline.scored(model, side.x, side.y)
    assert torch.equal(hit, side.hit) and torch.equal(probability, by_hand)
    assert torch.allclose(side.cam, explain.grad_cam(model, side.x, side.y), rtol=1e-5, atol=1e-8)
    assert torch.allclose(side.gradient, attacks.loss_gradient(model, side.x, side.y), rtol=1e-4, atol=1e-8)


def test_attacked_is_fgsm(scanned):
    model, side = scanned
    by_hand = attacks.fgsm(model, side.x, side.y, eps=EPS)
    assert torch.equal(pipeline.perturbed(side, EPS), by_hand)
    assert torch.equal(pipeline.attacked(model, side, EPS), models.correct(model, by_hand, side.y))


def test_neutralised_is_a_scan_of_the_neutralised_images(scanned):
    model, side = scanned
    blob = torch.zeros(32, 32, dtype=torch.bool)
    blob[:8] = True
    found = pipeline.neutralised(model, side, blob, 1.0)
    assert torch.equal(found.x, regions.neutralise(side.x, blob, 1.0))
    assert torch.equal(found.hit, models.correct(model, found.x, side.y))
    empty = pipeline.neutralised(model, side, torch.zeros(32, 32, dtype=torch.bool), 1.0)
    assert torch.equal(empty.x, side.x) and torch.equal(empty.hit, side.hit)


@pytest.mark.parametrize("definition", pipeline.DEFINITIONS)
def test_regions_follow_the_axioms(scanned, definition):
    model, side = scanned
    setting = pipeline.Setting(eps=EPS, delta1=0.4, delta2=0.3, theta=0.5, value=0.0)
    roi, roa = pipeline.regions_of(side, setting, definition)
    assert torch.equal(roi, regions.region_of_importance(side.cam, 0.4))
    if definition == "perturbation":
        x_adv = attacks.fgsm(model, side.x, side.y, eps=EPS)
        assert torch.equal(roa, regions.region_of_attack(side.x, x_adv, 0.3))
    else:
        assert torch.equal(roa, regions.gradient_magnitude(side.gradient) >= 0.3)


def test_the_chosen_eps_comes_nearest_to_the_target(sides):
    model, both = sides
    grid = (0.0, 0.02, 0.05, 0.1, 0.3)
    accuracy = [[float(pipeline.attacked(model, s, e).double().mean()) for e in grid] for s in both]
    for targets in ((0.0, 1.0), (0.35, 0.0), (1.0, 0.6)):
        eps, table = search.choose_eps(model, both, grid, targets)
        for k, target in enumerate(targets):
            distance = [abs(a - target) for a in accuracy[k]]
            rows = table[table["class"] == k]
            assert distance[grid.index(eps[k])] == min(distance) and eps[k] == grid[distance.index(min(distance))]
            assert rows.accuracy.tolist() == pytest.approx(accuracy[k]) and (rows.target == target).all()
            assert rows.eps[rows.chosen].tolist() == [eps[k]]


def slow_grid(model, both, choices):
    """Every setting from public functions alone, without remembering anything."""

    def accuracy(x, y):
        return float((models.predict(model, x).argmax(1) == y).double().mean())

    for definition in pipeline.DEFINITIONS:
        delta2s = choices.delta2 if definition == "perturbation" else choices.delta2_gradient
        for d1, d2, theta, value in itertools.product(choices.delta1, delta2s, choices.theta, choices.value):
            mods, advs, sizes = [], [], []
            for side in both:
                cam = explain.grad_cam(model, side.x, side.y)
                roi = regions.region_of_importance(cam, d1)
                if definition == "perturbation":
                    x_adv = attacks.fgsm(model, side.x, side.y, eps=EPS)
                    roa = regions.region_of_attack(side.x, x_adv, d2)
                else:
                    roa = regions.gradient_magnitude(attacks.loss_gradient(model, side.x, side.y)) >= d2
                blob = regions.blob(regions.isolate(roi, roa).not_u_v, theta)
                x_mod = regions.neutralise(side.x, blob, value)
                mods.append(accuracy(x_mod, side.y))
                advs.append(accuracy(attacks.fgsm(model, x_mod, side.y, eps=EPS), side.y))
                sizes.append(float(blob.double().mean()))
            yield {"definition": definition, "delta1": d1, "delta2": d2, "theta": theta, "value": value,
                   "blob": np.mean(sizes), "mod": np.mean(mods), "mod_adv": np.mean(advs),
                   "filled": min(sizes) > 0}  # fmt: skip
    for theta, value in itertools.product(choices.theta_published, choices.value):
        mods, advs, sizes = [], [], []
        for side in both:
            moved = (attacks.fgsm(model, side.x, side.y, eps=EPS) - side.x).sign()
            blob = moved.double().mean(0) > theta
            x_mod = torch.where(blob, value, side.x)
            mods.append(accuracy(x_mod, side.y))
            advs.append(accuracy(attacks.fgsm(model, x_mod, side.y, eps=EPS), side.y))
            sizes.append(float(blob.double().mean()))
        yield {"definition": "published", "delta1": np.nan, "delta2": np.nan, "theta": theta, "value": value,
               "blob": np.mean(sizes), "mod": np.mean(mods), "mod_adv": np.mean(advs),
               "filled": min(sizes) > 0}  # fmt: skip


def test_tuning_equals_the_slow_grid_and_chooses_by_its_rule(sides, choices):
    model, both = sides
    found = search.tune(model, both, choices, (EPS, EPS))
    slow = pd.DataFrame(slow_grid(model, both, choices))
    columns = ["definition", "delta1", "delta2", "theta", "value", "blob", "mod", "mod_adv"]
    pd.testing.assert_frame_equal(found[columns], slow[columns], check_exact=False, rtol=1e-6)
    allowed = slow.filled & (slow["mod"] >= found.clean - choices.clean_loss)
    assert found.feasible.tolist() == allowed.tolist()
    for _, table in found.groupby("definition"):
        (row,) = table[table.chosen].itertuples()
        feasible = table[table.feasible]
        if len(feasible):
            assert row.feasible and row.mod_adv == feasible.mod_adv.max()
            assert row.blob == feasible[feasible.mod_adv == row.mod_adv].blob.max()


def test_without_a_feasible_setting_the_dearest_cost_least(sides, choices):
    model, both = sides
    found = search.tune(model, both, replace(choices, clean_loss=-2.0), (EPS, EPS))
    assert not found.feasible.any()
    for _, table in found[found.blob > 0].groupby("definition"):
        assert table[table.chosen]["mod"].item() == table["mod"].max()


def test_classes_come_in_a_random_order_that_the_seed_repeats():
    images = torch.arange(20.0).div(20).reshape(20, 1, 1, 1)
    both = data.ImageSet(images, torch.tensor([0, 1] * 10), ("a", "b"))
    x, y = pipeline.of_class(both, 1, seed=0)
    again, _ = pipeline.of_class(both, 1, seed=0)
    assert torch.equal(x, again) and (y == 1).all()
    assert sorted(x.flatten().tolist()) == sorted(images[1::2].flatten().tolist())
    assert not torch.equal(x, images[1::2])


class LinearFeatures(nn.Module):
    """Features w·x of the pixels, so that the infimum over an ℓ∞ ball is known: it costs ε ‖w‖₁."""

    def __init__(self, weights):
        super().__init__()
        self.weights = nn.Parameter(weights)

    def penultimate(self, x):
        return x.flatten(1) @ self.weights.T

    def forward(self, x):
        return self.penultimate(x)[:, :2]


def test_robust_usefulness_of_a_linear_feature_is_exact():
    generator = torch.Generator().manual_seed(0)
    weights = torch.randn(4, 12, generator=generator)
    y = torch.tensor([0, 1] * 20)
    x = 0.5 + 0.05 * torch.randn(40, 3, 2, 2, generator=generator) + 0.1 * (y.float() - 0.5)[:, None, None, None]
    found = usefulness.estimate(LinearFeatures(weights), (x, y), (x, y), eps=0.02, count=9, steps=3, seed=0)
    values = x.flatten(1) @ weights.T
    rho = ((2 * y - 1)[:, None] * (values - values.mean(0)) / values.std(0)).mean(0).abs()
    gamma = rho - 0.02 * weights.abs().sum(1) / values.std(0)
    found = found.set_index("feature").loc[range(4)]
    assert found.rho.to_numpy() == pytest.approx(rho.numpy(), abs=1e-4)
    assert found.gamma.to_numpy() == pytest.approx(gamma.numpy(), abs=1e-4)


def test_constant_features_are_left_out():
    weights = torch.tensor([[1.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0]])
    x = torch.rand(8, 1, 2, 2, generator=torch.Generator().manual_seed(0))
    y = torch.tensor([0, 1] * 4)
    assert usefulness.estimate(
        LinearFeatures(weights), (x, y), (x, y), eps=0.1, count=9, steps=1, seed=0
    ).feature.tolist() == [0]


def test_share():
    assert pipeline.share(torch.tensor([True, False, False, True])) == 0.5
    assert metrics.jaccard(np.ones((1, 2, 2), bool), np.ones((1, 2, 2), bool)) == 1


@pytest.mark.parametrize(
    "wrapper",
    [nn.Sequential, nn.DataParallel, lambda m: torch.compile(m, backend="eager")],
    ids=["one", "data", "compile"],
)
def test_a_scan_sees_through_wrappers(scanned, wrapper):
    model, side = scanned
    found = pipeline.scan(wrapper(model), side.x, side.y)
    for name in ("hit", "probability", "cam", "gradient"):
        assert torch.equal(getattr(found, name), getattr(side, name))


def test_a_scan_of_a_network_that_names_no_layer_looks_where_grad_cam_looks():
    model = resnet.resnet(2, blocks=(1, 1, 1, 1), width=1 / 8).network.eval()
    for block in model.modules():
        if isinstance(block, resnet.Bottleneck):
            nn.init.ones_(block.bn3.weight)
    x = torch.rand(6, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    y = torch.tensor([0, 1] * 3)
    found = pipeline.scan(model, x, y)
    assert torch.equal(found.cam, explain.grad_cam(model, x, y, layer=model.layer4)) and found.cam.max() > 0


def test_a_scan_leaves_images_alone_and_hands_on_no_graph(scanned):
    model, side = scanned

    class InPlace(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = model

        def forward(self, x):
            x *= 0.5
            return self.inner(x)

    x, pixels = side.x.clone().requires_grad_(), side.x.clone()
    found, expected = pipeline.scan(InPlace(), x, side.y), pipeline.scan(model, side.x / 2, side.y)
    assert torch.equal(x, pixels) and torch.equal(found.x, pixels) and not found.x.requires_grad
    assert torch.equal(found.cam, expected.cam) and torch.equal(found.gradient, expected.gradient / 2)
    assert not pipeline.perturbed(found, EPS).requires_grad


def test_images_that_are_none_are_not_scanned(scanned):
    model, side = scanned
    with pytest.raises(ValueError, match=r"x must lie in \[0, 1\], got values from .* to 1.5"):
        pipeline.scan(model, torch.full_like(side.x, 1.5), side.y)
