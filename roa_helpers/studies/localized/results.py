"""How finished units of this study are read and named. Needs no torch."""

from ...data import title_of
from .choices import REGIONS

#: Names of networks as a reader would write them.
NETWORKS = {"efficientnet_lite0": "EfficientNet-Lite0", "inception_v3": "Inception v3"}


def shape_of(unit):
    """The shape of a unit's regions."""
    return unit.result["parameters"]["choices"]["regions"]


def named(unit):
    """What a chart says of a unit: data set, shape of the regions, profile."""
    seed = f", seed {unit.result['seed']}" if unit.result["seed"] else ""
    return f"{title_of(unit.result['dataset'])}, {REGIONS[shape_of(unit)]}, {unit.result['profile']}{seed}"


def run_of(unit):
    """The run that a unit is of: “desk, seed 0”."""
    return f"{unit.result['profile']}, seed {unit.result['seed']}"
