"""Sheets: exact pixels, texts in place of pictures, the colour switch."""

import base64
import io
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from roa_helpers.page import sheets

GREY = np.full((2, 3), 0.5)


def images(markup):
    """(attributes, pixels as uint8 RGB) of every picture of a markup."""
    found = re.findall(r'<img ([^>]*?)src="data:image/webp;base64,([^"]+)">', markup)
    return [(a, np.asarray(Image.open(io.BytesIO(base64.b64decode(d))).convert("RGB"))) for a, d in found]


@given(st.integers(1, 5), st.integers(1, 5), st.booleans(), st.integers(0, 2**32 - 1))
def test_a_picture_keeps_every_pixel(height, width, coloured, seed):
    values = np.random.default_rng(seed).integers(0, 256, (height, width, 3) if coloured else (height, width))
    ((attributes, pixels),) = images(sheets.img(values / 255, "x"))
    assert np.array_equal(pixels, values if coloured else np.repeat(values[..., None], 3, axis=-1))
    assert f'width="{width}" height="{height}"' in attributes


def test_a_lossy_file_is_smaller():
    noise = np.random.default_rng(0).random((48, 48, 3))
    assert len(sheets.encode(noise, quality=50)) < len(sheets.encode(noise)) / 2


@pytest.mark.parametrize(
    "image", [np.zeros(4), np.zeros((2, 2, 4)), np.full((2, 2), 1.1), np.full((2, 2), -0.1), np.full((2, 2), np.nan)]
)
def test_what_is_not_a_picture_is_refused(image):
    with pytest.raises(ValueError, match="a picture"):
        sheets.encode(image)


def test_the_alternative_text_holds_the_title_and_the_label():
    strip = sheets.Strip("MNIST: 0", (sheets.Cell(GREY, "image\nP = 1.00"), sheets.Cell(GREY, "blob")))
    markup = strip.markup()
    assert [re.search('alt="([^"]*)"', a)[1] for a, _ in images(markup)] == [
        "MNIST: 0: image, P = 1.00",
        "MNIST: 0: blob",
    ]
    assert "image<br>P = 1.00" in markup and "--roa-cells:2" in markup


def test_names_are_escaped():
    bad = '"><b>'
    cell = sheets.Cell(GREY, bad, paper=GREY)
    sheet = sheets.Sheet((sheets.Strip(bad, (cell,)),), legend={bad: bad}, bars=(sheets.Bar(bad, GREY),))
    assert "<b>" not in sheet.markup(name=bad, alt=bad)


def test_the_switch_is_there_where_there_are_two_colours():
    alone = sheets.Sheet((sheets.Strip("t", (sheets.Cell(GREY, "a"),)),)).markup(name="fig", alt="x")
    assert "radio" not in alone and len(images(alone)) == 1
    both = sheets.Sheet((sheets.Strip("t", (sheets.Cell(GREY, "a", paper=1 - GREY / 2),)),)).markup(name="fig", alt="x")
    (even, one), (paper, other) = images(both)
    assert "roa-even" in even and "hidden" not in even and one[0, 0, 0] == 128
    assert "roa-paper" in paper and "hidden" in paper and other[0, 0, 0] == 191
    buttons = re.findall("<input ([^>]*)>", both)
    assert [("even" in b, "checked" in b) for b in buttons] == [(True, True), (False, False)]
    assert all('name="fig-colours"' in b for b in buttons)


def test_a_sheet_says_what_it_shows_and_what_its_colours_mean():
    bar = sheets.Bar("share of images", np.linspace(0, 1, 4)[None])
    sheet = sheets.Sheet((sheets.Strip("t", (sheets.Cell(GREY, "a"),)),), legend={"U+V+": "#E69F00"}, bars=(bar,))
    markup = sheet.markup(name="fig", alt="two maps")
    assert 'aria-label="two maps"' in markup and "background:#E69F00" in markup and "share of images" in markup
    assert images(markup)[1][1].shape == (1, 4, 3)
