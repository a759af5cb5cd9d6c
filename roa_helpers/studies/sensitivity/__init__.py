"""How far the results of the book's paper move with the choices that it leaves open, one choice at a time."""

import lazy_loader

from .. import Study
from ..roi_roa import images_a_direction

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__, submodules=["changes", "charts", "choices", "tables", "words"]
)
__all__ += ["STUDY"]

STUDY = Study(
    room=__name__,
    title="What moves with the choices that the paper leaves open",
    paper="Chattopadhyay et al. (2020)",
    pair=True,
    sample=images_a_direction,
)
