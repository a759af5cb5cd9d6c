"""The shape of class scores along a line through image space: symmetric, monotone, the same for all images?

Arrays (N, S): for N images a score at S positions s, evenly spaced and symmetric about 0. Each measure is 0 where the
statement of the paper holds exactly. Source: “With Friends Like These, Who Needs Adversaries?”, Section 1.
"""

import numpy as np
from scipy.integrate import trapezoid


def odd_share(values):
    """Of each curve: the share of its variation that is odd about its best centre s₀.

    F̃(s₀ + t) = even(t) + odd(t);  Σ odd² / (Σ odd² + Σ (even − mean even)²) over the t that both sides reach, at the s₀
    in the middle third of the positions for which it is least. 0: symmetric about s₀; ½: as much odd as even, 1: odd.

    Returns:
        (share (N,), NaN for a constant curve; position of s₀ (N,), int).
    """
    values = _curves(values)
    count = values.shape[1]
    centres = range(count // 3, count - count // 3)
    shares = np.stack([_odd(values, centre) for centre in centres], 1)
    best = np.where(np.isnan(shares).all(1), len(centres) // 2, np.nanargmin(np.nan_to_num(shares, nan=2.0), 1))
    return shares[np.arange(len(values)), best], best + centres[0]


def _odd(values, centre):
    reach = min(centre, values.shape[1] - 1 - centre)
    right = values[:, centre : centre + reach + 1]
    left = values[:, centre - reach : centre + 1][:, ::-1]
    odd, even = (right - left) / 2, (right + left) / 2
    odd, even = np.square(odd).sum(1), np.square(even - even.mean(1, keepdims=True)).sum(1)
    total = odd + even
    return np.where(total > 0, odd / np.where(total > 0, total, 1), np.nan)


def backward_share(values, *, rising):
    """Of each curve: the share of its movement, going outwards on both half-lines, that goes the wrong way.

    Σ of the steps against the expected direction / Σ |steps|. The half-lines meet where the curve has its extremum in
    the middle third of the positions (minimum if ``rising``). 0: monotone on both; ½: as much to as fro.

    Args:
        rising: whether the score is expected to rise outwards (a positively curved direction) or to fall.

    Returns:
        (N,), NaN for a constant curve.
    """
    values = _curves(values) if rising else -_curves(values)
    count = values.shape[1]
    centre = values[:, count // 3 : count - count // 3].argmin(1) + count // 3
    steps = np.diff(values, axis=1)
    outward = np.where(np.arange(count - 1)[None] >= centre[:, None], steps, -steps)
    moved = np.abs(outward).sum(1)
    return np.where(moved > 0, np.maximum(-outward, 0).sum(1) / np.where(moved > 0, moved, 1), np.nan)


def interaction_share(values):
    """Of N curves together: the share of their variation along s that is not common to all images.

    F̃(s, n) = G(s) + H(n) + rest;  Σ rest² / Σ (F̃ − mean over s)². 0: additively separable, all curves have one shape
    and differ by a shift; near 1: no common shape.

    Returns:
        A number; NaN if no curve varies.
    """
    values = _curves(values)
    centred = values - values.mean(1, keepdims=True)
    total = np.square(centred).sum()
    return float(np.square(centred - centred.mean(0)).sum() / total) if total > 0 else float("nan")


def area(values, positions):
    """Mean height of each curve (…, S) over positions (S,): its area by the trapezoidal rule / the length."""
    positions = np.asarray(positions, dtype=float)
    return trapezoid(np.asarray(values, dtype=float), positions, axis=-1) / (positions[-1] - positions[0])


def _curves(values):
    values = np.asarray(values, dtype=float)
    if values.ndim != 2 or values.shape[1] < 5:
        raise ValueError(f"curves (N, S) with at least 5 positions are needed, got {values.shape}")
    return values
