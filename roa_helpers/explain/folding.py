"""Batch normalisation folded into the layer before it, for as long as it is needed, and put back as it was."""

import contextlib

import torch
from torch import nn


def _pairs(network):
    """The batch normalisations of a network, each with the layer before it, (layer, normalisation).

    Raises:
        ValueError: one that doesn't follow a convolution or linear layer that it could be folded into.
    """
    from zennit import core, types  # here, since zennit imports torchvision, which may need mending

    found, last = [], None
    for leaf in core.collect_leaves(network):
        if isinstance(leaf, types.BatchNorm):
            fits = isinstance(last, types.Linear) and leaf.num_features == _outputs(last) and "weight" in _own(last)
            if not (fits and leaf.affine and leaf.track_running_stats):
                raise ValueError(
                    f"LRP folds batch normalisation into the layer before it; in {type(network).__name__}"
                    f" {leaf} follows {last} and cannot be"
                )
            found.append((last, leaf))
        last = leaf
    return found


def _own(module):
    """Parameters and buffers of a module itself, by name."""
    return dict([*module.named_parameters(recurse=False), *module.named_buffers(recurse=False)])


def _outputs(layer):
    """How many channels a layer hands on."""
    return layer.out_features if isinstance(layer, nn.Linear) else layer.out_channels


@contextlib.contextmanager
def folded(network):
    """In the block, each layer does its normalisation's work and each normalisation is the identity.

    W x + b, then γ (· − μ) / √(σ² + c) + β, becomes s W x + s (b − μ) + β with s = γ / √(σ² + c). Of the normalisation
    x √(1 + c) / √(1 + c) stays: torch 2.10 and 2.11 refuse a constant c of 0, which zennit 1.0 would set.

    Afterwards the network has the parameters that it had, themselves: zennit 1.0 puts copies in their place.
    """
    found = _pairs(network)
    kept = [(module, name, tensor) for module in network.modules() for name, tensor in _own(module).items()]
    kept += [(layer, "bias", None) for layer, _ in found if layer.bias is None]
    try:
        for layer, norm in found:
            values = _fused(layer, norm)
            for name, value in values.items():
                setattr(layer, name, nn.Parameter(value.detach(), requires_grad=False))
            for name, value in {
                "weight": (1 + norm.eps) ** 0.5,
                "bias": 0,
                "running_mean": 0,
                "running_var": 1,
            }.items():
                tensor = torch.full_like(getattr(norm, name), value)
                setattr(norm, name, tensor if name.startswith("running") else nn.Parameter(tensor, requires_grad=False))
        yield
    finally:
        for module, name, tensor in kept:
            setattr(module, name, tensor)


def _fused(layer, norm):
    """Weight and bias of a layer and its normalisation in one."""
    transposed = getattr(layer, "transposed", False)
    weight = layer.weight.unflatten(0, (layer.groups, -1)) if transposed else layer.weight
    scale = norm.weight / (norm.running_var + norm.eps).sqrt()
    bias = -norm.running_mean if layer.bias is None else layer.bias - norm.running_mean
    if transposed:  # (groups, inputs, outputs, …)
        by = scale.view(layer.groups, 1, -1, *[1] * (weight.ndim - 3))
    else:
        by = scale.view(-1, *[1] * (weight.ndim - 1))
    return {"weight": (weight * by).view_as(layer.weight), "bias": bias * scale + norm.bias}
