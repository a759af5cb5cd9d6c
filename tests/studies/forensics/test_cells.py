"""A picture drawn as the authors drew theirs is read back exactly; another is refused."""

import io

import numpy as np
import pytest
from PIL import Image

from roa_helpers.errors import UserError
from roa_helpers.studies.forensics import cells

SHAPE = (cells.CELLS, cells.CELLS, 3)


def test_every_level_is_read_back(of):
    array = np.random.default_rng(0).integers(0, 256, SHAPE, dtype=np.uint8)
    assert np.array_equal(cells.read(of.drawn(array), path="it"), array)


def test_zeros_and_ones_and_what_lies_beyond_are_read_back(of):
    array = np.random.default_rng(1).choice([-0.4, 0.0, 1.0, 1.8], SHAPE)
    assert np.array_equal(cells.read(of.drawn(array), path="it") > 127, array >= 1)


def test_one_black_and_one_white_picture_are_read(of):
    for value in (0, 255):
        assert (cells.read(of.drawn(np.full(SHAPE, value, np.uint8)), path="it") == value).all()


def test_middles_lie_inside_their_cells():
    for start in (cells.UPPER, cells.FIRST):
        found, edges = cells.middles(start), start + cells.SIDE / cells.CELLS * np.arange(cells.CELLS + 1)
        assert (found - edges[:-1] > 0.75).all() and (edges[1:] - (found + 2) > 0.75).all()


def photo(pixels):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, format="png")
    return file.getvalue()


@pytest.mark.parametrize(
    ("make", "message"),
    (
        (lambda of: b"text", "it cannot be read as a picture"),
        (
            lambda of: of.drawn(np.zeros(SHAPE), size=(6, 5)),
            "it has 432×360 pixels\n  a picture that can be read has 432",
        ),
        (lambda of: of.drawn(np.zeros((30, 48, 3))), "it has no frame where the axes"),
        (lambda of: of.drawn(np.full(SHAPE, 0.7), frame=False), "it has no frame"),
        (lambda of: photo(np.zeros((288, 432, 3), np.uint8)), "it has no frame"),
        (lambda of: of.drawn(np.random.default_rng(2).random((31, 31, 3))), "does not show 48×48 cells of one colour"),
    ),
)
def test_other_pictures_are_refused(of, make, message):
    with pytest.raises(UserError, match=message):
        cells.read(make(of), path="it")
