"""What stands around a network: wrappers that compute nothing of their own, and compilers that hide its layers."""

import sys
from contextlib import nullcontext

import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel

_HOLDERS = (nn.DataParallel, nn.parallel.DistributedDataParallel, AveragedModel)


def unwrapped(model):
    """The network inside wrappers that hand on what it answers, however deep; ``model`` itself where there is none.

    Known are ``DataParallel``, ``DistributedDataParallel``, ``AveragedModel``, what ``torch.compile`` returns, and a
    ``Sequential`` of one module. A wrapper with hooks of its own computes something and stays.
    """
    while isinstance(model, nn.Module) and not (model._forward_hooks or model._forward_pre_hooks):
        if isinstance(model, _HOLDERS):
            model = model.module
        elif isinstance(getattr(model, "_orig_mod", None), nn.Module):
            model = model._orig_mod
        elif type(model) is nn.Sequential and len(model) == 1:
            model = model[0]
        else:
            break
    return model


def eager():
    """A context in which compiled networks, and compiled parts of networks, run as they are written.

    Compiled code knows nothing of hooks and of overridden functions. torch before 2.6 cannot be told so: there,
    compiled parts inside a network stay out of sight.
    """
    compiled = "torch._dynamo" in sys.modules and hasattr(torch.compiler, "set_stance")
    return torch.compiler.set_stance("force_eager") if compiled else nullcontext()
