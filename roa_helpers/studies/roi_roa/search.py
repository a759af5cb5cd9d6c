"""Section II-F of the paper: ε, δ1, δ2, θ and the value of neutralised pixels, chosen on validation images."""

import numpy as np
import pandas as pd

from ... import regions
from ...pipeline import DEFINITIONS, Setting, attacked, maps_of, neutralised, share


def choose_eps(model, sides, grid, target):
    """The ε of ``grid`` at which FGSM's accuracy, averaged over the classes, is nearest to ``target``.

    Returns:
        (ε, table with columns eps, accuracy, chosen).
    """
    accuracy = [np.mean([share(attacked(model, side, eps)) for side in sides]) for eps in grid]
    table = pd.DataFrame({"eps": grid, "accuracy": accuracy})
    best = (table.accuracy - target).abs().idxmin()
    return float(table.eps[best]), table.assign(chosen=table.index == best)


def tune(model, sides, choices, eps):
    """Section II-F: the grid of (δ1, δ2, θ, value) on validation images, for both definitions of the RoA.

    A setting is feasible if both blobs hold at least a pixel and score_mod, averaged over the two classes, is at
    most ``choices.clean_loss`` below score_clean. Chosen is the feasible setting with the largest
    score_mod-adv − score_adv; without a feasible one, the setting with the largest score_mod. Ties go to the
    larger blob, which tests the defence harder.

    Returns:
        a row a setting: definition, delta1, delta2, theta, value, blob (share of the image), clean, adv, mod,
        mod_adv, feasible, chosen.
    """
    clean = np.mean([share(s.hit) for s in sides])
    adv = np.mean([share(attacked(model, side, eps)) for side in sides])
    known = {}

    def scores(k, blob, value):
        key = (k, value, blob.numpy().tobytes())
        if key not in known:
            mod = neutralised(model, sides[k], blob, value)
            known[key] = share(mod.hit), share(attacked(model, mod, eps))
        return known[key]

    rows = []
    for definition in DEFINITIONS:
        maps = [maps_of(side, eps, definition) for side in sides]
        delta2s = choices.delta2 if definition == "perturbation" else choices.delta2_gradient
        for delta1 in choices.delta1:
            for delta2 in delta2s:
                inside = [
                    regions.isolate(regions.threshold(u, delta1), regions.threshold(v, delta2)).not_u_v for u, v in maps
                ]
                for theta in choices.theta:
                    blobs = [regions.blob(m, theta) for m in inside]
                    for value in choices.value:
                        mod, mod_adv = np.mean([scores(k, b, value) for k, b in enumerate(blobs)], axis=0)
                        rows.append(
                            {"definition": definition, "delta1": delta1, "delta2": delta2, "theta": theta,
                             "value": value, "blob": np.mean([share(b) for b in blobs]), "clean": clean, "adv": adv,
                             "mod": mod, "mod_adv": mod_adv,
                             "feasible": min(b.sum() for b in blobs) > 0 and mod >= clean - choices.clean_loss}
                        )  # fmt: skip
    table = pd.DataFrame(rows).astype({"feasible": bool})
    return table.assign(chosen=table.index.isin([_best(t) for _, t in table.groupby("definition")]))


def _best(table):
    feasible = table[table.feasible]
    if len(feasible):
        return feasible.sort_values(["mod_adv", "blob"], ascending=False, kind="stable").index[0]
    filled = table[table.blob > 0] if (table.blob > 0).any() else table
    return filled.sort_values(["mod", "blob"], ascending=False, kind="stable").index[0]


def chosen_setting(tuning, definition, eps):
    """The :class:`.pipeline.Setting` that :func:`tune` chose for a definition of the RoA."""
    row = tuning[tuning.chosen & (tuning.definition == definition)].iloc[0]
    return Setting(eps, *(float(row[name]) for name in ("delta1", "delta2", "theta", "value")))
