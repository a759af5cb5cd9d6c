"""Which of a network's layers Grad-CAM looks at, found by following one image through it."""

from dataclasses import dataclass

import torch
from torch import nn

from .. import models
from . import graph

#: Modules with weights that change no position: behind the maps looked at they are no further layer.
_POINTWISE = (nn.modules.batchnorm._NormBase, nn.GroupNorm, nn.LayerNorm, nn.PReLU)
#: Modules that make no feature: where a map has one position already, they return it as it is.
_IDLE = (
    nn.AdaptiveAvgPool2d,
    nn.AdaptiveMaxPool2d,
    nn.AvgPool2d,
    nn.MaxPool2d,
    nn.modules.dropout._DropoutNd,
    nn.Identity,
)


@dataclass(frozen=True)
class Call:
    """One call of a module: the edge of its output in autograd's graph, and the shapes of first input and output."""

    module: nn.Module
    edge: tuple
    taken: torch.Size
    given: torch.Size


def cam_layer(model, x=None):
    """Where Grad-CAM looks unless told otherwise.

    The network inside wrappers (:func:`roa_helpers.models.wrappers.unwrapped`) may name it as ``cam_layer``. Else one
    image is followed. If all that reaches the logits passes through the module inside that names a ``cam_layer``, it is
    that one. Else if it passes through the last convolution, that; a convolution of 1×1 on a pooled map is a linear
    layer and doesn't count. Else, where branches join, the last module that returns maps of the same size which all
    passes through: the end of a residual stage, Inception's last concatenation, DenseNet's last normalisation.

    Args:
        model: returns logits (N, K) for images in [0, 1].
        x: images (N, C, H, W), the first of which is followed (None: a grey one of 224×224 pixels).

    Returns:
        A module of the network, or of its own choice.

    Raises:
        ValueError: no convolution; none of these layers, or layers with weights of their own that work on maps
            or tokens behind it (transformers); TorchScript, which shows no layers; a network that takes no image of
            224×224 pixels where no ``x`` is given.
    """
    network = models.unwrapped(model)
    layer = getattr(network, "cam_layer", None)
    if isinstance(layer, nn.Module):
        return layer
    scripted = next((m for m in network.modules() if isinstance(m, torch.jit.ScriptModule)), None)
    if scripted is not None:
        raise ValueError(
            f"{_name(scripted)} is TorchScript, in which no layer can be looked at:"
            " explain the network as it was before torch.jit"
        )
    convolutions = [m for m in network.modules() if isinstance(m, nn.Conv2d)]
    named = _named(network)
    if not convolutions and not named:
        raise ValueError("the model has no convolution; name the layer that Grad-CAM should use: layer=…")
    calls, start, end = followed(network, x[:1]) if x is not None else _probed(network, convolutions)

    def whole(call):
        return graph.all_pass(start, call.edge, end)

    if len(named) == 1 and any(call.module is named[0] and whole(call) for call in _last(calls)):
        return named[0]
    return _last_map(network, calls, whole)


def _probed(network, convolutions):
    try:
        return followed(network, torch.full((1, convolutions[0].in_channels if convolutions else 3, 224, 224), 0.5))
    except (AssertionError, RuntimeError) as error:
        raise ValueError(f"{_name(network)} takes no image of 224×224 pixels: pass images of its size as x") from error


def followed(network, x):
    """(the calls of one forward pass that return tensors with gradients, in their order; edges of logits and images)"""
    calls = []

    def note(module, taken, given):
        given = given[0] if isinstance(given, tuple) and given else given
        if torch.is_tensor(given) and given.requires_grad:
            first = taken[0].shape if taken and torch.is_tensor(taken[0]) else torch.Size()
            calls.append(Call(module, graph.edge(given), first, given.shape))

    handles = [module.register_forward_hook(note) for module in network.modules()]
    try:
        with models.frozen(network), models.eager(), torch.enable_grad():
            (images,) = next(models.chunks(network, x))
            images = images.detach().requires_grad_()
            return calls, graph.edge(models.ask(network, images)), graph.edge(images)
    finally:
        for handle in handles:
            handle.remove()


def _named(network):
    """The layers that modules inside name as their ``cam_layer``, each once."""
    found = {
        id(layer): layer for m in network.modules() if isinstance(layer := getattr(m, "cam_layer", None), nn.Module)
    }
    return list(found.values())


def _last(calls):
    """Each module's last call alone, which is the one that hooks keep."""
    return list({id(call.module): call for call in calls}.values())


def _last_map(network, calls, whole):
    """The last convolution if all passes through it (``whole``), or the last of the maps of its size behind it that
    all passes through, if no layer works on maps behind that."""
    advice = "; pass one of its modules that returns maps (N, K, h, w): layer=…"
    convolution = _last_convolution(calls)
    kept = {id(call) for call in _last(calls)}
    later = calls[calls.index(convolution) :] if convolution else []
    maps = [call for call in later if len(call.given) == 4 and call.given[2:] == convolution.given[2:]]
    maps = [call for call in maps if id(call) in kept and not isinstance(call.module, _IDLE)]
    chosen = next((call for call in (convolution, *maps[::-1]) if call in maps and whole(call)), None)
    if chosen is None:
        raise ValueError(
            f"{_name(network)} joins branches behind its feature maps: all it sees passes through none of them{advice}"
        )
    for call in calls[calls.index(chosen) + 1 :]:
        weighs = next(call.module.parameters(recurse=False), None) is not None
        if weighs and not isinstance(call.module, _POINTWISE) and _spread(call.given):
            raise ValueError(
                f"{_name(network)} goes on working on its maps behind the last convolution"
                f" ({_name(call.module)}), so that its last feature map is in doubt{advice}"
            )
    return chosen.module


def _last_convolution(calls):
    """The last call of a convolution, of those before a pooling where behind it come only 1×1 ones on one position."""
    found = [call for call in calls if isinstance(call.module, nn.Conv2d)]
    count = len(found)
    while count and found[count - 1].taken[2:].numel() == 1 and set(found[count - 1].module.kernel_size) == {1}:
        count -= 1
    pooled = count and found[count - 1].given[2:].numel() > 1
    return found[count - 1] if pooled else found[-1] if found else None


def _spread(shape):
    """Whether a tensor (N, …) has several positions: more than one dimension is longer than 1."""
    return sum(size > 1 for size in shape[1:]) > 1


def _name(module):
    return getattr(module, "original_name", type(module).__name__)
