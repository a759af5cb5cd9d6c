"""NewtonFool beside ART's and foolbox's, in float32. Each test is skipped where its library is missing.

- ART: expects probabilities, goes on after the label has flipped, and clips once, at the end. Up to the flip, and where
  nothing is clipped, it is ours.
- foolbox: its norms are already squared when it squares them, so that its step is δ' g / ‖g‖⁴ with
  δ' = min{η ‖x‖² ‖g‖², F_y − 1/K} in the place of δ g / ‖g‖².
"""

import numpy as np
import pytest
import torch
from torch import nn
from twins import images

from roa_helpers import attacks, models


@pytest.fixture
def model(convnet):
    with torch.no_grad():
        for parameter in convnet.parameters():
            parameter *= 2  # sure of its classes, so that no label flips at once
    return convnet.eval()


@pytest.fixture
def x():
    return 0.3 + 0.4 * images(6, 12, seed=4, dtype=torch.float32)[0]  # far from 0 and 1: nothing is clipped


def steps_of(model, x, eta):
    """(‖x‖, ‖g‖, F_y − 1/K) in double precision, and g in single."""
    gradient, excess, _ = attacks.probability_gradient(model, x, models.predict(model, x).argmax(1))
    return [v.double().flatten(1).norm(dim=1) for v in (x, gradient)] + [excess.double(), gradient]


@pytest.mark.parametrize("eta", [0.001, 0.01])
def test_newtonfool_equals_arts(model, x, eta):
    estimators = pytest.importorskip("art.estimators.classification")
    evasion = pytest.importorskip("art.attacks.evasion")
    classifier = estimators.PyTorchClassifier(
        nn.Sequential(model, nn.Softmax(1)), nn.CrossEntropyLoss(), input_shape=(3, 12, 12), nb_classes=4,
        clip_values=(0, 1), device_type="cpu",
    )  # fmt: skip
    mine = attacks.newtonfool(model, x, eta=eta, steps=2)
    before = attacks.newtonfool(model, x, eta=eta, steps=1)
    stays = models.predict(model, before).argmax(1) == models.predict(model, x).argmax(1)
    assert stays.sum() >= 3 and mine.min() > 0 and mine.max() < 1
    theirs = evasion.NewtonFool(classifier, max_iter=2, eta=eta, batch_size=6, verbose=False).generate(x.numpy())
    moved = (mine - x)[stays].flatten(1).norm(dim=1)
    assert (moved > 1.5 * eta * x[stays].flatten(1).norm(dim=1)).all()  # both steps as long as η lets them be
    assert np.abs(theirs - mine.numpy())[stays.numpy()].max() <= 1e-6


def test_a_long_step_equals_arts(model, x):
    estimators = pytest.importorskip("art.estimators.classification")
    evasion = pytest.importorskip("art.attacks.evasion")
    classifier = estimators.PyTorchClassifier(
        nn.Sequential(model, nn.Softmax(1)), nn.CrossEntropyLoss(), input_shape=(3, 12, 12), nb_classes=4,
        clip_values=(0, 1), device_type="cpu",
    )  # fmt: skip
    mine = attacks.newtonfool(model, x, eta=1.0, steps=1)  # chance bounds it, not η
    theirs = evasion.NewtonFool(classifier, max_iter=1, eta=1.0, batch_size=6, verbose=False).generate(x.numpy())
    assert (mine - x).flatten(1).norm(dim=1).max() < 0.9 * x.flatten(1).norm(dim=1).min()
    assert np.abs(theirs - mine.numpy()).max() <= 1e-5


@pytest.mark.parametrize("eta", [0.001, 1.0])
def test_newtonfool_is_not_foolboxs(model, x, eta):
    foolbox = pytest.importorskip("foolbox")
    bounded = foolbox.PyTorchModel(model, bounds=(0, 1), device="cpu")
    criterion = foolbox.criteria.Misclassification(models.predict(model, x).argmax(1))
    theirs = foolbox.attacks.NewtonFoolAttack(steps=1, stepsize=eta).run(bounded, x.clone(), criterion)
    mine = attacks.newtonfool(model, x, eta=eta, steps=1)
    size, slope, excess, gradient = steps_of(model, x, eta)
    squared = torch.minimum(eta * size**2 * slope**2, excess) / slope**4
    expected = (x - squared[:, None, None, None] * gradient).clamp(0, 1)
    assert (theirs - expected).abs().max() <= 1e-5  # what it computes
    ratio = (theirs - x).flatten(1).norm(dim=1) / (mine - x).flatten(1).norm(dim=1)
    assert ((ratio - 1).abs() > 0.5).all()  # is not the definition
