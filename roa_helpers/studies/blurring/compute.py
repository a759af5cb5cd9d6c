"""The pixel-importance thesis: does blurring what does not matter make a classifier robust?

A unit trains five networks on one data set: A on the images themselves, B to E on images whose less important pixels
are blurred, by four heatmaps. Each is tested on six versions of the test images, clean and under two attacks, before
and after the blurring: the 150 accuracies of Tables 4.1 to 4.5. Heatmaps are always those of A for the class it sees,
and those of attacked images are computed from the attacked images, for this is all that a defence has. The attacked
network is the one that is tested; both attacks lead away from the class that it sees, as the thesis defines them.
"""

from dataclasses import asdict, dataclass, replace
from itertools import combinations

import numpy as np
import pandas as pd
import torch

from ... import attacks, data, metrics, models
from ...errors import UserError
from ...models import resnet
from ...records import fingerprints, partial
from .. import trained, training_of
from .choices import IMAGENET, PRETRAINED, SCRATCH
from .defence import NOTHING, VERSIONS, Defence, fixed_mask, loss_gradient_and_label, straight_through
from .heatmaps import HEATMAPS
from .published import MODELS, ROWS

__all__ = ["Loaded", "compute", "evaluate", "knowing", "load", "match"]

EXAMPLES = 3


@dataclass(frozen=True, eq=False)
class Loaded:
    """What a unit needs of its data set: the classes told apart, and the others, if it is trained on them before."""

    splits: data.Splits
    others: data.Splits | None

    @property
    def fingerprint(self):
        """Of both parts."""
        return self.splits.fingerprint + (self.others.fingerprint if self.others else "")

    @property
    def provenance(self):
        """Of both parts."""
        return self.splits.provenance | ({"others": self.others.provenance} if self.others else {})


def load(choices, *, root=None, progress=True):
    """The images of the first ``choices.classes`` classes, and for ``pretrained`` those of the others.

    Raises:
        UserError: data that are missing or unfit, or too few classes.
    """
    names = data.load(choices.dataset, size=choices.size, limit=1, root=root).train.class_names
    count = len(names) if choices.classes is None else choices.classes
    others = choices.weights == PRETRAINED
    if len(names) < count + 2 * others or count < 2:
        raise UserError(
            f"{choices.dataset} has {len(names)} classes: {', '.join(names)}\n  this unit tells {count} apart"
            + (", trained before on at least two others" if others else "; at least two are needed")
        )

    def part(classes, *limit):
        return data.in_colour(
            data.load(choices.dataset, classes=classes, size=choices.size, limit=limit, root=root, progress=progress)
        )

    return Loaded(
        part(names[:count], choices.train, choices.val, choices.test),
        part(names[count:], choices.pretrain, 20, 1) if others else None,
    )


