"""What the rest of the package knows of a study, and the registry of studies. Needs no torch.

A study is a folder, importable as a package, whose ``__init__`` holds ``STUDY``. Its modules are found by their names:

- ``choices``: ``UNITS``, {profile: choices of each unit}; a unit's choices are a frozen dataclass with ``dataset`` and
  ``name``, and with ``most_seeds`` where not every seed of the profile is run. Optionally
  ``borrowed(units, dataset, classes)``: the choices of a data set that no profile names; and ``SEEDS``,
  {profile: seeds} where they are not the profile's.
- ``compute``: ``load(choices, *, root, progress)``, the data with ``fingerprint`` and ``provenance``, and
  ``compute(plan, data, *, checkpoints, progress)``, (result, arrays, tables) as :func:`roa_helpers.records.store.write`
  takes them; ``checkpoints`` is their folder.
- ``claims``, where a paper makes some: ``CLAIMS``, and ``where(unit)``, what a table of verdicts calls the unit.
  Optionally ``networks(unit)``, where units of one group are not a trained network each, and ``NOTE``, what a reader
  of its verdicts must know.
- ``report``, where a study of somebody's own pictures ends in a page: ``SECTIONS``, each a
  :class:`roa_helpers.page.report.Section`.

A result holds ``dataset``. Counts stand as ``k`` and ``n``, means as ``mean``, ``sd`` and ``n``, other numbers with
their interval as ``NAME`` and ``NAME_interval``, so that units of every study can be compared with a second run.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from importlib import import_module
from importlib.util import find_spec

from .. import page
from ..errors import UserError
from ..records import seeds

#: The folders of this package that hold a study, in the order in which they are listed.
ROOMS = (
    "roi_roa",
    "supplement",
    "forensics",
    "registration",
    "adaptive",
    "architectures",
    "sensitivity",
    "localized",
    "blurring",
    "curvature",
)


@dataclass(frozen=True, kw_only=True)
class Study:
    """A study.

    Attributes:
        room: dotted name of its package.
        title: what it is about, in a few words.
        paper: what it reproduces: authors, title, year.
        pair: whether a unit is of a pair of classes.
        sample: result → how many images each of its numbers rests on, where that is one kind of number.
        files: () → :class:`.known.Files` that can be fetched for it beside the known data sets.
    """

    room: str
    title: str
    paper: str
    pair: bool = False
    sample: Callable[[dict], tuple[int, ...]] = lambda result: ()
    files: Callable[[], tuple] = tuple

    @property
    def name(self):
        """The last part of ``room``."""
        return self.room.rpartition(".")[2]

    @property
    def entries(self):
        """Where its code begins, as :func:`roa_helpers.records.fingerprints.code` takes it."""
        return f"{self.room}.compute:load", f"{self.room}.compute:compute"

    def units(self, profile):
        """The choices of the units that a profile plans."""
        return self.part("choices").UNITS.get(profile, ())

    def seeds(self, profile):
        """The seeds of a profile for this study, or None where they are the profile's own."""
        return getattr(self.part("choices"), "SEEDS", {}).get(profile)

    def borrowed(self, units, dataset, classes=None):
        """The choices for a data set, taken from ``units``: those of the same set, else those of the first set.

        Raises:
            UserError: classes, for a study that is not of a pair; no units to borrow from.
        """
        if not units:
            raise UserError(f"study '{self.name}' has no units in this profile\n  choose another profile")
        own = getattr(self.part("choices"), "borrowed", None)
        if own:
            return own(units, dataset, classes)
        if classes is not None:
            raise UserError(f"study '{self.name}' is not of a pair of classes\n  leave out --pair")
        same_set = [one for one in units if one.dataset == dataset]
        return same_set or [replace(one, dataset=dataset) for one in units if one.dataset == units[0].dataset]

    def load(self, choices, *, root=None, progress=True):
        """The data of a unit."""
        return self.part("compute").load(choices, root=root, progress=progress)

    def compute(self, plan, data, *, checkpoints, progress=True):
        """What a unit holds: (result, arrays, tables)."""
        return self.part("compute").compute(plan, data, checkpoints=checkpoints, progress=progress)

    def verdicts(self, units, *, of_paper):
        """The verdicts on its paper's claims: :func:`roa_helpers.page.claims.verdicts`; empty where it has none."""
        if find_spec(f"{self.room}.claims") is None:
            return page.claims.verdicts((), units, where=None)
        own = self.part("claims")
        networks = getattr(own, "networks", seeds.networks)
        return page.claims.verdicts(own.CLAIMS, units, where=own.where, networks=networks, of_paper=of_paper)

    @property
    def report(self):
        """The sections of the page on somebody's own pictures; none where it has no such page."""
        return () if find_spec(f"{self.room}.report") is None else self.part("report").SECTIONS

    def part(self, name):
        """One of its modules."""
        return import_module(f"{self.room}.{name}")


_added: dict[str, Study] = {}


def register(room):
    """Add the study of a package, by its dotted name, to those that can be planned, run and shown.

    Returns:
        Its ``STUDY``.

    Raises:
        UserError: another study has that name.
    """
    study = import_module(room).STUDY
    other = by_name().get(study.name, study)
    if other != study:
        raise UserError(f"there is a study '{study.name}' already: {other.room}, not {room}")
    _added[study.name] = study
    return study


def by_name():
    """All studies by name, those of this package first."""
    return _own() | _added


@cache
def _own():
    return {room: import_module(f"{__package__}.{room}").STUDY for room in ROOMS}


def find(name):
    """The study called ``name``.

    Raises:
        UserError: no such study; the message lists those there are.
    """
    known = by_name()
    if name not in known:
        raise UserError(f"unknown study '{name}'\n  choose one of: {', '.join(known)}")
    return known[name]
