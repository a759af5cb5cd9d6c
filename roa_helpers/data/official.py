"""Readers of the known data sets, each in a layout of its own, and the sets that come with a dependency.

An opener yields the pool of a set that lies at ``place``; ``dataset`` is its entry in ``data.KNOWN``.
"""

import gzip
import re
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from ..errors import UserError
from . import places
from .archives import open_tree, picture_paths
from .layouts import Pool, Record, class_folders
from .names import shown
from .pictures import Unreadable, decode_picture

SAMPLE = re.compile(r"(n\d{8})_(\w[^/]*)\.\w+")  # a name among the sample photos: synset and words of the class
IDX_LIMIT = 2**30  # bytes of one IDX file, unpacked
IDX_BYTES = 8  # the type of IDX whose values are unsigned bytes


@contextmanager
def open_class_folders(dataset, place: Path) -> Iterator[Pool]:
    """Class folders, named by ``dataset.folders`` where those differ from the names of the classes.

    Raises:
        UserError: see :func:`.layouts.class_folders`; or a class of ``dataset`` has no folder.
    """
    with open_tree(place) as tree:
        pool = class_folders(tree, place=place, gray=dataset.gray)
        if not dataset.classes:
            yield pool
            return
        readable = dict(zip(dataset.folders, dataset.classes, strict=True)) if dataset.folders else {}
        records = [record._replace(label=readable.get(record.label, record.label)) for record in pool.records]
        found = {readable.get(label, label) for label in pool.classes}
        if missing := [label for label in dataset.classes if label not in found]:
            raise UserError(
                f"{shown(place)} has no class folder for {', '.join(missing)}; it has {', '.join(pool.classes)}\n"
                f"  name the folders like the classes, or move it away: python -m roa_helpers data fetch {dataset.name}"
            )
        known = [record for record in records if record.label in dataset.classes]
        others = {"pictures of other classes": len(records) - len(known)} if len(known) < len(records) else {}
        yield replace(pool, records=known, classes=dataset.classes, left_aside=pool.left_aside | others, doubts=())


@contextmanager
def open_samples(dataset, place: Path) -> Iterator[Pool]:
    """Photos of ImageNet's classes in files ``n01440764_tench.JPEG``, in folders or not, all in the test part.

    Classes are named by the words in the files' names, as ImageNet names them.

    Raises:
        UserError: see :func:`.archives.open_tree`; or no picture has such a name.
    """
    with open_tree(place) as tree:
        paths, left_aside = picture_paths(tree)
        named = {path: found for path in paths if (found := SAMPLE.fullmatch(path.rpartition("/")[2]))}
        if not named:
            raise UserError(
                f"{shown(place)} holds no sample photos of ImageNet\n"
                "  expected   pictures named by synset and class: n01440764_tench.JPEG"
            )
        left_aside["pictures of another name"] = len(paths) - len(named)
        records = sorted(Record(path, found[2].replace("_", " "), "test") for path, found in named.items())
        order = {record.label: None for record in sorted(records, key=lambda record: named[record.name][1])}
        kind = "sample photos of ImageNet" + (" in a zip" if place.is_file() else "")
        yield Pool(records, tuple(order), tree.files.__getitem__, tree.read, decode_picture, kind, dict(left_aside))


@contextmanager
def open_pets(dataset, place: Path) -> Iterator[Pool]:
    """torchvision's layout of the Oxford-IIIT Pet set, its 37 breeds joined to cats and dogs.

    Raises:
        UserError: lists that are not ``picture class species breed``, or pictures that are missing or listed twice.
    """
    with open_tree(place) as tree:
        records = []
        for part, listing in (("train", "trainval"), ("test", "test")):
            records += [
                Record(f"images/{picture}.jpg", label, part)
                for picture, label in _listed_pets(dataset, place, tree, f"annotations/{listing}.txt")
            ]
        if missing := [record.name for record in records if record.name not in tree.files]:
            raise UserError(
                f"{shown(place)}: {len(missing)} pictures are missing, the first {shown(missing[0])}\n"
                f"  mend it:   delete it, then python -m roa_helpers data fetch {dataset.name}"
            )
        if len({record.name for record in records}) < len(records):
            raise UserError(
                f"{shown(place)}: its lists name a picture twice\n"
                f"  mend it:   delete it, then python -m roa_helpers data fetch {dataset.name}"
            )
        mark = tree.files.__getitem__
        yield Pool(sorted(records), dataset.classes, mark, tree.read, decode_picture, "Oxford-IIIT Pet", {})


