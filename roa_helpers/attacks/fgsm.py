"""Attacks on image classifiers: gradient → step → project → clip.

Every model here returns logits (N, K) for images (N, C, H, W) in [0, 1]; its mode, its parameters and their
gradient flags are left as they were. Work is done in chunks on the model's device, so N may be large.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F

from .. import checks, models


def loss_gradient(model, x, y):
    """Gradient of the cross-entropy of ``y`` with respect to the images: ∇ₓ L(x, y), L = −log softmax(model(x))_y.

    Args:
        model: returns logits (N, K) for images in [0, 1].
        x: images (N, C, H, W) in [0, 1].
        y: labels (N,), int64.

    Returns:
        (N, C, H, W). Exactly zero where the softmax saturates in the precision of ``x``.

    Raises:
        ValueError: a wrong shape, type or range, or a model that returns probabilities.
    """
    return models.input_gradient(model, x, y, total_loss)


def total_loss(logits, y):
    """Σ over images of the cross-entropy of logits (N, K) and labels (N,): summed, so that no image sees another."""
    checks.labels(y, logits)
    return F.cross_entropy(logits, y, reduction="sum")


def project(x_adv, x, *, eps, region=None):
    """Nearest image to ``x_adv`` in the ℓ∞ ball of radius ``eps`` around ``x``, in the region, in [0, 1]."""
    x_adv = torch.clamp(x_adv, x - eps, x + eps).clamp(0, 1)
    return x_adv if region is None else torch.where(region, x_adv, x)


def sign_step(x, gradient, *, eps, targeted=False):
    """FGSM's step for a gradient that is already known: clip(x ± eps · sign g, 0, 1), shapes (N, C, H, W)."""
    x = x.detach()
    return project(x + (-eps if targeted else eps) * gradient.sign(), x, eps=eps)


def fgsm(model, x, y, *, eps, targeted=False):
    """Fast gradient sign method.

    Goodfellow et al. (2015), Section 4:  x' = clip(x + eps · sign ∇ₓ L(x, y), 0, 1). With ``targeted`` the loss
    of ``y`` falls instead: x' = clip(x − eps · sign ∇ₓ L(x, y), 0, 1). This is the attack A of the paper.

    Args:
        model: returns logits (N, K) for images in [0, 1].
        x: images (N, C, H, W) in [0, 1].
        y: labels, or targets with ``targeted``, (N,), int64.
        eps: ℓ∞ radius, ≥ 0, in units of the pixel range.

    Returns:
        (N, C, H, W) in [0, 1]; pixels with a zero gradient do not move.

    Raises:
        ValueError: a wrong shape, type or range.
    """
    _check_budget(eps)
    return sign_step(x, loss_gradient(model, x, y), eps=eps, targeted=targeted)


def bim(model, x, y, *, eps, step, steps, targeted=False, region=None):
    """Basic iterative method inside an ℓ∞ ball, optionally inside a region.

    Kurakin et al. (2017):  x⁰ = x,  xᵗ⁺¹ = Π(xᵗ ± step · sign ∇ₓ L(xᵗ, y)), where Π projects on the ball
    ‖x' − x‖∞ ≤ eps, on ``region`` and on [0, 1]. With ``targeted`` the loss of ``y`` falls instead of rising.

    Args:
        model: returns logits (N, K) for images in [0, 1].
        x: images (N, C, H, W) in [0, 1].
        y: labels, or targets with ``targeted``, (N,), int64.
        eps: ℓ∞ radius, ≥ 0.
        step: length of one step, ≥ 0, in the same units.
        steps: number of steps, ≥ 0.
        region: (N, 1, H, W) bool; only these pixels may move (None: all).

    Returns:
        (N, C, H, W) in [0, 1], equal to ``x`` bit for bit outside ``region``.

    Raises:
        ValueError: a wrong shape, type or range.
    """
    checks.images(x)
    return _iterate(model, x, x, y, eps=eps, step=step, steps=steps, targeted=targeted, region=region)


