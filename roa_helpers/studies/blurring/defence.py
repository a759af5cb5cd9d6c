"""Blurring as a defence, and the attackers who know of it.

The defended classifier is f(D(x)): a heatmap of an explaining network chooses what is kept, the rest is blurred, and
the result is classified. ``D`` is computed anew for every image, attacked or not.
"""

from dataclasses import dataclass

import torch
from torch import nn

from ... import attacks, checks, models
from . import blur
from .heatmaps import HEATMAPS, importance

NOTHING, EVERYTHING = "original", "blur"
#: What can be done to an image: nothing, a blur of all of it, or of what one of the heatmaps ranks low.
VERSIONS = (NOTHING, EVERYTHING, *HEATMAPS)


@dataclass(frozen=True, eq=False, kw_only=True)
class Defence:
    """How images are blurred.

    Attributes:
        explainer: the network whose heatmaps are used, for the class that it sees.
        keep: least share of the pixels that stay as they are.
        sigma: of the blur, in pixels.
        epsilon, radius, steps: of :func:`.heatmaps.importance`.
    """

    explainer: nn.Module
    keep: float
    sigma: float
    epsilon: float
    radius: float
    steps: int

    def importance(self, x, names=HEATMAPS):
        """The heatmaps of images (N, C, H, W): name → (N, H, W)."""
        settings = {"epsilon": self.epsilon, "radius": self.radius, "steps": self.steps}
        return importance(self.explainer, x, names=names, **settings)

    def keep_masks(self, x, names=HEATMAPS):
        """Which pixels of images are kept, by heatmap: name → (N, 1, H, W) bool."""
        return {name: blur.keep_mask(heat, self.keep) for name, heat in self.importance(x, names).items()}

    def keep_mask(self, x, version):
        """Which pixels one of ``VERSIONS`` keeps, (N, 1, H, W) bool."""
        if version in (NOTHING, EVERYTHING):
            return torch.full((len(x), 1, *x.shape[2:]), version == NOTHING)
        return self.keep_masks(x, (version,))[version]

    def versions(self, x, names=VERSIONS):
        """Images in several versions: name → (N, C, H, W)."""
        heatmaps = tuple(name for name in names if name in HEATMAPS)
        keep = self.keep_masks(x, heatmaps) if heatmaps else {}
        keep |= {name: self.keep_mask(x, name) for name in names if name not in keep}
        return {name: blur.blurred(x, keep[name], self.sigma) for name in names}

    def apply(self, x, version):
        """Images in one version."""
        return self.versions(x, (version,))[version]


def fixed_mask(defence, version, model, x, y, *, eps):
    """FGSM through the blur, by an attacker who takes the mask of the clean image for granted.

    x' = clip(x + eps · sign Dᵀ ∇L(f(D x), y), 0, 1), D the blur with the mask of x, Dᵀ as in
    :func:`.blur.pull_back`.

    Args:
        defence: :class:`Defence`.
        version: one of ``VERSIONS``.
        model: f, returns logits (N, K) for images in [0, 1].
        x: images (N, C, H, W) in [0, 1].
        y: labels (N,), int64.
        eps: ℓ∞ radius, ≥ 0.

    Returns:
        (N, C, H, W) in [0, 1], not blurred.

    Raises:
        ValueError: a wrong shape, type or range.
    """
    keep = defence.keep_mask(x, version)
    seen = blur.blurred(x, keep, defence.sigma)
    gradient = blur.pull_back(attacks.loss_gradient(model, seen, y), keep, defence.sigma)
    return attacks.sign_step(x, gradient, eps=eps)


def straight_through(defence, version, model, x, y, *, eps, steps):
    """BIM through the whole defence: each step computes the mask anew and passes the gradient by it as a constant.

    Athalye et al. (2018), Section 4: where a part of a defence has no useful derivative, here the choice of the kept
    pixels, the backward pass replaces it. xᵗ⁺¹ = Π(xᵗ + (2 eps / steps) · sign Dₜᵀ ∇L(f(Dₜ xᵗ), y)), Dₜ with the mask
    of xᵗ. An image stops once f(D xᵗ) is wrong. With ``original`` this is BIM.

    Args:
        steps: number of steps, ≥ 1; the others are those of :func:`fixed_mask`.

    Returns:
        (N, C, H, W) in [0, 1], not blurred.

    Raises:
        ValueError: a wrong shape, type or range.
    """
    checks.images(x)
    if not steps >= 1:
        raise ValueError(f"steps must be ≥ 1, got {steps}")
    x_adv = x.clone()
    active = torch.arange(len(x))
    for _ in range(steps):
        now = x_adv[active]
        keep = defence.keep_mask(now, version)
        gradient, label = loss_gradient_and_label(model, blur.blurred(now, keep, defence.sigma), y[active])
        go_on = label == y[active]
        active = active[go_on]
        if not len(active):
            break
        gradient = blur.pull_back(gradient[go_on], keep[go_on], defence.sigma)
        moved = now[go_on] + 2 * eps / steps * gradient.sign()
        x_adv[active] = attacks.project(moved, x[active], eps=eps)
    return x_adv


def loss_gradient_and_label(model, x, y=None):
    """:func:`.fgsm.loss_gradient` and the predicted class (N,), from one pass.

    Args:
        y: labels (N,); None: the predicted ones.
    """
    labels = []

    def loss(logits, y):
        labels.append(logits.argmax(1))
        return attacks.total_loss(logits, labels[-1] if own else y)

    own = y is None
    gradient = models.input_gradient(model, x, torch.zeros(len(x), dtype=torch.int64) if own else y, loss)
    return gradient, torch.cat(labels).to(x.device)
