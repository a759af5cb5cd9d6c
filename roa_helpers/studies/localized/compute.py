"""Do explainers find where a localised attack was? (Göpfert, Wersing and Hammer, 2019)

A unit takes photos and one shape of regions. Each photo is attacked in each region until the network sees the target;
the successes are explained, and every explanation is compared with the region, at equal numbers of pixels.
"""

import shutil
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd
import torch
from tqdm.auto import tqdm

from ... import attacks, data, explain, metrics, models
from ...data import KNOWN, photos
from ...errors import UserError
from ...explain import superpixels
from ...models import photo
from ...records import fingerprints, partial
from . import evaluation, placement, recovery
from .evaluation import ALREADY, METRICS, OUT_OF_STEPS, STALLED, SUCCEEDED

__all__ = ["compute", "load", "measurements"]

#: Photos that are finished together, and survive a killed run. Few: a network's layers should stay in the cache.
GROUP = 2
#: What a part holds as pictures: too much to hold of all examples at once.
PIXELS = ("image", "adversarial", "segments", "levels", "region")


@dataclass(frozen=True, eq=False)
class Material:
    """What a unit is computed from.

    Attributes:
        photos: :class:`roa_helpers.data.photos.Photos`.
        network: :class:`roa_helpers.models.photo.Pretrained`, which is attacked.
        provenance: of the photos.
    """

    photos: photos.Photos
    network: photo.Pretrained
    provenance: dict

    @property
    def fingerprint(self):
        """SHA-256 of the photos and the name of the network, whose weights are ImageNet's."""
        return fingerprints.value([self.photos.fingerprint, self.network.name])


def load(choices, *, root=None, progress=True):
    """The photos and the network: :class:`Material`.

    Photos of the target class are left out, where their classes are known.

    Raises:
        UserError: missing or unfit data, no network's weights, a target class that it does not know, a photo that is
            too small.
    """
    network = photo.pretrained(*choices.networks)
    if network is None:
        raise UserError(
            f"the weights of {' and '.join(choices.networks)} can neither be found nor fetched\n"
            f"  name {photo.AT_HAND}, whose weights are installed with this package"
        )
    if choices.target not in network.classes:
        raise UserError(f"{network.name} has no class {choices.target!r} to attack towards\n  choose another target")
    if choices.dataset in KNOWN:
        splits = data.load(choices.dataset, size=network.side, root=root, progress=progress)
        found = photos.of_set(splits.test, choices.photos, without=choices.target)
        kind = splits.provenance["source"]
    else:
        found = photos.opened(choices.dataset, size=network.side, count=choices.photos)
        kind = "pictures of your own"
    provenance = {
        "name": choices.dataset, "source": kind, "counts": {"photos": {"all": len(found.names)}},
        "size": network.side, "available": found.available,
        "unreadable": {"count": len(found.unreadable), "names": list(found.unreadable)},
    }  # fmt: skip
    return Material(found, network, provenance)


def compute(plan, material, *, checkpoints, progress=True):
    """Attack the network and measure: :func:`measurements`.

    Photos are finished in groups, kept in the folder ``checkpoints``; a killed run goes on after the last one.
    """
    choices, network = plan.choices, material.network
    told = {"name": network.name, "initialisation": "imagenet", "target": choices.target, "size": network.side}
    folder = checkpoints / "localized" / plan.name
    fingerprint = fingerprints.value(
        [asdict(choices), plan.seed, told, material.fingerprint, fingerprints.code(compute)]
    )
    try:
        found = measurements(
            network.model.to(models.device()), material.photos, network.classes.index(choices.target), choices,
            seed=plan.seed, folder=folder, fingerprint=fingerprint, progress=progress,
        )  # fmt: skip
    except UserError:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    shutil.rmtree(folder, ignore_errors=True)
    result, arrays, tables = found
    return {"dataset": choices.dataset, "network": told} | result, arrays, tables


