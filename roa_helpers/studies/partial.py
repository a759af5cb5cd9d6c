"""Parts of a unit that are finished, kept until the whole unit is: a killed run loses no finished part."""

import os

import numpy as np

KEY = "partial_key"


def kept(path, key, compute):
    """The arrays that stand at ``path`` under ``key``, or else those that ``compute`` returns, now kept there.

    Args:
        path: a ``.npz`` file.
        key: text that says what the arrays depend on.
        compute: without arguments → dict of arrays or lists.

    Returns:
        dict of arrays.
    """
    found = _read(path, key)
    if found is None:
        found = {name: np.asarray(value) for name, value in compute().items()}
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp.npz")
        try:
            np.savez_compressed(temporary, **found, **{KEY: np.array(key)})
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)
    return found


def _read(path, key):
    """What stands at ``path``, or None if it is absent, unreadable or of another key."""
    try:
        with np.load(path) as file:
            found = dict(file)
    except (OSError, ValueError, EOFError, KeyError):
        return None
    return found if str(found.pop(KEY, "")) == key else None
