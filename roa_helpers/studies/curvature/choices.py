"""Choices of the study ``curvature``, of each profile, and the reasons for those that the paper leaves open."""

from dataclasses import dataclass

from ...data import KNOWN
from ...records import stem

#: Networks that come with ImageNet's weights: what torchvision calls them. Those of ``TRAINED_INSTEAD`` are trained by
#: the builder named there where their weights cannot be had; the others are then left out.
PRETRAINED = {"imagenet-alexnet": "alexnet", "imagenet-squeezenet": "squeezenet1_1"}
TRAINED_INSTEAD = {"imagenet-alexnet": "alexnet"}
#: Side in pixels of images that are no known data set's, whose sides may differ.
OWN_SIDE = 32
#: The factors by which Table 1 scales perturbations.
FACTORS = (1, 2, 3, 4, 5, 10)
#: Most steps of DeepFool confined to a subspace.
CONFINED_STEPS = 20
#: The sides of Table 1 as shares of the original one: 227, 200, 150, 120 and 100 of 227 pixels.
SHARES = (1.0, 0.881, 0.661, 0.529, 0.441)


@dataclass(frozen=True, kw_only=True)
class Curvature:
    """One network on one data set. Images a class are upper limits (None: all there are).

    Attributes:
        size: side of the images; None: as they are, or ``OWN_SIDE`` for images that are no known data set's.
        network: one of ``models.small.BUILDERS`` or of ``PRETRAINED``.
        most_seeds: how many of the profile's seeds are run; a network that is not trained here needs one.
        methods: how curvature is measured, the first one for all figures: ``differences`` (of the logits' gradients,
            Algorithm 1), ``fine`` (the same with a tenth of the step), ``softmax`` (closed form), ``twin`` (exact
            second derivatives of a smooth twin, by Lanczos).
        boundary: images a class that are carried to the boundary, for each method.
        step: of the differences, as a share of the mean distance between image and boundary.
        steps: the shares that the step study tries.
        block: orthonormal directions, drawn at random, on which it compares Hessians with their transposes.
        sharpness: β of the smooth twin.
        extremes: most curved directions of each sign and class that are kept; None: until they span the space.
        evaluated: test images, of all classes, that are projected, shifted and attacked.
        lined: test images that are moved along directions.     positions: number of steps s there, odd.
        reach: how far, as a multiple of the mean distance to the boundary; at most the mean norm of images.
        ranks: points on the axis of the number of directions.
        candidates: DeepFool without a target looks at so many of the strongest classes; None: at all.
        halved: classes whose boundary points are dealt into two halves, to see what these agree on.
        halves: most points in a half, for each method.
        stacked: training images whose DeepFool perturbations give the singular vectors.
        complete: whether singular vectors are completed to a basis of image space.
        confined: test images that are attacked inside subspaces.     spans: how many subspaces of each order.
        radius: of the universal perturbation, as a multiple of the mean DeepFool norm; at most .6 of the mean norm of
            images.
        bridged: test images a class whose regions are compared with the subspace.     energy: directions a class in it.
        eps: of FGSM, for the retained norm and the RoA.
    """

    dataset: str
    network: str
    size: int | None = None
    most_seeds: int | None = None
    train: int | None = None
    val: int | None = None
    test: int | None = None
    width: float = 1.0
    epochs: int = 10
    batch: int = 32
    learning_rate: float = 0.02
    weight_decay: float = 5e-4
    augment: bool = False
    mixed: bool = False
    methods: tuple[str, ...] = ("differences", "fine", "softmax", "twin")
    boundary: tuple[int, ...] = (16, 8, 16, 8)
    step: float = 1.0
    steps: tuple[float, ...] = (1e-4, 1e-3, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0)
    block: int = 48
    sharpness: float = 10.0
    halved: int = 3
    halves: tuple[int, ...] = (8, 4, 8, 4)
    extremes: int | None = None
    lanczos: int = 12
    evaluated: int = 300
    lined: int = 100
    reach: float = 10.0
    positions: int = 25
    ranks: int = 14
    stacked: int = 1000
    complete: bool = True
    confined: int = 64
    spans: int = 6
    deepfool_steps: int = 50
    overshoot: float = 0.02
    candidates: int | None = None
    radius: float = 10.0
    epochs_universal: int = 5
    bridged: int = 20
    energy: int = 5
    eps: float = 0.1
    delta1: float = 0.3
    delta2: float = 0.5
    delta2_gradient: float = 0.1

    def __post_init__(self):
        if self.size is None and self.dataset not in KNOWN:
            object.__setattr__(self, "size", OWN_SIDE)

    @property
    def name(self):
        """Name of the unit's folder, less the seed: ``mnist-lenet``."""
        return stem(self.dataset, self.network)


