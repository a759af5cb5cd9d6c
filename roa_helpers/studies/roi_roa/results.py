"""How finished units of a pair of classes are read: by direction, source class → target class. Needs no torch."""

from ...data import title_of
from ...records import seeds

#: The four scores, as the paper writes them.
SCORES = {"clean": "score_clean", "adv": "score_adv", "mod": "score_mod", "mod_adv": "score_mod-adv"}


def directions(units):
    """(unit, direction's name, its result block) for every direction of ``units``."""
    return [(unit, name, block) for unit in units for name, block in unit.result["directions"].items()]


def by_direction(units):
    """(units that differ in their seed alone, direction's name, their result blocks) for every direction."""
    for group in seeds.groups(units):
        for name in group[0].result["directions"]:
            yield group, name, [unit.result["directions"][name] for unit in group]


def holding(units, table):
    """The units that hold a table; others were recorded before it was measured."""
    return [unit for unit in units if f"{table}.csv" in unit.files]


def rows_of(table, units):
    """The rows of a table, by its column ``data set``, that are about the data sets of ``units``."""
    return table[table["data set"].isin({title_of(unit.result["dataset"]) for unit in units})]


def defined(block, definition):
    """What a direction's block holds for a definition of the RoA."""
    return block if definition == "perturbation" else block["definitions"][definition]


def setting_of(block, definition):
    """The parameters that a direction was measured with, for a definition of the RoA."""
    return defined(block, definition)["parameters"]


def named(unit, name):
    """“MNIST: 0 to 1”."""
    return f"{title_of(unit.result['dataset'])}: {name}"


def images_that_tune(unit):
    """Validation images a class that the settings were compared on: as many as there were, at most ``tune``."""
    counts = unit.result["provenance"]["data"]["counts"]["val"]
    return min(unit.result["parameters"]["choices"]["tune"], *counts.values())
