"""Layer-wise relevance propagation with the ε rule, by zennit, through skip connections too."""

import torch
import torch.nn.functional as F

from .. import checks
from ..models import chunks, frozen


def lrp_epsilon(model, x, target, *, epsilon=1e-6):
    """Layer-wise relevance propagation by the ε-rule, from a class's logit to the image.

    Bach et al. (2015), eq. 58:  R_i = Σ_j a_i w_ij / (z_j + ε sign z_j) R_j with z_j = Σ_i a_i w_ij + b_j, in every
    convolution, linear layer, mean and sum; ReLU passes relevance on, max pooling gives it to its largest entry. By
    zennit: batch normalisation is folded into the convolution before it, and the sum at the end of a residual block
    shares relevance out in proportion to its two terms (torchvision's blocks). Relevance is conserved but for what
    biases and ε take: Σ R = z_c where all biases are 0 and ε → 0. With ε → 0 a ReLU network gives input × gradient,
    the input being the *normalised* image (Ancona et al., 2018).

    Args:
        model: returns logits (N, K) for images in [0, 1]; whatever mixes entries must be a module. Where it has
            ``normalised`` and ``network``, relevance is that of the normalised image, otherwise that of ``x``.
        x: images (N, C, H, W) in [0, 1].
        target: class to explain for each image, (N,), int64.
        epsilon: ε > 0, in units of the layers' outputs.

    Returns:
        (N, C, H, W), signed, in logits.

    Raises:
        ValueError: a wrong shape, type or range.
    """
    checks.images(x)
    if not 0 < epsilon < float("inf"):
        raise ValueError(f"epsilon must be finite and > 0, got {epsilon}")
    split = hasattr(model, "normalised") and hasattr(model, "network")
    network = model.network if split else model
    parts = []
    with frozen(model), _epsilon_rules(epsilon).context(network), torch.enable_grad():
        for images, targets in chunks(model, x, target):
            inputs = (model.normalised(images) if split else images.clone()).detach().requires_grad_()
            logits = network(inputs)
            checks.logits(logits.detach(), len(images))
            checks.labels(targets, logits)
            start = logits.detach() * F.one_hot(targets, logits.shape[1])
            parts.append(torch.autograd.grad(logits, inputs, start)[0].to(x.device))
    return torch.cat(parts)


def _epsilon_rules(epsilon):
    """zennit's composite: which rule each kind of layer follows, and how blocks are rewritten for it."""
    from zennit import composites, layer, rules, types  # here, since zennit imports torchvision, which may need mending
    from zennit.torchvision import ResNetCanonizer

    rule, share = rules.Epsilon(epsilon), rules.Norm(epsilon)
    kinds = [(types.Activation, rules.Pass()), (types.BatchNorm, rules.Pass()), (types.AvgPool, share),
             (layer.Sum, share), (types.Convolution, rule), (types.Linear, rule)]  # fmt: skip
    return composites.LayerMapComposite(kinds, [ResNetCanonizer()])
