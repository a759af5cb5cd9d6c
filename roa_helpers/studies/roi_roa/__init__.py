"""The book's paper: segregation, isolation and neutralisation on pairs of classes.

Chattopadhyay, Chatterjee, Gupta and Chattopadhyay, “Spatially Correlated Patterns in Adversarial Images” (2020). What
other studies of a pair of classes stand on is here too: ``pairs`` (images, the network M), ``search`` (tuning),
``overlap`` (Table I).
"""

import lazy_loader

from .. import Study

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=[
        "answers",
        "beyond",
        "charts",
        "choices",
        "claims",
        "colours",
        "comparison",
        "overlap",
        "pictures",
        "published",
        "readings",
        "search",
        "tables",
        "words",
    ],
    submod_attrs={
        "choices": ["LABELS", "PGD_REACH", "PGD_STARTS", "PGD_STEPS", "Pair", "RoiRoa", "borrowed"],
        "claims": ["CLAIMS", "EXCESS", "by_definition", "where"],
        "controls": ["of_validation", "withstood"],
        "nulls": ["SEED_OFFSET"],
        "pairs": ["accuracies", "load", "sides", "train"],
        "published": ["PUBLISHED", "attacked_accuracy"],
        "results": ["SCORES", "by_direction", "directions", "holding", "images_that_tune", "rows_of"],
    },
)
__all__ += ["STUDY", "images_a_direction"]


def images_a_direction(result):
    """How many images the scores of each direction of a pair were measured on."""
    return tuple(block["scores"]["clean"]["n"] for block in result.get("directions", {}).values())


STUDY = Study(
    room=__name__,
    title="Regions of importance and of attack, and what blocking out U−V+ does",
    paper="Chattopadhyay et al., “Spatially Correlated Patterns in Adversarial Images” (2020)",
    pair=True,
    sample=images_a_direction,
)
