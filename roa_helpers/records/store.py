"""Results on disk: one folder a unit, written whole or not at all, with a fingerprint of what it depends on.

A unit's folder ``<root>/<profile>/<study>/<unit>/`` holds ``result.json``, ``arrays.npz`` and ``*.csv``.
"""

import hashlib
import json
import math
import os
import platform
import shutil
import subprocess
import tempfile
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field, is_dataclass
from datetime import UTC, datetime
from functools import cached_property
from importlib import metadata
from pathlib import Path

import numpy as np
import pandas as pd
from filelock import FileLock

from .. import __version__
from ..errors import UserError
from . import fingerprints

#: The standing of a unit that the present code would compute.
CURRENT = "current"


def root():
    """The results folder: ``$ROA_RESULTS``, else the nearest ``results`` upwards from here, else ``./results``."""
    if os.environ.get("ROA_RESULTS"):
        return Path(os.environ["ROA_RESULTS"]).expanduser()
    here = Path.cwd()
    found = (folder / "results" for folder in (here, *here.parents))
    return next((folder for folder in found if folder.is_dir()), here / "results")


def unit_path(profile, study, unit):
    """Folder of a unit: ``<root>/<profile>/<study>/<unit>``."""
    return root() / profile / study / unit


@dataclass(frozen=True)
class Unit:
    """A finished unit as it lies on disk.

    Attributes:
        path: its folder.
        standing: whether the present code would compute it: ``CURRENT``, or what has changed since, in words.
        sample: how many images each of its numbers rests on, where that is one kind of number.
    """

    path: Path
    standing: str = CURRENT
    sample: tuple[int, ...] = ()
    _tables: dict = field(default_factory=dict, init=False, repr=False, compare=False)

    @cached_property
    def result(self):
        """The content of ``result.json``."""
        return json.loads((self.path / "result.json").read_text(encoding="utf-8"))

    @cached_property
    def arrays(self):
        """The arrays of ``arrays.npz`` by name."""
        with np.load(self.path / "arrays.npz") as file:
            return dict(file)

    def table(self, name):
        """``<name>.csv`` as a DataFrame, read once; not to be changed in place."""
        if name not in self._tables:
            self._tables[name] = pd.read_csv(self.path / f"{name}.csv")
        return self._tables[name]


def read(path, expected=None):
    """The unit at ``path``, or None if none stands there complete, or if its fingerprint is not ``expected``.

    Args:
        path: folder of the unit.
        expected: part of the fingerprint that must match, for instance ``{"parameters": …, "code": …}``.
    """
    unit = Unit(Path(path))
    try:
        stands = unit.result["fingerprint"]
        intact = all(_digest(unit.path / name) == digest for name, digest in unit.result.get("files", {}).items())
    except (FileNotFoundError, NotADirectoryError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return unit if intact and all(stands.get(k) == v for k, v in (expected or {}).items()) else None


def write(path, result, *, arrays, tables):
    """Write a unit's folder so that it appears whole: built beside its place, then moved there.

    Args:
        path: folder of the unit; an older one is replaced.
        result: JSON-able dict; NaN and infinities become null; the files' SHA-256 are added as ``files``.
        arrays: arrays by name, for ``arrays.npz``.
        tables: DataFrames by name, each a ``<name>.csv``.

    Raises:
        UserError: the place cannot be written; nothing is left behind.
    """
    path = Path(path)
    with writable(path.parent):
        building = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
        try:
            np.savez_compressed(building / "arrays.npz", **arrays)
            for name, table in tables.items():
                table.to_csv(building / f"{name}.csv", index=False, float_format="%.6g")
            result = result | {"files": {file.name: _digest(file) for file in sorted(building.iterdir())}}
            text = json.dumps(
                _finite(result), indent=1, default=fingerprints.plain, ensure_ascii=False, allow_nan=False
            )
            (building / "result.json").write_text(text + "\n", encoding="utf-8")
            building.chmod(0o755)
            _swap(building, path)
        finally:
            shutil.rmtree(building, ignore_errors=True)
    return Unit(path)


def _digest(file):
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _swap(new, place):
    if not place.exists():
        os.replace(new, place)
        return
    aside = Path(tempfile.mkdtemp(prefix=f".{place.name}.", dir=place.parent))
    try:
        os.replace(place, aside / "old")
        try:
            os.replace(new, place)
        except BaseException:
            os.replace(aside / "old", place)
            raise
    finally:
        shutil.rmtree(aside, ignore_errors=True)


@contextmanager
def lock(path):
    """Hold the unit at ``path`` alone: a second run waits until the first has finished."""
    path = Path(path)
    held = FileLock(path.parent / f".{path.name}.lock")
    with writable(path.parent):
        held.acquire()
    try:
        yield
    finally:
        held.release()


@contextmanager
def writable(folder):
    """``folder`` exists; failures to write below it become one UserError."""
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
        yield
    except (PermissionError, NotADirectoryError, FileExistsError, FileNotFoundError) as error:
        raise UserError(
            f"cannot write results under {folder}\n  {error}\n  make it writable, or set ROA_RESULTS to another folder"
        ) from error
    except OSError as error:
        if error.errno not in (28, 30, 122):  # disk full, read-only, quota
            raise
        raise UserError(f"cannot write results under {folder}\n  {error.strerror}: free some space") from error


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
        "cores": os.cpu_count(),
        "data": data,
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": round(seconds, 1),
    }


def _commit():
    try:
        command = ["git", "-C", Path(__file__).parent, "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None


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
