"""What subspaces hold: accuracy, the norm of attacks, confined attacks, compression, and the book's regions."""

import numpy as np
import pandas as pd
import torch
from scipy import stats

from ... import attacks, explain, geometry, metrics, models, pipeline, regions
from ...models import small
from . import lines
from .choices import CONFINED_STEPS, FACTORS, SHARES

#: Longest universal perturbation, as a share of the mean norm of images.
LONGEST = 0.6
#: The regions of the book's paper that are looked at: name of the field of ``regions.Regions``, or ``roi``, ``roa``.
REGIONS = ("roi", "roa", "uv", "u_not_v", "not_u_v", "not_u_not_v")


def places(last, count):
    """At most ``count`` whole numbers from 1 to ``last``, evenly spaced by ratio, and 0 before them."""
    return [0, *sorted({int(round(v)) for v in np.geomspace(1, last, count)})]


def hits_inside(model, x, labels, basis, counts):
    """Whether each image, projected on the first m columns of a basis, is classified correctly, for each m.

    The mean image is subtracted before the projection and added afterwards.

    Returns:
        (N, G) bool for the G numbers m of ``counts``.
    """
    mean = model.mean.cpu().expand(x.shape[1:])
    coordinates = (x - mean).flatten(1) @ basis
    hits = []
    for m in counts:
        inside = mean + (coordinates[:, :m] @ basis[:, :m].T).reshape(x.shape)
        hits.append(geometry.scores(model, inside).argmax(1) == labels)
    return torch.stack(hits, 1)


def perturbations(model, x, labels, train, choices, *, seed):
    """The four perturbations of Fig. 3: DeepFool, FGSM, saliency of the predicted class, one universal for all.

    Returns:
        (dict name → (n, C, H, W), DeepFool's result, the log of the universal perturbation).
    """
    options = {"steps": choices.deepfool_steps, "overshoot": choices.overshoot, "candidates": choices.candidates}
    found = attacks.deepfool(model, x, clip=False, **options)
    fgsm = attacks.fgsm(model, x, labels, eps=choices.eps) - x
    saliency = explain.saliency(model, x, found.predicted)
    reach = float((x - model.mean.cpu()).flatten(1).norm(dim=1).mean())
    universal = attacks.universal(
        model, train, eps=min(choices.radius * float(found.norms.mean()), LONGEST * reach), norm="l2", fraction=0.8,
        epochs=choices.epochs_universal, seed=seed, clip=False, **options,
    )  # fmt: skip
    steps = {"DeepFool": (found.x_adv - x)[found.success], "FGSM": fgsm, "saliency": saliency,
             "universal": universal.perturbation[None]}  # fmt: skip
    return steps, found, [dict(row) for row in universal.log]


def figure_three(model, parts, found, steps, choices):
    """Fig. 3: accuracy and retained norm for each kind of subspace.

    Args:
        parts: ``train`` and ``test`` → (images, labels).
        found: kinds of subspaces, from :func:`.directions.spaces`.
        steps: perturbations by name.

    Returns:
        (table of accuracies: kind, d, dimension, part, k, n; table of retained norms: kind, d, dimension, attack,
        mean, sd, n; kind → (dimensions, hits of test images (N, G), DeepFool's retained norm (N', G))).
    """
    accuracy, norms, raw = [], [], {}
    for kind, space in found.items():
        ranks = places(len(space.counts) - 1, choices.ranks)
        counts = [space.counts[d] for d in ranks]
        for part, (x, labels) in parts.items():
            hits = hits_inside(model, x, labels, space.basis, counts)
            accuracy += [
                {"kind": kind, "d": d, "dimension": m, "part": part} | metrics.count(column)
                for d, m, column in zip(ranks, counts, hits.T, strict=True)
            ]
            if part == "test":
                raw[kind] = [counts, hits.numpy()]
        for attack, step in steps.items():
            kept = geometry.retained(step, space.basis)[:, counts].numpy()
            norms += [
                {"kind": kind, "d": d, "dimension": m, "attack": attack} | _mean(column)
                for d, m, column in zip(ranks, counts, kept.T, strict=True)
            ]
            if attack == "DeepFool":
                raw[kind].append(kept)
    return pd.DataFrame(accuracy), pd.DataFrame(norms), raw


#: The areas between accuracies that :func:`coupling` gives: name → (kinds of subspaces, the second is taken off).
AREAS = {"curved_flat": ("both", "flat"), "curved_random": ("both", "random"),
         "positive_negative": ("positive", "negative")}  # fmt: skip


