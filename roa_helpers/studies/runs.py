"""Units of studies: computed and stored, found again, shown, judged."""

import logging
import time
from dataclasses import replace
from functools import cache

import pandas as pd
from tqdm.auto import tqdm

from .. import data
from ..errors import UserError
from ..page import claims
from ..records import store
from . import profiles
from .freshness import OWN, expected, standing
from .profiles import RECORDED, planned
from .study import find

log = logging.getLogger(__name__)


def units(study, profile, *, seed=None, own=False, root=None, progress=True):
    """The units to show: those that a profile plans, read or else computed now, and those recorded earlier.

    Args:
        study: name of a study.
        profile: name of a profile.
        seed: replaces the profile's own seeds.
        own: whether those of one's own pictures are shown too, which ``study --images`` computed with this profile.
        root: folder of the data sets (None: ``$ROA_DATA`` or ``~/.cache/roa``).
        progress: whether to show a bar while units are computed; it goes when they are.

    Returns:
        list of :class:`roa_helpers.records.store.Unit`, the recorded ones first.
    """
    plans = planned(profile, study, seed=seed)
    absent = [plan for plan in plans if not store.read(store.unit_path(profile, study, plan.name), expected(plan))]
    for plan in tqdm(absent, desc=study, unit="unit", leave=False, disable=not (progress and absent)):
        run(plan, profile=profile, root=root, progress=False)
    return finished(profile, study, seed=seed, own=own)


def finished(profile, study, *, seed=None, own=False):
    """The units that a page shows: those recorded earlier, then the finished ones that a profile plans.

    A recorded unit is left out if the profile itself plans one of that name, or if a better profile recorded it.

    Args:
        profile, study, seed, own: as of :func:`units`.

    Returns:
        list of :class:`roa_helpers.records.store.Unit` with standing and sample, recorded ones first, both in the
        order in which the profiles plan them, then those of one's own pictures.
    """
    plans = {plan.name: plan for plan in planned(profile, study, seed=seed)}
    these = [store.read(store.unit_path(profile, study, name), expected(plan)) for name, plan in plans.items()]
    best, order, places = {}, {}, store.recorded_roots()
    _look(places)
    for name in reversed(RECORDED):
        found = [path for place in places for path in sorted((place / name / study).glob("[!.]*/result.json"))]
        best |= {unit.path.name: unit for unit in (_recorded(path.parent, study, name) for path in found) if unit}
        order |= {plan.name: place for place, plan in enumerate(planned(name, study))}
    earlier = sorted(best.keys() - plans.keys(), key=lambda name: (order.get(name, len(order)), name))
    mine = sorted((store.root() / OWN / profile / study).glob("[!.]*/result.json")) if own else []
    shown = (*(best[name] for name in earlier), *these, *(store.read(path.parent) for path in mine))
    return [presented(unit) for unit in shown if unit]


def _recorded(path, study, profile):
    """The unit at ``path``; None where none stands whole, or one that says it is another's."""
    unit = store.read(path)
    if unit is None:
        return None
    said = unit.result
    if [said.get(part) for part in ("study", "profile", "unit")] != [study, profile, path.name]:
        _tell(f"the unit at {path} does not say that it is {path.name} of {study} in {profile}, so it counts as absent")
    elif type(said.get("seed")) is not int:
        _tell(f"the unit at {path} does not say which seed it is of, so it counts as absent")
    else:
        return unit
    return None


def _look(places):
    """Say where nothing at all is recorded: a notebook may run in any folder."""
    if not any(found for place in places for name in RECORDED for found in (place / name).glob("*/[!.]*/result.json")):
        _tell(f"no recorded results found at {places[-1]}; set ROA_RESULTS to the folder that holds them")


@cache
def _tell(message):
    """Said once: a page asks for several studies."""
    log.warning(message)


