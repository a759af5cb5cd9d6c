"""Finished parts of a unit on disk, so that a killed run loses none of them."""

import json
import os
import shutil
from pathlib import Path

import torch

from ..errors import UserError


class Stages:
    """Parts of one unit in a folder, deleted when the unit is finished.

    A part is anything made of dicts, lists, tensors, numbers and text.
    """

    def __init__(self, folder, fingerprint):
        self.folder, self.fingerprint = Path(folder), fingerprint
        mark = self.folder / "fingerprint.json"
        try:
            if not mark.exists() or json.loads(mark.read_text(encoding="utf-8")) != fingerprint:
                self.clear()
                self.folder.mkdir(parents=True)
                mark.write_text(json.dumps(fingerprint), encoding="utf-8")
        except (OSError, ValueError) as error:
            raise UserError(f"cannot write below {self.folder}\n  make its folder writable: {error}") from error

    def run(self, name, compute):
        """The part called ``name``: read, or else computed by ``compute()`` and written whole."""
        path = self.folder / f"{name}.pt"
        if path.exists():
            try:
                return torch.load(path, weights_only=True)
            except Exception:  # a damaged file makes its reader raise almost anything
                path.unlink()
        part = compute()
        temporary = path.with_suffix(f".{os.getpid()}.tmp")
        torch.save(part, temporary)
        os.replace(temporary, path)
        return part

    def clear(self):
        """Delete all parts."""
        shutil.rmtree(self.folder, ignore_errors=True)
