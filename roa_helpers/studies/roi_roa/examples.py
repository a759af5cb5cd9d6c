"""What a unit keeps of a handful of images, so that pages can draw and move it without the network."""

import numpy as np
import pandas as pd

from ... import pipeline
from ...pipeline import DEFINITIONS


def example_maps(picked, modified, setting):
    """The maps that everything else follows from, float16, for a handful of images and their neutralised versions.

    Perturbations are in units of ε: of the clean images, and of the neutralised ones.
    """
    maps = {"image": picked.x}
    for name, scanned in (("perturbation", picked), ("perturbation_modified", modified)):
        maps[name] = (pipeline.perturbed(scanned, setting.eps) - scanned.x) / setting.eps
    for definition in DEFINITIONS:
        maps["importance"], maps[f"vulnerability_{definition}"] = pipeline.maps_of(picked, setting.eps, definition)
    return {name: m.numpy().astype(np.float16) for name, m in maps.items()}


def example_probabilities(model, picked, modified, grid):
    """Probability of the true class under FGSM at ε = 0 and each ε of ``grid``, with and without neutralisation.

    Returns:
        A row an example and ε: example (from 0), eps, clean (not neutralised), neutralised.
    """
    tables = []
    for eps in (0.0, *grid):
        clean, neutralised = (
            pipeline.scored(model, pipeline.perturbed(s, eps), s.y)[1].numpy() for s in (picked, modified)
        )
        tables.append(pd.DataFrame({"example": range(len(clean)), "eps": eps, "clean": clean,
                                    "neutralised": neutralised}))  # fmt: skip
    return pd.concat(tables)
