"""How finished units of this study are named. Needs no torch."""

from ...data import title_of

#: Names of the networks.
NETWORKS = {"lenet": "LeNet", "nin": "NiN", "alexnet": "AlexNet-style", "imagenet-alexnet": "AlexNet",
            "imagenet-squeezenet": "SqueezeNet 1.1"}  # fmt: skip


def named(unit):
    """A unit's data set and network as a reader would write them: “MNIST, LeNet”."""
    return f"{title_of(unit.result['dataset'])}, {NETWORKS[unit.result['model']['network']]}"