def pgd(model, x, y, *, eps, step, steps, seed, targeted=False, region=None):
    """Projected gradient descent: :func:`bim` from a uniformly random point of the ball.

    Madry et al. (2018):  x⁰ = Π(x + u), u ~ U(−eps, eps), then the steps of :func:`bim`. One start; take the
    worst of several seeds for restarts.

    Args:
        model: returns logits (N, K) for images in [0, 1].
        x: images (N, C, H, W) in [0, 1].
        y: labels, or targets with ``targeted``, (N,), int64.
        eps: ℓ∞ radius, ≥ 0.
        step: length of one step, ≥ 0.
        steps: number of steps, ≥ 0.
        seed: seed of the random start.
        region: (N, 1, H, W) bool; only these pixels may move (None: all).

    Returns:
        (N, C, H, W) in [0, 1], equal to ``x`` bit for bit outside ``region``.

    Raises:
        ValueError: a wrong shape, type or range.
    """
    checks.images(x)
    start = _random_start(x, eps, seed)
    return _iterate(model, start, x, y, eps=eps, step=step, steps=steps, targeted=targeted, region=region)


def pgd_survivors(model, x, y, *, eps, step, steps, restarts, seed, region=None):
    """The images that :func:`pgd` does not fool: correct as they are, and at every step of every restart.

    Restart r starts from the point that :func:`pgd` draws with ``seed + r``. An image is attacked no further once it
    is misclassified, so this costs little where the attack succeeds.

    Args:
        model: returns logits (N, K) for images in [0, 1].
        x: images (N, C, H, W) in [0, 1].
        y: labels, (N,), int64.
        eps: ℓ∞ radius, ≥ 0.
        step: length of one step, ≥ 0.
        steps: number of steps of a restart, ≥ 0.
        restarts: number of random starts, ≥ 1.
        seed: seed of the first of them.
        region: (N, 1, H, W) bool; only these pixels may move (None: all).

    Returns:
        (N,) bool.

    Raises:
        ValueError: a wrong shape, type or range.
    """
    checks.images(x)
    _check_budget(eps)
    if not (0 <= step < float("inf") and steps >= 0 and restarts >= 1):
        raise ValueError(f"step must be finite and ≥ 0, steps ≥ 0 and restarts ≥ 1, got {step}, {steps} and {restarts}")
    if region is not None:
        checks.region(region, x)
    x = x.detach()
    standing = models.correct(model, x, y)
    for restart in range(restarts):
        x_adv = project(_random_start(x, eps, seed + restart), x, eps=eps, region=region)
        for _ in range(steps):
            active = standing.nonzero()[:, 0]
            if not len(active):
                return standing
            gradient, logits = _loss_gradient_and_logits(model, x_adv[active], y[active])
            standing[active] = logits.argmax(1) == y[active]
            within = None if region is None else region[active]
            moved = x_adv[active] + step * gradient.sign()
            x_adv[active] = project(moved, x[active], eps=eps, region=within)
        active = standing.nonzero()[:, 0]
        if len(active):
            standing[active] = models.correct(model, x_adv[active], y[active])
    return standing


def _random_start(x, eps, seed):
    noise = torch.rand(x.shape, generator=torch.Generator().manual_seed(seed), dtype=x.dtype).to(x.device)
    return x.detach() + eps * (2 * noise - 1)


def _iterate(model, start, x, y, *, eps, step, steps, targeted, region):
    _check_budget(eps)
    if not (0 <= step < float("inf") and steps >= 0):
        raise ValueError(f"step and steps must be finite and ≥ 0, got {step} and {steps}")
    if region is not None:
        checks.region(region, x)
    sign = -1.0 if targeted else 1.0
    x = x.detach()
    x_adv = project(start.detach(), x, eps=eps, region=region)
    for _ in range(steps):
        x_adv = x_adv + sign * step * loss_gradient(model, x_adv, y).sign()
        x_adv = project(x_adv, x, eps=eps, region=region)
    return x_adv


