"""Do explainers find where a localised attack was?

Göpfert, Wersing and Hammer, “Recovering Localized Adversarial Attacks” (2019). ``placement`` says where attacks may
take place, ``recovery`` how well an explanation covers the place, ``ranking`` who does it best.
"""

import lazy_loader

from .. import Study

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__, submodules=["answers", "charts", "choices", "claims", "placement", "recovery", "tables", "words"]
)
__all__ += ["STUDY"]

STUDY = Study(
    room=__name__,
    title="Do explainers find where a localised attack was?",
    paper="Göpfert, Wersing and Hammer, “Recovering Localized Adversarial Attacks” (2019)",
)
