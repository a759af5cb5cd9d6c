"""Networks: built, trained, kept as checkpoints, asked. All take images in [0, 1], normalise inside, return logits.

``vgg``, ``small``, ``resnet`` and ``photo`` build them, ``weights`` finds ImageNet's weights, ``training`` trains,
``inference`` asks (predictions and input gradients), ``devices`` says on what.
"""

from . import photo, resnet, small
from .devices import device, device_name, has_bfloat16, use_threads
from .inference import CHUNK, chunks, correct, frozen, input_gradient, predict
from .training import Trained, Training, fit
from .vgg import Classifier, load_imagenet_features, vgg16

__all__ = [
    "CHUNK", "Classifier", "Trained", "Training", "chunks", "correct", "device", "device_name", "fit", "frozen",
    "has_bfloat16", "input_gradient", "load_imagenet_features", "photo", "predict", "resnet", "small", "use_threads",
    "vgg16",
]  # fmt: skip
