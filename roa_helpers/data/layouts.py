"""Folders of classes, in parts or not: which of the folders are which, and where that is a guess.

    cats/1.png                     a class
    training set/cats/1.png        a part of the data, then a class; each part may have folders of its own around
    cats/train/1.png               a class, then a part

Any number of outer folders may stand around all of this.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from PIL import Image

from ..errors import UserError
from . import archives, pictures, telling
from .archives import Tree
from .names import shown
from .telling import listed

_PARTS = {
    **dict.fromkeys(("train", "training", "trn"), "train"),
    **dict.fromkeys(("test", "testing", "tst", "holdout"), "test"),
    **dict.fromkeys(("val", "valid", "validation", "validate", "dev", "development", "eval", "evaluation"), "val"),
}
_FILLING = "set|sets|data|dataset|datasets|images|image|imgs|img|pictures|photos|files|samples|split|folder"
#: A word of a folder's name that says which part it is, written together with what says nothing: ``trainset``.
_PART = re.compile(rf"({'|'.join(sorted(_PARTS, key=len, reverse=True))})(?:{_FILLING})?")
#: Folders of such names hold kinds of files rather than classes.
_KINDS = {
    *("images", "image", "imgs", "img", "masks", "mask", "labels", "label", "annotations", "annotation"),
    *("ground_truth", "groundtruth", "gt", "thumbnails", "thumbs", "originals", "resized", "segmentation"),
}
_NOTES = (".txt", ".xml", ".json", ".csv", ".tsv", ".md", ".yaml", ".yml", ".html", ".mat", ".npy", ".pdf", ".py")
OUTSIDE = "pictures outside class folders"


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
        decode: those bytes → Pillow image of mode "L", "RGB" (0…255) or "F" (0…1). Both raise
            :class:`.pictures.Unreadable`.
        kind: where the pictures come from, in words.
        left_aside: what was not taken as a picture, counted.
        doubts: where the layout was guessed, a sentence each.
    """

    records: list[Record]
    classes: tuple[str, ...]
    mark: Callable[[str], Hashable]
    raw: Callable[[str], bytes]
    decode: Callable[[bytes], Image.Image]
    kind: str
    left_aside: dict[str, int]
    doubts: tuple[str, ...] = ()


class _Layout(NamedTuple):
    """What the folders were taken for."""

    records: list[Record]
    classes: set[str]
    left_aside: Counter
    doubts: list[str]


def class_folders(tree: Tree, *, place: Path, gray: bool = False) -> Pool:
    """Pictures in ``<class>/…``, ``<part>/<class>/…`` or ``<class>/<part>/…``, below any number of outer folders.

    Names of parts are those of :func:`part_names`. A ``val`` without a ``test`` is the test part. Hidden files, what
    systems add, and files that are not pictures by their suffix are passed over and counted.

    Raises:
        UserError: no class folder with a picture, or parts without class folders, or without one for training.
    """
    found, passed_over = archives.picture_paths(tree)
    paths = [tuple(path.split("/")) for path in found]
    folders = [tuple(folder.split("/")) for folder in tree.folders - _folders_of_notes(tree, found)]
    depth = _outer_folders(paths, folders)
    parts, inner = part_names(_names_at(paths, depth)), part_names(_names_at(paths, depth + 1))
    if "train" in {parts.get(path[depth]) for path in paths if len(path) > depth + 2}:
        layout = _parts_of_classes(paths, folders, depth, parts)
    elif parts and parts.keys() == _names_at(paths, depth):
        raise UserError(_no_training_part(place, parts))
    elif inner and all(len(path) == depth + 3 and path[depth + 1] in inner for path in paths):
        layout = _classes_of_parts(paths, depth, inner)
    else:
        layout = _classes(paths, folders, depth)
    if not layout.records:
        raise UserError(_nothing_found(place, passed_over + layout.left_aside))
    as_test = "test" if any(record.part == "test" for record in layout.records) else "val"
    return Pool(
        records=sorted(record._replace(part="test") if record.part == as_test else record for record in layout.records),
        classes=tuple(sorted(layout.classes)),
        mark=tree.files.__getitem__,
        raw=tree.read,
        decode=lambda raw: pictures.decode_picture(raw, gray=gray),
        kind="class folders in a zip" if place.is_file() else "class folders",
        left_aside={"links": 0, OUTSIDE: 0} | {why: n for why, n in (passed_over + layout.left_aside).items() if n},
        doubts=tuple(layout.doubts),
    )


def part_names(names) -> dict[str, str]:
    """Which of the folders beside each other are parts of the data: name → ``"train"``, ``"val"`` or ``"test"``.

    A name is one of a part if one of its words is ``train``, ``training``, ``test``, ``testing``, ``val``, ``valid``,
    ``validation`` or the like, in capitals or not, alone or with ``set``, ``data``, ``images``, and if all else in it
    (numbers aside) is the same in the others: ``seg_train`` and ``seg_test``. Two different parts are needed: a folder
    ``train`` beside ``bus`` is of a class. Of several such groups one with a training part counts, or the largest.
    """
    groups = defaultdict(dict)
    for name in sorted(names):
        part, rest = _part_of(name)
        if part:
            groups[rest][name] = part
    several = [group for group in groups.values() if len(set(group.values())) > 1]
    return max(several, key=lambda group: ("train" in group.values(), len(group)), default={})


def _part_of(name: str) -> tuple[str, tuple[str, ...]]:
    """(the part that a folder's name says, what else it says); the part is "" where it says none, or several."""
    words = re.findall(r"[^\W\d_]+", name.lower())
    found = [match for match in map(_PART.fullmatch, words) if match]
    rest = tuple(word for word in words if not _PART.fullmatch(word) and not re.fullmatch(_FILLING, word))
    return (_PARTS[found[0][1]] if len(found) == 1 else ""), rest


