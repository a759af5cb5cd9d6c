"""What do the authors' published pictures show? They are read cell by cell; nothing of it is in the paper's text.

``sources`` says which pictures there are, ``cells`` turns one into the array that it shows, ``colours`` knows the
colours of its heat maps. ``rebuild`` and ``similarity`` are the readings that are tried, ``measure`` tries them on a
pair of classes, ``summary`` takes all pairs together.
"""

import lazy_loader

from .. import Study

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=["answers", "cells", "charts", "choices", "claims", "pictures", "rebuild", "sources", "tables", "words"],
)
__all__ += ["STUDY"]


def files():
    """What can be fetched for this study: the authors' pictures."""
    from . import sources

    return (sources.authors(),)


STUDY = Study(
    room=__name__,
    title="The authors’ published pictures, read cell by cell",
    paper="Pictures published beside Chattopadhyay et al. (2020)",
    files=files,
)
