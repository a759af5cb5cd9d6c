"""One pair of classes by one network: how well it classifies, and the paper's findings measured on it.

A unit trains a network, or fine-tunes one that has learnt something else before, and measures both directions: the four
scores with the blob that validation images give and with the paper's own, PGD, SSIM of RoI and RoA, and the alignment
of regions beside that of untrained networks of the same architecture.
"""

import hashlib
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd
import torch

from ... import data, metrics, models, pipeline
from ...records import fingerprints
from .. import trained, training_of
from ..roi_roa import SEED_OFFSET, accuracies, overlap, search, sides, withstood
from ..roi_roa import load as load_pair
from ..roi_roa import train as train_pair
from .choices import BASELINE
from .networks import build, imagenet

__all__ = ["Material", "compute", "load", "measurements"]

#: The blob by the paper's text, made from images that are not scored, and from those that are.
HELD_OUT, PAPERS_WAY = "held out", "as in the paper"


@dataclass(frozen=True, eq=False)
class Material:
    """What a unit is computed from.

    Attributes:
        splits: the images of the pair.
        earlier: those of the data set that is learnt first; None where there is none.
        state: ImageNet's weights of the features by parameter; None where the network begins without.
        provenance: of ``splits`` and ``earlier``.
    """

    splits: data.Splits
    earlier: data.Splits | None
    state: dict | None
    provenance: dict

    @property
    def fingerprint(self):
        """SHA-256 of the images of both and of the weights."""
        sums = {name: _sum(values) for name, values in (self.state or {}).items()}
        return fingerprints.value([self.splits.fingerprint, self.earlier.fingerprint if self.earlier else "", sums])


def _sum(values):
    return hashlib.sha256(values.contiguous().flatten().view(torch.uint8).numpy()).hexdigest()


def load(choices, *, root=None, progress=True):
    """The images of the pair, and what the network has learnt before: ``Material``.

    Raises:
        UserError: data or weights that are missing or unfit.
    """
    splits, earlier, state = load_pair(choices, root=root, progress=progress), None, None
    told = splits.provenance
    if choices.weights in data.KNOWN:
        limit = (choices.first_train, 50, 100)
        earlier = data.load(choices.weights, size=choices.size, limit=limit, root=root, progress=progress)
        earlier = data.in_colour(earlier)
        told = told | {"learnt first": earlier.provenance}
    elif choices.weights == "imagenet" and choices.variant != BASELINE:
        state = imagenet(choices.network, root=root)
    return Material(splits, earlier, state, told)


def compute(plan, material, *, checkpoints, progress=True):
    """Train the network, or read it from the folder ``checkpoints``, and measure it: see :func:`measurements`.

    The baseline is the network of ``roi_roa`` and stays there; the others are not kept.
    """
    choices, seed = plan.choices, plan.seed
    kept = checkpoints / f"{choices.pair}-seed{seed}.safetensors"
    paths = [checkpoints / "architectures" / f"{plan.name}{part}.safetensors" for part in ("", "-first")]
    if choices.variant == BASELINE:
        model, told = train_pair(choices, material.splits, seed=seed, path=kept, progress=progress)
    else:
        model, told = train(choices, material, seed=seed, paths=paths, progress=progress)
    result, tables = measurements(model, material.splits, choices, seed=seed)
    for path in paths:
        path.unlink(missing_ok=True)
    head = {"dataset": choices.dataset, "classes": list(choices.classes), "variant": choices.variant,
            "network": choices.network}  # fmt: skip
    return head | result | {"model": result["model"] | told}, {}, tables


def train(choices, material, *, seed, paths, progress=True):
    """A network on the pair's training images, after what it is to have learnt before.

    Args:
        choices: :class:`.choices.Architecture`.
        material: ``Material``.
        paths: of its checkpoint, and of that of what is learnt first.

    Returns:
        (model in evaluation mode, {"initialisation", "mixed", "history"}, and ``first``, the accuracy on test images of
        the data set that was learnt first).
    """
    built, told = {"width": choices.width, "seed": seed}, {}
    model = build(choices.network, 2, **built)
    if material.earlier:
        splits, training = material.earlier, training_of(choices, seed=seed, epochs=choices.first_epochs)
        first = _fitted(build(choices.network, len(splits.train.class_names), **built), splits, training, choices,
                        path=paths[1], after=[], progress=progress)  # fmt: skip
        model.features.load_state_dict(first.model.features.state_dict())
        told["first"] = metrics.count(models.correct(first.model, splits.test.images, splits.test.labels))
    elif material.state:
        model.features.load_state_dict(material.state)
    training = training_of(choices, seed=seed)
    after = [choices.first_epochs, material.fingerprint]
    finished = _fitted(model, material.splits, training, choices, path=paths[0], after=after, progress=progress)
    told |= {"initialisation": choices.weights, "mixed": training.mixed, "history": list(finished.history)}
    return finished.model, told


def _fitted(model, splits, training, choices, *, path, after, progress):
    depends = choices.network, choices.width, splits.train.fingerprint, splits.val.fingerprint, *after
    return trained(model, splits.train, splits.val, training, path=path, depends=depends, makers=[build],
                   progress=progress)  # fmt: skip


