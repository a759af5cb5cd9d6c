"""The networks that studies are about, to be tried out by hand."""

from .. import models
from . import profiles
from .runs import checkpoints_of, place_of
from .study import find

__all__ = ["network"]


def network(study, dataset, *, profile="quick", seed=None, root=None, progress=True):
    """The network of a study on a data set, and its images: trained as the study does, or read from its checkpoint.

    Both lie on the CPU, so that they can be put together without a thought.

    Args:
        study: ``roi_roa`` (M, of a pair of classes) or ``curvature`` (of all classes).
        dataset: a data set that the profile plans for the study; of several units the first is taken.
        profile: name of a profile; ``quick`` has small sets, of which a network is trained in about half a minute.
        seed: replaces the profile's own seed.
        root: folder of the data sets (None: ``$ROA_DATA`` or ``~/.cache/roa``).
        progress: whether to show a bar while it is trained.

    Returns:
        (model in evaluation mode, :class:`roa_helpers.data.splits.Splits`).

    Raises:
        UserError: no such study, profile or data.
    """
    plan = profiles.planned(profile, study, dataset=dataset, seed=seed)[0]
    room = find(study)
    models.use_threads(profiles.profile(profile).threads)
    images = room.load(plan.choices, root=root, progress=False)
    folder = checkpoints_of(place_of(plan, profile))
    folder = folder if room.pair else folder / study
    path = folder / f"{plan.name}.safetensors"
    model, _ = room.part("compute").train(plan.choices, images, seed=plan.seed, path=path, progress=progress)
    return model.cpu(), images
