"""The files below a folder or inside a zip: read in place, without trusting what is there.

Nothing is unpacked to disk. A zip is refused as a whole when one of its members could do harm; what cannot be used of a
folder, such as links that lead out of it, is left aside and counted.
"""

import os
import re
import stat
import zipfile
from collections import Counter
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ..errors import UserError
from . import names, pictures, places, telling
from .pictures import Unreadable

FILE_LIMIT = 64 * 2**20  # bytes of one file, unpacked
TOTAL_LIMIT = 8 * 2**30  # bytes of all files of a zip, unpacked
ENTRY_LIMIT = 1_000_000  # files and folders
RATIO_LIMIT = 200  # unpacked to packed size …
RATIO_FLOOR = 2**20  # … of files above this size; a small picture of one colour packs better than that
PATH_LIMIT = 4096  # characters of a path inside a zip, as of paths elsewhere

#: What systems and network disks put beside one's files, some of it smaller copies of the pictures; in small letters.
SYSTEM_NAMES = {
    *("@eadir", "@tmp", "@__thumb", "@recycle", "@recently-snapshot", "#recycle", "#snapshot", "$recycle.bin"),
    *("system volume information", "lost+found", "thumbs.db", "ehthumbs.db", "ehthumbs_vista.db", "desktop.ini"),
    *("picasa.ini", "icon\\r", "network trash folder", "temporary items"),
}

HIDDEN, LINKS, SPECIAL = "hidden or of the system", "links", "pipes, sockets or devices"
SAME_NAME = "with a name that another file has"


@dataclass(frozen=True)
class Tree:
    """The files below a folder or inside a zip, those aside that are hidden or the system's own.

    Attributes:
        files: readable path with ``/`` → a mark that is cheap to get: files with different marks differ in content.
        folders: paths of the folders, also of the empty ones.
        left_aside: why something is not among them → how often.
        read: the bytes of a file; raises :class:`.pictures.Unreadable` where they cannot be had.
    """

    files: dict[str, Hashable]
    folders: set[str]
    left_aside: Counter
    read: Callable[[str], bytes]


@contextmanager
def open_tree(place: Path) -> Iterator[Tree]:
    """The files of a folder or of a ``.zip``.

    Raises:
        UserError: nothing there, not readable, not a zip, or a zip with a member that is refused.
    """
    lying = places.kind(place)
    if not lying:
        raise UserError(f"nothing lies at {names.shown(place)}\n  give a folder or a zip with pictures")
    if lying == "folder":
        yield _folder(os.path.realpath(place))
        return
    if Path(place).suffix.lower() in pictures.SUFFIXES:
        raise UserError(f"{names.shown(place)} is a single picture\n  give the folder that holds it, or a zip")
    try:
        archive = zipfile.ZipFile(place)
    except PermissionError as error:
        raise UserError(f"{names.shown(place)} cannot be read: {error.strerror}\n  make it readable") from error
    except Exception as error:  # what zipfile raises on bytes that are no zip is of nearly any kind
        raise UserError(
            f"{names.shown(place)} cannot be read as a zip archive: {names.readable(error)}\n"
            "  mend it:   get the file again; an archive of another kind: unpack it and give the folder"
        ) from error
    with archive:
        yield _zip(place, archive)


def pictures_of(place, prepare: Callable, *, count: int | None = None) -> tuple[dict, int, dict[str, str]]:
    """Pictures of a folder or zip at any depth, in the order of their names, until ``count`` of them are found.

    Args:
        place: the folder or zip.
        prepare: (name, Pillow image in colour) → what is kept of it.
        count: None: all.

    Returns:
        (name → what is kept, how many pictures there are, name → why it cannot be read).

    Raises:
        UserError: see :func:`open_tree`; or no picture can be read.
    """
    found, unreadable = {}, {}
    with open_tree(places.expanded(place)) as tree:
        paths, left_aside = picture_paths(tree)
        for path in paths:
            if len(found) == count:
                break
            try:
                picture = pictures.decode_picture(tree.read(path))
            except Unreadable as error:
                unreadable[path] = str(error)
            else:
                found[path] = prepare(path, picture)
    told = names.shown(Path(place).name)
    if not found:
        reasons = telling.counted(Counter(unreadable.values()) + left_aside)
        raise UserError(
            f"no picture in {names.shown(place)} can be read{f': {reasons}' if reasons else ''}\n"
            f"  they may be {' '.join(sorted(pictures.SUFFIXES))}"
        )
    telling.tell(told, f"{len(paths)} pictures, of which {len(found)} are taken", left_aside=left_aside)
    telling.tell_losses(told, of=len(paths), unreadable=unreadable)
    return found, len(paths), unreadable


def picture_paths(tree: Tree) -> tuple[list[str], Counter]:
    """The files that are pictures by their suffix, sorted; and what is not among them, counted by reason."""
    left_aside, found = Counter(tree.left_aside), []
    for path in sorted(tree.files):
        suffix = PurePosixPath(path).suffix.lower()
        if suffix in pictures.SUFFIXES:
            found.append(path)
        elif re.fullmatch(r"\.\w{1,8}", suffix):
            left_aside[f"files ending in {suffix}"] += 1
        else:
            left_aside["files without the ending of a picture"] += 1
    return found, left_aside


def _left_alone(name: str) -> bool:
    """Whether a file or folder is hidden, or one of those that systems add."""
    return name.startswith((".", "__MACOSX")) or name.lower() in SYSTEM_NAMES


