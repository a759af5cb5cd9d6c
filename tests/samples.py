"""A tiny pair of classes made here, and a finished unit of the study on it."""

from dataclasses import asdict, replace

import torch
from torch import nn

from roa_helpers import data, models, studies
from roa_helpers.records import store
from roa_helpers.studies.roi_roa import choices, compute, pairs

CHOICES = choices.RoiRoa(
    dataset="digits", classes=("0", "1"), size=32, width=1 / 16, epochs=2, batch=8, eps=(0.05, 0.2),
    delta1=(0.3,), delta2=(0.5,), delta2_gradient=(0.2,), theta=(0.2,), theta_published=(0.1,), value=(0.0,),
    tune=6, attacked=5, null_images=8, untrained=2, train_scored=10, curve=5,
    curve_theta=(0.2, 0.8), feature_count=4, feature_images=6, feature_steps=1, permutations=9, examples=2,
)  # fmt: skip
DIRECTIONS = ["0 to 1", "1 to 0"]


def pictures(n, seed):
    """A bright bar on the left or on the right, with noise: (2 n, 1, 32, 32)."""
    x = 0.4 * torch.rand(2 * n, 1, 32, 32, generator=torch.Generator().manual_seed(seed))
    y = torch.tensor([0] * n + [1] * n)
    x[:n, :, 4:28, 4:12] += 0.5
    x[n:, :, 4:28, 20:28] += 0.5
    return data.ImageSet(x, y, ("0", "1"))


def splits():
    """24, 8 and 12 pictures a class."""
    parts = {name: pictures(n, seed) for seed, (name, n) in enumerate((("train", 24), ("val", 8), ("test", 12)))}
    counts = {name: {"0": len(part) // 2, "1": len(part) // 2} for name, part in parts.items()}
    unreadable = {"count": 0, "names": []}
    return data.Splits(**parts, provenance={"source": "made here", "counts": counts, "unreadable": unreadable})


def computed(folder):
    """(model, three-channel splits, what training says, what ``compute`` returns), trained below ``folder``."""
    models.use_threads(1)
    coloured = data.in_colour(splits())
    model, training = pairs.train(CHOICES, coloured, seed=0, path=folder / "model.safetensors", progress=False)
    return model, coloured, training, compute.measurements(model, coloured, CHOICES, seed=0)


def stored(folder, outcome, *, dataset="digits", profile="quick", seed=0):
    """A unit below ``folder`` that claims to be of ``dataset`` and ``seed``: what pages are made of."""
    _, _, training, (result, arrays, tables) = outcome
    plan = studies.Planned("roi_roa", replace(CHOICES, dataset=dataset), seed)
    head = {"study": "roi_roa", "unit": plan.name, "profile": profile, "dataset": dataset, "seed": seed}
    origin = store.provenance(device="cpu", data=splits().provenance, seconds=1.0)
    parameters = result["parameters"] | {"choices": asdict(plan.choices)}
    whole = head | {"classes": list(CHOICES.classes)} | result | {"parameters": parameters, "provenance": origin}
    whole |= {"model": result["model"] | training, "fingerprint": studies.expected(plan) | {"data": "made here"}}
    return studies.presented(store.write(folder / profile / "roi_roa" / plan.name, whole, arrays=arrays, tables=tables))


def disturbed(model, seed=0):
    """The model in evaluation mode with normalisations that do something, as after training."""
    generator = torch.Generator().manual_seed(seed)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            for tensor, low in ((module.weight, 0.5), (module.bias, -0.1), (module.running_mean, -0.1)):
                tensor.data.uniform_(low, low + 0.5, generator=generator)
            module.running_var.uniform_(0.5, 2, generator=generator)
    return model.eval()
