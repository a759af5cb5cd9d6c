"""Small networks: shapes, seeds, piecewise linearity, smooth twins, the unit that resamples."""

import pytest
import torch
from torch import nn

from roa_helpers.compat import torchvision
from roa_helpers.models import small

MEANS = {"lenet": (1, 28, 28), "nin": (3, 32, 32), "alexnet": (3, 32, 32)}


def built(name, **options):
    mean = torch.rand(MEANS[name], generator=torch.Generator().manual_seed(9))
    return small.BUILDERS[name](5, mean=mean, width=0.1, **options).eval()


@pytest.mark.parametrize("name", small.BUILDERS)
def test_networks_return_logits_and_depend_on_the_seed_alone(name):
    torch.manual_seed(0)
    before = torch.random.get_rng_state()
    one, same, other = built(name, seed=1), built(name, seed=1), built(name, seed=2)
    assert torch.equal(torch.random.get_rng_state(), before)
    x = torch.rand(3, *MEANS[name])
    assert one(x).shape == (3, 5)
    assert torch.equal(one(x), same(x)) and not torch.equal(one(x), other(x))
    assert isinstance(one.cam_layer, nn.Conv2d) and torch.isfinite(one(x)).all()


@pytest.mark.parametrize("side", [8, 16, 28])
def test_lenet_takes_small_images(side):
    model = small.lenet(3, mean=torch.zeros(1, side, side), width=0.2)
    assert model(torch.rand(2, 1, side, side)).shape == (2, 3)


def test_images_lose_their_mean():
    mean = torch.rand(1, 8, 8)
    model = small.lenet(3, mean=mean, width=0.2)
    seen = []
    model.features[0].register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    model(mean[None] + small.SCALE)
    torch.testing.assert_close(seen[0], torch.ones(1, 1, 8, 8))


@pytest.mark.parametrize("name", small.BUILDERS)
def test_what_comes_before_the_network_can_be_split_off(name):
    model = built(name)
    x = torch.rand(2, *MEANS[name])
    assert torch.equal(model.network((x - model.mean) / model.scale), model(x))
    assert torch.equal(model.network(model.normalised(x)), model(x))
    assert {key.partition(".")[0] for key in model.state_dict()} <= {"features", "head", "mean", "scale"}


@pytest.mark.parametrize("name", small.BUILDERS)
def test_a_network_is_linear_along_a_short_way(name):
    model = built(name).double()
    x, d = torch.rand(1, *MEANS[name]).double(), 1e-7 * torch.rand(1, *MEANS[name]).double()
    bend = model(x + d) - 2 * model(x) + model(x - d)
    assert float(bend.detach().abs().max()) < 1e-12


@pytest.mark.parametrize("name", small.BUILDERS)
def test_a_smooth_twin_nears_its_network_and_leaves_it_alone(name):
    model = built(name).double()
    x = torch.rand(4, *MEANS[name]).double()
    before = model(x).detach()
    far, near = (float((small.smooth_twin(model, sharpness=b)(x) - before).detach().abs().max()) for b in (1e2, 1e4))
    assert near < 0.02 * far + 1e-9 and far > 0
    assert torch.equal(model(x), before) and any(isinstance(m, nn.ReLU) for m in model.modules())
    twin = small.smooth_twin(model, sharpness=1.0)
    assert not any(isinstance(m, nn.ReLU | nn.MaxPool2d) for m in twin.modules())


def test_the_smoothed_maximum_by_hand():
    pool = small.SmoothMax(nn.MaxPool2d(2), 2.0)
    x = torch.tensor([[0.0, 1.0], [2.0, 1.0]]).reshape(1, 1, 2, 2)
    expected = torch.log(torch.exp(2 * x).mean()) / 2
    torch.testing.assert_close(pool(x), expected.reshape(1, 1, 1, 1))
    torch.testing.assert_close(pool(torch.full((1, 1, 2, 2), 0.3)), torch.full((1, 1, 1, 1), 0.3))


def test_the_smoothed_maximum_has_the_shape_and_the_limit_of_the_real_one():
    real = nn.MaxPool2d(3, 2, 1)
    x = torch.rand(2, 3, 7, 7).double()
    torch.testing.assert_close(small.SmoothMax(real, 1e5)(x), real(x), atol=1e-3, rtol=0)


@pytest.mark.parametrize("side", [6, 7, 8, 9])
@pytest.mark.parametrize("padding", [0, 1])
def test_windows_may_reach_beyond_the_image(side, padding):
    real = nn.MaxPool2d(3, 2, padding, ceil_mode=True)
    x = torch.rand(2, 3, side, side + 1).double()
    torch.testing.assert_close(small.SmoothMax(real, 1e5)(x), real(x), atol=1e-3, rtol=0)


def test_resampling_keeps_what_is_constant_and_forgets_detail():
    flat = torch.full((1, 1, 8, 8), 0.4)
    torch.testing.assert_close(small.resampled(flat, 3), flat)
    x = torch.rand(1, 1, 8, 8)
    assert torch.equal(small.resampled(x, 8), x)
    board = ((torch.arange(8)[:, None] + torch.arange(8)) % 2).float().reshape(1, 1, 8, 8)
    assert float((small.resampled(board, 4) - 0.5).abs().max()) < 0.2
    model = small.lenet(3, mean=torch.zeros(1, 8, 8), width=0.2)
    assert torch.equal(small.Resampled(model, 5)(x), model(small.resampled(x, 5)))


@pytest.mark.parametrize("name", ["alexnet", "squeezenet1_1"])
def test_an_imagenet_network_keeps_the_chosen_classes_in_order(name):
    torch.manual_seed(0)
    whole = torchvision.models.get_model(name).eval()
    state = {key: values.clone() for key, values in whole.state_dict().items()}
    model = small.imagenet(name, state, (7, 3))
    x = torch.rand(1, 3, 64, 64)
    mean, std = (torch.tensor(v).view(3, 1, 1) for v in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
    torch.testing.assert_close(model(x), whole((x - mean) / std)[:, [7, 3]])
    assert all(torch.equal(values, state[key]) for key, values in whole.state_dict().items())
    assert not any(module.inplace for module in model.modules() if isinstance(module, nn.ReLU))
    assert model.cam_layer is model.features[{"alexnet": 10, "squeezenet1_1": 12}[name]]


@pytest.mark.parametrize("side", [64, 65, 70])
def test_the_twin_of_squeezenet_nears_it_whatever_the_windows_lack(side):
    torch.manual_seed(0)
    model = small.imagenet("squeezenet1_1", torchvision.models.squeezenet1_1().state_dict(), (7, 3)).double()
    x = torch.rand(2, 3, side, side).double()
    far, near = (float((small.smooth_twin(model, sharpness=b)(x) - model(x)).detach().abs().max()) for b in (1e2, 1e5))
    assert 0 < near < 0.02 * far
