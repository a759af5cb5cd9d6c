"""SqueezeNet 1.1: torchvision's layers, a head that commutes with the mean, weights found and refused."""

import pytest
import torch
import torchvision
from safetensors.torch import save_file
from twins import images

from roa_helpers import explain, models
from roa_helpers.errors import UserError
from roa_helpers.models import weights


@pytest.fixture(scope="module")
def donor():
    """torchvision's network, drawn at random, with a thousand classes."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(9)
        return torchvision.models.squeezenet1_1().eval()


def test_logits_are_those_of_torchvision_s_network_before_its_last_relu(donor):
    model = models.squeezenet(1000, seed=1).eval()
    model.features.load_state_dict(donor.features.state_dict())
    convolution = donor.classifier[1]
    model.head.weight.data, model.head.bias.data = convolution.weight.data[:, :, 0, 0], convolution.bias.data
    x, _ = images(2, 64, dtype=torch.float32)
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    with torch.no_grad():
        normal = (x - mean[:, None, None]) / std[:, None, None]
        expected = convolution(donor.features(normal)).mean((2, 3))
        assert torch.allclose(model(x), expected, rtol=1e-4, atol=1e-5)
        assert model.penultimate(x).shape == (2, 512)
        assert torch.equal(model.network(model.normalised(x)), model(x))
    with explain.capture(model.cam_layer) as seen:
        models.predict(model, x)
    assert seen[0].shape == (2, 512, 3, 3)


def test_a_seed_gives_the_same_weights_and_one_class_is_refused():
    first, again, other = (models.squeezenet(2, seed=seed) for seed in (0, 0, 1))
    for name, value in first.state_dict().items():
        assert torch.equal(value, again.state_dict()[name])
    assert not torch.equal(first.features[0].weight, other.features[0].weight)
    with pytest.raises(ValueError, match="at least 2"):
        models.squeezenet(1)


def test_weights_come_from_the_data_folder_else_from_torchvision(donor, tmp_path, monkeypatch):
    monkeypatch.setattr(
        weights, "state", lambda name: {"features.0.bias": torch.ones(1), "classifier.1.bias": torch.ones(2)}
    )
    assert models.squeezenet_imagenet(tmp_path) == {"0.bias": torch.ones(1)}
    path = weights.place("squeezenet1_1", tmp_path)
    path.parent.mkdir()
    save_file({name: value.contiguous() for name, value in donor.state_dict().items()}, path)
    model = models.squeezenet(2)
    model.features.load_state_dict(models.squeezenet_imagenet(tmp_path))
    assert torch.equal(model.features[12].squeeze.weight, donor.features[12].squeeze.weight)
    path.write_bytes(b"none")
    with pytest.raises(UserError, match="does not hold the weights"):
        models.squeezenet_imagenet(tmp_path)


def test_weights_that_cannot_be_had_are_missed_in_one_message(tmp_path, monkeypatch):
    monkeypatch.setattr(weights, "state", lambda name: None)
    with pytest.raises(UserError, match="(?s)not found.*squeezenet1_1-imagenet.*mend it"):
        models.squeezenet_imagenet(tmp_path)
