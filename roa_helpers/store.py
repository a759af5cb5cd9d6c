"""Results on disk: one folder a unit, written whole or not at all, with a fingerprint of what it depends on.

A unit's folder ``<root>/<profile>/<study>/<unit>/`` holds ``result.json``, ``arrays.npz`` and ``*.csv``.
"""

import ast
import hashlib
import json
import math
import os
import platform
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from dataclasses import asdict, dataclass, is_dataclass
from datetime import UTC, datetime
from functools import cached_property
from importlib import metadata
from pathlib import Path

import numpy as np
import pandas as pd
from filelock import FileLock

from . import __version__
from .errors import UserError

PACKAGE = Path(__file__).parent
#: Recorded profiles, best first: what is shown beside the profile that is run.
RECORDED = ("paper", "desk")


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
    """A finished unit as it lies on disk."""

    path: Path

    @cached_property
    def result(self):
        """The content of ``result.json``."""
        return json.loads((self.path / "result.json").read_text())

    @cached_property
    def arrays(self):
        """The arrays of ``arrays.npz`` by name."""
        with np.load(self.path / "arrays.npz") as file:
            return dict(file)

    def table(self, name):
        """``<name>.csv`` as a DataFrame."""
        return pd.read_csv(self.path / f"{name}.csv")


def fingerprint(value):
    """SHA-256 of a value made of dataclasses, dicts, lists, strings and numbers, whatever the order of its keys."""
    text = json.dumps(value, sort_keys=True, default=_plain, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def code_fingerprint(*modules):
    """SHA-256 of what the named modules of the package do: their source without comments, docstrings, blank lines."""
    return hashlib.sha256("\n".join(_code(PACKAGE / name) for name in sorted(modules)).encode()).hexdigest()


def _code(path):
    source = path.read_text()
    skip = set()
    for node in ast.walk(ast.parse(source)):
        body = getattr(node, "body", None)
        first = body[0] if isinstance(body, list) and body else None
        if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
            skip.update(range(first.lineno, first.end_lineno + 1))
    lines = enumerate(source.splitlines(), start=1)
    kept = (line.rstrip() for i, line in lines if i not in skip and line.strip() and not line.lstrip().startswith("#"))
    return "\n".join(kept)


def read(path, expected=None):
    """The unit at ``path``, or None if none is finished there or its fingerprint is not ``expected``.

    Args:
        path: folder of the unit.
        expected: part of the fingerprint that must match, for instance ``{"parameters": …, "code": …}``.
    """
    unit = Unit(Path(path))
    try:
        stands = unit.result["fingerprint"]
    except (FileNotFoundError, NotADirectoryError, json.JSONDecodeError, KeyError):
        return None
    return unit if all(stands.get(k) == v for k, v in (expected or {}).items()) else None


def write(path, result, *, arrays, tables):
    """Write a unit's folder so that it appears whole: built beside its place, then moved there.

    Args:
        path: folder of the unit; an older one is replaced.
        result: JSON-able dict; NaN and infinities become null.
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
                table.to_csv(building / f"{name}.csv", index=False)
            text = json.dumps(_finite(result), indent=1, default=_plain, ensure_ascii=False, allow_nan=False)
            (building / "result.json").write_text(text + "\n")
            building.chmod(0o755)
            _swap(building, path)
        finally:
            shutil.rmtree(building, ignore_errors=True)
    return Unit(path)


def _swap(new, place):
    old = None
    if place.exists():
        old = Path(tempfile.mkdtemp(prefix=f".{place.name}.", dir=place.parent)) / "old"
        os.replace(place, old)
    os.replace(new, place)
    if old:
        shutil.rmtree(old.parent, ignore_errors=True)


@contextmanager
def lock(path):
    """Hold the unit at ``path`` alone: a second run waits until the first has finished."""
    path = Path(path)
    with writable(path.parent), FileLock(path.parent / f".{path.name}.lock"):
        yield


@contextmanager
def writable(folder):
    """``folder`` exists; failures to write below it become one UserError."""
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
        yield
    except (PermissionError, NotADirectoryError, FileExistsError) as error:
        raise UserError(
            f"cannot write results under {folder}\n  {error}\n  make it writable, or set ROA_RESULTS to another folder"
        ) from error
    except OSError as error:
        if error.errno not in (28, 30, 122):  # disk full, read-only, quota
            raise
        raise UserError(f"cannot write results under {folder}\n  {error.strerror}: free some space") from error


def recorded(study):
    """Units of ``study`` that are committed; of a unit that stands in several profiles, that of the best."""
    best = {}
    for profile in reversed(RECORDED):
        for path in sorted((root() / profile / study).glob("[!.]*/result.json")):
            best[path.parent.name] = Unit(path.parent)
    return [best[name] for name in sorted(best)]


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
        command = ["git", "-C", PACKAGE, "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None


def _finite(value):
    if isinstance(value, dict):
        return {k: _finite(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(v) for v in value]
    if isinstance(value, float | np.floating):
        return float(value) if math.isfinite(value) else None
    return value


def _plain(value):
    if is_dataclass(value):
        return asdict(value)
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"cannot store a {type(value).__name__}")
