"""Data sets: named ones and any folder or zip of class folders, as tensors in [0, 1], split reproducibly.

    splits = data.load("mnist", classes=("0", "1"), size=48, limit=(1000, None, 500), seed=0)

Pictures that are not square are cut to the middle square when a ``size`` is given, then resized by Pillow's bilinear
filter, which antialiases; 8-bit sources are rounded to 8 bits there. Class folders become RGB, with transparency on
white; only digits, faces, MNIST and Fashion-MNIST are grey (C = 1).
"""

import hashlib
import itertools
import json
import os
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from tqdm import tqdm

from ..errors import UserError
from . import official, places, telling
from .dealing import SPLITS, split_records
from .known import KNOWN, Dataset, find
from .layouts import Pool, Record
from .names import readable, shown
from .pictures import Unreadable

RESIZE = "middle square, then Pillow bilinear with antialiasing"


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
    split and class, unreadable files, dropped duplicates, what else was left aside, where the layout was a
    guess, size, limit.
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
        unreadable = {}
        taken = {split: {} for split in SPLITS}
        for split, label in itertools.product(SPLITS, names):
            queue = queues[split].get(label, [])
            title = f"{dataset.name}: {split}, {label}"
            with tqdm(
                total=min(len(queue), limits[split] or len(queue)), desc=title, leave=False, disable=not progress
            ) as bar:
                taken[split][label] = _take(pool, queue, limits[split], size, unreadable, bar)
        unreadable |= {name: unreadable[first] for name, first in repeats.items() if first in unreadable}
    repeats = {name: first for name, first in repeats.items() if name not in unreadable}
    wanted = {record.name: record.label for record in pool.records if record.label in names}
    telling.tell_losses(dataset.name, of=len(wanted), unreadable=unreadable, repeats=repeats)
    _check_taken(taken, where, wanted, unreadable=unreadable, repeats=repeats)
    provenance = {
        "name": dataset.name,
        "where": where,
        "source": pool.kind,
        "rule": rule,
        "group": dataset.group or None,
        "seed": seed,
        "classes": list(names),
        "counts": {split: {label: len(found) for label, found in by.items()} for split, by in taken.items()},
        "unreadable": _unreadable(unreadable),
        "duplicates": {"count": len(repeats), "names": sorted(repeats)},
        "left_aside": pool.left_aside,
        "doubts": list(pool.doubts),
        "size": size,
        "resize": RESIZE if size else None,
        "limit": limits,
    }
    return Splits(*(_image_set(taken, split, names) for split in SPLITS), provenance=provenance)


def check(name, root=None, *, progress: bool = False) -> dict:
    """Decode every picture of a data set.

    Returns:
        dict: name, where, source; counts of what can be read, by part and class; unreadable and duplicates (count,
        names); why (name → reason) of the unreadable ones; left_aside; doubts.

    Raises:
        UserError: unknown or missing data set, broken archive.
    """
    with _open(name, root) as (dataset, where, pool):
        counts, why = defaultdict(Counter), {}
        for record in tqdm(pool.records, desc=dataset.name, unit="image", disable=not progress):
            try:
                _decoded(pool, record, None)
                counts[record.part or "all"][record.label] += 1
            except Unreadable as error:
                why[record.name] = str(error)
        _, repeats = _without_repeats(pool, [record for record in pool.records if record.name not in why])
    return {
        "name": dataset.name,
        "where": where,
        "source": pool.kind,
        "counts": {part: {label: by[label] for label in pool.classes} for part, by in sorted(counts.items())},
        "unreadable": _unreadable(why),
        "why": why,
        "duplicates": {"count": len(repeats), "names": sorted(repeats)},
        "left_aside": pool.left_aside,
        "doubts": list(pool.doubts),
    }


def classes_of(place) -> tuple[str, ...]:
    """The classes of a folder or ``.zip`` of class folders. Opens no picture, and says nothing.

    Raises:
        UserError: nothing there, or nothing of that kind.
    """
    with official.open_class_folders(Dataset(""), places.expanded(place)) as pool:
        return pool.classes


def enough(splits: Splits, *, classes: int = 2, least: int = 2):
    """Refuse data of fewer classes, or with fewer pictures of one of them in a set, than a study needs.

    Raises:
        UserError: they are too few; the message counts the pictures that could not be used.
    """
    origin = splits.provenance
    names = splits.train.class_names
    if len(names) < classes:
        raise UserError(
            f"{origin.get('name', 'the data')} has too few classes, {len(names)} where {classes} are needed: "
            f"{telling.listed(names)}\n"
            "  add a folder of pictures of another class"
        )
    few = [f"{part}: {n} of {label}" for part, by in origin["counts"].items() for label, n in by.items() if n < least]
    if few:
        unused = origin.get("unreadable", {}).get("reasons", {}) | origin.get("left_aside", {})
        unused |= {"duplicates": origin.get("duplicates", {}).get("count", 0)}
        told = telling.counted(unused)
        raise UserError(
            f"too few pictures to train and measure ({telling.listed(few)})\n"
            + (f"  not used:  {told}\n" if told else "")
            + "  give at least 14 of each class"
        )


