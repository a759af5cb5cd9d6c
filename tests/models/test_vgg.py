"""VGG16: its layers, its head, its seed, ImageNet's weights in it."""

import pytest
import torch
import torchvision
from torch import nn
from twins import images

from roa_helpers import explain, models
from roa_helpers.models import weights
from roa_helpers.models.vgg import Dropout


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


def small_original(seed=0):
    return models.plain_vgg16(2, width=1 / 32, seed=seed)


def test_the_original_gives_the_logits_of_torchvision_s_with_the_same_weights():
    model = models.plain_vgg16(2, seed=3).eval()
    state = {f"features.{name}": value for name, value in model.features.state_dict().items()}
    linear = [m for m in (*model.pool, model.head) if isinstance(m, nn.Linear)]
    for place, layer in zip((0, 3, 6), linear, strict=True):
        state |= {f"classifier.{place}.weight": layer.weight, f"classifier.{place}.bias": layer.bias}
    with torch.device("meta"):
        twin = torchvision.models.vgg16(num_classes=2)
    twin.load_state_dict(state, assign=True)
    x, _ = images(2, 40, dtype=torch.float32)
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    with torch.no_grad():
        found = model(x)
        assert torch.equal(found, twin.eval()((x - mean[:, None, None]) / std[:, None, None]))
        assert torch.equal(model.network(model.normalised(x)), found)
        assert torch.equal(model.head(model.penultimate(x)), found) and model.penultimate(x).shape == (2, 4096)
    assert found.std() > 0


def test_the_original_says_where_grad_cam_looks():
    model = small_original().eval()
    x, y = images(2, 48, dtype=torch.float32)
    with explain.capture(model.cam_layer) as seen:
        models.predict(model, x)
    assert seen[0].shape == (2, 16, 3, 3) and (seen[0] >= 0).all()
    assert explain.grad_cam(model, x, y % 2).shape == (2, 48, 48)
    assert not [m for m in model.modules() if isinstance(m, nn.BatchNorm2d)]


def test_the_original_s_seed_gives_the_same_bytes_and_one_of_no_sense_is_refused():
    assert content(small_original(5)) == content(small_original(5))
    for name in ("features.0.weight", "pool.2.weight", "head.weight"):
        assert content(small_original(5))[name] != content(small_original(6))[name]
    with pytest.raises(ValueError, match="at least"):
        models.plain_vgg16(1)


def test_dropout_repeats_itself_from_a_checkpoint_and_idles_in_evaluation():
    layer, x = Dropout(seed=4), torch.ones(50, 40)
    first, second = layer(x), layer(x)
    assert set(first.unique().tolist()) == {0.0, 2.0} and abs(first.mean() - 1) < 0.1
    assert not torch.equal(first, second)
    again = Dropout(seed=4)
    again.load_state_dict({"batches": torch.tensor(1)})
    assert torch.equal(again(x), second) and not torch.equal(Dropout(seed=5)(x), first)
    assert torch.equal(layer.eval()(x), x) and layer.batches == 2
