"""Our DeepFool against other libraries: fooling rates, norms, and time as a ratio to ours.

    python -m benchmarks.attacks.deepfool [--images 64] [--rounds 3] [--out deepfool.csv]

A small network that has learnt scikit-learn's digits at 32×32 pixels, on the device that the package would choose, and
test digits that it gets right. Everybody gets the same model, the same images, all classes, 50 steps, an overshoot
of 0.02 and bounds of [0, 1]; the median of some rounds, in which the libraries take turns, after one batch to warm
up. Only ratios of times within one run are comparable. A library that is missing is skipped, and the table says so.

What differs beyond rounding: foolbox linearises at the overshot point, adds 1e-4 to each distance, and clips the image
but not the sum of the steps; torchattacks applies the overshoot to each step and goes on from there, so that it ends
2 % of its last, tiny step behind the boundary, where rounding decides whether the image counts as fooled (the column
``margin``); ART adds 1e-7 to the squared norm of a gradient and goes on until a point without overshoot is across.
"""

import importlib
import statistics
import time

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from torch import nn

from benchmarks.common import arguments, report, version
from roa_helpers import attacks, data, metrics, models

SIDE, STEPS, OVERSHOOT, EPOCHS, SEED = 32, 50, 0.02, 8, 0


def with_ours(model, x, y):
    return lambda: attacks.deepfool(model, x, steps=STEPS, overshoot=OVERSHOOT).x_adv


def with_foolbox(model, x, y):
    foolbox = importlib.import_module("foolbox")
    attack = foolbox.attacks.L2DeepFoolAttack(steps=STEPS, candidates=None, overshoot=OVERSHOOT)
    bounded = foolbox.PyTorchModel(model, bounds=(0, 1), device=x.device)
    return lambda: torch.cat([attack.run(bounded, *part) for part in models.chunks(model, x, y)])


def with_torchattacks(model, x, y):
    attack = importlib.import_module("torchattacks").DeepFool(model, steps=STEPS, overshoot=OVERSHOOT)
    return lambda: torch.cat([attack(*part) for part in models.chunks(model, x, y)])


def with_art(model, x, y):
    evasion = importlib.import_module("art.attacks.evasion")
    classes = models.predict(model, x[:1]).shape[1]
    classifier = importlib.import_module("art.estimators.classification").PyTorchClassifier(
        model,
        nn.CrossEntropyLoss(),
        input_shape=x.shape[1:],
        nb_classes=classes,
        clip_values=(0, 1),
        device_type="gpu" if x.is_cuda else "cpu",
    )
    attack = evasion.DeepFool(
        classifier, max_iter=STEPS, epsilon=OVERSHOOT, nb_grads=classes, batch_size=models.CHUNK, verbose=False
    )
    return lambda: torch.from_numpy(attack.generate(x.cpu().numpy(), y.cpu().numpy())).to(x.device)


LIBRARIES = {
    "roa-helpers": with_ours,
    "foolbox": with_foolbox,
    "torchattacks": with_torchattacks,
    "adversarial-robustness-toolbox": with_art,
}


