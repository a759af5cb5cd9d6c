"""Asking a network: chunks, right answers, images that it refuses."""

import pytest
import torch
from torch import nn
from twins import images

from roa_helpers import models


def test_chunks_predict_what_one_batch_predicts(smooth):
    x, _ = images(2 * models.CHUNK + 3, 5)
    assert torch.allclose(models.predict(smooth, x), smooth(x), rtol=0, atol=1e-12)


def test_chunks_hold_every_row_once_in_order(smooth):
    rows = torch.arange(models.CHUNK + 1)
    parts = list(models.chunks(smooth, rows, rows * 2))
    assert [len(a) for a, _ in parts] == [models.CHUNK, 1]
    assert torch.equal(torch.cat([a for a, _ in parts]), rows) and torch.equal(
        torch.cat([b for _, b in parts]), rows * 2
    )


def test_correct_by_hand():
    model = nn.Flatten()  # the logits are the two pixels
    x = torch.tensor([[0.1, 0.9], [0.9, 0.2], [0.7, 0.7]]).view(3, 1, 1, 2)
    assert models.correct(model, x, torch.tensor([1, 1, 0])).tolist() == [True, False, True]


@pytest.mark.parametrize(
    "x",
    [torch.rand(3, 5, 5), torch.rand(0, 3, 5, 5), torch.full((1, 3, 5, 5), 2.0), torch.full((1, 3, 5, 5), torch.nan)],
)
def test_images_of_another_kind_are_refused(smooth, x):
    with pytest.raises(ValueError, match="x must"):
        models.predict(smooth, x.double())
