"""Wrappers and compilers around networks."""

import pytest
import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel
from twins import images

from roa_helpers import models

WRAPPERS = {
    "Sequential": nn.Sequential,
    "DataParallel": nn.DataParallel,
    "compile": lambda model: torch.compile(model, backend="eager"),
    "one in the other": lambda model: nn.Sequential(
        torch.compile(nn.DataParallel(nn.Sequential(model)), backend="eager")
    ),
}


@pytest.mark.parametrize("wrapper", WRAPPERS)
def test_the_network_inside_is_found(convnet, wrapper):
    assert models.unwrapped(WRAPPERS[wrapper](convnet)) is convnet


def test_the_average_of_a_network_is_that_of_its_wrapper(convnet):
    averaged = AveragedModel(convnet)
    assert models.unwrapped(averaged) is averaged.module


def test_what_computes_something_is_no_wrapper(convnet):
    class Halved(nn.Sequential):
        def forward(self, x):
            return super().forward(x / 2)

    behind = nn.Sequential(nn.Identity(), convnet)
    hooked = nn.DataParallel(convnet)
    hooked.register_forward_hook(lambda module, inputs, output: 2 * output)
    before = nn.Sequential(convnet)
    before.register_forward_pre_hook(lambda module, inputs: inputs[0] / 2)
    for model in (convnet, Halved(convnet), behind, hooked, before, "no model"):
        assert models.unwrapped(model) is model
    assert models.unwrapped(nn.Sequential(hooked)) is hooked


@pytest.mark.parametrize("wrapper", WRAPPERS)
def test_wrapped_networks_answer_as_the_network_and_are_left_as_found(convnet, wrapper):
    x, y = images(models.CHUNK + 2, 8, dtype=torch.float32)
    expected = models.predict(convnet, x)
    wrapped = WRAPPERS[wrapper](convnet)
    flags = [m.training for m in wrapped.modules()], [p.requires_grad for p in wrapped.parameters()]
    assert torch.equal(models.predict(wrapped, x), expected)
    assert torch.equal(models.correct(wrapped, x, y), expected.argmax(1) == y)
    assert flags == ([m.training for m in wrapped.modules()], [p.requires_grad for p in wrapped.parameters()])
    assert all(flags[0]) and all(flags[1])


def test_hooks_of_compiled_networks_are_called_while_networks_run_as_written():
    model, calls = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(144, 3)), []
    compiled = torch.compile(model, backend="eager")
    x, _ = images(2, 8, dtype=torch.float32)
    compiled(x)
    model[0].register_forward_hook(lambda module, inputs, output: calls.append(module))
    with models.eager():  # outside, it depends on what torch has compiled before whether they are
        compiled(x)
        nn.Sequential(nn.Identity(), compiled)(x)
    assert len(calls) == 2
