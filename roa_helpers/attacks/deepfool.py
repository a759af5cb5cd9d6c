"""DeepFool, and the universal perturbation that its steps add up to.

Every model here returns logits (N, K) for images (N, C, H, W) in [0, 1]; its mode, its parameters and their gradient
flags are left as they were. Both functions are also names of :mod:`roa_helpers.attacks`.
"""

import logging
import math
from dataclasses import dataclass, fields

import torch

from .. import checks, models

log = logging.getLogger(__name__)

_ROUNDS = 60  # of the search along a segment: enough for halving alone to use up double precision


@dataclass(frozen=True)
class Fooled:
    """What :func:`deepfool` found, a row for each image.

    Attributes:
        x_adv: (N, C, H, W); the image itself where it is excluded, the last try where there is no success.
        norms: ‖x_adv − x‖₂, (N,).
        steps: linear steps taken, (N,), int64.
        success: whether x_adv lies behind the boundary, (N,) bool: ``margin`` > 0 and not excluded.
        excluded: (N,) bool, images that were not attacked.
        predicted: class of the clean image, (N,), int64.
        far: the class behind the boundary: the target, or the strongest class but ``predicted``, (N,), int64.
        near: the class before it: ``predicted``, or, towards a target, the strongest class but that, (N,), int64.
        margin: F_far − F_near at x_adv, (N,): 0 on the boundary.
    """

    x_adv: torch.Tensor
    norms: torch.Tensor
    steps: torch.Tensor
    success: torch.Tensor
    excluded: torch.Tensor
    predicted: torch.Tensor
    far: torch.Tensor
    near: torch.Tensor
    margin: torch.Tensor


def deepfool(
    model,
    x,
    *,
    steps,
    overshoot,
    y=None,
    target=None,
    subspace=None,
    candidates=None,
    tolerance=None,
    clip=True,
    batch=models.CHUNK,
):
    """Shortest way across a decision boundary, by repeated linearisation.

    Moosavi-Dezfooli et al. (2016), Algorithm 2, ℓ2. With p the prediction at x and r⁰ = 0, each step linearises at
    x + rᵗ:  w_k = ∇F_k − ∇F_p,  a_k = abs(F_k − F_p),  l = argmin_k a_k / ‖w_k‖,  rᵗ⁺¹ = rᵗ + a_l / ‖w_l‖² · w_l,
    until x + (1 + overshoot) · rᵗ⁺¹ is of another class than p. The overshoot scales the sum once; it is never
    part of the points at which the model is linearised. (The paper looks for the change of class without the
    overshoot, which steps that come to the boundary from one side never see.)

    With ``target`` c there is one difference, F_c − F_j, with j the strongest class but c at x + rᵗ, until c is
    predicted: the boundary between c and all other classes, as Algorithm 1 of Jetley et al. (2018) asks for.

    With ``subspace`` Q each w_k is replaced by Q Qᵀ w_k before the linear problem is solved, hence also in the norms
    (Jetley et al., Section 4.3): r stays in the span of Q.

    With ``clip`` x + r is clipped to [0, 1] after each step and once more after the overshoot, and r is what is left
    of it. That is no part of either paper; in a subspace, what is clipped leaves the span. Without it x_adv may
    leave [0, 1].

    With ``tolerance`` a success is taken back along the segment from x to x_adv to where 0 < margin ≤ tolerance, by
    false position and halving in turn. Where rounding of the logits leaves no such point, ``margin`` stays larger.

    Args:
        model: returns logits (N, K) for images in [0, 1].
        x: images (N, C, H, W) in [0, 1].
        steps: most linear steps, ≥ 0.
        overshoot: η ≥ 0. With 0, rounding decides on which side of the boundary the last point falls.
        y: labels (N,), int64; images that the model gets wrong are excluded (None: none is).
        target: classes to reach, (N,), int64; images already predicted so are excluded (None: any other class).
        subspace: (d, k), d = C · H · W, orthonormal columns (None: all of image space).
        candidates: look only at this many classes, the strongest at x, p among them; ≥ 2 (None: all).
        tolerance: > 0, in units of the logits (None: stay where the overshoot leads).
        clip: whether to keep x_adv in [0, 1].
        batch: images attacked together; those that are done leave.

    Returns:
        :class:`Fooled`, on the device of ``x``. An image without success ran out of steps or has no gradient.

    Raises:
        ValueError: a wrong shape, type or range, a basis that is not orthonormal, ``candidates`` with ``target``.
    """
    checks.images(x)
    check_search(steps, overshoot, candidates, batch)
    if tolerance is not None and not 0 < tolerance < math.inf:
        raise ValueError(f"tolerance must be positive and finite, got {tolerance}")
    if candidates is not None and target is not None:
        raise ValueError("candidates are for attacks without a target; towards one, two classes count")
    if subspace is not None:
        _check_basis(subspace, x[0].numel())
    given = {name: values for name, values in (("y", y), ("target", target)) if values is not None}
    options = {"steps": steps, "overshoot": overshoot, "candidates": candidates, "tolerance": tolerance, "clip": clip}
    parts = []
    with models.frozen(model):
        for images, *rows in models.chunks(model, x.detach(), *given.values(), size=batch):
            basis = None if subspace is None else subspace.to(images)
            parts.append(cross(model, images, **dict(zip(given, rows, strict=True)), basis=basis, **options))
    return Fooled(**{f.name: torch.cat([getattr(p, f.name) for p in parts]).to(x.device) for f in fields(Fooled)})


