"""What regions look like where training or class cannot have put them: nulls of co-location, alignment, isolation.

Grad-CAM on 3×3 cells is smooth whatever the network has learnt, and images of a class are alike before any network sees
them. So the same statistics are taken of the same images' regions by untrained networks of the same architecture (the
model randomisation test of Adebayo et al., 2018), of a mixture with the other class, and of random maps as coarse as
the region's own.
"""

from dataclasses import fields

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F

from ... import explain, metrics, models, pipeline, regions
from ...pipeline import DEFINITIONS

#: Added to a unit's seed for the first untrained network, so that it is no network that was trained from the same one.
SEED_OFFSET = 10_000
#: The maps whose statistics are held against those of all others.
TRAINED = "trained"


def table(model, side, other, settings, choices, *, seed):
    """Statistics of the regions of one class by M and by each null, on the first ``choices.null_images`` images.

    Args:
        model: M.
        side, other: images of the class and of the other one, each a :class:`roa_helpers.pipeline.Scan`.
        settings: :class:`roa_helpers.pipeline.Setting` by definition.
        choices: :class:`.choices.RoiRoa`.
        seed: of all that is drawn.

    Returns:
        A row a definition, region (``roi``, ``roa``; ``both`` for the four parts), statistic (``moran``, the mean of
        Moran's I over images, 0 for a region that is empty or everything; ``alignment``,
        :func:`roa_helpers.metrics.alignment`; ``four``, the share of images in which no part is empty) and source of
        the maps (``trained``, ``untrained``, ``coarse``, ``other class``), with its number ``draw``: value, low, high
        (95 %, jackknife over images; Wilson for a share), n.
    """
    side, other = side[: choices.null_images], other[: choices.null_images]
    untrained = [_untrained(model, side, choices, seed=seed + SEED_OFFSET + k) for k in range(choices.untrained)]
    cells, rows = (_cells(model, side.x), side.x.shape[2:]), []
    for definition in DEFINITIONS:
        setting = settings[definition]
        found = pipeline.regions_of(side, setting, definition)
        sources = [(TRAINED, 0, found)]
        sources += [("untrained", k, pipeline.regions_of(s, setting, definition)) for k, s in enumerate(untrained)]
        drawn = [coarse(r, c, seed=seed + k) for k, (r, c) in enumerate(zip(found, cells, strict=True))]
        sources.append(("coarse", 0, drawn))
        mixed = [mixture(*pair) for pair in zip(found, pipeline.regions_of(other, setting, definition), strict=True)]
        for maps, draw, pair in sources:
            named = {"definition": definition, "maps": maps, "draw": draw}
            rows += [named | row for row in _statistics(*pair)]
        for region, stack in zip(("roi", "roa"), mixed, strict=True):
            named = {"definition": definition, "maps": "other class", "draw": 0, "region": region}
            rows.append(named | _alignment(stack.numpy()))
    return pd.DataFrame(rows)


def _untrained(model, side, choices, *, seed):
    """The images of ``side`` as an untrained network of M's architecture sees them."""
    network = models.vgg16(2, width=choices.width, seed=seed).to(next(model.parameters()).device)
    return pipeline.scan(network.eval(), side.x, side.y)


def _cells(model, x):
    """(h, w) of the maps that Grad-CAM looks at."""
    with models.frozen(model), explain.capture(explain.cam_layer(model, x[:1])) as seen, torch.no_grad():
        for (images,) in models.chunks(model, x[:1]):
            models.ask(model, images)
    return tuple(seen[0].shape[2:])


def coarse(masks, cells, *, seed):
    """Random regions of the same sizes: uniform noise on ``cells``, interpolated to the image, its highest pixels.

    Args:
        masks: (N, H, W) bool.     cells: (h, w); (H, W) itself gives pixels without any pattern.

    Returns:
        (N, H, W) bool, each with as many pixels as its mask.
    """
    noise = torch.rand((len(masks), 1, *cells), generator=torch.Generator().manual_seed(seed))
    graded = F.interpolate(noise, masks.shape[1:], mode="bilinear", align_corners=False).flatten(1)
    rank = graded.argsort(dim=1, descending=True, stable=True).argsort(dim=1)
    return (rank < masks.flatten(1).sum(1, keepdim=True)).reshape(masks.shape)


def mixture(own, other):
    """Half the regions of a class and half those of the other, as many as ``own`` has: (N, H, W) bool."""
    half = min(len(own) // 2, len(other))
    return torch.cat([own[: len(own) - half], other[:half]])


def _statistics(roi, roa):
    for region, stack in (("roi", roi.numpy()), ("roa", roa.numpy())):
        single = np.nan_to_num(metrics.morans_i(stack))
        others = (single.sum() - single) / max(1, len(single) - 1)
        interval = metrics.jackknife(single.mean(), others) if len(single) > 1 else (np.nan, np.nan)
        yield {"region": region, "statistic": "moran"} | _row(single.mean(), interval, len(single))
        yield {"region": region} | _alignment(stack)
    parts = regions.isolate(roi, roa)
    four = torch.stack([getattr(parts, f.name) for f in fields(parts)])
    hits = metrics.count(four.any(-1).any(-1).all(0))
    yield {"region": "both", "statistic": "four"} | _row(hits["k"] / hits["n"], metrics.wilson(**hits), hits["n"])


def _alignment(stack):
    return {"statistic": "alignment"} | _row(metrics.alignment(stack), metrics.alignment_interval(stack), len(stack))


def _row(value, interval, n):
    low, high = interval
    return {"value": value, "low": low, "high": high, "n": n}
