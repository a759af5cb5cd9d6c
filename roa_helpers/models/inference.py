"""Asking a network: logits and input gradients in chunks, model and images left as they were found.

A model sees a copy of the images, in its own dtype (:func:`ask`): whatever it does to its input, the caller's images
stay, and gradients are those at the images.
"""

from contextlib import contextmanager, nullcontext
from itertools import chain

import torch

from .. import checks

CHUNK = 64
NO_GRADIENT = (
    "there is no gradient: the logits do not depend on the image (or on the layer looked at), or the model's forward"
    " cuts them off by detach, torch.no_grad or a way through NumPy"
)


@contextmanager
def frozen(model):
    """``model`` in evaluation mode with parameters that take no gradient; afterwards as it was found.

    Where the caller is in inference mode, that is left meanwhile: in it no gradient can be had.

    Raises:
        ValueError: ``model`` is not a module.
        UserError: it pools averages with padding where PyTorch's gradient of that is wrong.
    """
    checks.model(model)
    modes = [(m, m.training) for m in model.modules()]
    flags = [(p, p.requires_grad) for p in model.parameters() if not p.is_inference()]
    with torch.inference_mode(False) if torch.is_inference_mode_enabled() else nullcontext():
        try:
            model.eval()
            for parameter, _ in flags:
                parameter.requires_grad_(False)
            yield model
        finally:
            for module, training in modes:
                module.training = training
            for parameter, flag in flags:
                parameter.requires_grad_(flag)


def chunks(model, *tensors, size=CHUNK):
    """Tuples of slices of ``tensors``, ``size`` rows each, on the device of ``model``.

    Slices of tensors made in inference mode are copies that gradients may pass through.
    """
    if not all(torch.is_tensor(t) and t.ndim for t in tensors):
        raise ValueError("images and labels must be tensors with a row for each image")
    lengths = {len(t) for t in tensors}
    if len(lengths) != 1:
        raise ValueError(f"all tensors must have one length, got {sorted(lengths)}")
    parameter = next(model.parameters(), None)
    target = tensors[0].device if parameter is None else parameter.device
    for start in range(0, len(tensors[0]), size):
        yield tuple(_ordinary(t[start : start + size].to(target)) for t in tensors)


def _ordinary(tensor):
    return tensor.clone() if tensor.is_inference() and not torch.is_inference_mode_enabled() else tensor


def ask(model, x):
    """Logits (N, K) of one chunk of images: what every function here and elsewhere calls a model by.

    The model is given a copy, which it may overwrite. The copy has the dtype of ``x`` where the model has parameters
    or buffers of that dtype or none at all, else the widest that it has: float64 images go through a float32 network,
    float32 images through one in bfloat16. Logits in float16 or bfloat16 come back as float32, which loses nothing.

    Args:
        model: returns logits (N, K); frozen by the caller.
        x: images (N, C, H, W) on the device of the model; where they take gradients, these have the dtype of ``x``.

    Returns:
        (N, K), part of the graph of ``x``.

    Raises:
        ValueError: the model returns anything else (:func:`roa_helpers.checks.logits`), or a gradient is wanted of
            weights that were made in inference mode,
            or of logits that hang on the images by nothing that can be differentiated.
    """
    held = [t for t in chain(model.parameters(), model.buffers()) if t.is_floating_point()]
    if x.requires_grad and torch.is_grad_enabled() and any(t.is_inference() for t in held):
        raise ValueError(
            "the weights of the model were made in torch.inference_mode, which allows no gradients:"
            " build or load it outside, or take copy.deepcopy(model)"
        )
    dtypes = {t.dtype: None for t in held}
    dtype = x.dtype if not dtypes or x.dtype in dtypes else max(dtypes, key=lambda d: d.itemsize)
    logits = model(x.to(dtype, copy=True))
    checks.logits(logits, len(x))
    if x.requires_grad and torch.is_grad_enabled() and not logits.requires_grad:
        raise ValueError(NO_GRADIENT)
    return logits.float() if logits.dtype.itemsize < 4 else logits


def gradient(score, x, *, keep=False):
    """∂ score / ∂ x of a score that a model's logits led to.

    Args:
        score: one number.
        x: images that take gradients, or maps between them and the score.
        keep: whether the graph is needed once more.

    Raises:
        ValueError: the score hangs on ``x`` by nothing that can be differentiated, or its gradient is no number, which
            an attack by its sign would take for a pixel that need not move.
    """
    found = None
    if score.requires_grad:
        found = torch.autograd.grad(score, x, retain_graph=keep, allow_unused=True)[0]
    if found is None:
        raise ValueError(NO_GRADIENT)
    finite = found.isfinite().flatten(1).all(1)
    if not finite.all():
        raise ValueError(
            f"the gradient is NaN or infinite for {int((~finite).sum())} of {len(finite)} images, the first"
            f" {int((~finite).int().argmax())}: look for a root, a norm or a logarithm at 0, or an overflow"
        )
    return found


def predict(model, x):
    """Logits (N, K) of images (N, C, H, W) in [0, 1], without gradients, on the device of ``x``.

    Raises:
        ValueError: images of a wrong shape, type or range, or a model that returns no logits.
    """
    checks.images(x)
    parts = []
    with frozen(model), torch.no_grad():
        for (images,) in chunks(model, x):
            parts.append(ask(model, images).to(x.device))
    return torch.cat(parts)


def input_gradient(model, x, y, objective):
    """Gradient of an objective with respect to the images, each image by itself, in chunks.

    Args:
        model: returns logits (N, K) for images in [0, 1].
        x: images (N, C, H, W) in [0, 1].
        y: a tensor (N, …) that the objective reads, usually labels.
        objective: (logits, y) → one number, the sum over the images.

    Returns:
        (N, C, H, W), on the device and of the dtype of ``x``.

    Raises:
        ValueError: images of a wrong shape, type or range, a model that returns no logits or has no gradient.
    """
    checks.images(x)
    parts = []
    with frozen(model), torch.enable_grad():
        for images, values in chunks(model, x, y):
            images = images.detach().requires_grad_()
            parts.append(gradient(objective(ask(model, images), values), images).to(x.device))
    return torch.cat(parts)


def correct(model, x, y):
    """Whether the largest logit is that of ``y``: (N,) bool. Ties go to the lowest class index.

    Raises:
        ValueError: as :func:`predict`, or labels that are not one class of the model for each image.
    """
    logits = predict(model, x)
    checks.labels(y, logits)
    return logits.argmax(1) == y
