"""The supplement of the book's paper: every pair of classes, beside the authors' own files.

``reference`` reads these files, ``presented`` looks at what the paper took from them, ``matrices`` and ``agreement``
set ours beside theirs, ``spread`` says what another training of a pair changes.
"""

import lazy_loader

from .. import Study
from ..roi_roa import images_a_direction

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=["agreement", "answers", "choices", "matrices", "presented", "reference", "spread", "words"],
)
__all__ += ["STUDY"]


def files():
    """What can be fetched for this study: the authors' files."""
    from . import reference

    return (reference.AUTHORS,)


STUDY = Study(
    room=__name__,
    title="Every pair of classes, beside the authors’ files",
    paper="Supplement of Chattopadhyay et al. (2020)",
    pair=True,
    sample=images_a_direction,
    files=files,
)
