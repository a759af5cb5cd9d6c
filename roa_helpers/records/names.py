"""Names of units' folders. Needs nothing but the standard library."""

import hashlib
import re
from pathlib import Path


def stem(dataset, *parts):
    """What the names of a data set's units begin with: ``mnist-0-1``; a path gives its last part and a digest."""
    place = Path(dataset)
    digest = hashlib.sha256(dataset.encode()).hexdigest()[:6]
    first = dataset if place.name == dataset else f"own-{place.name}-{digest}"
    return re.sub(r"[^\w.-]+", "_", "-".join((first, *parts)))
