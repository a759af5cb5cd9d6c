"""Argument checks that every public function shares: one clear ValueError instead of a wrong number."""

import torch


def images(x, *, name="x"):
    """``x`` is a non-empty floating (N, C, H, W) tensor with finite values in [0, 1]."""
    if not torch.is_tensor(x) or x.ndim != 4 or not x.is_floating_point() or x.numel() == 0:
        raise ValueError(f"{name} must be a floating tensor (N, C, H, W) with N > 0, got {_describe(x)}")
    low, high = x.aminmax()
    if not (low >= 0 and high <= 1):
        raise ValueError(f"{name} must lie in [0, 1], got values from {low:g} to {high:g}")


def labels(y, logits):
    """``y`` holds one int64 class index for each row of ``logits``."""
    n, k = logits.shape
    if not torch.is_tensor(y) or y.shape != (n,) or y.dtype != torch.int64:
        raise ValueError(f"labels must be an int64 tensor ({n},), got {_describe(y)}")
    if not ((y >= 0) & (y < k)).all():
        raise ValueError(f"labels must lie in 0…{k - 1}, got {int(y.min())} to {int(y.max())}")


def logits(z, n):
    """``z`` is (N, K) and not already a probability distribution."""
    if z.ndim != 2 or z.shape[0] != n:
        raise ValueError(f"a model must return logits ({n}, K), got {_describe(z)}")
    if z.shape[1] > 1 and (z >= 0).all() and torch.allclose(z.sum(1), torch.ones_like(z[:, 0]), atol=1e-4):
        raise ValueError("the model returns probabilities; remove its softmax so that it returns logits")


def maps(values, *, name="maps"):
    """``values`` is a (N, H, W) tensor."""
    if not torch.is_tensor(values) or values.ndim != 3:
        raise ValueError(f"{name} must be a tensor (N, H, W), got {_describe(values)}")


def unit_interval(value, *, name):
    """``value`` is a number in [0, 1]."""
    if not 0 <= value <= 1:
        raise ValueError(f"{name} must lie in [0, 1], got {value}")


def region(mask, x):
    """``mask`` is a boolean (N, 1, H, W) tensor over the images ``x``."""
    expected = (x.shape[0], 1, *x.shape[2:])
    if not torch.is_tensor(mask) or mask.dtype != torch.bool or mask.shape != expected:
        raise ValueError(f"region must be a bool tensor {expected}, got {_describe(mask)}")


def _describe(value):
    return f"{value.dtype} {tuple(value.shape)}" if torch.is_tensor(value) else type(value).__name__
