"""Regions that an attack may be confined to."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from roa_helpers.studies.localized import placement

CHOICES = {"scale": 50, "sigma": 0, "min_size": 20, "count": 3, "low": 0.02, "high": 0.5}


@pytest.fixture(scope="module")
def photo():
    """Four rectangles of one colour each, of 60 %, 20 %, 15 % and 5 % of the photo."""
    image = np.zeros((3, 40, 40))
    image[0, :, :24], image[1, :20, 24:], image[2, 20:35, 24:] = 1, 1, 1
    return image


def test_segments_are_the_largest_within_the_limits(photo):
    found = placement.segments(photo, **CHOICES)
    assert [region.sum() for region in found] == [320, 240, 80]  # the largest, 960, is too large
    assert (found.sum(0) <= 1).all() and found.dtype == bool
    assert (placement.segments(photo, **CHOICES | {"count": 1}) == found[:1]).all()
    assert len(placement.segments(photo, **CHOICES | {"low": 0.1})) == 2


def test_a_photo_of_one_colour_has_no_region():
    assert placement.segments(np.zeros((3, 40, 40)), **CHOICES).shape == (0, 40, 40)
    assert placement.placed(np.zeros((3, 40, 40)), "blobs", seed=0, **CHOICES).shape == (0, 40, 40)


@given(seed=st.integers(0, 1000), areas=st.lists(st.integers(1, 400), min_size=1, max_size=4))
def test_squares_are_square_and_blobs_have_the_area(seed, areas):
    for region, area in zip(placement.squares(areas, (20, 24), seed=seed), areas, strict=True):
        rows, columns = np.flatnonzero(region.any(1)), np.flatnonzero(region.any(0))
        assert len(rows) == len(columns) == max(1, round(area**0.5)) and region.sum() == len(rows) ** 2
        assert np.ptp(rows) == np.ptp(columns) == len(rows) - 1
    assert placement.blobs(areas, (20, 24), seed=seed).sum((1, 2)).tolist() == areas


def test_a_square_larger_than_the_photo_is_cut_to_it():
    assert placement.squares([1000], (20, 24), seed=0).sum() == 400


def test_blobs_are_neither_scattered_nor_disks():
    disk = 8 * (400 / np.pi) ** 0.5  # the outline of a disk of that area, counted in edges of pixels
    blobs = [placement.blobs([400], (64, 64), seed=seed)[0] for seed in range(12)]
    edges = [(b[1:] != b[:-1]).sum() + (b[:, 1:] != b[:, :-1]).sum() for b in blobs]
    assert disk < np.mean(edges) and max(edges) < 2 * disk


def test_places_depend_on_the_seed_alone(photo):
    for kind in ("squares", "blobs"):
        first, again, other = (placement.placed(photo, kind, seed=seed, **CHOICES) for seed in (1, 1, 2))
        assert (first == again).all() and (first != other).any()
        assert first.sum((1, 2)) == pytest.approx(
            placement.placed(photo, "segments", seed=1, **CHOICES).sum((1, 2)), rel=0.1
        )


def test_an_unknown_kind_is_refused(photo):
    with pytest.raises(ValueError, match="segments, squares or blobs, not 'stars'"):
        placement.placed(photo, "stars", seed=0, **CHOICES)
