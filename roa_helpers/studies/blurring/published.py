"""The accuracies that the pixel-importance thesis prints, as data. Needs no torch.

Chun, “Robust Image Classification Based on Pixel Importance” (2022), Tables 4.1 to 4.5: five models by five rows by six
test sets, each over 300 test images.
"""

from dataclasses import dataclass

from ... import metrics

#: Test images behind each accuracy; classes told apart, and training images of each.
N, CLASSES, TRAIN = 300, 3, 400
#: Of the blur: σ in pixels, and the share of an image's pixels that stay as they are.
SIGMA, KEEP = 4.0, 0.15
#: The heatmaps, by the name that this package gives them and the one the thesis uses.
HEATMAPS = {
    "gradient": "Gradient", "input_x_gradient": "Input×Gradient", "lrp_epsilon": "LRP-ε", "pgd": "PGD",
}  # fmt: skip
#: What a model is trained on: its letter and, after it, the kind of images.
MODELS = {
    "original": "A: originals", "gradient": "B: Gradient", "input_x_gradient": "C: Input×Gradient",
    "lrp_epsilon": "D: LRP-ε", "pgd": "E: PGD",
}  # fmt: skip
#: What the models are tested on.
TESTS = {"original": "originals", "blur": "blurred entirely"} | HEATMAPS
#: The rows of each table. The thesis's FGSM and NewtonFool rows blur first; those with index A attack first.
ROWS = {
    "clean": "no attack", "blur_fgsm": "blur, then FGSM", "fgsm_blur": "FGSM, then blur",
    "blur_newtonfool": "blur, then NewtonFool", "newtonfool_blur": "NewtonFool, then blur",
}  # fmt: skip
#: Percentages: model → a line for each of ``ROWS``, a number for each of ``TESTS``.
TABLES = {
    "original": (
        (89.67, 62.33, 77.00, 72.00, 74.00, 75.00),
        (82.00, 62.33, 66.00, 63.33, 63.67, 66.00),
        (82.00, 61.00, 70.00, 72.33, 71.33, 67.00),
        (27.33, 26.67, 21.67, 22.00, 23.67, 21.33),
        (27.33, 59.33, 69.67, 70.33, 71.00, 67.33),
    ),
    "gradient": (
        (68.00, 74.33, 79.00, 76.67, 77.33, 77.67),
        (66.33, 66.00, 67.67, 68.33, 69.67, 69.33),
        (66.33, 75.00, 78.67, 78.33, 77.67, 76.67),
        (51.67, 32.67, 37.00, 36.33, 35.33, 35.67),
        (51.67, 75.67, 78.67, 78.00, 77.67, 76.33),
    ),
    "input_x_gradient": (
        (82.67, 82.00, 84.67, 83.33, 83.67, 83.67),
        (73.33, 75.00, 81.00, 79.33, 81.00, 79.67),
        (73.33, 82.00, 84.33, 84.00, 83.00, 81.67),
        (34.33, 22.67, 24.00, 23.00, 23.00, 24.67),
        (34.33, 82.67, 84.00, 84.33, 84.00, 82.33),
    ),
    "lrp_epsilon": (
        (79.00, 87.67, 88.00, 88.00, 88.67, 88.33),
        (69.00, 75.67, 77.67, 76.33, 77.67, 75.33),
        (69.00, 87.00, 88.00, 88.00, 88.67, 86.67),
        (36.00, 14.33, 22.00, 14.67, 16.33, 18.67),
        (37.00, 85.67, 87.33, 86.67, 88.67, 85.67),
    ),
    "pgd": (
        (78.33, 79.33, 78.00, 78.00, 79.33, 80.33),
        (64.67, 69.00, 68.33, 69.00, 70.33, 71.00),
        (64.67, 77.00, 76.67, 78.00, 78.33, 78.00),
        (31.33, 20.67, 25.67, 22.67, 22.67, 23.00),
        (31.00, 78.67, 79.33, 79.00, 79.33, 79.33),
    ),
}


def count(model, row, test):
    """k of the ``N`` images that a printed percentage rounds; names as in ``MODELS``, ``ROWS`` and ``TESTS``."""
    percent = TABLES[model][list(ROWS).index(row)][list(TESTS).index(test)]
    return round(percent * N / 100)


@dataclass(frozen=True)
class Printed:
    """A printed accuracy, as a proportion, with its 95 % Wilson interval."""

    value: float
    interval: metrics.Interval


def cell(model, row, test):
    """One of the 150 accuracies; names as those of :func:`count`."""
    k = count(model, row, test)
    return Printed(k / N, metrics.wilson(k, N))


#: What the strengths of the attacks are matched to: model A on attacked originals, and on clean ones.
AIMS = tuple(
    (name, count("original", row, "original") / N)
    for name, row in (("clean", "clean"), ("fgsm", "fgsm_blur"), ("newtonfool", "newtonfool_blur"))
)
