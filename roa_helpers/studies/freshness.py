"""Whether the present code would compute a unit as it stands: by its choices, its seed and what the code computes."""

from ..records import fingerprints, store
from .profiles import planned
from .study import find

#: The folder of what was made of one's own pictures, below that of the results.
OWN = "own"


def expected(plan):
    """What a finished unit's fingerprint must hold for the present choices and code (the data's part apart)."""
    return {
        "parameters": fingerprints.value([plan.choices, plan.seed]),
        "code": fingerprints.code(*find(plan.study).entries),
    }


def standing(unit):
    """Whether a unit is what the present code would compute: ``current``, or what has changed since, in words."""
    said, stands = unit.result, unit.result["fingerprint"]
    given = {}
    if unit.path.parents[2].name == OWN:  # a data set that no profile names
        given = {"dataset": said["dataset"], "classes": said["classes"] if find(said["study"]).pair else None}
    plans = {plan.name: plan for plan in planned(said["profile"], said["study"], seed=said["seed"], **given)}
    plan = plans.get(unit.path.name)
    if plan is None:
        return "not planned any more"
    changed = [part for part, value in expected(plan).items() if stands.get(part) != value]
    return f"{' and '.join(changed)} changed since" if changed else store.CURRENT
