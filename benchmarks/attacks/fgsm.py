"""Our FGSM and Grad-CAM against other libraries: time as a ratio to ours, and the largest difference.

    python -m benchmarks.attacks.fgsm [--images 256] [--out benchmarks.csv]

VGG16 at 48×48 pixels with random weights, laid out in memory as training leaves it, on the device that the package
would choose. Everybody gets the same model and the same batches; the median of three rounds, in which the libraries
take turns, after one batch to warm up. Only ratios within one run are comparable. A library that is missing is
skipped, and the table says so.

A difference of 2 eps is a pixel whose gradient is zero up to rounding, so that its sign is a matter of chance: the
share of such pixels is listed beside it.
"""

import importlib
import statistics
import time

import pandas as pd
import torch

from benchmarks.common import arguments, report, version
from roa_helpers import attacks, explain, models

SIDE, BATCH, ROUNDS, EPS = 48, models.CHUNK, 3, 0.03
COLUMNS = ("task", "library", "version", "time as a ratio to ours", "largest difference", "share that differs")


def fgsm_with_torchattacks(model, x, y):
    attack = importlib.import_module("torchattacks").FGSM(model, eps=EPS)
    return lambda: torch.cat([attack(*part) for part in models.chunks(model, x, y)])


def fgsm_with_foolbox(model, x, y):
    foolbox = importlib.import_module("foolbox")
    attack, bounded = foolbox.attacks.FGSM(), foolbox.PyTorchModel(model, bounds=(0, 1), device=x.device)
    return lambda: torch.cat([attack.run(bounded, *part, epsilon=EPS) for part in models.chunks(model, x, y)])


def fgsm_with_art(model, x, y):
    evasion = importlib.import_module("art.attacks.evasion")
    classifier = importlib.import_module("art.estimators.classification").PyTorchClassifier(
        model,
        torch.nn.CrossEntropyLoss(),
        input_shape=x.shape[1:],
        nb_classes=2,
        clip_values=(0, 1),
        device_type="gpu" if x.is_cuda else "cpu",
    )
    attack = evasion.FastGradientMethod(classifier, eps=EPS, batch_size=BATCH)
    return lambda: torch.from_numpy(attack.generate(x.cpu().numpy(), y.cpu().numpy())).to(x.device)


def grad_cam_with_captum(model, x, y):
    attr = importlib.import_module("captum.attr")
    explainer = attr.LayerGradCam(model, model.cam_layer)

    def one(images, labels):
        coarse = explainer.attribute(images, labels, relu_attributions=True).detach()
        return attr.LayerAttribution.interpolate(coarse, images.shape[2:], interpolate_mode="bilinear")[:, 0]

    return lambda: torch.cat([one(*part) for part in models.chunks(model, x, y)])


TASKS = {
    "FGSM": {
        "roa-helpers": lambda model, x, y: lambda: attacks.fgsm(model, x, y, eps=EPS),
        "forward pass alone": lambda model, x, y: lambda: models.predict(model, x),
        "torchattacks": fgsm_with_torchattacks,
        "foolbox": fgsm_with_foolbox,
        "adversarial-robustness-toolbox": fgsm_with_art,
    },
    "Grad-CAM": {
        "roa-helpers": lambda model, x, y: lambda: explain.grad_cam(model, x, y),
        "forward pass alone": lambda model, x, y: lambda: models.predict(model, x),
        "captum": grad_cam_with_captum,
    },
}


def seconds(function):
    start = time.perf_counter()
    result = function().cpu()  # waits for a GPU
    return time.perf_counter() - start, result


def measure(task, count):
    """Rows of :data:`COLUMNS` for one task on ``count`` images."""
    device = models.device()
    model = models.vgg16(2, seed=0).to(device, memory_format=torch.channels_last).eval()
    generator = torch.Generator().manual_seed(0)
    x = torch.rand(count, 3, SIDE, SIDE, generator=generator).to(device)
    y = torch.randint(0, 2, (count,), generator=generator).to(device)
    ready, missing = {}, {}
    for library, prepare in TASKS[task].items():
        try:
            prepare(model, x[:BATCH], y[:BATCH])()
            ready[library] = prepare(model, x, y)
        except ImportError as error:
            missing[library] = error.name or str(error)
    rounds = [{library: seconds(run) for library, run in ready.items()} for _ in range(ROUNDS)]
    time_of = {library: statistics.median(r[library][0] for r in rounds) for library in ready}
    results = {library: rounds[0][library][1] for library in ready}
    ours = results["roa-helpers"]
    rows = []
    for library, result in results.items():
        row = [task, library, version(library), f"{time_of[library] / time_of['roa-helpers']:.2f}"]
        if result.shape == ours.shape:
            difference = (result - ours).abs() / (1 if task == "FGSM" else ours.abs().max())
            row += [f"{difference.max():.1e}", f"{(difference > 1e-5).double().mean():.1e}"]
        rows.append(row + [""] * (len(COLUMNS) - len(row)))
    return rows + [
        [task, library, f"skipped: {name} is not installed", "", "", ""] for library, name in missing.items()
    ]


def main():
    options = arguments(__doc__, images=(256, 1, "how many images"))
    rows = [row for task in TASKS for row in measure(task, options.images)]
    report(
        pd.DataFrame(rows, columns=COLUMNS),
        f"{options.images} images {SIDE}×{SIDE}, batches of {BATCH}, eps {EPS}; differences of Grad-CAM as shares of "
        "its maximum",
        out=options.out,
    )


if __name__ == "__main__":
    main()
