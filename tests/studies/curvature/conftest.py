"""A tiny unit of the study: its data, its network, what it measured."""

import json

import pytest
import torch
from torch import nn

from roa_helpers import models, studies
from roa_helpers.records import store
from roa_helpers.studies.curvature import choices, compute

PLAN = studies.Planned("curvature", choices.Curvature(
    dataset="digits", network="lenet", train=30, val=5, test=12, width=0.2, epochs=4, batch=16, boundary=(4, 2, 4, 3),
    halved=2, halves=(2, 1, 2, 1), steps=(1e-3, 1.0), block=8, lanczos=4, evaluated=40, lined=20, positions=9, ranks=5,
    stacked=40, confined=8, spans=3, epochs_universal=2, bridged=4, energy=2,
), 0)  # fmt: skip


@pytest.fixture(scope="session")
def plan():
    """The tiny unit."""
    return PLAN


@pytest.fixture(scope="session")
def splits():
    """Its data."""
    return compute.load(PLAN.choices, progress=False)


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("curvature")


@pytest.fixture(scope="session")
def unit(folder, splits):
    """The unit, finished."""
    models.use_threads(1)
    result, arrays, tables = compute.compute(PLAN, splits, checkpoints=folder, progress=False)
    head = {"study": "curvature", "unit": PLAN.name, "profile": "quick", "seed": 0}
    origin = store.provenance(device="cpu", data=splits.provenance, seconds=1.0)
    whole = head | result | {"provenance": origin, "fingerprint": studies.expected(PLAN) | {"data": "made here"}}
    return store.write(folder / "quick" / "curvature" / PLAN.name, whole, arrays=arrays, tables=tables)


@pytest.fixture
def changed(unit):
    """The unit with other entries of its result, other files, at another place."""

    def change(*, path=unit.path, files=None, **entries):
        result = json.dumps(unit.result | entries).encode()
        return store.Unit(path, files=(unit.files if files is None else files) | {"result.json": result})

    return change


@pytest.fixture(scope="session")
def checkpoint(folder, unit):
    """Where the weights of its network stand."""
    return folder / "curvature" / f"{PLAN.name}.safetensors"


@pytest.fixture(scope="session")
def network(checkpoint, splits):
    """Its network."""
    return compute.train(PLAN.choices, splits, seed=0, path=checkpoint, progress=False)[0]


class Axes(nn.Module):
    """Logits are the first two numbers of the image and a constant."""

    def __init__(self):
        super().__init__()
        self.register_buffer("mean", torch.full((1, 2, 2), 0.5))

    def forward(self, x):
        v = x.flatten(1)
        return torch.stack([v[:, 0], v[:, 1], 0 * v[:, 0] + 0.5], 1)


@pytest.fixture
def axes():
    """A network for images of 2×2 pixels that can be followed by hand."""
    return Axes()
