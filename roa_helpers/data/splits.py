"""Data sets: named ones and any folder or zip of class folders, as tensors in [0, 1], split reproducibly.

    splits = data.load("mnist", classes=("0", "1"), size=48, limit=(1000, None, 500), seed=0)

Pictures that are not square are cut to the middle square when a ``size`` is given, then resized by Pillow's bilinear
filter, which antialiases; 8-bit sources are rounded to 8 bits there. Class folders become RGB, with transparency on
white; only digits, faces, MNIST and Fashion-MNIST are grey (C = 1).
"""

import hashlib
import itertools
import json
import logging
import re
import struct
import warnings
import zipfile
import zlib
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from tqdm import tqdm

from ..errors import UserError
from . import archives
from .archives import Pool, Record
from .known import KNOWN, Dataset, data_root, find

SPLITS = ("train", "val", "test")
FRACTIONS = {"train": 0.70, "val": 0.15, "test": 0.15}  # where there is no official test part
CARVED = {"train": 0.85, "val": 0.15}  # of the official training part
RESIZE = "middle square, then Pillow bilinear with antialiasing"

# What Pillow's readers and zipfile raise on broken bytes, and Pillow on pictures too large.
UNREADABLE = (
    *(OSError, EOFError, SyntaxError, ValueError, TypeError, LookupError, NotImplementedError, OverflowError),
    *(struct.error, zlib.error, zipfile.BadZipFile, Image.DecompressionBombError, Image.DecompressionBombWarning),
)

log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class ImageSet:
    """Pictures with labels.

    Attributes:
        images: (N, C, H, W) float32 in [0, 1].     labels: (N,) int64 in 0 … K − 1.     class_names: K names.
        fingerprint: SHA-256 of the images, the labels, their shapes and the class names.

    Raises:
        ValueError: another shape, type or range.
    """

    images: torch.Tensor
    labels: torch.Tensor
    class_names: tuple[str, ...]
    fingerprint: str = field(init=False)

    def __post_init__(self):
        images, labels = self.images, self.labels
        if images.ndim != 4 or images.dtype != torch.float32:
            raise ValueError(f"images are (N, C, H, W) float32, not {tuple(images.shape)} {images.dtype}")
        if labels.shape != images.shape[:1] or labels.dtype != torch.int64:
            raise ValueError(f"labels are ({len(images)},) int64, not {tuple(labels.shape)} {labels.dtype}")
        if len(images) and not (images.amin() >= 0 and images.amax() <= 1):
            raise ValueError("images lie in [0, 1]")
        if len(images) and not (labels.amin() >= 0 and labels.amax() < len(self.class_names)):
            raise ValueError(f"labels lie in 0 … {len(self.class_names) - 1}")
        object.__setattr__(self, "class_names", tuple(self.class_names))
        head = json.dumps([list(images.shape), self.class_names]).encode()
        digest = hashlib.sha256(head)
        for array in (images, labels):
            digest.update(np.ascontiguousarray(array.detach().cpu().numpy()).data.cast("B") if len(images) else b"")
        object.__setattr__(self, "fingerprint", digest.hexdigest())

    def __len__(self) -> int:
        return len(self.labels)

    def subset(self, index) -> "ImageSet":
        """The pictures at ``index`` (int64 positions, a bool mask or a slice), with the same class names."""
        return ImageSet(self.images[index], self.labels[index], self.class_names)

    def of_class(self, k: int) -> "ImageSet":
        """The pictures with label ``k``, labels unchanged."""
        return self.subset(self.labels == k)


@dataclass(frozen=True, eq=False)
class Splits:
    """Disjoint sets for training, for choices made while training, and for every number that is reported.

    ``provenance`` (JSON-able): name, place below the data folder, source, rule and seed of the split, counts per
    split and class, unreadable files, dropped duplicates, what else was left aside, size, limit.
    """

    train: ImageSet
    val: ImageSet
    test: ImageSet
    provenance: dict

    @property
    def fingerprint(self) -> str:
        """SHA-256 over the fingerprints of the three sets."""
        return hashlib.sha256("".join(getattr(self, split).fingerprint for split in SPLITS).encode()).hexdigest()