def network():
    """A small convolutional network for 10 classes of grey 32×32 images, untrained, with a fixed seed."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        first = [nn.Conv2d(1, 8, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2)]
        second = [nn.Conv2d(8, 16, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2)]
        return nn.Sequential(*first, *second, nn.Flatten(), nn.Linear(16 * 8 * 8, 64), nn.ReLU(), nn.Linear(64, 10))


def setting(count):
    """The trained network and the first ``count`` test digits, in a fixed random order, that it gets right."""
    splits = data.load("digits", size=SIDE)
    model = network().to(models.device())
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    generator = torch.Generator().manual_seed(SEED)
    for _ in range(EPOCHS):
        for rows in torch.randperm(len(splits.train), generator=generator).split(32):
            images, labels = splits.train.images[rows].to(models.device()), splits.train.labels[rows]
            optimizer.zero_grad()
            F.cross_entropy(model(images), labels.to(models.device())).backward()
            optimizer.step()
    model.eval()
    right = models.correct(model, splits.test.images, splits.test.labels)
    rows = torch.randperm(len(right), generator=generator)
    rows = rows[right[rows]][:count]
    return model, splits.test.images[rows].to(models.device()), splits.test.labels[rows].to(models.device())


def comparison(model, x, y, *, rounds=1):
    """DeepFool of every library that is installed on the same images, one row each, ours first.

    Args:
        model: in evaluation mode, returns logits (N, K) for images in [0, 1].
        x: images (N, C, H, W) that the model gets right, on its device.
        y: their labels, (N,).
        rounds: how often each is timed.

    Returns:
        DataFrame: ``library``, ``version``, ``fooled`` of ``n`` images with Wilson's bounds ``low`` and ``high`` of the
        rate, mean and median ℓ2 norm over the images that all libraries fool (``common`` of them), ``ratio``, the
        median of the norm over ours with its lowest and highest (``ratio_low``, ``ratio_high``), ``same_class``, the
        share of them that end in the class where ours end, ``margin``, the median over all images of the largest
        other logit less that of the label, ``time``, the median as a ratio to ours. The row of a missing library says
        so under ``version`` and holds nothing else.
    """
    ready, missing = {}, {}
    for library, prepare in LIBRARIES.items():
        try:
            prepare(model, x[: models.CHUNK], y[: models.CHUNK])()
            ready[library] = prepare(model, x, y)
        except ImportError as error:
            missing[library] = f"skipped: {error.name or error} is not installed"
    timed = [{library: seconds(run) for library, run in ready.items()} for _ in range(rounds)]
    moved = {library: result for library, (_, result) in timed[0].items()}
    logits = {library: models.predict(model, x_adv) for library, x_adv in moved.items()}
    reached = {library: z.argmax(1) for library, z in logits.items()}
    norms = {library: (x_adv - x).flatten(1).norm(dim=1).cpu().numpy() for library, x_adv in moved.items()}
    times = {library: statistics.median(r[library][0] for r in timed) for library in ready}
    common = np.logical_and.reduce([(classes != y).cpu().numpy() for classes in reached.values()])
    rows = []
    for library, length in norms.items():
        fooled = int((reached[library] != y).sum())
        low, high = metrics.wilson(fooled, len(y))
        ratio = length[common] / norms["roa-helpers"][common]
        same = (reached[library] == reached["roa-helpers"]).cpu().numpy()[common]
        row = {"library": library, "version": version(library), "fooled": fooled, "n": len(y), "low": low, "high": high}
        row |= {"common": int(common.sum()), "mean": length[common].mean(), "median": np.median(length[common])}
        row |= {"ratio": np.median(ratio), "ratio_low": ratio.min(), "ratio_high": ratio.max()}
        z, own = logits[library], y[:, None]
        margin = (z.scatter(1, own, -torch.inf).amax(1) - z.gather(1, own)[:, 0]).median().item()
        rows.append(row | {"same_class": same.mean(), "margin": margin, "time": times[library] / times["roa-helpers"]})
    rows += [{"library": library, "version": message} for library, message in missing.items()]
    return pd.DataFrame(rows)


def seconds(function):
    start = time.perf_counter()
    result = function().detach()
    if result.is_cuda:
        torch.cuda.synchronize()
    return time.perf_counter() - start, result


def main():
    options = arguments(__doc__, images=(64, 1, "how many images"), rounds=(3, 1, "how often each library is timed"))
    model, x, y = setting(options.images)
    remark = f"{len(x)} digits {SIDE}×{SIDE}, batches of {models.CHUNK}, {STEPS} steps, overshoot {OVERSHOOT}"
    report(comparison(model, x, y, rounds=options.rounds), remark, out=options.out)


if __name__ == "__main__":
    main()
