"""Which pictures the authors published, where they lie, and that they are the published ones. Needs no torch.

The pictures are theirs and are not part of this repository; ``python -m roa_helpers data fetch roi-roa-pictures``
downloads them. ``pictures.csv`` holds the path, the size and the SHA-256 of each.
"""

import csv
import hashlib
from functools import cache
from importlib import resources
from pathlib import Path
from urllib.parse import quote

from ...data import Download, Files
from ...errors import UserError
from ..supplement import reference

NAME = "roi-roa-pictures"
#: The commit of the authors' repository that the pictures are taken from, that of their CSV files.
COMMIT = "0a04e282ab162ae6a3ea306c32d3337435d8ac1e"
#: Data sets whose pictures can be read cell by cell, and how folders and files call them.
SETS = {"mnist": ("MNIST", "mnist"), "fashion-mnist": ("FASHION_MNIST", "fashion_mnist"),
        "cifar10": ("CIFAR10", "cifar10")}  # fmt: skip
#: The pictures of a class, and of an ordered pair of classes (source, target), by kind: folder and file.
OF_CLASS = {
    "roi_one": ("1. ROI_EXIST_INDIV", "{name}_roi_{source}.0_heatmap.png"),
    "roi": ("3. ROI_EXIST_REP", "{name}_rep_roi_{source}.0_heatmap.png"),
}
OF_PAIR = {
    "roa_one": ("2. ROA_EXIST_INDIV", "{name}_roa_fr{source}.0_to{target}.0_perturbation.png"),
    "roa": ("4. ROA_EXIST_REP", "{name}_rep_roa_fr{source}.0_to{target}.0_perturbation.png"),
    "blob": ("7. ROA_BLOB_REP", "{name}_modifiable_blob_roa_fr{source}.0_to{target}.0.png"),
}


def path_of(dataset, kind, source, target=None):
    """Path of a picture in the authors' repository.

    Args:
        dataset: a key of ``SETS``.     kind: a key of ``OF_CLASS`` or ``OF_PAIR``.
        source, target: numbers of the classes; ``target`` of a pair alone.
    """
    folder, name = SETS[dataset]
    place, file = (OF_CLASS | OF_PAIR)[kind]
    return f"{folder}/{place}/{file.format(name=name, source=source, target=target)}"


@cache
def authors():
    """All pictures that this study reads, as one thing that can be fetched and found: :class:`.known.Files`."""
    text = resources.files(__package__).joinpath("pictures.csv").read_text(encoding="utf-8")
    downloads = (
        Download(
            f"https://raw.githubusercontent.com/{reference.REPOSITORY}/{COMMIT}/{quote(row['path'])}",
            int(row["size"]), row["sha256"], f"{reference.FOLDER}/{row['path']}",
        )
        for row in csv.DictReader(text.splitlines())
    )  # fmt: skip
    return Files(NAME, "the authors' pictures", reference.FOLDER, tuple(downloads))


def sums():
    """SHA-256 by path in the authors' repository."""
    return {file.to.removeprefix(f"{reference.FOLDER}/"): file.sha256 for file in authors().downloads}


def place_for(dataset, root=None):
    """The folder that holds the authors' pictures.

    Raises:
        UserError: a data set without pictures that can be read, or the pictures are not at hand.
    """
    if dataset == "malaria":
        raise UserError(
            "the authors' pictures of malaria cannot be read cell by cell: they are cropped screenshots of various "
            f"sizes\n  choose one of: {', '.join(SETS)}"
        )
    if dataset not in SETS:
        raise UserError(f"the authors published no pictures of {dataset!r}\n  choose one of: {', '.join(SETS)}")
    place = authors().find(root)
    if place is None:
        raise UserError(
            f"the authors' pictures are not at hand\n"
            f"  looked in  {'  ·  '.join(map(str, authors().places(root)))}\n"
            f"  mend it:   python -m roa_helpers data fetch {NAME}"
        )
    return place


def checked(place, path):
    """The bytes of a picture below ``place``, which must be the published ones.

    Raises:
        UserError: another file.
    """
    raw = (Path(place) / path).read_bytes()
    found, wanted = hashlib.sha256(raw).hexdigest(), sums()[path]
    if found != wanted:
        raise UserError(
            f"{Path(place) / path} is not the picture that the authors published: SHA-256 {found} instead of {wanted}\n"
            f"  delete it and run: python -m roa_helpers data fetch {NAME}"
        )
    return raw