def load(name, *, classes=None, size=None, limit=None, root=None, seed=0, progress=False) -> Splits:
    """A known data set, or a folder or ``.zip`` of class folders, as three disjoint sets.

    An official test part stays the test set, and 15 % of each class of the training part become the validation set;
    without one, each class is split 70/15/15. Where the data set has groups (the slides of malaria), whole groups
    are dealt out, as near to these shares as they allow. Files with the same bytes are used once; an official test
    part keeps its own. Pictures that cannot be read are skipped and named in the provenance.

    Args:
        name: a key of ``known.KNOWN``, or a path.
        classes: names, in the order of their labels 0 … K − 1 (None: all). For a known data set also the original
            label, as a number or a string.
        size: side in pixels (None: as they are, which must then be the same for all).
        limit: most pictures of each class in each split: None, a number, or three of them for train, val, test.
            Chosen by the seed; a larger limit keeps what a smaller one chose. Only what is chosen is decoded.
        root: folder of data (see ``data_root``).     seed: of the split and of the choice.

    Returns:
        The sets, each sorted by label and then by name.

    Raises:
        UserError: unknown or missing data set, unknown class, broken archive, a class without a readable picture,
            pictures of different sizes without ``size``.
    """
    limits = _limits(limit)
    if size is not None and (isinstance(size, bool) or not isinstance(size, int) or size < 1):
        raise UserError(f"size is the side of the pictures in pixels, at least 1, not {size!r}")
    with _open(name, root) as (dataset, where, pool):
        names = _choose_classes(dataset, pool, classes)
        records, repeats = _without_repeats(pool, [record for record in pool.records if record.label in names])
        queues, rule = split_records(records, seed=seed, group=dataset.group)
        unreadable = []
        taken = {split: {} for split in SPLITS}
        for split, label in itertools.product(SPLITS, names):
            queue = queues[split].get(label, [])
            title = f"{dataset.name}: {split}, {label}"
            with tqdm(
                total=min(len(queue), limits[split] or len(queue)), desc=title, leave=False, disable=not progress
            ) as bar:
                taken[split][label] = _take(pool, queue, limits[split], size, unreadable, bar)
    if unreadable:
        log.info("%s: %d pictures could not be read", dataset.name, len(unreadable))
    _check_taken(taken, names, where)
    provenance = {
        "name": dataset.name,
        "where": where,
        "source": pool.kind,
        "rule": rule,
        "group": dataset.group or None,
        "seed": seed,
        "classes": list(names),
        "counts": {split: {label: len(found) for label, found in by.items()} for split, by in taken.items()},
        "unreadable": {"count": len(unreadable), "names": sorted(unreadable)},
        "duplicates": {"count": len(repeats), "names": sorted(repeats)},
        "left_aside": pool.left_aside,
        "size": size,
        "resize": RESIZE if size else None,
        "limit": limits,
    }
    return Splits(*(_image_set(taken, split, names) for split in SPLITS), provenance=provenance)


def check(name, root=None, *, progress: bool = False) -> dict:
    """Decode every picture of a data set: where it is, pictures per part and class, the names of unreadable ones.

    Raises:
        UserError: unknown or missing data set, broken archive.
    """
    with _open(name, root) as (dataset, where, pool):
        counts, unreadable = defaultdict(Counter), []
        for record in tqdm(pool.records, desc=dataset.name, unit="image", disable=not progress):
            if _decoded(pool, record, None) is None:
                unreadable.append(record.name)
            else:
                counts[record.part or "all"][record.label] += 1
    return {
        "name": dataset.name,
        "where": where,
        "source": pool.kind,
        "counts": {part: {label: by[label] for label in pool.classes} for part, by in sorted(counts.items())},
        "unreadable": {"count": len(unreadable), "names": unreadable},
        "left_aside": pool.left_aside,
    }


@contextmanager
def _open(name, root) -> Iterator[tuple[Dataset, str, Pool]]:
    """The data set, where it lies (below the data folder; a given path by its last name), and its pictures."""
    path = Path(name).expanduser()
    if str(name) and str(name) not in KNOWN and path.exists():
        dataset = Dataset(path.stem if path.is_file() else path.name)
        with archives.open_class_folders(dataset, path) as pool:
            yield dataset, path.name, pool
        return
    root = data_root(root)
    dataset, layout = find(str(name), root)
    if layout is None:
        yield dataset, "with the package's dependencies", dataset.bundled(dataset)
        return
    with layout.open(dataset, root / layout.path) as pool:
        yield dataset, layout.path, pool


