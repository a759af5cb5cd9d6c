"""VGG16: its layers, its head, its seed, ImageNet's weights in it."""

import pytest
import torch
from torch import nn
from twins import images

from roa_helpers import explain, models
from roa_helpers.models import weights


def small(seed=0):
    return models.vgg16(2, width=1 / 32, seed=seed)


def content(model):
    return {name: tensor.contiguous().numpy().tobytes() for name, tensor in model.state_dict().items()}


@pytest.mark.parametrize(("side", "blocks"), [(32, 2), (48, 3), (64, 4)])
def test_the_last_block_sees_a_sixteenth_of_the_side(side, blocks):
    model = models.vgg16(2, width=1 / 16)
    with explain.capture(model.cam_layer) as seen:
        logits = models.predict(model, torch.rand(2, 3, side, side))
    assert seen[0].shape == (2, 32, blocks, blocks) and logits.shape == (2, 2)
    assert (seen[0] >= 0).all()  # after the last ReLU


@pytest.mark.parametrize("width", [1.0, 0.25, 1 / 64])
def test_width_scales_every_layer(width):
    layers = [m for m in models.vgg16(3, width=width).features if isinstance(m, nn.Conv2d)]
    full = [64] * 2 + [128] * 2 + [256] * 3 + [512] * 6
    assert [m.out_channels for m in layers] == [width * n for n in full]
    assert [m.in_channels for m in layers] == [3] + [width * n for n in full[:-1]]


def test_the_head_reads_the_mean_of_the_features():
    model = small().double().eval()
    x, _ = images(2, 64)
    features = model.features((x - model.mean) / model.std)
    assert features.shape[2:] == (2, 2)
    assert torch.allclose(model.penultimate(x), features.sum((2, 3)) / 4, rtol=0, atol=1e-12)
    assert torch.equal(model(x), model.head(model.penultimate(x)))


def test_the_mean_as_a_module_changes_no_bit_of_logits_and_gradients_and_no_name_in_checkpoints():
    model = small().eval()
    x, _ = images(4, 48, dtype=torch.float32)
    found, expected = (x.clone().requires_grad_() for _ in range(2))
    logits, by_hand = model(found), model.head(model.features((expected - model.mean) / model.std).mean((2, 3)))
    for scores in (logits, by_hand):
        scores[:, 1].sum().backward()
    assert torch.equal(logits, by_hand) and torch.equal(found.grad, expected.grad)
    assert torch.equal(model.network(model.normalised(x)), logits)
    assert {name.partition(".")[0] for name in model.state_dict()} == {"features", "head"}


def test_images_are_normalised_inside():
    x, _ = images(2, 32, dtype=torch.float32)
    model = small().eval()
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    expected = model.head(model.features((x - mean[:, None, None]) / std[:, None, None]).mean((2, 3)))
    assert torch.equal(model(x), expected)
    grey = models.vgg16(2, width=1 / 32, channels=1)
    assert (grey.mean.item(), grey.std.item()) == (0.5, 0.25)


@pytest.mark.parametrize("channels", [3, 1])
def test_a_seed_gives_the_same_bytes_and_leaves_the_global_generator_alone(channels):
    torch.manual_seed(7)
    before = torch.get_rng_state()
    first, again, other = (models.vgg16(2, width=1 / 32, channels=channels, seed=s) for s in (5, 5, 6))
    assert torch.equal(torch.get_rng_state(), before)
    assert content(first) == content(again)
    for name in ("features.0.weight", "features.40.weight", "head.weight"):
        assert content(first)[name] != content(other)[name]


def test_weights_are_laid_out_for_speed():
    for layer in (m for m in small().features if isinstance(m, nn.Conv2d)):
        assert layer.weight.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize(("classes", "width"), [(1, 1.0), (0, 1.0), (2, 1 / 128), (2, 0.0), (2, float("nan"))])
def test_a_network_that_cannot_be_is_refused(classes, width):
    with pytest.raises(ValueError, match="at least"):
        models.vgg16(classes, width=width)


def test_imagenet_weights_fill_the_features_and_not_the_head(monkeypatch):
    donor, model = models.vgg16(2, seed=1), models.vgg16(2, seed=2)
    head = model.head.weight.clone()
    state = {f"features.{k}": v for k, v in donor.features.state_dict().items()} | {"classifier.0.weight": head}
    monkeypatch.setattr(weights, "state", lambda *wanted: {("vgg16_bn", "IMAGENET1K_V1"): state}[wanted])
    assert models.load_imagenet_features(model)
    assert torch.equal(model.features[0].weight, donor.features[0].weight)
    assert torch.equal(model.features[40].weight, donor.features[40].weight)
    assert torch.equal(model.head.weight, head)


def test_without_imagenet_weights_the_model_stays(monkeypatch):
    model = small()
    before = content(model)
    monkeypatch.setattr(weights, "state", lambda *wanted: None)
    assert not models.load_imagenet_features(model)
    assert content(model) == before