def coupling(raw):
    """Accuracy and retained norm as numbers: areas between curves, rank correlations, with bootstrap intervals.

    An area is the mean difference of two accuracies over the dimensions that both kinds reach, from the smallest on.
    ``correlation`` is Spearman's ρ between accuracy and the share of DeepFool's norm, over all kinds and dimensions;
    both rise with the dimension whatever the directions are. ``beyond_dimension`` is ρ of what each subspace has more
    than a random one of its dimension.

    Args:
        raw: of :func:`figure_three`.

    Returns:
        dict: NAME, NAME_interval, ``images``; NAME_range, the dimensions that an area spans.

    Raises:
        ValueError: the smallest subspace of one kind is no smaller than the largest of another.
    """
    found = {"images": int(len(raw["both"][1]))}
    for name, kinds in AREAS.items():
        grid = _grid(raw, kinds)
        one, other = (_on(grid, raw[kind][0], raw[kind][1]) for kind in kinds)
        difference = lines.area(one - other, grid)
        found |= {name: float(difference.mean()), f"{name}_interval": list(metrics.bootstrap(difference)),
                  f"{name}_range": [int(grid[0]), int(grid[-1])]}  # fmt: skip
    grids = {kind: _grid(raw, (kind, "random")) for kind in raw if kind != "random"}
    beyond = {
        kind: [
            tuple(_on(grid, raw[of][0], raw[of][k]) for of in (kind, "random")) for k in (1, 2)
        ]
        for kind, grid in grids.items()
    }  # fmt: skip
    rng = np.random.default_rng(0)
    draws = [_correlations(raw, beyond, None)] + [_correlations(raw, beyond, rng) for _ in range(500)]
    for k, name in enumerate(("correlation", "beyond_dimension")):
        values = np.array([draw[k] for draw in draws])
        found |= {name: values[0], f"{name}_interval": np.nanquantile(values[1:], (0.025, 0.975)).tolist()}
    return found


def _grid(raw, kinds):
    """Forty dimensions, evenly spaced, that all of ``kinds`` reach."""
    first, last = max(raw[kind][0][1] for kind in kinds), min(raw[kind][0][-1] for kind in kinds)
    if not last > first:
        raise ValueError(f"subspaces share no range of dimensions: {first} to {last}")
    return np.linspace(first, last, 40)


def _on(grid, counts, values):
    """Rows of values at the dimensions ``counts``, at those of ``grid``: (N, len(grid))."""
    return np.stack([np.interp(grid, counts, row) for row in np.asarray(values, dtype=float)])


def _correlations(raw, beyond, rng):
    """(ρ of accuracy and retained norm, ρ of both less those of random subspaces), of all images or of a resample."""

    def rows(values):
        return slice(None) if rng is None else rng.integers(0, len(values), len(values))

    some = [rows(next(iter(raw.values()))[k]) for k in (1, 2)]
    pairs = [[np.asarray(found[k], dtype=float)[some[k - 1]].mean(0)[1:] for k in (1, 2)] for found in raw.values()]
    plain = stats.spearmanr(*(np.concatenate(column) for column in zip(*pairs, strict=True)))[0]
    more = [
        np.concatenate([(own[k][0] - own[k][1])[some[k]].mean(0) for own in beyond.values()]) for k in (0, 1)
    ]  # fmt: skip
    return float(plain), float(stats.spearmanr(*more)[0])


def figure_four(model, parts, basis, choices):
    """Fig. 4: accuracy on the first m singular vectors, and on the last m.

    Returns:
        (table: order (``hi``, ``lo``), dimension, part, k, n; area between both curves of each test image).
    """
    counts = places(basis.shape[1], choices.ranks)
    rows, heights = [], {}
    for order, columns in (("hi", basis), ("lo", basis.flip(1))):
        for part, (x, labels) in parts.items():
            hits = hits_inside(model, x, labels, columns, counts)
            rows += [
                {"order": order, "dimension": m, "part": part} | metrics.count(column)
                for m, column in zip(counts, hits.T, strict=True)
            ]
            if part == "test":
                heights[order] = lines.area(hits.numpy(), counts)
    return pd.DataFrame(rows), heights["hi"] - heights["lo"]


