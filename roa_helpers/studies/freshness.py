"""Whether the present code would compute a unit as it stands: by its choices, its seed and what the code computes."""

from ..records import fingerprints, store
from .profiles import planned
from .study import find


def expected(plan):
    """What a finished unit's fingerprint must hold for the present choices and code (the data's part apart)."""
    return {
        "parameters": fingerprints.value([plan.choices, plan.seed]),
        "code": fingerprints.code(*find(plan.study).entries),
    }


def standing(unit):
    """Whether a unit is what the present code would compute: ``current``, or what has changed since, in words."""
    stands, name = unit.result["fingerprint"], unit.result["profile"]
    plans = {plan.name: plan for plan in planned(name, unit.result["study"], seed=unit.result["seed"])}
    plan = plans.get(unit.path.name)
    if plan is None:
        return "not planned any more"
    changed = [part for part, value in expected(plan).items() if stands.get(part) != value]
    return f"{' and '.join(changed)} changed since" if changed else store.CURRENT
