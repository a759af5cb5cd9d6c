"""Algorithm 1 and what its directions do: boundary points, curvature three ways, class scores along a direction."""

import copy

import numpy as np
import pandas as pd
import torch

from ... import attacks, geometry
from ...errors import UserError
from ...models import small
from . import lines

#: Kinds of directions: most positive, most negative, least curved, and drawn at random.
KINDS = ("positive", "negative", "flat", "random")
#: The methods that take differences of logits, and by what their step is multiplied.
STEPS = {"differences": 1.0, "fine": 0.1}
#: Eigenvalues below this share of the largest count as zero where a method gives no full basis.
ZERO = 1e-6


def boundary(model, images, predicted, c, count, choices, *, seed):
    """Images of other classes carried to the boundary of class ``c``: Algorithm 1, first part.

    Returns:
        dict with ``points`` (n, C, H, W), ``pairs`` (n, 2) of classes (c, the one beside it there), ``norms`` and
        ``gaps`` F_c − F_ĉ (n,), and ``tried``, of which n arrived.
    """
    others = (predicted != c).nonzero()[:, 0]
    generator = torch.Generator().manual_seed(1000 * seed + c)
    rows = others[torch.randperm(len(others), generator=generator)[:count]]
    target = torch.full((len(rows),), c, dtype=torch.int64)
    found = attacks.deepfool(
        model, images[rows], target=target, steps=choices.deepfool_steps, overshoot=choices.overshoot,
        tolerance=1e-3, clip=False,
    )  # fmt: skip
    there = found.success
    return {"points": found.x_adv[there], "pairs": torch.stack([found.far, found.near], 1)[there],
            "norms": found.norms[there], "gaps": found.margin[there], "tried": len(rows)}  # fmt: skip


def curvatures(method, model, found, count, choices):
    """Principal curvatures of one class by one method, on the first ``count`` boundary points.

    Returns:
        (:class:`roa_helpers.geometry.Curvatures`, report: n, asymmetry, single, norm; NaN where it does not apply).
    """
    points, pairs = found["points"][:count], found["pairs"][:count]
    report = {"n": len(points), "step": np.nan, "asymmetry": 0.0, "single": 0.0, "norm": np.nan}
    if method in STEPS:
        step = STEPS[method] * choices.step * float(found["norms"].mean())
        hessian = geometry.mean_hessian(model, points, pair=pairs, step=step)
        report |= {"step": step, "asymmetry": hessian.asymmetry, "single": hessian.single, "norm": hessian.norm}
        return geometry.principal_curvatures(hessian.matrix), report
    if method == "softmax":
        return geometry.softmax_curvatures(model, points, pair=pairs), report
    twin = small.smooth_twin(model, sharpness=choices.sharpness)
    found = geometry.extreme_curvatures(
        lambda v: geometry.exact_product(twin, points, v, pair=pairs), points[0].numel(), count=choices.lanczos
    )
    return found, report


def extremes(found, count, *, seed):
    """The ``count`` most curved directions of each sign, and as many flat ones.

    Where not all eigenvectors are known, flat ones are drawn at random from the complement of the curved ones, which
    have no curvature (closed form) or less than those found (Lanczos).

    Returns:
        dict with ``values_positive``, ``values_negative`` (P,), ``positive``, ``negative`` (D, P), ``flat`` (D, P'),
        float32; P is at most ``count`` and the number of eigenvalues of either sign.

    Raises:
        UserError: curvature of one sign alone, as where the network separates the images without a doubt.
    """
    values, vectors = found.values, found.vectors
    size = len(vectors)
    curved = values.abs() > ZERO * values.abs().max()
    places = min(count, int((curved & (values > 0)).sum()), int((curved & (values < 0)).sum()))
    if not places:
        raise UserError(
            "the curvature around the images of a class has one sign alone, so there are no two sides to compare\n"
            "  give more images, or classes that are harder to tell apart"
        )
    if vectors.shape[1] == size:
        flat = vectors[:, values.abs().argsort()[:count]]
    else:
        generator = torch.Generator().manual_seed(seed)
        known = vectors[:, curved]
        free = min(count, size - known.shape[1])
        drawn = torch.randn(size, free, generator=generator, dtype=vectors.dtype)
        flat = torch.linalg.qr(drawn - known @ (known.T @ drawn))[0]
    return {
        "values_positive": values[:places].float(), "values_negative": values.flip(0)[:places].float(),
        "positive": vectors[:, :places].float(), "negative": vectors.flip(1)[:, :places].float(), "flat": flat.float(),
    }  # fmt: skip


