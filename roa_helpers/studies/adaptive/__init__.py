"""Does the blob stand against attackers who adapt to it, and does that of one network serve another?

Beyond the paper. In its protocol the attacker sees the neutralised images but not the defence. Here the attacker knows
the blob and attacks through it, by many steps and, where torchattacks is installed, by APGD and by Square, which needs
no gradient; and the blob is that of the network itself, of another network, or of no class in particular.
"""

import lazy_loader

from .. import Study
from ..roi_roa import images_a_direction

__getattr__, __dir__, __all__ = lazy_loader.attach(__name__, submodules=["charts", "choices", "words"])
__all__ += ["STUDY"]

STUDY = Study(
    room=__name__,
    title="Attackers who know the blob, and blobs of other networks",
    paper="Chattopadhyay et al. (2020), beyond the paper",
    pair=True,
    sample=images_a_direction,
)
