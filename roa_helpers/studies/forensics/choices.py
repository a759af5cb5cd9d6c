"""Choices of the study ``forensics``: which pictures are read, and what is tried on them."""

from dataclasses import dataclass

from ...records import stem


@dataclass(frozen=True, kw_only=True)
class Forensics:
    """Choices of one unit: the pictures of one data set.

    Attributes:
        dataset: one of those whose pictures can be read: see :mod:`.sources`.
        slack: levels of 255 within which an entry counts as 0 or as 1.
        highest: thresholds 0, 1/255, … highest/255 are tried.
        bluer: by how many levels a cell of a heat map is bluer than red if it belongs to the RoI's core.
        bins: into how many ranges the entries of representative RoAs are put for the calibration.
        resamples: of the bootstrap over unordered pairs of classes.
    """

    dataset: str
    slack: int = 1
    highest: int = 254
    bluer: int = 1
    bins: int = 15
    resamples: int = 2000

    @property
    def name(self):
        """What the name of the unit begins with: ``mnist``."""
        return stem(self.dataset)


_SETS = tuple(Forensics(dataset=dataset) for dataset in ("mnist", "fashion-mnist", "cifar10"))

#: Which units a profile has: none for quick, since a fresh machine has no pictures.
UNITS = {"quick": (), "desk": _SETS, "paper": _SETS}

#: Why each choice is what it is; the book prints this beside the values.
REASONS = {
    "dataset": "those whose pictures matplotlib wrote, so that every cell can be read; of Malaria there are cropped "
    "screenshots of various sizes, which cannot be read cell by cell",
    "slack": "one level, for rounding",
    "highest": "all thresholds that a picture of 256 levels can tell apart; where several agree equally well, the "
    "lowest is taken",
    "bluer": "high values are blue in these heat maps: bluer than red is the upper half of the scale",
    "bins": "wide enough to hold many entries each",
    "resamples": "of unordered pairs: both directions of a pair share a network",
}
