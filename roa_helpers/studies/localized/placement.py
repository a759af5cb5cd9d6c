"""Where an attack may take place: segments of the photo, and regions of the same areas that ignore what it shows.

Regions are (R, H, W) bool, photos (3, H, W) float in [0, 1].
"""

import numpy as np
from scipy.ndimage import gaussian_filter
from skimage.segmentation import felzenszwalb


def segments(photo, *, scale, sigma, min_size, count, low, high):
    """The largest segments of a photo, largest first.

    Felzenszwalb and Huttenlocher (2004), as scikit-image computes it.

    Args:
        photo: (3, H, W).
        scale, sigma, min_size: of the segmentation: larger ``scale``, larger segments; ``sigma`` of the blur before
            it; the least pixels of a segment.
        count: most regions.
        low, high: least and largest share of the photo that a region covers; segments outside are passed over.

    Returns:
        (R, H, W) bool, R ≤ count, disjoint; R may be 0.
    """
    image = np.moveaxis(np.asarray(photo, dtype=float), 0, -1)
    labels = felzenszwalb(image, scale=scale, sigma=sigma, min_size=min_size)
    areas = np.bincount(labels.ravel())
    order = np.argsort(-areas, kind="stable")
    chosen = [k for k in order if low <= areas[k] / labels.size <= high][:count]
    return np.array([labels == k for k in chosen], dtype=bool).reshape(-1, *labels.shape)


def squares(areas, shape, *, seed):
    """A square at a random place for each of ``areas`` in pixels, its side the rounded root, at most the photo's.

    Returns:
        (R, H, W) bool; squares may overlap.
    """
    rng = np.random.default_rng(seed)
    found = np.zeros((len(areas), *shape), dtype=bool)
    for region, area in zip(found, areas, strict=True):
        side = min(max(1, round(area**0.5)), *shape)
        top, left = (rng.integers(0, length - side + 1) for length in shape)
        region[top : top + side, left : left + side] = True
    return found


def blobs(areas, shape, *, seed, roughness=0.5):
    """A blob with a ragged outline at a random place for each of ``areas``, with exactly as many pixels.

    The pixels with the lowest |p − c| / r + roughness · z: c is random, r the radius of a disk of that area, z noise
    smoothed over r/3 with variance 1.

    Returns:
        (R, H, W) bool; blobs may overlap, and may fall into parts.
    """
    rng = np.random.default_rng(seed)
    rows, columns = np.indices(shape)
    found = np.zeros((len(areas), shape[0] * shape[1]), dtype=bool)
    for region, area in zip(found, areas, strict=True):
        radius = (area / np.pi) ** 0.5
        centre = [rng.uniform(0, length) for length in shape]
        noise = gaussian_filter(rng.standard_normal(shape), max(1.0, radius / 3))
        distance = np.hypot(rows - centre[0], columns - centre[1]) / radius
        value = distance + roughness * noise / noise.std()
        region[np.argsort(value, axis=None, kind="stable")[:area]] = True
    return found.reshape(-1, *shape)


def placed(photo, kind, *, seed, **choices):
    """Regions of one kind for a photo: its segments, or squares or blobs that have the segments' areas.

    Args:
        kind: ``segments``, ``squares`` or ``blobs``.
        seed: of the places.
        choices: those of :func:`segments`.

    Raises:
        ValueError: another kind.
    """
    regions = segments(photo, **choices)
    if kind == "segments":
        return regions
    if kind not in ("squares", "blobs"):
        raise ValueError(f"regions are segments, squares or blobs, not {kind!r}")
    make = squares if kind == "squares" else blobs
    return make(regions.sum((1, 2)), regions.shape[1:], seed=seed)
