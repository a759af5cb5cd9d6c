"""Grad-CAM: where in the last feature maps the evidence for a class lies."""

from contextlib import contextmanager

import torch
import torch.nn.functional as F
from torch import nn

from .. import checks
from ..models import chunks, frozen
from .gradients import class_score


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
