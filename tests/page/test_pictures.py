"""Pixel arrays: regions, borders and attacked images on arrays small enough to check by eye."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from matplotlib.colors import to_rgb
from skimage.color import rgb2lab

from roa_helpers import attacks, regions
from roa_helpers.page import figures, pictures
from roa_helpers.studies.roi_roa import maps


def test_regions_drawn_are_those_of_the_package(units):
    stored = maps.example(units[0], 0)
    u, v = stored["importance"], stored["vulnerability_gradient"]
    expected = regions.isolate(torch.tensor(u >= 0.3)[None], torch.tensor(v >= 0.2)[None])
    drawn = maps.four_regions(u, v, 0.3, 0.2)
    assert all(np.array_equal(mask, getattr(expected, name)[0].numpy()) for name, mask in drawn.items())


def test_coloured_regions_leave_no_pixel_uncoloured():
    masks = maps.four_regions(np.array([[0.1, 0.9]]), np.array([[0.1, 0.9]]), 0.5, 0.5)
    drawn = maps.coloured_regions(np.zeros((3, 1, 2)), masks, strength=1.0)
    expected = [to_rgb(figures.REGION_COLOURS[name]) for name in ("not_u_not_v", "uv")]
    assert drawn[0] == pytest.approx(np.array(expected))


def border_twin(mask):
    """Pixels of the region with a neighbour above, below, left or right that is inside the image and outside it."""
    height, width = mask.shape
    found = np.zeros_like(mask)
    for y in range(height):
        for x in range(width):
            around = [(y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1)]
            inside = [(a, b) for a, b in around if 0 <= a < height and 0 <= b < width]
            found[y, x] = mask[y, x] and not all(mask[place] for place in inside)
    return found


@given(arrays(bool, st.tuples(st.integers(1, 6), st.integers(1, 6))))
def test_a_border_lies_in_the_region_along_its_outside(mask):
    drawn = pictures.bordered(np.zeros((3, *mask.shape)), mask, "#FF0000")
    assert np.array_equal(drawn[..., 0] == 1, border_twin(mask))
    assert not drawn[..., 1:].any()


levels = st.integers(0, 255).map(lambda k: np.float32(k / 255))


@given(arrays(np.float32, (1, 3, 2, 2), elements=levels), arrays(np.int8, (1, 3, 2, 2), elements=st.integers(-1, 1)),
       st.sampled_from([0.002, 0.031, 0.25]), st.sampled_from([0.004, 0.125]))  # fmt: skip
def test_an_attack_is_recovered_at_every_strength_from_one(image, signs, used, eps):
    x, gradient = torch.from_numpy(image), torch.from_numpy(signs).float()
    steps = ((attacks.sign_step(x, gradient, eps=used) - x) / used).numpy().astype(np.float16)
    expected = attacks.sign_step(x, gradient, eps=eps).numpy()
    assert maps.attacked(image, steps.astype(float), eps) == pytest.approx(expected, abs=1e-6)


def test_perturbations_are_grey_where_nothing_moved():
    steps = np.array([0, 1, -1]).reshape(3, 1, 1)
    assert maps.perturbation(steps)[0, 0].tolist() == [0.5, 1, 0]


def test_a_blob_is_black_and_its_pixels_are_neutralised():
    blob = np.array([[True, False]])
    assert maps.blob_picture(blob)[0].tolist() == [[0, 0, 0], [1, 1, 1]]
    assert maps.neutralised(np.full((3, 1, 2), 0.5), blob, 1.0)[:, 0].tolist() == [[1, 0.5]] * 3


def lightness(colours):
    """CIELAB lightness of a colour map from 0 to 1."""
    return rgb2lab(pictures.heat(np.linspace(0, 1, 256)[None], colours))[0, :, 0]


def test_the_lightness_of_the_default_colours_rises_with_the_value_and_that_of_the_papers_does_not():
    for kind in ("importance", "vulnerability"):
        assert (np.diff(lightness(figures.MAPS[kind])) > 0).all()
    steps = np.diff(lightness(figures.MAPS["paper"]))
    assert (steps > 0).any() and (steps < 0).any()
