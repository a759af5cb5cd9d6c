"""Finished parts of an unfinished unit, on disk, so that a killed run loses none of them."""

import os
import zipfile

import numpy as np

from .. import store

KEY = "partial_key"


def kept(path, key, make):
    """The arrays of a part: those that stand at ``path`` under ``key``, or else made now, and written whole.

    Args:
        path: ``.npz`` file.
        key: text that says what the arrays depend on.
        make: () → dict of arrays or lists.

    Returns:
        dict of arrays.

    Raises:
        UserError: the place cannot be written.
    """
    found = _read(path, key)
    if found is None:
        found = {name: np.asarray(value) for name, value in make().items()}
        with store.writable(path.parent):
            temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
            try:
                with temporary.open("wb") as file:
                    np.savez_compressed(file, **found, **{KEY: np.array(key)})
                os.replace(temporary, path)
            finally:
                temporary.unlink(missing_ok=True)
    return found


def _read(path, key):
    """What stands at ``path``, or None if it is absent, unreadable or of another key."""
    try:
        with np.load(path) as file:
            found = dict(file)
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile):
        return None
    return found if str(found.pop(KEY, "")) == key else None
