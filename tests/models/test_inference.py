"""Asking a network: chunks, right answers, images that it refuses."""

import pytest
import torch
from torch import nn
from twins import images

from roa_helpers import attacks, explain, models


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


def test_a_model_is_given_a_copy_of_one_chunk_with_its_layout(smooth):
    seen = []

    class Keeping(nn.Module):
        def forward(self, x):
            seen.append(x)
            return smooth(x)

    x = images(models.CHUNK + 1, 5)[0].to(memory_format=torch.channels_last)
    models.predict(Keeping(), x)
    assert [len(given) for given in seen] == [models.CHUNK, 1]
    assert torch.equal(torch.cat(seen), x)
    assert all(given.is_contiguous(memory_format=torch.channels_last) for given in seen)
    assert all(given.untyped_storage().data_ptr() != x.untyped_storage().data_ptr() for given in seen)
    assert [given.untyped_storage().nbytes() for given in seen] == [given.nbytes for given in seen]


def test_ask_keeps_the_graph_of_the_images_and_casts_within_it():
    model = nn.Sequential(nn.Flatten(), nn.Linear(12, 2, bias=False)).requires_grad_(False)
    x = torch.rand(1, 3, 2, 2, dtype=torch.float64, requires_grad=True)
    logits = models.ask(model, x)
    slope = models.gradient(logits[0, 1], x)
    assert logits.dtype == torch.float32 and slope.dtype == torch.float64
    assert torch.equal(slope.flatten(), model[1].weight[1].double())


def test_logits_of_half_precision_are_handed_on_as_float32():
    model = nn.Sequential(nn.Flatten(), nn.Linear(12, 2)).bfloat16()
    x = torch.rand(3, 3, 2, 2)
    logits = models.predict(model, x)
    assert logits.dtype == torch.float32 and torch.equal(logits, model(x.bfloat16()).float())


def test_chunks_of_inference_mode_are_ordinary_outside_of_it(smooth):
    with torch.inference_mode():
        x = torch.rand(3, 3, 5, 5)
        inside = next(models.chunks(smooth, x))[0]
    outside = next(models.chunks(smooth, x))[0]
    assert inside.is_inference() and not outside.is_inference() and torch.equal(inside, outside)


def test_a_score_that_hangs_on_nothing_has_no_gradient():
    x, other = (torch.rand(2, 3, requires_grad=True) for _ in range(2))
    for score in (other.sum(), x.detach().sum()):
        with pytest.raises(ValueError, match="there is no gradient"):
            models.gradient(score, x)
    score = (x**2).sum()
    assert torch.equal(models.gradient(score, x, keep=True), 2 * x) and torch.equal(models.gradient(score, x), 2 * x)


def test_a_frozen_model_leaves_the_callers_inference_mode_and_comes_back(smooth):
    with torch.inference_mode():
        with models.frozen(smooth):
            assert not torch.is_inference_mode_enabled()
        assert torch.is_inference_mode_enabled()
    with torch.no_grad(), models.frozen(smooth):
        assert not torch.is_grad_enabled()


@pytest.mark.parametrize(
    "x",
    [torch.rand(3, 5, 5), torch.rand(0, 3, 5, 5), torch.full((1, 3, 5, 5), 2.0), torch.full((1, 3, 5, 5), torch.nan)],
)
def test_images_of_another_kind_are_refused(smooth, x):
    with pytest.raises(ValueError, match="x must"):
        models.predict(smooth, x.double())


class Normed(nn.Module):
    """Logits that are finite everywhere, and a gradient that is not at an image of one colour: a norm of 0."""

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3))

    def forward(self, x):
        return self.body(x) + (x - x.mean((1, 2, 3), keepdim=True)).square().sum((1, 2, 3)).sqrt()[:, None]


@pytest.mark.parametrize(
    "ask",
    [
        lambda model, x, y: attacks.fgsm(model, x, y, eps=0.1),
        lambda model, x, y: attacks.bim(model, x, y, eps=0.1, step=0.1, steps=1),
        lambda model, x, y: explain.saliency(model, x, y),
    ],
)
def test_a_gradient_that_is_no_number_is_refused_and_not_taken_for_a_pixel_that_need_not_move(ask):
    x = torch.rand(3, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    x[1] = 0.0
    model, y = Normed(), torch.tensor([0, 1, 2])
    assert models.predict(model, x).isfinite().all()
    with pytest.raises(ValueError, match="the gradient is NaN or infinite for 1 of 3 images, the first 1: look for"):
        ask(model, x, y)
