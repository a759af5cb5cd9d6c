"""A tiny unit of the study on pictures made here, and finished units of it."""

from dataclasses import replace

import pytest
import torch

from roa_helpers import data, models, studies
from roa_helpers.data import splits
from roa_helpers.records import store
from roa_helpers.studies.blurring import choices, compute

CLASSES = ("left", "right", "top", "bottom", "middle")
PLAN = studies.Planned("blurring", choices.Blurring(
    dataset="digits", weights=choices.PRETRAINED, train=8, val=4, test=5, blocks=(1, 1, 1, 1), width=1 / 16,
    epochs=2, batch=8, learning_rate=0.01, pretrain=8, pretrain_epochs=1, pretrain_batch=8, augment=False, mixed=False,
    trials=3, knowing=3, knowing_steps=2, newtonfool_steps=2, pgd_steps=2,
), 0)  # fmt: skip


def pictures(classes, n, seed):
    """A bright bar whose place tells the class, with noise: (n · K, 1, 32, 32)."""
    places = {"left": (slice(4, 28), slice(2, 9)), "right": (slice(4, 28), slice(23, 30)),
              "top": (slice(2, 9), slice(4, 28)), "bottom": (slice(23, 30), slice(4, 28)),
              "middle": (slice(12, 20), slice(4, 28))}  # fmt: skip
    x = 0.4 * torch.rand(n * len(classes), 1, 32, 32, generator=torch.Generator().manual_seed(seed))
    y = torch.arange(len(classes)).repeat_interleave(n)
    for k, name in enumerate(classes):
        x[y == k, :, *places[name]] += 0.5
    return data.ImageSet(x, y, classes)


def made_here(name, *, classes=None, size=None, limit=None, root=None, progress=False):
    classes = tuple(classes or CLASSES)
    limits = limit if isinstance(limit, tuple) else (limit,) * 3
    parts = {
        part: pictures(classes, n or 6, seed) for seed, (part, n) in enumerate(zip(splits.SPLITS, limits, strict=True))
    }
    counts = {part: dict.fromkeys(classes, len(found) // len(classes)) for part, found in parts.items()}
    return data.Splits(**parts, provenance={"name": name, "counts": counts})


@pytest.fixture
def patched(monkeypatch):
    """Every data set is the pictures made here."""
    monkeypatch.setattr(data, "load", made_here)


@pytest.fixture(scope="session")
def plan():
    """The tiny unit."""
    return PLAN


@pytest.fixture(scope="session")
def loaded():
    """Its data."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(data, "load", made_here)
        return compute.load(PLAN.choices)


@pytest.fixture(scope="session")
def outcome(loaded, tmp_path_factory):
    """(result, arrays, tables), the folder of checkpoints, and the networks that were trained, by name."""
    models.use_threads(1)
    folder, networks = tmp_path_factory.mktemp("checkpoints"), {}
    train = compute.train

    def watched(splits, images, *rest, path, **settings):
        model, history = train(splits, images, *rest, path=path, **settings)
        networks[path.stem.rpartition("-")[2]] = model, images
        return model, history

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compute, "train", watched)
        found = compute.compute(PLAN, loaded, checkpoints=folder, progress=False)
    return found, folder, networks


def stored(folder, outcome, *, dataset="digits", seed=0, profile="quick"):
    """A unit below ``folder`` that claims to be of ``dataset``, and of ``seed``."""
    result, arrays, tables = outcome
    plan = replace(PLAN, choices=replace(PLAN.choices, dataset=dataset), seed=seed)
    head = {"study": "blurring", "unit": plan.name, "profile": profile, "seed": seed}
    origin = store.provenance(device="cpu", data=made_here(dataset, classes=CLASSES[:3], limit=(8, 4, 5)).provenance,
                              seconds=1.0)  # fmt: skip
    whole = head | result | {"dataset": dataset, "provenance": origin}
    whole |= {"fingerprint": studies.expected(plan) | {"data": "made here"}}
    return store.write(folder / profile / "blurring" / plan.name, whole, arrays=arrays, tables=tables)


@pytest.fixture(scope="session")
def units(outcome, tmp_path_factory):
    """A unit of a data set without published values, and two seeds that say they are of CIFAR-10."""
    folder = tmp_path_factory.mktemp("results")
    first, arrays, tables = outcome[0]
    hits = arrays["hits"].copy()
    hits[1:, 1:] = ~hits[1:, 1:]
    again = first, arrays | {"hits": hits}, tables
    return [stored(folder, outcome[0]), stored(folder, outcome[0], dataset="cifar10", profile="desk"),
            stored(folder, again, dataset="cifar10", profile="desk", seed=1)]  # fmt: skip