def figure_five(model, x, basis, choices):
    """Fig. 5: DeepFool confined to subspaces of the singular vectors, and the norm of the projected images.

    Returns:
        (table: order, dimension, mean, sd, n of the norm of the perturbations that fool, how many of ``tried`` are
        ``fooled``, ``median`` norm (infinite for images that are not), mean norm ``image`` of the projected images;
        Spearman's ρ of ``median`` and ``image`` over the subspaces, and its bootstrap interval over images; pictures
        uint8 of the first image: its projection and its perturbation, (2 G, 2, C, H, W)).
    """
    counts = places(basis.shape[1], choices.spans)[1:]
    mean, rows, pictures, raw = model.mean.cpu().expand(x.shape[1:]), [], [], []
    for order, columns in (("hi", basis), ("lo", basis.flip(1))):
        for m in counts:
            space = columns[:, :m].contiguous()
            found = attacks.deepfool(
                model, x, steps=CONFINED_STEPS, overshoot=choices.overshoot, candidates=choices.candidates,
                subspace=space, clip=False,
            )  # fmt: skip
            inside = geometry.project(x - mean, space)
            step = found.x_adv - x
            norms = torch.where(found.success, found.norms, torch.inf).numpy()
            images = inside.flatten(1).norm(dim=1).numpy()
            raw.append((norms, images))
            rows.append({"order": order, "dimension": m} | _mean(norms[np.isfinite(norms)])
                        | {"fooled": int(found.success.sum()), "tried": len(x), "median": np.median(norms),
                           "image": images.mean()})  # fmt: skip
            scaled = 0.5 + step[0] / (2 * step[0].abs().max().clamp(min=1e-12))
            pictures.append(torch.stack([(mean + inside[0]).clamp(0, 1), scaled]))
    norms, images = (np.stack(column) for column in zip(*raw, strict=True))
    rng = np.random.default_rng(0)
    draws = [slice(None), *(rng.integers(0, len(x), len(x)) for _ in range(500))]
    values = [stats.spearmanr(np.median(norms[:, drawn], 1), images[:, drawn].mean(1))[0] for drawn in draws]
    inverse = values[0], np.nanquantile(values[1:], (0.025, 0.975)).tolist()
    return pd.DataFrame(rows), inverse, (255 * torch.stack(pictures)).round().to(torch.uint8)


def table_one(model, x, labels, found, choices):
    """Table 1: the network behind a unit that shrinks and enlarges its input, and two attackers.

    The first, the paper's, does not know of the unit: its DeepFool perturbations, computed on the network alone, are
    scaled by f. The second does: DeepFool on network and unit together. An image counts as fooled where the
    prediction of network and unit changes.

    Args:
        found: DeepFool's result on the network alone.

    Returns:
        (table of counts: side, measured (``accuracy``, ``unaware``, ``aware``), f, k, n; ``aware`` are the images that
        the second attacker fools with at most f times the norm that the first one had; table of norms, a row a side:
        side, share (of the original one), mean norms of images (less the mean image) and perturbations as they leave
        the unit, ratio of the norms of the second and the first attacker with its bootstrap interval (geometric mean,
        over ``fooled`` of ``attacked`` images), loss of accuracy with its interval for the same images scored twice).
    """
    mean, done, whole = model.mean.cpu().expand(x.shape[1:]), found.success, x.shape[-1]
    step, hits = (found.x_adv - x)[done], found.predicted == labels
    counts, norms = [], []
    for side in dict.fromkeys(max(2, round(share * whole)) for share in SHARES):
        behind = small.Resampled(model, side)
        clean = geometry.scores(behind, x).argmax(1)
        moved = {f: geometry.scores(behind, x[done] + f * step).argmax(1) != clean[done] for f in FACTORS}
        aware = attacks.deepfool(behind, x[done], steps=choices.deepfool_steps, overshoot=choices.overshoot,
                                  candidates=choices.candidates, clip=False)  # fmt: skip
        relative = torch.where(aware.success, aware.norms / found.norms[done], torch.inf).double().numpy()
        counts.append({"side": side, "measured": "accuracy", "f": 0} | metrics.count(clean == labels))
        for f in FACTORS:
            counts.append({"side": side, "measured": "unaware", "f": f} | metrics.count(moved[f]))
            counts.append({"side": side, "measured": "aware", "f": f} | metrics.count(relative <= f * (1 + 1e-6)))
        ratios = np.log(relative[np.isfinite(relative)])
        low, high = np.exp(metrics.bootstrap(ratios))
        lost = metrics.paired_difference(clean == labels, hits)
        norms.append(
            {"side": side, "share": side / whole, "image": _length(small.resampled(x - mean, side)),
             "perturbation": _length(small.resampled(step, side)), "fooled": len(ratios), "attacked": len(relative),
             "ratio": float(np.exp(ratios.mean())), "ratio_low": low, "ratio_high": high,
             "loss": float((hits.double() - (clean == labels).double()).mean()), "loss_low": lost.low,
             "loss_high": lost.high}
        )  # fmt: skip
    return pd.DataFrame(counts), pd.DataFrame(norms)


