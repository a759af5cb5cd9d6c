"""LRP: a slow twin, what it conserves in residual networks, what it leaves alone."""

import pytest
import samples
import torch
import twins
from torch import nn

from roa_helpers import explain, models
from roa_helpers.models import resnet


@pytest.fixture
def network():
    """A narrow residual network in double precision with biases, as trained."""
    return samples.disturbed(resnet.resnet(4, blocks=(1, 2, 1, 1), width=1 / 16)).double()


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
