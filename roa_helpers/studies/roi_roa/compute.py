"""The paper's pipeline for one pair of classes: segregation, isolation, neutralisation (Section III).

A unit trains one binary model M and measures both directions, source class → target class:

    S_clean ─attack→ S_adv ─▶ RoI, RoA ─▶ U−V+ of each image ─θ→ blob ─▶ S_mod ─attack→ S_mod-adv

ε, δ1, δ2, θ and the value that neutralised pixels get are chosen on validation images. As in the paper, the blob is
made from the test images themselves; a control makes it from validation images. Every direction is measured for two
definitions of the RoA, ``perturbation``, the paper's, and ``gradient``, and by the procedure of the authors' pictures,
``published`` (:mod:`.signed`).
"""

from dataclasses import asdict, dataclass, fields

import numpy as np
import pandas as pd
import torch

from ... import metrics, pipeline, regions
from ...pipeline import DEFINITIONS, PUBLISHED
from . import controls, examples, nulls, overlap, search, signed, usefulness
from .choices import ANYTHING
from .pairs import accuracies, load, sides, train

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

    directions, arrays, parts = {}, {}, []
    for k, (source, target) in enumerate((choices.classes, choices.classes[::-1])):
        name = f"{source} to {target}"
        settings = {d: search.chosen_setting(tuning, d, eps[k]) for d in (*DEFINITIONS, PUBLISHED)}
        seen = Seen(test[k], test[1 - k], val[k], val[1 - k])
        block, maps, tables = direction(model, seen, settings, choices, seed=seed)
        directions[name] = {"source": source, "target": target} | block
        arrays |= {f"{key}_{k}": value for key, value in maps.items()}
        parts.append({key: table.assign(direction=name) for key, table in tables.items()})

    result = {
        "directions": directions,
        "parameters": {"choices": asdict(choices), "eps": list(eps)},
        "model": accuracies(model, splits, choices, seed=seed),
    }
    half = max(1, choices.feature_images // 2)
    few = [torch.cat(column) for column in zip(*((s.x[:half], s.y[:half]) for s in test), strict=True)]
    features = usefulness.estimate(
        model, (splits.val.images, splits.val.labels), few,
        eps=max(eps), count=choices.feature_count, steps=choices.feature_steps, seed=seed,
    )  # fmt: skip
    tables = {key: pd.concat([part[key] for part in parts]) for key in parts[0]}
    return result, arrays, tables | {"tuning": tuning, "eps": eps_table, "features": features.assign(n=len(few[0]))}


@dataclass(frozen=True)
class Seen:
    """The images of one direction, each set a :class:`roa_helpers.pipeline.Scan`.

    Attributes:
        side, other: test images of the source class and of the target class.
        held_out, other_held_out: their validation images.
    """

    side: pipeline.Scan
    other: pipeline.Scan
    held_out: pipeline.Scan
    other_held_out: pipeline.Scan


def direction(model, seen, settings, choices, *, seed):
    """One direction, source class → target class: every definition of the RoA, and all else with the paper's.

    Args:
        model: M.
        seen: :class:`Seen`.
        settings: :class:`roa_helpers.pipeline.Setting` by definition.
        choices: :class:`.choices.RoiRoa`.
        seed: of all that is drawn.

    Returns:
        (result block, arrays by name, tables by name).
    """
    side, setting = seen.side, settings["perturbation"]
    adv = pipeline.scored(model, pipeline.perturbed(side, setting.eps), side.y)
    found = {
        definition: measure(
            model, side, adv, settings[definition], definition, seed=seed, permutations=choices.permutations
        )
        for definition in DEFINITIONS
    }
    pictured, signed_maps, signed_hits = signed.measure(model, side, adv, seen.held_out, settings[PUBLISHED])
    everything = {name: maps for name, (_, maps, _, _) in found.items()} | {PUBLISHED: signed_maps}
    arrays = {f"{name}_{key}": m.numpy() for name, maps in everything.items() for key, m in maps.items()}
    block, maps, images, modified = found["perturbation"]
    validation = controls.of_validation(seen.held_out, seen.other_held_out, setting)
    controlled, control_hits = controls.controls(model, side, validation, maps, setting, seed=seed)
    threatened, threat_hits = controls.threats(model, side, modified, maps["blob"], setting)
    few = attacked_harder(model, side, modified, validation, images, setting, choices, seed=seed)
    threatened |= {name: metrics.count(few[name]) for name in few.columns.drop("image")}
    definitions = {"gradient": found["gradient"][0], PUBLISHED: pictured}
    block |= {"controls": controlled, "threats": threatened, "definitions": definitions}
    shown = torch.argsort(~side.hit, stable=True)[: choices.examples]
    arrays |= {f"example_{key}": m for key, m in examples.example_maps(side[shown], modified[shown], setting).items()}
    tables = {
        "images": pd.concat([
            pd.concat([images, control_hits, threat_hits], axis=1).assign(definition="perturbation"),
            found["gradient"][2].assign(definition="gradient"),
            pd.DataFrame({"image": range(len(side.x))} | signed_hits).assign(definition=PUBLISHED),
        ]),
        "threats": few,
        "nulls": nulls.table(model, side, seen.other, settings, choices, seed=seed),
        "curves": controls.curves(model, side, modified, choices.curve, setting, choices),
        "examples": examples.example_probabilities(model, side[shown], modified[shown], choices.eps),
    }  # fmt: skip
    return block, arrays, tables


def attacked_harder(model, side, modified, validation, images, setting, choices, *, seed):
    """FGSM beside PGD on the first ``choices.attacked`` test images: a row an image, 1 where it is still classified.

    Columns: image; fgsm, pgd (S_clean); mod_fgsm, mod_pgd (S_mod); ``mod_pgd, held out`` (the blob of validation
    images); ``anything``, PGD on S_clean at a radius that nothing withstands.
    """
    few = images[["image", "adv", "mod_adv"]].rename(columns={"adv": "fgsm", "mod_adv": "mod_fgsm"})[: choices.attacked]
    side = side[: choices.attacked]
    asked = {
        "pgd": (side, setting.eps), "mod_pgd": (modified[: choices.attacked], setting.eps),
        "mod_pgd, held out": (pipeline.neutralised(model, side, validation["held out"], setting.value), setting.eps),
        "anything": (side, ANYTHING),
    }  # fmt: skip
    hits = {name: controls.withstood(model, s.x, s.y, eps, seed=seed) for name, (s, eps) in asked.items()}
    return few.assign(**{name: hit.int().numpy() for name, hit in hits.items()})


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
