"""Section II-F of the paper: ε, δ1, δ2, θ and the value of neutralised pixels, chosen on validation images."""

import numpy as np
import pandas as pd

from ... import regions
from ...pipeline import DEFINITIONS, PUBLISHED, Setting, attacked, maps_of, neutralised, share, signs


def choose_eps(model, sides, grid, targets):
    """For each direction: the ε of ``grid`` at which FGSM's accuracy is nearest to its target; ties to the smaller.

    Args:
        sides: validation images, a :class:`roa_helpers.pipeline.Scan` a class.
        targets: accuracy aimed at, one a class.

    Returns:
        (ε of each class, table with columns class (0 or 1), eps, accuracy, target, chosen).
    """
    tables = []
    for k, (side, target) in enumerate(zip(sides, targets, strict=True)):
        table = pd.DataFrame({"class": k, "eps": grid, "accuracy": [share(attacked(model, side, eps)) for eps in grid]})
        nearest = (table.accuracy - target).abs().idxmin()
        tables.append(table.assign(target=target, chosen=table.index == nearest))
    return tuple(float(table.eps[table.chosen].item()) for table in tables), pd.concat(tables, ignore_index=True)


def tune(model, sides, choices, eps):
    """Section II-F: the grid of (δ1, δ2, θ, value) on validation images, for every definition of the RoA.

    A setting is feasible if both blobs hold at least a pixel and score_mod, averaged over the two classes, is at
    most ``choices.clean_loss`` below score_clean. Chosen is the feasible setting with the largest
    score_mod-adv − score_adv; without a feasible one, the setting with the largest score_mod. Ties go to the
    larger blob, which tests the defence harder. By ``PUBLISHED`` there are θ and the value alone.

    Args:
        eps: of each class.

    Returns:
        a row a setting: definition, delta1, delta2 (NaN where nothing is split), theta, value, blob (share of the
        image), clean, adv, mod, mod_adv, feasible, chosen.
    """
    clean = np.mean([share(s.hit) for s in sides])
    adv = np.mean([share(attacked(model, side, e)) for side, e in zip(sides, eps, strict=True)])
    known = {}

    def scores(k, blob, value):
        key = (k, value, blob.numpy().tobytes())
        if key not in known:
            mod = neutralised(model, sides[k], blob, value)
            known[key] = share(mod.hit), share(attacked(model, mod, eps[k]))
        return known[key]

    rows = []
    for setting, blobs in _candidates(sides, choices, eps):
        for value in choices.value:
            mod, mod_adv = np.mean([scores(k, blob, value) for k, blob in enumerate(blobs)], axis=0)
            rows.append(
                setting | {"value": value, "blob": np.mean([share(b) for b in blobs]), "clean": clean, "adv": adv,
                           "mod": mod, "mod_adv": mod_adv,
                           "feasible": min(b.sum() for b in blobs) > 0 and mod >= clean - choices.clean_loss}
            )  # fmt: skip
    table = pd.DataFrame(rows).astype({"feasible": bool})
    return table.assign(chosen=table.index.isin([_best(t) for _, t in table.groupby("definition")]))


def _candidates(sides, choices, eps):
    """(definition, δ1, δ2 and θ by name; the blob of each class) for every point of the grid."""
    for definition in DEFINITIONS:
        maps = [maps_of(side, e, definition) for side, e in zip(sides, eps, strict=True)]
        delta2s = choices.delta2 if definition == "perturbation" else choices.delta2_gradient
        for delta1 in choices.delta1:
            for delta2 in delta2s:
                inside = [
                    regions.isolate(regions.threshold(u, delta1), regions.threshold(v, delta2)).not_u_v for u, v in maps
                ]
                for theta in choices.theta:
                    setting = {"definition": definition, "delta1": delta1, "delta2": delta2, "theta": theta}
                    yield setting, [regions.blob(m, theta) for m in inside]
    moved = [signs(side, e) for side, e in zip(sides, eps, strict=True)]
    for theta in choices.theta_published:
        setting = {"definition": PUBLISHED, "delta1": np.nan, "delta2": np.nan, "theta": theta}
        yield setting, [regions.signed_blob(m, theta) for m in moved]


def _best(table):
    feasible = table[table.feasible]
    if len(feasible):
        return feasible.sort_values(["mod_adv", "blob"], ascending=False, kind="stable").index[0]
    filled = table[table.blob > 0] if (table.blob > 0).any() else table
    return filled.sort_values(["mod", "blob"], ascending=False, kind="stable").index[0]


def chosen_setting(tuning, definition, eps):
    """The :class:`.pipeline.Setting` that :func:`tune` chose for a definition of the RoA, at the ε of a direction."""
    row = tuning[tuning.chosen & (tuning.definition == definition)].iloc[0]
    delta1, delta2 = (None if np.isnan(row[name]) else float(row[name]) for name in ("delta1", "delta2"))
    return Setting(eps, delta1, delta2, float(row.theta), float(row.value))
