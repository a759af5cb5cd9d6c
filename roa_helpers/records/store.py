"""Results on disk: one folder a unit, written whole or not at all, with a fingerprint of what it depends on.

A unit's folder ``<root>/<profile>/<study>/<unit>/`` holds ``result.json``, ``arrays.npz`` and ``*.csv``.
"""

import errno
import hashlib
import io
import json
import logging
import math
import os
import platform
import re
import subprocess
import sys
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field, is_dataclass
from datetime import UTC, datetime
from functools import cache, cached_property
from importlib import metadata
from pathlib import Path

import numpy as np
import pandas as pd
from filelock import FileLock, SoftFileLock

from .. import __version__, data, scratch
from ..errors import UserError
from . import fingerprints

log = logging.getLogger(__name__)
#: The standing of a unit that the present code would compute.
CURRENT = "current"
RESULT = "result.json"
#: How often a unit is read that changes while it is read.
ATTEMPTS = 20
#: What an error says of a file system without locks.
NO_LOCKS = (errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS)
MENDS = {
    errno.ENOSPC: "free some space, or set ROA_RESULTS to another disk",
    errno.EDQUOT: "free some of your quota, or set ROA_RESULTS to another disk",
    errno.EFBIG: "raise the limit on the size of files (ulimit -f)",
    errno.EROFS: "the disk is read-only: set ROA_RESULTS to another folder",
    errno.ENAMETOOLONG: "the path is too long: set ROA_RESULTS to a shorter one",
}


def root():
    """The results folder: ``$ROA_RESULTS``, else the nearest ``results`` upwards from here, else ``./results``.

    Raises:
        UserError: no home folder, or no working folder to start from.
    """
    try:
        if os.environ.get("ROA_RESULTS"):
            return data.expanded(os.environ["ROA_RESULTS"])
        here = data.expanded(os.curdir)
    except UserError as error:
        raise UserError(f"no results folder: {error}\n  or set another: ROA_RESULTS=/path/to/folder") from error
    found = (folder / "results" for folder in (here, *here.parents))
    return next((folder for folder in found if folder.is_dir()), here / "results")


def recorded_roots():
    """The folders in which recorded results are looked for; what lies in a later one goes before the same in another.

    ``root()``, and before it, unless ``$ROA_RESULTS`` is set, the ``results`` of the checkout that this package lies
    in: so a notebook shows what is recorded in whatever folder it runs.
    """
    checkout = Path(__file__).resolve().parents[2]
    beside = checkout / "results"
    if os.environ.get("ROA_RESULTS") or not (checkout / "pyproject.toml").is_file() or _same(beside, root()):
        return (root(),)
    return beside, root()


def _same(one, other):
    return one.resolve() == other.resolve()


def unit_path(profile, study, unit):
    """Folder of a unit: ``<root>/<profile>/<study>/<unit>``."""
    return root() / profile / study / unit


@dataclass(frozen=True)
class Unit:
    """A finished unit, as it was when it was read: whole, whatever happens to its folder afterwards.

    Attributes:
        path: its folder.
        standing: whether the present code would compute it: ``CURRENT``, or what has changed since, in words.
        sample: how many images each of its numbers rests on, where that is one kind of number.
        files: the content of its files by name.
    """

    path: Path
    standing: str = CURRENT
    sample: tuple[int, ...] = ()
    files: dict = field(default_factory=dict, repr=False, compare=False)
    _tables: dict = field(default_factory=dict, init=False, repr=False, compare=False)

    @cached_property
    def result(self):
        """The content of ``result.json``."""
        return json.loads(self.files[RESULT])

    @cached_property
    def arrays(self):
        """The arrays of ``arrays.npz`` by name."""
        with np.load(io.BytesIO(self.files["arrays.npz"])) as file:
            return dict(file)

    def table(self, name):
        """``<name>.csv`` as a DataFrame, read once; not to be changed in place."""
        if name not in self._tables:
            self._tables[name] = pd.read_csv(io.BytesIO(self.files[f"{name}.csv"]))
        return self._tables[name]


