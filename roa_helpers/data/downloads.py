"""Downloads of official files. What comes is checked before anything reads it, and is complete or absent.

pooch asks, writes and asks again after a failure; the bounds on what it takes, unpacking and placing are ours.
"""

import functools
import gzip
import logging
import os
import tarfile
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pooch
import requests
from tqdm import tqdm

from .. import scratch
from ..errors import UserError
from . import places
from .known import KNOWN, Download
from .places import data_root

TIMEOUT = 30  # seconds without an answer
LEAST_RATE = 2**14  # bytes a second after the first TIMEOUT seconds: n bytes may take TIMEOUT + n / LEAST_RATE
RETRIES = 2  # after a failure that may pass; pooch waits 1 s, then 2 s
CHUNK = 2**20  # bytes
HEADERS = {"User-Agent": "roa-helpers", "Accept-Encoding": "identity"}  # packed on the way, its length would be another


def fetch(name: str, root=None, *, others=None, progress: bool = True) -> list[Path]:
    """Download the official files of a known data set; the paths they are at (none for a bundled set).

    ``others`` are further files that may be asked for: name → a tuple of :class:`.known.Download`.

    Raises:
        UserError: unknown name, a set that is not fetched, no answer, an incomplete file, a wrong sum.
    """
    root = data_root(root)
    offered = {known.name: known.downloads for known in KNOWN.values()} | dict(others or {})
    if name not in offered:
        raise UserError(f"unknown data set {name!r}\n  known are  {', '.join(offered)}")
    if name in KNOWN and KNOWN[name].source:
        raise UserError(
            f"data set {name!r} is not fetched\n"
            f"  mend it:   put what lies at {KNOWN[name].source} at {' or '.join(KNOWN[name].looked_in(root))}"
        )
    return [download(file, root, progress=progress) for file in offered[name]]


def download(file: Download, root: Path, *, progress: bool = True) -> Path:
    """Put the file (or the folder it holds) at ``root / file.to`` and return that path.

    It is written to a temporary folder beside that, checked, and only then moved into place, so that an interrupted or
    broken download leaves nothing behind, and a killed one nothing that the next does not remove. What stands already
    is left alone.

    Raises:
        UserError: no answer, an incomplete file, a wrong sum, an archive that cannot be unpacked, no room.
    """
    target = root / file.to
    if places.lies(target):
        return target
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with scratch.building(target) as folder:
            folder.mkdir()
            os.replace(_fetched(file, folder, progress=progress), target)
    except (OSError, ValueError, EOFError, zlib.error, tarfile.TarError) as error:
        if not places.lies(target):  # else another download was first: a folder does not replace one that stands
            raise UserError(
                f"could not fetch {file.url}\n  reason     {_innermost(error)}\n"
                f"  mend it:   try again later, or get it elsewhere and put it at {target}"
            ) from error
    return target


def _fetched(file: Download, folder: Path, *, progress: bool) -> Path:
    """Where in ``folder`` the checked and unpacked file (or the folder it holds) is."""
    # pooch is given no sum: it would fetch a wrong file again and again, and it knows what comes, not what that holds
    store = pooch.create(folder, "", registry={"arrived": None}, urls={"arrived": file.url}, retry_if_failed=RETRIES)
    with _quiet(pooch.get_logger()):
        arrived = Path(store.fetch("arrived", downloader=_Bounded(file, progress=progress)))
    if file.unpack == "gz":
        arrived.write_bytes(_unpacked(arrived, file.unpacked))
    digest = pooch.file_hash(arrived)
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


class _Bounded(pooch.HTTPDownloader):
    """Takes ``file`` as it lies on the server: no more bytes than it has, none of them too late.

    Raises:
        requests.RequestException: after which pooch tries again.
        OSError: after which it does not.
    """

    def __init__(self, file: Download, *, progress: bool):
        super().__init__(timeout=TIMEOUT, headers=HEADERS, hooks={"response": self._bound})
        self.size = file.size
        self.bar = {"desc": Path(file.url).name, "total": file.size, "unit": "B", "unit_scale": True}
        self.bar["disable"] = not progress

    def __call__(self, url, output_file, pooch):
        os.remove(output_file)  # pooch made it for its owner's eyes alone; a data folder may be shared
        with open(output_file, "wb") as opened, tqdm.wrapattr(opened, "write", **self.bar) as target:
            super().__call__(url, target, pooch)
            received = opened.tell()
        if received < self.size:
            raise requests.ConnectionError(f"incomplete: {received:,} of {self.size:,} bytes arrived")

    def _bound(self, response, **_):
        """requests calls this with each response, also with one that leads elsewhere."""
        if 400 <= response.status_code < 500:  # asking again would not help
            raise OSError(f"HTTP Error {response.status_code}: {response.reason}")
        size = max(self.size, CHUNK) if response.is_redirect else self.size  # it has a body of its own
        response.raw.stream = functools.partial(self._stream, response.raw, size)

    def _stream(self, raw, size, *_, **__) -> Iterator[bytes]:
        """In place of urllib3's, which waits for whole chunks, however slowly they fill, and unpacks some .gz files."""
        start, received = time.monotonic(), 0
        with raw:
            while piece := raw.read1(CHUNK, decode_content=False):
                received += len(piece)
                if received > size:
                    raise OSError("longer than the official file")
                if time.monotonic() - start > TIMEOUT + received / LEAST_RATE:
                    raise TimeoutError(f"too slow: less than {LEAST_RATE:,} bytes a second")
                yield piece


def _unpacked(packed: Path, size: int) -> bytes:
    with gzip.open(packed) as stream:
        content = stream.read(size + 1)
    if len(content) > size:
        raise OSError("longer than the official file")
    return content


@contextmanager
def _quiet(logger: logging.Logger):
    """Nothing below warnings. A filter, not a level: of two downloads at once each takes back its own."""

    def loud(record):
        return record.levelno >= logging.WARNING

    logger.addFilter(loud)
    try:
        yield
    finally:
        logger.removeFilter(loud)


def _innermost(error: BaseException) -> BaseException:
    """What the system said, if it said something: requests wraps it in names of its own."""
    inner = error.__context__ and _innermost(error.__context__)
    return inner if isinstance(inner, OSError) else error
