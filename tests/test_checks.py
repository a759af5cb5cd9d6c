"""No function leaves a trace on a model, and what the shared checks let pass and refuse."""

import copy

import pytest
import torch
from torch import nn
from twins import images

from roa_helpers import attacks, checks, explain, models

CALLS = {
    "loss_gradient": attacks.loss_gradient,
    "fgsm": lambda m, x, y: attacks.fgsm(m, x, y, eps=0.1),
    "bim": lambda m, x, y: attacks.bim(m, x, y, eps=0.1, step=0.05, steps=2),
    "pgd": lambda m, x, y: attacks.pgd(m, x, y, eps=0.1, step=0.05, steps=2, seed=0),
    "grad_cam": explain.grad_cam,
    "saliency": explain.saliency,
    "predict": lambda m, x, y: models.predict(m, x),
    "correct": models.correct,
}


class Failing(nn.Module):
    """Raises in the second half of the forward pass, after ``after`` calls that go well."""

    def __init__(self, after):
        super().__init__()
        self.left = after

    def forward(self, x):
        self.left -= 1
        if self.left < 0:
            raise RuntimeError("inside forward")
        return x


def lived_in(model):
    """A model in a state that no library would restore by chance."""
    model[1].eval()
    model[4].weight.requires_grad_(False)
    model[9].weight.grad = torch.full_like(model[9].weight, 0.25)
    model[4].register_forward_hook(lambda module, inputs, output: None)
    return model


def state(model):
    return {
        "modes": [m.training for m in model.modules()],
        "flags": [p.requires_grad for p in model.parameters()],
        "gradients": [p.grad if p.grad is None else p.grad.tolist() for p in model.parameters()],
        "hooks": [(len(m._forward_hooks), len(m._forward_pre_hooks), len(m._backward_hooks)) for m in model.modules()],
        "tensors": copy.deepcopy({k: v.tolist() for k, v in model.state_dict().items()}),
    }


@pytest.mark.parametrize("call", CALLS)
def test_a_model_is_left_as_found(convnet, call):
    model = lived_in(convnet)
    x, y = images(models.CHUNK + 2, 8, dtype=torch.float32)
    before, pixels = state(model), x.clone()
    CALLS[call](model, x, y)
    assert state(model) == before
    assert torch.equal(x, pixels) and not x.requires_grad and x.grad is None


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("after", [0, 1])
def test_a_model_is_left_as_found_after_an_exception(convnet, call, after):
    model = lived_in(convnet).append(Failing(after))
    x, y = images(models.CHUNK + 2, 8, dtype=torch.float32)
    before = state(model)
    with pytest.raises(RuntimeError, match="inside forward"):
        CALLS[call](model, x, y)
    assert state(model) == before


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("grad", [True, False])
def test_results_carry_no_graph_and_the_grad_mode_stays(smooth, call, grad):
    with torch.set_grad_enabled(grad):
        assert not CALLS[call](smooth, *images()).requires_grad
        assert torch.is_grad_enabled() is grad


def test_dropout_is_off_while_attacking(convnet):
    x, y = images(3, 8, dtype=torch.float32)
    assert torch.equal(attacks.loss_gradient(convnet, x, y), attacks.loss_gradient(convnet, x, y))


@pytest.mark.parametrize("bound", [0.0, 1.0])
def test_the_bounds_themselves_are_images(bound):
    checks.images(torch.full((1, 1, 2, 2), bound))


@pytest.mark.parametrize("value", [-1e-6, 1 + 1e-6, float("nan"), float("inf")])
def test_values_beyond_the_bounds_are_not(value):
    x = torch.full((1, 1, 2, 2), 0.5)
    x[0, 0, 1, 1] = value
    with pytest.raises(ValueError, match=r"x_adv must lie in \[0, 1\]"):
        checks.images(x, name="x_adv")


def test_logits_that_happen_to_be_positive_pass():
    checks.logits(torch.tensor([[2.0, 3.0], [0.5, 0.7]]), 2)


def test_logits_that_happen_to_sum_to_one_pass():
    checks.logits(torch.tensor([[2.0, -1.0], [1.5, -0.5]]), 2)


def test_probabilities_do_not_pass():
    with pytest.raises(ValueError, match="probabilities"):
        checks.logits(torch.tensor([[0.2, 0.8], [0.5, 0.5]]), 2)


@pytest.mark.parametrize("value", [-0.01, 1.01, float("nan")])
def test_a_share_lies_between_0_and_1(value):
    with pytest.raises(ValueError, match="share"):
        checks.unit_interval(value, name="share")