def compute(plan, loaded, *, checkpoints, progress=True):
    """Train the five networks and measure them; what is finished is kept below ``checkpoints`` until all is.

    Returns:
        (result, arrays, tables) as :func:`roa_helpers.records.store.write` takes them. Tables: ``cells``, a row for
        each of the 150 accuracies; ``strengths``, the accuracy of A on validation images over the strengths that were
        tried; ``knowing``, accuracies under the attackers of :func:`knowing`; ``overlap``, Jaccard index of what two
        heatmaps keep. Arrays: ``hits`` (model, row, version, image) and ``knowing`` (row of its table, image), bool;
        images with their heatmaps, and under both attacks.
    """
    choices, test = plan.choices, loaded.splits.test
    folder, seed = checkpoints / "blurring", plan.seed
    state, told = initial(loaded, choices, seed=seed, folder=folder, progress=progress)
    key = fingerprints.value([asdict(choices), seed, told, loaded.fingerprint, fingerprints.code(compute)])

    def network_of(name, images):
        path = folder / f"{plan.name}-{name}.safetensors"
        return train(loaded.splits, images, state, choices, seed=seed, path=path, progress=progress)

    explainer, _ = network_of(NOTHING, loaded.splits.train.images)
    defence = Defence(explainer=explainer, keep=choices.keep, sigma=choices.sigma, epsilon=choices.lrp_epsilon,
                      radius=choices.pgd_radius, steps=choices.pgd_steps)  # fmt: skip
    files = {name: folder / f"{plan.name}-{name}.npz" for name in (*MODELS, "strengths")}
    strengths, tried = matched(files["strengths"], key, explainer, loaded.splits.val, choices)
    train_images, test_images = defence.versions(loaded.splits.train.images), defence.versions(test.images)

    def measured(name):
        model, history = network_of(name, train_images[name])
        few = of_each_class(test, choices.knowing)
        return {
            "hits": evaluate(model, defence, test_images, test.labels, strengths, choices),
            "loss": np.array(history[-1]["loss"]),
        } | knowing(model, defence, name, few, eps=strengths["knowing"], steps=choices.knowing_steps)

    found = {name: partial.kept(files[name], key, lambda name=name: measured(name)) for name in MODELS}
    masks = defence.keep_masks(test.images)
    result = {
        "dataset": choices.dataset, "classes": list(test.class_names),
        "model": told | {
            "parameters": sum(p.numel() for p in resnet_of(choices, len(test.class_names), seed).parameters()),
            "mixed": choices.mixed and models.has_bfloat16(),
            "accuracy": metrics.count(found[NOTHING]["hits"][0, 0]),
            "loss": {name: float(one["loss"]) for name, one in found.items()},
        },
        "parameters": {"choices": asdict(choices), "strengths": strengths},
        "newton_step": newton_steps(explainer, test.images, strengths["newtonfool"]),
        "kept": {name: metrics.distribution(mask.float().mean((1, 2, 3))) for name, mask in masks.items()},
    }  # fmt: skip
    tables = {"cells": cells(found), "strengths": tried, "knowing": knowing_table(found), "overlap": overlap(masks)}
    arrays = examples(explainer, defence, test, strengths, choices) | {
        "hits": np.stack([one["hits"] for one in found.values()]),
        "knowing": np.stack([hits for one in found.values() for at, hits in one.items() if at.startswith("knowing")]),
    }
    for path in folder.glob(f"{plan.name}-*"):
        path.unlink()
    return result, arrays, tables


def resnet_of(choices, class_count, seed):
    """The network of the choices, as initialised."""
    return resnet.resnet(class_count, blocks=choices.blocks, width=choices.width, seed=seed)


def initial(loaded, choices, *, seed, folder, progress):
    """What the five networks start from.

    Returns:
        (state of ``network`` for :func:`roa_helpers.models.resnet.adopt`, or None; what the result says of it).
    """
    if choices.weights == IMAGENET:
        model = resnet_of(choices, 2, seed)
        if resnet.load_imagenet_weights(model):
            return model.network.state_dict(), {"initialisation": IMAGENET}
    if choices.weights != PRETRAINED:
        return None, {"initialisation": SCRATCH}
    names = loaded.others.train.class_names
    model = resnet_of(choices, len(names), seed)
    training = training_of(choices, seed=seed, epochs=choices.pretrain_epochs, batch=choices.pretrain_batch,
                           learning_rate=choices.pretrain_rate)  # fmt: skip
    key = fingerprints.value([asdict(training), choices.blocks, choices.width, loaded.others.fingerprint])
    path = folder / f"others-{key[:16]}.safetensors"  # units that begin with the same network share it
    finished = fitted(model, loaded.others.train, loaded.others.val, training, None, choices, path=path,
                      progress=progress)  # fmt: skip
    told = {"initialisation": PRETRAINED, "other_classes": list(names), "other_images": len(loaded.others.train),
            "other_accuracy": metrics.count(models.correct(model, *pictures(loaded.others.val)))}  # fmt: skip
    return {name: value.cpu() for name, value in finished.model.network.state_dict().items()}, told


def train(splits, images, state, choices, *, seed, path, progress):
    """One of the five networks, trained on ``images`` (versions of the training images), or read from ``path``.

    Returns:
        (the network with its normalisations folded, its history; the accuracies in it are of clean validation images).
    """
    model = resnet_of(choices, len(splits.train.class_names), seed)
    if state is not None:
        resnet.adopt(model, state)
    learnt, watched = replace(splits.train, images=images), splits.val.subset(slice(None, None, 4))
    finished = fitted(model, learnt, watched, training_of(choices, seed=seed), state, choices, path=path,
                      progress=progress)  # fmt: skip
    return resnet.folded(finished.model), finished.history


def fitted(model, learnt, watched, training, state, choices, *, path, progress):
    """A network that started from ``state``, trained: :func:`roa_helpers.studies.trained`."""
    start = None if state is None else float(sum(value.double().abs().sum() for value in state.values()))
    depends = choices.blocks, choices.width, start, learnt.fingerprint, watched.fingerprint
    return trained(model, learnt, watched, training, path=path, depends=depends, makers=[resnet.resnet],
                   progress=progress)  # fmt: skip


