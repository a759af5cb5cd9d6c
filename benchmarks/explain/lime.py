"""Our LIME against lime's own loop: explanations a second as a ratio, and the largest difference of a weight.

    python -m benchmarks.explain.lime [--side 160] [--samples 128] [--out benchmarks.csv]

One photo (scikit-image's astronaut), one process, the same number of samples, on the device that the package would
choose; torchvision's ResNet-18 and a narrow VGG16, both with random weights, and EfficientNet-Lite0 with ImageNet's.
lime is run as it comes (10 pictures a batch) and, with its superpixels at hand, with the batches that we use. The
median of three rounds, in which they take turns, after one explanation of few samples to warm up. Only ratios within
one run are comparable.

The network's own work is the same for everybody: the row “forward pass alone” says how much there is to gain, which
is little where a large network runs on a CPU. Rows “superpixels at hand” leave out quickshift, as a study does that
explains one image several times.
"""

import statistics
import time

import pandas as pd
import torch
from lime.lime_image import LimeImageExplainer
from skimage import data, transform

from benchmarks.common import arguments, report, version
from roa_helpers import explain, models
from roa_helpers.compat import torchvision
from roa_helpers.explain import superpixels

ROUNDS, CLASSES, TARGET, SEED = 3, 10, 3, 0
COLUMNS = ("network", "explainer", "version", "explanations a second", "ratio to lime's loop", "largest difference")


def networks():
    """Name → network for images in [0, 1]; random heads are enlarged, so that probabilities differ between pictures."""
    torch.manual_seed(SEED)
    resnet = torchvision.models.resnet18(weights=None, num_classes=CLASSES)
    vgg = models.vgg16(CLASSES, width=1 / 8, seed=SEED)
    for head in (resnet.fc, vgg.head):
        head.weight.data *= 20
    lite = models.photo.pretrained(models.photo.AT_HAND).model
    found = {"ResNet-18": resnet, "VGG16, width 1/8": vgg, "EfficientNet-Lite0": lite}
    return {n: m.to(models.device(), memory_format=torch.channels_last).eval() for n, m in found.items()}


def ours(model, image, samples, segments=None):
    return explain.lime_image(model, image, TARGET, samples=samples, seed=SEED, segments=segments).weights


def lime_itself(model, image, samples, batch, segments=None):
    """lime's own loop, with the classifier that its user would write."""
    device = models.device()

    def classify(pictures):
        with torch.no_grad():
            return model(torch.from_numpy(pictures).permute(0, 3, 1, 2).to(device)).softmax(1).cpu().numpy()

    found = LimeImageExplainer(random_state=SEED).explain_instance(
        image.permute(1, 2, 0).contiguous().numpy(),
        classify,
        labels=(TARGET,),
        top_labels=None,
        num_samples=samples,
        batch_size=batch,
        segmentation_fn=None if segments is None else lambda _: segments.numpy(),
    )
    weights = dict(found.local_exp[TARGET])
    return torch.tensor([weights[k] for k in range(len(weights))], dtype=torch.float64)


def forward(model, image, samples, batch):
    """What nobody can do without: the network on as many pictures."""
    pictures = image.to(models.device()).repeat(batch, 1, 1, 1)
    with torch.no_grad():
        return torch.cat([model(pictures[: samples - start]) for start in range(0, samples, batch)])


def runs(model, image, segments):
    """Name → (package, function of the number of samples)."""
    batch = explain.batch_size(model)
    return {
        "lime's loop": ("lime", lambda n: lime_itself(model, image, n, 10)),
        "lime_image": ("roa-helpers", lambda n: ours(model, image, n)),
        "lime's loop, superpixels at hand": ("lime", lambda n: lime_itself(model, image, n, batch, segments)),
        "lime_image, superpixels at hand": ("roa-helpers", lambda n: ours(model, image, n, segments)),
        "forward pass alone": ("", lambda n: forward(model, image, n, batch)),
    }


def measure(name, model, image, segments, samples):
    """Rows of :data:`COLUMNS` for one network."""
    ready = runs(model, image, segments)
    for _, run in ready.values():
        run(models.CHUNK)
    times, results = {explainer: [] for explainer in ready}, {}
    for _ in range(ROUNDS):
        for explainer, (_, run) in ready.items():
            start = time.perf_counter()
            results[explainer] = run(samples).cpu()
            times[explainer].append(time.perf_counter() - start)
    seconds = {explainer: statistics.median(taken) for explainer, taken in times.items()}
    reference = next(iter(ready))
    rows = []
    for explainer, (package, _) in ready.items():
        row = [name, explainer, version(package) if package else "", f"{1 / seconds[explainer]:.3f}"]
        row.append(f"{seconds[reference] / seconds[explainer]:.2f}")
        same = results[explainer].shape == results[reference].shape
        rows.append([*row, f"{(results[explainer] - results[reference]).abs().max():.1e}" if same else ""])
    return rows


def main():
    options = arguments(
        __doc__,
        side=(160, 64, "height and width of the photo"),
        samples=(128, 2, "samples of an explanation"),
    )
    size = options.side, options.side
    photo = transform.resize(data.astronaut(), size, anti_aliasing=True).clip(0, 1).astype("float32")
    image = torch.from_numpy(photo).permute(2, 0, 1).contiguous()
    segments = superpixels.segment(image)
    rows = [row for name, model in networks().items() for row in measure(name, model, image, segments, options.samples)]
    report(
        pd.DataFrame(rows, columns=COLUMNS),
        f"{options.samples} samples, {options.side}×{options.side}, {int(segments.max()) + 1} superpixels; differences "
        "of weights, in units of the probability",
        out=options.out,
    )


if __name__ == "__main__":
    main()
