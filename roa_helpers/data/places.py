"""What lies at a path that somebody gave: found out by one look that opens nothing, and told in one message."""

import errno
import os
import stat
from pathlib import Path

from ..errors import UserError
from .names import shown

_REASONS = {
    errno.ENAMETOOLONG: "the path is too long\n  move it to a folder with a shorter path",
    errno.ELOOP: "its links lead in a circle\n  give the place that they should lead to",
    errno.EACCES: "permission denied\n  make it readable, or copy it to where you may read",
}


def expanded(path) -> Path:
    """The absolute path, with ``~`` for the home folder.

    Raises:
        UserError: an empty path, no home folder, or no working folder to start from.
    """
    text = os.fspath(path)
    if not text:
        raise UserError("an empty path names nothing\n  give a folder or a zip")
    try:
        return Path(text).expanduser().absolute()
    except RuntimeError as error:
        raise UserError(f"{shown(text)}: there is no such home folder\n  write the path without ~") from error
    except OSError as error:
        raise UserError(f"{shown(text)}: the working folder is gone\n  change to another one") from error


def kind(path) -> str:
    """What lies at a path, links followed: ``"folder"``, ``"file"``, or ``""`` for nothing.

    Raises:
        UserError: a link that leads nowhere or in a circle, no permission, a path that is too long or none at all, or
            something that is neither folder nor file: pipes and devices would be read without end.
    """
    try:
        mode = os.stat(path).st_mode
    except (FileNotFoundError, NotADirectoryError):
        if os.path.islink(path):
            raise UserError(f"{shown(path)} is a link that leads nowhere\n  give the place itself") from None
        return ""
    except (OSError, ValueError) as error:
        number = getattr(error, "errno", None)
        reason = _REASONS.get(number, f"{getattr(error, 'strerror', None) or error}\n  give another path")
        raise UserError(f"{shown(path)} cannot be looked at: {reason}") from error
    if stat.S_ISDIR(mode):
        return "folder"
    if stat.S_ISREG(mode):
        return "file"
    what = "a named pipe" if stat.S_ISFIFO(mode) else "a socket" if stat.S_ISSOCK(mode) else "a device"
    raise UserError(f"{shown(path)} is {what}, neither a folder nor a file\n  give a folder or a zip")


def lies(path) -> bool:
    """Whether something is there that may be looked at."""
    try:
        os.stat(path)
    except (OSError, ValueError):
        return False
    return True


def is_file(path) -> bool:
    """Whether a file is there that may be looked at."""
    return lies(path) and os.path.isfile(path)


def data_root(root=None) -> Path:
    """The folder of data: ``root``, else ``$ROA_DATA``, else ``~/.cache/roa``. It need not be there.

    Raises:
        UserError: no home folder, or something else than a folder that may be read lies there.
    """
    try:
        place = expanded(root or os.environ.get("ROA_DATA") or "~/.cache/roa")
        lying = kind(place)
        if lying == "folder" and not os.access(place, os.R_OK | os.X_OK):
            raise UserError(f"{shown(place)} may not be read\n  make it readable")
        if lying == "file":
            raise UserError(f"{shown(place)} is a file")
    except UserError as error:
        raise UserError(f"no data folder: {error}\n  or set another: ROA_DATA=/path/to/folder") from error
    return place
