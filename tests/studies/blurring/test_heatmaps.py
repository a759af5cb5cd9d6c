import pytest
import torch
import twins
from test_resnet import disturbed
from torch import nn
from twins import images

from roa_helpers import explain, models
from roa_helpers.explain import relevance
from roa_helpers.models import resnet
from roa_helpers.studies.blurring import heatmaps

SETTINGS = {"epsilon": 1e-6, "radius": 0.3, "steps": 2}


@pytest.fixture
def network():
    """A narrow residual network in double precision with biases, as trained."""
    return disturbed(resnet.resnet(4, blocks=(1, 2, 1, 1), width=1 / 16)).double()


@pytest.fixture
def unbiased(network):
    """The same with nothing that takes relevance: means, offsets and biases are 0."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.bias.data.zero_()
            module.running_mean.zero_()
    network.network.fc.bias.data.zero_()
    return network


def batch(n=3, side=64):
    generator = torch.Generator().manual_seed(0)
    x = torch.rand(n, 3, side, side, generator=generator, dtype=torch.float64)
    return x, torch.randint(0, 4, (n,), generator=generator)


def logit(model, x, y):
    return models.predict(model, x).gather(1, y[:, None])[:, 0]


# LRP


@pytest.mark.parametrize("epsilon", [1e-9, 0.05, 2.0])
def test_lrp_equals_its_twin(epsilon):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.Linear(12, 7), nn.ReLU(), nn.Linear(7, 5), nn.ReLU(), nn.Linear(5, 3))
    model = model.double()
    x, y = torch.rand(4, 3, 2, 2, dtype=torch.float64), torch.tensor([0, 1, 2, 0])
    layers = [(m.weight.tolist(), m.bias.tolist()) for m in model if isinstance(m, nn.Linear)]
    found = explain.lrp_epsilon(model, x, y, epsilon=epsilon)
    for k in range(4):
        twin = twins.lrp_epsilon(layers, x[k].flatten().tolist(), int(y[k]), epsilon)
        assert torch.allclose(found[k].flatten(), torch.tensor(twin, dtype=torch.float64), rtol=1e-9, atol=1e-12)


def test_lrp_conserves_relevance_through_residual_blocks(unbiased):
    x, y = batch()
    found, score = explain.lrp_epsilon(unbiased, x, y, epsilon=1e-12), logit(unbiased, x, y)
    assert score.abs().min() > 0.01
    assert torch.allclose(found.sum((1, 2, 3)), score, rtol=1e-4)


def test_lrp_would_not_be_conserved_without_canonizers(unbiased, monkeypatch):
    import zennit.torchvision
    from zennit.canonizers import CompositeCanonizer

    x, y = batch()
    monkeypatch.setattr(zennit.torchvision, "ResNetCanonizer", lambda: CompositeCanonizer(()))
    found, score = explain.lrp_epsilon(unbiased, x, y, epsilon=1e-12), logit(unbiased, x, y)
    assert not torch.allclose(found.sum((1, 2, 3)), score, rtol=0.1)


def test_lrp_without_epsilon_is_normalised_input_times_gradient(network):
    x, y = batch()
    expected = (x - network.mean) * explain.saliency(network, x, y)
    found = explain.lrp_epsilon(network, x, y, epsilon=1e-12)
    assert torch.allclose(found, expected, rtol=0, atol=1e-4 * expected.abs().max().item())


def test_epsilon_takes_relevance(unbiased):
    x, y = batch()
    sizes = [explain.lrp_epsilon(unbiased, x, y, epsilon=e).abs().sum().item() for e in (1e-6, 0.1, 10.0)]
    assert sizes[0] > sizes[1] > sizes[2]


def test_folded_normalisations_change_nothing(network):
    x, y = batch()
    found = [explain.lrp_epsilon(model, x, y, epsilon=1e-9) for model in (network, resnet.folded(network))]
    # zennit leaves the constant of a normalisation, 1e-5, in place
    assert torch.allclose(*found, rtol=0, atol=1e-3 * found[0].abs().max().item())


def test_lrp_leaves_the_model_as_it_found_it(network):
    before = {name: value.clone() for name, value in network.state_dict().items()}
    x, y = batch()
    forward = [module.forward for module in network.modules()]
    with pytest.raises(ValueError, match="labels must lie in"):
        explain.lrp_epsilon(network, x, y + 4)
    explain.lrp_epsilon(network, x, y)
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert forward == [module.forward for module in network.modules()]
    assert all(p.requires_grad for p in network.parameters())
    assert not any(m._forward_hooks or m._forward_pre_hooks or m._backward_hooks for m in network.modules())


@pytest.mark.parametrize("epsilon", [0.0, -1.0, float("inf")])
def test_lrp_refuses(network, epsilon):
    with pytest.raises(ValueError, match="epsilon must be"):
        explain.lrp_epsilon(network, *batch(1), epsilon=epsilon)


# Input × gradient, and the size of a perturbation


def test_input_x_gradient_of_a_linear_model_adds_up_to_its_logit():
    model = nn.Sequential(nn.Flatten(), nn.Linear(12, 3, bias=False)).double()
    x, y = torch.rand(4, 3, 2, 2, dtype=torch.float64), torch.tensor([0, 1, 2, 0])
    found = explain.input_x_gradient(model, x, y)
    assert torch.allclose(found.sum((1, 2, 3)), logit(model, x, y), rtol=0, atol=1e-12)


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


# Heatmaps


def test_heatmaps_follow_from_the_explanations_of_the_predicted_class(network):
    x, _ = batch()
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
    monkeypatch.setattr(relevance, "lrp_epsilon", None)
    assert list(heatmaps.importance(network, batch()[0], names=("pgd", "gradient"), **SETTINGS)) == ["pgd", "gradient"]


def test_an_unknown_heatmap_is_refused(network):
    with pytest.raises(ValueError, match="heatmaps are gradient, input_x_gradient, lrp_epsilon, pgd"):
        heatmaps.importance(network, batch()[0], names=("grad",), **SETTINGS)