def _parts_of_classes(paths, folders, depth: int, parts: dict[str, str]) -> _Layout:
    """``train/cats/…`` beside ``test/cats/…``; each part's class folders may have other folders around."""
    layout, levels, training = _Layout([], set(), Counter(), []), {}, set()
    for name in sorted(parts, key=lambda name: parts[name] != "train"):
        inside, below = ([one for one in some if one[depth : depth + 1] == (name,)] for some in (paths, folders))
        outer = _outer_folders(inside, below, depth + 1)
        if parts[name] == "train":
            levels[name] = outer
            training |= _names_at(inside, outer)
        else:
            shared = (level for level in range(depth + 1, outer + 1) if _names_at(inside, level) & training)
            levels[name] = next(shared, None)
        if levels[name] is not None:
            layout.classes.update(_names_at(inside, levels[name]), _empty_at(below, levels[name]))
    labels = defaultdict(set)
    for path in paths:
        name, level = path[depth], levels.get(path[depth])
        if len(path) == depth + 1 or (level is not None and len(path) <= level + 1):
            layout.left_aside[OUTSIDE] += 1
        elif level is None:
            layout.left_aside[f"pictures in {shown(name)}/"] += 1
        else:
            layout.records.append(Record("/".join(path), path[level], parts[name]))
            labels[name].add(path[level])
    if others := sorted(_names_at(paths, depth) - parts.keys()):
        layout.doubts.append(f"{listed(parts)} taken for parts of the data, {listed(others)} left aside")
    for name in sorted(parts):
        if not labels[name]:
            layout.doubts.append(f"{name} has none of the classes of the training part and is left aside")
        elif odd := sorted(labels[name] ^ training):
            layout.doubts.append(f"{name} and the training part do not have the same classes: {listed(odd)}")
    return layout


def _classes_of_parts(paths, depth: int, inner: dict[str, str]) -> _Layout:
    """``cats/train/…`` beside ``cats/test/…``."""
    records = [Record("/".join(path), path[depth], inner[path[depth + 1]]) for path in paths]
    classes = {record.label for record in records}
    trained = {record.label for record in records if record.part == "train"}
    doubts = [f"{listed(inner)} taken for parts of the data, but not all classes have one for training: {listed(odd)}"
              for odd in [sorted(classes - trained)] if odd]  # fmt: skip
    return _Layout(records, classes, Counter(), doubts)


def _classes(paths, folders, depth: int) -> _Layout:
    """``cats/…`` beside ``dogs/…``."""
    inside = [path for path in paths if len(path) > depth + 1]
    records = [Record("/".join(path), path[depth], "") for path in inside]
    classes = _names_at(paths, depth) | _empty_at(folders, depth)
    return _Layout(records, classes, Counter({OUTSIDE: len(paths) - len(inside)}), _doubts(inside, classes, depth))


def _doubts(paths, classes: set[str], depth: int) -> list[str]:
    """What may be wrong with taking these folders for classes."""
    doubts = []
    if likely := sorted(name for name in classes if _part_of(name)[0] and not _part_of(name)[1]):
        doubts.append(f"{listed(likely)} taken for a class, but named like a part of the data")
    if kinds := sorted(name for name in classes if name.lower() in _KINDS):
        doubts.append(f"{listed(kinds)} taken for a class, but named like a kind of files")
    below, deeper = defaultdict(set), 0
    for path in paths:
        if len(path) > depth + 2:
            below[path[depth]].add(path[depth + 1])
            deeper += 1
    shared = set.intersection(*below.values()) if len(below) > 1 else set()
    if len(shared) > 1 and 2 * deeper > len(paths):
        doubts.append(
            f"{listed(sorted(below))} taken for classes, but each holds folders of the same names: "
            f"{listed(sorted(shared))}; if these are the classes, give one of the upper folders, or call them train "
            "and test"
        )
    return doubts


def _outer_folders(paths, folders, depth: int = 0) -> int:
    """How many folders stand around the class folders, or around the parts: each the only one at its level.

    Counted from the top; the first ``depth`` are known to do so.
    """
    while True:
        here = _names_at(paths, depth) | {folder[depth] for folder in folders if len(folder) > depth}
        if len(here) != 1 or not any(len(path) > depth + 2 for path in paths):
            return depth
        depth += 1


def _names_at(paths, level: int) -> set[str]:
    """The folders at a level that hold pictures."""
    return {path[level] for path in paths if len(path) > level + 1}


def _empty_at(folders, level: int) -> set[str]:
    return {folder[level] for folder in folders if len(folder) == level + 1}


def _folders_of_notes(tree: Tree, found: list[str]) -> set[str]:
    """The folders that hold lists and notes and no picture: they are no empty classes."""
    noted, others = set(), set()
    for path in tree.files:
        above = {"/".join(path.split("/")[:k]) for k in range(1, path.count("/") + 1)}
        (noted if path.lower().endswith(_NOTES) else others).update(above)
    return noted - others


def _no_training_part(place: Path, parts: dict[str, str]) -> str:
    lacking = "has pictures but no class folders" if "train" in parts.values() else "is missing"
    return (
        f"{shown(place)} holds the parts {listed(parts)}, of which the one for training {lacking}\n"
        "  expected   {train,test}/<class>/<picture> or <class>/<picture>"
    )


def _nothing_found(place: Path, left_aside: Counter) -> str:
    told = telling.counted(left_aside)
    return (
        f"no class folders with pictures in {shown(place)}{f' (there are: {told})' if told else ''}\n"
        f"  expected   <class>/<picture> or {{train,test}}/<class>/<picture>, "
        f"pictures being {' '.join(sorted(pictures.SUFFIXES))}"
    )
