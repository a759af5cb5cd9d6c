"""Explanations: which pixels carry the score of a class.

Every model here returns logits (N, K) for images (N, C, H, W) in [0, 1]; its mode, its parameters and their
gradient flags are left as they were, and hooks live only as long as their ``with`` block.
"""

import torch

from .. import checks, models
from ..models import CHUNK, chunks, frozen
from . import rectifiers


def saliency(model, x, target):
    """Gradient of a class's logit with respect to the image.

    Simonyan et al. (2014):  ∂z_c/∂x, signed; take the absolute value or a norm over channels for a map.

    Args:
        model: returns logits (N, K) for images in [0, 1].
        x: images (N, C, H, W) in [0, 1].
        target: class to explain for each image, (N,), int64.

    Returns:
        (N, C, H, W), signed, in logits per unit of the pixel range.

    Raises:
        ValueError: a wrong shape, type or range.
    """
    return models.input_gradient(model, x, target, class_score)


def class_score(logits, target):
    """Σ over images of the logit of ``target``: logits (N, K), classes (N,) → one number."""
    checks.labels(target, logits)
    return logits.gather(1, target[:, None]).sum()


def input_x_gradient(model, x, target):
    """Gradient times image: how much each value adds to the logit of the linear model that touches it at ``x``.

    Shrikumar et al. (2016):  x ⊙ ∂z_c/∂x. For a network of ReLUs without biases the sum over the image is z_c.

    Args:
        model: returns logits (N, K) for images in [0, 1].
        x: images (N, C, H, W) in [0, 1].
        target: class to explain for each image, (N,), int64.

    Returns:
        (N, C, H, W), signed, in logits.

    Raises:
        ValueError: a wrong shape, type or range.
    """
    return x.detach() * saliency(model, x, target)


def guided_backprop(model, x, target):
    """Gradient of a class's logit with respect to the image, whose negative parts are cut off at every ReLU.

    Springenberg et al. (2015), Section 3.4; see :class:`roa_helpers.explain.rectifiers.Guided`. ReLU counts whether the
    model calls it as a module, as a function or as a method; ReLU6 counts as one with a ceiling.

    Args:
        model: returns logits (N, K) for images in [0, 1]; ReLU and ReLU6 are its only rectifying activations.
        x: images (N, C, H, W) in [0, 1].
        target: class to explain for each image, (N,), int64.

    Returns:
        (N, C, H, W), signed: below the first ReLU stands a linear layer, which may turn signs.

    Raises:
        ValueError: a wrong shape, type or range, another rectifying activation, no ReLU at all, or one that is out of
            reach (TorchScript, several GPUs). Wrappers and compilers are left aside
            (:func:`roa_helpers.models.wrappers.unwrapped`).
    """

    def score(logits, classes):
        rectifiers.refuse_hidden(logits)
        return class_score(logits, classes)

    with models.eager(), rectifiers.Guided() as guided:
        maps = models.input_gradient(models.unwrapped(model), x, target, score)
    if guided.calls == 0:
        raise ValueError("guided backpropagation needs a model that calls ReLU; this one calls none that can be seen")
    return maps


def integrated_gradients(model, x, target, *, steps=50, baseline=0.0):
    """Gradient averaged along the straight line from a baseline, times the way.

    Sundararajan et al. (2017), eq. 1:  (x − b) ⊙ ∫₀¹ ∂z_c/∂x (b + t (x − b)) dt, the integral by Gauss–Legendre
    quadrature as captum computes it. The sum over the image tends to z_c(x) − z_c(b) with more steps.

    Args:
        model: returns logits (N, K) for images in [0, 1].
        x: images (N, C, H, W) in [0, 1].
        target: class to explain for each image, (N,), int64.
        steps: points of the quadrature, ≥ 1.
        baseline: b, a number in [0, 1] (0: black, as in the paper) or images of the shape of ``x``.

    Returns:
        (N, C, H, W), signed, in logits.

    Raises:
        ValueError: a wrong shape, type or range.
    """
    from captum.attr import IntegratedGradients

    checks.images(x)
    if steps < 1:
        raise ValueError(f"steps must be at least 1, got {steps}")
    start = baseline.to(x) if torch.is_tensor(baseline) else torch.full_like(x, baseline)
    checks.images(start, name="baseline")
    if start.shape != x.shape:
        raise ValueError(f"baseline must be a number or images {tuple(x.shape)}, got {tuple(start.shape)}")
    explainer = IntegratedGradients(lambda images, targets: _scores(model, images, targets))
    parts = []
    with frozen(model), torch.enable_grad():
        for images, starts, targets in chunks(model, x.detach(), start.detach(), target):
            maps = explainer.attribute(
                images.requires_grad_(),
                starts.requires_grad_(),
                additional_forward_args=(targets,),
                n_steps=steps,
                internal_batch_size=CHUNK,
            )
            parts.append(maps.detach().to(x))
    return torch.cat(parts)


def smooth_grad(model, x, target, *, samples, sd, seed):
    """Gradient averaged over noisy copies of the image.

    Smilkov et al. (2017):  1/n Σᵢ ∂z_c/∂x (x + εᵢ),  εᵢ ~ N(0, sd²) for each value, not clipped. Signed, unlike some
    implementations. Differs from the paper in that ``sd`` is a share of the range [0, 1], not of the range of the
    image at hand. Every image of a batch meets the same noise, so its map does not depend on the others.

    Args:
        model: returns logits (N, K) for images in [0, 1].
        x: images (N, C, H, W) in [0, 1].
        target: class to explain for each image, (N,), int64.
        samples: n, ≥ 1.
        sd: standard deviation of the noise, ≥ 0 (the paper looks at 0.1 to 0.2).
        seed: seed of the noise.

    Returns:
        (N, C, H, W), signed, in logits per unit of the pixel range.

    Raises:
        ValueError: a wrong shape, type or range.
    """
    checks.images(x)
    if samples < 1 or not 0 <= sd < float("inf"):
        raise ValueError(f"samples must be at least 1 and sd finite and ≥ 0, got {samples} and {sd}")
    generator = torch.Generator().manual_seed(seed)
    noise = sd * torch.randn(samples, *x.shape[1:], generator=generator, dtype=x.dtype)
    parts = []
    with frozen(model), torch.enable_grad():
        for images, targets in chunks(model, x.detach(), target):
            total = torch.zeros_like(images)
            for drawn in noise.to(images.device).split(max(1, CHUNK // len(images))):
                noisy = (images[:, None] + drawn).flatten(0, 1).requires_grad_()
                score = _scores(model, noisy, targets.repeat_interleave(len(drawn))).sum()
                total += models.gradient(score, noisy).unflatten(0, (len(images), len(drawn))).sum(1)
            parts.append((total / samples).to(x.device))
    return torch.cat(parts)


def _scores(model, images, targets):
    """The logit of ``targets`` (N,) for each of the images (N, C, H, W): (N,)."""
    logits = models.ask(model, images)
    checks.labels(targets, logits)
    return logits.gather(1, targets[:, None])[:, 0]
