"""The directions that classify are the directions that fool: “With Friends Like These, Who Needs Adversaries?”

A unit trains one network on all classes of one data set and goes through the paper: Algorithm 1 (directions of high
curvature of the class boundaries), class scores along these directions, accuracy and the norm of attacks inside the
subspaces that they span, the same for the singular vectors of DeepFool perturbations, and compression as a defence.
Directions, singular vectors and the universal perturbation come from training images; all else is measured on test
images. Beyond the paper: what the result depends on (three definitions of curvature, the step), random subspaces as a
control, an attacker who knows of the compression, and where the curved directions lie among the book's regions.
"""

from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd
import torch

from ... import attacks, data, geometry, metrics, models
from ...errors import UserError
from ...models import small, weights
from ...records import fingerprints, partial
from .. import trained, training_of
from . import directions, subspaces
from .choices import PRETRAINED, TRAINED_INSTEAD

__all__ = ["Material", "compute", "load", "measurements"]

#: Images whose scores are kept one by one: curves of Fig. 1, and images of the widget.
CURVES, SHOWN = 24, 4
#: Directions of each kind and class that are kept as pictures.
PICTURED = {"positive": 2, "negative": 1, "flat": 1}
#: Choices that the parts of a unit depend on, those of data and training apart.
PARTS = ("methods", "boundary", "step", "steps", "block", "sharpness", "halved", "halves", "energy", "extremes",
         "lanczos", "stacked", "overshoot", "candidates", "deepfool_steps")  # fmt: skip
#: Fewest classes: between two alone p − (1 − p) has no second derivative at p = ½, so the boundary has no curvature.
CLASSES = 3
#: Images to which the step study is confined, and boundary points that tell whether the exact Hessian is zero.
STUDIED = 6


@dataclass(frozen=True, eq=False)
class Material(data.Splits):
    """What a unit is computed from: three disjoint sets, and the network's weights.

    Attributes:
        pretrained: :class:`roa_helpers.models.weights.Found`, ImageNet's; None: it is trained here.
    """

    pretrained: weights.Found | None = None

    @property
    def fingerprint(self):
        """SHA-256 of the sets, and of the weights where there are some."""
        sets = super().fingerprint
        return fingerprints.value([sets, self.pretrained.sha256]) if self.pretrained else sets


def load(choices, *, root=None, progress=True):
    """All classes of a data set, and the weights of a network that comes with some: :class:`Material`.

    Raises:
        UserError: data that are missing or unfit, fewer than three classes, fewer than two images of one in a set, or
            weights that cannot be had, of a network that is not trained here.
    """
    name = PRETRAINED.get(choices.network)
    found = weights.found(name, root=root) if name else None
    if name and found is None and choices.network not in TRAINED_INSTEAD:
        raise UserError(
            f"without the ImageNet weights of {name}, {choices.name} is left out: there is no "
            f"{data.shown(weights.place(name, root))}, and torchvision’s cannot be fetched\n"
            "  mend it:   put the network’s state_dict() there as safetensors, or go online"
        )
    limit = (choices.train, choices.val, choices.test)
    splits = data.load(choices.dataset, size=choices.size, limit=limit, root=root, progress=progress)
    data.enough(splits, classes=CLASSES)
    return Material(splits.train, splits.val, splits.test, splits.provenance, found)


def compute(plan, splits, *, checkpoints, progress=True):
    """Train the network, or read it from below the folder ``checkpoints``, and measure it: see :func:`measurements`.

    Finished parts are kept beside the weights until the unit is finished, so a killed run loses none of them.
    """
    choices, seed = plan.choices, plan.seed
    folder = checkpoints / "curvature"
    model, training = train(choices, splits, seed=seed, path=folder / f"{plan.name}.safetensors", progress=progress)
    code = fingerprints.code(_points, _extremes, _halves, _steps, _stack)
    used = {name: getattr(choices, name) for name in PARTS}
    stages = partial.Stages(
        folder / f"{plan.name}.parts",
        fingerprints.value([used, seed, splits.fingerprint, training, code, models.device_name()]),
    )
    result, arrays, tables = measurements(model, splits, choices, seed=seed, stages=stages)
    stages.clear()
    head = {"dataset": choices.dataset, "classes": list(splits.train.class_names), "network": choices.network}
    return head | result | {"model": result["model"] | training}, arrays, tables


