"""How finished units of this study are read and named. Needs no torch."""

from ...data import title_of
from .choices import IMAGENET, PRETRAINED, SCRATCH
from .published import CLASSES

INITIALISATION = {SCRATCH: "from scratch", PRETRAINED: "pre-trained", IMAGENET: "ImageNet weights"}
#: The attackers of the study.
ATTACKERS = {
    "clean": "no attack", "unaware_one": "FGSM on the network alone", "fixed": "FGSM through the blur, mask fixed",
    "unaware_many": "BIM on the network alone", "recomputed": "BIM through the blur, mask computed anew",
    "explainer": "BIM on the network that explains", "worst": "any of these attacks",
}  # fmt: skip


def named(unit):
    """A unit, whatever its seed, in words: ``CIFAR-10, 3 classes, pre-trained``, and whether no channel is left out."""
    result = unit.result
    start = INITIALISATION[result["model"]["initialisation"]]
    width = ", full width" if result["parameters"]["choices"]["width"] == 1 else ""
    return f"{title_of(result['dataset'])}, {len(result['classes'])} classes, {start}{width}"


def has_printed(unit):
    """Whether the thesis prints numbers for a unit's classes."""
    return unit.result["dataset"] == "cifar10" and len(unit.result["classes"]) == CLASSES


def network(unit):
    """The architecture in words."""
    choices = unit.result["parameters"]["choices"]
    blocks, width = tuple(choices["blocks"]), choices["width"]
    name = "ResNet-50" if blocks == (3, 4, 6, 3) else f"bottlenecks {'-'.join(map(str, blocks))}"
    return name if width == 1 else f"{name}, {width:g} of the channels"
