"""Asking a network: logits and input gradients in chunks, the model left as it was found."""

from contextlib import contextmanager

import torch

from .. import checks

CHUNK = 64


@contextmanager
def frozen(model):
    """``model`` in evaluation mode with parameters that take no gradient; afterwards as it was found."""
    modes = [(m, m.training) for m in model.modules()]
    flags = [(p, p.requires_grad) for p in model.parameters()]
    try:
        model.eval().requires_grad_(False)
        yield model
    finally:
        for module, training in modes:
            module.training = training
        for parameter, flag in flags:
            parameter.requires_grad_(flag)


def chunks(model, *tensors, size=CHUNK):
    """Tuples of slices of ``tensors``, ``size`` rows each, on the device of ``model``."""
    if not all(torch.is_tensor(t) and t.ndim for t in tensors):
        raise ValueError("images and labels must be tensors with a row for each image")
    lengths = {len(t) for t in tensors}
    if len(lengths) != 1:
        raise ValueError(f"all tensors must have one length, got {sorted(lengths)}")
    parameter = next(model.parameters(), None)
    target = tensors[0].device if parameter is None else parameter.device
    for start in range(0, len(tensors[0]), size):
        yield tuple(t[start : start + size].to(target) for t in tensors)


def predict(model, x):
    """Logits (N, K) of images (N, C, H, W) in [0, 1], without gradients, on the device of ``x``."""
    checks.images(x)
    parts = []
    with frozen(model), torch.no_grad():
        for (images,) in chunks(model, x):
            logits = model(images)
            checks.logits(logits, len(images))
            parts.append(logits.to(x.device))
    return torch.cat(parts)


def input_gradient(model, x, y, objective):
    """Gradient of an objective with respect to the images, each image by itself, in chunks.

    Args:
        model: returns logits (N, K) for images in [0, 1].
        x: images (N, C, H, W) in [0, 1].
        y: a tensor (N, …) that the objective reads, usually labels.
        objective: (logits, y) → one number, the sum over the images.

    Returns:
        (N, C, H, W), on the device of ``x``.
    """
    checks.images(x)
    parts = []
    with frozen(model), torch.enable_grad():
        for images, values in chunks(model, x, y):
            images = images.detach().requires_grad_()
            logits = model(images)
            checks.logits(logits.detach(), len(images))
            parts.append(torch.autograd.grad(objective(logits, values), images)[0].to(x.device))
    return torch.cat(parts)


def correct(model, x, y):
    """Whether the largest logit is that of ``y``: (N,) bool. Ties go to the lowest class index."""
    return predict(model, x).argmax(1) == y
