"""What “Recovering Localized Adversarial Attacks” (Göpfert, Wersing and Hammer, 2019) prints. Needs no torch."""

from dataclasses import dataclass

#: Section 4: photos, adversarial examples, explanations of each explainer; Table 1 gives no interval.
PHOTOS, EXAMPLES, EXPLANATIONS, EXPLAINED = 112, 608, 12_160, 20
#: The network that it attacks, by torchvision's name, and the class that attacks lead to.
NETWORK, TARGET = "inception_v3", "wolf spider"

#: Table 1: mean rank of each explainer, 1 the best of 3, by what it is measured with.
MEAN_RANKS = {
    "jaccard": {"saliency": 2.58, "guided_backprop": 2.06, "lime": 1.36},
    "hamming": {"saliency": 2.59, "guided_backprop": 2.03, "lime": 1.38},
}


@dataclass(frozen=True)
class Printed:
    """A mean rank of Table 1, which has no interval; ``rounding``: half a unit of its last digit."""

    value: float
    interval: None = None
    rounding: float = 0.005
