"""Networks of torchvision in their wrapper."""

import pytest
import torch

from roa_helpers import explain
from roa_helpers.compat import torchvision
from roa_helpers.models import photo, weights


@pytest.mark.parametrize(("name", "width"), [("vgg16", 0.125), ("regnet_x_400mf", 1.0), ("resnet18", 1.0)])
def test_a_network_takes_images_and_returns_logits_and_is_fixed_by_its_seed(name, width):
    x = torch.rand(2, 3, 48, 48, generator=torch.Generator().manual_seed(0))
    first, again, other = (photo.build(name, 5, width=width, seed=seed).eval() for seed in (1, 1, 2))
    assert first(x).shape == (2, 5)
    assert torch.equal(first(x), again(x)) and not torch.equal(first(x), other(x))
    cam = explain.grad_cam(first, x, torch.tensor([0, 1]))
    assert cam.shape == (2, 48, 48) and (cam >= 0).all()


def test_images_are_normalised_inside():
    model = photo.build("resnet18", 3).eval()
    x = torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    mean, std = (torch.tensor(v).view(1, 3, 1, 1) for v in (photo.MEAN, photo.STD))
    assert torch.equal(model(x), model.body((x - mean) / std))
    assert model.network is model.body and torch.equal(model.normalised(x), (x - mean) / std)
    assert {name.partition(".")[0] for name in model.state_dict()} == {"body"}


def test_grad_cam_looks_at_what_comes_before_the_pooling():
    assert photo.build("resnet18", 3).cam_layer is not None
    model = photo.build("resnet18", 3)
    assert model.cam_layer is model.body.layer4
    assert photo.build("regnet_x_400mf", 3).cam_layer.__class__.__name__ == "Sequential"


@pytest.mark.parametrize(
    ("name", "place"),
    [("densenet121", "features"), ("mobilenet_v2", "features.18.0"), ("shufflenet_v2_x0_5", "conv5.0")],
)
def test_a_network_that_pools_without_a_module_names_no_layer_and_is_followed(name, place):
    model = photo.build(name, 3)
    x = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    assert model.cam_layer is None
    assert explain.cam_layer(model, x) is model.body.get_submodule(place)


def test_unknown_networks_and_widths_are_refused():
    with pytest.raises(ValueError, match="torchvision has no network 'resnet7'"):
        photo.build("resnet7", 3)
    with pytest.raises(ValueError, match="one width only, got 0.5"):
        photo.build("resnet18", 3, width=0.5)


def test_weights_that_cannot_be_had_are_no_network(monkeypatch):
    monkeypatch.setattr(weights, "network", lambda name: None)
    assert photo.pretrained("inception_v3") is None


def test_pretrained_weights_come_with_the_names_of_their_classes(monkeypatch):
    body = torchvision.models.get_model("resnet18")
    monkeypatch.setattr(weights, "network", lambda name: {"resnet18": (body, ("tench", "wolf spider"))}[name])
    model, classes = photo.pretrained("resnet18")
    assert model.body is body and not model.training
    assert classes == ("tench", "wolf spider")
