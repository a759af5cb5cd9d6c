"""Names of units' folders: short, and another for another unit."""

import hashlib
import json
import re
from pathlib import Path

from ..data import KNOWN

#: Most bytes of one piece of a name.
LONGEST = 40


def stem(dataset, *parts):
    """What the names of a data set's units begin with: ``mnist-0-1``; a path gives its last part and a digest.

    What a folder's name should not hold is written ``_``, and long pieces are cut. Where that could give two units of
    one's own one name (classes ``a b`` and ``a_b``; ``a-b``, ``c`` and ``a``, ``b-c``), a digest of the pieces follows.
    """
    place = Path(dataset)
    own = place.name != dataset
    first = f"own-{_piece(place.name)}-{_digest(dataset)[:6]}" if own else _piece(dataset)
    pieces = [_piece(part) for part in parts]
    name = "-".join((first, *pieces))
    unclear = pieces != list(parts) or (len(pieces) > 1 and any("-" in piece for piece in pieces))
    return f"{name}-{_digest(json.dumps(parts))[:8]}" if unclear and dataset not in KNOWN else name


def _piece(text):
    """Letters, digits, ``_``, ``.`` and ``-``, at most ``LONGEST`` bytes of them."""
    return re.sub(r"[^\w.-]+", "_", text).encode()[:LONGEST].decode(errors="ignore")


def _digest(text):
    return hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()
