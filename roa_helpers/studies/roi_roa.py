"""The paper's pipeline for one pair of classes: segregation, isolation, neutralisation (Section III).

A unit trains one binary model M and measures both directions, source class → target class:

    S_clean ─attack→ S_adv ─▶ RoI, RoA ─▶ U−V+ of each image ─θ→ blob ─▶ S_mod ─attack→ S_mod-adv

ε, δ1, δ2, θ and the value that neutralised pixels get are chosen on validation images. As in the paper, the blob is
made from the test images themselves; a control makes it from validation images. Every direction is measured for two
definitions of the RoA: ``perturbation``, the paper's, and ``gradient``.
"""

from dataclasses import asdict, fields

import numpy as np
import pandas as pd
import torch

from .. import attacks, metrics, pipeline, regions, usefulness
from ..pipeline import DEFINITIONS
from .pairs import load, train

__all__ = ["compute", "load", "results"]


def compute(plan, splits, *, weights, progress=True):
    """Train M, or read it from the folder ``weights``, and measure it: see :func:`results`."""
    choices = plan.choices
    path = weights / f"{plan.name}.safetensors"
    model, training = train(choices, splits, seed=plan.seed, path=path, progress=progress)
    result, arrays, tables = results(model, splits, choices, seed=plan.seed)
    head = {"dataset": choices.dataset, "classes": list(choices.classes)}
    return head | result | {"model": result["model"] | training}, arrays, tables


