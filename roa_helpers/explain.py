"""Explanations: which pixels carry the score of a class.

Every model here returns logits (N, K) for images (N, C, H, W) in [0, 1]; its mode, its parameters and their
gradient flags are left as they were, and hooks live only as long as their ``with`` block.
"""

from contextlib import contextmanager

import torch
import torch.nn.functional as F
from torch import nn

from . import checks, models, rectifiers
from .lime import lime_image as lime_image
from .models import CHUNK, chunks, frozen


@contextmanager
def capture(layer):
    """Keep what ``layer`` returns: the list yielded holds the output of its latest call.

    The layers behind it get a copy, so that one that works in place (``ReLU(inplace=True)``) cannot overwrite it.
    """
    seen = []

    def keep(module, inputs, output):
        seen[:] = [output]
        return output.clone()

    handle = layer.register_forward_hook(keep)
    try:
        yield seen
    finally:
        handle.remove()


def cam_layer(model):
    """Where Grad-CAM looks unless told otherwise: the model's own ``cam_layer``, else its last convolution.

    Raises:
        ValueError: the model has no convolution.
    """
    layer = getattr(model, "cam_layer", None)
    if layer is not None:
        return layer
    convolutions = [m for m in model.modules() if isinstance(m, nn.Conv2d)]
    if not convolutions:
        raise ValueError("the model has no convolution; name the layer that Grad-CAM should use")
    return convolutions[-1]


def class_activation(activations, score, size):
    """Grad-CAM's map from a recorded forward pass.

    α_k = mean over positions of ∂z_c / ∂A^k,  map = ReLU(Σ_k α_k A^k), then bilinear interpolation to ``size``.

    Args:
        activations: A, (N, K, h, w), part of the graph that led to ``score``.
        score: the sum over images of z_c, the logit of the class explained.
        size: (H, W) of the result.

    Returns:
        (N, H, W), non-negative, in units of the logit.
    """
    gradient = torch.autograd.grad(score, activations, retain_graph=True)[0]
    weights = gradient.mean((2, 3), keepdim=True)
    cam = F.relu((weights * activations.detach()).sum(1, keepdim=True))
    return F.interpolate(cam, size, mode="bilinear", align_corners=False)[:, 0]


def grad_cam(model, x, target, *, layer=None):
    """Gradient-weighted class activation map.

    Selvaraju et al. (2017), eqs. 1 and 2:  L^c = ReLU(Σ_k α_k^c A^k), α_k^c the mean of ∂z_c/∂A^k over positions;
    interpolated bilinearly to the size of the images. The paper's “attention map”.

    Args:
        model: returns logits (N, K) for images in [0, 1].
        x: images (N, C, H, W) in [0, 1].
        target: class to explain for each image, (N,), int64.
        layer: module whose output is A (None: see :func:`cam_layer`).

    Returns:
        (N, H, W), non-negative, not scaled.

    Raises:
        ValueError: a wrong shape, type or range, no convolution to look at, or a layer that returns no maps.
    """
    checks.images(x)
    parts = []
    layer = cam_layer(model) if layer is None else layer
    with frozen(model), capture(layer) as seen, torch.enable_grad():
        for images, targets in chunks(model, x, target):
            logits = model(images.detach().requires_grad_())
            checks.logits(logits.detach(), len(images))
            if not seen or seen[0].ndim != 4:
                raise ValueError("the layer of Grad-CAM must be used by the model and return maps (N, K, h, w)")
            cam = class_activation(seen[0], class_score(logits, targets), x.shape[2:])
            parts.append(cam.detach().to(x.device))
    return torch.cat(parts)


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

    Springenberg et al. (2015), Section 3.4; see :class:`roa_helpers.rectifiers.Guided`. ReLU counts whether the
    model calls it as a module, as a function or as a method.

    Args:
        model: returns logits (N, K) for images in [0, 1]; ReLU is its only rectifying activation.
        x: images (N, C, H, W) in [0, 1].
        target: class to explain for each image, (N,), int64.

    Returns:
        (N, C, H, W), signed: below the first ReLU stands a linear layer, which may turn signs.

    Raises:
        ValueError: a wrong shape, type or range, another rectifying activation, or no ReLU at all.
    """
    with rectifiers.Guided() as guided:
        maps = models.input_gradient(model, x, target, class_score)
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
            parts.append(maps.detach().to(x.device))
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
                total += torch.autograd.grad(score, noisy)[0].unflatten(0, (len(images), len(drawn))).sum(1)
            parts.append((total / samples).to(x.device))
    return torch.cat(parts)


def _scores(model, images, targets):
    """The logit of ``targets`` (N,) for each of the images (N, C, H, W): (N,)."""
    logits = model(images)
    checks.logits(logits.detach(), len(images))
    checks.labels(targets, logits)
    return logits.gather(1, targets[:, None])[:, 0]


def lrp_epsilon(model, x, target, *, epsilon=1e-6):
    """Layer-wise relevance propagation by the ε-rule, from a class's logit to the image.

    Bach et al. (2015), eq. 58:  R_i = Σ_j a_i w_ij / (z_j + ε sign z_j) R_j with z_j = Σ_i a_i w_ij + b_j, in every
    convolution, linear layer, mean and sum; ReLU passes relevance on, max pooling gives it to its largest entry. By
    zennit: batch normalisation is folded into the convolution before it, and the sum at the end of a residual block
    shares relevance out in proportion to its two terms (torchvision's blocks). Relevance is conserved but for what
    biases and ε take: Σ R = z_c where all biases are 0 and ε → 0. With ε → 0 a ReLU network gives input × gradient,
    the input being the *normalised* image (Ancona et al., 2018).

    Args:
        model: returns logits (N, K) for images in [0, 1]; whatever mixes entries must be a module. Where it has
            ``normalised`` and ``network``, relevance is that of the normalised image, otherwise that of ``x``.
        x: images (N, C, H, W) in [0, 1].
        target: class to explain for each image, (N,), int64.
        epsilon: ε > 0, in units of the layers' outputs.

    Returns:
        (N, C, H, W), signed, in logits.

    Raises:
        ValueError: a wrong shape, type or range.
    """
    checks.images(x)
    if not 0 < epsilon < float("inf"):
        raise ValueError(f"epsilon must be finite and > 0, got {epsilon}")
    split = hasattr(model, "normalised") and hasattr(model, "network")
    network = model.network if split else model
    parts = []
    with frozen(model), _epsilon_rules(epsilon).context(network), torch.enable_grad():
        for images, targets in chunks(model, x, target):
            inputs = (model.normalised(images) if split else images.clone()).detach().requires_grad_()
            logits = network(inputs)
            checks.logits(logits.detach(), len(images))
            checks.labels(targets, logits)
            start = logits.detach() * F.one_hot(targets, logits.shape[1])
            parts.append(torch.autograd.grad(logits, inputs, start)[0].to(x.device))
    return torch.cat(parts)


def _epsilon_rules(epsilon):
    """zennit's composite: which rule each kind of layer follows, and how blocks are rewritten for it."""
    from zennit import composites, layer, rules, types  # here, since zennit imports torchvision, which may need mending
    from zennit.torchvision import ResNetCanonizer

    rule, share = rules.Epsilon(epsilon), rules.Norm(epsilon)
    kinds = [(types.Activation, rules.Pass()), (types.BatchNorm, rules.Pass()), (types.AvgPool, share),
             (layer.Sum, share), (types.Convolution, rule), (types.Linear, rule)]  # fmt: skip
    return composites.LayerMapComposite(kinds, [ResNetCanonizer()])
