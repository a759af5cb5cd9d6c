"""What do the authors' published pictures show? Their pictures are read cell by cell, and readings are tried on them.

A unit is a data set. Nothing is trained; the seed is that of the bootstrap.
"""

import itertools
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd
from tqdm.auto import tqdm

from ...data import KNOWN
from ...errors import UserError
from ...records import fingerprints
from ..supplement import reference
from . import cells, measure, rebuild, sources, summary


@dataclass(frozen=True, eq=False)
class Material:
    """The pictures of a data set as arrays, for K classes and P = K (K − 1) ordered pairs.

    Attributes:
        classes: names of the classes, (K,).
        pairs: numbers of source and target, (P,).
        roi_one, roi: heat maps of one image and of the representative RoI, (K, H, W, 3) uint8.
        roa_one, roa, blob: the RoA of one image, the representative RoA and the blob, (P, H, W, 3) uint8.
        authors: the authors' SSIM of individual images, a row a pair: min, mean, max.
        sums: SHA-256 of every file, in the order of their paths.
        provenance: what the pictures are and how many.
    """

    classes: tuple[str, ...]
    pairs: tuple[tuple[int, int], ...]
    roi_one: np.ndarray
    roi: np.ndarray
    roa_one: np.ndarray
    roa: np.ndarray
    blob: np.ndarray
    authors: pd.DataFrame
    sums: tuple[str, ...]
    provenance: dict

    @property
    def fingerprint(self):
        """SHA-256 over the sums of the files."""
        return fingerprints.value(list(self.sums))


def load(choices, *, root=None, progress=True):
    """The authors' pictures of a data set, and their SSIM of individual images: :class:`Material`.

    Raises:
        UserError: pictures or CSV files that are not at hand, that are not the published ones, or cannot be read.
    """
    dataset = choices.dataset
    place, numbers = sources.place_for(dataset, root), reference.load(root)
    if numbers is None:
        raise UserError(
            f"the authors' CSV files are not at hand\n  mend it:   python -m roa_helpers data fetch {reference.NAME}"
        )
    classes = KNOWN[dataset].classes
    pairs = tuple(itertools.permutations(range(len(classes)), 2))
    wanted = {kind: [(k,) for k in range(len(classes))] for kind in sources.OF_CLASS} | dict.fromkeys(
        sources.OF_PAIR, pairs
    )
    found, read = {}, []
    for kind, keys in tqdm(wanted.items(), desc="pictures", leave=False, disable=not progress):
        paths = [sources.path_of(dataset, kind, *key) for key in keys]
        found[kind] = np.stack([cells.read(sources.checked(place, path), path=place / path) for path in paths])
        read += paths
    files = [file for (name, _), file in reference.FILES.items() if name == dataset]
    provenance = {
        "name": dataset, "source": f"{sources.NAME} and {reference.NAME}",
        "counts": {"pictures": {kind: len(arrays) for kind, arrays in found.items()}},
        "unreadable": {"count": 0, "names": []},
    }  # fmt: skip
    known = sources.sums()
    sums = (*(known[path] for path in sorted(read)), *(file.sha256 for file in sorted(files, key=lambda f: f.to)))
    authors = individual(numbers.similarity, dataset, classes, pairs)
    return Material(classes, pairs, **found, authors=authors, sums=sums, provenance=provenance)


def individual(similarity, dataset, classes, pairs):
    """The authors' SSIM of individual images in the order of ``pairs``: DataFrame with min, mean, max.

    Args:
        similarity: of a :class:`roa_helpers.studies.supplement.reference.Reference`.
    """
    table = similarity[similarity.dataset == dataset].set_index(["source", "target"])
    keys = [(classes[source], classes[target]) for source, target in pairs]
    return table.reindex(keys)[["min", "mean", "max"]].reset_index(drop=True)


def compute(plan, material, *, checkpoints, progress=True):
    """Measure every ordered pair: :func:`measurements`. Nothing is trained, so ``checkpoints`` is left alone."""
    result, arrays, tables = measurements(material, plan.choices, seed=plan.seed, progress=progress)
    return {"dataset": plan.choices.dataset} | result, arrays, tables


def measurements(material, choices, *, seed, progress=False):
    """Everything that a unit reports.

    Returns:
        (result, arrays, tables) as :func:`roa_helpers.records.store.write` takes them. Tables: ``pairs``, a row an
        ordered pair, and ``calibration``. The arrays hold two plates, of the pair whose blob is rebuilt best and of
        that whose is rebuilt worst: :func:`plate`.
    """
    indices = tqdm(range(len(material.pairs)), desc="pairs", leave=False, disable=not progress)
    table = pd.DataFrame([measure.row(material, i, choices) for i in indices])
    heat = {name: measure.heat(getattr(material, kind)) for name, kind in measure.CORES.items()}
    result = summary.summed(table, heat, choices, seed=seed) | {"parameters": {"choices": asdict(choices)}}
    arrays, shown = {}, {}
    for name, i in extremes(table).items():
        arrays |= {f"{name}_{part}": picture for part, picture in plate(material, i, table.level[i]).items()}
        shown[name] = [table.source[i], table.target[i]]
    tables = {"pairs": table, "calibration": measure.calibration(material, choices.bins)}
    return result | {"plates": shown}, arrays, tables


def extremes(table):
    """Positions of the pair whose blob is rebuilt best, and of that whose is rebuilt worst, among those with a blob.

    Of several that agree equally well, the best is the one whose blob touches most pixels, the worst the one whose
    touches fewest.

    Returns:
        dict with ``best`` and ``worst``; empty where no pair has a blob.
    """
    order = table[table.filled > 0].sort_values(["agreement", "touched"], kind="stable").index
    return {"best": int(order[-1]), "worst": int(order[0])} if len(order) else {}


def plate(material, i, level):
    """What the page shows of one pair.

    Returns:
        dict: ``one``, the RoA of one image, ``blob`` and ``rebuilt``, (H, W, 3) bool; ``representative``, (H, W, 3)
        uint8.
    """
    return {
        "one": material.roa_one[i] > 127, "representative": material.roa[i], "blob": material.blob[i] > 127,
        "rebuilt": rebuild.rebuilt(material.roa[i], level),
    }  # fmt: skip
