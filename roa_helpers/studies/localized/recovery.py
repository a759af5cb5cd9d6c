"""How well an explanation recovers the region of an attack, at the same number of pixels for every explainer.

An explanation is an order of the pixels, the most relevant first; its n-th partial explanation is the first b_n of
them. The budgets b_1 ≤ … ≤ b_n are the sizes of LIME's partial unions.
"""

import numpy as np

#: The explainers of the paper, in the order of its Table 1; the others of the literature; and chance.
PAPER = ("saliency", "guided_backprop", "lime")
BEYOND = ("grad_cam", "input_x_gradient", "integrated_gradients", "smooth_grad")
AVERAGED = ("saliency_superpixels", "guided_backprop_superpixels")
EXPLAINERS = (*PAPER, *BEYOND, *AVERAGED, "random")
#: The best that any explanation of that size can do, which no explainer knows.
BOUND = "bound"

TITLES = {
    "saliency": "saliency",
    "guided_backprop": "guided backpropagation",
    "lime": "LIME",
    "grad_cam": "Grad-CAM",
    "input_x_gradient": "input × gradient",
    "integrated_gradients": "integrated gradients",
    "smooth_grad": "SmoothGrad",
    "saliency_superpixels": "saliency, by superpixels",
    "guided_backprop_superpixels": "guided backpropagation, by superpixels",
    "random": "random",
    "bound": "best possible",
}


def positive_norm(gradients):
    """Pixel relevance from signed maps (N, C, H, W): negative entries discarded, ℓ1 norm over channels → (N, H, W).

    Göpfert et al. (2019), Section 4.
    """
    return gradients.clamp(min=0).sum(1)


def ordered(relevance, *, seed):
    """Pixels of a map (H, W) by falling relevance, as positions (H·W,); ``seed`` draws the order of ties."""
    values = np.asarray(relevance, dtype=float).ravel()
    draw = np.random.default_rng(seed).permutation(values.size)
    return draw[np.argsort(-values[draw], kind="stable")]


def union_relevance(unions):
    """Partial unions (n, H, W) bool, each within the next, as a map (H, W): n where the first union has the pixel."""
    return np.asarray(unions).sum(0)


def scores(order, budgets, region):
    """Jaccard index and Hamming likeness of the partial explanations, for all budgets at once.

    Göpfert et al. (2019), eqs. 2 and 3, with P the first b pixels of ``order`` and C the ``region``:
    J = |P ∩ C| / |P ∪ C|, H = 1 − (|P| + |C| − 2 |P ∩ C|) / N.

    Args:
        order: (N,) positions of the pixels, the most relevant first.
        budgets: (n,) sizes b in 0…N.
        region: (H, W) bool with N = H·W pixels, not empty.

    Returns:
        (J, H), each (n,).

    Raises:
        ValueError: sizes that do not fit, or an empty region.
    """
    inside = np.asarray(region, dtype=bool).ravel()[order]
    budgets = np.asarray(budgets)
    if len(order) != np.size(region) or not inside.any() or budgets.min() < 0 or budgets.max() > len(order):
        raise ValueError("need an order of all pixels, budgets in 0…N, and a region that is not empty")
    common = np.concatenate([[0], np.cumsum(inside)])[budgets]
    total = budgets + inside.sum()
    return common / (total - common), 1 - (total - 2 * common) / inside.size


def bound(budgets, area, pixels):
    """The best (J, H) that an explanation of each size can have: it lies in the region, or the region in it."""
    order = np.arange(pixels)
    return scores(order, budgets, (order < area)[None])


def levels(order, budgets, shape):
    """(H, W) uint8: the first n = 1, 2, … whose partial explanation has the pixel; 0: none has."""
    found = np.zeros(len(order), dtype=np.uint8)
    start = 0
    for n, budget in enumerate(budgets, start=1):
        found[order[start:budget]] = n
        start = max(start, budget)
    return found.reshape(shape)
