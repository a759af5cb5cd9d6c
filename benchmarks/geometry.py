"""Ways to a mean Hessian: in large batches, one vector at a time, in closed form, by Lanczos. Ratios of time.

    python -m benchmarks.geometry [--points 2] [--rounds 3] [--out curvature.csv]

LeNet and the AlexNet-style network of the study with random weights, on images of MNIST's and CIFAR-10's size, on the
device that the package would choose. “One vector at a time” differentiates at x + h v and x − h v for one v after the
other; both assemble the same matrix, which is checked. The median of some rounds in which the ways take turns; only
ratios of times within one run are comparable. The formulas count gradients, a forward and a backward pass of one image.
"""

import statistics
import time

import pandas as pd
import torch

from benchmarks.common import arguments, report
from roa_helpers import geometry, models
from roa_helpers.models import small

NETWORKS = {"LeNet, 1×28×28": ("lenet", 1.0, (1, 28, 28)), "AlexNet-style, 3×32×32": ("alexnet", 0.25, (3, 32, 32))}
STEP, PAIR, EXTREMES, SHARPNESS = 0.5, (0, 1), 4, 10.0
#: Vectors that are differenced one at a time; the time is scaled to all of them.
SINGLE = 96


def batched(model, x, basis):
    return geometry.mean_hessian(model, x, pair=PAIR, step=STEP, basis=basis).matrix


def one_at_a_time(model, x, basis):
    """The same matrix, a gradient at a time."""
    total = torch.zeros(basis.shape[1], basis.shape[1], dtype=torch.float64)
    for point in x:
        for k, vector in enumerate(basis.T):
            move = STEP * vector.reshape(1, *point.shape)
            ahead, behind = (geometry.gap_gradient(model, point[None] + s * move, PAIR)[0].double() for s in (1, -1))
            total[k] += (ahead - behind) @ basis.double() / (2 * STEP)
    total /= len(x)
    return (total + total.T) / 2


def measure(name, points, rounds):
    """A row for each way: seconds of the median round, ratio to batched differences, gradients by the formula."""
    kind, width, shape = NETWORKS[name]
    generator = torch.Generator().manual_seed(0)
    model = small.BUILDERS[kind](10, mean=torch.full(shape, 0.5), width=width).to(models.device()).eval()
    x = torch.rand(points, *shape, generator=generator)
    size = x[0].numel()
    few = torch.eye(size)[:, torch.randperm(size, generator=generator)[:SINGLE]]
    twin = small.smooth_twin(model, sharpness=SHARPNESS)
    products = []

    def product(vector):
        products.append(1)
        return geometry.exact_product(twin, x, vector, pair=PAIR)

    ways = {
        "differences, in batches": lambda: geometry.mean_hessian(model, x, pair=PAIR, step=STEP).matrix,
        f"differences of {SINGLE} vectors, in batches": lambda: batched(model, x, few),
        f"differences of {SINGLE} vectors, one at a time": lambda: one_at_a_time(model, x, few),
        "closed form, softmax": lambda: geometry.softmax_curvatures(model, x, pair=PAIR).values,
        f"smooth twin, Lanczos, {EXTREMES} of each sign": lambda: (
            geometry.extreme_curvatures(product, size, count=EXTREMES).values
        ),
    }
    taken, results = {way: [] for way in ways}, {}
    for _ in range(rounds):
        for way, run in ways.items():
            start = time.perf_counter()
            results[way] = run()
            taken[way].append(time.perf_counter() - start)
    _, some, single, *_ = results.values()
    if not torch.allclose(some, single, atol=1e-3 * float(some.abs().max())):
        raise RuntimeError("batched and single differences disagree")
    seconds = {way: statistics.median(values) for way, values in taken.items()}
    whole, batch, alone, closed, lanczos = seconds.values()
    gradients = (2 * points * size, 2 * points * SINGLE, 2 * points * SINGLE, points * 10,
                 2 * points * len(products) // rounds)  # fmt: skip
    relative = (1.0, 1.0, alone / batch, closed / whole, lanczos / whole)
    return [
        {"network": name, "way": way, "points": points, "D": size, "gradients": count, "seconds": round(value, 3),
         "relative": round(ratio, 3)}
        for (way, value), count, ratio in zip(seconds.items(), gradients, relative, strict=True)
    ]  # fmt: skip


def main():
    options = arguments(__doc__, points=(2, 1, "boundary points"), rounds=(3, 1, "rounds"))
    rows = [row for name in NETWORKS for row in measure(name, options.points, options.rounds)]
    report(pd.DataFrame(rows), "relative: to batched differences (of as many vectors)", out=options.out)


if __name__ == "__main__":
    main()
