"""Networks: built, trained, kept as checkpoints, asked. All take images in [0, 1], normalise inside, return logits.

``vgg``, ``squeeze``, ``small``, ``resnet`` and ``lite`` build them, of what ``building`` holds; ``weights`` finds
ImageNet's weights, ``photo`` hands out whole networks that have them, ``training`` trains, ``inference`` asks
(predictions and input gradients), ``wrappers`` finds the network inside what stands around it, ``devices`` says on
what.
"""

from . import photo, resnet, small, weights
from .devices import device, device_name, has_bfloat16, keep_memory, use_threads
from .inference import CHUNK, ask, chunks, correct, frozen, gradient, input_gradient, predict
from .lite import efficientnet_lite0, lite0_imagenet
from .squeeze import squeezenet, squeezenet_imagenet
from .training import Trained, Training, fit
from .vgg import Classifier, load_imagenet_features, plain_vgg16, vgg16
from .wrappers import eager, unwrapped

__all__ = [
    "CHUNK", "Classifier", "Trained", "Training", "ask", "chunks", "correct", "device", "device_name", "eager",
    "efficientnet_lite0", "fit", "frozen", "gradient", "has_bfloat16", "input_gradient", "keep_memory",
    "lite0_imagenet", "load_imagenet_features", "photo", "plain_vgg16", "predict", "resnet", "small", "squeezenet",
    "squeezenet_imagenet", "unwrapped", "use_threads", "vgg16", "weights",
]  # fmt: skip
