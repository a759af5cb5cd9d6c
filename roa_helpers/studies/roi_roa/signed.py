"""The procedure of the authors' pictures on one direction: a signed RoA, channel by channel, whose blob is V+.

What the pictures show is read in the study ``forensics``. The paper's text describes another procedure; here the
published one is run on M, so that every number that the paper prints can be held against both.
"""

from dataclasses import asdict

import numpy as np
import torch

from ... import metrics, pipeline, regions
from ...pipeline import PUBLISHED
from . import colours


def measure(model, side, adv, held_out, setting):
    """One direction by the procedure of the pictures, on test images.

    Args:
        model: M.
        side: test images of the source class, a :class:`roa_helpers.pipeline.Scan`.
        adv: what :func:`roa_helpers.pipeline.scored` says of S_adv.
        held_out: validation images of the class, likewise a scan.
        setting: :class:`roa_helpers.pipeline.Setting`; θ is that of :func:`roa_helpers.regions.signed_blob`.

    Returns:
        (result block; maps by name: the signed representative and the blob, (C, H, W); hits, a column a score: those of
        ``compute.measure``, and ``mod, held out``, ``mod_adv, held out`` with the blob of validation images).
    """
    signs, heat = pipeline.signs(side, setting.eps), regions.importance(side.cam)
    blob = regions.signed_blob(signs, setting.theta)
    hits, probability = {"clean": side.hit, "adv": adv[0]}, {"clean": side.probability, "adv": adv[1]}
    for name, one in (("", blob), (", held out", pipeline.blob_of(held_out, setting, PUBLISHED))):
        modified = pipeline.neutralised(model, side, one, setting.value)
        mod_adv = pipeline.scored(model, pipeline.perturbed(modified, setting.eps), side.y)
        hits |= {f"mod{name}": modified.hit, f"mod_adv{name}": mod_adv[0]}
        probability |= {f"mod{name}": modified.probability, f"mod_adv{name}": mod_adv[1]}
    block = {
        "scores": {name: metrics.count(hit) for name, hit in hits.items()},
        "probability": {name: metrics.distribution(values) for name, values in probability.items()},
        "ssim": similarity(heat, signs),
        "blob": {"entries": int(blob.sum()), "share": pipeline.share(blob), "touched": pipeline.share(blob.any(0))},
        "parameters": asdict(setting),
    }
    maps = {"roa": regions.signed_representative(signs), "blob": blob}
    return block, maps, {name: hit.int().numpy() for name, hit in hits.items()}


def similarity(heat, signs):
    """Table I as the pictures suggest that it was computed.

    Individuals: the heat map in colours from 0 to 255 beside an RoA of zeros and ones, with data range 255
    (``individual``), and beside an RoA without a single entry (``zero``). Representatives: the mean heat map beside the
    mean signed RoA of each channel, with data range 2, as scikit-image takes it for numbers from −1 to 1; how the
    authors did that is not known.

    Args:
        heat: (N, H, W) in [0, 1].     signs: (N, 3, H, W), −1, 0 or 1.

    Returns:
        dict: ``individual`` and ``zero`` (:func:`roa_helpers.metrics.distribution`), ``representative``,
        ``representative_interval`` (jackknife over images).
    """
    levels = (heat * 255).round().to(torch.int64).numpy()
    colour = np.moveaxis(colours.exchanged()[levels] / 255, -1, 1)
    ones = (signs > 0).numpy() / 255
    n, interval = len(heat), (np.nan, np.nan)
    stacks = heat[:, None].expand(signs.shape).double(), signs.double()
    total = [stack.sum(0, keepdim=True) for stack in stacks]
    whole = _representatives(*(t / n for t in total))[0]
    if n > 1:
        without = ((t - stack) / (n - 1) for t, stack in zip(total, stacks, strict=True))
        interval = metrics.jackknife(whole, _representatives(*without))
    return {
        "individual": metrics.distribution(metrics.ssim(colour, ones)),
        "zero": metrics.distribution(metrics.ssim(colour, np.zeros_like(ones))),
        "representative": float(whole), "representative_interval": interval,
    }  # fmt: skip


def _representatives(heat, signs):
    return metrics.ssim(heat.numpy(), signs.numpy(), low=-1)
