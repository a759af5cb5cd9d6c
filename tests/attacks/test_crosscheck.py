"""The same numbers from other libraries, on a small network in float32.

The three attack libraries are optional: a test is skipped where its library is missing. What had to be set so that
they compute what we compute, or what stays different:

- foolbox: ``bounds=(0, 1)`` clips as we do; its FGSM has no targeted form, so one full step of its BIM stands in; a
  budget is a sum over the batch, as ours.
- torchattacks: differentiates the *mean* loss, which changes gradients by 1/N and leaves signs as they are unless
  they underflow; its PGD starts at random unless told otherwise.
- ART: works on NumPy arrays in float32; ``clip_values`` must be given or nothing is clipped; its mask is our region.
- captum: ``LayerGradCam`` has no final ReLU unless asked, and does not interpolate by itself; ``Saliency`` takes
  absolute values unless told otherwise.
"""

import numpy as np
import pytest
import torch
from numpy.lib.stride_tricks import sliding_window_view
from skimage.metrics import structural_similarity
from twins import images

from roa_helpers import attacks, explain, metrics

EPS, STEP, STEPS = 0.1, 0.03, 5
ROUNDING = 2e-7  # of additions near 1 in float32


@pytest.fixture
def model(convnet):
    return convnet.eval()


@pytest.fixture
def batch():
    return images(6, 12, seed=4, dtype=torch.float32)


def ours(name, model, x, y, *, targeted=False):
    if name == "fgsm":
        return attacks.fgsm(model, x, y, eps=EPS, targeted=targeted)
    return attacks.bim(model, x, y, eps=EPS, step=STEP, steps=STEPS, targeted=targeted)


def assert_equal_to_rounding(theirs, mine, x):
    assert (mine - x).abs().max() > EPS / 2
    assert (torch.as_tensor(theirs) - mine).abs().max() <= ROUNDING


@pytest.mark.parametrize("targeted", [False, True])
@pytest.mark.parametrize("name", ["fgsm", "bim", "pgd"])
def test_attacks_equal_foolbox(model, batch, name, targeted):
    foolbox = pytest.importorskip("foolbox")
    x, y = batch
    attack = {
        "fgsm": foolbox.attacks.LinfFastGradientAttack(random_start=False)
        if not targeted
        else foolbox.attacks.LinfBasicIterativeAttack(rel_stepsize=1.0, steps=1, random_start=False),
        "bim": foolbox.attacks.LinfBasicIterativeAttack(abs_stepsize=STEP, steps=STEPS, random_start=False),
        "pgd": foolbox.attacks.LinfPGD(abs_stepsize=STEP, steps=STEPS, random_start=False),
    }[name]
    criterion = foolbox.criteria.TargetedMisclassification(y) if targeted else foolbox.criteria.Misclassification(y)
    bounded = foolbox.PyTorchModel(model, bounds=(0, 1), device="cpu")
    theirs = attack.run(bounded, x, criterion, epsilon=EPS)
    assert_equal_to_rounding(theirs, ours(name, model, x, y, targeted=targeted), x)


@pytest.mark.parametrize("targeted", [False, True])
@pytest.mark.parametrize("name", ["fgsm", "bim", "pgd"])
def test_attacks_equal_torchattacks(model, batch, name, targeted):
    torchattacks = pytest.importorskip("torchattacks")
    x, y = batch
    attack = {
        "fgsm": lambda: torchattacks.FGSM(model, eps=EPS),
        "bim": lambda: torchattacks.BIM(model, eps=EPS, alpha=STEP, steps=STEPS),
        "pgd": lambda: torchattacks.PGD(model, eps=EPS, alpha=STEP, steps=STEPS, random_start=False),
    }[name]()
    if targeted:
        attack.set_mode_targeted_by_label(quiet=True)
    assert_equal_to_rounding(attack(x, y), ours(name, model, x, y, targeted=targeted), x)


def art_classifier(model):
    estimators = pytest.importorskip("art.estimators.classification")
    return estimators.PyTorchClassifier(
        model, torch.nn.CrossEntropyLoss(), input_shape=(3, 12, 12), nb_classes=4, clip_values=(0, 1), device_type="cpu"
    )