def pictures(part):
    return part.images, part.labels


def of_each_class(part, count):
    """The first ``count`` images of each class (None: all), as an ImageSet."""
    if count is None:
        return part
    rows = [(part.labels == k).nonzero()[:count, 0] for k in range(len(part.class_names))]
    return part.subset(torch.cat(rows))


def matched(path, key, model, val, choices):
    """:func:`match`, kept at ``path``."""
    rows = partial.kept(path, key, lambda: match(model, val, choices).to_dict("list"))
    tried = pd.DataFrame(rows)
    return {row.attack: row.strength for row in tried[tried.chosen].itertuples()}, tried


def match(model, val, choices):
    """The strengths at which the accuracy of A on attacked validation images is nearest to that of the thesis.

    Bisection of the logarithm of the strength, within the choices' range. Where A's clean accuracy is so low that this
    would cost it less than half of what it costs the thesis's A, the aim is the share of its clean accuracy that the
    thesis's A keeps. The attackers who know the defence have an ε of their own (``knowing``), at which FGSM leaves A a
    given share of its clean accuracy.

    Returns:
        DataFrame, a row a trial: attack, strength, aim, k, n, accuracy, low, high, chosen.
    """
    x, y = pictures(val)
    gradient, label = loss_gradient_and_label(model, x)
    clean, aims = (label == y).double().mean().item(), dict(choices.aims)
    aims = {name: aim if 2 * (clean - aim) >= aims["clean"] - aim else clean * aim / aims["clean"]
            for name, aim in aims.items()}  # fmt: skip
    aims["knowing"] = clean * choices.knowing_aim
    fgsm = choices.fgsm_range, lambda eps: attacks.sign_step(x, gradient, eps=eps)
    attacked = {
        "fgsm": fgsm,
        "knowing": fgsm,
        "newtonfool": (
            choices.newtonfool_range,
            lambda eta: attacks.newtonfool(model, x, eta=eta, steps=choices.newtonfool_steps),
        ),
    }
    rows = []
    for name, ((low, high), attack) in attacked.items():
        aim, tried = aims[name], []
        for _ in range(choices.trials):
            strength = (low * high) ** 0.5
            hits = models.correct(model, attack(strength), y)
            tried.append({"attack": name, "strength": strength, "aim": aim} | proportion(hits.numpy()))
            low, high = (strength, high) if tried[-1]["accuracy"] > aim else (low, strength)
        best = min(tried, key=lambda row: (abs(row["accuracy"] - aim), row["strength"]))
        rows += [row | {"chosen": row is best} for row in sorted(tried, key=lambda row: row["strength"])]
    return pd.DataFrame(rows)


def proportion(hits):
    """k, n, their ratio and its 95 % Wilson interval (low, high), for hits (N,)."""
    k, n = int(hits.sum()), len(hits)
    low, high = metrics.wilson(k, n)
    return {"k": k, "n": n, "accuracy": k / n, "low": low, "high": high}


def evaluate(model, defence, versions, y, strengths, choices):
    """One network on the six versions of the test images, in each of ``ROWS``.

    Args:
        model: the network tested, and attacked.
        defence: what blurs attacked images.
        versions: the clean images in all ``VERSIONS``.
        y: labels (N,).
        strengths: {"fgsm": ε, "newtonfool": η, …}.

    Returns:
        (row, version, image) bool.
    """
    hits = {row: {} for row in ROWS}
    for version, x in versions.items():
        gradient, label = loss_gradient_and_label(model, x)
        hits["clean"][version] = label == y
        attacked = {
            "fgsm": attacks.sign_step(x, gradient, eps=strengths["fgsm"]),
            "newtonfool": attacks.newtonfool(model, x, eta=strengths["newtonfool"], steps=choices.newtonfool_steps),
        }
        for name, x_adv in attacked.items():
            hits[f"blur_{name}"][version] = models.correct(model, x_adv, y)
            if version == NOTHING:
                after = defence.versions(x_adv, VERSIONS[1:])
                hits[f"{name}_blur"] = {NOTHING: hits[f"blur_{name}"][NOTHING]} | {
                    other: models.correct(model, images, y) for other, images in after.items()
                }
    return np.stack([np.stack([hits[row][version].numpy() for version in VERSIONS]) for row in ROWS])


