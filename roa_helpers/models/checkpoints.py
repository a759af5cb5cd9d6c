"""Checkpoints on disk: safetensors with a sum of what they hold, read only if whole, finite and of the same shapes."""

import hashlib
import json
import logging
import os

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file

from .. import scratch

log = logging.getLogger(__name__)


def read(path, fingerprint, shapes):
    """What stands at ``path``: (tensors by name, metadata).

    Args:
        path: of the file.
        fingerprint: what its metadata must hold; another is silently of something else.
        shapes: name → shape of the tensors that must be there; there may be others.

    Returns:
        None where it is absent, of another fingerprint, or, with a line that says so, not fit to go on with.
    """
    if not path.exists():
        return None
    try:
        with safe_open(path, framework="pt") as file:
            metadata = json.loads(file.metadata()["roa"])
        if metadata["fingerprint"] != fingerprint:
            return None
        tensors = load_file(path)
        reason = _unfit(tensors, metadata, shapes)
    except (SafetensorError, OSError, KeyError, TypeError, ValueError) as error:
        reason = f"unreadable ({error})"
    if reason:
        log.warning("checkpoint %s is %s; training anew", path, reason)
        return None
    return tensors, metadata


def _unfit(tensors, metadata, shapes):
    if metadata.get("sum") != sum_of(tensors):
        return "not what was written"
    if not isinstance(metadata.get("history"), list):
        return "without a history"
    for name, shape in shapes.items():
        if name not in tensors or tensors[name].shape != shape:
            return f"of another network ({name})"
    broken = [name for name, values in tensors.items() if values.is_floating_point() and not values.isfinite().all()]
    return f"not finite ({broken[0]})" if broken else ""


def sum_of(tensors):
    """SHA-256 of names, types, shapes and values."""
    digest = hashlib.sha256()
    for name, values in sorted(tensors.items()):
        digest.update(f"{name} {values.dtype} {tuple(values.shape)} ".encode())
        digest.update(values.contiguous().flatten().view(torch.uint8).numpy())
    return digest.hexdigest()


def write(path, tensors, metadata):
    """Put tensors by name and metadata (JSON-able) at ``path``, whole or not at all."""
    tensors = {name: values.detach().cpu().contiguous() for name, values in tensors.items()}
    with scratch.building(path) as temporary:
        save_file(tensors, temporary, metadata={"roa": json.dumps(metadata | {"sum": sum_of(tensors)})})
        os.replace(temporary, path)