def cross(
    model, x, y=None, target=None, basis=None, *, steps, overshoot, candidates=None, tolerance=None, clip
) -> Fooled:
    """:func:`deepfool` for one batch on the device of a frozen model."""
    search = _Search(model, x, target)
    excluded = torch.zeros_like(search.predicted, dtype=torch.bool) if target is None else search.predicted == target
    if y is not None:
        checks.labels(y, search.logits)
        excluded = excluded | (search.predicted != y)
    own = search.predicted[:, None]
    count = search.logits.shape[1] if candidates is None else min(candidates, search.logits.shape[1])
    rivals = search.logits.scatter(1, own, -math.inf).topk(count - 1).indices
    taken = torch.zeros_like(search.predicted)
    r = torch.zeros_like(x)
    active = (~excluded).nonzero()[:, 0]
    for _ in range(steps):
        if not len(active):
            break
        step, movable = _linear_step(search, active, r[active], rivals, basis)
        active, step = active[movable], step[movable]
        r[active] += step
        if clip:
            r[active] = placed(x[active], r[active], clip) - x[active]
        taken[active] += 1
        points = placed(x[active], (1 + overshoot) * r[active], clip)
        search.keep(active, points, *search.look(active, points))
        active = active[search.margin[active] <= 0]
    success = (search.margin > 0) & ~excluded
    if tolerance is not None:
        _to_boundary(search, success, tolerance)
    return Fooled(
        x_adv=search.x_adv,
        norms=(search.x_adv - x).flatten(1).norm(dim=1),
        steps=taken,
        success=success,
        excluded=excluded,
        predicted=search.predicted,
        far=search.far,
        near=search.near,
        margin=search.margin,
    )


class _Search:
    """Where each image of a batch is now, and on which side of its boundary."""

    def __init__(self, model, x, target):
        with torch.no_grad():
            self.logits = models.ask(model, x)
        if target is not None:
            checks.labels(target, self.logits)
        self.model, self.x, self.target = model, x, target
        self.predicted = self.logits.argmax(1)
        self.x_adv = x.clone()
        self.far, self.near = self.sides(self.logits, slice(None))
        self.margin = _gap(self.logits, self.far, self.near)
        self.clean_margin = self.margin.clone()

    def sides(self, logits, rows):
        """Classes (far, near): F_far − F_near is ≤ 0 before the boundary and > 0 behind it."""
        own = (self.predicted if self.target is None else self.target)[rows]
        strongest = logits.scatter(1, own[:, None], -math.inf).argmax(1)
        return (strongest, own) if self.target is None else (own, strongest)

    def look(self, rows, points):
        """Margin, far and near of ``points``, moved from the images ``rows``."""
        with torch.no_grad():
            logits = models.ask(self.model, points)
        far, near = self.sides(logits, rows)
        return _gap(logits, far, near), far, near

    def keep(self, rows, points, margin, far, near):
        self.x_adv[rows], self.margin[rows], self.far[rows], self.near[rows] = points, margin, far, near


