"""LIME for images: which superpixels a linear model of the network's answers relies on.

Sampling, kernel and regression are those of the library lime; what it does one picture at a time on the CPU, to put
superpixels out of sight, is done here for many at once where the model is.
"""

from dataclasses import dataclass

import numpy as np
import torch

from .. import models
from ..models import CHUNK, chunks, frozen
from . import superpixels

#: How many superpixels the linear model may keep; lime's own default, which is more than an image has.
KEPT = 100_000


@dataclass(frozen=True)
class LimeExplanation:
    """A linear model of the probability of a class: intercept + Σ weights over the superpixels in sight.

    Attributes:
        segments: the superpixels, (H, W) int64, labels 0…S−1.
        weights: what showing each superpixel adds to the probability, (S,) float64, signed.
        intercept: the probability that the linear model gives when nothing is shown.
        score: R² of the linear model on the weighted samples.
    """

    segments: torch.Tensor
    weights: torch.Tensor
    intercept: float
    score: float


def lime_image(model, image, target, *, samples, seed, segments=None):
    """Local interpretable model-agnostic explanation of one image.

    Ribeiro et al. (2016), eqs. 1 and 2, as lime's ``LimeImageExplainer(random_state=seed)`` computes it with its
    defaults: rows z ∈ {0, 1}ˢ are drawn, each entry 1 with probability 1/2, the first row all ones; a superpixel with
    z = 0 is painted in its mean colour; the softmax probability of ``target`` is regressed on z by ridge (penalty 1),
    each row weighted by √exp(−D²/0.25²), D its cosine distance from all ones. Of equal rows, one is scored.

    Args:
        model: returns logits (N, K) for images in [0, 1].
        image: (C, H, W) in [0, 1], C = 3 or 1.
        target: the class to explain.
        samples: number of rows, ≥ 2.
        seed: seed of the rows, 0…2³²−1.
        segments: superpixels (H, W), labels 0…S−1 (None: :func:`roa_helpers.explain.superpixels.segment`).

    Returns:
        :class:`LimeExplanation`, on the CPU.

    Raises:
        ValueError: a wrong shape, type or range, no such class, or fewer than two superpixels.
    """
    superpixels.check_image(image)
    if samples < 2:
        raise ValueError(f"LIME needs at least 2 samples, got {samples}")
    given = segments is not None
    segments = superpixels.check(segments, image.shape[1:]) if given else superpixels.segment(image)
    count = int(segments.max()) + 1
    if count < 2:
        origin = "segments" if given else f"quickshift, at {image.shape[1]}×{image.shape[2]} pixels,"
        raise ValueError(f"{origin} gave one superpixel; LIME needs two: pass finer segments or a larger image")
    explainer = _explainer(seed)
    rows = sampled_rows(explainer.random_state, samples, count)
    distinct, places = np.unique(rows, axis=0, return_inverse=True)
    scores = probabilities(model, image, segments, torch.from_numpy(distinct.astype(bool)), int(target))
    return regress(explainer, rows, scores.numpy()[places.reshape(-1)], segments)


def _explainer(seed):
    from lime.lime_image import LimeImageExplainer

    return LimeImageExplainer(random_state=seed)


def sampled_rows(random, samples, count):
    """Which superpixels each sample shows: (samples, count) of 0 and 1, drawn by a ``RandomState`` as lime does."""
    random.randint(0, high=1000)  # lime draws a seed for its segmentation first
    rows = random.randint(0, 2, samples * count).reshape(samples, count)
    rows[0] = 1
    return rows


def probabilities(model, image, segments, shown, target):
    """Softmax probability of a class for an image of which only some superpixels are shown.

    Args:
        model: returns logits (N, K) for images in [0, 1].
        image: (C, H, W) in [0, 1].
        segments: (H, W) int64, labels 0…S−1.
        shown: (N, S) bool; the other superpixels are painted in their mean colour.
        target: class.

    Returns:
        (N,) float64, on the CPU.

    Raises:
        ValueError: the model returns no logits, or none for ``target``.
    """
    image = image.detach()
    colours = torch.stack([superpixels.superpixel_means(channel, segments) for channel in image])
    parts = []
    with frozen(model), torch.no_grad():
        hidden = colours[:, segments].to(image)
        for (rows,) in chunks(model, shown, size=batch_size(model)):
            picture, painted, labels = (t.to(rows.device) for t in (image, hidden, segments))
            logits = models.ask(model, torch.where(rows[:, labels][:, None], picture, painted))
            if not 0 <= target < logits.shape[1]:
                raise ValueError(f"target must lie in 0…{logits.shape[1] - 1}, got {target}")
            parts.append(logits.double().softmax(1)[:, target].cpu())
    return torch.cat(parts)


def batch_size(model):
    """How many pictures go through ``model`` at once: on a CPU few, so that what its layers make stays in the cache."""
    return CHUNK if any(parameter.is_cuda for parameter in model.parameters()) else 16


def regress(explainer, rows, scores, segments):
    """lime's own regression of scores (N,) on rows (N, S): a :class:`LimeExplanation`."""
    from sklearn.metrics import pairwise_distances

    distances = pairwise_distances(rows, rows[:1], metric="cosine").ravel()
    intercept, found, score, _ = explainer.base.explain_instance_with_data(
        rows, scores[:, None], distances, 0, KEPT, feature_selection=explainer.feature_selection
    )
    weights = torch.zeros(rows.shape[1], dtype=torch.float64)
    for superpixel, weight in found:
        weights[superpixel] = float(weight)
    return LimeExplanation(segments, weights, float(intercept), float(score))


def partial_unions(explanation, count):
    """For n = 1…count the union of the n superpixels that speak most for the class.

    Göpfert et al. (2019), Section 4: only positive evidence counts, the most influential superpixel first; see
    :func:`roa_helpers.explain.superpixels.unions`.

    Args:
        explanation: :class:`LimeExplanation`.
        count: number of unions, ≥ 1 (the paper: 20).

    Returns:
        (count, H, W) bool, each within the next; it stops growing where the positive weights end.

    Raises:
        ValueError: ``count`` is less than 1.
    """
    return superpixels.unions(explanation.segments, explanation.weights, count)