def _check_budget(eps):
    if not 0 <= eps < float("inf"):
        raise ValueError(f"eps must be finite and ≥ 0, got {eps}")


@dataclass(frozen=True)
class Outcome:
    """What :func:`bim_until_success` reached for each of N images.

    Attributes:
        x_adv: (N, C, H, W), the images when their attack ended.
        succeeded: (N,) bool, whether the largest logit became the target's.
        stalled: (N,) bool, whether the attack was given up; those neither succeeded nor stalled ran out of steps.
        steps: (N,) int64, steps taken.
    """

    x_adv: torch.Tensor
    succeeded: torch.Tensor
    stalled: torch.Tensor
    steps: torch.Tensor


def bim_until_success(model, x, target, *, eps, step, steps, patience, region=None):
    """Targeted :func:`bim` that ends for each image as soon as it succeeds, or when it makes no progress any more.

    Göpfert et al. (2019), Section 4: an attempt that fails or ceases to progress is discarded. Progress is a
    probability of the target at least one per cent above that of the last progress.

    Args:
        model: returns logits (N, K) for images in [0, 1].
        x: images (N, C, H, W) in [0, 1].
        target: class to reach, (N,), int64.
        eps, step, steps: see :func:`bim`.
        patience: steps without progress after which an image is given up, ≥ 1.
        region: (N, 1, H, W) bool; only these pixels may move (None: all).

    Returns:
        :class:`Outcome`; an image that succeeded after t steps is what :func:`bim` gives with ``steps=t``.

    Raises:
        ValueError: a wrong shape, type or range.
    """
    checks.images(x)
    _check_budget(eps)
    if not (0 <= step < float("inf") and steps >= 0 and patience >= 1):
        raise ValueError(f"step and steps must be finite and ≥ 0, patience ≥ 1, got {step}, {steps} and {patience}")
    if not torch.is_tensor(target) or target.shape != (len(x),):
        raise ValueError(f"target must be a tensor ({len(x)},), got {getattr(target, 'shape', type(target).__name__)}")
    if region is not None:
        checks.region(region, x)
    x = x.detach()
    x_adv = x.clone()
    succeeded, stalled = (torch.zeros(len(x), dtype=torch.bool, device=x.device) for _ in range(2))
    taken, since = (torch.zeros(len(x), dtype=torch.int64, device=x.device) for _ in range(2))
    best = torch.full((len(x),), -float("inf"), dtype=torch.promote_types(x.dtype, torch.float32), device=x.device)
    active = torch.arange(len(x), device=x.device)
    while len(active):
        gradient, logits = _loss_gradient_and_logits(model, x_adv[active], target[active])
        hit = logits.argmax(1) == target[active]
        reached = F.log_softmax(logits, 1).gather(1, target[active][:, None])[:, 0].to(best)
        progress = reached > best[active] + 0.01
        best[active] = torch.where(progress, reached, best[active])
        since[active] = torch.where(progress, 0, since[active] + 1)
        succeeded[active] = hit
        stalled[active] = ~hit & (since[active] >= patience)
        going = ~hit & ~stalled[active] & (taken[active] < steps)
        active, gradient = active[going], gradient[going]
        if len(active):
            moved = x_adv[active] - step * gradient.sign()
            within = None if region is None else region[active]
            x_adv[active] = project(moved, x[active], eps=eps, region=within)
            taken[active] += 1
    return Outcome(x_adv, succeeded, stalled, taken)


def _loss_gradient_and_logits(model, x, y):
    """:func:`loss_gradient` and the logits (N, K) of the same pass."""
    seen = []

    def loss(logits, labels):
        seen.append(logits.detach().to(x.device))
        return total_loss(logits, labels)

    return models.input_gradient(model, x, y, loss), torch.cat(seen)
