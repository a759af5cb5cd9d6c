"""What the units of this study say, in sentences: Markdown made of their numbers. Needs no torch."""

from ...page import minus
from .charts import ATTACKS


def told(data):
    """What each blob changes under each attack, balanced over both directions, from ``charts.table``."""
    lines = []
    keys = ["data set", "seed", "attack"]
    balanced = data.groupby([*keys, "blob"], sort=False).accuracy.mean().unstack("blob")
    change = balanced.drop(columns="none").sub(balanced["none"], axis=0)
    for attack in (name for name in ATTACKS.values() if name in set(data.attack)):
        part = change.xs(attack, level="attack").mean()
        lines.append(f"- {attack}: " + ", ".join(f"{blob} {minus(value, '+.1f')}" for blob, value in part.items()))
    sets, networks = data["data set"].nunique(), data.drop_duplicates(["data set", "seed"]).shape[0]
    return (
        "Change of accuracy in points by each blob, mean over both classes, "
        f"{sets} data set{'s' if sets > 1 else ''} and {networks} network{'s' if networks > 1 else ''}:\n\n"
        + "\n".join(lines)
    )


def missing(data):
    """How APGD and Square can be had, where no unit has them; empty where one has."""
    if ATTACKS["apgd"] in set(data.attack):
        return ""
    return (
        "APGD and Square are run where torchattacks is installed (`pip install torchattacks`, which asks for an older "
        "requests than the book does, so best beside it, on `PYTHONPATH`); these results were computed without it."
    )
