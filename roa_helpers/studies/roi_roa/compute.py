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

from ... import attacks, metrics, models, pipeline, regions
from ...pipeline import DEFINITIONS
from . import overlap, search, usefulness
from .choices import PGD_REACH, PGD_STEPS
from .pairs import load, sides, train

__all__ = ["compute", "load", "measurements"]


def compute(plan, splits, *, checkpoints, progress=True):
    """Train M, or read it from the folder ``checkpoints``, and measure it: see :func:`measurements`."""
    choices = plan.choices
    path = checkpoints / f"{plan.name}.safetensors"
    model, training = train(choices, splits, seed=plan.seed, path=path, progress=progress)
    result, arrays, tables = measurements(model, splits, choices, seed=plan.seed)
    head = {"dataset": choices.dataset, "classes": list(choices.classes)}
    return head | result | {"model": result["model"] | training}, arrays, tables


def measurements(model, splits, choices, *, seed):
    """Everything that a unit reports, for a trained model.

    Returns:
        (result, arrays, tables) as :func:`roa_helpers.records.store.write` takes them.
    """
    val, test = sides(model, splits, choices, seed=seed)
    eps, eps_table = search.choose_eps(model, val, choices.eps, choices.eps_target)
    tuning = search.tune(model, [side[: choices.tune] for side in val], choices, eps)
    settings = {d: search.chosen_setting(tuning, d, eps) for d in DEFINITIONS}

    directions, arrays, parts = {}, {}, []
    for k, (source, target) in enumerate((choices.classes, choices.classes[::-1])):
        name = f"{source} to {target}"
        block, maps, tables = direction(model, test[k], val[k], settings, choices, seed=seed)
        directions[name] = {"source": source, "target": target} | block
        arrays |= {f"{key}_{k}": value for key, value in maps.items()}
        parts.append({key: table.assign(direction=name) for key, table in tables.items()})

    result = {
        "directions": directions,
        "parameters": {"choices": asdict(choices), "eps": eps},
        "model": {"test": metrics.count(models.correct(model, splits.test.images, splits.test.labels))},
    }
    half = max(1, choices.feature_images // 2)
    few = [torch.cat(column) for column in zip(*((s.x[:half], s.y[:half]) for s in test), strict=True)]
    features = usefulness.estimate(
        model, (splits.val.images, splits.val.labels), few,
        eps=eps, count=choices.feature_count, steps=choices.feature_steps, seed=seed,
    )  # fmt: skip
    tables = {key: pd.concat([part[key] for part in parts]) for key in parts[0]}
    return result, arrays, tables | {"tuning": tuning, "eps": eps_table, "features": features.assign(n=len(few[0]))}


def direction(model, side, held_out, settings, choices, *, seed):
    """One direction, source class → target class: both definitions of the RoA, and all else with the paper's.

    Args:
        model: M.
        side: test images of the source class, a :class:`roa_helpers.pipeline.Scan`.
        held_out: its validation images, likewise.
        settings: :class:`roa_helpers.pipeline.Setting` by definition.
        choices: :class:`.choices.RoiRoa`.
        seed: of all that is drawn.

    Returns:
        (result block, arrays by name, tables by name).
    """
    setting = settings["perturbation"]
    adv = pipeline.scored(model, pipeline.perturbed(side, setting.eps), side.y)
    found = {
        definition: measure(
            model, side, adv, settings[definition], definition, seed=seed, permutations=choices.permutations
        )
        for definition in DEFINITIONS
    }
    arrays = {f"{name}_{key}": m.numpy() for name, (_, maps, _, _) in found.items() for key, m in maps.items()}
    block, maps, images, modified = found["perturbation"]
    controlled, control_hits = controls(model, side, held_out, maps, setting, seed=seed)
    threatened, threat_hits = threats(model, side, modified, maps["blob"], setting)
    few = images[["image", "adv", "mod_adv"]].rename(columns={"adv": "fgsm", "mod_adv": "mod_fgsm"})[: choices.curve]
    few = few.assign(**stronger(model, side[: choices.curve], modified[: choices.curve], setting, seed=seed))
    threatened |= {name: metrics.count(few[name]) for name in few.columns.drop("image")}
    block |= {"controls": controlled, "threats": threatened, "definitions": {"gradient": found["gradient"][0]}}
    shown = torch.argsort(~side.hit, stable=True)[: choices.examples]
    arrays |= {f"example_{key}": m for key, m in example_maps(side[shown], modified[shown], setting).items()}
    tables = {
        "images": pd.concat([
            pd.concat([images, control_hits, threat_hits], axis=1).assign(definition="perturbation"),
            found["gradient"][2].assign(definition="gradient"),
        ]),
        "threats": few,
        "curves": curves(model, side, modified, choices.curve, setting, choices),
        "examples": example_probabilities(model, side[shown], modified[shown], choices.eps),
    }  # fmt: skip
    return block, arrays, tables


def measure(model, side, adv, setting, definition, *, seed, permutations):
    """One direction with one definition of the RoA, on test images.

    Args:
        model: M.
        side: test images of the source class, a :class:`roa_helpers.pipeline.Scan`.
        adv: what :func:`roa_helpers.pipeline.scored` says of S_adv, their images under the attack.
        setting: :class:`roa_helpers.pipeline.Setting`.
        definition: of the RoA, one of ``DEFINITIONS``.
        seed: of the permutations.
        permutations: size of each permutation null.

    Returns:
        (result block, maps by name, a row an image, S_mod as a :class:`roa_helpers.pipeline.Scan`).
    """
    roi, roa = pipeline.regions_of(side, setting, definition)
    parts = regions.isolate(roi, roa)
    blob = regions.blob(parts.not_u_v, setting.theta)
    modified = pipeline.neutralised(model, side, blob, setting.value)
    mod_adv = pipeline.scored(model, pipeline.perturbed(modified, setting.eps), side.y)
    hits = {"clean": side.hit, "adv": adv[0], "mod": modified.hit, "mod_adv": mod_adv[0]}
    probability = {"clean": side.probability, "adv": adv[1], "mod": modified.probability, "mod_adv": mod_adv[1]}
    table = images_table(side, hits, setting, definition, seed=seed, permutations=permutations)
    block = {
        "scores": {name: metrics.count(hit) for name, hit in hits.items()},
        "probability": {name: metrics.distribution(values) for name, values in probability.items()},
        "ssim": overlap.similarity(roi, roa) | {"graded": metrics.distribution(table.ssim_graded)},
        "colocation": {
            name: colocation(mask.numpy(), seed=seed, permutations=permutations)
            for name, mask in (("roi", roi), ("roa", roa))
        },
        "blob": {"pixels": int(blob.sum()), "share": pipeline.share(blob)},
        "parameters": asdict(setting),
    }
    stacks = {"roi": roi, "roa": roa, "not_u_v": parts.not_u_v, "not_u_not_v": parts.not_u_not_v}
    maps = {name: regions.representative(stack) for name, stack in stacks.items()} | {"blob": blob}
    return block, maps, table, modified


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


def controls(model, side, held_out, maps, setting, *, seed):
    """The paper's blob against others on the same test images ``side``.

    ``held out``: made in the same way from validation images of the class. The others have as many pixels as the
    paper's blob: ``random`` ones, those highest in the representative RoI (``in the RoI``), and those that lie in
    U−V− in most images (``in U−V−``).

    Args:
        maps: the maps of :func:`measure` for the paper's definition of the RoA.

    Returns:
        (by name: counts ``mod`` and ``mod_adv``, the blob's pixels, its Jaccard index with the paper's blob;
        the hits, a row an image).
    """
    blob, found, hits = maps["blob"], {}, {}
    inside = regions.isolate(*pipeline.regions_of(held_out, setting, "perturbation")).not_u_v
    others = {"held out": regions.blob(inside, setting.theta)} | {
        name: highest(values, int(blob.sum()), seed=seed)
        for name, values in (
            ("random", torch.zeros(blob.shape)), ("in the RoI", maps["roi"]), ("in U−V−", maps["not_u_not_v"])
        )
    }  # fmt: skip
    for name, other in others.items():
        modified = pipeline.neutralised(model, side, other, setting.value)
        scores = {"mod": modified.hit, "mod_adv": pipeline.attacked(model, modified, setting.eps)}
        found[name] = {score: metrics.count(hit) for score, hit in scores.items()} | {
            "pixels": int(other.sum()),
            "jaccard": float(metrics.jaccard(other[None].numpy(), blob[None].numpy())[0]),
        }
        hits |= {f"{score}, {name}": hit.int() for score, hit in scores.items()}
    return found, pd.DataFrame(hits)


def highest(values, count, *, seed):
    """The ``count`` pixels of a map (H, W) with the highest values, (H, W) bool; ``seed`` draws the order of ties."""
    order = torch.randperm(values.numel(), generator=torch.Generator().manual_seed(seed))
    ranked = order[torch.argsort(values.flatten()[order], descending=True, stable=True)]
    chosen = torch.zeros(values.numel(), dtype=torch.bool)
    chosen[ranked[:count]] = True
    return chosen.reshape(values.shape)


def threats(model, side, modified, blob, setting):
    """The blob against two other threats by FGSM, which differ in who knows what.

    ``adv_mod``: the attacker does not know the defence. S_adv is neutralised before M sees it. ``mod_adv_mod``: the
    attacker knows it. The attack on S_mod is neutralised once more, so it keeps only what lies outside the blob:
    FGSM through the defence.

    Args:
        modified: S_mod, a :class:`roa_helpers.pipeline.Scan`.

    Returns:
        (counts by name; the hits, a row an image).
    """
    hits = {}
    for name, scanned in (("adv_mod", side), ("mod_adv_mod", modified)):
        defended = regions.neutralise(pipeline.perturbed(scanned, setting.eps), blob, setting.value)
        hits[name] = models.correct(model, defended, side.y).int()
    return {name: metrics.count(hit) for name, hit in hits.items()}, pd.DataFrame(hits)


def stronger(model, side, modified, setting, *, seed):
    """The paper's protocol with PGD, a stronger attack than FGSM: hits before and after neutralisation, by name.

    Its steps reach so far together that the ball can be crossed from wherever the attack starts.
    """
    budget = {"eps": setting.eps, "step": PGD_REACH * setting.eps / PGD_STEPS, "steps": PGD_STEPS, "seed": seed}
    return {
        name: models.correct(model, attacks.pgd(model, scanned.x, scanned.y, **budget), scanned.y).int().numpy()
        for name, scanned in (("pgd", side), ("mod_pgd", modified))
    }


def curves(model, side, modified, count, setting, choices):
    """Scores of ``count`` test images as ε changes (blob fixed) and as θ changes (ε fixed), with the paper's RoA.

    The blobs are those of all images of ``side``, ``modified`` is S_mod. A row a point.
    """
    inside = regions.isolate(*pipeline.regions_of(side, setting, "perturbation")).not_u_v
    shown, modified, rows = side[:count], modified[:count], []
    for eps in choices.eps:
        for name, scanned in (("adv", shown), ("mod_adv", modified)):
            rows.append(
                {"axis": "eps", "at": eps, "score": name} | metrics.count(pipeline.attacked(model, scanned, eps))
            )
    for theta in choices.curve_theta:
        scanned = pipeline.neutralised(model, shown, regions.blob(inside, theta), setting.value)
        for name, hits in (("mod", scanned.hit), ("mod_adv", pipeline.attacked(model, scanned, setting.eps))):
            rows.append({"axis": "theta", "at": theta, "score": name} | metrics.count(hits))
    return pd.DataFrame(rows)


def example_maps(picked, modified, setting):
    """The maps that everything else follows from, float16, for a handful of images and their neutralised versions.

    Perturbations are in units of ε: of the clean images, and of the neutralised ones.
    """
    maps = {"image": picked.x}
    for name, scanned in (("perturbation", picked), ("perturbation_modified", modified)):
        maps[name] = (pipeline.perturbed(scanned, setting.eps) - scanned.x) / setting.eps
    for definition in DEFINITIONS:
        maps["importance"], maps[f"vulnerability_{definition}"] = pipeline.maps_of(picked, setting.eps, definition)
    return {name: m.numpy().astype(np.float16) for name, m in maps.items()}


def example_probabilities(model, picked, modified, grid):
    """Probability of the true class under FGSM at ε = 0 and each ε of ``grid``, with and without neutralisation.

    Returns:
        A row an example and ε: example (from 0), eps, clean (not neutralised), neutralised.
    """
    tables = []
    for eps in (0.0, *grid):
        clean, neutralised = (
            pipeline.scored(model, pipeline.perturbed(s, eps), s.y)[1].numpy() for s in (picked, modified)
        )
        tables.append(pd.DataFrame({"example": range(len(clean)), "eps": eps, "clean": clean,
                                    "neutralised": neutralised}))  # fmt: skip
    return pd.concat(tables)
