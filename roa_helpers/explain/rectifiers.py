"""ReLU with the backward rule of guided backpropagation, wherever a model calls it; and ReLU6, that with a ceiling.

``nn.ReLU``, ``F.relu``, ``torch.relu`` and ``Tensor.relu`` (in place or not) all pass through PyTorch's function
dispatch, so one ``TorchFunctionMode`` reaches them without touching the model; so do ``nn.ReLU6``, ``F.relu6`` and
``F.hardtanh`` from 0. What calls no such function is out of reach: rectifiers written by hand (``torch.where``).
``clamp(min=0)`` is refused, and so is what the graph shows of a ReLU that was called in another way: in TorchScript, in
another thread, in compiled code.
"""

import math

import torch
from torch.overrides import TorchFunctionMode

from . import graph

#: Names in autograd's graph of rectifiers that no function call led to, or of what may hide them.
HIDDEN = frozenset(("CompiledFunction", "DifferentiableGraph", "Hardtanh", "Relu"))

#: Functions that rectify in another way; the rule of guided backpropagation is defined for ReLU alone.
OTHERS = frozenset(
    ("celu", "elu", "gelu", "hardshrink", "hardswish", "leaky_relu", "mish", "prelu", "rrelu", "selu", "silu")
    + ("softplus", "softshrink", "threshold")
)


class Guided(TorchFunctionMode):
    """While entered, every ReLU of this thread passes back only gradients that are positive at active units.

    Springenberg et al. (2015), Section 3.4:  Rˡ = 1[fˡ > 0] · 1[Rˡ⁺¹ > 0] · Rˡ⁺¹, where fˡ is what ReLU returned
    and R the signal that travels back. Of ReLU6, min(max(x, 0), 6), which the paper does not know, the first factor is
    1[0 < fˡ < 6]: as for ReLU, where the function lets a gradient through. Values computed forward are those of the
    function.

    Attributes:
        calls: how often ReLU was called.

    Raises:
        ValueError: on entering a function of :data:`OTHERS`, ``hardtanh`` from another value than 0, or ``clamp`` from
            below at 0 alone.
    """

    def __init__(self):
        super().__init__()
        self.calls = 0

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        called = getattr(func, "__name__", "").partition(".")[0]  # relu.default, as exported networks call it
        name = called.strip("_")
        if name in OTHERS:
            raise ValueError(f"guided backpropagation is defined for ReLU; the model calls {name}")
        if name in ("clamp", "clamp_min", "clip") and _rectifies(*args[1:], **kwargs):
            raise ValueError(f"guided backpropagation needs ReLU to be called as such; the model calls {name} at 0")
        if name not in _RULED:
            return func(*args, **kwargs)
        self.calls += 1
        x, ceiling, in_place = _RULED[name](*args, **kwargs)
        return _GuidedReLU.apply(x, ceiling, in_place or called.endswith("_"))


def refuse_hidden(logits):
    """Refuse logits that a ReLU without the rule led to.

    Raises:
        ValueError: naming what the graph shows.
    """
    found = {graph.operation(node) for node, _ in graph.below(graph.edge(logits))} & HIDDEN
    if found:
        raise ValueError(
            f"guided backpropagation cannot reach every ReLU of the model ({', '.join(sorted(found))} in its graph):"
            " explain the network as it was before torch.jit, torch.compile or several GPUs"
        )


def _rectifies(min=None, max=None, **_):
    return not torch.is_tensor(min) and min == 0 and max is None


def _relu(input, inplace=False):
    return input, math.inf, inplace


def _relu6(input, inplace=False):
    return input, 6.0, inplace


def _hardtanh(input, min_val=-1.0, max_val=1.0, inplace=False):
    if min_val != 0:
        raise ValueError(f"guided backpropagation is defined for ReLU; the model calls hardtanh from {min_val}")
    return input, max_val, inplace


#: Functions that the rule is for, and how they are called: → (what is rectified, the ceiling, whether in place).
_RULED = {"relu": _relu, "relu6": _relu6, "hardtanh": _hardtanh}


class _GuidedReLU(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, ceiling, in_place):
        if in_place:
            ctx.mark_dirty(x)
        out = x.clamp_(0, ceiling) if in_place else x.clamp(0, ceiling)
        ctx.save_for_backward(out)
        ctx.ceiling = ceiling
        return out

    @staticmethod
    def backward(ctx, signal):
        (out,) = ctx.saved_tensors
        return torch.where((out > 0) & (out < ctx.ceiling), signal.clamp(min=0), 0), None, None
