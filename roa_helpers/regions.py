"""Regions of importance and of attack, their isolation, class representatives, blobs, neutralisation.

Maps are (N, H, W) tensors; regions are boolean maps. Source: “Spatially Correlated Patterns in Adversarial
Images”, Sections II-D to III. :func:`attack_signs` and :func:`signed_blob` are another procedure, that of the pictures
which the authors published beside the paper.
"""

from dataclasses import dataclass

import torch

from . import checks


@dataclass(frozen=True)
class Regions:
    """Eq. (1) of the paper: four disjoint boolean maps that together cover the image.

    Attributes:
        uv: U+V+, useful and vulnerable: in the RoI and in the RoA.
        u_not_v: U+V−, in the RoI only.
        not_u_v: U−V+, in the RoA only: what is neutralised.
        not_u_not_v: U−V−, in neither.
    """

    uv: torch.Tensor
    u_not_v: torch.Tensor
    not_u_v: torch.Tensor
    not_u_not_v: torch.Tensor


def importance(cam):
    """A class activation map scaled to [0, 1] by its own maximum; a map of zeros stays as it is.

    Args:
        cam: (N, H, W), non-negative (:func:`.cam.grad_cam`).

    Returns:
        (N, H, W) in [0, 1].

    Raises:
        ValueError: a wrong shape or a negative value.
    """
    checks.maps(cam, name="cam")
    if not (cam >= 0).all():
        raise ValueError("cam must be non-negative")
    return _by_maximum(cam)


def attack_magnitude(x, x_adv):
    """How far each pixel was moved, as a share of how far it could have been.

    m(i) = ‖x_adv(i) − x(i)‖₂ / (√C · ‖x_adv − x‖∞), the norm over the C channels of pixel i. For FGSM every
    channel moves by ε, 0, or what clipping leaves, so m takes few values: √(moved channels / C) where nothing is
    clipped.

    Args:
        x: images (N, C, H, W) in [0, 1].
        x_adv: adversarial images of the same shape.

    Returns:
        (N, H, W) in [0, 1]; zero everywhere for an image that did not move.

    Raises:
        ValueError: a wrong shape or range.
    """
    difference = _difference(x, x_adv)
    largest = difference.abs().amax((1, 2, 3))[:, None, None] * x.shape[1] ** 0.5
    norm = torch.linalg.vector_norm(difference, dim=1)
    return torch.where(largest > 0, norm / largest, 0).clamp(max=1)


def gradient_magnitude(gradient):
    """The second definition of vulnerability: ‖∇ₓ L(i)‖₂ over channels, scaled to [0, 1] by its maximum.

    Not in the paper. FGSM keeps only signs, so its magnitude says little about where an attack matters; the
    gradient that it discards does.

    Args:
        gradient: (N, C, H, W), from :func:`.fgsm.loss_gradient`.

    Returns:
        (N, H, W) in [0, 1].
    """
    return _by_maximum(torch.linalg.vector_norm(gradient, dim=1))


def region_of_importance(cam, delta1):
    """Axiom 2.1: the pixels whose leverage on the true class, as Grad-CAM scaled to [0, 1], is at least δ1.

    Args:
        cam: (N, H, W), non-negative, not scaled.
        delta1: threshold in [0, 1].

    Returns:
        (N, H, W) bool.

    Raises:
        ValueError: a wrong shape or range.
    """
    return threshold(importance(cam), delta1)


def region_of_attack(x, x_adv, delta2):
    """Axiom 2.2 with Section II-E: the pixels that the attack altered, by L2 norm, by at least δ2.

    Differs from the paper by its scale: the norm is divided by the largest it could be (:func:`attack_magnitude`),
    so that δ2 means the same for every ε.

    Args:
        x: images (N, C, H, W) in [0, 1].
        x_adv: adversarial images of the same shape.
        delta2: threshold in [0, 1].

    Returns:
        (N, H, W) bool.

    Raises:
        ValueError: a wrong shape or range.
    """
    return threshold(attack_magnitude(x, x_adv), delta2)


def threshold(values, delta):
    """The pixels of (N, H, W) maps in [0, 1] that are at least ``delta`` in [0, 1]; δ = 0 takes every pixel."""
    checks.maps(values)
    checks.unit_interval(delta, name="threshold")
    if not ((values >= 0) & (values <= 1)).all():
        raise ValueError("maps must lie in [0, 1]")
    return values >= delta