def _listed_pets(dataset, place: Path, tree, listing: str) -> list[tuple[str, str]]:
    """(picture, class) of each line ``picture class species breed``."""
    found = []
    try:
        for number, line in enumerate(tree.read(listing).decode().splitlines(), 1):
            if not line.strip() or line.startswith("#"):
                continue
            where = f"line {number} is {line[:80]!r}"
            picture, _, species, _ = line.split()
            found.append((picture, {str(k): label for k, label in enumerate(dataset.classes, 1)}[species]))
        where = "it names no picture"
        if found:
            return found
    except Unreadable as error:
        where = str(error)
    except (ValueError, LookupError) as error:
        where = "it is no text" if isinstance(error, UnicodeDecodeError) else where
    raise UserError(
        f"{shown(place / listing)} is not the official list: {where}\n"
        "  expected   picture class species breed, species being 1 for cats and 2 for dogs\n"
        f"  mend it:   delete it, then python -m roa_helpers data fetch {dataset.name}"
    )


@contextmanager
def open_idx(dataset, place: Path) -> Iterator[Pool]:
    """MNIST and Fashion-MNIST, packed or not, with the names that :func:`idx_file` knows: uint8 (N, H, W).

    Raises:
        UserError: files that are broken, of other types or shapes, or do not fit together.
    """
    parts = {}
    for part, start in (("train", "train"), ("test", "t10k")):
        found = []
        for what, dimensions in (("images", 3), ("labels", 1)):
            name = f"{start}-{what}-idx{dimensions}-ubyte"
            found.append(_read_idx(dataset, idx_file(place, name) or place / name, dimensions))
        images, labels = found
        if len(images) != len(labels) or 0 in images.shape or labels.max() >= len(dataset.classes):
            raise UserError(
                f"{shown(place)}: its {part} part has {' × '.join(map(str, images.shape))} pictures and {len(labels)} "
                f"labels up to {labels.max(initial=0)}; {dataset.name} has a label of 0 … {len(dataset.classes) - 1} "
                f"for each\n  mend it:   delete it, then python -m roa_helpers data fetch {dataset.name}"
            )
        parts[part] = images, [dataset.classes[k] for k in labels.tolist()]
    yield array_pool(parts, dataset.classes, kind="IDX files (torchvision)")


def idx_file(folder: Path, name: str) -> Path | None:
    """An IDX file by its official name, or by Kaggle's with a dot for a hyphen; packed, or in a folder of that name.

    ``train-images-idx3-ubyte``, ``train-images.idx3-ubyte``, each also with ``.gz``; None: there is none.
    """
    written = [name, name.replace("-idx", ".idx")]
    packed = [f"{one}.gz" for one in written]
    inside = [f"{one}/{other}" for one in written for other in written]
    return next((folder / one for one in (*written, *packed, *inside) if places.is_file(folder / one)), None)


def _read_idx(dataset, path: Path, dimensions: int) -> np.ndarray:
    """Unsigned bytes of an IDX file: two zero bytes, type, number of dimensions, sizes of 4 bytes each, values."""
    head = 4 + 4 * dimensions
    try:
        with path.open("rb") as opened:
            packed = opened.read(2) == b"\x1f\x8b"
            opened.seek(0)
            file = gzip.GzipFile(fileobj=opened) if packed else opened
            start = file.read(head)
            kind, count, sizes = start[:3], start[3:4], np.frombuffer(start[4:], ">u4").tolist()
            if len(start) == head and kind == bytes((0, 0, IDX_BYTES)) and count == bytes((dimensions,)):
                expected = int(np.prod(sizes, dtype=object))
                values = file.read(min(expected, IDX_LIMIT) + 1)
                if len(values) == expected:
                    return np.frombuffer(values, np.uint8).reshape(sizes)
                reason = f"it is not whole: {len(values):,} values are there, {expected:,} announced"
            elif len(start) < head:
                reason = "it is not whole: it ends before its first value"
            else:
                reason = f"it begins with {start[:4].hex(' ')}, not 00 00 08 {dimensions:02x}: values of another type"
    except (OSError, EOFError, ValueError, zlib.error) as error:
        reason = f"it is not whole: {getattr(error, 'strerror', None) or error}"
    raise UserError(
        f"{shown(path)} is not the file it should be, {reason}\n"
        f"  mend it:   delete it, then python -m roa_helpers data fetch {dataset.name}"
    )


