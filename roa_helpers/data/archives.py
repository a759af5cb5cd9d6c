"""Folders and zip archives of class folders: read in place, without trusting what they hold.

Nothing is unpacked to disk. A zip is refused as a whole when one of its members could do harm; links that lead
out of a folder are left aside and counted.
"""

import io
import itertools
import os
import re
import stat
import zipfile
import zlib
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageOps

from ..errors import UserError

FILE_LIMIT = 64 * 2**20  # bytes of one file, unpacked
TOTAL_LIMIT = 8 * 2**30  # bytes of all files of a zip, unpacked
ENTRY_LIMIT = 1_000_000  # files and folders in a zip
RATIO_LIMIT = 200  # unpacked to packed size …
RATIO_FLOOR = 2**20  # … of files above this size; a small picture of one colour packs better than that
TILE = 96  # side of what the photos are cut into

# Image.open would otherwise also try formats that start other programs (EPS).
PICTURE_FORMATS = ("BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")
PICTURE_SUFFIXES = {".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"}
PART_NAMES = {"train": "train", "training": "train", "test": "test", "testing": "test"}
PART_NAMES |= {"val": "val", "valid": "val", "validation": "val"}


@dataclass(frozen=True)
class Tree:
    """The files below a folder or inside a zip.

    Attributes:
        files: path with ``/`` → a mark that is cheap to get: files with different marks differ in content.
        folders: paths of the folders, also of the empty ones.
        links: number of links left aside because they lead out of the folder (or are links to folders).
        read: the bytes of a file; raises ``OSError`` or ``zipfile.BadZipFile`` where they cannot be had.
    """

    files: dict[str, Hashable]
    folders: set[str]
    links: int
    read: Callable[[str], bytes]


class Record(NamedTuple):
    """One picture, not yet read: its name, its class, its official part ("train", "val", "test" or "")."""

    name: str
    label: str
    part: str


@dataclass(frozen=True)
class Pool:
    """Pictures of a data set that can be had one at a time.

    Attributes:
        records: sorted by name.
        classes: names of the classes in the order of their labels, also of those without pictures.
        mark: name → cheap mark (see ``Tree.files``).
        raw: name → bytes that identify the picture.
        decode: those bytes → Pillow image of mode "L", "RGB" (0…255) or "F" (0…1).
        kind: where the pictures come from, in words.
        left_aside: what was not taken as a picture, counted.
    """

    records: list[Record]
    classes: tuple[str, ...]
    mark: Callable[[str], Hashable]
    raw: Callable[[str], bytes]
    decode: Callable[[bytes], Image.Image]
    kind: str
    left_aside: dict[str, int]


@contextmanager
def open_tree(place: Path) -> Iterator[Tree]:
    """The files of a folder or of a ``.zip``.

    Raises:
        UserError: nothing there, not readable, not a zip, or a zip with a member that is refused.
    """
    if place.is_dir():
        yield _folder(place.resolve())
        return
    try:
        archive = zipfile.ZipFile(place)
    except (OSError, zipfile.BadZipFile, NotImplementedError, ValueError) as error:
        raise UserError(f"{place} cannot be read as a zip archive: {error}\n  mend it:   get the file again") from error
    with archive:
        yield _zip(place, archive)


def _folder(base: Path) -> Tree:
    def fail(error: OSError):
        raise UserError(f"{error.filename} cannot be read: {error.strerror}") from error

    files, folders, links = {}, set(), 0
    for here, below, names in os.walk(base, onerror=fail):
        relative = Path(here).relative_to(base)
        linked = {name for name in below if os.path.islink(os.path.join(here, name))}
        links += len(linked)
        folders |= {(relative / name).as_posix() for name in below if name not in linked}
        for name in names:
            path = Path(here, name)
            if path.is_symlink() and not path.resolve().is_relative_to(base):
                links += 1
            elif path.is_file():
                files[(relative / name).as_posix()] = path.stat().st_size

    def read(name: str) -> bytes:
        if files[name] > FILE_LIMIT:
            raise OSError(f"larger than {FILE_LIMIT} bytes")
        return (base / name).read_bytes()

    return Tree(files, folders, links, read)


