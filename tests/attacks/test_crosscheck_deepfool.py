"""DeepFool in other libraries, in float32: one step is the same to rounding, several differ as they are known to.

The libraries are optional: a test is skipped where its library is missing.
"""

import sys

import pytest
import torch
from torch import nn
from twins import images

from benchmarks.attacks import deepfool
from roa_helpers import attacks

OVERSHOOT = 0.02
ROUNDING = 3e-7  # of additions near 1 in float32


@pytest.fixture
def model(convnet):
    return convnet.eval()


@pytest.fixture
def batch(model):
    """Images far from 0 and 1, so that no clipping takes part, and what the model takes them for."""
    x = 0.35 + 0.3 * images(6, 12, seed=4, dtype=torch.float32)[0]
    return x, model(x).argmax(1)


@pytest.fixture(scope="module")
def benchmark():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(deepfool, "EPOCHS", 2)
        yield deepfool


def torchattacks_moves(model, x, y, *, steps, overshoot=OVERSHOOT):
    torchattacks = pytest.importorskip("torchattacks")
    return torchattacks.DeepFool(model, steps=steps, overshoot=overshoot)(x, y) - x


def foolbox_moves(model, x, y, *, steps):
    foolbox = pytest.importorskip("foolbox")
    attack = foolbox.attacks.L2DeepFoolAttack(steps=steps, candidates=None, overshoot=OVERSHOOT)
    return attack.run(foolbox.PyTorchModel(model, bounds=(0, 1), device="cpu"), x, y) - x


def art_moves(model, x, y, *, steps):
    evasion = pytest.importorskip("art.attacks.evasion")
    estimators = pytest.importorskip("art.estimators.classification")
    classifier = estimators.PyTorchClassifier(
        model, nn.CrossEntropyLoss(), input_shape=x.shape[1:], nb_classes=4, clip_values=(0, 1), device_type="cpu"
    )
    attack = evasion.DeepFool(classifier, max_iter=steps, epsilon=OVERSHOOT, batch_size=6, verbose=False)
    return torch.from_numpy(attack.generate(x.numpy())) - x


def our_moves(model, x, *, steps):
    r = attacks.deepfool(model, x, steps=steps, overshoot=OVERSHOOT).x_adv - x
    assert (r.flatten(1).norm(dim=1) > 0.01).all()
    return r


def test_one_step_equals_that_of_torchattacks(model, batch):
    x, y = batch
    assert (torchattacks_moves(model, x, y, steps=1) - our_moves(model, x, steps=1)).abs().max() <= ROUNDING


def test_one_step_of_art_is_shorter_by_what_it_adds(model, batch):
    x, y = batch
    ours, found = our_moves(model, x, steps=1), attacks.deepfool(model, x, steps=1, overshoot=OVERSHOOT)
    point = x.clone().requires_grad_()
    logits = model(point)
    (logits.gather(1, found.far[:, None]) - logits.gather(1, found.near[:, None])).sum().backward()
    squared = point.grad.flatten(1).norm(dim=1) ** 2
    expected = (squared / (squared + 1e-7)).view(-1, 1, 1, 1) * ours
    assert (art_moves(model, x, y, steps=1) - expected).abs().max() <= ROUNDING
    assert (expected - ours).abs().max() > 10 * ROUNDING


def test_one_step_of_foolbox_is_longer_by_what_it_adds(model, batch):
    x, y = batch
    ours = our_moves(model, x, steps=1)
    added = (1 + OVERSHOOT) * 1e-4 / ours.flatten(1).norm(dim=1)
    expected = (1 + added).view(-1, 1, 1, 1) * ours
    assert (foolbox_moves(model, x, y, steps=1) - expected).abs().max() <= ROUNDING
    assert (expected - ours).abs().max() > 10 * ROUNDING


class Bowl(nn.Module):
    """Logits (t² − 0.25, 0) of the only pixel t: the step from t is (t² − 0.25) / 2t downwards."""

    def forward(self, x):
        t = x.flatten()
        return torch.stack([t**2 - 0.25, torch.zeros_like(t)], 1)


def test_torchattacks_overshoots_at_each_step():
    t, again = 0.9, 0.9
    for _ in range(2):
        t -= (t**2 - 0.25) / (2 * t)
        again -= (again**2 - 0.25) / (2 * again) * 1.05
    once = 0.9 + 1.05 * (t - 0.9)
    x = torch.full((1, 1, 1, 1), 0.9)
    ours = attacks.deepfool(Bowl(), x, steps=2, overshoot=0.05).x_adv
    theirs = x + torchattacks_moves(Bowl(), x, torch.tensor([0]), steps=2, overshoot=0.05)
    assert abs(float(ours) - once) <= ROUNDING and abs(float(theirs) - again) <= ROUNDING
    assert once < 0.5 < again  # two steps of ours are across, two of theirs are not


def test_norms_and_fooling_rates_beside_other_libraries(benchmark):
    for library in ("foolbox", "torchattacks", "art"):
        pytest.importorskip(library)
    model, x, y = benchmark.setting(6)
    table = benchmark.comparison(model, x, y).set_index("library")
    assert list(table.index) == list(benchmark.LIBRARIES) and (table["n"] == 6).all()
    exact = table.drop("torchattacks")
    assert (exact["fooled"] == 6).all()
    assert (table["common"] > 0).all() and (table["same_class"] == 1).all()
    assert table["ratio"].between(1 / (1 + OVERSHOOT), 1 + OVERSHOOT).all()  # all lie just behind one boundary
    assert table["ratio"]["roa-helpers"] == 1 and table["time"]["roa-helpers"] == 1
    assert abs(table["margin"]["torchattacks"]) < table["margin"]["roa-helpers"] / 10  # only the last step overshoots


def test_a_library_that_is_missing_is_named(benchmark, monkeypatch, convnet):
    for module in ("foolbox", "torchattacks", "art", "art.attacks.evasion"):
        monkeypatch.setitem(sys.modules, module, None)
    x = images(3, 12, dtype=torch.float32)[0]
    model = convnet.eval()
    table = benchmark.comparison(model, x, model(x).argmax(1)).set_index("library")
    assert table["version"]["foolbox"] == "skipped: foolbox is not installed"
    assert table["version"]["adversarial-robustness-toolbox"].startswith("skipped: art")
    assert table["fooled"].notna().tolist() == [True, False, False, False]
