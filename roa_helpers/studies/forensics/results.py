"""How finished units of this study are named. Needs no torch."""

from ...data import title_of


def named(unit):
    """What a chart says of a unit: its data set, and its seed where that is not 0."""
    seed = f", seed {unit.result['seed']}" if unit.result["seed"] else ""
    return f"{title_of(unit.result['dataset'])}{seed}"
