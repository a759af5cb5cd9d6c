"""What the blob is held against: other blobs, attackers who know more, stronger attacks, other ε and θ."""

import pandas as pd
import torch

from ... import attacks, metrics, models, pipeline, regions
from .choices import PGD_REACH, PGD_STARTS, PGD_STEPS


def of_validation(held_out, other, setting):
    """The blob that validation images give: of the class (``held out``), and of both classes (``any class``).

    The second is that of a defender who does not know which class an image has.

    Args:
        held_out, other: validation images of the class and of the other one, each a
            :class:`roa_helpers.pipeline.Scan`.

    Returns:
        name → (H, W) bool.
    """
    inside = [regions.isolate(*pipeline.regions_of(s, setting, "perturbation")).not_u_v for s in (held_out, other)]
    return {
        "held out": regions.blob(inside[0], setting.theta), "any class": regions.blob(torch.cat(inside), setting.theta)
    }  # fmt: skip


def controls(model, side, validation, maps, setting, *, seed):
    """The paper's blob against others on the same test images ``side``.

    Those of ``of_validation``, made in the same way from other images. The others have as many pixels as the
    paper's blob: ``random`` ones, those highest in the representative RoI (``in the RoI``), and those that lie in U−V−
    in most images (``in U−V−``).

    Args:
        validation: what ``of_validation`` gives.
        maps: the maps of ``compute.measure`` for the paper's definition of the RoA.

    Returns:
        (by name: counts ``mod`` and ``mod_adv``, the blob's pixels, its Jaccard index with the paper's blob;
        the hits, a row an image).
    """
    blob, found, hits = maps["blob"], {}, {}
    others = validation | {
        name: highest(values, int(blob.sum()), seed=seed)
        for name, values in (
            ("random", torch.zeros(blob.shape)), ("in the RoI", maps["roi"]), ("in U−V−", maps["not_u_not_v"])
        )
    }  # fmt: skip
    for name, one in others.items():
        modified = pipeline.neutralised(model, side, one, setting.value)
        scores = {"mod": modified.hit, "mod_adv": pipeline.attacked(model, modified, setting.eps)}
        found[name] = {score: metrics.count(hit) for score, hit in scores.items()} | {
            "pixels": int(one.sum()),
            "jaccard": float(metrics.jaccard(one[None].numpy(), blob[None].numpy())[0]),
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


def withstood(model, x, y, eps, *, seed):
    """Which images withstand PGD of many steps and several starts at the ℓ∞ radius ``eps``: (N,) bool.

    The steps reach so far together that the ball can be crossed from wherever the attack starts.
    """
    step = PGD_REACH * eps / PGD_STEPS
    return attacks.pgd_survivors(model, x, y, eps=eps, step=step, steps=PGD_STEPS, restarts=PGD_STARTS, seed=seed)


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
