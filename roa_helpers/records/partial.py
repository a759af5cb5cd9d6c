"""Finished parts of an unfinished unit, on disk, so that a killed run loses none of them."""

import json
import os
import shutil
import zipfile
from pathlib import Path

import numpy as np
import torch

from .. import models, scratch
from . import fingerprints, store

KEY = "partial_key"


def kept(path, key, make):
    """The arrays of a part: those that stand at ``path`` under ``key``, or else made now, and written whole.

    Args:
        path: ``.npz`` file.
        key: text that says what the arrays depend on, but for the device: a part is of the one that made it.
        make: () → dict of arrays or lists.

    Returns:
        dict of arrays.

    Raises:
        UserError: the place cannot be written.
    """
    key = f"{key} {models.device_name()}"
    found = _read(path, key)
    if found is None:
        found = {name: np.asarray(value) for name, value in make().items()}
        with store.writable(path.parent), scratch.building(path) as temporary:
            with temporary.open("wb") as file:
                np.savez_compressed(file, **found, **{KEY: np.array(key)})
            os.replace(temporary, path)
    return found


def _read(path, key):
    """What stands at ``path``, or None if it is absent, unreadable or of another key."""
    try:
        with np.load(path) as file:
            found = dict(file)
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile):
        return None
    return found if str(found.pop(KEY, "")) == key else None


class Stages:
    """Parts of one unit in a folder of their own; a part is made of dicts, lists, tensors, numbers and text.

    Args:
        folder: deleted by :meth:`clear` when the unit is finished.
        key: text that says what the parts depend on.
    """

    def __init__(self, folder, key):
        self.folder, self.key = Path(folder), key
        with store.writable(self.folder):
            pass

    def kept(self, name, compute):
        """The part called ``name``: read, or else computed by ``compute()`` and written whole (:func:`kept`)."""
        return unpacked(kept(self.folder / f"{name}.npz", self.key, lambda: packed(compute())))

    def clear(self):
        """Delete all parts."""
        shutil.rmtree(self.folder, ignore_errors=True)


def packed(part):
    """Nested dicts, lists, tensors, numbers and text as a flat dict of arrays: the tensors, and a plan as JSON."""
    arrays = {}

    def plan(value):
        if torch.is_tensor(value):
            arrays[f"tensor_{len(arrays)}"] = value.cpu().numpy()
            return {"tensor": len(arrays) - 1}
        if isinstance(value, dict):
            return {"dict": [[key, plan(one)] for key, one in value.items()]}
        if isinstance(value, list | tuple):
            return [plan(one) for one in value]
        return value

    return {"plan": json.dumps(plan(part), default=fingerprints.plain)} | arrays


def unpacked(arrays):
    """What :func:`packed` was given; tuples became lists, NumPy's numbers Python's."""

    def value(plan):
        if isinstance(plan, list):
            return [value(one) for one in plan]
        if not isinstance(plan, dict):
            return plan
        if "tensor" in plan:
            return torch.from_numpy(arrays[f"tensor_{plan['tensor']}"])
        return {key: value(one) for key, one in plan["dict"]}

    return value(json.loads(str(arrays["plan"])))
