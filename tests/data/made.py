"""Pictures made here, and folders and zips of them."""

import io
import zipfile
import zlib

import numpy as np
from PIL import Image


def png(seed, *, size=(8, 8), mode="RGB", form="PNG"):
    """Bytes of a picture that differs for each seed."""
    rng = np.random.default_rng(seed)
    shape = (size[1], size[0]) if mode == "L" else (size[1], size[0], len(mode))
    buffer = io.BytesIO()
    Image.fromarray(rng.integers(0, 256, shape, dtype=np.uint8)).save(buffer, form)
    return buffer.getvalue()


def pictures(*labels, n=20, prefix="", **options):
    """path → bytes of n pictures for each class."""
    return {
        f"{prefix}{label}/{i:03d}.png": png((k, i, zlib.crc32(prefix.encode())), **options)
        for k, label in enumerate(labels)
        for i in range(n)
    }


def write_folder(base, files):
    for name, raw in files.items():
        path = base / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(raw)
    return base


def write_zip(path, files):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, raw in files.items():
            archive.writestr(name, raw)
    return path