def read(path, expected=None):
    """The unit at ``path``, or None if none stands there whole, or if its fingerprint is not ``expected``.

    Whole: ``result.json`` and every file that it lists have the sums that it holds; where they have not, a line in the
    log says so. A unit that is replaced while it is read is read again.

    Args:
        path: folder of the unit.
        expected: part of the fingerprint that must match, for instance ``{"parameters": …, "code": …}``.
    """
    for _ in range(ATTEMPTS):
        unit = Unit(Path(path), files=_contents(Path(path)))
        if not unit.files:
            break
        if _is_whole(unit.files):
            stands = unit.result["fingerprint"]
            return unit if all(stands.get(k) == v for k, v in (expected or {}).items()) else None
    if os.path.lexists(Path(path) / RESULT):
        _tell(str(path))
    return None


@cache
def _tell(path):
    """Said once: a unit may be looked for many times."""
    log.warning("the unit at %s is not as it was written, so it counts as absent", path)


def _contents(folder):
    """Name → bytes of the files in a folder; empty where there is no readable ``result.json``."""
    try:
        found = {RESULT: _content(folder / RESULT)}
        listed = json.loads(found[RESULT]).get("files", {})
        return found | {name: _content(folder / name) for name in listed if Path(name).name == name}
    except (OSError, ValueError, AttributeError, TypeError, RecursionError):
        return {}


def _content(path):
    """The bytes of a file; a pipe or a device would be read without end."""
    if not path.is_file():
        raise FileNotFoundError(path)
    return path.read_bytes()


def _is_whole(files):
    result = json.loads(files[RESULT])
    sums = result.get("files")
    return (
        isinstance(result.get("fingerprint"), dict)
        and isinstance(sums, dict)
        and {*sums, RESULT} == files.keys()
        and all(_digest(files[name]) == digest for name, digest in sums.items())
        and result.get("sum") == _sum(result)
    )


def _sum(result):
    """SHA-256 of a result but for the sum that it holds."""
    return fingerprints.value({name: value for name, value in result.items() if name != "sum"})


def write(path, result, *, arrays, tables):
    """Write a unit's folder so that it appears whole: built beside its place, then moved there.

    Args:
        path: folder of the unit; an older one is replaced.
        result: JSON-able dict; NaN and infinities become null; the files' SHA-256 are added as ``files``, that of the
            result itself as ``sum``.
        arrays: arrays by name, for ``arrays.npz``.
        tables: DataFrames by name, each a ``<name>.csv``.

    Raises:
        UserError: the place cannot be written; nothing is left behind.
    """
    path = Path(path)
    with _building(path) as folder:
        np.savez_compressed(folder / "arrays.npz", **arrays)
        for name, table in tables.items():
            table.to_csv(folder / f"{name}.csv", index=False, float_format="%.6g")
        sums = {file.name: _digest(file.read_bytes()) for file in sorted(folder.iterdir())}
        (folder / RESULT).write_text(_written(result | {"files": sums}), encoding="utf-8")
    return Unit(path, files=_contents(path))


def copy(unit, path):
    """Write a unit as it was read at another place; an older one there is replaced.

    Raises:
        UserError: the place cannot be written; nothing is left behind, and what stood there stands.
    """
    with _building(Path(path)) as folder:
        for name, content in unit.files.items():
            (folder / name).write_bytes(content)


@contextmanager
def _building(path):
    """A folder to fill that takes the place of ``path`` at the end, unless that fails."""
    with writable(path.parent):
        folder = scratch.beside(path)
        try:
            folder.mkdir()
            yield folder
            _swap(folder, path)
        finally:
            scratch.remove(folder)


