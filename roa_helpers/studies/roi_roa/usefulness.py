"""Section II-C of the paper: how useful, and how robustly useful, the features of a trained network are."""

import pandas as pd
import torch

from ... import attacks, models


def estimate(model, reference, test, *, eps, count, steps, seed):
    """Estimates of ρ and γ for a sample of the penultimate features of a binary classifier.

    Ilyas et al. (2019), as the paper adopts it:  ρ(f) = E[y f(x)],  γ(f) = E[inf over ‖δ‖∞ ≤ ε of y f(x + δ)], with
    y ∈ {±1}. f is standardised on ``reference`` and turned so that its ρ is ≥ 0 there. The infimum is searched by
    ``steps`` sign steps; what a search finds is an upper bound, so γ̂ is at least γ.

    Args:
        model: :class:`.vgg.Classifier` of two classes.
        reference: (images, labels) to standardise on, not part of the test images.
        test: (images (N, C, H, W) in [0, 1], labels (N,) in {0, 1}) to estimate on.
        eps: ℓ∞ radius, ≥ 0.
        count: most features to sample; those that are constant on ``reference`` are left out.
        steps: steps of the search, ≥ 1.
        seed: seed of the sample.

    Returns:
        a row a feature: feature, rho, gamma; in units of the feature's standard deviation.
    """
    values, sign = _penultimate(model, reference[0]), 2.0 * reference[1] - 1
    deviation, centre = values.std(0), values.mean(0)
    turn = torch.where((sign[:, None] * (values - centre)).mean(0) < 0, -1.0, 1.0)
    alive = torch.nonzero(deviation > 1e-6)[:, 0]
    order = torch.randperm(len(alive), generator=torch.Generator().manual_seed(seed))
    x, y = test[0], 2.0 * test[1] - 1
    clean_values = _penultimate(model, x)
    rows = []
    for j in alive[order[:count]].tolist():
        scale = y * turn[j] / deviation[j]
        clean = (clean_values[:, j] - centre[j]) * scale
        x_adv = x
        for _ in range(steps):
            x_adv = x_adv - 2 * eps / steps * _feature_gradient(model, x_adv, scale, j).sign()
            x_adv = attacks.project(x_adv, x, eps=eps)
        least = torch.minimum(clean, (_penultimate(model, x_adv)[:, j] - centre[j]) * scale)
        rows.append({"feature": j, "rho": float(clean.mean()), "gamma": float(least.mean())})
    return pd.DataFrame(rows, columns=["feature", "rho", "gamma"])


def _penultimate(model, x):
    with models.frozen(model), torch.no_grad():
        return torch.cat([model.penultimate(images).to(x.device) for (images,) in models.chunks(model, x)])


def _feature_gradient(model, x, scale, j):
    parts = []
    with models.frozen(model), torch.enable_grad():
        for images, scales in models.chunks(model, x, scale):
            images = images.detach().requires_grad_()
            value = (model.penultimate(images)[:, j] * scales).sum()
            parts.append(torch.autograd.grad(value, images)[0].to(x.device))
    return torch.cat(parts)
