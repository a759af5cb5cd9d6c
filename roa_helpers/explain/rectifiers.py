"""ReLU with the backward rule of guided backpropagation, wherever a model calls it.

``nn.ReLU``, ``F.relu``, ``torch.relu`` and ``Tensor.relu`` (in place or not) all pass through PyTorch's function
dispatch, so one ``TorchFunctionMode`` reaches them without touching the model. What calls no such function is out of
reach: rectifiers written by hand (``torch.where``). ``clamp(min=0)`` is refused, and so is what the graph shows of a
ReLU that was called in another way: in TorchScript, in another thread, in compiled code.
"""

import torch
from torch.overrides import TorchFunctionMode

from . import graph

#: Names in autograd's graph of rectifiers that no function call led to, or of what may hide them.
HIDDEN = frozenset(("CompiledFunction", "DifferentiableGraph", "Relu"))

#: Functions that rectify in another way; the rule of guided backpropagation is defined for ReLU alone.
OTHERS = frozenset(
    ("celu", "elu", "gelu", "hardshrink", "hardswish", "hardtanh", "leaky_relu", "mish", "prelu", "relu6", "rrelu")
    + ("selu", "silu", "softplus", "softshrink", "threshold")
)


class Guided(TorchFunctionMode):
    """While entered, every ReLU of this thread passes back only gradients that are positive at active units.

    Springenberg et al. (2015), Section 3.4:  Rˡ = 1[fˡ > 0] · 1[Rˡ⁺¹ > 0] · Rˡ⁺¹, where fˡ is what ReLU returned
    and R the signal that travels back. Values computed forward are those of ReLU.

    Attributes:
        calls: how often ReLU was called.

    Raises:
        ValueError: on entering a function of :data:`OTHERS`, or ``clamp`` from below at 0 alone.
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
        if name != "relu":
            return func(*args, **kwargs)
        self.calls += 1
        return _rectify(*args, **(kwargs | {"inplace": True} if called == "relu_" else kwargs))


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


def _rectify(input, inplace=False):
    return _GuidedReLU.apply(input, inplace)


class _GuidedReLU(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, in_place):
        if in_place:
            ctx.mark_dirty(x)
        out = x.relu_() if in_place else x.relu()
        ctx.save_for_backward(out)
        return out

    @staticmethod
    def backward(ctx, signal):
        (out,) = ctx.saved_tensors
        return torch.where(out > 0, signal.clamp(min=0), 0), None
