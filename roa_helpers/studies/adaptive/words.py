"""What the units of this study say, in sentences: Markdown made of their numbers. Needs no torch."""

from ...page import words
from .charts import ATTACKS


def told(changes):
    """Where each blob clearly changes accuracy, and under which attack, from ``charts.changes``."""
    lines, counted = [], changes[changes["empty"] == ""]
    for blob, own in counted.groupby("blob", sort=False):
        found = []
        for attack, rows in own.groupby("attack", sort=False):
            said = words.clear_of_zero(rows, rows["data set"], above="higher", below="lower")
            if said:
                found.append(f"{attack}: {', '.join(said)}")
        lines.append(f"- blob: {blob}: {'; '.join(found) or 'nowhere clearly changed'}")
    left = changes[changes["empty"] != ""].drop_duplicates(["blob", "data set"])
    named = [f"{row.blob} for {row['data set']} ({row['empty']})" for _, row in left.iterrows()]
    return (
        "Accuracy with a blob, mean over both classes, compared with that without, on the same images:\n\n"
        + "\n".join(lines)
        + "\n\nWhere a data set is not named, the 95 % interval of the change holds 0. Each is of one network and says "
        "nothing of others."
        + (f" Not counted, since the blob of a class is empty: {words.listed(named)}." if named else "")
    )


def missing(data):
    """How APGD and Square can be had, where no unit has them; empty where one has."""
    if ATTACKS["apgd"] in set(data.attack):
        return ""
    return (
        "APGD and Square are run where torchattacks is installed (`pip install torchattacks`, which asks for an older "
        "requests than the book does, so best beside it, on `PYTHONPATH`); these results were computed without it."
    )
