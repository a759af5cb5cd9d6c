"""The blob against attackers who know it, for blobs of the network itself, of another one, and of no class.

The defended network is x ↦ M(x with the blob's pixels at one value). The attacker knows all of it: FGSM and PGD take
their gradient through it, so only pixels outside the blob move. Nothing here uses the test images to make a blob.
"""

from dataclasses import asdict
from importlib.util import find_spec

import pandas as pd
import torch
from torch import nn

from ... import attacks, metrics, models, pipeline
from ..roi_roa import load, of_validation, search, sides, train, withstood

__all__ = ["compute", "load", "measurements"]

#: No blob: what every defended network is held against.
NONE = "none"


class Neutralised(nn.Module):
    """A network that sees images with the blob's pixels at one value: M(neutralise(x))."""

    def __init__(self, model, blob, value):
        super().__init__()
        self.model, self.value = model, value
        self.register_buffer("blob", blob.to(next(model.parameters()).device))

    def forward(self, x):
        return self.model(torch.where(self.blob, torch.as_tensor(self.value, dtype=x.dtype, device=x.device), x))


def compute(plan, splits, *, checkpoints, progress=True):
    """Train M and a second network, of the next seed, or read them from the folder ``checkpoints``, and attack."""
    choices, trained = plan.choices, []
    for seed in (plan.seed, plan.seed + 1):
        path = checkpoints / f"{choices.name}-seed{seed}.safetensors"  # those of roi_roa, where it was run
        trained.append(train(choices, splits, seed=seed, path=path, progress=progress))
    (model, training), (other, _) = trained
    result, tables = measurements(model, other, splits, choices, seed=plan.seed)
    head = {"dataset": choices.dataset, "classes": list(choices.classes)}
    return head | result | {"model": result["model"] | training}, {}, tables


def measurements(model, other, splits, choices, *, seed):
    """Everything that a unit reports, for two trained networks.

    Returns:
        (result, tables): the result holds for each direction the counts ``k`` of ``n`` by blob (``none``, ``own``,
        ``another network's``, ``any class``) and attack (``clean``, ``fgsm``, ``pgd``; ``apgd``, ``square`` where
        torchattacks is installed), and the blobs' sizes; the table ``images`` has a row an image and blob.
    """
    val, test = sides(model, splits, choices, seed=seed)
    theirs, _ = sides(other, splits, choices, seed=seed)
    eps, _ = search.choose_eps(model, val, choices.eps, choices.eps_target)
    tuning = search.tune(model, [side[: choices.tune] for side in val], choices, eps)
    directions, tables = {}, []
    for k, (source, target) in enumerate((choices.classes, choices.classes[::-1])):
        setting = search.chosen_setting(tuning, "perturbation", eps[k])
        found = blobs(val[k], val[1 - k], theirs[k], setting)
        side, name = test[k][: choices.images], f"{source} to {target}"
        table = pd.concat(
            attacked(model, side, blob, setting, choices, seed=seed).assign(blob=label) for label, blob in found.items()
        )
        scores = {
            label: {attack: metrics.count(part[attack]) for attack in part.columns.drop(["image", "blob"])}
            for label, part in table.groupby("blob", sort=False)
        }
        shares = {label: pipeline.share(blob) for label, blob in found.items() if blob is not None}
        directions[name] = {
            "source": source, "target": target, "scores": scores[NONE], "blobs": scores, "share": shares,
            "parameters": asdict(setting),
        }  # fmt: skip
        tables.append(table.assign(direction=name))
    result = {
        "directions": directions,
        "parameters": {"choices": asdict(choices), "eps": list(eps)},
        "model": {"test": metrics.count(models.correct(model, splits.test.images, splits.test.labels))},
    }
    return result, {"images": pd.concat(tables)}


def blobs(held_out, other_class, theirs, setting):
    """No blob and three, each (H, W) bool, from validation images: by name, None for no blob.

    Args:
        held_out, other_class: of the class and of the other one, as M sees them.
        theirs: of the class, as another network sees them.
        setting: :class:`roa_helpers.pipeline.Setting`, also for the other network.
    """
    ours = of_validation(held_out, other_class, setting)
    return {
        NONE: None,
        "own": ours["held out"],
        "another network’s": pipeline.blob_of(theirs, setting, "perturbation"),
        "any class": ours["any class"],
    }


def attacked(model, side, blob, setting, choices, *, seed):
    """Which images a network with a blob still classifies under each attack: a row an image, 1 or 0 for each attack."""
    defended = model if blob is None else Neutralised(model, blob, setting.value).eval()
    x, y, eps = side.x, side.y, setting.eps
    hits = {
        "clean": models.correct(defended, x, y),
        "fgsm": models.correct(defended, attacks.fgsm(defended, x, y, eps=eps), y),
        "pgd": withstood(defended, x, y, eps, seed=seed),
    } | elsewhere(defended, x, y, eps=eps, choices=choices, seed=seed)
    return pd.DataFrame({"image": range(len(x))} | {name: hit.int().numpy() for name, hit in hits.items()})


def elsewhere(model, x, y, *, eps, choices, seed):
    """APGD on the cross-entropy and Square (Croce and Hein, 2020; Andriushchenko et al., 2020) by torchattacks.

    Returns:
        {"apgd", "square"}: hits (N,) bool; empty where the library is not installed.
    """
    if find_spec("torchattacks") is None:
        return {}
    import torchattacks

    with models.frozen(model):
        made = {
            "apgd": torchattacks.APGD(model, norm="Linf", eps=eps, steps=choices.apgd_steps, seed=seed),
            "square": torchattacks.Square(model, norm="Linf", eps=eps, n_queries=choices.queries, seed=seed),
        }
        return {name: models.correct(model, attack(x, y).detach().to(x), y) for name, attack in made.items()}
