"""Profiles: which units of which study are computed under one name, with which seeds. Needs no torch.

A study's ``choices`` say which of its units a profile has; they are frozen and typed, and a change of any value changes
the fingerprint of the results that depend on it.
"""

from dataclasses import dataclass

from ..errors import UserError
from . import study as registry

#: Recorded profiles, best first: what is shown beside the profile that is run.
RECORDED = ("paper", "desk")
#: Small numbers are added to a seed, and there are libraries that take 32 bits of it.
LARGEST_SEED = 2**31 - 1


@dataclass(frozen=True, kw_only=True)
class Profile:
    """What is computed under one name.

    Attributes:
        seeds: of every study that has none of its own.
        threads: fixed so that equal seeds give equal bytes.
        at_once: units of a study that one process of the workflow computes; short ones share the start of torch.
    """

    name: str
    seeds: tuple[int, ...] = (0,)
    threads: int = 1
    at_once: int = 1


PROFILES = {p.name: p for p in (Profile(name="quick", at_once=6), Profile(name="desk"),
                                Profile(name="paper", seeds=(0, 1, 2), threads=8))}  # fmt: skip


def profile(name):
    """The profile called ``name``.

    Raises:
        UserError: no such profile; the message lists those there are.
    """
    if name not in PROFILES:
        raise UserError(f"unknown profile '{name}'\n  choose one of: {', '.join(PROFILES)}")
    return PROFILES[name]


def checked_seed(seed):
    """``seed``, if it is one.

    Raises:
        UserError: no whole number from 0 to ``LARGEST_SEED``.
    """
    if type(seed) is not int or not 0 <= seed <= LARGEST_SEED:
        raise UserError(f"a seed is a whole number from 0 to {LARGEST_SEED:,}, not {seed!r}\n  choose another seed")
    return seed


@dataclass(frozen=True)
class Planned:
    """A unit that a profile plans: one study, one set of choices (with ``dataset`` and ``name``), one seed."""

    study: str
    choices: object
    seed: int

    @property
    def name(self):
        """Name of the unit's folder: ``mnist-0-1-seed0``."""
        return f"{self.choices.name}-seed{self.seed}"


def planned(profile_name, study, *, dataset=None, classes=None, seed=None):
    """The units of ``study`` that a profile plans, or those of one data set.

    Args:
        profile_name: name of a profile.
        study: name of a study.
        dataset: a data set's name, or a path to a folder or zip; one that the profile does not name borrows choices
            (:meth:`.study.Study.borrowed`).
        classes: the two classes, for a study of a pair.
        seed: replaces the profile's own seeds.

    Raises:
        UserError: unknown profile or study, no seed, or no choices for the data set.
    """
    found, plan = registry.find(study), profile(profile_name)
    seeds = found.seeds(profile_name) or plan.seeds if seed is None else (checked_seed(seed),)
    units = found.units(profile_name)
    chosen = units if dataset is None else found.borrowed(units, dataset, classes)
    return [Planned(study, one, s) for one in chosen for s in seeds[: getattr(one, "most_seeds", None)]]


def jobs(plans, profile_name):
    """Units of one study by the job of the workflow that computes them, as many at once as the profile says.

    Args:
        plans: list of :class:`Planned`.
        profile_name: name of a profile.

    Returns:
        dict: name of the job, that of its only unit or ``mnist-0-1-seed0+5``, → list of :class:`Planned`.
    """
    size = profile(profile_name).at_once
    parts = [plans[start : start + size] for start in range(0, len(plans), size)]
    return {part[0].name + (f"+{len(part) - 1}" if len(part) > 1 else ""): part for part in parts}
