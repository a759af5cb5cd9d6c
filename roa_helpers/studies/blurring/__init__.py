"""Does blurring what does not matter make a classifier robust?

Chun, “Robust Image Classification Based on Pixel Importance” (2022). ``heatmaps`` says what matters, ``blur`` blurs the
rest, ``defence`` puts both before a network, with the attackers who know of it.
"""

import lazy_loader

from .. import Study

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__, submodules=["answers", "blur", "charts", "choices", "claims", "published", "results", "tables", "words"]
)
__all__ += ["STUDY"]

STUDY = Study(
    room=__name__,
    title="Does blurring what does not matter help?",
    paper="Chun, “Robust Image Classification Based on Pixel Importance” (2022)",
)
