"""The steps of the paper's pipeline on the images of one class: scan, attack, regions, blob, neutralise.

Made of the public functions of ``attacks``, ``explain`` and ``regions``; the studies put them together.
"""

from dataclasses import dataclass, fields

import torch

from . import attacks, checks, explain, models, regions

#: Definitions of the RoA that the image is split with: the paper's (how far the attack moves a pixel), and by gradient
#: magnitude.
DEFINITIONS = ("perturbation", "gradient")
#: The definition of the authors' pictures, signed and channel by channel; its blob is V+, so nothing is split.
PUBLISHED = "published"


@dataclass(frozen=True)
class Scan:
    """Images of one class and what one forward and one backward pass tell about them.

    Attributes:
        x, y: images (N, C, H, W) in [0, 1] and labels (N,).
        hit: whether each is classified correctly, (N,) bool.
        probability: of the true class, the softmax of the logits, (N,).
        cam: Grad-CAM of the true class, not scaled, (N, H, W).
        gradient: of the cross-entropy with respect to the image, (N, C, H, W).
    """

    x: torch.Tensor
    y: torch.Tensor
    hit: torch.Tensor
    probability: torch.Tensor
    cam: torch.Tensor
    gradient: torch.Tensor

    def __getitem__(self, rows):
        return Scan(*(getattr(self, f.name)[rows] for f in fields(self)))


def scan(model, x, y):
    """Scores, Grad-CAM and input gradient from one pass; equal to the three public functions, a third of the cost.

    Args:
        model: returns logits (N, K) for images in [0, 1].
        x: images (N, C, H, W) in [0, 1].
        y: labels (N,), int64.

    Returns:
        :class:`Scan`, on the device of ``x``.

    Raises:
        ValueError: a wrong shape, type or range, or no layer that Grad-CAM can look at.
    """
    checks.images(x)
    checks.model(model)
    parts = []
    network = models.unwrapped(model)
    layer = explain.cam_layer(network, x)
    with models.frozen(model), explain.capture(layer) as seen, torch.enable_grad():
        for images, labels in models.chunks(network, x, y):
            images = images.detach().requires_grad_()
            logits = models.ask(network, images)
            maps = explain.activations(seen, len(images))
            cam = explain.class_activation(maps, explain.class_score(logits, labels), x.shape[2:])
            gradient = models.gradient(attacks.total_loss(logits, labels), images)
            found = (*_scores(logits.detach(), labels), cam.detach().to(x), gradient)
            parts.append([t.to(x.device) for t in found])
    return Scan(x.detach(), y, *(torch.cat(column) for column in zip(*parts, strict=True)))


def scored(model, x, y):
    """(whether each image is classified correctly, (N,) bool; the probability of its true class, (N,))."""
    logits = models.predict(model, x)
    checks.labels(y, logits)
    return _scores(logits, y)


def _scores(logits, y):
    return logits.argmax(1) == y, logits.softmax(1).gather(1, y[:, None])[:, 0]


@dataclass(frozen=True)
class Setting:
    """What the pipeline is run with, after tuning; ``delta1`` and ``delta2`` are None where nothing is split."""

    eps: float
    delta1: float | None
    delta2: float | None
    theta: float
    value: float


def maps_of(side, eps, definition):
    """(importance, vulnerability) of a :class:`Scan`, each (N, H, W) in [0, 1], for a definition of the RoA."""
    importance = regions.importance(side.cam)
    if definition == "gradient":
        return importance, regions.gradient_magnitude(side.gradient)
    return importance, regions.attack_magnitude(side.x, perturbed(side, eps))


def regions_of(side, setting, definition):
    """(RoI, RoA) of each image of a :class:`Scan` at a :class:`Setting`, (N, H, W) bool each."""
    importance, vulnerability = maps_of(side, setting.eps, definition)
    return regions.threshold(importance, setting.delta1), regions.threshold(vulnerability, setting.delta2)


def blob_of(side, setting, definition):
    """The blob that the images of a :class:`Scan` give: (H, W) bool, or (C, H, W) bool by ``PUBLISHED``."""
    if definition == PUBLISHED:
        return regions.signed_blob(signs(side, setting.eps), setting.theta)
    return regions.blob(regions.isolate(*regions_of(side, setting, definition)).not_u_v, setting.theta)


def signs(side, eps):
    """Which way FGSM moves each entry of the images of a :class:`Scan`: (N, C, H, W) int8."""
    return regions.attack_signs(side.x, perturbed(side, eps))


def perturbed(side, eps):
    """The images of a :class:`Scan` after FGSM, (N, C, H, W): S_adv, or S_mod-adv for a scan of S_mod."""
    return attacks.sign_step(side.x, side.gradient, eps=eps)


def attacked(model, side, eps):
    """Whether each image of a :class:`Scan` is still classified correctly after FGSM: (N,) bool."""
    return models.correct(model, perturbed(side, eps), side.y)


def neutralised(model, side, blob, value):
    """S_mod as a :class:`Scan`: the images with the blob's pixels at ``value``, scanned anew unless it is empty."""
    if not blob.any():
        return side
    return scan(model, regions.neutralise(side.x, blob, value), side.y)


def share(mask):
    """The share of True in a boolean tensor."""
    return float(mask.double().mean())


def of_class(image_set, k, *, seed, limit=None):
    """(images, labels) of class ``k`` of an ImageSet in an order drawn by ``seed``: the first n are a random sample.

    At most ``limit`` of them (None: all).
    """
    subset = image_set.of_class(k)
    order = torch.randperm(len(subset), generator=torch.Generator().manual_seed(seed))[:limit]
    return subset.images[order], subset.labels[order]