def train(choices, splits, *, seed, path, progress=True):
    """The network of a unit: with ImageNet's weights where there are some, else trained on all classes.

    A network that was trained stands at ``path``, and is read from there.

    Returns:
        (model in evaluation mode, {"initialisation", "network", "mixed", "history"}, and "weights" that were not
        trained here: their source and SHA-256).
    """
    if splits.pretrained:
        found = small.imagenet(PRETRAINED[choices.network], splits.pretrained.state)
        told = {"initialisation": "imagenet", "network": choices.network, "mixed": False, "history": [],
                "weights": {"source": splits.pretrained.source, "sha256": splits.pretrained.sha256}}  # fmt: skip
        return found.to(models.device()), told
    name = TRAINED_INSTEAD.get(choices.network, choices.network)
    mean = splits.train.images.mean(0)
    model = small.BUILDERS[name](len(splits.train.class_names), mean=mean, width=choices.width, seed=seed)
    training = training_of(choices, seed=seed)
    depends = choices.width, name, splits.train.fingerprint, splits.val.fingerprint
    finished = trained(model, splits.train, splits.val, training, path=path, depends=depends,
                       makers=[small.BUILDERS[name]], progress=progress)  # fmt: skip
    told = {"initialisation": "scratch", "network": name, "mixed": training.mixed, "history": list(finished.history)}
    return finished.model, told


