"""How studies train their networks: as a unit's choices say, and read from their checkpoints where these stand."""

from dataclasses import asdict

import torch

from .. import models
from ..records import fingerprints


def training_of(choices, *, seed, **instead):
    """The :class:`roa_helpers.models.training.Training` of a unit's choices; bfloat16 only where it is faster.

    Args:
        choices: with the names of its fields, those of ``instead`` apart.
        seed: of the training.
        instead: values that take the place of choices, or of those that a study does not leave open.
    """
    names = ("epochs", "batch", "learning_rate", "weight_decay", "augment", "mixed")
    chosen = {name: getattr(choices, name) for name in names if name not in instead} | instead
    return models.Training(**chosen | {"mixed": chosen["mixed"] and models.has_bfloat16()}, seed=seed)


def trained(model, train, val, training, *, path, depends, makers, progress=True):
    """A network trained on the device at hand, or read from its checkpoint: :func:`roa_helpers.models.training.fit`.

    Args:
        model: as built.
        train, val, training, path, progress: see there.
        depends: what its weights depend on beside the training: how it was built, sums of the data.
        makers: functions whose code they depend on: what builds the network, what makes the images.

    Returns:
        :class:`roa_helpers.models.training.Trained`.
    """
    code = fingerprints.code(models.fit, *makers)
    fingerprint = fingerprints.value([asdict(training), *depends, torch.__version__, models.device_name(), code])
    return models.fit(
        model.to(models.device()), train, val, training, path=path, fingerprint=fingerprint, progress=progress
    )
