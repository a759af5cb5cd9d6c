"""Universal perturbations: one perturbation that fools a model on most images."""

import math
from dataclasses import dataclass

import torch

from .. import checks, models
from .deepfool import check_search, cross, log, placed


@dataclass(frozen=True)
class Universal:
    """What :func:`universal` found.

    Attributes:
        perturbation: v, (C, H, W).
        log: a row for each epoch: ``epoch`` from 1, ``k`` of ``n`` images whose prediction v changes, and the ℓ2 and
            ℓ∞ norms of v as ``l2`` and ``linf``. Empty without an epoch.
    """

    perturbation: torch.Tensor
    log: tuple[dict, ...]


def universal(
    model,
    x,
    *,
    eps,
    norm,
    fraction,
    epochs,
    steps,
    overshoot,
    seed,
    candidates=None,
    clip=True,
    batch=models.CHUNK,
):
    """One perturbation that changes the prediction of most images.

    Moosavi-Dezfooli et al. (2017), Algorithm 1. From v = 0, for each image in random order that v does not fool yet:
    v ← P(v + r), r :func:`.deepfool.deepfool`'s perturbation of x + v, P the projection on the ball ‖v‖ ≤ eps. Epochs
    go on until ``fraction`` of the images is fooled, at most ``epochs``.

    The r of ``batch`` images are computed together, at the v₀ that the batch starts with. They are then used one by
    one, each only if the v of that moment does not fool its image. What is added is the way still to go to the plane
    that r reaches,  v ← P(v + max(0, 1 − ⟨v − v₀, r⟩ / ‖r‖²) · r):  for two classes with affine scores nothing but
    the paper's step, otherwise its linearisation. A batch of 1 is the paper's algorithm.

    Args:
        model: returns logits (N, K) for images in [0, 1].
        x: images (N, C, H, W) in [0, 1]. Labels are not used: fooled means that the prediction changes.
        eps: radius of the ball, ≥ 0.
        norm: ``"l2"`` or ``"linf"``.
        fraction: share of fooled images that is enough, in [0, 1]: 1 − δ in the paper.
        epochs: most passes over the images, ≥ 0.
        steps, overshoot, candidates: as for :func:`.deepfool.deepfool`.
        seed: of the order of the images.
        clip: whether x + v is clipped to [0, 1] wherever the model sees it (v itself is not).
        batch: images whose DeepFool steps are computed together.

    Returns:
        :class:`Universal`, v on the device of ``x``.

    Raises:
        ValueError: a wrong shape, type or range.
    """
    checks.images(x)
    checks.unit_interval(fraction, name="fraction")
    check_search(steps, overshoot, candidates, batch)
    if not (0 <= eps < math.inf and epochs >= 0):
        raise ValueError(f"eps and epochs must be finite and ≥ 0, got {eps} and {epochs}")
    if norm not in ("l2", "linf"):
        raise ValueError(f'norm must be "l2" or "linf", got {norm!r}')
    options = {"steps": steps, "overshoot": overshoot, "candidates": candidates, "clip": clip}
    generator = torch.Generator().manual_seed(seed)
    rows = []
    with models.frozen(model), torch.no_grad():
        predicted = models.predict(model, x).argmax(1)
        v = torch.zeros_like(x[0])
        while len(rows) < epochs and not (rows and rows[-1]["k"] >= fraction * len(x)):
            order = torch.randperm(len(x), generator=generator).to(x.device)
            for images, classes in models.chunks(model, x[order], predicted[order], size=batch):
                v = _add(model, images, classes, v.to(images), eps=eps, norm=norm, **options).to(x.device)
            k = sum(
                int((models.ask(model, placed(images, v.to(images), clip)).argmax(1) != classes).sum())
                for images, classes in models.chunks(model, x, predicted, size=batch)
            )
            length = {"l2": float(v.norm()), "linf": float(v.abs().max())}
            rows.append({"epoch": len(rows) + 1, "k": k, "n": len(x), **length})
            log.info("universal perturbation, epoch %d: %d of %d images fooled", len(rows), k, len(x))
    return Universal(v, tuple(rows))


def _add(model, x, predicted, v, *, eps, norm, clip, **options):
    """v after one batch of images that the model, without v, takes for ``predicted``."""

    def holds(rows):
        return models.ask(model, placed(x[rows], v, clip)).argmax(1) == predicted[rows]

    waiting = holds(slice(None)).nonzero()[:, 0]
    if not len(waiting):
        return v
    first, start = v, placed(x[waiting], v, clip)
    found = cross(model, start, clip=clip, **options)
    for row, r in zip(waiting[found.success], (found.x_adv - start)[found.success], strict=True):
        if holds(row[None]):
            left = 1 - ((v - first) * r).sum() / (r * r).sum()
            v = _into_ball(v + left.clamp(min=0) * r, eps, norm)
    return v


def _into_ball(v, eps, norm):
    """Nearest to v with ‖v‖ ≤ eps."""
    if norm == "linf":
        return v.clamp(-eps, eps)
    length = float(v.norm())
    return v * (eps / length) if length > eps else v
