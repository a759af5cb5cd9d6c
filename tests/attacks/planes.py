"""What the tests of DeepFool and of universal perturbations share: linear classifiers, images, settings."""

import torch
from torch import nn
from twins import images

BUDGET = {"steps": 30, "overshoot": 0.02}
WIDE = {"eps": 1.0, "norm": "l2", "fraction": 1.0, "epochs": 2, "seed": 0} | BUDGET


class Affine(nn.Module):
    """Logits W · x + b."""

    def __init__(self, weight, bias):
        super().__init__()
        self.weight, self.bias = weight, bias

    def forward(self, x):
        return x.flatten(1) @ self.weight.T + self.bias


def affine(classes, *, seed=0, d=108):
    generator = torch.Generator().manual_seed(seed)
    weight = torch.randn(classes, d, generator=generator, dtype=torch.float64)
    return Affine(weight, 0.3 * torch.randn(classes, generator=generator, dtype=torch.float64))


def middle(n=4, side=6, *, seed=0):
    """Images far from 0 and 1, so that clipping takes no part."""
    x, y = images(n, side, seed=seed)
    return 0.35 + 0.3 * x, y
