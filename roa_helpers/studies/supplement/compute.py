"""The supplement of the paper for one pair of classes: similarity of RoI and RoA, class probability over θ.

A unit trains one binary model and measures both directions on test images. Nothing is tuned but ε: δ1 and δ2 are
fixed, θ runs over the supplement's ten values, neutralised pixels get every value of the choices in turn. The class
probability is the softmax probability of the true class. Beside the blob of the paper's text, U−V+, stands that of the
authors' pictures, signed and channel by channel.
"""

from dataclasses import asdict

import numpy as np
import pandas as pd
import torch

from ... import metrics, pipeline, regions
from ..roi_roa import load, overlap, search, sides, train

__all__ = ["compute", "load", "measurements"]


def compute(plan, splits, *, checkpoints, progress=True):
    """Train the model, or go on with an unfinished training in ``checkpoints``, and measure: :func:`measurements`.

    The weights are deleted once the unit is measured: a profile has up to 135 pairs of 59 MB. A training that was
    killed is still resumed, and so is a measurement.
    """
    choices = plan.choices
    path = checkpoints / "supplement" / f"{plan.name}.safetensors"
    model, training = train(choices, splits, seed=plan.seed, path=path, progress=progress)
    result, arrays, tables = measurements(model, splits, choices, seed=plan.seed)
    path.unlink(missing_ok=True)
    head = {"dataset": choices.dataset, "classes": list(choices.classes)}
    return head | result | {"model": result["model"] | training}, arrays, tables


def measurements(model, splits, choices, *, seed):
    """Everything that a unit reports, for a trained model.

    Returns:
        (result, arrays, tables) as :func:`roa_helpers.records.store.write` takes them. The table ``scores`` has a row
        for each direction and score (``clean``, ``adv``, ``mod``, ``mod_adv``; the last two for each value and θ):
        share of the image that the blob covers, min, max, mean, median, sd of the class probability, bootstrap interval
        of its mean (low, high), k of n images classified correctly. The table ``published`` has the same columns for
        ``mod`` and ``mod_adv`` by the procedure of the authors' pictures. The arrays hold the representatives and the
        blobs (θ, H, W) of each direction, and the signed representative (3, H, W).
    """
    val, test = sides(model, splits, choices, seed=seed)
    eps, eps_table = search.choose_eps(model, val, choices.eps, choices.eps_target)
    directions, arrays, parts = {}, {}, []
    for k, (source, target) in enumerate((choices.classes, choices.classes[::-1])):
        name = f"{source} to {target}"
        block, tables, maps = measure(model, test[k], eps[k], choices)
        directions[name] = {"source": source, "target": target} | block
        parts.append({key: t.assign(direction=name, source=source, target=target) for key, t in tables.items()})
        arrays |= {f"{key}_{k}": m for key, m in maps.items()}
    result = {
        "directions": directions,
        "parameters": {"choices": asdict(choices), "eps": list(eps)},
        "model": {"test": metrics.count(torch.cat([side.hit for side in test]))},
    }
    return result, arrays, {key: pd.concat([part[key] for part in parts]) for key in parts[0]} | {"eps": eps_table}


def measure(model, side, eps, choices):
    """One direction on test images ``side``, a :class:`roa_helpers.pipeline.Scan`.

    Returns:
        (SSIM and the scores before neutralisation; tables by name; arrays).
    """
    importance, vulnerability = pipeline.maps_of(side, eps, "perturbation")
    roi, roa = regions.threshold(importance, choices.delta1), regions.threshold(vulnerability, choices.delta2)
    inside, signs = regions.isolate(roi, roa).not_u_v, pipeline.signs(side, eps)
    blobs = {theta: regions.blob(inside, theta) for theta in choices.theta}
    signed = {theta: regions.signed_blob(signs, theta) for theta in choices.theta_published}
    before = {"clean": summary(side.hit, side.probability), "adv": attacked(model, side, eps)}
    scores = [{"score": score} | found for score, found in before.items()]
    tables = {
        "scores": pd.DataFrame(scores + after(model, side, eps, blobs, choices.value)),
        "published": pd.DataFrame(after(model, side, eps, signed, choices.value)),
    }
    maps = {
        "roi": regions.representative(roi), "roa": regions.representative(roa),
        "signed_roa": regions.signed_representative(signs),
    }  # fmt: skip
    arrays = {name: m.numpy().astype(np.float16) for name, m in maps.items()}
    arrays["blobs"] = torch.stack(list(blobs.values())).numpy()
    return {"ssim": overlap.similarity(roi, roa), "scores": before}, tables, arrays


def after(model, side, eps, blobs, values):
    """Scores after neutralisation, a row a value, θ and score; what equal blobs give is computed once.

    Args:
        blobs: θ → (H, W) or (C, H, W) bool.
    """
    rows = []
    for value in values:
        known = {}
        for theta, blob in blobs.items():
            key = blob.numpy().tobytes()
            if key not in known:
                modified = pipeline.neutralised(model, side, blob, value)
                found = summary(modified.hit, modified.probability)
                known[key] = {"mod": found, "mod_adv": attacked(model, modified, eps)}
            at = {"value": value, "theta": theta, "blob": pipeline.share(blob)}
            rows += [{"score": score} | at | found for score, found in known[key].items()]
    return rows


def attacked(model, side, eps):
    """:func:`summary` of a :class:`roa_helpers.pipeline.Scan` under FGSM."""
    return summary(*pipeline.scored(model, pipeline.perturbed(side, eps), side.y))


def summary(hit, probability):
    """The probability of the true class over images (N,): its distribution, its mean's interval, and the hits."""
    values = probability.double().numpy()
    low, high = metrics.bootstrap(values)
    return metrics.distribution(values) | {"low": low, "high": high} | metrics.count(hit)
