"""Networks with ImageNet's weights in their wrapper."""

import pytest
import torch

from roa_helpers import explain
from roa_helpers.compat import torchvision
from roa_helpers.models import photo, weights


def wrapped(name):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return photo.Normalised(torchvision.models.get_model(name, num_classes=3)).eval()


def test_images_are_normalised_inside():
    model = wrapped("resnet18")
    x = torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    mean, std = (torch.tensor(v).view(1, 3, 1, 1) for v in (photo.MEAN, photo.STD))
    assert torch.equal(model(x), model.body((x - mean) / std))
    assert model.network is model.body and torch.equal(model.normalised(x), (x - mean) / std)
    assert {name.partition(".")[0] for name in model.state_dict()} == {"body"}
    other = photo.Normalised(model.body, mean=(0.5,) * 3, std=(0.25,) * 3)
    assert torch.equal(other(x), model.body((x - 0.5) / 0.25))


def test_grad_cam_looks_at_what_comes_before_the_pooling():
    model = wrapped("resnet18")
    assert model.cam_layer is model.body.layer4
    assert wrapped("regnet_x_400mf").cam_layer.__class__.__name__ == "Sequential"


@pytest.mark.parametrize(
    ("name", "place"),
    [("densenet121", "features"), ("mobilenet_v2", "features.18.0"), ("shufflenet_v2_x0_5", "conv5.0")],
)
def test_a_network_that_pools_without_a_module_names_no_layer_and_is_followed(name, place):
    model = wrapped(name)
    x = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    assert model.cam_layer is None
    assert explain.cam_layer(model, x) is model.body.get_submodule(place)


def test_the_first_network_that_can_be_had_is_taken(monkeypatch):
    body = torchvision.models.get_model("resnet18")
    monkeypatch.setattr(weights, "network", lambda name: {"resnet18": (body, 224), "inception_v3": None}[name])
    found = photo.pretrained("inception_v3", "resnet18")
    assert found.name == "resnet18" and found.model.body is body and not found.model.training
    assert found.side == 224 and found.classes[77] == "wolf spider" and len(found.classes) == 1000
    assert photo.pretrained("inception_v3", "efficientnet_lite0").name == photo.AT_HAND
    assert photo.pretrained("inception_v3") is None
