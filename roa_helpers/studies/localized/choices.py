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
        trained_on: the data set whose training part the network learns; its classes hold ``target``.
        network: see :func:`roa_helpers.models.photo.build`; ``width`` is its factor.
        pretrained: network of torchvision that is taken with its ImageNet weights, where they can be loaded, and its
            target class and side of the images; None: ``network`` and ``trained_on``.
        copies: random crops of each training image, see :func:`roa_helpers.models.photo.cropped`.
        size: side of the photos in pixels.
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
    trained_on: str
    target: str
    network: str = "regnet_x_400mf"
    width: float = 1.0
    pretrained: tuple[str, str, int] | None = None
    size: int = 128
    copies: int = 4
    epochs: int = 12
    batch: int = 64
    learning_rate: float = 0.1
    weight_decay: float = 5e-4
    mixed: bool = True
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
        """What the name of the unit begins with: ``imagenette-segments``."""
        return stem(self.dataset, self.regions)


def _each_shape(**choices):
    return tuple(Localized(regions=regions, **choices) for regions in REGIONS)


_QUICK = _each_shape(
    dataset="photos", trained_on="photos", target="china", network="vgg16", width=0.125, mixed=False, size=96,
    copies=0, epochs=20, batch=16, learning_rate=0.02, photos=8, region_count=3, steps=40,
    patience=10, samples=150, spread_seeds=3, spread_examples=2, path_steps=8, noise_samples=8, shown=2,
)  # fmt: skip
_IMAGENETTE = {"dataset": "imagenette", "trained_on": "imagenette", "target": "garbage truck"}
_DESK = (
    Localized(**_IMAGENETTE, photos=44, region_count=4),
    *(Localized(**_IMAGENETTE, photos=44, region_count=4, regions=regions) for regions in list(REGIONS)[1:]),
)
_PAPER = _each_shape(**_IMAGENETTE, pretrained=("inception_v3", "wolf spider", 299), photos=160, epochs=40)

#: Which units a profile has.
UNITS = {"quick": _QUICK, "desk": _DESK, "paper": _PAPER}

#: Why each open choice is what it is; the book prints this beside the values.
REASONS = {
    "dataset": "the authors’ own photos, which no network had learnt, are not published; Imagenette’s are held out "
    "from networks trained here, but are ImageNet’s, so not from weights that come with it, and small for Inception",
    "photos": f"the paper: {PHOTOS}",
    "region_count": "most regions a photo; the paper: up to 10; fewer here, for the time that LIME takes",
    "network": "the paper’s is Inception v3 with ImageNet’s weights; where these cannot be loaded, a small network of "
    "torchvision",
    "copies": "random crops of each training image, where there are few",
    "target": "“wolf spider” with ImageNet’s classes; otherwise a class whose photos are left out (of your own photos "
    "none are)",
    "size": "of the photos at hand; quickshift’s kernel is scaled with it, so that superpixels have about the "
    "share of a photo that lime’s default gives at Inception’s 299 pixels (up to 1.6 times it)",
    "low": "“only a relatively small region”; the least share of the photo",
    "high": "the largest share of the photo",
    "scale": "of the segmentation; not stated",
    "sigma": "of the segmentation; not stated",
    "min_size": "of the segmentation, in pixels; not stated",
    "eps": "not stated; 1: the pixels of the region may take any value, as the paper’s constraint says",
    "step": "not stated",
    "steps": "“a certain number of iterations”, how many is not stated",
    "patience": "steps without progress after which an attack is given up",
    "samples": "lime’s default is 1000",
    "unions": "the paper’s",
    "path_steps": "of integrated gradients, which the paper does not use",
    "noise_samples": "of SmoothGrad, likewise",
    "noise_sd": "of SmoothGrad, likewise, as a share of the pixel range",
}
