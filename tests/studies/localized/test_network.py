"""The network that is attacked."""

import samples
import torch

from roa_helpers import data, models
from roa_helpers.studies.localized import network


def test_a_network_is_trained_once_and_then_read(tmp_path):
    grey = samples.splits()
    coloured = data.in_colour(grey)
    training = models.Training(
        epochs=1, batch=8, learning_rate=0.02, weight_decay=0, augment=False, mixed=False, seed=0
    )  # fmt: skip
    found = [
        network.train("vgg16", coloured, training, width=1 / 16, path=tmp_path / "m.safetensors", progress=False)
        for _ in range(2)
    ]
    assert [one.reused for one in found] == [False, True]
    x = coloured.test.images
    assert torch.equal(models.predict(found[0].model, x), models.predict(found[1].model, x))