def results(model, splits, choices, *, seed):
    """Everything that a unit reports, for a trained model.

    Returns:
        (result, arrays, tables) as :func:`roa_helpers.store.write` takes them.
    """
    val = [pipeline.scan(model, *pipeline.of_class(splits.val, k, seed=seed)) for k in (0, 1)]
    test = [pipeline.scan(model, *pipeline.of_class(splits.test, k, seed=seed)) for k in (0, 1)]
    eps, eps_table = pipeline.choose_eps(model, val, choices.eps, choices.eps_target)
    tuning = pipeline.tune(model, [side[: choices.tune] for side in val], choices, eps)
    settings = {d: pipeline.chosen_setting(tuning, d, eps) for d in DEFINITIONS}

    directions, arrays, rows, points = {}, {}, [], []
    for k, (source, other) in enumerate((choices.classes, choices.classes[::-1])):
        name = f"{source} to {other}"
        adv = pipeline.attacked(model, test[k], eps)
        blocks, images = {}, {}
        for definition in DEFINITIONS:
            blocks[definition], maps, images[definition] = measure(
                model, test[k], adv, settings[definition], definition, seed=seed, permutations=choices.permutations
            )
            arrays |= {f"{definition}_{key}_{k}": value for key, value in maps.items()}
        found, control_hits = controls(model, test[k], val[k], settings["perturbation"], seed=seed)
        images["perturbation"] = pd.concat([images["perturbation"], control_hits], axis=1)
        rows += [table.assign(direction=name, definition=definition) for definition, table in images.items()]
        directions[name] = {
            "source": source, "target": other, **blocks["perturbation"], "controls": found,
            "definitions": {"gradient": blocks["gradient"]},
        }  # fmt: skip
        blob = torch.from_numpy(arrays[f"perturbation_blob_{k}"])
        examples = example_maps(model, test[k], blob, settings["perturbation"], choices.examples)
        arrays |= {f"example_{key}_{k}": m for key, m in examples.items()}
        points.append(curves(model, test[k], choices.curve, settings["perturbation"], choices).assign(direction=name))

    hits = torch.cat([side.hit for side in test])
    result = {
        "directions": directions,
        "parameters": {"choices": asdict(choices), "eps": eps},
        "model": {"test": _count(hits)},
    }
    half = max(1, choices.feature_images // 2)
    few = [torch.cat(column) for column in zip(*((s.x[:half], s.y[:half]) for s in test), strict=True)]
    features = usefulness.estimate(
        model, (splits.val.images, splits.val.labels), few,
        eps=eps, count=choices.feature_count, steps=choices.feature_steps, seed=seed,
    )  # fmt: skip
    tables = {
        "images": pd.concat(rows), "tuning": tuning, "eps": eps_table, "curves": pd.concat(points),
        "features": features.assign(n=len(few[0])),
    }  # fmt: skip
    return result, arrays, tables


def measure(model, side, adv, setting, definition, *, seed, permutations):
    """One direction with one definition of the RoA, on test images.

    Args:
        model: M.
        side: test images of the source class, a :class:`roa_helpers.pipeline.Scan`.
        adv: which of them are still classified correctly under the attack, (N,) bool.
        setting: :class:`roa_helpers.pipeline.Setting`.
        definition: of the RoA, one of ``DEFINITIONS``.
        seed: of the permutations.
        permutations: size of each permutation null.

    Returns:
        (result block, maps for ``arrays.npz``, a row an image).
    """
    roi, roa = pipeline.regions_of(side, setting, definition)
    parts = regions.isolate(roi, roa)
    blob = regions.blob(parts.not_u_v, setting.theta)
    modified = pipeline.neutralised(model, side, blob, setting.value)
    mod_adv = pipeline.attacked(model, modified, setting.eps)
    hits = {"clean": side.hit, "adv": adv, "mod": modified.hit, "mod_adv": mod_adv}
    table = images_table(side, hits, setting, definition, seed=seed, permutations=permutations)
    similarity, interval = _ssim_of_representatives(roi, roa)
    block = {
        "scores": {name: _count(hit) for name, hit in hits.items()},
        "ssim": {
            "individual": _summary(table.ssim),
            "representative": similarity,
            "representative_interval": interval,
            "graded": _summary(table.ssim_graded),
        },
        "colocation": {
            name: colocation(mask.numpy(), seed=seed, permutations=permutations)
            for name, mask in (("roi", roi), ("roa", roa))
        },
        "blob": {"pixels": int(blob.sum()), "share": pipeline.share(blob)},
        "parameters": asdict(setting),
    }
    maps = {"roi": regions.representative(roi), "roa": regions.representative(roa),
            "not_u_v": regions.representative(parts.not_u_v), "blob": blob}  # fmt: skip
    return block, {name: m.numpy() for name, m in maps.items()}, table


def images_table(side, hits, setting, definition, *, seed, permutations):
    """A row an image: the four hits, SSIM, Moran's I and its p-value, the share of each region, zero gradients."""
    importance, vulnerability = pipeline.maps_of(side, setting.eps, definition)
    roi, roa = pipeline.regions_of(side, setting, definition)
    parts = regions.isolate(roi, roa)
    correlation = {
        f"{statistic}_{name}": values
        for name, mask in (("roi", roi.numpy()), ("roa", roa.numpy()))
        for statistic, values in (
            ("moran", metrics.morans_i(mask)),
            ("p", metrics.permutation_p(mask, permutations=permutations, seed=seed)),
        )
    }
    return pd.DataFrame(
        {"image": range(len(side.x))}
        | {name: hit.int() for name, hit in hits.items()}
        | {"ssim": metrics.ssim(roi.numpy(), roa.numpy()),
           "ssim_graded": metrics.ssim(importance.numpy(), vulnerability.numpy()),
           "cam_maximum": side.cam.amax((1, 2)), "zero_gradient": (side.gradient == 0).double().mean((1, 2, 3))}
        | correlation
        | {f.name: getattr(parts, f.name).double().mean((1, 2)) for f in fields(parts)}
    )  # fmt: skip


def colocation(maps, *, seed, permutations):
    """Assumption 2 of Section II-D as numbers: do the regions (N, H, W) bool of a class share a place?

    Returns:
        dict with the alignment, the 95 % range of the alignment of the same regions rolled to random places, its
        p-value, and Moran's I of the representative with its permutation p-value.
    """
    null = [metrics.alignment(metrics.rolled(maps, seed=seed + 1 + i)) for i in range(permutations)]
    observed = metrics.alignment(maps)
    representative = maps.mean(0)[None]
    return {
        "alignment": observed,
        "alignment_null": [float(np.quantile(null, q)) for q in (0.025, 0.975)],
        "alignment_p": float((1 + np.sum(np.array(null) >= observed)) / (1 + permutations) + 0 * observed),
        "representative_moran": float(metrics.morans_i(representative)[0]),
        "representative_p": float(metrics.permutation_p(representative, permutations=permutations, seed=seed)[0]),
    }


def controls(model, side, held_out, setting, *, seed):
    """The paper's blob against two others on the same test images ``side``.

    ``held out``: made in the same way from validation images of the class. ``random``: as many pixels as the paper's
    blob has, drawn by ``seed``.

    Returns:
        (by name: counts ``mod`` and ``mod_adv``, the blob's pixels, its Jaccard index with the paper's blob;
        the hits, a row an image).
    """
    blob, prepared = (
        regions.blob(regions.isolate(*pipeline.regions_of(images, setting, "perturbation")).not_u_v, setting.theta)
        for images in (side, held_out)
    )
    order = torch.randperm(blob.numel(), generator=torch.Generator().manual_seed(seed))
    found, hits = {}, {}
    for name, other in (("held out", prepared), ("random", (order < blob.sum()).reshape(blob.shape))):
        modified = pipeline.neutralised(model, side, other, setting.value)
        scores = {"mod": modified.hit, "mod_adv": pipeline.attacked(model, modified, setting.eps)}
        found[name] = {score: _count(hit) for score, hit in scores.items()} | {
            "pixels": int(other.sum()),
            "jaccard": float(metrics.jaccard(other[None].numpy(), blob[None].numpy())[0]),
        }
        hits |= {f"{score}, {name}": hit.int() for score, hit in scores.items()}
    return found, pd.DataFrame(hits)


def curves(model, side, count, setting, choices):
    """Scores of ``count`` test images as ε changes (blob fixed) and as θ changes (ε fixed), with the paper's RoA.

    The blobs are those of all images of ``side``. A row a point.
    """
    inside = regions.isolate(*pipeline.regions_of(side, setting, "perturbation")).not_u_v
    shown, rows = side[:count], []
    modified = pipeline.neutralised(model, shown, regions.blob(inside, setting.theta), setting.value)
    for eps in choices.eps:
        for name, scanned in (("adv", shown), ("mod_adv", modified)):
            rows.append({"axis": "eps", "at": eps, "score": name} | _count(pipeline.attacked(model, scanned, eps)))
    for theta in choices.curve_theta:
        scanned = pipeline.neutralised(model, shown, regions.blob(inside, theta), setting.value)
        for name, hits in (("mod", scanned.hit), ("mod_adv", pipeline.attacked(model, scanned, setting.eps))):
            rows.append({"axis": "theta", "at": theta, "score": name} | _count(hits))
    return pd.DataFrame(rows)


def example_maps(model, side, blob, setting, count):
    """A handful of images, correctly classified ones first, with the maps that everything else follows from, float16.

    Perturbations are in units of ε: of the clean image, and of the neutralised one.
    """
    picked = side[torch.argsort(~side.hit, stable=True)[:count]]
    modified = pipeline.neutralised(model, picked, blob, setting.value)
    maps = {"image": picked.x}
    for name, scanned in (("perturbation", picked), ("perturbation_modified", modified)):
        maps[name] = (attacks.sign_step(scanned.x, scanned.gradient, eps=setting.eps) - scanned.x) / setting.eps
    for definition in DEFINITIONS:
        maps["importance"], maps[f"vulnerability_{definition}"] = pipeline.maps_of(picked, setting.eps, definition)
    return {name: m.numpy().astype(np.float16) for name, m in maps.items()}


def _count(hits):
    return {"k": int(hits.sum()), "n": len(hits)}


def _summary(values):
    return {"min": values.min(), "max": values.max(), "mean": values.mean(), "median": values.median(),
            "sd": values.std(), "n": len(values)}  # fmt: skip


def _ssim_of_representatives(roi, roa):
    """(SSIM of the mean maps of two stacks of regions (N, H, W) bool, its jackknife interval over images)."""
    totals = [maps.double().sum(0, keepdim=True) for maps in (roi, roa)]
    whole = metrics.ssim(*(total.numpy() / len(roi) for total in totals))[0]
    if len(roi) < 2:
        return whole, (np.nan, np.nan)
    without = [(total - maps.double()).numpy() / (len(roi) - 1) for total, maps in zip(totals, (roi, roa), strict=True)]
    return whole, metrics.jackknife(whole, metrics.ssim(*without))