def _zip(place: Path, archive: zipfile.ZipFile) -> Tree:
    members = archive.infolist()
    if len(members) > ENTRY_LIMIT:
        raise UserError(f"{place}: refused, more than {ENTRY_LIMIT:,} entries")
    if sum(member.file_size for member in members) > TOTAL_LIMIT:
        raise UserError(f"{place}: refused, its files unpack to more than {TOTAL_LIMIT / 2**30:g} GiB")
    for member in members:
        if reason := refusal(member):
            raise UserError(f"{place}: refused because of its member {member.filename!r}: {reason}")
    files = {member.filename: member for member in members if not member.is_dir()}
    folders = {member.filename.rstrip("/") for member in members if member.is_dir()}
    folders |= {name.rpartition("/")[0] for name in files}
    folders |= {parent.as_posix() for folder in folders for parent in Path(folder).parents}
    marks = {name: (member.CRC, member.file_size) for name, member in files.items()}
    return Tree(marks, folders - {"", "."}, 0, lambda name: archive.read(files[name]))


def refusal(member: zipfile.ZipInfo) -> str:
    """Why a zip with this member is not read; empty when there is nothing against it."""
    name = member.orig_filename.replace("\\", "/")
    if name.startswith("/") or re.match(r"[A-Za-z]:", name):
        return "an absolute path"
    if ".." in name.split("/"):
        return "a path that leads out of the archive"
    if "\0" in name:
        return "a NUL in its name"
    if stat.S_ISLNK(member.external_attr >> 16):
        return "a symbolic link"
    if member.flag_bits & 0x1:
        return "encrypted"
    if member.file_size > FILE_LIMIT:
        return f"larger than {FILE_LIMIT / 2**20:g} MiB when unpacked"
    if member.file_size > RATIO_FLOOR and member.file_size > RATIO_LIMIT * member.compress_size:
        return f"packed more than {RATIO_LIMIT}-fold, as decompression bombs are"
    return ""


def class_folders(tree: Tree, *, place: Path, gray: bool = False) -> Pool:
    """Pictures in ``<class>/…`` or ``{train,val,test}/<class>/…``, below any number of outer folders.

    Hidden files, ``__MACOSX`` and files that are not pictures by their suffix are passed over. A ``val`` without a
    ``test`` is the test part.

    Raises:
        UserError: no class folder with a picture.
    """
    paths = [path for path in visible(tree.files) if Path(path[-1]).suffix.lower() in PICTURE_SUFFIXES]
    folders = visible(tree.folders)
    depth = _outer_folders(paths, folders)
    parts = {PART_NAMES.get(path[depth].lower()) for path in paths if len(path) > depth + 2}
    parted = "train" in parts and len(parts) > 1 and None not in parts
    level = depth + parted
    as_test = "val" if parted and "test" not in parts else "test"

    def part(path):
        name = PART_NAMES.get(path[depth].lower(), "") if parted else ""
        return "test" if name == as_test else name

    inside = [path for path in paths if len(path) > level + 1]
    if not inside:
        raise UserError(
            f"no class folders with pictures in {place}\n"
            f"  expected   <class>/<picture> or {{train,test}}/<class>/<picture>, "
            f"pictures being {' '.join(sorted(PICTURE_SUFFIXES))}"
        )
    empty = {folder[level] for folder in folders if len(folder) == level + 1}
    return Pool(
        records=sorted(Record("/".join(path), path[level], part(path)) for path in inside),
        classes=tuple(sorted({path[level] for path in inside} | empty)),
        mark=tree.files.__getitem__,
        raw=tree.read,
        decode=lambda raw: decode_picture(raw, gray=gray),
        kind="class folders in a zip" if place.is_file() else "class folders",
        left_aside={"links": tree.links, "pictures outside class folders": len(paths) - len(inside)},
    )


def visible(paths) -> list[tuple[str, ...]]:
    """Paths as tuples of their parts, without hidden files and folders and what macOS adds to archives."""
    split = (tuple(path.split("/")) for path in paths)
    return [path for path in split if not any(part.startswith((".", "__MACOSX")) for part in path)]


def _outer_folders(paths, folders) -> int:
    """How many folders stand around the class folders, or around train and test: each the only one at its level."""
    depth = 0
    while True:
        here = {path[depth] for path in paths if len(path) > depth + 1}
        here |= {folder[depth] for folder in folders if len(folder) > depth}
        if len(here) != 1 or not any(len(path) > depth + 2 for path in paths):
            return depth
        depth += 1


def decode_picture(raw: bytes, *, gray: bool = False) -> Image.Image:
    """A picture file → Pillow image of mode "RGB" (or "L"), upright, transparency laid on white, first frame.

    16-bit grey is cut to its upper 8 bits. Raises whatever Pillow raises on broken bytes.
    """
    with Image.open(io.BytesIO(raw), formats=PICTURE_FORMATS) as image:
        image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I"):
        image = Image.fromarray((np.asarray(image) >> 8).clip(0, 255).astype(np.uint8))
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return image.convert("L" if gray else "RGB")


# Openers: each yields the pool of a known data set that lies at ``place``; ``dataset`` is its entry in ``data.KNOWN``.


