"""Curvature of decision surfaces, and the subspaces of image space that it singles out.

Images are flattened here: D = C·H·W. Points may lie a little off [0, 1], where differences are taken; every model
returns logits (N, K). Source: “With Friends Like These, Who Needs Adversaries?”, Algorithm 1 and Sections 4.2 to 4.3.

Cost for n images, D dimensions, K classes, in gradients (a forward and a backward pass of one image): differences over
the whole basis 2 n D, and D² numbers; the closed form for softmax scores n K, and n K D numbers; Lanczos about 2 n m,
for m products (m a few times the number of directions wanted), and m D numbers. Eigenvectors of a D×D matrix: about
9 D³ operations.
"""

from dataclasses import dataclass

import numpy as np
import torch
from scipy.sparse.linalg import LinearOperator, eigsh

from . import models

#: What a Hessian may be taken of: the logits (the paper's choice), or the softmax probabilities.
QUANTITIES = ("logits", "softmax")
BATCH = 256


@dataclass(frozen=True)
class Hessian:
    """A mean Hessian by differences.

    Attributes:
        matrix: symmetrised, (R, R) float64.
        asymmetry: ‖H − Hᵀ‖ / (2 ‖H‖) of the mean before that: 0 symmetric, 1/√2 unrelated to its transpose.
        single: the same of one image, averaged over images.
        norm: Frobenius norm of one image's symmetrised Hessian, averaged over images.
    """

    matrix: torch.Tensor
    asymmetry: float
    single: float
    norm: float


@dataclass(frozen=True)
class Curvatures:
    """Eigenvalues in falling order, (R,), and the eigenvectors (D, R) that belong to them."""

    values: torch.Tensor
    vectors: torch.Tensor


@dataclass(frozen=True)
class Nested:
    """Subspaces inside each other: the first ``counts[d]`` columns of ``basis`` (D, M) span the d-th one.

    ``counts`` begins with 0; ``basis`` is orthonormal.
    """

    basis: torch.Tensor
    counts: tuple[int, ...]

    def at(self, d):
        """The basis (D, ·) of the d-th subspace."""
        return self.basis[:, : self.counts[d]]


def scores(model, x):
    """Logits (N, K) of points (N, C, H, W) that need not lie in [0, 1], without gradients, on the device of ``x``."""
    parts = []
    with models.frozen(model), torch.no_grad():
        for (points,) in models.chunks(model, x, size=BATCH):
            parts.append(models.ask(model, points).to(x.device))
    return torch.cat(parts)


def gap_gradient(model, x, pair, *, of="logits"):
    """∇ₓ (F_c − F_ĉ) at points that need not lie in [0, 1].

    Args:
        model: returns logits (N, K).
        x: points (N, C, H, W).
        pair: classes (c, ĉ), one pair (2,) for all points or one for each, (N, 2), int64.
        of: F, one of ``QUANTITIES``.

    Returns:
        (N, D).
    """
    if of not in QUANTITIES:
        raise ValueError(f"of is one of {', '.join(QUANTITIES)}, not {of!r}")
    parts = []
    with models.frozen(model), torch.enable_grad():
        for points, pairs in models.chunks(model, x, _pairs(pair, len(x)), size=BATCH):
            points = points.detach().requires_grad_()
            score = _gap(models.ask(model, points), pairs, of).sum()
            parts.append(models.gradient(score, points).flatten(1).to(x.device))
    return torch.cat(parts)


