"""What all tests share: one thread, reproducible hypothesis, small networks, a results folder of their own."""

import pytest
import samples
import torch
from hypothesis import settings
from torch import nn

from roa_helpers.studies.roi_roa import compute

settings.register_profile("repo", deadline=None, max_examples=25, derandomize=True)
settings.load_profile("repo")
torch.set_num_threads(1)


@pytest.fixture(scope="session")
def smooth():
    """A network without kinks in double precision, (N, 3, H, W) → (N, 4): differences of it are derivatives."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        layers = [nn.Conv2d(3, 4, 3, padding=1), nn.Softplus(), nn.Conv2d(4, 5, 3, padding=1), nn.Tanh()]
        model = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(20, 4)).double()
        for parameter in model.parameters():
            parameter.data *= 2
    return model.eval().requires_grad_(False)


@pytest.fixture
def convnet():
    """A network as users have them: float32, batch norm, ReLU in place, dropout, in training mode."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        first = [nn.Conv2d(3, 6, 3, padding=1), nn.BatchNorm2d(6), nn.ReLU(inplace=True), nn.MaxPool2d(2)]
        second = [nn.Conv2d(6, 8, 3, padding=1), nn.ReLU(inplace=True), nn.Dropout(0.5)]
        return nn.Sequential(*first, *second, nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(32, 4)).train()


@pytest.fixture
def results(tmp_path, monkeypatch):
    """An empty results folder that ``store.root()`` finds."""
    monkeypatch.setenv("ROA_RESULTS", str(tmp_path / "results"))
    return tmp_path / "results"


@pytest.fixture(scope="session")
def computed(tmp_path_factory):
    """The study on a tiny pair of classes, computed once: see ``samples.computed``."""
    return samples.computed(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="session")
def units(computed, tmp_path_factory):
    """Two finished units: one of a data set without published values, one that says it is MNIST."""
    folder = tmp_path_factory.mktemp("results")
    return [samples.stored(folder, computed), samples.stored(folder, computed, dataset="mnist", profile="desk")]


@pytest.fixture(scope="session")
def two_seeds(computed, tmp_path_factory):
    """Two finished units of one pair, said to be MNIST, that differ in their seed alone."""
    model, splits, training, first = computed
    folder = tmp_path_factory.mktemp("seeds")
    outcomes = first, compute.measurements(model, splits, samples.CHOICES, seed=1)
    return [
        samples.stored(folder, (model, splits, training, outcome), dataset="mnist", profile="desk", seed=seed)
        for seed, outcome in enumerate(outcomes)
    ]
