"""Explanations: which pixels a model's answer rests on.

``cam`` holds Grad-CAM (``layers``: where it looks), ``gradients`` what is read off input gradients, ``relevance`` LRP
(``conservation``: whether it adds up), ``lime`` and ``superpixels`` LIME. ``graph`` reads autograd's graph for them.
Maps come back raw, signed where the method signs them; scaling and thresholds are the matter of ``regions``.
"""

from . import superpixels
from .cam import activations, capture, class_activation, grad_cam
from .gradients import class_score, guided_backprop, input_x_gradient, integrated_gradients, saliency, smooth_grad
from .layers import cam_layer
from .lime import LimeExplanation, batch_size, lime_image, partial_unions
from .relevance import lrp_epsilon

__all__ = [
    "LimeExplanation", "activations", "batch_size", "cam_layer", "capture", "class_activation", "class_score",
    "grad_cam", "guided_backprop", "input_x_gradient", "integrated_gradients", "lime_image", "lrp_epsilon",
    "partial_unions", "saliency", "smooth_grad", "superpixels",
]  # fmt: skip