def isolate(roi, roa):
    """Eq. (1): split the image into U+V+, U+V−, U−V+ and U−V−.

    Args:
        roi: region of importance, (N, H, W) bool.
        roa: region of attack, (N, H, W) bool.

    Returns:
        :class:`Regions`; every pixel is in exactly one of the four.

    Raises:
        ValueError: not boolean, or two shapes.
    """
    if roi.dtype != torch.bool or roa.dtype != torch.bool or roi.shape != roa.shape:
        raise ValueError(
            f"roi and roa must be bool tensors of one shape, got {roi.dtype} {tuple(roi.shape)}"
            f" and {roa.dtype} {tuple(roa.shape)}"
        )
    return Regions(roi & roa, roi & ~roa, ~roi & roa, ~roi & ~roa)


def representative(maps):
    """Section III: the maps of a class laid over each other, as their mean at each pixel.

    Args:
        maps: (N, H, W), boolean regions or graded maps; N > 0.

    Returns:
        (H, W) float32. For regions: the share of images whose region holds the pixel; their union is where it is > 0.

    Raises:
        ValueError: a wrong shape or no maps.
    """
    checks.maps(maps)
    if len(maps) == 0:
        raise ValueError("a representative needs at least one map")
    return maps.double().mean(0).float()


def blob(not_u_v_maps, theta):
    """Section III: the class-level U−V+, the pixels that lie in it in at least a share θ of the images.

    Args:
        not_u_v_maps: U−V+ of the images of one class, (N, H, W) bool; N > 0.
        theta: threshold in (0, 1].

    Returns:
        (H, W) bool.

    Raises:
        ValueError: a wrong shape or range, or no maps.
    """
    if not 0 < theta <= 1:
        raise ValueError(f"theta must lie in (0, 1], got {theta}")
    checks.maps(not_u_v_maps, name="not_u_v_maps")
    if not_u_v_maps.dtype != torch.bool or len(not_u_v_maps) == 0:
        raise ValueError("not_u_v_maps must be a bool tensor with at least one map")
    return not_u_v_maps.double().mean(0) >= theta


def attack_signs(x, x_adv):
    """The RoA of the authors' pictures: which way the attack moved each channel of each pixel, sign(x_adv − x).

    Args:
        x: images (N, C, H, W) in [0, 1].
        x_adv: adversarial images of the same shape.

    Returns:
        (N, C, H, W) int8, each −1, 0 or 1.

    Raises:
        ValueError: a wrong shape or range.
    """
    return _difference(x, x_adv).sign().to(torch.int8)


def signed_representative(signs):
    """The mean of a class's signed RoA at each entry; the authors' pictures show what is negative as black.

    Args:
        signs: (N, C, H, W), from :func:`attack_signs`; N > 0.

    Returns:
        (C, H, W) float32 in [−1, 1].

    Raises:
        ValueError: a wrong shape or no maps.
    """
    if not torch.is_tensor(signs) or signs.ndim != 4 or len(signs) == 0:
        raise ValueError(f"signs must be a tensor (N, C, H, W) with N > 0, got {getattr(signs, 'shape', type(signs))}")
    return signs.double().mean(0).float()


def signed_blob(signs, theta):
    """The blob of the authors' pictures: channel by channel, where the signed representative lies above θ.

    It is V+, not U−V+: the RoI has no part in it.

    Args:
        signs: (N, C, H, W), from :func:`attack_signs`; N > 0.
        theta: threshold in [0, 1).

    Returns:
        (C, H, W) bool.

    Raises:
        ValueError: a wrong shape or range, or no maps.
    """
    if not 0 <= theta < 1:
        raise ValueError(f"theta must lie in [0, 1), got {theta}")
    return signed_representative(signs) > theta


def neutralise(x, blob, value):
    """Section III: the images with every channel of the blob's pixels set to one value.

    Args:
        x: images (N, C, H, W) in [0, 1].
        blob: pixels to overwrite, (H, W) bool; or single channels of pixels, (C, H, W) bool.
        value: 0 or 1 in the paper; any number in [0, 1].

    Returns:
        (N, C, H, W), equal to ``x`` outside the blob.

    Raises:
        ValueError: a wrong shape or range.
    """
    checks.images(x)
    checks.unit_interval(value, name="value")
    if blob.dtype != torch.bool or blob.shape not in (x.shape[1:], x.shape[2:]):
        raise ValueError(
            f"blob must be a bool tensor {tuple(x.shape[2:])} or {tuple(x.shape[1:])}, got {blob.dtype}"
            f" {tuple(blob.shape)}"
        )
    return torch.where(blob, torch.as_tensor(value, dtype=x.dtype), x)


def _difference(x, x_adv):
    checks.images(x)
    checks.images(x_adv, name="x_adv")
    if x.shape != x_adv.shape:
        raise ValueError(f"x and x_adv must have one shape, got {tuple(x.shape)} and {tuple(x_adv.shape)}")
    return x_adv - x


def _by_maximum(values):
    largest = values.amax((1, 2), keepdim=True)
    return torch.where(largest == 0, 0, values / largest)
