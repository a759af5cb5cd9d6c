"""NewtonFool: Newton steps that lower the probability of the predicted class."""

import torch

from .. import checks, models


def newtonfool(model, x, *, eta, steps):
    """NewtonFool: gradient descent on the probability of the class that the model sees in ``x``.

    Jang et al. (2017), Algorithm 1:  x⁰ = x,  xᵗ⁺¹ = clip(xᵗ + d, 0, 1),  d = −δ ∇F_y / ‖∇F_y‖₂²,
    δ = min{eta ‖x⁰‖₂ ‖∇F_y‖₂, F_y − 1/K}, with F the softmax of the logits, y its largest entry at ``x``, and F_y and
    its gradient taken at xᵗ. A step is hence Newton's for F_y = 1/K, made no longer than eta ‖x⁰‖₂.

    Differs from the definition in that an image stops once its label is no longer y: from there F_y may already lie
    below 1/K, and the step would lead back. An image whose gradient vanishes in the precision of ``x`` stops too.

    Args:
        model: returns logits (N, K) for images in [0, 1].
        x: images (N, C, H, W) in [0, 1].
        eta: longest step, ≥ 0, as a share of the norm of the image.
        steps: most steps, ≥ 0.

    Returns:
        (N, C, H, W) in [0, 1].

    Raises:
        ValueError: a wrong shape, type or range.
    """
    checks.images(x)
    if not (0 <= eta < float("inf") and steps >= 0):
        raise ValueError(f"eta and steps must be finite and ≥ 0, got {eta} and {steps}")
    x_adv, y = x.detach().clone(), models.predict(model, x).argmax(1)
    reach = eta * x_adv.flatten(1).norm(dim=1)
    active = torch.arange(len(x), device=x.device)
    for _ in range(steps):
        gradient, excess, label = probability_gradient(model, x_adv[active], y[active])
        slope = gradient.flatten(1).norm(dim=1)
        go_on = (label == y[active]) & (slope > 0)
        active, gradient, excess, slope = active[go_on], gradient[go_on], excess[go_on], slope[go_on]
        if not len(active):
            break
        delta = torch.minimum(reach[active] * slope, excess)
        step = -(delta / slope / slope)[:, None, None, None] * gradient
        x_adv[active] = (x_adv[active] + step).clamp(0, 1)
    return x_adv


def probability_gradient(model, x, y):
    """Gradient of F_y, the softmax probability of ``y``, with respect to the images.

    Args:
        model: returns logits (N, K) for images in [0, 1].
        x: images (N, C, H, W) in [0, 1].
        y: classes (N,), int64.

    Returns:
        (∇F_y (N, C, H, W), F_y − 1/K (N,), the predicted class (N,)).

    Raises:
        ValueError: a wrong shape, type or range, or a model that returns probabilities.
    """
    seen = []

    def probability(logits, y):
        checks.labels(y, logits)
        chosen = logits.softmax(1).gather(1, y[:, None])[:, 0]
        seen.append(((chosen - 1 / logits.shape[1]).detach().to(x), logits.argmax(1).to(x.device)))
        return chosen.sum()

    gradient = models.input_gradient(model, x, y, probability)
    excess, label = (torch.cat(parts) for parts in zip(*seen, strict=True))
    return gradient, excess, label
