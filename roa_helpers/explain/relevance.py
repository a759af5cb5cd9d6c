"""Layer-wise relevance propagation with the ε rule, by zennit, through skip connections too."""

import torch
import torch.nn.functional as F
from torch import nn

from .. import checks, models
from ..models import chunks, frozen
from . import folding
from .conservation import Watch


def lrp_epsilon(model, x, target, *, epsilon=1e-6):
    """Layer-wise relevance propagation by the ε-rule, from a class's logit to the image.

    Bach et al. (2015), eq. 58:  R_i = Σ_j a_i w_ij / (z_j + ε sign z_j) R_j with z_j = Σ_i a_i w_ij + b_j, in every
    convolution, linear layer, mean and sum; ReLU passes relevance on, max pooling gives it to its largest entry. Batch
    normalisation is folded into the convolution before it. By zennit, the sum at the end of a residual block shares
    relevance out in proportion to its two terms (torchvision's blocks). Relevance is conserved but for what
    biases and ε take: Σ R = z_c where all biases are 0 and ε → 0. With ε → 0 a ReLU network gives input × gradient,
    the input being the *normalised* image (Ancona et al., 2018).

    Both are checked. Between the modules that rules are for, only what moves entries is allowed
    (:data:`.conservation.MOVES`): a sum x + f(x), a mean or a normalisation in a forward is refused by name. For every
    image Σ R must be z_c less what the layers take (:data:`.conservation.TOLERANCE`), and the folded network must
    give the logits of the network, within 1 % of the largest.

    Args:
        model: returns logits (N, K) for images in [0, 1]; whatever mixes entries must be a module. Where it has
            ``normalised`` and ``network``, relevance is that of the normalised image, otherwise that of ``x``.
            Wrappers and compilers are left aside (:func:`roa_helpers.models.wrappers.unwrapped`).
        x: images (N, C, H, W) in [0, 1].
        target: class to explain for each image, (N,), int64.
        epsilon: ε > 0, in units of the layers' outputs.

    Returns:
        (N, C, H, W), signed, in logits, on the device and of the dtype of ``x``.

    Raises:
        ValueError: a wrong shape, type or range, or a network that the rules don't reach as a whole.
    """
    checks.images(x)
    checks.model(model)
    if not 0 < epsilon < float("inf"):
        raise ValueError(f"epsilon must be finite and > 0, got {epsilon}")
    model = models.unwrapped(model)
    split = hasattr(model, "normalised") and hasattr(model, "network")
    network = models.unwrapped(model.network) if split else model
    parts = []
    with frozen(model), models.eager(), torch.enable_grad():
        first = _inputs(model, next(chunks(model, x[:1]))[0], split)
        before = models.ask(network, first.detach())
        with folding.folded(network), _epsilon_rules(epsilon).context(network), _watch(network) as watch:
            _unchanged(before, models.ask(network, first.detach()))
            for images, targets in chunks(model, x, target):
                watch.start(len(images))
                inputs = _inputs(model, images, split)
                logits = models.ask(network, inputs)
                checks.labels(targets, logits)
                watch.reached(logits, type(network).__name__)
                start = logits.detach() * F.one_hot(targets, logits.shape[1])
                relevance = torch.autograd.grad(logits, inputs, start)[0]
                watch.conserved(start.sum(1), relevance)
                parts.append(relevance.to(x))
    return torch.cat(parts)


def _inputs(model, images, split):
    """What the network takes, with gradients of its own."""
    return (model.normalised(images.clone()) if split else images).detach().requires_grad_()


def _unchanged(before, after):
    """Refuse a network that the rewriting, which goes by the order of modules, has made another."""
    if (after - before).abs().max() > 0.01 * before.abs().max():
        raise ValueError(
            "LRP cannot fold this network: its modules are not called in the order in which they are defined,"
            " or its residual blocks are not torchvision's, so that the folded network gives other logits"
        )


def _epsilon_rules(epsilon):
    """zennit's composite: which rule each kind of layer follows, and how blocks are rewritten for it."""
    from zennit import composites, layer, rules, types  # here, since zennit imports torchvision, which may need mending
    from zennit.torchvision import ResNetBasicBlockCanonizer, ResNetBottleneckCanonizer

    rule, share = rules.Epsilon(epsilon), rules.Norm(epsilon)
    kinds = [(types.Activation, rules.Pass()), (types.BatchNorm, rules.Pass()), (types.AvgPool, share),
             (layer.Sum, share), (types.Convolution, rule), (types.Linear, rule)]  # fmt: skip
    return composites.LayerMapComposite(kinds, [ResNetBottleneckCanonizer(), ResNetBasicBlockCanonizer()])


def _watch(network):
    """A :class:`.conservation.Watch` over the modules of a network that have a rule."""
    from zennit import layer, types

    ruled = types.Activation, types.BatchNorm, types.AvgPool, layer.Sum, types.Convolution, types.Linear
    layers = [m for m in network.modules() if isinstance(m, ruled) and not isinstance(m, nn.MultiheadAttention)]
    return Watch(layers, free=types.Activation)
