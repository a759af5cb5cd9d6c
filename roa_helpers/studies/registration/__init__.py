"""Do regions of a class share a place only where its images do? The same digits, moved at random by more and more.

The paper shows representatives of two registered data sets and of two that are not, which differ in much else. Here
one thing differs: by how many pixels each image is moved.
"""

import lazy_loader

from .. import Study
from ..roi_roa import images_a_direction

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__, submodules=["charts", "choices", "words"], submod_attrs={"claims": ["REGISTERED"]}
)
__all__ += ["STUDY"]

STUDY = Study(
    room=__name__,
    title="Regions of images that are moved at random",
    paper="Chattopadhyay et al. (2020), Section IV",
    pair=True,
    sample=images_a_direction,
)
