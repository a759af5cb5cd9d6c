"""Argument checks that every public function shares: one clear error instead of a wrong number."""

from collections.abc import Mapping
from functools import cache

import torch
from torch import nn

from .errors import UserError


def model(network, *, name="model"):
    """``network`` is a module that can be called, with weights that are numbers, and no layer that PyTorch gets wrong.

    Raises:
        ValueError: it is none.
        UserError: it pools averages with padding on a device where PyTorch's gradient of that is wrong.
    """
    if not isinstance(network, nn.Module):
        raise ValueError(f"{name} must be a torch.nn.Module, got {described(network)}")
    if getattr(type(network), "forward", None) is nn.Module.forward and "forward" not in vars(network):
        raise ValueError(
            f"{name} must have a forward, which {described(network)} has not: nn.Sequential calls its modules in turn"
        )
    if not all(hasattr(module, "training") for module in network.modules()):
        raise ValueError(
            f"{name} was frozen by torch.jit, which leaves no layers: hand in the network as it was before"
        )
    if any(values.is_meta for values in (*network.parameters(), *network.buffers())):
        raise ValueError(f"the weights of {name} are on the device meta, which holds no numbers: load them")
    if any(isinstance(module, nn.AvgPool2d) and module.padding not in (0, (0, 0)) for module in network.modules()):
        for device in {weights.device for weights in network.parameters()}:
            if _pools_wrongly(device):
                raise UserError(
                    f"PyTorch {torch.__version__} gives wrong gradients on {device} where averages are pooled with"
                    f" padding, as {name} does\n  install a later one (it was mended in July 2026), or compute on the"
                    " CPU: set CUDA_VISIBLE_DEVICES to nothing"
                )


@cache
def _pools_wrongly(device):
    """Whether the gradient of average pooling with padding, channels last, is wrong: PyTorch's issue 188344.

    On CUDA it was, without a word. Here windows of 2×2 with a stride of 1 and a padding of 1 cover each pixel four
    times, so that the gradient of the sum of their means is 1 everywhere.
    """
    with torch.inference_mode(False), torch.enable_grad():
        x = torch.zeros(1, 2, 4, 4, device=device).contiguous(memory_format=torch.channels_last).requires_grad_()
        pooled = nn.functional.avg_pool2d(x, 2, stride=1, padding=1)
        return not torch.equal(torch.autograd.grad(pooled.sum(), x)[0], torch.ones_like(x))


def images(x, *, name="x"):
    """``x`` is a non-empty floating (N, C, H, W) tensor with finite values in [0, 1]."""
    if not torch.is_tensor(x) or x.ndim != 4 or not x.is_floating_point() or x.numel() == 0:
        raise ValueError(f"{name} must be a floating tensor (N, C, H, W) with N > 0, got {described(x)}")
    if x.layout != torch.strided:
        raise ValueError(f"{name} must be a dense tensor, got {x.layout}: take {name}.to_dense()")
    pixels(x, name=name)


def pixels(x, *, name):
    """``x`` is a non-empty tensor of finite values in [0, 1]."""
    low, high = (bound.item() for bound in x.detach().aminmax())
    if not (low >= 0 and high <= 1):
        raise ValueError(
            f"{name} must lie in [0, 1], got values from {low!r} to {high!r}:"
            f" divide bytes by 255, clamp what rounding put outside"
        )


def labels(y, logits):
    """``y`` holds one int64 class index for each row of ``logits``."""
    n, k = logits.shape
    if not torch.is_tensor(y) or y.shape != (n,) or y.dtype != torch.int64:
        raise ValueError(f"labels must be an int64 tensor ({n},), got {described(y)}")
    if not ((y >= 0) & (y < k)).all():
        raise ValueError(f"labels must lie in 0…{k - 1}, got {int(y.min())} to {int(y.max())}")


def logits(z, n):
    """``z``, what a model returned for ``n`` images, is one floating tensor (n, K ≥ 2), finite, not probabilities.

    The sums of K probabilities differ from 1 by at most 1e-4, or by the rounding of one of them where that is more
    (``finfo.eps``: 0.001 in float16, 0.008 in bfloat16).
    """
    if not torch.is_tensor(z):
        raise ValueError(
            f"a model must return one tensor of logits ({n}, K), got {described(z)}:"
            " wrap it in a module whose forward returns the logits alone"
        )
    if z.ndim != 2 or z.shape[0] != n or not z.is_floating_point():
        raise ValueError(f"a model must return floating logits ({n}, K), a row for each image, got {described(z)}")
    if z.layout != torch.strided:
        raise ValueError(f"a model must return dense logits, got {z.layout}: take logits.to_dense()")
    if z.shape[1] < 2:
        raise ValueError(
            f"a model must return logits ({n}, K) of at least two classes, got {described(z)}:"
            " of one logit z that stands for two classes, return torch.cat([torch.zeros_like(z), z], 1)"
        )
    z = z.detach()
    finite = z.isfinite().all(1)
    if not finite.all():
        raise ValueError(
            f"the model returns NaN or infinite logits for {int((~finite).sum())} of {n} images, the first"
            f" {int((~finite).int().argmax())}: look for weights that are not finite, a division by 0, or an overflow"
        )
    wide = z if z.dtype == torch.float64 else z.float()
    tolerance = max(1e-4, torch.finfo(z.dtype).eps)
    if n and (wide >= 0).all() and torch.allclose(wide.sum(1), torch.ones_like(wide[:, 0]), atol=tolerance):
        raise ValueError("the model returns probabilities; remove its softmax so that it returns logits")


def maps(values, *, name="maps"):
    """``values`` is a (N, H, W) tensor."""
    if not torch.is_tensor(values) or values.ndim != 3:
        raise ValueError(f"{name} must be a tensor (N, H, W), got {described(values)}")


def unit_interval(value, *, name):
    """``value`` is a number in [0, 1]."""
    if not 0 <= value <= 1:
        raise ValueError(f"{name} must lie in [0, 1], got {value}")


def region(mask, x):
    """``mask`` is a boolean (N, 1, H, W) tensor over the images ``x``."""
    expected = (x.shape[0], 1, *x.shape[2:])
    if not torch.is_tensor(mask) or mask.dtype != torch.bool or mask.shape != expected:
        raise ValueError(f"region must be a bool tensor {expected}, got {described(mask)}")


def described(value):
    """What came, in a few words: type and shape of a tensor, the members of a tuple or a dict."""
    if torch.is_tensor(value):
        return f"{value.dtype} {tuple(value.shape)}"
    name = type(value).__name__
    if isinstance(value, Mapping) and value:
        return f"{name} of {_listed(f'{key!r}: {described(one)}' for key, one in value.items())}"
    if isinstance(value, tuple | list) and value:
        return f"{name} of {_listed(map(described, value))}"
    return name


def _listed(words, most=4):
    words = list(words)
    return ", ".join(words[:most]) + (", …" if len(words) > most else "")
