"""ImageNet's weights: whose they are, and what is said where they cannot be had."""

import pytest
import torch

from roa_helpers.compat import torchvision
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


def test_a_network_has_its_weights_and_the_names_of_its_classes(monkeypatch):
    state = torchvision.models.resnet18().state_dict()
    answered(monkeypatch, state)
    found, classes = weights.network("resnet18")
    assert all(torch.equal(value, state[name]) for name, value in found.state_dict().items())
    assert len(classes) == 1000 and "wolf spider" in classes


@pytest.mark.parametrize("error", [OSError("no route to host"), RuntimeError("invalid hash value")])
@pytest.mark.parametrize("get", [weights.state, weights.network])
def test_weights_that_cannot_be_had_are_told(monkeypatch, caplog, get, error):
    answered(monkeypatch, error)
    assert get("resnet18") is None
    assert f"ImageNet weights of resnet18 could not be loaded ({error})" in caplog.text
