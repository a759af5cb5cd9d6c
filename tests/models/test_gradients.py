"""Gradients of every network, on the device that results are computed on, beside double precision on the CPU."""

import copy

import pytest
import torch
import torch.nn.functional as F

from roa_helpers import models
from roa_helpers.models import resnet, small

NETWORKS = {
    "lenet": (small.lenet, 1, 28), "nin": (small.nin, 3, 32), "alexnet": (small.alexnet, 3, 32),
    "vgg16": (models.vgg16, 3, 48), "plain_vgg16": (models.plain_vgg16, 3, 48), "resnet": (resnet.resnet, 3, 64),
    "squeezenet": (models.squeezenet, 3, 64), "efficientnet_lite0": (models.efficientnet_lite0, 3, 64),
}  # fmt: skip
#: A unit within float32's rounding of a kink may lie on its other side: on an H100 that was up to .008.
KINKS = 0.02
NARROW = ("lenet", "nin", "alexnet", "vgg16", "plain_vgg16", "resnet")


@pytest.mark.parametrize("name", NETWORKS)
def test_gradients_are_those_of_double_precision(name):
    build, channels, side = NETWORKS[name]
    options = {"width": 0.25} if name in NARROW else {}
    options |= {"mean": torch.full((channels, side, side), 0.5)} if build in small.BUILDERS.values() else {}
    model = build(3, seed=0, **options).eval()
    x = torch.rand(3, channels, side, side, generator=torch.Generator().manual_seed(1))
    y = torch.arange(3)

    def loss(logits, labels):
        return F.cross_entropy(logits, labels, reduction="sum")

    exact = models.input_gradient(copy.deepcopy(model).double(), x.double(), y, loss)
    found = models.input_gradient(model.to(models.device()), x, y, loss)
    assert (found.double() - exact).norm() <= KINKS * exact.norm()
