"""What matters to the class that a network sees: a slow twin, bounds, explanations of the predicted class."""

import pytest
import torch
import twins
from twins import images

from roa_helpers import explain, models
from roa_helpers.studies.blurring import heatmaps

SETTINGS = {"epsilon": 1e-6, "radius": 0.3, "steps": 2}


@pytest.fixture
def network(convnet):
    return convnet.double().eval()


@pytest.mark.parametrize("steps", [1, 3])
def test_pgd_perturbation_equals_its_twin(smooth, steps):
    x, y = images(2, 4)
    found = heatmaps.pgd_perturbation(smooth, x, y, radius=0.4, steps=steps)
    for k in range(2):
        twin = twins.pgd_perturbation(smooth, x[k], y[k], 0.4, steps)
        assert torch.allclose(found[k], twin, rtol=0, atol=1e-8)


def test_pgd_perturbation_stays_in_the_ball_and_in_range(smooth):
    x, y = images(4)
    moved = heatmaps.pgd_perturbation(smooth, x, y, radius=2.0, steps=3)
    assert (moved.flatten(1).norm(dim=1) <= 2.0 + 1e-9).all()
    assert (x + moved).min() >= 0 and (x + moved).max() <= 1
    inside = torch.full_like(x, 0.5)
    far = heatmaps.pgd_perturbation(smooth, inside, y, radius=0.1, steps=4).flatten(1).norm(dim=1)
    assert torch.allclose(far, torch.full_like(far, 0.1))


@pytest.mark.parametrize("bad", [{"radius": -1.0}, {"steps": 0}])
def test_pgd_perturbation_refuses(smooth, bad):
    with pytest.raises(ValueError, match="radius must be"):
        heatmaps.pgd_perturbation(smooth, *images(), **({"radius": 1.0, "steps": 1} | bad))


def test_heatmaps_follow_from_the_explanations_of_the_predicted_class(network):
    x, _ = images()
    y = models.predict(network, x).argmax(1)
    found = heatmaps.importance(network, x, **SETTINGS)
    gradient = explain.saliency(network, x, y)
    assert list(found) == list(heatmaps.HEATMAPS)
    assert torch.allclose(found["gradient"], gradient.pow(2).sum(1).sqrt(), rtol=1e-9)
    assert torch.allclose(found["input_x_gradient"], explain.input_x_gradient(network, x, y).sum(1))
    assert torch.allclose(found["lrp_epsilon"], explain.lrp_epsilon(network, x, y).sum(1))
    moved = heatmaps.pgd_perturbation(network, x, y, radius=0.3, steps=2)
    assert torch.allclose(found["pgd"], moved.pow(2).sum(1).sqrt(), rtol=1e-9)


def test_only_the_heatmaps_asked_for_are_computed(network, monkeypatch):
    monkeypatch.setattr(explain, "lrp_epsilon", None)
    assert list(heatmaps.importance(network, images()[0], names=("pgd", "gradient"), **SETTINGS)) == ["pgd", "gradient"]


def test_an_unknown_heatmap_is_refused(network):
    with pytest.raises(ValueError, match="heatmaps are gradient, input_x_gradient, lrp_epsilon, pgd"):
        heatmaps.importance(network, images()[0], names=("grad",), **SETTINGS)
