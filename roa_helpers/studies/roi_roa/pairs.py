"""A pair of classes: its images, and the binary network M that is trained on them. Shared by the paper's studies."""

import torch

from ... import data, metrics, models, pipeline
from .. import trained, training_of


def load(choices, *, root=None, progress=True):
    """The images of a pair (:class:`.Pair`) as three disjoint sets of three channels.

    Training and validation images are as many as the choices say; test images are all there are, so that M can be
    judged on all of them. :func:`.pairs.sides` takes those that are measured.

    Raises:
        UserError: data that are missing or unfit, or fewer than two images of a class in a set.
    """
    limit = (choices.train, choices.val, None)
    splits = data.load(
        choices.dataset, classes=choices.classes, size=choices.size, limit=limit, root=root, progress=progress
    )
    data.enough(splits)
    return data.in_colour(splits)


def sides(model, splits, choices, *, seed):
    """What one pass tells about the images that are measured: ``choices.test`` test images a class, a random sample.

    Returns:
        (validation, test), each a :class:`roa_helpers.pipeline.Scan` for class 0 and for class 1.
    """
    return tuple(
        [pipeline.scan(model, *pipeline.of_class(part, k, seed=seed, limit=limit)) for k in (0, 1)]
        for part, limit in ((splits.val, None), (splits.test, choices.test))
    )


def train(choices, splits, *, seed, path, progress=True):
    """The model M of a pair: VGG16 on the training images, read from ``path`` if it stands there.

    Returns:
        (model in evaluation mode, {"initialisation", "mixed", "history"}).
    """
    model = models.vgg16(2, width=choices.width, seed=seed)
    imagenet = choices.weights == "imagenet" and models.load_imagenet_features(model)
    initialisation = "imagenet" if imagenet else "scratch"
    training = training_of(choices, seed=seed)
    depends = choices.width, initialisation, splits.train.fingerprint, splits.val.fingerprint
    finished = trained(model, splits.train, splits.val, training, path=path, depends=depends, makers=[models.vgg16],
                       progress=progress)  # fmt: skip
    told = {"initialisation": initialisation, "mixed": training.mixed, "history": list(finished.history)}
    return finished.model, told


def accuracies(model, splits, choices, *, seed):
    """How often M is right: ``test``, on all test images, and ``train``, on some of those that it learnt from.

    Returns:
        name → ``{"k", "n"}``.
    """
    learnt = [pipeline.of_class(splits.train, k, seed=seed, limit=choices.train_scored) for k in (0, 1)]
    parts = {
        "test": (splits.test.images, splits.test.labels),
        "train": tuple(torch.cat(column) for column in zip(*learnt, strict=True)),
    }
    return {name: metrics.count(models.correct(model, *part)) for name, part in parts.items()}
