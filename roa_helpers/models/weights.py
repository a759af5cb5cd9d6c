"""ImageNet's weights, as torchvision publishes them: from torch's cache, or downloaded by torch.hub; checked."""

import hashlib
import logging
import os
import pickle
import re
from contextlib import contextmanager
from pathlib import Path

import torch

from ..compat import torchvision

log = logging.getLogger(__name__)


def state(name, version="DEFAULT"):
    """The weights of one of torchvision's networks by parameter; None where they can neither be found nor fetched."""
    weights = torchvision.models.get_model_weights(name)[version]
    return _had(name, weights, lambda: weights.get_state_dict(progress=True, check_hash=True))


def network(name):
    """One of torchvision's networks with its weights, and the names of its classes; None where these cannot be had."""
    weights = torchvision.models.get_model_weights(name).DEFAULT
    found = _had(name, weights, lambda: torchvision.models.get_model(name, weights=weights))
    return None if found is None else (found, tuple(weights.meta["categories"]))


def _had(name, weights, get):
    try:
        _check_cached(weights.url)
        with _tensors_alone():
            return get()
    except (OSError, RuntimeError, EOFError, ValueError, pickle.UnpicklingError) as error:
        log.warning("ImageNet weights of %s could not be loaded (%s)", name, error)
        return None


def _check_cached(url):
    """Refuse a file in torch's cache whose SHA-256 is not as its name says; torch.hub checks downloads alone."""
    path = Path(torch.hub.get_dir(), "checkpoints", url.rpartition("/")[2])
    said = re.search(r"-([0-9a-f]{8,})\.", path.name)
    if said and path.is_file():
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        if not digest.startswith(said[1]):
            raise ValueError(f"{path} is not what its name says, SHA-256 {digest}: delete it to have it fetched again")


@contextmanager
def _tensors_alone():
    """torch reads tensors and no other objects of a pickle, whatever torch.hub asks it for."""
    name = "TORCH_FORCE_WEIGHTS_ONLY_LOAD"
    before = os.environ.get(name)
    os.environ[name] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before