def measurements(model, found, target, choices, *, seed, folder, fingerprint, progress=False):
    """Everything that a unit reports, for a trained network.

    Returns:
        (result, arrays, tables) as :func:`roa_helpers.records.store.write` takes them. The arrays hold the Jaccard
        index and Hamming likeness (E, K, n) of all examples, explainers and sizes, and the pictures of a few. Tables:
        ``examples``, a row an example; ``curves``, quantiles over examples; ``ranks``, a row an explainer, set of
        explainers and metric; ``attempts``, a row a region; ``spread``, LIME with other seeds.

    Raises:
        UserError: there was nothing to attack, or no attack succeeded.
    """
    parts = []
    starts = range(0, len(found.names), GROUP)
    for start in tqdm(starts, desc="photos", unit=f"{GROUP} photos", leave=False, disable=not progress):
        rows = range(start, min(start + GROUP, len(found.names)))
        parts.append(
            partial.kept(
                folder / f"{start:05d}.npz", fingerprint,
                lambda rows=rows: photo_group(model, found.images, rows, target, choices, seed=seed),
            )
        )  # fmt: skip
    whole = {name: np.concatenate([part[name] for part in parts]) for name in parts[0] if name not in PIXELS}
    check_successes(whole["outcome"], choices)
    shown = shown_examples(whole["photo"][whole["outcome"] == SUCCEEDED], choices.shown)
    pixels = {name: picked([part[name] for part in parts], shown) for name in PIXELS}
    spread = lime_spread(model, pixels, shown, target, choices, seed=seed)
    result = evaluation.measured(whole) | {
        "attack": evaluation.attack_counts(whole, found),
        "parameters": {"choices": asdict(choices)},
    }
    tables = {
        "examples": evaluation.examples_table(whole, found), "attempts": evaluation.attempts_table(whole, found),
        "curves": evaluation.curves(whole, found.images[0, 0].numel()),
        "ranks": evaluation.ranks_table(result["ranks"]), "spread": spread,
    }  # fmt: skip
    arrays = {name: whole[name].astype(np.float16) for name in METRICS}
    arrays |= {f"shown_{name}": pixels[name] for name in ("image", "region", "levels")}
    arrays["shown_adversarial"] = np.round(255 * pixels["adversarial"]).astype(np.uint8)
    return result, arrays | {"shown": shown}, tables


def check_successes(outcome, choices):
    """Refuse attempts (N,) of which none succeeded, and say why."""
    if (outcome == SUCCEEDED).any():
        return
    if not len(outcome):
        raise UserError(
            f"no photo has a segment that covers {choices.low:.0%} to {choices.high:.0%} of it\n"
            "  use photos that show more than one thing"
        )
    if (outcome == ALREADY).all():
        raise UserError("the network sees the target in every photo already\n  use other photos, or another target")
    raise UserError(
        f"none of {(outcome != ALREADY).sum()} attacks in a region reached the target\n"
        "  there is nothing to explain; allow larger regions, a larger eps, or more photos"
    )


def picked(stacks, rows):
    """Some rows of arrays that follow each other, without making one of them."""
    starts = np.cumsum([0, *map(len, stacks)])
    which = np.searchsorted(starts, rows, side="right") - 1
    return np.stack([stacks[part][row - starts[part]] for row, part in zip(rows, which, strict=True)])


def photo_group(model, images, rows, target, choices, *, seed):
    """Attack and explain some photos.

    Args:
        images: all photos (N, 3, S, S); ``rows`` those to take.

    Returns:
        dict of arrays. Of each attempt: ``photo``, ``outcome``, ``steps``, ``share`` of the photo in the region. Of
        each success, an example: ``jaccard`` and ``hamming`` (K, n), ``budgets`` (n,), ``segments``, ``levels``,
        ``image``, ``adversarial``, ``region``, ``positive`` and ``superpixels``: how many there are.
    """
    placing = {name: getattr(choices, name) for name in ("scale", "sigma", "min_size", "low", "high")}
    regions = [
        placement.placed(
            images[i].numpy(), choices.regions, seed=10_000 * seed + i, count=choices.region_count, **placing
        )
        for i in rows
    ]
    photo = np.repeat(list(rows), [len(r) for r in regions])
    region = torch.from_numpy(np.concatenate(regions))
    outcome = np.zeros(0, dtype=np.int64)
    examples, attempt = [], {"steps": outcome, "share": region.double().mean((1, 2)).numpy()}
    if len(photo):
        x, y = images[photo], torch.full((len(photo),), target)
        already = (models.predict(model, images[list(rows)]).argmax(1) == target).numpy()
        already = np.repeat(already, [len(r) for r in regions])
        ended = attacks.bim_until_success(
            model, x, y, eps=choices.eps, step=choices.step, steps=choices.steps, patience=choices.patience,
            region=region[:, None],
        )  # fmt: skip
        outcome = np.select(
            [already, ended.succeeded.numpy(), ended.stalled.numpy()], [ALREADY, SUCCEEDED, STALLED], OUT_OF_STEPS
        )
        attempt["steps"] = ended.steps.numpy()
        kept = np.flatnonzero(outcome == SUCCEEDED)
        maps = relevance(model, ended.x_adv[kept], target, choices, seed=seed) if len(kept) else {}
        for place, i in enumerate(kept):
            own = {name: values[place].numpy() for name, values in maps.items()}
            key = (int(photo[i]), int(i - np.searchsorted(photo, photo[i])))
            examples.append(
                example(model, x[i], ended.x_adv[i], region[i].numpy(), own, target, choices, seed=seed, key=key)
            )
    return {"photo": photo, "outcome": outcome, **attempt} | stacked(examples, choices, images.shape[2:])


