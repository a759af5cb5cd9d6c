"""Grad-CAM: where in the last feature maps the evidence for a class lies."""

from contextlib import contextmanager

import torch
import torch.nn.functional as F

from .. import checks, models
from ..models import chunks, frozen
from .gradients import class_score
from .layers import cam_layer


@contextmanager
def capture(layer):
    """Keep what ``layer`` returns: the list yielded holds the output of its latest call.

    The layers behind it get a copy, so that one that works in place (``ReLU(inplace=True)``) cannot overwrite it.

    Raises:
        ValueError: ``layer`` is not a module, or one of TorchScript.
    """
    checks.model(layer, name="layer")
    if isinstance(layer, torch.jit.ScriptModule):
        raise ValueError("no layer of TorchScript can be looked at: explain the network as it was before torch.jit")
    seen = []

    def keep(module, inputs, output):
        seen[:] = [output]
        return output.clone() if torch.is_tensor(output) else None

    with models.eager():
        handle = layer.register_forward_hook(keep)
        try:
            yield seen
        finally:
            handle.remove()


def class_activation(activations, score, size):
    """Grad-CAM's map from a recorded forward pass.

    α_k = mean over positions of ∂z_c / ∂A^k,  map = ReLU(Σ_k α_k A^k), then bilinear interpolation to ``size``.

    Args:
        activations: A, (N, K, h, w), part of the graph that led to ``score``.
        score: the sum over images of z_c, the logit of the class explained.
        size: (H, W) of the result.

    Returns:
        (N, H, W), non-negative, in units of the logit.

    Raises:
        ValueError: the score does not depend on the activations.
    """
    gradient = models.gradient(score, activations, keep=True).to(score.dtype)
    weights = gradient.mean((2, 3), keepdim=True)
    cam = F.relu((weights * activations.detach()).sum(1, keepdim=True))
    return F.interpolate(cam, size, mode="bilinear", align_corners=False)[:, 0]


def activations(seen, n):
    """What :func:`capture` kept of one pass of ``n`` images, if it is maps.

    Returns:
        (n, K, h, w).

    Raises:
        ValueError: the layer was not called, or what it returned is not a map for each image.
    """
    found = seen[0] if seen else None
    if not torch.is_tensor(found) or found.ndim != 4 or len(found) != n or not found.requires_grad:
        raise ValueError(
            f"the layer of Grad-CAM must be used by the model and return maps ({n}, K, h, w)"
            f" that depend on the image, got {checks.described(found)}"
        )
    return found


def grad_cam(model, x, target, *, layer=None):
    """Gradient-weighted class activation map.

    Selvaraju et al. (2017), eqs. 1 and 2:  L^c = ReLU(Σ_k α_k^c A^k), α_k^c the mean of ∂z_c/∂A^k over positions;
    interpolated bilinearly to the size of the images. The paper's “attention map”.

    Args:
        model: returns logits (N, K) for images in [0, 1].
        x: images (N, C, H, W) in [0, 1].
        target: class to explain for each image, (N,), int64.
        layer: module whose output is A (None: see :func:`.layers.cam_layer`).

    Returns:
        (N, H, W), non-negative, not scaled, on the device and of the dtype of ``x``.

    Raises:
        ValueError: a wrong shape, type or range, no layer that can be chosen, or one that returns no maps.
    """
    checks.images(x)
    checks.model(model)
    parts = []
    network = models.unwrapped(model)
    layer = cam_layer(network, x) if layer is None else layer
    with frozen(model), capture(layer) as seen, torch.enable_grad():
        for images, targets in chunks(network, x, target):
            logits = models.ask(network, images.detach().requires_grad_())
            maps = activations(seen, len(images))
            cam = class_activation(maps, class_score(logits, targets), x.shape[2:])
            parts.append(cam.detach().to(x))
    return torch.cat(parts)