@contextmanager
def open_class_folders(dataset, place: Path) -> Iterator[Pool]:
    """Class folders, named by ``dataset.folders`` where those differ from the names of the classes."""
    with open_tree(place) as tree:
        pool = class_folders(tree, place=place, gray=dataset.gray)
        readable = dict(zip(dataset.folders, dataset.classes, strict=True)) if dataset.folders else {}
        records = [record._replace(label=readable.get(record.label, record.label)) for record in pool.records]
        found = {readable.get(label, label) for label in pool.classes}
        if missing := [label for label in dataset.classes if label not in found]:
            raise UserError(f"{place} has no class folder for {', '.join(missing)}; it has {', '.join(pool.classes)}")
        yield replace(pool, records=records, classes=dataset.classes or pool.classes)


@contextmanager
def open_pets(dataset, place: Path) -> Iterator[Pool]:
    """torchvision's layout of the Oxford-IIIT Pet set, its 37 breeds joined to cats and dogs."""
    with open_tree(place) as tree:
        records = []
        for part, listing in (("train", "trainval"), ("test", "test")):
            for line in tree.read(f"annotations/{listing}.txt").decode().splitlines():
                picture, _, species, _ = line.split()
                records.append(Record(f"images/{picture}.jpg", dataset.classes[int(species) - 1], part))
        if missing := [record.name for record in records if record.name not in tree.files]:
            raise UserError(f"{place}: {len(missing)} pictures are missing, the first {missing[0]}")
        mark = tree.files.__getitem__
        yield Pool(sorted(records), dataset.classes, mark, tree.read, decode_picture, "Oxford-IIIT Pet", {})


@contextmanager
def open_idx(dataset, place: Path) -> Iterator[Pool]:
    """MNIST and Fashion-MNIST in torchvision's layout: uint8 (N, 28, 28)."""
    from ..compat import torchvision  # only these layouts need it

    kind = {"MNIST": torchvision.datasets.MNIST, "FashionMNIST": torchvision.datasets.FashionMNIST}[place.parent.name]
    yield _official(dataset, place, lambda train: kind(place.parents[1], train=train), "IDX files")


@contextmanager
def open_cifar10(dataset, place: Path) -> Iterator[Pool]:
    """CIFAR-10 in torchvision's layout, whose sums torchvision checks: uint8 (N, 32, 32, 3)."""
    from ..compat import torchvision  # only these layouts need it

    yield _official(dataset, place, lambda train: torchvision.datasets.CIFAR10(place.parent, train=train), "batches")


@contextmanager
def open_cifar100(dataset, place: Path) -> Iterator[Pool]:
    """CIFAR-100 with its fine labels in torchvision's layout, whose sums torchvision checks: uint8 (N, 32, 32, 3)."""
    from ..compat import torchvision  # only these layouts need it

    yield _official(dataset, place, lambda train: torchvision.datasets.CIFAR100(place.parent, train=train), "batches")


def _official(dataset, place: Path, read: Callable, kind: str) -> Pool:
    parts = {}
    for part in ("train", "test"):
        try:
            found = read(part == "train")
            parts[part] = np.asarray(found.data), [dataset.classes[k] for k in np.asarray(found.targets).tolist()]
        except (OSError, ValueError, AssertionError, RuntimeError, LookupError, EOFError) as error:
            raise UserError(
                f"{place} is not whole: its {part} part cannot be read ({error!r})\n"
                f"  mend it:   delete it, then python -m roa_helpers data fetch {dataset.name}"
            ) from error
    return array_pool(parts, dataset.classes, kind=f"{kind} (torchvision)")


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
    """Tiles of 96×96 pixels of scikit-image's and scikit-learn's pictures, in colour, a class a picture.

    The tiles of a picture do not overlap; every fourth is in the test part.
    """
    from skimage import data
    from sklearn.datasets import load_sample_image

    parts = {"train": ([], []), "test": ([], [])}
    for name in dataset.classes:
        picture = load_sample_image(f"{name}.jpg") if name in ("china", "flower") else getattr(data, name)()
        coloured = picture if picture.ndim == 3 else np.stack([picture] * 3, axis=-1)
        rows, columns = (range(0, side - TILE + 1, TILE) for side in coloured.shape[:2])
        for position, (top, left) in enumerate(itertools.product(rows, columns)):
            images, labels = parts["test" if position % 4 == 3 else "train"]
            images.append(coloured[top : top + TILE, left : left + TILE])
            labels.append(name)
    stacked = {part: (np.stack(images), labels) for part, (images, labels) in parts.items()}
    return array_pool(stacked, dataset.classes, kind="scikit-image and scikit-learn")


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