@contextmanager
def _open(name, root) -> Iterator[tuple[Dataset, str, Pool]]:
    """The data set, where it lies (below the data folder; a given path by its last name), and its pictures."""
    text = os.fspath(name)
    path = places.expanded(text) if text and text not in KNOWN else None
    if path and (lying := places.kind(path)):
        given = Path(os.path.normpath(path))
        dataset, where = Dataset(readable(given.stem if lying == "file" else given.name)), readable(given.name)
        opened = official.open_class_folders(dataset, path)
    else:
        dataset, layout = find(text, root)
        where = layout.path if layout else "with the package's dependencies"
        root = places.data_root(root) if layout else None
        opened = layout.open(dataset, root / layout.path) if layout else nullcontext(dataset.bundled(dataset))
    with opened as pool:
        telling.tell(dataset.name, telling.understood(pool), left_aside=pool.left_aside, doubts=pool.doubts)
        yield dataset, where, pool


def _unreadable(why: dict[str, str]) -> dict:
    return {"count": len(why), "names": sorted(why), "reasons": dict(Counter(why.values()))}


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
    chosen = tuple(names.get(readable(one)) or numbers.get(str(one)) for one in wanted)
    if None in chosen or not chosen:
        unknown = ", ".join(repr(shown(one)) for one, name in zip(wanted, chosen, strict=True) if name is None)
        raise UserError(f"{dataset.name} has no class {unknown}\n  it has     {telling.listed(pool.classes)}")
    if len(set(chosen)) < len(chosen):
        raise UserError(f"a class is named twice: {', '.join(chosen)}")
    return chosen


def _without_repeats(pool: Pool, records: list[Record]) -> tuple[list[Record], dict[str, str]]:
    """The records without those whose bytes came before (test, validation, training); and name → of what, of these."""
    order = {"test": 0, "val": 1}
    marks = {record.name: pool.mark(record.name) for record in records}
    shared = Counter(marks.values())
    seen, kept, repeats = {}, [], {}
    for record in sorted(records, key=lambda record: (order.get(record.part, 2), record.name)):
        if shared[marks[record.name]] > 1:
            try:
                digest = hashlib.sha256(pool.raw(record.name)).digest()
            except Unreadable:
                digest = record.name
            if digest in seen:
                repeats[record.name] = seen[digest]
                continue
            seen[digest] = record.name
        kept.append(record)
    return kept, repeats


def _take(pool: Pool, queue: list[Record], limit, size, unreadable: dict[str, str], bar):
    """(name, picture) of the first ``limit`` readable ones of the queue, sorted; notes why others are not readable."""
    taken = []
    for record in queue:
        if limit is not None and len(taken) == limit:
            break
        try:
            taken.append((record.name, _decoded(pool, record, size)))
        except Unreadable as error:
            unreadable[record.name] = str(error)
        bar.update()
    return sorted(taken, key=lambda pair: pair[0])


def _decoded(pool: Pool, record: Record, size) -> np.ndarray:
    """(C, H, W), uint8 or float32.

    Raises:
        Unreadable: the picture cannot be read, or it is large enough to be a bomb.
    """
    image = pool.decode(pool.raw(record.name))
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


def _check_taken(taken, where: str, labels: dict[str, str], *, unreadable: dict[str, str], repeats: dict[str, str]):
    """Refuse a class without a picture, saying why; refuse pictures of different shapes. ``labels``: name → class."""
    names = tuple(taken["train"])
    for label in names:
        if any(taken[split][label] for split in SPLITS):
            continue
        own = [name for name in labels if labels[name] == label]
        copies = [name for name in own if name in repeats]
        if own and len(copies) == len(own):
            raise UserError(
                f"class {shown(label)!r} has no picture of its own in {where}: all {len(own)} are duplicates, "
                f"{shown(copies[0])} of {shown(repeats[copies[0]])}\n  leave the class out, or mend its pictures"
            )
        reasons = Counter(unreadable[name] for name in own if name in unreadable)
        told = telling.counted(reasons | Counter({"duplicates": len(copies)})) or "there is none at all"
        raise UserError(
            f"class {shown(label)!r} has no readable picture in {where}: {told}\n"
            "  leave the class out, or mend its pictures"
        )
    shapes = {}
    for split, label in itertools.product(SPLITS, names):
        for name, picture in taken[split][label]:
            shapes.setdefault(picture.shape, name)
    if len(shapes) > 1:
        a, b, *_ = (f"{shape[2]}×{shape[1]} ({shown(name)})" for shape, name in shapes.items())
        raise UserError(f"{where} has pictures of different sizes: {a}, {b}\n  mend it:   give a size, e.g. size=96")


def _image_set(taken, split: str, names: tuple[str, ...]) -> ImageSet:
    pictures = [picture for label in names for _, picture in taken[split][label]]
    shape = next(found[0][1].shape for by in taken.values() for found in by.values() if found)
    stacked = torch.from_numpy(np.stack(pictures)) if pictures else torch.zeros((0, *shape))
    images = stacked.float().div_(255) if stacked.dtype == torch.uint8 else stacked.clamp_(0, 1)
    labels = torch.repeat_interleave(torch.tensor([len(taken[split][label]) for label in names]))
    return ImageSet(images, labels, names)