def measurements(model, splits, choices, *, seed, stages):
    """Everything that a unit reports, for a trained network.

    Returns:
        (result, arrays, tables) as :func:`roa_helpers.records.store.write` takes them.
    """
    parts = {
        name: sample(split, choices.evaluated, seed=seed)
        for name, split in (("train", splits.train), ("test", splits.test))
    }
    x, labels = parts["test"]
    size = x[0].numel()
    points = _points(model, splits.train.images, choices, seed=seed, stages=stages)
    stacked = sample(splits.train, choices.stacked, seed=seed + 1)[0]
    steps, found, log = subspaces.perturbations(model, x, labels, stacked[: min(200, len(stacked))], choices, seed=seed)
    places = choices.extremes or -(-size // len(points)) + 1

    tables, raw, kept, hessians = {"boundary": _boundary_table(points, splits.train.class_names)}, {}, {}, []
    for method, count in zip(choices.methods, choices.boundary, strict=True):
        chosen, reports = _extremes(method, model, points, count, places, choices, seed=seed, stages=stages)
        hessians.append(reports)
        kept[method] = chosen
        spaces = directions.spaces(chosen, seed=seed)
        accuracy, norms, raw[method] = subspaces.figure_three(model, parts, spaces, steps, choices)
        tables |= {
            f"{name}_{method}": table.assign(method=method)
            for name, table in (("accuracy", accuracy), ("norms", norms))
        }
    primary = choices.methods[0]
    tables = _joined(tables) | {"hessians": pd.concat(hessians), "overlaps": _overlaps(kept, seed=seed)}
    few = {name: value[:STUDIED] if torch.is_tensor(value) else value for name, value in points[0].items()}
    tables["steps"] = _steps(model, few, choices, seed=seed, stages=stages)
    tables["halves"] = _halves(model, points, choices, seed=seed, stages=stages)

    names = list(splits.train.class_names)
    shown = featured(names, kept[primary])
    length = float((x - model.mean.cpu()).flatten(1).norm(dim=1).mean())
    reach = min(length, choices.reach * float(torch.cat([found["norms"] for found in points]).mean()))
    positions = np.linspace(-reach, reach, choices.positions)
    lined = slice(choices.lined)
    tables["responses"], tables["moved"], shapes, curves = _along(
        model, x[lined], found.predicted[lined], kept[primary], shown, positions, seed=seed
    )
    tables["shapes"] = shapes

    stack = _stack(model, stacked, choices, stages=stages)
    values, basis = geometry.svd_basis(stack, complete=choices.complete)
    tables["singular"], area = subspaces.figure_four(model, parts, basis, choices)
    tables["confined"], inverse, pictures = subspaces.figure_five(model, x[: choices.confined], basis, choices)
    tables["compression"], tables["compressed"] = subspaces.table_one(model, x, labels, found, choices)
    tables["bridge"] = subspaces.bridge(model, splits.test, kept[primary], choices, seed=seed)
    tables["libraries"] = subspaces.compared(model, x[:16], first(found, 16), choices)

    result = {
        "parameters": {"choices": asdict(choices)},
        "model": {
            "test": metrics.count(models.correct(model, splits.test.images, splits.test.labels)),
            "train": metrics.count(models.correct(model, *parts["train"])),
        },
        "dimensions": size,
        "featured": names[shown],
        "largest_gap": max(float(found["gaps"].abs().max()) for found in points),
        "exact_hessian": directions.exact_norm(model, few, seed=seed),
        "twin_agreement": metrics.count(_agreement(model, x, choices)),
        "shapes": _summarised(shapes),
        "coupling": {method: subspaces.coupling(one) for method, one in raw.items()},
        "singular_area": float(area.mean()),
        "singular_area_interval": list(metrics.bootstrap(area)),
        "confined": inverse[0],
        "confined_interval": inverse[1],
        "deepfool": {"norm": float(found.norms[found.success].mean()), "image": length} | metrics.count(found.success),
        "universal": log,
    }  # fmt: skip
    arrays = curves | {"confined": pictures.numpy(), "singular_values": values.numpy().astype(np.float32)}
    arrays |= _pictures(kept[primary], x.shape[1:]) | {
        "shown_images": x[:SHOWN].numpy(), "shown_labels": labels[:SHOWN].numpy(),
        "shown_directions": torch.stack([kept[primary][shown][kind][:, 0] for kind in PICTURED]).reshape(
            -1, *x.shape[1:]).numpy(),
    }  # fmt: skip
    return result, {name: _small(array) for name, array in arrays.items()}, tables


def sample(image_set, count, *, seed):
    """(images, labels) of at most ``count`` pictures of an ImageSet, drawn by ``seed``."""
    rows = torch.randperm(len(image_set), generator=torch.Generator().manual_seed(seed))[:count]
    return image_set.images[rows], image_set.labels[rows]


def first(found, count):
    """The first ``count`` rows of a :class:`roa_helpers.attacks.deepfool.Fooled`."""
    return attacks.Fooled(**{name: values[:count] for name, values in vars(found).items()})


def _points(model, images, choices, *, seed, stages):
    """For each class, what :func:`.directions.boundary` returns."""
    predicted = models.predict(model, images).argmax(1)
    classes = models.predict(model, images[:1]).shape[1]
    count = max(choices.boundary)
    return [
        stages.kept(
            f"boundary-{c}",
            lambda c=c: directions.boundary(model, images, predicted, c, count, choices, seed=seed),
        )
        for c in range(classes)
    ]


def _boundary_table(points, names):
    return pd.DataFrame([
        {"class": name, "tried": found["tried"], "mean": float(found["norms"].mean()),
         "sd": float(found["norms"].std()), "n": len(found["norms"])}
        for name, found in zip(names, points, strict=True)
    ])  # fmt: skip


def _extremes(method, model, points, count, places, choices, *, seed, stages):
    """(what :func:`.directions.extremes` returns for each class, table of what was measured)."""
    chosen, reports = [], []
    for c, found in enumerate(points):

        def one(c=c, found=found):
            curved, report = directions.curvatures(method, model, found, count, choices)
            return directions.extremes(curved, places, seed=seed + c) | {"report": report}

        part = stages.kept(f"{method}-{c}", one)
        reports.append(
            {"method": method, "class": c} | part.pop("report")
            | {"most_positive": float(part["values_positive"][0]), "most_negative": float(part["values_negative"][0])}
        )  # fmt: skip
        chosen.append(part)
    return chosen, pd.DataFrame(reports)


def _joined(tables):
    """Tables NAME_method as one table NAME."""
    joined = {"boundary": tables.pop("boundary")}
    for name in ("accuracy", "norms"):
        joined[name] = pd.concat([table for key, table in tables.items() if key.startswith(name)])
    return joined


def _overlaps(kept, *, seed):
    """How much the subspaces that two methods single out have in common, beside random ones.

    Returns:
        DataFrame: first, second (methods), d (directions of each sign and class), dimension, overlap, expected.
    """
    spaces = {method: directions.spaces(parts, seed=seed)["both"] for method, parts in kept.items()}
    names, rows = list(spaces), []
    for k, one in enumerate(names):
        for other in names[k + 1 :]:
            last = min(len(spaces[one].counts), len(spaces[other].counts)) - 1
            for d in subspaces.places(last, 5)[1:]:
                a, b = spaces[one].at(d), spaces[other].at(d)
                dimensions = a.shape[1], b.shape[1]
                rows.append({"first": one, "second": other, "d": d, "dimension": min(dimensions),
                             "overlap": geometry.overlap(a, b), "expected": max(dimensions) / len(a)})  # fmt: skip
    return pd.DataFrame(rows, columns=["first", "second", "d", "dimension", "overlap", "expected"])


def featured(names, parts):
    """Position of the class that figures of one class show: the paper's “frog”, else that of the largest curvature."""
    if "frog" in names:
        return names.index("frog")
    return int(np.argmax([float(part["values_positive"][0]) for part in parts]))


def _along(model, images, predicted, parts, shown, positions, *, seed):
    """Scores along the most positive, the most negative, the flattest and a random direction of every class.

    Args:
        images, predicted: test images and what the network takes them for.
        parts: for each class, what :func:`.directions.extremes` returns.
        shown: the class whose single curves are kept.

    Returns:
        (table of :func:`.directions.population` by kind for the class ``shown``; table of
        the counts over all classes by kind; table of :func:`.directions.shapes`; arrays of
        Fig. 1 and of the widget, by kind).
    """
    generator = torch.Generator().manual_seed(seed)
    own, everywhere, shapes = [], [], []
    arrays = {"positions": positions, "curves": [], "classes": [], "shown_scores": []}
    for kind in directions.KINDS:
        counts = []
        for c, part in enumerate(parts):
            drawn = torch.randn(images[0].numel(), generator=generator)
            direction = drawn / drawn.norm() if kind == "random" else part[kind][:, 0]
            logits = directions.along(model, images, direction, positions)
            table = directions.population(logits, predicted, c, positions)
            counts.append(table[["s", "moved", "others", "kept", "own"]])
            ends = table.iloc[[0, -1]].sum()
            shapes.append({"kind": kind, "class": c, "images": len(images), "moved": ends.moved / ends.others,
                           "left": 1 - ends.kept / ends.own if ends.own else np.nan}
                          | directions.shapes(logits, c, rising=kind != "negative"))  # fmt: skip
            if c == shown:
                own.append(table.assign(kind=kind))
                arrays["curves"].append(logits[:CURVES, :, c].numpy())
                arrays["classes"].append(logits[:CURVES].argmax(-1).numpy().astype(np.uint8))
                arrays["shown_scores"].append(logits[:SHOWN].numpy())
        everywhere.append(pd.concat(counts).groupby("s", as_index=False).sum().assign(kind=kind))
    arrays |= {name: np.stack(arrays[name]) for name in ("curves", "classes", "shown_scores")}
    return pd.concat(own), pd.concat(everywhere), pd.DataFrame(shapes), arrays


def _summarised(shapes):
    """Mean over classes of each measure by kind of direction, with its bootstrap interval over classes."""
    found = {}
    for kind, rows in shapes.groupby("kind", sort=False):
        for measure in ("odd", "backward", "interaction", "moved", "left"):
            values = rows[measure].dropna().to_numpy()
            low, high = metrics.bootstrap(values)
            found.setdefault(measure, {})[kind] = {
                "mean": values.mean(), "sd": values.std(ddof=1), "n": len(values), "low": low, "high": high
            }  # fmt: skip
    return found


def _steps(model, found, choices, *, seed, stages):
    """The table of :func:`.directions.step_study`."""
    return pd.DataFrame(
        stages.kept("steps", lambda: directions.step_study(model, found, choices, seed=seed).to_dict("list"))
    )


def _halves(model, points, choices, *, seed, stages):
    """The rows of :func:`.directions.halves` for the first classes: DataFrame with method and class."""
    rows = []
    for method, most in zip(choices.methods, choices.halves, strict=True):
        for c, found in enumerate(points[: choices.halved]):
            part = stages.kept(
                f"halves-{method}-{c}",
                lambda method=method, found=found, most=most: {
                    "rows": directions.halves(method, model, found, most, choices, seed=seed)
                },
            )
            rows += [{"method": method, "class": c} | row for row in part["rows"]]
    return pd.DataFrame(rows, columns=["method", "class", "points", "dimension", "overlap", "expected"])


def _stack(model, images, choices, *, stages):
    """DeepFool perturbations of training images, those without success left out."""

    def compute():
        found = attacks.deepfool(
            model, images, steps=choices.deepfool_steps, overshoot=choices.overshoot, candidates=choices.candidates,
            clip=False,
        )  # fmt: skip
        return {"steps": (found.x_adv - images)[found.success]}

    return stages.kept("stack", compute)["steps"]


def _agreement(model, x, choices):
    """Whether the smooth twin predicts what the network predicts, (N,) bool."""
    twin = small.smooth_twin(model, sharpness=choices.sharpness)
    return geometry.scores(twin, x).argmax(1) == geometry.scores(model, x).argmax(1)


def _pictures(parts, shape):
    """The first directions of each kind and class, int8 in ±127 of their own maximum, (K, ·, C, H, W)."""
    found = {}
    for kind, count in PICTURED.items():
        columns = torch.stack([part[kind][:, :count].T.reshape(-1, *shape) for part in parts])
        scaled = columns / columns.abs().amax((2, 3, 4), keepdim=True)
        found[f"direction_{kind}"] = (127 * scaled).round().to(torch.int8).numpy()
    return found


def _small(array):
    """float16 where nothing that is shown needs more."""
    return array.astype(np.float16) if array.dtype in (np.float32, np.float64) and array.size > 2000 else array
