"""The network that is attacked: trained here, or with the ImageNet weights that it comes with."""

from ... import metrics, models
from ...models import photo
from .. import trained, training_of


def train(name, splits, training, *, width=1.0, copies=0, path, progress=True):
    """A network trained on ``splits``, or read from ``path`` if it stands there.

    Args:
        name, width: see :func:`roa_helpers.models.photo.build`; the training's seed is that of the initialisation.
        splits: :class:`.splits.Splits`.
        training: :class:`.training.Training`.
        copies: learn from so many random crops of each image (:func:`roa_helpers.models.photo.cropped`); 0: from the
            images themselves.
        path: of the checkpoint.

    Returns:
        :class:`.training.Trained`.
    """
    model = photo.build(name, len(splits.train.class_names), width=width, seed=training.seed)
    learnt = photo.cropped(splits.train, copies, seed=training.seed) if copies else splits.train
    depends = name, width, copies, splits.train.fingerprint, splits.val.fingerprint
    return trained(model, learnt, splits.val, training, path=path, depends=depends,
                   makers=[photo.build, photo.cropped], progress=progress)  # fmt: skip


def network(choices, material, *, seed, checkpoints, progress=True):
    """The network to attack.

    Returns:
        (model in evaluation mode on the device, what the result says of it, target class as a number).
    """
    if material.pretrained:
        model, classes = material.pretrained
        name, target, size = choices.pretrained
        told = {"name": name, "initialisation": "imagenet", "target": target, "size": size}
        return model.to(models.device()), told, classes.index(target)
    splits = material.splits
    training = training_of(choices, seed=seed, augment=True)
    name = f"{choices.trained_on}-{choices.network}-{choices.size}-seed{seed}.safetensors"
    finished = train(choices.network, splits, training, width=choices.width, copies=choices.copies,
                     path=checkpoints / name, progress=progress)  # fmt: skip
    told = {
        "name": choices.network, "initialisation": "scratch", "mixed": training.mixed, "target": choices.target,
        "trained_on": choices.trained_on, "size": choices.size, "classes": len(splits.train.class_names),
        "test": metrics.count(models.correct(finished.model, splits.test.images, splits.test.labels)),
        "history": list(finished.history),
    }  # fmt: skip
    return finished.model, told, splits.train.class_names.index(choices.target)
