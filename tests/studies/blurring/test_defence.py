import pytest
import torch
import twins
from torch import nn
from twins import images

from roa_helpers import attacks, models
from roa_helpers.studies.blurring import blur, defence


@pytest.fixture
def guard(smooth):
    """The defence whose heatmaps are those of the smooth network."""
    return defence.Defence(explainer=smooth, keep=0.4, sigma=1.0, epsilon=1e-6, radius=0.3, steps=2)


@pytest.fixture(scope="session")
def other():
    """A second smooth network, the one defended."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(5)
        model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Softplus(), nn.Flatten(), nn.Linear(64, 4)).double()
        for parameter in model.parameters():
            parameter.data *= 3
    return model.eval().requires_grad_(False)


def labelled(model, n=6):
    """Images and the classes that the model sees in them."""
    x = images(n)[0]
    return x, models.predict(model, x).argmax(1)


def test_versions_are_the_images_themselves_blurred_and_blurred_but_for_what_matters(guard):
    x, _ = images(3)
    found = guard.versions(x)
    assert tuple(found) == defence.VERSIONS
    assert torch.equal(found["original"], x) and torch.equal(found["blur"], blur.gaussian(x, 1.0))
    for name, heat in guard.importance(x).items():
        keep = blur.keep_mask(heat, 0.4)
        assert torch.equal(found[name], blur.blurred(x, keep, 1.0))
        assert torch.equal(guard.keep_mask(x, name), keep) and torch.equal(guard.apply(x, name), found[name])


def test_fixed_mask_is_fgsm_through_the_blur(guard, other):
    x, y = labelled(other, 2)
    keep = guard.keep_mask(x, "gradient")
    found = defence.fixed_mask(guard, "gradient", other, x, y, eps=0.1)
    for k in range(2):

        def defended(v, k=k):
            return twins.cross_entropy(other, blur.blurred(v[None], keep[k : k + 1], 1.0)[0], y[k])

        g = twins.gradient(defended, x[k])
        for p in twins.positions(x[k]):
            expected = min(1.0, max(0.0, float(x[k][p]) + 0.1 * twins.sign(float(g[p]))))
            assert float(found[k][p]) == pytest.approx(expected, abs=1e-12)


def test_without_a_blur_the_attackers_are_fgsm_and_bim(guard, other):
    x, y = labelled(other)
    one = defence.fixed_mask(guard, "original", other, x, y, eps=0.1)
    assert torch.equal(one, attacks.fgsm(other, x, y, eps=0.1))
    many = defence.straight_through(guard, "original", other, x, y, eps=1e-4, steps=4)
    assert models.correct(other, many, y).all()  # so that none stopped
    assert torch.allclose(many, attacks.bim(other, x, y, eps=1e-4, step=5e-5, steps=4), rtol=0, atol=1e-15)


def straight_through_twin(guard, version, model, image, label, eps, steps):
    now = image[None]
    for _ in range(steps):
        keep = guard.keep_mask(now, version)
        seen = blur.blurred(now, keep, guard.sigma)
        if int(model(seen).argmax()) != label:
            break
        seen = seen.clone().requires_grad_()
        torch.nn.functional.cross_entropy(model(seen), torch.tensor([label])).backward()
        g = keep * seen.grad + twin_adjoint(seen.grad * ~keep, guard.sigma)
        now = (now + 2 * eps / steps * g.sign()).clamp(image - eps, image + eps).clamp(0, 1)
    return now[0]


def twin_adjoint(g, sigma):
    """Bᵀ g, from what the blur makes of each pixel alone."""
    side = g.shape[-1]
    out = torch.zeros_like(g)
    for i in range(side):
        for j in range(side):
            spot = torch.zeros(side, side, dtype=g.dtype)
            spot[i, j] = 1
            out[..., i, j] = (g * twins.gaussian(spot, sigma)).sum((2, 3))
    return out


@pytest.mark.parametrize("version", ["gradient", "pgd", "blur"])
def test_straight_through_equals_its_twin(guard, other, version):
    x = images(6)[0]
    y = models.predict(other, guard.apply(x, version)).argmax(1)
    y[0] = (y[0] + 1) % 4  # wrong from the start: it does not move
    found = defence.straight_through(guard, version, other, x, y, eps=0.3, steps=3)
    assert torch.equal(found[0], x[0]) and not torch.equal(found[1], x[1])
    for k in range(6):
        twin = straight_through_twin(guard, version, other, x[k], int(y[k]), 0.3, 3)
        assert torch.allclose(found[k], twin, rtol=0, atol=1e-12)


def test_an_attacker_who_knows_the_blur_does_more_harm(guard, other):
    x, y = labelled(other, 20)
    losses = []
    for version in ("original", "blur"):
        x_adv = defence.fixed_mask(guard, version, other, x, y, eps=0.05)
        losses.append(nn.functional.cross_entropy(other(guard.apply(x_adv, "blur")), y, reduction="none"))
    assert (losses[1] > losses[0]).all()


def test_gradient_and_label_come_from_one_pass(smooth):
    x, y = images(5)
    gradient, label = defence.loss_gradient_and_label(smooth, x, y)
    assert torch.equal(gradient, attacks.loss_gradient(smooth, x, y))
    assert torch.equal(label, models.predict(smooth, x).argmax(1))
    own, _ = defence.loss_gradient_and_label(smooth, x)
    assert torch.equal(own, attacks.loss_gradient(smooth, x, label))


def test_refuses(guard, other):
    with pytest.raises(ValueError, match="steps"):
        defence.straight_through(guard, "blur", other, *labelled(other), eps=0.1, steps=0)
    with pytest.raises(ValueError, match="heatmaps are"):
        guard.apply(images()[0], "nothing")
