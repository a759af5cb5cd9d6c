import pytest
import torch
import twins
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from twins import images

from roa_helpers import attacks, models


class Two(nn.Module):
    """Logits (a Σx − b − 1, −1): the probability of class 0 is a logistic function of the sum of an image."""

    def __init__(self, a, b=0.0):
        super().__init__()
        self.a, self.b = a, b

    def forward(self, x):
        total = self.a * x.flatten(1).sum(1) - self.b
        return torch.stack([total, torch.zeros_like(total)], 1) - 1


@pytest.mark.parametrize("eta", [0.003, 0.05, 10.0])
def test_equals_its_twin(smooth, eta):
    x, _ = images(3)
    x_adv = attacks.newtonfool(smooth, x, eta=eta, steps=3)
    for k in range(len(x)):
        assert torch.allclose(x_adv[k], twins.newtonfool(smooth, x[k], eta, 3), rtol=0, atol=1e-7)


def test_the_short_step_has_the_length_that_eta_sets():
    x = torch.full((1, 1, 2, 2), 0.5, dtype=torch.float64)  # its norm is 1
    moved = attacks.newtonfool(Two(0.5), x, eta=0.01, steps=1) - x
    assert torch.allclose(moved, torch.full_like(x, -0.005), rtol=0, atol=1e-15)


def test_the_long_step_is_newtons_for_chance():
    x = torch.full((1, 1, 2, 2), 0.5, dtype=torch.float64)
    p = torch.sigmoid(torch.tensor(0.5, dtype=torch.float64))  # Σx − 1.5
    slope = p * (1 - p)  # of each of the four pixels
    moved = attacks.newtonfool(Two(1.0, 1.5), x, eta=10.0, steps=1) - x
    assert torch.allclose(moved, -(p - 0.5) / (4 * slope) * torch.ones_like(x), rtol=0, atol=1e-15)


def test_an_image_stops_once_its_label_has_flipped():
    model = nn.Sequential(nn.Flatten(), nn.Linear(4, 3)).double()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        nn.init.normal_(model[1].weight, std=4)
    x = torch.rand(20, 1, 2, 2, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    paths = [attacks.newtonfool(model, x, eta=0.1, steps=k) for k in range(12)]
    before = models.predict(model, x).argmax(1)
    flipped = [models.predict(model, now).argmax(1) != before for now in paths]
    assert flipped[-1].sum() > 0 and not flipped[0].any()
    for now, then, done in zip(paths[1:], paths, flipped, strict=False):
        assert torch.equal(now[done], then[done])
        assert (now[~done] != then[~done]).flatten(1).any(1).all()


def test_each_image_goes_its_own_way(smooth):
    x, _ = images(4)
    together = attacks.newtonfool(smooth, x, eta=0.02, steps=3)
    alone = torch.cat([attacks.newtonfool(smooth, one[None], eta=0.02, steps=3) for one in x])
    assert torch.allclose(together, alone, rtol=0, atol=1e-12)


def test_where_the_gradient_vanishes_nothing_moves():
    x = torch.rand(2, 1, 3, 3)
    assert torch.equal(attacks.newtonfool(Two(1e4), x, eta=0.1, steps=3), x)


@given(eta=st.floats(0, 5), steps=st.integers(0, 4))
def test_stays_in_range_and_within_its_reach(smooth, eta, steps):
    x, _ = images(2, 4)
    x_adv = attacks.newtonfool(smooth, x, eta=eta, steps=steps)
    assert x_adv.min() >= 0 and x_adv.max() <= 1
    reach = steps * eta * x.flatten(1).norm(dim=1)
    assert ((x_adv - x).flatten(1).norm(dim=1) <= reach + 1e-9).all()


def test_the_probability_falls(smooth):
    x, _ = images(3)
    y = models.predict(smooth, x).argmax(1)
    _, before, _ = attacks.probability_gradient(smooth, x, y)
    _, after, _ = attacks.probability_gradient(smooth, attacks.newtonfool(smooth, x, eta=0.01, steps=2), y)
    assert (after < before).all()


def test_probability_gradient_equals_differences(smooth):
    x, y = images()
    gradient, excess, label = attacks.probability_gradient(smooth, x, y)
    assert torch.equal(label, models.predict(smooth, x).argmax(1))
    for k in range(len(x)):
        assert float(excess[k]) + 1 / 4 == pytest.approx(twins.probability(smooth, x[k], y[k]), abs=1e-12)
        twin = twins.gradient(lambda v, k=k: twins.probability(smooth, v, y[k]), x[k])
        assert torch.allclose(gradient[k], twin, rtol=0, atol=1e-9)


def test_the_model_is_left_as_found(convnet):
    before = {name: value.clone() for name, value in convnet.state_dict().items()}
    x = images(4, 12, dtype=torch.float32)[0]
    attacks.newtonfool(convnet, x, eta=0.1, steps=2)
    assert convnet.training and all(p.requires_grad for p in convnet.parameters())
    assert all(torch.equal(value, before[name]) for name, value in convnet.state_dict().items())


@pytest.mark.parametrize("bad", [{"eta": -1.0}, {"eta": float("nan")}, {"steps": -1}])
def test_refuses(smooth, bad):
    with pytest.raises(ValueError, match="eta and steps"):
        attacks.newtonfool(smooth, images()[0], **({"eta": 0.1, "steps": 1} | bad))


def test_refuses_images_out_of_range(smooth):
    with pytest.raises(ValueError, match="must lie in"):
        attacks.newtonfool(smooth, 2 + images()[0], eta=0.1, steps=1)


def test_a_model_that_works_in_place_is_followed_as_it_is_written():
    class InPlace(Two):
        def forward(self, x):
            x *= self.a
            return Two(1.0, self.b).forward(x)

    x = torch.full((1, 1, 2, 2), 0.5, dtype=torch.float64)
    for steps in (1, 3):
        expected = attacks.newtonfool(Two(0.5), x, eta=0.01, steps=steps)
        assert torch.allclose(attacks.newtonfool(InPlace(0.5), x, eta=0.01, steps=steps), expected, rtol=0, atol=1e-15)
    assert torch.equal(x, torch.full_like(x, 0.5))


def test_no_graph_is_handed_on(smooth):
    x, _ = images(2)
    expected = attacks.newtonfool(smooth, x, eta=0.02, steps=2)
    found = attacks.newtonfool(smooth, x.requires_grad_(), eta=0.02, steps=2)
    assert not found.requires_grad and torch.equal(found, expected)


def test_one_logit_has_no_probability_to_lower():
    model = nn.Sequential(nn.Flatten(), nn.Linear(108, 1)).double()
    with pytest.raises(ValueError, match="at least two classes"):
        attacks.newtonfool(model, images()[0], eta=0.1, steps=1)
