"""Finished parts of an unfinished unit, kept on disk so that a killed run loses none of them."""

import os
import zipfile

import numpy as np

from . import store


def kept(path, fingerprint, make):
    """The arrays of a part: read from ``path`` if they stand there with this fingerprint, else made and written.

    Args:
        path: ``.npz`` file.
        fingerprint: text; of everything that the part depends on.
        make: () → dict of arrays.

    Raises:
        UserError: the place cannot be written.
    """
    try:
        with np.load(path) as file:
            arrays = dict(file)
        if str(arrays.pop("fingerprint")) == fingerprint:
            return arrays
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        pass
    arrays = make()
    with store.writable(path.parent):
        temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
        try:
            with temporary.open("wb") as file:
                np.savez(file, fingerprint=fingerprint, **arrays)
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)
    return arrays
