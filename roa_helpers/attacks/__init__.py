"""Attacks: images moved so that a model fails. Gradient → step → project → clip, a line each.

``fgsm`` holds the steps by the sign of the gradient (FGSM, BIM, PGD), the other files one attack each. All take
images (N, C, H, W) in [0, 1] and a model that returns logits, and leave the model as it was.
"""

from .deepfool import Fooled, deepfool
from .fgsm import bim, bim_until_success, fgsm, loss_gradient, pgd, pgd_survivors, project, sign_step, total_loss
from .newtonfool import newtonfool, probability_gradient
from .universal import Universal, universal

__all__ = [
    "Fooled", "Universal", "bim", "bim_until_success", "deepfool", "fgsm", "loss_gradient", "newtonfool", "pgd",
    "pgd_survivors", "probability_gradient", "project", "sign_step", "total_loss", "universal",
]  # fmt: skip