def _folder(base: str) -> Tree:
    files, folders, left_aside, where = {}, set(), Counter(), {}
    waiting, seen = [("", base)], 0
    while waiting:
        above, here = waiting.pop()
        for entry in _entries(here):
            seen += 1
            if seen > ENTRY_LIMIT:
                raise UserError(
                    f"{names.shown(base)}: refused, more than {ENTRY_LIMIT:,} entries\n"
                    "  give the folder of the pictures alone"
                )
            own = names.readable(entry.name)
            if _left_alone(own):
                left_aside[HIDDEN] += 1
                continue
            try:
                what, size = _looked_at(entry, base)
            except FileNotFoundError:  # it went away meanwhile
                continue
            except OSError as error:
                raise _unreadable(entry.path, error) from error
            if what == "folder":
                folders.add(above + own)
                waiting.append((f"{above}{own}/", entry.path))
            elif what != "file":
                left_aside[what] += 1
            elif above + own in files:
                left_aside[SAME_NAME] += 1
            else:
                files[above + own], where[above + own] = size, entry.path

    def read(name: str) -> bytes:
        try:
            with Path(where[name]).open("rb") as file:
                content = file.read(FILE_LIMIT + 1)
        except OSError as error:
            raise Unreadable(f"cannot be opened: {(error.strerror or 'unknown reason').lower()}") from error
        if len(content) > FILE_LIMIT:
            raise Unreadable(f"larger than {FILE_LIMIT / 2**20:g} MiB")
        return content

    return Tree(files, folders, left_aside, read)


def _entries(folder: str) -> list[os.DirEntry]:
    try:
        with os.scandir(folder) as found:
            return sorted(found, key=lambda entry: os.fsencode(entry.name))
    except OSError as error:
        raise _unreadable(folder, error) from error


def _unreadable(path: str, error: OSError) -> UserError:
    return UserError(
        f"{names.shown(path)} cannot be read: {error.strerror or error}\n"
        "  make it readable, or take it out of the folder"
    )


def _looked_at(entry: os.DirEntry, base: str) -> tuple[str, int]:
    """(what an entry of a folder is, its size): ``folder``, ``file``, or why it is neither."""
    if entry.is_symlink():
        target = os.path.realpath(entry.path)
        if not target.startswith(os.path.join(base, "")) or not os.path.isfile(target):
            return LINKS, 0
        return "file", os.stat(target).st_size
    if entry.is_dir():
        return "folder", 0
    found = entry.stat()
    return ("file", found.st_size) if stat.S_ISREG(found.st_mode) else (SPECIAL, 0)


def _zip(place: Path, archive: zipfile.ZipFile) -> Tree:
    members = archive.infolist()
    if len(members) > ENTRY_LIMIT:
        raise UserError(f"{names.shown(place)}: refused, more than {ENTRY_LIMIT:,} entries\n  divide it")
    if sum(member.file_size for member in members) > TOTAL_LIMIT:
        raise UserError(
            f"{names.shown(place)}: refused, its files unpack to more than {TOTAL_LIMIT / 2**30:g} GiB\n  divide it"
        )
    for member in members:
        if reason := refusal(member):
            raise UserError(
                f"{names.shown(place)}: refused because of its member {member.filename[:200]!r}: {reason}\n"
                "  pack the class folders alone, or unpack it and give the folder"
            )
    files, folders, left_aside, left_alone = {}, set(), Counter(), set()
    for member in members:
        path = _separated(member)
        parts = tuple(names.readable(part) for part in path.split("/") if part not in ("", "."))
        name = "/".join(parts)
        hidden = next((k for k, part in enumerate(parts) if _left_alone(part)), None)
        above = parts if path.endswith("/") else parts[:-1]
        folders |= {"/".join(above[:k]) for k in range(1, len(above[:hidden]) + 1)}
        if hidden is not None:
            left_alone.add(parts[: hidden + 1])
        elif parts and not path.endswith("/"):
            left_aside[SAME_NAME] += name in files
            files[name] = member  # the last of a name counts, as when a zip is unpacked

    def read(name: str) -> bytes:
        try:
            return archive.read(files[name])
        except Exception as error:
            raise Unreadable("damaged or packed in an unknown way in the zip") from error

    left_aside[HIDDEN] += len(left_alone)
    marks = {name: (member.CRC, member.file_size) for name, member in files.items()}
    return Tree(marks, folders, left_aside, read)


def _separated(member: zipfile.ZipInfo) -> str:
    """The path of a member with ``/``, from bytes that are UTF-8 where it can be, said so or not."""
    name = member.filename
    if not member.flag_bits & 0x800:
        try:
            name = name.encode("cp437").decode("utf-8")
        except UnicodeError:  # it was another encoding
            name = member.filename
    return name.replace("\\", "/")


def refusal(member: zipfile.ZipInfo) -> str:
    """Why a zip with this member is not read; empty when there is nothing against it."""
    name = member.orig_filename.replace("\\", "/")
    if name.startswith("/") or re.match(r"[A-Za-z]:", name):
        return "an absolute path"
    if ".." in name.split("/"):
        return "a path that leads out of the archive"
    if "\0" in name:
        return "a NUL in its name"
    if len(name) > PATH_LIMIT:
        return f"a path of more than {PATH_LIMIT} characters"
    if stat.S_ISLNK(member.external_attr >> 16):
        return "a symbolic link"
    if member.flag_bits & 0x1:
        return "encrypted"
    if member.file_size > FILE_LIMIT:
        return f"larger than {FILE_LIMIT / 2**20:g} MiB when unpacked"
    if member.file_size > RATIO_FLOOR and member.file_size > RATIO_LIMIT * member.compress_size:
        return f"packed more than {RATIO_LIMIT}-fold, as decompression bombs are"
    return ""
