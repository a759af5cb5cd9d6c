"""Alignment of the regions of a class whose images are moved at random.

A unit moves all images of a pair, trains M on them and measures both directions: alignment of RoI and RoA beyond that
of the same regions rolled to random places.
"""

from dataclasses import asdict, replace

import numpy as np
import torch

from ... import metrics, pipeline
from ...pipeline import DEFINITIONS, Setting
from ..roi_roa import load as load_pair
from ..roi_roa import search, sides, train

__all__ = ["compute", "load", "measurements"]


def load(choices, *, root=None, progress=True):
    """The images of the pair, each moved by up to ``choices.shift`` pixels; by equal amounts whatever the seed."""
    splits = load_pair(choices, root=root, progress=progress)
    parts = {name: getattr(splits, name) for name in ("train", "val", "test")}
    return replace(splits, **{
        name: replace(part, images=moved(part.images, choices.shift, seed=k))
        for k, (name, part) in enumerate(parts.items())
    })  # fmt: skip


def moved(images, reach, *, seed):
    """Images (N, C, H, W), each moved by whole pixels drawn from −``reach`` … ``reach`` in either direction.

    What moves in is the image's nearest edge.
    """
    offsets = torch.randint(-reach, reach + 1, (len(images), 2), generator=torch.Generator().manual_seed(seed)).tolist()
    height, width = images.shape[2:]
    rows, columns = torch.arange(height), torch.arange(width)
    return torch.stack([
        image[:, (rows - down).clamp(0, height - 1)][:, :, (columns - right).clamp(0, width - 1)]
        for image, (down, right) in zip(images, offsets, strict=True)
    ]) if len(images) else images  # fmt: skip


def compute(plan, splits, *, checkpoints, progress=True):
    """Train M on the moved images, or read it from below the folder ``checkpoints``, and measure it."""
    choices = plan.choices
    path = checkpoints / "registration" / f"{plan.name}.safetensors"
    model, training = train(choices, splits, seed=plan.seed, path=path, progress=progress)
    result = measurements(model, splits, choices, seed=plan.seed)
    path.unlink(missing_ok=True)
    head = {"dataset": choices.dataset, "classes": list(choices.classes), "shift": choices.shift}
    return head | result | {"model": result["model"] | training}, {}, {}


def measurements(model, splits, choices, *, seed):
    """What a trained model gives, by direction: scores, and the alignment of RoI and RoA by each definition.

    Returns:
        dict with ``directions`` (name → source, target, scores, alignment: definition → region → ``excess``),
        ``parameters`` and ``model``.
    """
    val, test = sides(model, splits, choices, seed=seed)
    eps, _ = search.choose_eps(model, val, choices.eps, choices.eps_target)
    directions = {}
    for side, one, source, target in zip(test, eps, choices.classes, choices.classes[::-1], strict=True):
        setting = Setting(one, choices.delta1, choices.delta2, 0.5, 0.0)
        found = {d: pipeline.regions_of(side, setting, d) for d in DEFINITIONS}
        directions[f"{source} to {target}"] = {
            "source": source, "target": target,
            "scores": {"clean": metrics.count(side.hit), "adv": metrics.count(pipeline.attacked(model, side, one))},
            "alignment": {
                definition: {
                    name: excess(stack.numpy(), draws=choices.draws, seed=seed)
                    for name, stack in zip(("roi", "roa"), pair, strict=True)
                }
                for definition, pair in found.items()
            },
        }  # fmt: skip
    return {
        "directions": directions,
        "parameters": {"choices": asdict(choices), "eps": list(eps)},
        "model": {"test": metrics.count(torch.cat([side.hit for side in test]))},
    }


def excess(regions, *, draws, seed):
    """Alignment of regions (N, H, W) bool beyond the mean of the same regions rolled to random places.

    Returns:
        dict: ``value``, ``value_interval`` (jackknife over images), ``rolled`` (the mean that was subtracted), ``n``.
    """
    rolled = np.mean([metrics.alignment(metrics.rolled(regions, seed=seed + 1 + i)) for i in range(draws)])
    return {
        "value": float(metrics.alignment(regions) - rolled),
        "value_interval": tuple(end - rolled for end in metrics.alignment_interval(regions)),
        "rolled": float(rolled), "n": len(regions),
    }  # fmt: skip
