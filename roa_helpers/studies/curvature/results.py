"""How finished units of this study are named, and what several of its parts read off them. Needs no torch."""

from ...data import title_of
from .published import FACTORS

#: Names of the networks.
NETWORKS = {"lenet": "LeNet", "nin": "NiN", "alexnet": "AlexNet-style", "imagenet-alexnet": "AlexNet",
            "imagenet-squeezenet": "SqueezeNet 1.1"}  # fmt: skip


def named(unit):
    """A unit's data set and network as a reader would write them: “MNIST, LeNet”."""
    return f"{title_of(unit.result['dataset'])}, {NETWORKS[unit.result['model']['network']]}"


def scaled_norm(unit):
    """Mean norm of DeepFool's perturbations at the largest f of Table 1, as a share of that of the images."""
    return max(FACTORS) * unit.result["deepfool"]["norm"] / unit.result["deepfool"]["image"]
