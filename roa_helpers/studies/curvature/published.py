"""“With Friends Like These, Who Needs Adversaries?”: its printed values, as data. Needs no torch."""

from dataclasses import dataclass

from ... import metrics
from .choices import FACTORS

#: The test images that Table 1 was measured on (Section 4.4), and the side of the network's input.
IMAGES, SIDE = 2000, 227
NETWORK = "ImageNet, AlexNet"


@dataclass(frozen=True)
class Row:
    """A row of Table 1. Norms are of images with 255 levels, less the mean image; rates are proportions.

    Attributes:
        side: d_low in pixels.     image, perturbation: mean ℓ2 norms.     accuracy: of network and unit.
        fooled: fooling rate by the factor f.
    """

    side: int
    image: float
    perturbation: float
    accuracy: float
    fooled: dict[int, float]

    def interval(self, f):
        """95 % Wilson interval of a fooling rate, from the ``IMAGES`` test images."""
        return metrics.wilson(round(self.fooled[f] * IMAGES), IMAGES)


def _row(side, image, perturbation, accuracy, *fooled):
    rates = {f: round(rate / 100, 4) for f, rate in zip(FACTORS, fooled, strict=True)}
    return Row(side, image, perturbation, round(accuracy / 100, 4), rates)


TABLE_ONE = (
    _row(227, 26798.72, 63.96, 57.75, 100.00, 100.00, 100.00, 100.00, 100.00, 100.00),
    _row(200, 26515.20, 53.19, 55.80, 32.75, 77.25, 88.95, 92.20, 94.35, 97.65),
    _row(150, 26327.03, 46.86, 53.50, 35.55, 58.35, 77.90, 85.95, 89.25, 95.65),
    _row(120, 26159.98, 41.92, 51.75, 36.15, 49.80, 66.20, 76.90, 82.95, 92.90),
    _row(100, 26008.02, 37.98, 48.10, 41.65, 49.25, 59.95, 68.05, 74.80, 88.30),
)