@contextmanager
def open_cifar10(dataset, place: Path) -> Iterator[Pool]:
    """CIFAR-10 in torchvision's layout, whose sums torchvision checks: uint8 (N, 32, 32, 3)."""
    from ..compat import torchvision  # only these layouts need it

    yield _official(dataset, place, lambda train: torchvision.datasets.CIFAR10(place.parent, train=train))


@contextmanager
def open_cifar100(dataset, place: Path) -> Iterator[Pool]:
    """CIFAR-100 with its fine labels in torchvision's layout, whose sums torchvision checks: uint8 (N, 32, 32, 3)."""
    from ..compat import torchvision  # only these layouts need it

    yield _official(dataset, place, lambda train: torchvision.datasets.CIFAR100(place.parent, train=train))


def _official(dataset, place: Path, read: Callable) -> Pool:
    parts = {}
    for part in ("train", "test"):
        try:
            found = read(part == "train")
            parts[part] = np.asarray(found.data), [dataset.classes[k] for k in np.asarray(found.targets).tolist()]
        except (OSError, ValueError, TypeError, AssertionError, RuntimeError, LookupError, EOFError) as error:
            raise UserError(
                f"{shown(place)} is not whole: its {part} part cannot be read ({error!r})\n"
                f"  mend it:   delete it, then python -m roa_helpers data fetch {dataset.name}"
            ) from error
    return array_pool(parts, dataset.classes, kind="batches (torchvision)")


def digits(dataset) -> Pool:
    """scikit-learn's digits: 1,797 pictures, 8×8, 17 levels of grey."""
    from sklearn.datasets import load_digits

    found = load_digits()
    images = (found.images / 16).astype(np.float32)
    return array_pool({"": (images, [dataset.classes[k] for k in found.target])}, dataset.classes, kind="scikit-learn")


def faces(dataset) -> Pool:
    """scikit-image's subset of Labeled Faces in the Wild: 100 faces, then 100 other crops, 25×25, grey."""
    from skimage.data import lfw_subset

    images = lfw_subset().astype(np.float32)
    labels = [dataset.classes[position // 100] for position in range(len(images))]
    return array_pool({"": (images, labels)}, dataset.classes, kind="scikit-image")


def photos(dataset) -> Pool:
    """Whole pictures that come with scikit-image and scikit-learn, in colour, of different sizes, a class each.

    All of them are in the test part: there is one of each.
    """
    from skimage import data
    from sklearn.datasets import load_sample_image

    def raw(name):  # as a PPM file
        picture = load_sample_image(f"{name}.jpg") if name in ("china", "flower") else getattr(data, name)()
        return b"P6 %d %d 255\n" % picture.shape[1::-1] + picture.tobytes()

    records = sorted(Record(name, name, "test") for name in dataset.classes)
    kind = "scikit-image and scikit-learn"
    return Pool(records, dataset.classes, lambda name: name, raw, decode_picture, kind, left_aside={})


def array_pool(parts: dict, classes: tuple[str, ...], *, kind: str) -> Pool:
    """The pool of part → (pictures, names of their classes).

    The pictures are uint8 (N, H, W) or (N, H, W, 3), or float32 (N, H, W) in [0, 1].
    """
    pictures, records = {}, []
    for part, (images, labels) in parts.items():
        if len(images) != len(labels):
            raise UserError(f"{kind}: {len(images)} pictures but {len(labels)} labels in the part {part!r}")
        for position, label in enumerate(labels):
            name = f"{part or 'all'}/{position:05d}"
            pictures[name] = images[position]
            records.append(Record(name, label, part))
    height, width = images.shape[1:3]
    mode = "RGB" if images.ndim == 4 else "F" if images.dtype == np.float32 else "L"
    return Pool(
        records=sorted(records),
        classes=classes,
        mark=lambda name: zlib.crc32(pictures[name].tobytes()),
        raw=lambda name: pictures[name].tobytes(),
        decode=lambda raw: Image.frombytes(mode, (width, height), raw),
        kind=kind,
        left_aside={},
    )