def relevance(model, x, target, choices, *, seed):
    """Maps (N, H, W) of the gradient explainers by name, for images (N, 3, H, W) and one class."""
    y = torch.full((len(x),), target)
    signed = {
        "saliency": explain.saliency(model, x, y),
        "guided_backprop": explain.guided_backprop(model, x, y),
        "input_x_gradient": explain.input_x_gradient(model, x, y),
        "integrated_gradients": explain.integrated_gradients(model, x, y, steps=choices.path_steps),
        "smooth_grad": explain.smooth_grad(
            model, x, y, samples=choices.noise_samples, sd=choices.noise_sd, seed=seed
        ),
    }  # fmt: skip
    maps = {name: recovery.positive_norm(values) for name, values in signed.items()}
    return maps | {"grad_cam": explain.grad_cam(model, x, y)}


def example(model, image, adversarial, region, maps, target, choices, *, seed, key):
    """One adversarial example explained by every explainer and compared with its region.

    Args:
        key: numbers of the photo and of its region: ties are drawn anew for every example and explainer.

    Returns:
        dict of arrays, see :func:`photo_group`.
    """
    segments = superpixels.segment(adversarial, kernel_size=kernel_size(adversarial.shape[-1]))
    explanation = explain.lime_image(
        model, adversarial, target, samples=choices.samples, seed=seed, segments=segments
    )  # fmt: skip
    segments = segments.numpy()
    unions = explain.partial_unions(explanation, choices.unions).numpy()
    budgets = unions.sum((1, 2))
    maps = maps | {"lime": recovery.union_relevance(unions), "random": np.zeros(region.shape)}
    for name in ("saliency", "guided_backprop"):
        means = superpixels.superpixel_means(torch.from_numpy(maps[name]), explanation.segments)
        maps[f"{name}_superpixels"] = means.numpy()[segments]
    order = {name: recovery.ordered(maps[name], seed=(seed, *key, k)) for k, name in enumerate(recovery.EXPLAINERS)}
    found = [recovery.scores(order[name], budgets, region) for name in recovery.EXPLAINERS]
    found.append(recovery.bound(budgets, int(region.sum()), region.size))
    return {
        "jaccard": np.array([j for j, _ in found]), "hamming": np.array([h for _, h in found]),
        "budgets": budgets, "segments": segments.astype(np.uint16),
        "levels": np.stack([recovery.levels(order[name], budgets, region.shape) for name in recovery.EXPLAINERS]),
        "image": np.round(255 * image.numpy()).astype(np.uint8), "adversarial": adversarial.numpy(), "region": region,
        "positive": int((explanation.weights > 0).sum()), "superpixels": len(explanation.weights),
    }  # fmt: skip


def kernel_size(side):
    """Quickshift's kernel for photos of ``side`` pixels: lime's default, 4, at the 299 pixels of Inception v3.

    So superpixels cover a similar share of photos of any size (at 128 pixels up to 1.6 times that at 299), down to 75
    pixels, where the kernel is as small as it can be.
    """
    return max(1.0, 4 * side / 299)


def stacked(examples, choices, shape):
    """The examples' arrays one above the other; empty ones of the same shapes where there is no example."""
    k, n = len(recovery.EXPLAINERS), choices.unions
    empty = {
        "jaccard": ((k + 1, n), float), "hamming": ((k + 1, n), float), "budgets": ((n,), np.int64),
        "segments": (shape, np.uint16), "levels": ((k, *shape), np.uint8), "image": ((3, *shape), np.uint8),
        "adversarial": ((3, *shape), np.float32), "region": (shape, bool), "positive": ((), np.int64),
        "superpixels": ((), np.int64),
    }  # fmt: skip
    return {
        name: np.array([e[name] for e in examples], dtype=kind).reshape(len(examples), *own)
        for name, (own, kind) in empty.items()
    }


def shown_examples(photo, count):
    """Positions of the examples to be shown: two of each of the first ``count`` photos, those with two first."""
    numbers, counts = np.unique(photo, return_counts=True)
    chosen = sorted(numbers, key=lambda number: -min(2, counts[np.searchsorted(numbers, number)]))[:count]
    return np.concatenate([np.flatnonzero(photo == number)[:2] for number in chosen])


def lime_spread(model, pixels, shown, target, choices, *, seed):
    """LIME again with other seeds: a row an example, seed and n with the Jaccard index of its partial union.

    Args:
        pixels: arrays of the examples to be shown, of which ``choices.spread_examples`` are taken.
        shown: their positions among all examples.
    """
    rows = []
    for place, position in enumerate(shown[: choices.spread_examples]):
        image, segments = torch.from_numpy(pixels["adversarial"][place]), pixels["segments"][place].astype(int)
        region = pixels["region"][place]
        for other in range(choices.spread_seeds):
            explanation = explain.lime_image(
                model, image, target, samples=choices.samples, seed=seed + other, segments=segments
            )
            unions = explain.partial_unions(explanation, choices.unions).numpy()
            jaccard = metrics.jaccard(unions, np.broadcast_to(region, unions.shape))
            rows.append(pd.DataFrame({
                "example": position, "seed": seed + other, "n": np.arange(1, len(unions) + 1), "jaccard": jaccard,
            }))  # fmt: skip
    return pd.concat(rows)
