"""What moves the accuracy of M toward the paper's, and do the findings hold for a second architecture?

The paper's networks classify cats and dogs at 99 %, those of the study ``roi_roa`` at some points less, and the paper
doesn't say what it trained for how long. Here one thing after the other is changed: the head and the batch
normalisation of VGG16, what it learns before, how long it learns; and other networks with ImageNet's weights.
"""

import lazy_loader

from .. import Study
from ..roi_roa import images_a_direction

__getattr__, __dir__, __all__ = lazy_loader.attach(__name__, submodules=["charts", "choices", "words"])
__all__ += ["STUDY"]

STUDY = Study(
    room=__name__,
    title="Other networks, other training: accuracy, and whether the findings hold",
    paper="Chattopadhyay et al. (2020), beyond the paper",
    pair=True,
    sample=images_a_direction,
)
