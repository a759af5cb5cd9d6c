"""Pictures made here as the authors made theirs, and pairs of classes whose blobs follow from known arrays."""

import io
import itertools
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from roa_helpers import studies
from roa_helpers.records import store
from roa_helpers.studies.forensics import choices, compute
from roa_helpers.studies.roi_roa import colours

CLASSES, SIDE, LEVEL = ("a", "b", "c"), 16, 27
CHOICES = choices.Forensics(dataset="mnist", resamples=200)


def drawn(array, *, size=(6, 4), frame=True):
    """The bytes of a picture that shows an array (H, W, 3), drawn by matplotlib with the margins of notebooks."""
    figure = Figure(figsize=size, dpi=72)
    FigureCanvasAgg(figure)
    figure.subplots_adjust(left=0.125, right=0.9, bottom=0.125, top=0.88)
    axes = figure.subplots()
    axes.imshow(array, interpolation="nearest")
    for spine in axes.spines.values():
        spine.set_visible(frame)
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=72)
    return file.getvalue()


def maps(*, seed=0, side=SIDE):
    """Pictures of three classes: signs of one image, their mean shown from 0, its entries above a level, heat maps."""
    rng = np.random.default_rng(seed)
    pairs = tuple(itertools.permutations(range(len(CLASSES)), 2))
    shape = (len(pairs), side, side, 3)
    mean = rng.uniform(-1, 1, shape)
    shown = np.clip(np.floor(255 * mean), 0, 255).astype(np.uint8)
    y, x = np.mgrid[:side, :side] / side
    heat = [np.clip(255 * np.exp(-20 * ((x - 0.3 * k) ** 2 + (y - 0.5) ** 2)), 0, 255).astype(int) for k in (1, 2, 3)]
    coloured = np.stack([colours.exchanged()[one] for one in heat])
    return {
        "pairs": pairs, "roi_one": coloured, "roi": np.where(coloured > 60, coloured, 255),
        "roa_one": np.where(rng.random(shape) < (1 + mean) / 2, 255, 0).astype(np.uint8), "roa": shown,
        "blob": np.where(shown > LEVEL, 255, 0).astype(np.uint8),
    }  # fmt: skip


def material(**changed):
    """The same as :func:`roa_helpers.studies.forensics.compute.load` gives it, some parts replaced."""
    parts = maps() | changed
    count = len(parts["pairs"])
    authors = pd.DataFrame({"min": [0.0] * count, "mean": [0.2] * count, "max": [0.9] * count})
    provenance = {"source": "made here", "counts": {"pictures": {"all": 5}}, "unreadable": {"count": 0, "names": []}}
    return compute.Material(CLASSES, **parts, authors=authors, sums=("one", "two"), provenance=provenance)


@pytest.fixture
def of():
    """What tests make things with: ``drawn``, ``maps``, ``material``, and the classes, choices and level used here."""
    return SimpleNamespace(drawn=drawn, maps=maps, material=material, classes=CLASSES, choices=CHOICES, level=LEVEL)


@pytest.fixture(scope="session")
def unit(tmp_path_factory):
    """A finished unit of pictures made here, which says that they are MNIST's."""
    plan = studies.Planned("forensics", CHOICES, 0)
    made = material()
    result, arrays, tables = compute.compute(plan, made, checkpoints=None, progress=False)
    head = {"study": "forensics", "unit": plan.name, "profile": "desk", "seed": 0, "fingerprint": {"data": "made here"}}
    origin = store.provenance(device="cpu", data=made.provenance, seconds=1.0)
    path = tmp_path_factory.mktemp("results") / "desk" / "forensics" / plan.name
    return store.write(path, head | result | {"provenance": origin}, arrays=arrays, tables=tables)