def bridge(model, images, directions, choices, *, seed):
    """How much of the energy of the most curved directions of a class falls into the regions of its images.

    The energy of a subspace at a pixel is Σ over directions and channels of the squared entries, divided by the number
    of directions, so it sums to 1 over the image. A random subspace has the same energy everywhere: what falls into a
    region is then the region's share of the pixels.

    Args:
        images: ImageSet of test images.
        directions: for each class, what :func:`.directions.extremes` returns.

    Returns:
        DataFrame: definition (of the RoA), kind (``curved``, ``flat``), region, energy, pixels (means over images),
        difference with its bootstrap interval low, high, n (images).
    """
    setting = pipeline.Setting(choices.eps, choices.delta1, choices.delta2, 0.0, 0.0)
    gradient = pipeline.Setting(choices.eps, choices.delta1, choices.delta2_gradient, 0.0, 0.0)
    found = {}
    for c, part in enumerate(directions):
        x, labels = pipeline.of_class(images, c, seed=seed, limit=choices.bridged)
        side = pipeline.scan(model, x, labels)
        curved = torch.cat([part["positive"][:, : choices.energy], part["negative"][:, : choices.energy]], 1)
        maps = {"curved": curved, "flat": part["flat"][:, : 2 * choices.energy]}
        maps = {kind: energy(vectors, x.shape[1:]) for kind, vectors in maps.items()}
        for definition, own in (("perturbation", setting), ("gradient", gradient)):
            roi, roa = pipeline.regions_of(side, own, definition)
            masks = {"roi": roi, "roa": roa} | vars(regions.isolate(roi, roa))
            for kind, values in maps.items():
                for region in REGIONS:
                    inside = masks[region].double()
                    held = (inside * values).sum((1, 2))
                    found.setdefault((definition, kind, region), []).append(torch.stack([held, inside.mean((1, 2))]))
    rows = []
    for (definition, kind, region), parts in found.items():
        held, pixels = torch.cat(parts, 1).numpy()
        low, high = metrics.bootstrap(held - pixels)
        rows.append({"definition": definition, "kind": kind, "region": region, "energy": held.mean(),
                     "pixels": pixels.mean(), "difference": (held - pixels).mean(), "low": low, "high": high,
                     "n": len(held)})  # fmt: skip
    return pd.DataFrame(rows)


def energy(vectors, shape):
    """Σ over directions and channels of the squared entries of orthonormal vectors (D, d), / d: (H, W), sums to 1."""
    return (vectors.double().square().sum(1) / vectors.shape[1]).reshape(shape).sum(0)


def compared(model, x, found, choices):
    """DeepFool of other libraries on the same images, where they are installed: norm and share that is fooled.

    Args:
        found: our result on ``x``, not clipped.

    Returns:
        DataFrame: library, fooled of n, mean and sd of the norm where it fools, ratio of this mean to ours on the same
        images. Libraries that are missing have no row.
    """
    ours = {"roa-helpers": found.x_adv}
    rows = []
    for library, adversarial in (ours | _libraries(model, x, choices)).items():
        fooled = models_differ(model, adversarial, found.predicted)
        norms = (adversarial - x).flatten(1).norm(dim=1)
        both = fooled & found.success
        rows.append({"library": library, "fooled": int(fooled.sum()), "tried": len(x)} | _mean(norms[fooled].numpy())
                    | {"ratio": float(norms[both].mean() / found.norms[both].mean())})  # fmt: skip
    return pd.DataFrame(rows)


def models_differ(model, x, predicted):
    """Whether the prediction for each point differs from ``predicted``, (N,) bool."""
    return geometry.scores(model, x).argmax(1) != predicted


def _libraries(model, x, choices):
    """Adversarial images by library, each with the overshoot and steps of ``choices``."""
    results = {}
    with models.frozen(model):
        try:
            import foolbox

            attack = foolbox.attacks.L2DeepFoolAttack(
                steps=choices.deepfool_steps, candidates=choices.candidates, overshoot=choices.overshoot,
                loss="logits",
            )  # fmt: skip
            wrapped = foolbox.PyTorchModel(model, bounds=(-10, 11))
            labels = geometry.scores(model, x).argmax(1)
            results["foolbox"] = attack(wrapped, x, labels, epsilons=None)[0].detach()
        except ImportError:
            pass
        try:
            from art.attacks.evasion import DeepFool
            from art.estimators.classification import PyTorchClassifier

            classes = geometry.scores(model, x[:1]).shape[1]
            wrapped = PyTorchClassifier(
                model, loss=torch.nn.CrossEntropyLoss(), input_shape=tuple(x.shape[1:]), nb_classes=classes
            )
            attack = DeepFool(wrapped, max_iter=choices.deepfool_steps, epsilon=choices.overshoot,
                              nb_grads=choices.candidates or classes, verbose=False)  # fmt: skip
            results["adversarial-robustness-toolbox"] = torch.from_numpy(attack.generate(x.numpy()))
        except ImportError:
            pass
    return results


def _length(x):
    return float(x.flatten(1).norm(dim=1).mean())


def _mean(values):
    values = np.asarray(values, dtype=float)
    return {"mean": float(values.mean()) if len(values) else np.nan,
            "sd": float(values.std(ddof=1)) if len(values) > 1 else np.nan, "n": len(values)}  # fmt: skip
