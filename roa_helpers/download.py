"""Files from the internet: checked before anything reads them, and complete or absent."""

import gzip
import hashlib
import http.client
import os
import tarfile
import tempfile
import urllib.request
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from .errors import UserError

TIMEOUT = 30  # seconds without an answer
CHUNK = 2**20  # bytes


@dataclass(frozen=True)
class Download:
    """One official file.

    Attributes:
        url: where it is.     size: its length in bytes.
        sha256: of the file as it comes; for ``unpack="gz"`` of what it unpacks to.
        to: where it goes below the data folder; for ``unpack="tar"`` the folder ``Path(to).name`` of the archive.
        unpack: "", "gz" or "tar".     unpacked: length in bytes after ``gz``.
    """

    url: str
    size: int
    sha256: str
    to: str
    unpack: str = ""
    unpacked: int = 0


def fetch(download: Download, root: Path, *, progress: bool = True) -> Path:
    """Put the file (or the folder it holds) at ``root / download.to`` and return that path.

    It is written to a temporary folder in ``root``, checked, and only then moved into place, so that an interrupted
    or broken download leaves nothing behind. What stands already is left alone.

    Raises:
        UserError: no answer, an incomplete file, a wrong sum, an archive that cannot be unpacked, no room.
    """
    target = root / download.to
    if target.exists():
        return target
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=root, prefix=".fetch-") as folder:
            os.replace(_fetched(download, Path(folder), progress), target)
    except (OSError, http.client.HTTPException, EOFError, zlib.error, tarfile.TarError) as error:
        reason = getattr(error, "reason", None) or error
        raise UserError(
            f"could not fetch {download.url}\n  reason     {reason}\n"
            f"  mend it:   try again later, or get it elsewhere and put it at {target}"
        ) from error
    return target


def _fetched(download: Download, folder: Path, progress: bool) -> Path:
    arrived = folder / "arrived"
    digest = _write(_stream(download, progress), arrived)
    if download.unpack == "gz":
        unpacked = folder / "unpacked"
        with gzip.open(arrived) as packed:
            digest = _write(_at_most(_chunks(packed), download.unpacked), unpacked)
        arrived = unpacked
    if digest != download.sha256:
        raise UserError(
            f"{download.url} is not the file it should be: SHA-256 {digest} instead of {download.sha256}\n"
            f"  nothing was kept; try again, or check whether a proxy changed the file"
        )
    if download.unpack != "tar":
        return arrived
    with tarfile.open(arrived) as archive:
        archive.extractall(folder / "unpacked", filter="data")
    return folder / "unpacked" / Path(download.to).name


def _stream(download: Download, progress: bool) -> Iterator[bytes]:
    request = urllib.request.Request(download.url, headers={"User-Agent": "roa-helpers"})
    label = Path(download.url).name
    with (
        urllib.request.urlopen(request, timeout=TIMEOUT) as answer,
        tqdm(total=download.size, unit="B", unit_scale=True, desc=label, disable=not progress) as bar,
    ):
        received = 0
        for chunk in _at_most(_chunks(answer), download.size):
            received += len(chunk)
            bar.update(len(chunk))
            yield chunk
    if received < download.size:
        raise OSError(f"incomplete: {received:,} of {download.size:,} bytes arrived")


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
    with path.open("wb") as file:
        for chunk in chunks:
            digest.update(chunk)
            file.write(chunk)
    return digest.hexdigest()