def _limits(limit) -> dict[str, int | None]:
    """None, a number or three of them → the most pictures of a class in each split."""
    each = tuple(limit) if isinstance(limit, (tuple, list)) else (limit,) * len(SPLITS)
    whole = all(one is None or (isinstance(one, int) and not isinstance(one, bool) and one > 0) for one in each)
    if len(each) != len(SPLITS) or not whole:
        raise UserError(f"limit is None, a number above 0, or three of these for {', '.join(SPLITS)}; not {limit!r}")
    return dict(zip(SPLITS, each, strict=True))


def _choose_classes(dataset: Dataset, pool: Pool, classes) -> tuple[str, ...]:
    """The names of the wanted classes, in the order of their labels."""
    if classes is None:
        return pool.classes
    wanted = (classes,) if isinstance(classes, (str, int)) else tuple(classes)
    names = dict(zip(dataset.folders, dataset.classes, strict=False)) | {name: name for name in pool.classes}
    numbers = {str(k): name for k, name in enumerate(dataset.classes)}
    chosen = tuple(names.get(str(one)) or numbers.get(str(one)) for one in wanted)
    if None in chosen or not chosen:
        unknown = ", ".join(repr(one) for one, name in zip(wanted, chosen, strict=True) if name is None)
        raise UserError(f"{dataset.name} has no class {unknown}\n  it has     {', '.join(pool.classes)}")
    if len(set(chosen)) < len(chosen):
        raise UserError(f"a class is named twice: {', '.join(chosen)}")
    return chosen


def _without_repeats(pool: Pool, records: list[Record]) -> tuple[list[Record], list[str]]:
    """The records without those whose bytes came before (test, validation, training), and the names of the others."""
    order = {"test": 0, "val": 1}
    marks = {record.name: pool.mark(record.name) for record in records}
    shared = Counter(marks.values())
    seen, kept, repeats = set(), [], []
    for record in sorted(records, key=lambda record: (order.get(record.part, 2), record.name)):
        if shared[marks[record.name]] > 1:
            try:
                digest = hashlib.sha256(pool.raw(record.name)).digest()
            except UNREADABLE:
                digest = record.name
            if digest in seen:
                repeats.append(record.name)
                continue
            seen.add(digest)
        kept.append(record)
    return kept, repeats


def split_records(records, *, seed: int, group: str = "") -> tuple[dict[str, dict[str, list[Record]]], str]:
    """Deal records out to split → class → records in a seeded order, and say in words by which rule.

    The order within a class depends on the seed and the names in that class alone.
    """
    by_part = defaultdict(list)
    for record in records:
        by_part[record.part].append(record)
    if "train" not in by_part and "test" not in by_part:
        queues = _deal(by_part[""], FRACTIONS, seed, group)
        rule = f"{'/'.join(f'{share:.0%}'.rstrip('%') for share in FRACTIONS.values())} of each class"
    elif "val" in by_part:
        queues = {split: _deal(by_part[split], {split: 1.0}, seed, "")[split] for split in SPLITS}
        rule = "official parts"
    else:
        queues = _deal(by_part["train"], CARVED, seed, group) | _deal(by_part["test"], {"test": 1.0}, seed, "")
        rule = f"official test part, {CARVED['val']:.0%} of each class of the training part for validation"
    return queues, rule + (f", whole groups by the start of the file name: {group}" if group else "")


def _deal(records, fractions: dict[str, float], seed: int, group: str) -> dict[str, dict[str, list[Record]]]:
    by_label = defaultdict(list)
    for record in sorted(records):
        by_label[record.label].append(record)
    shuffled = {label: _shuffled(found, seed, label) for label, found in by_label.items()}
    if group:
        home = _deal_groups(records, fractions, seed, group)
        return {
            split: {label: [r for r in found if home[_group(r, group)] == split] for label, found in shuffled.items()}
            for split in fractions
        }
    queues = {split: {} for split in fractions}
    for label, found in shuffled.items():
        start = 0
        for split, count in zip(fractions, shares(len(found), tuple(fractions.values())), strict=True):
            queues[split][label] = found[start : start + count]
            start += count
    return queues


