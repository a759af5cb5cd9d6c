"""Choices of the study ``localized``: which photos, regions, network, attack and explanations."""

from dataclasses import dataclass

from ...records import stem
from .published import PHOTOS

#: Shapes of the regions that an attack is confined to (see :mod:`.placement`), and what a reader calls them.
REGIONS = {"segments": "segments of the photo", "squares": "squares", "blobs": "random blobs"}


@dataclass(frozen=True, kw_only=True)
class Localized:
    """Choices of one unit: photos, one shape of regions, and everything that is done with them.

    Attributes:
        dataset: where the photos come from: a known data set (its test part), or a folder or zip of pictures.
        regions: one of ``REGIONS``.
        networks: names of networks that come with ImageNet's weights, the best first; the first whose weights can be
            had is attacked, see :func:`roa_helpers.models.photo.pretrained`, on photos of the size that it takes.
        target: the class that attacks lead to.
        photos: most photos; region_count: most regions a photo; low, high: their least and largest share of the photo.
        scale, sigma, min_size: of the segmentation by Felzenszwalb and Huttenlocher.
        eps, step, steps, patience: of the attack, see :func:`.fgsm.bim_until_success`.
        unions: the largest number n of superpixels in an explanation.
        samples: perturbed images a LIME explanation; spread_seeds, spread_examples: of its spread over seeds.
        path_steps: of integrated gradients; noise_samples, noise_sd: of SmoothGrad.
        shown: photos that are stored to be shown, with two regions each.
    """

    dataset: str
    regions: str = "segments"
    networks: tuple[str, ...] = ("efficientnet_lite0",)
    target: str = "wolf spider"
    photos: int = 112
    region_count: int = 10
    low: float = 0.02
    high: float = 0.3
    scale: float = 200.0
    sigma: float = 0.8
    min_size: int = 100
    eps: float = 1.0
    step: float = 0.03
    steps: int = 60
    patience: int = 15
    unions: int = 20
    samples: int = 1000
    spread_seeds: int = 5
    spread_examples: int = 6
    path_steps: int = 16
    noise_samples: int = 16
    noise_sd: float = 0.15
    shown: int = 3

    @property
    def name(self):
        """What the name of the unit begins with: ``photos-segments``."""
        return stem(self.dataset, self.regions)


_QUICK = (
    Localized(
        dataset="photos", photos=6, region_count=2, steps=40, patience=10, samples=150, spread_seeds=3,
        spread_examples=1, path_steps=8, noise_samples=8, shown=2,
    ),
)  # fmt: skip


def _each_shape(**choices):
    return tuple(Localized(dataset="imagenet-samples", regions=regions, **choices) for regions in REGIONS)


#: Which units a profile has. ``paper`` has the paper's scale, 608 examples from 112 photos: of its 1,221 regions of 144
#: photos, at most ten a photo, 629 are attacked with success. A unit of ``desk`` takes some 40 minutes of one core, one
#: of ``paper`` four hours.
UNITS = {
    "quick": _QUICK,
    "desk": _each_shape(photos=30, region_count=4),
    "paper": _each_shape(photos=144, networks=("inception_v3", "efficientnet_lite0")),
}

#: Why each open choice is what it is; the book prints this beside the values.
REASONS = {
    "dataset": "the authors’ own photos, which no network had learnt, are not published; these come with scikit-image "
    "and scikit-learn, or are ImageNet’s, and the network may have learnt those",
    "photos": f"the paper: {PHOTOS}; they are attacked whatever the network sees in them, right or not, but for photos "
    "of the target class; those in which it sees the target already count apart",
    "region_count": "most regions a photo; the paper: up to 10; fewer here, for the time that LIME takes",
    "networks": "the paper’s is Inception v3 with ImageNet’s weights; those of EfficientNet-Lite0 are a package, so "
    "that every machine has an ImageNet network",
    "target": "the paper’s",
    "low": "“only a relatively small region”; the least share of the photo",
    "high": "the largest share of the photo",
    "scale": "of the segmentation; not stated",
    "sigma": "of the segmentation; not stated",
    "min_size": "of the segmentation, in pixels; not stated",
    "eps": "not stated; 1: the pixels of the region may take any value, as the paper’s constraint says",
    "step": "not stated",
    "steps": "“a certain number of iterations”, how many is not stated",
    "patience": "steps without progress after which an attack is given up",
    "samples": "of LIME, whose default is 1000; fewer where there is little time, and then LIME finds less",
    "unions": "the paper’s",
    "path_steps": "of integrated gradients, which the paper does not use",
    "noise_samples": "of SmoothGrad, likewise",
    "noise_sd": "of SmoothGrad, likewise, as a share of the pixel range",
}
