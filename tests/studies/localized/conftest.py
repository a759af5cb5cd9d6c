"""A tiny network that can be attacked in one region, pictures for it, and a finished unit of both."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from roa_helpers.data import photos
from roa_helpers.records import store
from roa_helpers.studies.localized import choices, compute

TINY = replace(
    choices.UNITS["quick"][0], photos=6, region_count=2, eps=0.5, step=0.1, steps=20, patience=8, samples=30, unions=5,
    spread_seeds=2, path_steps=2, noise_samples=2, low=0.05, high=0.6, scale=100.0,
)  # fmt: skip


@pytest.fixture(scope="session")
def tiny():
    """The choices of the unit."""
    return TINY


@pytest.fixture(scope="session")
def model():
    """The class is the colour with the brightest tile of 8×8 pixels: an attack on one region can succeed."""
    same = nn.Conv2d(3, 3, 1, bias=False)
    same.weight.data = 10 * torch.eye(3)[:, :, None, None]
    return nn.Sequential(nn.AvgPool2d(8), same, nn.ReLU(), nn.AdaptiveMaxPool2d(1), nn.Flatten()).eval()


@pytest.fixture(scope="session")
def pictures():
    """Six pictures of sixteen coloured patches, 48×48, with a little noise."""
    rng = np.random.default_rng(0)
    patches = rng.random((6, 3, 4, 4)).repeat(12, axis=2).repeat(12, axis=3)
    patches = np.clip(patches + 0.03 * rng.standard_normal(patches.shape), 0, 1)
    return photos.Photos(torch.from_numpy(patches).float(), tuple(f"photo {i}" for i in range(6)))


@pytest.fixture(scope="session")
def computed(model, pictures, tmp_path_factory):
    """(result, arrays, tables), and the folder of the finished parts."""
    folder = tmp_path_factory.mktemp("parts")
    return compute.measurements(model, pictures, 2, TINY, seed=0, folder=folder, fingerprint="a"), folder


@pytest.fixture(scope="session")
def unit(computed, tmp_path_factory):
    """The unit, finished, of a network that is said to be ImageNet's."""
    (result, arrays, tables), _ = computed
    head = {"study": "localized", "profile": "quick", "seed": 0, "dataset": "photos"}
    told = {"name": "efficientnet_lite0", "initialisation": "imagenet", "target": "wolf spider", "size": 48}
    origin = store.provenance(
        device="cpu", data={"counts": {"photos": {"all": 6}}, "unreadable": {"count": 1}}, seconds=1.0
    )
    whole = head | {"network": told} | result | {"provenance": origin, "fingerprint": {}}
    path = tmp_path_factory.mktemp("unit") / "photos-segments-seed0"
    return store.write(path, whole, arrays=arrays, tables=tables)
