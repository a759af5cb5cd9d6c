"""Studies of somebody's own pictures: which units they make, and the page that shows them. Needs no torch to plan."""

from dataclasses import replace

from .. import data, page
from ..errors import UserError
from ..records import stem, store
from .profiles import planned
from .runs import presented, run, units
from .study import find


def planned_for(study, images, *, profile="quick", pair=None, seed=None):
    """The units that a study has of a folder or zip.

    Args:
        study: name of a study.
        images: path of a folder or zip of pictures, with a folder for each class where the study has classes.
        profile: whose choices they borrow.
        pair: the two classes, for a study of a pair; None: the two that there are.
        seed: replaces the profile's own seeds.

    Raises:
        UserError: nothing there, or nothing that the study can take.
    """
    place = _placed(images)
    classes = _pair_of(place, pair) if find(study).pair else pair
    return planned(profile, study, dataset=place, classes=classes, seed=seed)


def of_images(study, images, *, profile="quick", pair=None, seed=None, progress=True):
    """The units of a folder or zip, computed now or found finished; arguments as those of :func:`planned_for`.

    Args:
        images: None takes, to have something to show, the last data set that the profile plans instead.
        progress: whether to show progress bars.
    """
    if images is not None:
        plans = planned_for(study, images, profile=profile, pair=pair, seed=seed)
        return [shown(run(plan, profile=profile, progress=progress)[0]) for plan in plans]
    found = [unit for unit in units(study, profile, seed=seed) if unit.result["profile"] == profile]
    return [unit for unit in found if unit.result["dataset"] == found[-1].result["dataset"]]


def shown(unit):
    """A unit that was just computed, or found to be what the present code would compute, as pages take it."""
    return replace(presented(unit), standing=store.CURRENT)


def report(found):
    """Write the page of pictures of a study's units beside their folders.

    Args:
        found: units of one study and data set, as of :func:`of_images`.

    Returns:
        Its path; None of a study that has no such page.

    Raises:
        UserError: the place cannot be written.
    """
    first = found[0]
    study = find(first.result["study"])
    if not study.report:
        return None
    whole = stem(first.result["dataset"], *first.result.get("classes", ()))
    name = first.path.name if len(found) == 1 else whole
    return page.report.write(first.path.with_name(f"{name}.html"), study.report, found, title=study.title)


def _placed(images):
    """The absolute path of ``images``.

    Raises:
        UserError: no path, nothing there, or a path that cannot be written down.
    """
    place = data.expanded(images)
    if not data.kind(place):
        raise UserError(
            f"nothing lies at {data.shown(place)}\n"
            "  --images takes a folder or a zip of pictures, with a folder for each class where a study has classes"
        )
    try:
        str(place).encode()
    except UnicodeEncodeError as error:
        raise UserError(f"{data.shown(place)} is no UTF-8: results cannot say so\n  rename it") from error
    return str(place)


def _pair_of(place, pair):
    """``pair``, or the two classes of a folder or zip that has exactly two."""
    classes = data.classes_of(place)
    shown_, listed = data.shown(place), data.listed(classes)
    if len(classes) < 2:
        raise UserError(f"{shown_} has a single class, {listed}\n  a study needs the pictures of two, a folder each")
    if pair is None and len(classes) != 2:
        raise UserError(f"{shown_} has {len(classes)} classes: {listed}\n  choose two: --pair CLASS CLASS")
    return pair or classes