def _linear_step(search, rows, r, rivals, basis):
    """Shortest step to the nearest of the linearised boundaries at x + r, (n, C, H, W), and whether there is one.

    One backward pass a boundary, over all images; of the gradients only the best so far is kept.
    """
    with torch.enable_grad():
        points = (search.x[rows] + r).requires_grad_()
        logits = models.ask(search.model, points)
        if search.target is None:
            pairs = [(rival, search.predicted[rows]) for rival in rivals[rows].unbind(1)]
        else:
            pairs = [search.sides(logits.detach(), rows)]
        gaps = [_gap(logits, far, near) for far, near in pairs]
        nearest = torch.full_like(gaps[0], math.inf)
        step = torch.zeros((), dtype=r.dtype, device=r.device)
        for gap in gaps:
            w = models.gradient(gap.sum(), points, keep=gap is not gaps[-1]).flatten(1)
            w = w if basis is None else w @ basis  # coordinates in the basis have the norm of the projection
            size = w.norm(dim=1)
            distance = torch.where(size > 0, gap.detach().abs() / size, math.inf)
            closer = distance < nearest
            nearest = torch.where(closer, distance, nearest)
            step = torch.where(closer[:, None], w * (distance / size).to(w)[:, None], step)
    step = step if basis is None else step @ basis.T
    return step.view_as(r), nearest < math.inf


def _to_boundary(search, success, tolerance):
    """Draw successes back on the segment from x to x_adv until 0 < margin ≤ tolerance.

    Rounds of false position aim at half the tolerance, so that on a straight stretch one hits; every other round
    halves, so that a bend cannot stall them.
    """
    before, behind = search.clean_margin.clone(), search.margin.clone()
    whole = search.x_adv - search.x
    low, high = torch.zeros_like(behind), torch.ones_like(behind)
    for turn in range(_ROUNDS):
        rows = (success & (search.margin > tolerance)).nonzero()[:, 0]
        if not len(rows):
            break
        a, b = low[rows], high[rows]
        share = 0.5 if turn % 2 else (tolerance / 2 - before[rows]) / (behind[rows] - before[rows])
        middle = a + share * (b - a)
        points = search.x[rows] + middle.to(whole).view(-1, 1, 1, 1) * whole[rows]
        margin, far, near = search.look(rows, points)
        crossed = margin > 0
        low[rows], high[rows] = torch.where(crossed, a, middle), torch.where(crossed, middle, b)
        before[rows] = torch.where(crossed, before[rows], margin)
        behind[rows] = torch.where(crossed, margin, behind[rows])
        search.keep(rows[crossed], points[crossed], margin[crossed], far[crossed], near[crossed])


def placed(x, r, clip):
    """x + r, in [0, 1] if ``clip``."""
    return (x + r).clamp(0, 1) if clip else x + r


def _gap(logits, far, near):
    return (logits.gather(1, far[:, None]) - logits.gather(1, near[:, None]))[:, 0]


def check_search(steps, overshoot, candidates, batch):
    if not (steps >= 0 and 0 <= overshoot < math.inf):
        raise ValueError(f"steps and overshoot must be finite and ≥ 0, got {steps} and {overshoot}")
    if candidates is not None and candidates < 2:
        raise ValueError(f"candidates must be at least 2, the predicted class being one, got {candidates}")
    if batch < 1:
        raise ValueError(f"batch must be at least 1, got {batch}")


def _check_basis(basis, d):
    """(d, k) with orthonormal columns: Qᵀ Q u = u for a few u, which costs d · k where Qᵀ Q costs d · k²."""
    if not torch.is_tensor(basis) or basis.ndim != 2 or basis.shape[0] != d or not basis.is_floating_point():
        raise ValueError(f"subspace must be a floating tensor ({d}, k), got {getattr(basis, 'shape', type(basis))}")
    probes = torch.randn(basis.shape[1], 4, generator=torch.Generator().manual_seed(0)).to(basis)
    error = (basis.T @ (basis @ probes) - probes).norm(dim=0)
    if not (error <= 1e-4 * probes.norm(dim=0)).all():
        raise ValueError("the columns of subspace are not orthonormal; a QR decomposition makes them so")
