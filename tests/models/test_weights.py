"""ImageNet's weights: whose they are, and what is said where they cannot be had."""

import hashlib
import os
import re

import pytest
import torch
from safetensors.torch import save_file

from roa_helpers.compat import torchvision
from roa_helpers.errors import UserError
from roa_helpers.models import weights


def answered(monkeypatch, answer):
    """What torchvision asks of torch.hub, as (address, options); ``answer`` is returned, or raised."""
    asked = []

    def load(url, **options):
        asked.append((url, options))
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(torchvision.models._api, "load_state_dict_from_url", load)
    return asked


@pytest.mark.parametrize(("version", "member"), [((), "IMAGENET1K_V2"), (("IMAGENET1K_V1",), "IMAGENET1K_V1")])
def test_weights_are_those_of_the_version_asked_for_and_checked(monkeypatch, version, member):
    state = {"conv1.weight": torch.zeros(1)}
    asked = answered(monkeypatch, state)
    assert weights.state("resnet50", *version) is state
    ((url, options),) = asked
    assert url == torchvision.models.ResNet50_Weights[member].url and options["check_hash"]


def test_a_network_has_its_weights_and_the_side_of_its_images(monkeypatch):
    state = torchvision.models.resnet18().state_dict()
    answered(monkeypatch, state)
    found, side = weights.network("resnet18")
    assert all(torch.equal(value, state[name]) for name, value in found.state_dict().items())
    assert side == 224
    assert torchvision.models.Inception_V3_Weights.DEFAULT.transforms().crop_size == [299]


def test_imagenet_has_a_thousand_classes():
    found = weights.categories()
    assert len(found) == 1000 and found.index("wolf spider") == 77


@pytest.mark.parametrize("error", [OSError("no route to host"), RuntimeError("invalid hash value")])
@pytest.mark.parametrize("get", [weights.state, weights.network])
def test_weights_that_cannot_be_had_are_told(monkeypatch, caplog, get, error):
    answered(monkeypatch, error)
    assert get("resnet18") is None
    assert f"ImageNet weights of resnet18 could not be loaded ({error})" in caplog.text


@pytest.fixture
def cached(monkeypatch, tmp_path):
    """Put a state into a cache of torch's under the name that torchvision looks for."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    folder = tmp_path / "hub" / "checkpoints"
    folder.mkdir(parents=True)

    def put(content, *, name=None):
        path = folder / "content"
        torch.save(content, path)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()[:8] if name is None else name
        member = torchvision.models.ResNet18_Weights.IMAGENET1K_V1
        url = re.sub(r"-[0-9a-f]{8}\.", f"-{digest}.", member.url)
        monkeypatch.setattr(type(member), "url", property(lambda self: url))
        return path.rename(folder / url.rpartition("/")[2])

    return put


def test_a_file_in_the_cache_is_read_if_it_is_what_its_name_says(cached):
    cached({"conv1.weight": torch.ones(2)})
    assert weights.state("resnet18")["conv1.weight"].tolist() == [1, 1]


@pytest.mark.parametrize("damage", [lambda raw: raw[: len(raw) // 2], lambda raw: b"", lambda raw: raw[::-1]])
def test_a_broken_file_in_the_cache_is_told_and_the_weights_are_not_to_be_had(cached, caplog, damage):
    path = cached({"conv1.weight": torch.ones(2)})
    path.write_bytes(damage(path.read_bytes()))
    assert weights.state("resnet18") is None and weights.network("resnet18") is None
    assert str(path) in caplog.text and "delete it" in caplog.text


@pytest.fixture
def laid(tmp_path):
    """Put a state where weights of SqueezeNet are looked for, and say where."""

    def put(state):
        path = weights.place("squeezenet1_1", tmp_path)
        path.parent.mkdir(exist_ok=True)
        save_file(state, path)
        return path

    return put


def test_a_file_in_the_data_folder_is_preferred_and_named(laid, tmp_path, monkeypatch):
    asked = answered(monkeypatch, torchvision.models.squeezenet1_1().state_dict())
    other = weights.found("squeezenet1_1", root=tmp_path)
    assert other.source == "torchvision" and len(asked) == 1
    own = {name: value + 1 for name, value in torchvision.models.squeezenet1_1().state_dict().items()}
    path = laid(own)
    found = weights.found("squeezenet1_1", root=tmp_path)
    assert path == tmp_path / "weights" / "squeezenet1_1-imagenet.safetensors" and len(asked) == 1
    assert found.source == "a file in the data folder" and found.sha256 != other.sha256
    assert found.state.keys() == own.keys() and all(torch.equal(found.state[name], own[name]) for name in own)
    monkeypatch.setenv("ROA_DATA", str(tmp_path))
    assert weights.found("squeezenet1_1").sha256 == found.sha256


def test_without_a_file_and_without_torchvision_there_are_no_weights(tmp_path, monkeypatch):
    answered(monkeypatch, OSError("no route to host"))
    assert weights.found("squeezenet1_1", root=tmp_path) is None


@pytest.mark.parametrize(("change", "said"), [
    (lambda own: own | {"classifier.1.bias": torch.zeros(10)}, "classifier.1.bias is not as it should be"),
    (lambda own: {name: value for name, value in own.items() if name != "features.0.weight"}, "features.0.weight is"),
    (lambda own: own | {"more": torch.zeros(1)}, "more is not as it should be"),
])  # fmt: skip
def test_a_file_of_another_network_is_refused(laid, tmp_path, change, said):
    path = laid(change(torchvision.models.squeezenet1_1().state_dict()))
    with pytest.raises(UserError, match=f"^{path} does not hold the weights of torchvision's squeezenet1_1: {said}"):
        weights.found("squeezenet1_1", root=tmp_path)


def test_a_broken_file_is_refused(laid, tmp_path):
    path = laid(torchvision.models.squeezenet1_1().state_dict())
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(UserError, match="does not hold the weights"):
        weights.found("squeezenet1_1", root=tmp_path)


class Harmful:
    """A pickle that writes a file when it is read."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return open, (self.path, "w")


@pytest.mark.parametrize("get", [weights.state, weights.network])
def test_a_pickle_in_the_cache_runs_nothing(cached, tmp_path, caplog, get):
    cached({"conv1.weight": Harmful(tmp_path / "harmed")})
    assert get("resnet18") is None and not (tmp_path / "harmed").exists()
    assert "TORCH_FORCE_WEIGHTS_ONLY_LOAD" not in os.environ