def halves(method, model, found, most, choices, *, seed):
    """What two sets of boundary points of one class agree on, by the number of points.

    The points are dealt at random into two halves. The ``choices.energy`` most positive and as many most negative
    directions of the first m points of each span a subspace, m = 1, 2, 4, … and ``most``, at most half of the points.

    Args:
        method, model, found, choices: as for :func:`curvatures`; the step is that of all points.
        most: points in a half.

    Returns:
        A list of dicts: points m, dimension, overlap (:func:`roa_helpers.geometry.overlap`), expected (of two random
        subspaces). No row where a half has fewer such directions of a sign.
    """
    most = min(most, len(found["points"]) // 2)
    order = torch.randperm(len(found["points"]), generator=torch.Generator().manual_seed(seed))
    rows = []
    for m in sorted({*(2**k for k in range(most.bit_length())), most} - {0}):
        bases = []
        for half in (order[:m], order[most : most + m]):
            part = {"points": found["points"][half], "pairs": found["pairs"][half], "norms": found["norms"]}
            bases.append(_leading(curvatures(method, model, part, m, choices)[0], choices.energy))
        if all(basis is not None for basis in bases):
            size, dimension = bases[0].shape
            rows.append({"points": m, "dimension": dimension, "overlap": geometry.overlap(*bases),
                         "expected": dimension / size})  # fmt: skip
    return rows


def _leading(found, count):
    """The ``count`` most positive and as many most negative directions, (D, 2 · count); None where there are fewer."""
    curved = found.values.abs() > ZERO * found.values.abs().max()
    fewest = min(int((curved & (found.values > 0)).sum()), int((curved & (found.values < 0)).sum()))
    return None if fewest < count else torch.cat([found.vectors[:, :count], found.vectors[:, -count:]], 1)


def spaces(parts, *, seed):
    """Section 4.2: nested subspaces of the directions of all classes.

    Args:
        parts: for each class, what :func:`extremes` returns.

    Returns:
        dict: ``positive``, ``negative``, ``both`` (their union), ``flat``, ``random`` →
        :class:`roa_helpers.geometry.Nested`; a step of ``random`` has as many dimensions as one of ``positive``.
    """
    stacks = {}
    for kind in ("positive", "negative", "flat"):
        places = min(part[kind].shape[1] for part in parts)
        stacks[kind] = torch.stack([part[kind][:, :places] for part in parts])
    both = min(stacks["positive"].shape[2], stacks["negative"].shape[2])
    stacks["both"] = torch.cat([stacks["positive"][..., :both], stacks["negative"][..., :both]])
    found = {kind: geometry.nested(stack) for kind, stack in stacks.items()}
    size = len(found["both"].basis)
    drawn = torch.randn(size, found["both"].counts[-1], generator=torch.Generator().manual_seed(seed))
    counts = tuple(min(drawn.shape[1], len(parts) * d) for d in range(-(-drawn.shape[1] // len(parts)) + 1))
    return found | {"random": geometry.Nested(torch.linalg.qr(drawn)[0], counts)}


def step_study(model, found, choices, *, seed):
    """How asymmetric, and how large, the difference Hessian is at each step, in double precision.

    On ``choices.block`` orthonormal directions drawn at random, for logits and softmax scores of the network and for
    the logits of its smooth twin. The twin's is held against its exact Hessian, that of the softmax scores against the
    closed form.

    Returns:
        DataFrame: quantity (``logits``, ``softmax``, ``twin``), share (of the distance to the boundary), step,
        asymmetry, single, norm, error (relative, Frobenius; NaN for logits, whose exact Hessian is zero), n.
    """
    double = copy.deepcopy(model).double()
    twin = small.smooth_twin(double, sharpness=choices.sharpness)
    points, pairs = found["points"].double(), found["pairs"]
    size = points[0].numel()
    drawn = torch.randn(size, min(choices.block, size), generator=torch.Generator().manual_seed(seed))
    basis = torch.linalg.qr(drawn.double())[0]
    softmax = geometry.softmax_curvatures(double, points, pair=pairs)
    half = basis.T @ softmax.vectors
    exact = torch.stack([geometry.exact_product(twin, points, v, pair=pairs) for v in basis.T], 1)
    reference = {"softmax": (half * softmax.values) @ half.T, "twin": basis.T @ exact}
    rows = []
    for share in choices.steps:
        step = share * float(found["norms"].mean())
        for quantity in ("logits", "softmax", "twin"):
            of, network = ("softmax", double) if quantity == "softmax" else ("logits", double)
            network = twin if quantity == "twin" else network
            hessian = geometry.mean_hessian(network, points, pair=pairs, step=step, of=of, basis=basis)
            known = reference.get(quantity)
            error = np.nan if known is None else float((hessian.matrix - known).norm() / known.norm())
            rows.append({"quantity": quantity, "share": share, "step": step, "asymmetry": hessian.asymmetry,
                         "single": hessian.single, "norm": hessian.norm, "error": error, "n": len(points)})  # fmt: skip
    return pd.DataFrame(rows)


def exact_norm(model, found, *, seed):
    """‖H v‖ for the exact mean Hessian of the logits and three random v: 0 for a piecewise linear network."""
    size = found["points"][0].numel()
    drawn = torch.randn(3, size, generator=torch.Generator().manual_seed(seed))
    return max(float(geometry.exact_product(model, found["points"], v, pair=found["pairs"]).norm()) for v in drawn)


def along(model, images, direction, positions):
    """Logits (N, S, K) at x + s · d for each image and position s; nothing is clipped."""
    moves = torch.as_tensor(positions, dtype=images.dtype)[:, None, None, None] * direction.reshape(images.shape[1:])
    return torch.stack([geometry.scores(model, image + moves) for image in images])


def population(logits, predicted, c, positions):
    """Fig. 2: statistics over images of the scores along one direction of class ``c``.

    Args:
        logits: (N, S, K).     predicted: (N,), classes predicted at s = 0.

    Returns:
        DataFrame, a row a position: 30th, 50th and 70th percentile of the score of c and of the best other; ``moved``
        of ``others`` images not predicted as c at s = 0 that are; the median softmax score of c among these; ``kept``
        of ``own`` images predicted as c at s = 0 that still are.
    """
    score = logits[..., c].numpy()
    rest = torch.cat([logits[..., :c], logits[..., c + 1 :]], -1).amax(-1).numpy()
    inside = (logits.argmax(-1) == c).numpy()
    softmax = logits.double().softmax(-1)[..., c].numpy()
    own = (predicted == c).numpy()
    table = {"s": positions}
    for name, values in (("target", score), ("other", rest)):
        table |= {f"{name}_{q}": np.percentile(values, q, axis=0) for q in (30, 50, 70)}
    table |= {"moved": inside[~own].sum(0), "others": int((~own).sum()), "kept": inside[own].sum(0),
              "own": int(own.sum()), "softmax": np.median(softmax[~own], axis=0)}  # fmt: skip
    return pd.DataFrame(table)


def shapes(logits, c, *, rising):
    """The three measures of :mod:`.lines` for the score of class ``c``: medians over images, and one."""
    score = logits[..., c].double().numpy()
    return {"odd": float(np.nanmedian(lines.odd_share(score)[0])),
            "backward": float(np.nanmedian(lines.backward_share(score, rising=rising))),
            "interaction": lines.interaction_share(score)}  # fmt: skip
