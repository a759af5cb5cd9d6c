"""torchvision, also beside a torch it was not built for.

A torchvision wheel built for CUDA beside a CPU build of torch cannot load its compiled operators, and its
import then fails while registering the shape rule of ``nms``. Declaring the two missing operators is enough:
nothing here calls them. On matched builds the operators exist already and nothing is declared.
"""

import importlib.util
from pathlib import Path

import torch

_declared = None


def _declare_missing_operators():
    global _declared
    spec = importlib.util.find_spec("torchvision")
    if spec is None:
        return
    for library in Path(spec.origin).parent.glob("_C*.so"):
        try:
            torch.ops.load_library(library)
            return
        except OSError:
            continue
    _declared = torch.library.Library("torchvision", "FRAGMENT")
    _declared.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    _declared.define("qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")


_declare_missing_operators()

import torchvision  # noqa: E402

__all__ = ["torchvision"]
