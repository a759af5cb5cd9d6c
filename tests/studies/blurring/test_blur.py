import pytest
import torch
import twins
from hypothesis import given
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter
from twins import images

from roa_helpers.studies.blurring import blur


def maps(n=3, height=5, width=4, *, levels=None, seed=0):
    values = torch.rand(n, height, width, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return values if levels is None else (levels * values).floor()


@pytest.mark.parametrize("sigma", [0.5, 1.0, 4.0])
def test_gaussian_equals_its_twin(sigma):
    x = torch.rand(2, 3, 7, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    smooth = blur.gaussian(x, sigma)
    for k in range(2):
        for c in range(3):
            assert torch.allclose(smooth[k, c], twins.gaussian(x[k, c], sigma), rtol=0, atol=1e-12)


@pytest.mark.parametrize("sigma", [0.3, 2.0, 4.0])
def test_gaussian_equals_scipy(sigma):
    x = images(2, 32)[0]
    theirs = gaussian_filter(x.numpy(), sigma, axes=(2, 3))
    assert torch.allclose(blur.gaussian(x, sigma), torch.as_tensor(theirs), rtol=0, atol=1e-12)


def test_gaussian_without_width_changes_nothing_and_flat_images_stay_flat():
    x = images()[0]
    assert torch.equal(blur.gaussian(x, 0), x)
    flat = torch.full((1, 3, 8, 8), 0.7, dtype=torch.float64)
    assert torch.allclose(blur.gaussian(flat, 4), flat, rtol=0, atol=1e-12)


def test_gaussian_keeps_the_mean_and_the_range():
    x = images(4, 16)[0]
    smooth = blur.gaussian(x, 4)
    assert torch.allclose(smooth.mean((2, 3)), x.mean((2, 3)), atol=1e-12)
    assert smooth.min() > x.min() and smooth.max() < x.max() and smooth.std() < x.std() / 2


@given(share=st.floats(0, 1), levels=st.sampled_from([None, 1, 3]))
def test_keep_mask_equals_its_twin(share, levels):
    importance = maps(levels=levels)
    keep = blur.keep_mask(importance, share)
    for k, one in enumerate(importance):
        assert keep[k, 0].tolist() == twins.keep_mask(one, share)


def test_the_highest_are_kept_and_the_lowest_are_not():
    importance = torch.tensor([[[-9.0, 0.1], [0.2, 5.0]]])
    assert blur.keep_mask(importance, 0.25)[0, 0].tolist() == [[False, False], [False, True]]
    assert blur.keep_mask(importance, 0.3)[0, 0].tolist() == [[False, False], [True, True]]  # ⌈1.2⌉ pixels
    assert not blur.keep_mask(importance, 0).any() and blur.keep_mask(importance, 1).all()


def test_at_least_the_share_is_kept_and_ties_are_kept_together():
    importance = maps(4, 32, 32)
    kept = blur.keep_mask(importance, 0.15).sum((1, 2, 3))
    assert kept.tolist() == [154] * 4  # ⌈.15 · 1024⌉
    assert blur.keep_mask(torch.zeros(1, 4, 4), 0.15).all()


def test_kept_pixels_are_their_own_and_the_others_are_blurred():
    x = images(2, 8)[0]
    keep = torch.zeros(2, 1, 8, 8, dtype=torch.bool)
    keep[:, :, 2:4, 5] = True
    out, smooth = blur.blurred(x, keep, 4), blur.gaussian(x, 4)
    inside = keep.expand_as(x)
    assert torch.equal(out[inside], x[inside]) and torch.equal(out[~inside], smooth[~inside])
    assert (out[~inside] != x[~inside]).all()


def test_pull_back_is_the_gradient_through_the_blur_with_a_fixed_mask():
    x, _ = images(1, 4)
    keep, weight = blur.keep_mask(maps(1, 4, 4), 0.3), torch.rand(1, 3, 4, 4, dtype=torch.float64)
    g = blur.pull_back(weight, keep, 1.5)
    twin = twins.gradient(lambda v: float((blur.blurred(v[None], keep, 1.5) * weight).sum()), x[0])
    assert torch.allclose(g[0], twin, rtol=0, atol=1e-8)
    assert not torch.allclose(g, weight * keep)  # what is blurred still carries gradient


def test_pull_back_of_what_is_kept_is_the_gradient_itself():
    g = images(2, 6)[0]
    whole = torch.ones(2, 1, 6, 6, dtype=torch.bool)
    assert torch.equal(blur.pull_back(g, whole, 4), g)
    assert torch.allclose(blur.pull_back(g, ~whole, 0), g)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: blur.gaussian(torch.zeros(1, 1, 4, 4), -1), "sigma"),
        (lambda: blur.keep_mask(torch.zeros(4, 4), 0.1), r"\(N, H, W\)"),
        (lambda: blur.keep_mask(torch.zeros(1, 4, 4), 1.1), "share"),
        (lambda: blur.keep_mask(torch.full((1, 4, 4), torch.nan), 0.1), "NaN"),
        (lambda: blur.blurred(torch.zeros(1, 1, 4, 4), torch.zeros(1, 4, 4, dtype=torch.bool), 1), "region"),
    ],
)
def test_refuses(call, words):
    with pytest.raises(ValueError, match=words):
        call()