def _written(result):
    """A result as JSON, with its sum."""
    plain = json.loads(json.dumps(_finite(result), default=fingerprints.plain))
    return json.dumps(plain | {"sum": _sum(plain)}, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _digest(content):
    return hashlib.sha256(content).hexdigest()


def _swap(new, place):
    """Put the folder ``new`` in the place of another, which is back where it was if that fails."""
    if not place.exists():
        os.replace(new, place)
        return
    aside = scratch.beside(place)
    os.replace(place, aside)
    try:
        os.replace(new, place)
    except BaseException:
        os.replace(aside, place)
        raise
    scratch.remove(aside)


def numbers(values):
    """Numbers of a result, NaN where it holds null: JSON has no NaN."""
    return [np.nan if value is None else value for value in values]


@contextmanager
def lock(path):
    """Hold the unit at ``path`` alone: a second run waits until the first has finished.

    Where the file system has no locks, a file that stands while the unit is held takes their place.
    """
    path = Path(path)
    place = path.parent / f".{path.name}.lock"
    with writable(path.parent):
        held = _acquired(place)
    try:
        _tidy(path)
        yield
    finally:
        held.release()


def _tidy(path):
    """Remove what dead processes left beside a unit; a unit that one of them had moved aside goes back."""
    for left in scratch.left(path):
        if not path.exists() and read(left):
            os.replace(left, path)
        scratch.remove(left)


def _acquired(place):
    try:
        held = FileLock(place)
        held.acquire()
    except (OSError, NotImplementedError) as error:
        if isinstance(error, OSError) and error.errno not in NO_LOCKS:
            raise
        held = SoftFileLock(f"{place}.held")
        held.acquire()
    return held


@contextmanager
def writable(folder):
    """``folder`` exists; failures to write below it become one UserError."""
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
        yield
    except OSError as error:
        mend = MENDS.get(error.errno, "make it writable, or set ROA_RESULTS to another folder")
        raise UserError(f"cannot write results under {folder}\n  {error}\n  {mend}") from error


def outdated(units):
    """How many of ``units`` the present code would not compute like this, in words: ``code changed since: 2 of 7``.

    Empty if all are current.
    """
    found = Counter(unit.standing for unit in units)
    return ", ".join(f"{what}: {n} of {len(units)}" for what, n in found.items() if what != CURRENT)


def provenance(*, device, data, seconds):
    """Who computed a result: package, commit, libraries, machine, data, date and time taken."""
    libraries = ("torch", "torchvision", "numpy", "scipy", "scikit-image", "pandas")
    return {
        "package": __version__,
        "commit": _commit(),
        "python": platform.python_version(),
        "libraries": {name: metadata.version(name) for name in libraries},
        "device": device,
        "platform": f"{platform.system()} {platform.machine()}",
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "data": data,
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": round(seconds, 1),
    }


def _commit():
    """The commit that the package is of, by git or by the archive that it came in; None where neither tells.

    Git tells nothing of a package that the repository it lies in does not track. “-dirty”: files of the package differ
    from that commit, whatever became of results beside it.
    """
    git, package = ["git", "-C", Path(__file__).parent], Path(__file__).parents[1]
    try:
        subprocess.run([*git, "ls-files", "--error-unmatch", Path(__file__).name], capture_output=True, check=True)
        command = [*git, "describe", "--always", "--abbrev=12", "--exclude=*"]
        found = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
        changed = subprocess.run([*git, "diff", "--quiet", "HEAD", "--", package], capture_output=True).returncode
        return found + ("-dirty" if changed else "")
    except (OSError, subprocess.CalledProcessError):
        return _archived()


def _archived():
    """The commit of an archive that ``git archive``, or the project's host, made; None elsewhere."""
    try:
        text = (Path(__file__).parents[2] / ".git_archival.txt").read_text(encoding="utf-8")
    except OSError:
        return None
    found = re.fullmatch(r"node: ([0-9a-f]{12})[0-9a-f]*\s*", text)
    return found and found[1]


def _cpu():
    """The processor, and which of its instructions torch uses: equal seeds give equal bytes only where these agree."""
    torch = sys.modules.get("torch")
    taken = torch.backends.cpu.get_cpu_capability() if torch else None
    if torch and getattr(torch.cpu, "get_capabilities", dict)().get("amx_bf16"):  # torch 2.6 does not tell
        taken += ", AMX"
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        model = next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        model = platform.processor() or None
    return {"model": model, "instructions": taken}


def _finite(value):
    if is_dataclass(value) or isinstance(value, np.ndarray):
        value = fingerprints.plain(value)
    if isinstance(value, dict):
        return {k: _finite(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(v) for v in value]
    if isinstance(value, float | np.floating):
        return float(value) if math.isfinite(value) else None
    return value