def shares(n: int, fractions: tuple[float, ...]) -> list[int]:
    """Whole numbers near the fractions of ``n`` that sum to it, none 0; a small ``n`` goes to the first."""
    rest = [max(1, round(n * fraction)) if n >= len(fractions) else 0 for fraction in fractions[1:]]
    return [n - sum(rest), *rest]


def _deal_groups(records, fractions: dict[str, float], seed: int, group: str) -> dict[str, str]:
    """Group → split. Groups come in a seeded order, each to the split where it leaves the counts nearest to their aim.

    Nearest: least Σ over splits s and classes c of ((dealt − aim) / n_c)², where aim = fraction_s · n_c.
    """
    labels = sorted({record.label for record in records})
    counts = defaultdict(lambda: np.zeros(len(labels)))
    for record in records:
        counts[_group(record, group)][labels.index(record.label)] += 1
    n = sum(counts.values(), np.zeros(len(labels)))
    missing = {split: fraction * n for split, fraction in fractions.items()}
    home = {}
    for name in _shuffled(sorted(counts), seed, "groups"):
        size = counts[name]
        home[name] = min(fractions, key=lambda s: (((missing[s] - size) ** 2 - missing[s] ** 2) / n**2).sum())
        missing[home[name]] = missing[home[name]] - size
    return home


def _group(record: Record, group: str) -> str:
    """What the file's name starts with; a file that does not match is its own group."""
    match = re.match(group, record.name.rpartition("/")[2])
    return match.group() if match else record.name


def _shuffled(items: list, seed: int, what: str) -> list:
    words = hashlib.sha256(f"{seed} {what}".encode()).digest()
    rng = np.random.default_rng(int.from_bytes(words))
    return [items[position] for position in rng.permutation(len(items))]


def _take(pool: Pool, queue: list[Record], limit, size, unreadable: list[str], bar) -> list[tuple[str, np.ndarray]]:
    """The first ``limit`` readable pictures of the queue, sorted by name; adds the names of the others."""
    taken = []
    for record in queue:
        if limit is not None and len(taken) == limit:
            break
        picture = _decoded(pool, record, size)
        if picture is None:
            unreadable.append(record.name)
        else:
            taken.append((record.name, picture))
        bar.update()
    return sorted(taken, key=lambda pair: pair[0])


def _decoded(pool: Pool, record: Record, size) -> np.ndarray | None:
    """(C, H, W), uint8 or float32; None when the picture cannot be read or is large enough to be a bomb."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        try:
            image = pool.decode(pool.raw(record.name))
        except UNREADABLE:
            return None
    if size is not None:
        image = _resized(image, size)
    array = np.asarray(image)
    return array[None] if array.ndim == 2 else array.transpose(2, 0, 1)


def _resized(image: Image.Image, size: int) -> Image.Image:
    side = min(image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    if image.size != (side, side):
        image = image.crop((left, top, left + side, top + side))
    return image if side == size else image.resize((size, size), Image.Resampling.BILINEAR)


def _check_taken(taken, names: tuple[str, ...], where: str):
    for label in names:
        if not any(taken[split][label] for split in SPLITS):
            raise UserError(f"class {label!r} has no readable picture in {where}")
    shapes = {}
    for split, label in itertools.product(SPLITS, names):
        for name, picture in taken[split][label]:
            shapes.setdefault(picture.shape, name)
    if len(shapes) > 1:
        a, b, *_ = (f"{shape[2]}×{shape[1]} ({name})" for shape, name in shapes.items())
        raise UserError(f"{where} has pictures of different sizes: {a}, {b}\n  mend it:   give a size, e.g. size=96")


def _image_set(taken, split: str, names: tuple[str, ...]) -> ImageSet:
    pictures = [picture for label in names for _, picture in taken[split][label]]
    shape = next(found[0][1].shape for by in taken.values() for found in by.values() if found)
    stacked = torch.from_numpy(np.stack(pictures)) if pictures else torch.zeros((0, *shape))
    images = stacked.float().div_(255) if stacked.dtype == torch.uint8 else stacked.clamp_(0, 1)
    labels = torch.repeat_interleave(torch.tensor([len(taken[split][label]) for label in names]))
    return ImageSet(images, labels, names)