def presented(unit):
    """A unit as pages take it: with its standing and its sample."""
    sample = find(unit.result["study"]).sample(unit.result)
    return replace(unit, standing=standing(unit), sample=tuple(sample))


def place_of(plan, profile):
    """The folder of a unit: ``<root>/<profile>/<study>/<unit>``, for pictures of one's own ``<root>/own/<profile>/…``.

    So what was made of somebody's own pictures is never among recorded results.
    """
    named = {one.choices.dataset for one in planned(profile, plan.study)}
    own = plan.choices.dataset not in named | set(data.KNOWN)
    return store.root() / (OWN if own else "") / profile / plan.study / plan.name


def checkpoints_of(place):
    """The folder of checkpoints beside a unit that lies at ``place``."""
    return place.parents[1] / "models"


def run(plan, *, profile, root=None, progress=True):
    """Compute one unit and store it, or find it finished.

    Args:
        plan: :class:`.profiles.Planned`.
        profile: name of the profile that the unit is stored under.
        root: folder of the data sets (None: ``$ROA_DATA`` or ``~/.cache/roa``).
        progress: whether to show progress bars.

    Returns:
        (:class:`roa_helpers.records.store.Unit`, whether it stood already).

    Raises:
        UserError: data that are missing or unfit, or a place that cannot be written.
    """
    from .. import models  # torch is needed to compute, not to show

    start, study = time.perf_counter(), find(plan.study)
    path = place_of(plan, profile)
    models.use_threads(profiles.profile(profile).threads)
    models.keep_memory()
    loaded = study.load(plan.choices, root=root, progress=progress)
    wanted = expected(plan) | {"data": loaded.fingerprint}
    with store.lock(path):
        found = store.read(path, wanted)
        if found:
            return found, True
        result, arrays, tables = study.compute(plan, loaded, checkpoints=checkpoints_of(path), progress=progress)
        result = {
            "study": plan.study, "unit": plan.name, "profile": profile, "seed": plan.seed, **result,
            "fingerprint": wanted,
            "provenance": store.provenance(
                device=models.device_name(), data=loaded.provenance, seconds=time.perf_counter() - start),
        }  # fmt: skip
        return store.write(path, result, arrays=arrays, tables=tables), False


def of_paper(unit):
    """Whether a unit is evidence about its paper: of a data set that the recorded profiles plan, with one of these.

    Small sets that come with the package, and one's own pictures, show that the code runs.
    """
    study, profile = unit.result["study"], unit.result["profile"]
    sets = {plan.choices.dataset for name in RECORDED for plan in planned(name, study)}
    return profile in RECORDED and unit.result["dataset"] in sets


def apart(found):
    """Units that are evidence about their paper (:func:`of_paper`), and the others: two lists."""
    return [unit for unit in found if of_paper(unit)], [unit for unit in found if not of_paper(unit)]


def verdicts(found):
    """The verdicts on the claims of the studies that units are of, in one table.

    Returns:
        DataFrame with the columns of :func:`roa_helpers.page.claims.verdicts` and the study's name.

    Raises:
        UserError: a unit that older code computed lacks what the present code reads.
    """
    by_study = {}
    for unit in found:
        by_study.setdefault(unit.result["study"], []).append(unit)
    tables = [_judged(name, own).assign(study=name) for name, own in by_study.items()]
    empty = pd.DataFrame(columns=[*claims.COLUMNS, "study"])
    return pd.concat([table for table in tables if len(table)] or [empty], ignore_index=True)


def _judged(name, found):
    """The verdicts of one study."""
    try:
        return find(name).verdicts(found, of_paper=of_paper)
    except (LookupError, TypeError, ValueError) as error:
        old = [str(unit.path) for unit in found if unit.standing != store.CURRENT]
        if not old:
            raise
        raise UserError(
            f"units of {name} that older code computed lack what the present code reads ({error!r})"
            f"\n  one of     {', '.join(old)}\n  mend it:   compute them again, or remove them"
        ) from error