def mean_hessian(model, x, *, pair, step, of="logits", basis=None):
    """Mean Hessian of F_c − F_ĉ over points, by central differences of the gradient.

    H v ≈ (∇f(x + h v) − ∇f(x − h v)) / 2h for each v of an orthonormal basis, f = F_c − F_ĉ; the mean over points is
    symmetrised. Algorithm 1, which does not say how H is had. Of a network with ReLU the exact Hessian of the logits
    is zero wherever it exists: what differences find are the kinks between x − h v and x + h v, so ``step`` is part of
    the definition. Gradients are taken in the model's precision, sums in float64.

    Args:
        model: returns logits (N, K).
        x: points (N, C, H, W), usually on the decision boundary.
        pair: classes (c, ĉ), one pair (2,) for all points or one for each, (N, 2), int64.
        step: h > 0, in units of the pixel range.
        of: F, one of ``QUANTITIES``.
        basis: (D, R), orthonormal columns (None: the pixels, R = D); the result is then Bᵀ H B.

    Returns:
        :class:`Hessian`.

    Raises:
        ValueError: a wrong shape, no points, or a step that is not positive.
    """
    if not 0 < step < float("inf"):
        raise ValueError(f"step must be finite and > 0, got {step}")
    if x.ndim != 4 or len(x) == 0:
        raise ValueError(f"points must be (N, C, H, W) with N > 0, got {tuple(x.shape)}")
    x = x.detach()
    pairs, size = _pairs(pair, len(x)), x[0].numel()
    width = size if basis is None else basis.shape[1]
    total = torch.zeros(width, width, dtype=torch.float64)
    single, norm = [], []
    for point, classes in zip(x, pairs, strict=True):
        found = torch.cat([
            _products(model, point, classes, _columns(basis, size, start, x), step, of, basis)
            for start in range(0, width, BATCH // 2)
        ])  # fmt: skip
        total += found
        single.append(asymmetry(found))
        norm.append(float((found + found.T).norm() / 2))
    mean = total / len(x)
    return Hessian((mean + mean.T) / 2, asymmetry(mean), float(np.mean(single)), float(np.mean(norm)))


def _columns(basis, size, start, x):
    """The vectors of the basis from ``start`` on, as rows (B, D)."""
    stop = start + BATCH // 2
    if basis is None:
        return torch.eye(size, dtype=x.dtype, device=x.device)[start:stop]
    return basis.T[start:stop].to(x)


def _products(model, point, pair, vectors, step, of, basis):
    """Rows vᵀ H (in the basis) for each row v of ``vectors``, (B, R) float64."""
    moves = step * vectors.reshape(-1, *point.shape)
    ahead, behind = gap_gradient(model, torch.cat([point + moves, point - moves]), pair, of=of).double().chunk(2)
    found = (ahead - behind).cpu() / (2 * step)
    return found if basis is None else found @ basis.double().cpu()


def asymmetry(matrix):
    """‖H − Hᵀ‖ / (2 ‖H‖), Frobenius: 0 symmetric, 1 antisymmetric, 1/√2 if H and Hᵀ have nothing in common."""
    norm = matrix.norm()
    return float((matrix - matrix.T).norm() / (2 * norm)) if norm > 0 else 0.0


def principal_curvatures(hessian):
    """Eigenvalues and eigenvectors of a symmetric matrix (D, D), the most positive first: Algorithm 1, last line.

    The paper calls them principal curvatures; those of the surface F_c = F_ĉ itself would also be divided by the norm
    of the gradient and confined to its tangent space.

    Raises:
        ValueError: not square, or not symmetric.
    """
    if hessian.ndim != 2 or hessian.shape[0] != hessian.shape[1]:
        raise ValueError(f"a square matrix is needed, got {tuple(hessian.shape)}")
    if asymmetry(hessian) > 1e-6:
        raise ValueError("a symmetric matrix is needed: take (H + Hᵀ) / 2")
    values, vectors = torch.linalg.eigh(hessian)
    return Curvatures(values.flip(0), vectors.flip(1))


def softmax_curvature(probabilities, pair):
    """∂²(p_c − p_ĉ) / ∂z² of the softmax p with respect to its logits z.

    ∂²p_a / ∂z_j ∂z_k = p_a [(δ_aj − p_j)(δ_ak − p_k) − p_j (δ_jk − p_k)].

    Args:
        probabilities: (N, K).     pair: (2,) or (N, 2), int64.

    Returns:
        (N, K, K), symmetric.
    """
    p = probabilities
    within = torch.diag_embed(p) - p[:, :, None] * p[:, None, :]
    unit = torch.eye(p.shape[1], dtype=p.dtype, device=p.device)
    terms = []
    for a in _pairs(pair, len(p)).to(p.device).T:
        off = unit[a] - p
        terms.append(p.gather(1, a[:, None])[:, :, None] * (off[:, :, None] * off[:, None, :] - within))
    return terms[0] - terms[1]


def softmax_curvatures(model, x, *, pair):
    """Principal curvatures of softmax scores of a piecewise linear network, in closed form.

    Inside a linear piece z = J x + b the Hessian of p_c − p_ĉ is Jᵀ A J, A from :func:`softmax_curvature`: no step, no
    asymmetry, rank below K. The mean over points has rank at most n (K − 1).

    Args:
        model: returns logits (N, K), piecewise linear in x.
        x: points (N, C, H, W).     pair: (2,) or (N, 2), int64.

    Returns:
        :class:`Curvatures`, R = min(n K, D).
    """
    rows = jacobian(model, x).double()
    inner = softmax_curvature(scores(model, x).double().softmax(1), pair)
    n, _, size = rows.shape
    if rows.shape[0] * rows.shape[1] >= size:
        return principal_curvatures(torch.einsum("nkd,nkl,nle->de", rows, inner, rows) / n)
    q, r = torch.linalg.qr(rows.flatten(0, 1).T)
    found = principal_curvatures(_symmetric(r @ torch.block_diag(*inner) @ r.T / n))
    return Curvatures(found.values, q @ found.vectors)


def jacobian(model, x):
    """Gradients of all logits: (N, K, D), one backward pass a class."""
    parts = []
    with models.frozen(model), torch.enable_grad():
        for (points,) in models.chunks(model, x, size=BATCH):
            points = points.detach().requires_grad_()
            logits = models.ask(model, points)
            rows = [models.gradient(column.sum(), points, keep=True).flatten(1) for column in logits.T]
            parts.append(torch.stack(rows, 1).to(x.device))
    return torch.cat(parts)


def exact_product(model, x, vector, *, pair):
    """Mean over points of the exact Hessian of F_c − F_ĉ (logits) times a vector (D,), by differentiating twice.

    Zero for a piecewise linear network; meant for a :func:`roa_helpers.models.small.smooth_twin`.
    """
    with models.frozen(model), torch.enable_grad():
        total = torch.zeros(x[0].numel(), dtype=torch.float64)
        for points, pairs in models.chunks(model, x, _pairs(pair, len(x)), size=BATCH):
            points = points.detach().requires_grad_()
            gap = _gap(models.ask(model, points), pairs, "logits").sum()
            slope = torch.autograd.grad(gap, points, create_graph=True)[0].flatten(1)
            along = (slope @ vector.to(slope, copy=True)).sum()
            if along.requires_grad:
                second = torch.autograd.grad(along, points, allow_unused=True)[0]
                total += 0 if second is None else second.flatten(1).double().sum(0).cpu()
    return total / len(x)


def extreme_curvatures(product, size, *, count, seed=0):
    """The ``count`` most positive and ``count`` most negative eigenvalues of a symmetric operator, by Lanczos.

    SciPy's ``eigsh`` (ARPACK). Lanczos assumes symmetry and gives wrong eigenvalues without it, so an operator that is
    not symmetric on a random pair of vectors is refused.

    Args:
        product: (D,) float64 → (D,), v → H v.
        size: D.
        count: of each sign, 2·count < D.

    Returns:
        :class:`Curvatures`, R = 2·count.

    Raises:
        ValueError: an operator that is not symmetric.
    """
    rng = np.random.default_rng(seed)
    u, v, start = rng.standard_normal((3, size))
    operator = LinearOperator((size, size), dtype=float, matvec=lambda w: product(torch.from_numpy(w.ravel())).numpy())
    left, right = operator @ u, operator @ v
    if abs(v @ left - u @ right) > 1e-3 * np.sqrt(np.linalg.norm(left) * np.linalg.norm(right)) * np.sqrt(size):
        raise ValueError("Lanczos needs a symmetric operator; differences of a kinked network are not one")
    values, vectors = eigsh(operator, 2 * count, which="BE", v0=start, tol=1e-3)
    order = np.argsort(-values)
    return Curvatures(torch.from_numpy(values[order]), torch.from_numpy(vectors[:, order].copy()))


def project(x, basis):
    """Q Qᵀ x: the nearest points of a subspace, Section 4.2. Subtract the mean image before, add it afterwards.

    Args:
        x: (N, …) with D numbers each.     basis: Q, (D, d), orthonormal columns.

    Returns:
        of the shape of ``x``.
    """
    flat = x.flatten(1)
    if basis.ndim != 2 or len(basis) != flat.shape[1]:
        raise ValueError(f"basis must be ({flat.shape[1]}, d), got {tuple(basis.shape)}")
    basis = basis.to(flat)
    return (flat @ basis @ basis.T).reshape(x.shape)


def nested(directions):
    """Orthonormal bases of the spans of the first d directions of every class, d = 0, 1, …: Section 4.2.

    The directions of a rank, one a class, are made orthogonal to those of all ranks before (twice, against rounding)
    and to each other; what lies in the span already adds nothing. The paper says QR decomposition.

    Args:
        directions: (K, D, P), for each class its P directions, the most wanted first.

    Returns:
        :class:`Nested` with P + 1 counts.
    """
    classes, size, places = directions.shape
    basis = directions.new_zeros(size, min(size, classes * places))
    counts = [0]
    for place in range(places):
        m = counts[-1]
        known, new = basis[:, :m], directions[:, :, place].T
        smallest = 1e-4 * new.norm(dim=0).max()
        for _ in range(2):
            new = new - known @ (known.T @ new)
        found, lengths, _ = torch.linalg.svd(new, full_matrices=False)
        added = found[:, lengths > smallest][:, : size - m]
        basis[:, m : m + added.shape[1]] = added
        counts.append(m + added.shape[1])
    return Nested(basis[:, : counts[-1]], tuple(counts))


def svd_basis(perturbations, *, complete=False):
    """Singular values (R,) and right singular vectors (D, R) of stacked perturbations, largest first: Section 4.3.

    Args:
        perturbations: (N, …), D numbers each.
        complete: append vectors with the singular value 0 until the basis spans the space (R = D); otherwise
            R = min(N, D).
    """
    flat = perturbations.flatten(1)
    _, values, rows = torch.linalg.svd(flat, full_matrices=complete and len(flat) < flat.shape[1])
    return torch.cat([values, values.new_zeros(len(rows) - len(values))]), rows.T.contiguous()


def retained(x, basis):
    """‖Q_mᵀ x‖ / ‖x‖ for m = 0, 1, … columns of an orthonormal basis (D, M): (N, M + 1), NaN for x = 0."""
    flat = x.flatten(1).double()
    squares = (flat @ basis.double()).square().cumsum(1)
    squares = torch.cat([torch.zeros(len(flat), 1, dtype=torch.float64), squares], 1)
    return (squares.clamp(min=0) / flat.square().sum(1, keepdim=True)).sqrt().clamp(max=1)


def overlap(first, second):
    """‖Q₁ᵀ Q₂‖² / d of two orthonormal bases (D, d₁), (D, d₂), d the smaller: 1 if one holds the other.

    The mean squared cosine of the principal angles; for a random subspace about the larger dimension / D.
    """
    smaller = min(first.shape[1], second.shape[1])
    return float((first.double().T @ second.double()).square().sum() / smaller)


def _gap(logits, pairs, of):
    values = logits if of == "logits" else logits.softmax(1)
    chosen = values.gather(1, pairs)
    return chosen[:, 0] - chosen[:, 1]


def _pairs(pair, n):
    pairs = torch.as_tensor(pair, dtype=torch.int64)
    if pairs.shape not in {(2,), (n, 2)}:
        raise ValueError(f"pair must be (2,) or ({n}, 2), got {tuple(pairs.shape)}")
    return pairs.expand(n, 2)


def _symmetric(matrix):
    return (matrix + matrix.T) / 2
