"""The studies: units are computed and stored here, what they hold is the matter of each study's own module.

The module of a study offers ``load(choices, *, root, progress)``, the data with ``fingerprint`` and ``provenance``,
and ``compute(plan, data, *, weights, progress)``, (result, arrays, tables) as :func:`roa_helpers.store.write` takes
them; ``weights`` is the folder of checkpoints. A result holds ``dataset`` and ``classes``. Counts stand as ``k`` and
``n``, means as ``mean``, ``sd`` and ``n``, other numbers with their interval as ``NAME`` and ``NAME_interval``, so that
``workflow/reproduce.py`` can compare units of every study.
"""

import time
from importlib import import_module

from .. import config, models, store


def units(study, profile, *, seed=None, root=None, progress=True):
    """The units to show: those that ``profile`` plans, read or else computed now, and those recorded earlier.

    Args:
        study: name of a study.
        profile: name of a profile.
        seed: replaces the profile's own seeds.
        root: folder of the data sets (None: ``$ROA_DATA`` or ``~/.cache/roa``).
        progress: whether to show progress bars.

    Returns:
        list of :class:`roa_helpers.store.Unit`, the recorded ones first.
    """
    for plan in config.planned(profile, study, seed=seed):
        if not store.read(store.unit_path(profile, study, plan.name), store.expected(plan)):
            run(plan, profile=profile, root=root, progress=progress)
    return store.shown(profile, study, seed=seed)


def run(plan, *, profile, root=None, progress=True):
    """Compute one unit and store it, or find it finished.

    Args:
        plan: :class:`roa_helpers.config.Planned`.
        profile: name of the profile that the unit is stored under.
        root: folder of the data sets (None: ``$ROA_DATA`` or ``~/.cache/roa``).
        progress: whether to show progress bars.

    Returns:
        (:class:`roa_helpers.store.Unit`, whether it stood already).

    Raises:
        UserError: data that are missing or unfit, or a place that cannot be written.
    """
    start = time.perf_counter()
    study = import_module(f".{plan.study}", __name__)
    path = store.unit_path(profile, plan.study, plan.name)
    models.use_threads(config.profile(profile).threads)
    data = study.load(plan.choices, root=root, progress=progress)
    expected = store.expected(plan) | {"data": data.fingerprint}
    with store.lock(path):
        found = store.read(path, expected)
        if found:
            return found, True
        weights = store.root() / profile / "models"
        result, arrays, tables = study.compute(plan, data, weights=weights, progress=progress)
        result = {
            "study": plan.study, "unit": plan.name, "profile": profile, "seed": plan.seed, **result,
            "fingerprint": expected,
            "provenance": store.provenance(
                device=models.device_name(), data=data.provenance, seconds=time.perf_counter() - start),
        }  # fmt: skip
        return store.write(path, result, arrays=arrays, tables=tables), False
