"""Heatmaps of the pixel-importance thesis: which pixels matter to the class that a model sees.

None of them looks at the true label, since a defence cannot.
"""

import torch

from ... import attacks, checks, explain, models

HEATMAPS = ("gradient", "input_x_gradient", "lrp_epsilon", "pgd")


def importance(model, x, *, names=HEATMAPS, epsilon, radius, steps):
    """Heatmaps of the predicted class, one number a pixel.

    ``gradient``: L2 norm over channels of ∂z_c/∂x. ``input_x_gradient`` and ``lrp_epsilon``: their sum over channels,
    so that evidence against the class ranks last. ``pgd``: L2 norm over channels of :func:`pgd_perturbation`; the
    thesis says no more than the name, and this is our reading of it.

    Args:
        model: returns logits (N, K) for images in [0, 1].
        x: images (N, C, H, W) in [0, 1].
        names: which of ``HEATMAPS`` to compute.
        epsilon: ε of :func:`.relevance.lrp_epsilon`.
        radius, steps: of :func:`pgd_perturbation`.

    Returns:
        dict of (N, H, W) by name, in the order of ``names``.

    Raises:
        ValueError: an unknown name, or as the explanations do.
    """
    if not set(names) <= set(HEATMAPS):
        raise ValueError(f"heatmaps are {', '.join(HEATMAPS)}, not {', '.join(names)}")
    target = models.predict(model, x).argmax(1)
    found = {}
    if {"gradient", "input_x_gradient"} & set(names):
        gradient = explain.saliency(model, x, target)
        found |= {"gradient": gradient.norm(dim=1), "input_x_gradient": (x * gradient).sum(1)}
    if "lrp_epsilon" in names:
        found["lrp_epsilon"] = explain.lrp_epsilon(model, x, target, epsilon=epsilon).sum(1)
    if "pgd" in names:
        found["pgd"] = pgd_perturbation(model, x, target, radius=radius, steps=steps).norm(dim=1)
    return {name: found[name] for name in names}


def pgd_perturbation(model, x, y, *, radius, steps):
    """What projected gradient descent inside an ℓ₂ ball adds to the images; it starts at the images themselves.

    Madry et al. (2018):  δ⁰ = 0,  δᵗ⁺¹ = Π(δᵗ + (1.5 radius / steps) · g / ‖g‖₂), g = ∇ₓ L(x + δᵗ, y), where Π projects
    on ‖δ‖₂ ≤ radius and then clips x + δ to [0, 1]. In the ℓ∞ ball nearly every pixel would move by the same amount.

    Args:
        model: returns logits (N, K) for images in [0, 1].
        x: images (N, C, H, W) in [0, 1].
        y: classes whose loss rises, (N,), int64.
        radius: ≥ 0.
        steps: ≥ 1.

    Returns:
        (N, C, H, W); zero where the gradient vanishes in the precision of ``x``.

    Raises:
        ValueError: a wrong shape, type or range.
    """
    checks.images(x)
    if not (0 <= radius < float("inf") and steps >= 1):
        raise ValueError(f"radius must be finite and ≥ 0 and steps ≥ 1, got {radius} and {steps}")
    moved = torch.zeros_like(x)
    for _ in range(steps):
        moved = moved + 1.5 * radius / steps * _unit(attacks.loss_gradient(model, x + moved, y))
        moved = moved * (radius / _norm(moved).clamp_min(1e-30)).clamp_max(1)
        moved = (x + moved).clamp(0, 1) - x
    return moved


def _unit(values):
    norm = _norm(values)
    return torch.where(norm > 0, values / norm.clamp_min(1e-30), 0)


def _norm(values):
    return values.flatten(1).norm(dim=1)[:, None, None, None]
