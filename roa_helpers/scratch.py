"""Temporary files and folders beside their place, named after the process that makes them.

So what a killed process left behind is known as such, and the next one can remove it.
"""

import glob
import itertools
import os
import re
import shutil
import socket
from contextlib import contextmanager
from pathlib import Path

_COUNT = itertools.count()
_HOST = re.sub(r"[^\w-]+", "-", socket.gethostname())[:40]
_NAME = re.compile(r"\.(?P<name>.+)\.(?P<host>[\w-]*)\.(?P<process>\d+)\.(?P<count>\d+)\.scratch")


def beside(place):
    """A hidden path beside ``place`` that nobody else uses; the caller makes and removes it."""
    place = Path(place)
    names = (f".{place.name}.{_HOST}.{os.getpid()}.{count}.scratch" for count in _COUNT)
    return next(path for path in map(place.with_name, names) if not path.exists())


@contextmanager
def building(place):
    """A path beside ``place`` to build on, gone at the end unless it was moved. What the dead left there goes first."""
    for one in left(place):
        remove(one)
    path = beside(place)
    try:
        yield path
    finally:
        remove(path)


def left(place):
    """What dead processes of this machine left beside ``place``: a list of paths."""
    place, found = Path(place), []
    for path in sorted(place.parent.glob(f".{glob.escape(place.name)}.*.scratch")):
        parts = _NAME.fullmatch(path.name)
        if parts and parts["name"] == place.name and parts["host"] == _HOST and not _runs(int(parts["process"])):
            found.append(path)
    return found


def remove(path):
    """Remove a file or a folder with what it holds, if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _runs(process):
    """Whether a process of this machine is alive."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:  # it is somebody else's
        return True
    return True