_QUICK = (
    Curvature(
        dataset="digits", network="lenet", width=0.5, epochs=12, batch=16, boundary=(16, 16, 16, 6), block=64,
        halves=(8, 8, 8, 3), lanczos=6, evaluated=200, lined=60, positions=17, ranks=8, stacked=300, confined=32,
        spans=5, bridged=12, energy=2,
    ),
)  # fmt: skip
_DESK = (
    Curvature(
        dataset="mnist", network="lenet", train=1000, val=100, epochs=6, mixed=True, boundary=(20, 10, 60, 8),
        halves=(16, 8, 30, 4),
    ),
    Curvature(
        dataset="cifar10", network="nin", width=0.375, epochs=16, augment=True, mixed=True, test=200, eps=0.03,
        methods=("differences", "softmax", "twin"), boundary=(6, 60, 4), halves=(3, 30, 2), halved=2, block=24,
        extremes=60, evaluated=150, lined=40, positions=17, stacked=600, confined=16, spans=4, epochs_universal=3,
        bridged=15,
    ),
    Curvature(
        dataset="cifar10", network="alexnet", width=0.25, epochs=24, augment=True, mixed=True, test=200, eps=0.03,
        methods=("differences", "softmax", "twin"), boundary=(10, 60, 6), halves=(8, 30, 3), halved=2, block=24,
        evaluated=200, positions=21, stacked=1000, confined=32, spans=4, bridged=15,
    ),
    Curvature(
        dataset="cifar100", network="alexnet", width=0.25, epochs=30, augment=True, mixed=True, eps=0.03, most_seeds=1,
        methods=("softmax", "twin"), boundary=(8, 2), halves=(4, 1), block=24, lanczos=4, candidates=10, evaluated=150,
        lined=20, positions=13, stacked=600, confined=8, spans=3, epochs_universal=2, bridged=4, energy=2,
    ),
    Curvature(
        dataset="imagenette", network="imagenet-squeezenet", size=128, train=60, val=2, test=100, eps=0.01,
        most_seeds=1, methods=("softmax", "twin"), boundary=(20, 2), halves=(10, 1), block=12,
        steps=(1e-3, 0.01, 0.1, 1.0), lanczos=4, extremes=20, evaluated=80, lined=20, positions=13, ranks=9,
        stacked=100, complete=False, confined=8, spans=3, epochs_universal=2, bridged=8, energy=4,
    ),
)  # fmt: skip
_LARGE = {"evaluated": 2000, "lined": 500, "positions": 41, "ranks": 20, "confined": 200, "spans": 10, "bridged": 50,
          "augment": True, "mixed": True}  # fmt: skip
_ALL = {"boundary": (100, 100, 200, 50), "halves": (50, 50, 100, 25), "block": 128, "lanczos": 40}
_PAPER = (
    Curvature(dataset="mnist", network="lenet", epochs=12, stacked=5000, **_ALL, **_LARGE | {"augment": False}),
    Curvature(dataset="cifar10", network="nin", epochs=60, batch=64, stacked=10000, eps=0.03, **_ALL, **_LARGE),
    Curvature(dataset="cifar10", network="alexnet", epochs=60, batch=64, stacked=10000, eps=0.03, **_ALL, **_LARGE),
    Curvature(
        dataset="cifar100", network="alexnet", epochs=90, batch=64, stacked=10000, eps=0.03, block=128, lanczos=10,
        methods=("differences", "softmax", "twin"), boundary=(30, 30, 10), halves=(15, 15, 5), candidates=10,
        **_LARGE,
    ),
    Curvature(
        dataset="imagenette", network="imagenet-alexnet", size=224, epochs=60, batch=64, stacked=1000, complete=False,
        eps=0.01, methods=("softmax", "twin"), boundary=(40, 10), halves=(20, 5), block=64, lanczos=20, extremes=100,
        **_LARGE,
    ),
)  # fmt: skip

#: Which units a profile has.
UNITS = {"quick": _QUICK, "desk": _DESK, "paper": _PAPER}
#: Networks of each profile that is not run with one seed.
SEEDS = {"desk": (0, 1, 2)}

#: Why each open choice is what it is; the book prints this beside the values.
REASONS = {
    "step": "not stated; as far as the boundary is away, the scale on which the directions are used afterwards; the "
    "step study shows others",
    "methods": "the paper does not say how second derivatives of a piecewise linear network are had; two definitions "
    "that need no step stand beside differences",
    "boundary": "for each definition; the paper takes all images; here as many as the time allows",
    "halves": "for each definition; of the points that were carried to the boundary, as many as the time allows",
    "candidates": "all classes where there are ten; ten of a hundred, as many as DeepFool’s authors take of ImageNet’s "
    "thousand",
    "sharpness": "softplus(β x) / β; the larger, the nearer to the network: on CIFAR-10 the twin agrees with it on "
    "about four images in five",
    "overshoot": "the value of DeepFool’s authors",
    "deepfool_steps": "as DeepFool’s authors; few images need more than five",
    "radius": "universal perturbations are many times as long as single ones (in their authors’ ℓ2 experiments, too)",
    "reach": "not stated; the range over which the second-order picture of the boundary can be expected to say "
    "anything",
    "eps": "FGSM’s step; the share of its norm in a subspace hardly depends on it",
    "energy": "the most positively curved directions of each class that make the subspace of the bridge",
    "delta1": "the value that the tuning of the book’s paper tries first",
    "delta2": "likewise",
    "delta2_gradient": "likewise, for the RoA by gradient magnitude",
    "width": "of the layers; the desk profile trades width for time",
    "epochs": "not stated; until validation accuracy levels off",
    "learning_rate": "not stated",
}