def newton_steps(model, x, eta):
    """How long NewtonFool's first step is: as defined, and with squared norms in their place.

    The definition moves an image by δ / ‖g‖ = min{η ‖x‖, (F_y − 1/K) / ‖g‖}. A reading that takes every norm squared,
    δ' = min{η ‖x‖² ‖g‖², F_y − 1/K} and d = −δ' g / ‖g‖⁴, moves it by δ' / ‖g‖³; foolbox 3.3.4 computes that.

    Returns:
        distributions over the images whose gradient does not vanish: ``definition`` and ``squared`` (ℓ₂ lengths before
        clipping), ``ratio`` of the second to the first.
    """
    gradient, excess, _ = attacks.probability_gradient(model, x, models.predict(model, x).argmax(1))
    size, slope = (values.double().flatten(1).norm(dim=1) for values in (x, gradient))
    size, slope, excess = size[slope > 0], slope[slope > 0], excess[slope > 0].double()
    definition = torch.minimum(eta * size * slope, excess) / slope
    squared = torch.minimum(eta * size**2 * slope**2, excess) / slope**3
    found = {"definition": definition, "squared": squared, "ratio": squared / definition}
    return {name: metrics.distribution(values) for name, values in found.items()}


def knowing(model, defence, name, few, *, eps, steps):
    """A network behind its own defence, against attackers who know more and more of it; A stands undefended.

    All know the true label. ``clean``: no attack. ``unaware_one``, ``unaware_many``: FGSM, and BIM of ``steps`` steps,
    on the network alone. ``fixed``: FGSM through the blur with the mask of the clean image. ``recomputed``:
    :func:`.defence.straight_through`. ``explainer``: BIM on the network whose heatmaps
    choose the pixels. The last three do not exist for A.

    Returns:
        dict of hits (N,) bool; names begin with ``knowing_``.
    """
    x, y = pictures(few)
    found = {"clean": x, "unaware_one": fixed_mask(defence, NOTHING, model, x, y, eps=eps),
             "unaware_many": straight_through(defence, NOTHING, model, x, y, eps=eps, steps=steps)}  # fmt: skip
    if name != NOTHING:
        found["fixed"] = fixed_mask(defence, name, model, x, y, eps=eps)
        found["recomputed"] = straight_through(defence, name, model, x, y, eps=eps, steps=steps)
        found["explainer"] = straight_through(defence, NOTHING, defence.explainer, x, y, eps=eps, steps=steps)
    return {
        f"knowing_{at}": models.correct(model, defence.apply(x_adv, name), y).numpy() for at, x_adv in found.items()
    }


def cells(found):
    """The 150 accuracies: model, row, test, k, n, accuracy, low, high."""
    return pd.DataFrame(
        {"model": name, "row": row, "test": version} | proportion(one["hits"][i, j])
        for name, one in found.items()
        for i, row in enumerate(ROWS)
        for j, version in enumerate(VERSIONS)
    )


def knowing_table(found):
    """Accuracies under the attackers of :func:`knowing`: model, attacker, k, n, accuracy, low, high."""
    return pd.DataFrame(
        {"model": name, "attacker": at.removeprefix("knowing_")} | proportion(hits)
        for name, one in found.items()
        for at, hits in one.items()
        if at.startswith("knowing")
    )


def overlap(masks):
    """Jaccard index of the pixels that two heatmaps keep, over images: first, second, and its distribution."""
    return pd.DataFrame(
        {"first": first, "second": second}
        | metrics.distribution(metrics.jaccard(masks[first][:, 0].numpy(), masks[second][:, 0].numpy()))
        for first, second in combinations(HEATMAPS, 2)
    )


def examples(model, defence, test, strengths, choices):
    """The first image of each of the first classes, its heatmaps, and what the attacks on A make of it."""
    few = of_each_class(test, 1).subset(slice(EXAMPLES))
    x = few.images
    heat = defence.importance(x)
    gradient, _ = loss_gradient_and_label(model, x)
    newton = attacks.newtonfool(model, x, eta=strengths["newtonfool"], steps=choices.newtonfool_steps)
    arrays = {"image": x, "fgsm": attacks.sign_step(x, gradient, eps=strengths["fgsm"]), "newtonfool": newton}
    arrays |= {f"heat_{name}": values for name, values in heat.items()}
    return {f"example_{name}": values.numpy().astype(np.float32) for name, values in arrays.items()}