def measurements(model, splits, choices, *, seed):
    """Everything that a unit reports, for a trained network.

    Returns:
        (result, tables). The result holds ``directions`` (see ``direction``), ``parameters`` and ``model``, with
        the counts ``test`` (all test images) and ``train`` (some of those that it learnt from). The table ``images``
        has a row an image, ``pgd`` a row for each of the first ones: 1 where it is classified correctly.
    """
    val, test = sides(model, splits, choices, seed=seed)
    eps, _ = search.choose_eps(model, val, choices.eps, choices.eps_target)
    tuning = search.tune(model, [side[: choices.tune] for side in val], choices, eps)
    device = next(model.parameters()).device
    untrained = [
        build(choices.network, 2, width=choices.width, seed=seed + SEED_OFFSET + k).to(device).eval()
        for k in range(choices.untrained)
    ]
    directions, parts = {}, []
    for k, (source, target) in enumerate((choices.classes, choices.classes[::-1])):
        setting, name = search.chosen_setting(tuning, "perturbation", eps[k]), f"{source} to {target}"
        block, tables = direction(model, untrained, test[k], val[k], setting, choices, seed=seed)
        directions[name] = {"source": source, "target": target} | block
        parts.append({key: table.assign(direction=name) for key, table in tables.items()})
    result = {
        "directions": directions,
        "parameters": {"choices": asdict(choices), "eps": list(eps)},
        "model": accuracies(model, splits, choices, seed=seed),
    }
    return result, {key: pd.concat([part[key] for part in parts]) for key in parts[0]}


def direction(model, untrained, side, held_out, setting, choices, *, seed):
    """One direction, source class → target class.

    Args:
        model: the network.
        untrained: networks of its architecture.
        side, held_out: test and validation images of the source class, each a :class:`roa_helpers.pipeline.Scan`.
        setting: :class:`roa_helpers.pipeline.Setting`.

    Returns:
        (block, tables): ``scores`` with the blob of validation images, ``way`` with the paper's own, ``pgd``, ``share``
        of the image that each blob covers, ``ssim``, ``alignment`` (``alignments``), ``parameters``; the tables
        ``images`` and ``pgd``.
    """
    roi, roa = pipeline.regions_of(side, setting, "perturbation")
    blobs = {name: pipeline.blob_of(s, setting, "perturbation") for name, s in ((HELD_OUT, held_out),
                                                                                (PAPERS_WAY, side))}  # fmt: skip
    modified = {name: pipeline.neutralised(model, side, blob, setting.value) for name, blob in blobs.items()}
    hits = {"clean": side.hit, "adv": pipeline.attacked(model, side, setting.eps)}
    for name, one in modified.items():
        hits |= {f"mod, {name}": one.hit, f"mod_adv, {name}": pipeline.attacked(model, one, setting.eps)}
    few = {name: scan[: choices.attacked] for name, scan in (("pgd", side), ("mod_pgd", modified[HELD_OUT]))}
    harder = {name: withstood(model, scan.x, scan.y, setting.eps, seed=seed) for name, scan in few.items()}
    block = {
        "scores": _counts(hits, HELD_OUT), "way": _counts(hits, PAPERS_WAY),
        "pgd": {name: metrics.count(hit) for name, hit in harder.items()},
        "share": {name: pipeline.share(blob) for name, blob in blobs.items()},
        "ssim": overlap.similarity(roi, roa),
        "alignment": alignments(untrained, side[: choices.null_images], setting, seed=seed),
        "parameters": asdict(setting),
    }  # fmt: skip
    return block, {"images": _table(hits), "pgd": _table(harder)}


def _counts(hits, blob):
    names = {"clean": "clean", "adv": "adv", "mod": f"mod, {blob}", "mod_adv": f"mod_adv, {blob}"}
    return {score: metrics.count(hits[name]) for score, name in names.items()}


def _table(hits):
    columns = {name: hit.int().numpy() for name, hit in hits.items()}
    return pd.DataFrame({"image": range(len(next(iter(columns.values()))))} | columns)


def alignments(untrained, side, setting, *, seed):
    """Whether regions of a class share a place, beside what chance and architecture give.

    Args:
        untrained: networks of the architecture of the one that saw ``side``.
        side: images of one class, a :class:`roa_helpers.pipeline.Scan`.

    Returns:
        dict of ``roi`` and ``roa``, each with ``value``, ``value_interval`` (jackknife over images), ``n``, ``rolled``
        (of the same regions rolled to random places) and ``untrained``, the largest of those of untrained networks.
    """
    found = pipeline.regions_of(side, setting, "perturbation")
    nulls = [pipeline.regions_of(pipeline.scan(one, side.x, side.y), setting, "perturbation") for one in untrained]
    block = {}
    for k, name in enumerate(("roi", "roa")):
        maps = found[k].numpy()
        block[name] = {
            "value": metrics.alignment(maps), "value_interval": metrics.alignment_interval(maps), "n": len(maps),
            "rolled": metrics.alignment(metrics.rolled(maps, seed=seed)),
            "untrained": float(np.max([metrics.alignment(null[k].numpy()) for null in nulls])),
        }  # fmt: skip
    return block
