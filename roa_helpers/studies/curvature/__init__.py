"""The directions that classify are the directions that fool: curvature, subspaces, compression.

Jetley, Lord and Torr, “With Friends Like These, Who Needs Adversaries?” (2018). ``directions`` finds them, ``lines``
looks along them, ``subspaces`` confines images and attacks to them.
"""

import lazy_loader

from .. import Study

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=["answers", "charts", "choices", "claims", "pictures", "tables", "words"],
    submod_attrs={"claims": ["STATEMENTS"], "results": ["named"]},
)
__all__ += ["STUDY"]

STUDY = Study(
    room=__name__,
    title="The directions that classify are the directions that fool",
    paper="Jetley, Lord and Torr, “With Friends Like These, Who Needs Adversaries?” (2018)",
)