@pytest.mark.parametrize("targeted", [False, True])
@pytest.mark.parametrize("name", ["fgsm", "bim", "pgd"])
def test_attacks_equal_art(model, batch, name, targeted):
    evasion = pytest.importorskip("art.attacks.evasion")
    x, y = batch
    classifier, steps = art_classifier(model), {"eps_step": STEP, "max_iter": STEPS, "verbose": False}
    attack = {
        "fgsm": lambda: evasion.FastGradientMethod(classifier, eps=EPS, targeted=targeted),
        "bim": lambda: evasion.BasicIterativeMethod(classifier, eps=EPS, targeted=targeted, **steps),
        "pgd": lambda: evasion.ProjectedGradientDescentNumpy(classifier, eps=EPS, targeted=targeted, **steps),
    }[name]()
    theirs = attack.generate(x.numpy(), y.numpy())
    assert_equal_to_rounding(theirs, ours(name, model, x, y, targeted=targeted), x)


def test_a_region_equals_the_mask_of_art(model, batch):
    evasion = pytest.importorskip("art.attacks.evasion")
    x, y = batch
    region = torch.rand(6, 1, 12, 12, generator=torch.Generator().manual_seed(0)) < 0.5
    attack = evasion.ProjectedGradientDescentNumpy(
        art_classifier(model), eps=EPS, eps_step=STEP, max_iter=STEPS, verbose=False
    )
    theirs = attack.generate(x.numpy(), y.numpy(), mask=region.expand_as(x).float().numpy())
    mine = attacks.bim(model, x, y, eps=EPS, step=STEP, steps=STEPS, region=region)
    assert_equal_to_rounding(theirs, mine, x)


@pytest.mark.parametrize("layer", [0, 2, 4, 5])
def test_grad_cam_equals_captum(model, batch, layer):
    attr = pytest.importorskip("captum.attr")
    x, y = batch
    coarse = attr.LayerGradCam(model, model[layer]).attribute(x, y, relu_attributions=True)
    theirs = attr.LayerAttribution.interpolate(coarse, (12, 12), interpolate_mode="bilinear")[:, 0].detach()
    assert theirs.max() > 0
    assert torch.allclose(explain.grad_cam(model, x, y, layer=model[layer]), theirs, rtol=1e-5, atol=1e-9)


def test_saliency_equals_captum(model, batch):
    attr = pytest.importorskip("captum.attr")
    x, y = batch
    theirs = attr.Saliency(model).attribute(x.clone().requires_grad_(), y, abs=False)
    assert torch.allclose(explain.saliency(model, x, y), theirs, rtol=1e-5, atol=1e-9)


def pairs():
    rng = np.random.default_rng(0)
    yield "noise", rng.random((4, 20, 17)), rng.random((4, 20, 17))
    yield "regions", rng.random((4, 20, 17)) < 0.3, rng.random((4, 20, 17)) < 0.6
    near = rng.random((4, 20, 17))
    yield "near", near, np.clip(near + 0.05 * rng.standard_normal(near.shape), 0, 1)


@pytest.mark.parametrize(("a", "b"), [pytest.param(a, b, id=name) for name, a, b in pairs()])
def test_ssim_equals_scikit_image_pair_by_pair(a, b):
    theirs = [structural_similarity(p.astype(float), q.astype(float), data_range=1) for p, q in zip(a, b, strict=True)]
    assert np.allclose(metrics.ssim(a, b), theirs, rtol=0, atol=1e-6)


@pytest.mark.parametrize(("a", "b"), [pytest.param(a, b, id=name) for name, a, b in pairs()])
def test_ssim_equals_its_formula_over_all_windows(a, b):
    windows = [sliding_window_view(m.astype(float), (7, 7), axis=(1, 2)).reshape(4, 14, 11, 49) for m in (a, b)]
    (mean_a, var_a), (mean_b, var_b) = ((w.mean(-1), w.var(-1, ddof=1)) for w in windows)
    covariance = (windows[0] * windows[1]).mean(-1) - mean_a * mean_b
    covariance *= 49 / 48
    top = (2 * mean_a * mean_b + 0.01**2) * (2 * covariance + 0.03**2)
    bottom = (mean_a**2 + mean_b**2 + 0.01**2) * (var_a + var_b + 0.03**2)
    assert np.allclose(metrics.ssim(a, b), (top / bottom).mean((1, 2)), rtol=0, atol=1e-12)
