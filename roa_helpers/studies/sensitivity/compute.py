"""How much the results move with the choices of the training that the paper leaves open.

A unit is the paper's pipeline on one pair with one choice changed
(:func:`.choices.variants`): M is trained anew, ε and the setting are chosen anew, both
directions are measured with the paper's definition of the RoA. Units that differ from the base in ``seed_offset`` alone
tell how much chance moves; that is what the others are held against.
"""

from dataclasses import asdict

import torch

from ... import metrics, pipeline, regions
from ..roi_roa import load, overlap, search, sides, train

__all__ = ["compute", "load", "measurements"]


def compute(plan, splits, *, checkpoints, progress=True):
    """Train M with the unit's choices, or read it from below the folder ``checkpoints``, and measure it."""
    choices, seed = plan.choices, plan.seed + plan.choices.seed_offset
    path = checkpoints / "sensitivity" / f"{plan.name}.safetensors"
    model, training = train(choices, splits, seed=seed, path=path, progress=progress)
    result = measurements(model, splits, choices, seed=seed)
    varied = {"varied": choices.varied, "value": getattr(choices, choices.varied) if choices.varied else None}
    head = {"dataset": choices.dataset, "classes": list(choices.classes)} | varied
    return head | result | {"model": result["model"] | training}, {}, {}


def measurements(model, splits, choices, *, seed):
    """What a trained model gives: ε, the chosen setting, and by direction the four scores and SSIM of RoI and RoA.

    Returns:
        dict with ``directions`` (name → source, target, scores, ssim, parameters), ``parameters`` and ``model``.
    """
    val, test = sides(model, splits, choices, seed=seed)
    eps, _ = search.choose_eps(model, val, choices.eps, choices.eps_target)
    tuning = search.tune(model, [side[: choices.tune] for side in val], choices, eps)
    settings = [search.chosen_setting(tuning, "perturbation", one) for one in eps]
    classes = choices.classes
    return {
        "directions": {
            f"{source} to {target}": {"source": source, "target": target} | measure(model, side, setting)
            for side, setting, source, target in zip(test, settings, classes, classes[::-1], strict=True)
        },
        "parameters": {"choices": asdict(choices), "eps": list(eps)},
        "model": {"test": metrics.count(torch.cat([side.hit for side in test]))},
    }


def measure(model, side, setting):
    """One direction: the four scores, SSIM of RoI and RoA (mean over images, and of the representatives)."""
    roi, roa = pipeline.regions_of(side, setting, "perturbation")
    blob = regions.blob(regions.isolate(roi, roa).not_u_v, setting.theta)
    modified = pipeline.neutralised(model, side, blob, setting.value)
    hits = {"clean": side.hit, "adv": pipeline.attacked(model, side, setting.eps),
            "mod": modified.hit, "mod_adv": pipeline.attacked(model, modified, setting.eps)}  # fmt: skip
    return {
        "scores": {name: metrics.count(hit) for name, hit in hits.items()},
        "ssim": overlap.similarity(roi, roa),
        "blob": {"pixels": int(blob.sum()), "share": pipeline.share(blob)},
        "parameters": asdict(setting),
    }
