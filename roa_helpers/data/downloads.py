"""Downloads of official files. What comes is checked before anything reads it, and is complete or absent."""

import gzip
import hashlib
import http.client
import os
import tarfile
import tempfile
import urllib.request
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from tqdm import tqdm

from ..errors import UserError
from .known import KNOWN, Download, data_root

TIMEOUT = 30  # seconds without an answer
CHUNK = 2**20  # bytes


def fetch(name: str, root=None, *, others=None, progress: bool = True) -> list[Path]:
    """Download the official files of a known data set; the paths they are at (none for a bundled set).

    ``others`` are further files that may be asked for: name → :class:`Download`s.

    Raises:
        UserError: unknown name, no answer, an incomplete file, a wrong sum.
    """
    root = data_root(root)
    offered = {known.name: known.downloads for known in KNOWN.values()} | dict(others or {})
    if name not in offered:
        raise UserError(f"unknown data set {name!r}\n  known are  {', '.join(offered)}")
    return [download(file, root, progress=progress) for file in offered[name]]


def download(file: Download, root: Path, *, progress: bool = True) -> Path:
    """Put the file (or the folder it holds) at ``root / file.to`` and return that path.

    It is written to a temporary folder in ``root``, checked, and only then moved into place, so that an interrupted
    or broken download leaves nothing behind. What stands already is left alone.

    Raises:
        UserError: no answer, an incomplete file, a wrong sum, an archive that cannot be unpacked, no room.
    """
    target = root / file.to
    if target.exists():
        return target
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=root, prefix=".fetch-") as folder:
            os.replace(_fetched(file, Path(folder), progress), target)
    except (OSError, http.client.HTTPException, EOFError, zlib.error, tarfile.TarError) as error:
        raise UserError(
            f"could not fetch {file.url}\n  reason     {error}\n"
            f"  mend it:   try again later, or get it elsewhere and put it at {target}"
        ) from error
    return target


def _fetched(file: Download, folder: Path, progress: bool) -> Path:
    arrived = folder / "arrived"
    digest = _write(_stream(file, progress), arrived)
    if file.unpack == "gz":
        unpacked = folder / "unpacked"
        with gzip.open(arrived) as packed:
            digest = _write(_at_most(_chunks(packed), file.unpacked), unpacked)
        arrived = unpacked
    if digest != file.sha256:
        raise UserError(
            f"{file.url} is not the file it should be: SHA-256 {digest} instead of {file.sha256}\n"
            f"  nothing was kept; try again, or check whether a proxy changed the file"
        )
    if file.unpack != "tar":
        return arrived
    with tarfile.open(arrived) as archive:
        archive.extractall(folder / "unpacked", filter="data")
    return folder / "unpacked" / Path(file.to).name


def _stream(file: Download, progress: bool) -> Iterator[bytes]:
    request = urllib.request.Request(file.url, headers={"User-Agent": "roa-helpers"})
    label = Path(file.url).name
    with (
        urllib.request.urlopen(request, timeout=TIMEOUT) as answer,
        tqdm(total=file.size, unit="B", unit_scale=True, desc=label, disable=not progress) as bar,
    ):
        received = 0
        for chunk in _at_most(_chunks(answer), file.size):
            received += len(chunk)
            bar.update(len(chunk))
            yield chunk
    if received < file.size:
        raise OSError(f"incomplete: {received:,} of {file.size:,} bytes arrived")


def _chunks(stream) -> Iterator[bytes]:
    while chunk := stream.read(CHUNK):
        yield chunk


def _at_most(chunks: Iterable[bytes], size: int) -> Iterator[bytes]:
    for chunk in chunks:
        size -= len(chunk)
        if size < 0:
            raise OSError("longer than the official file")
        yield chunk


def _write(chunks: Iterable[bytes], path: Path) -> str:
    """Write the chunks and return their SHA-256."""
    digest = hashlib.sha256()
    with path.open("wb") as target:
        for chunk in chunks:
            digest.update(chunk)
            target.write(chunk)
    return digest.hexdigest()
