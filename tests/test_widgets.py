"""Widgets: what is shown at each position of each control, read from the links and stacks."""

import base64
import io
import re

import ipywidgets as w
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from roa_helpers import widgets

RED, GREEN, BLUE = (np.full((2, 3, 3), colour, np.uint8) for colour in ((255, 0, 0), (0, 255, 0), (0, 0, 255)))


def decoded(data):
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


def shown(child):
    """The picture that an HTML widget holds."""
    return decoded(base64.b64decode(re.search(r"base64,([^\"]+)", child.value)[1]))


def links_from(control):
    """Everything that is linked to the index of a control in the browser."""
    models = w.Widget.get_manager_state(drop_defaults=False)["state"].values()
    links = [m["state"] for m in models if m["model_name"] == "LinkModel"]
    return {tuple(x["target"]) for x in links if x["source"] == [f"IPY_MODEL_{control.model_id}", "index"]}


def target(stack):
    return (f"IPY_MODEL_{stack.model_id}", "selected_index")


@given(st.integers(1, 5))
def test_scaling_repeats_every_pixel(scale):
    image = np.arange(12, dtype=np.uint8).reshape(2, 2, 3) * 20
    (data,) = widgets.frames([image], scale=scale)
    assert np.array_equal(decoded(data), np.kron(image, np.ones((scale, scale, 1), np.uint8)))


def test_formats_and_ready_bytes():
    grey = np.eye(8, dtype=np.uint8) * 255
    for name in ("webp", "png", "jpeg"):
        (data,) = widgets.frames([grey], format=name)
        assert Image.open(io.BytesIO(data)).format.lower() == name
        assert widgets.frames([data]) == [data]
    assert len(widgets.frames([RED], quality=10)[0]) > 0


@pytest.mark.parametrize("image", [np.zeros((2, 2)), np.zeros((2, 2, 4), np.uint8), np.zeros(4, np.uint8)])
def test_frames_refuse_what_is_not_a_picture(image):
    with pytest.raises(ValueError, match="uint8"):
        widgets.frames([image])


def test_frames_refuse_nothing_and_no_size():
    with pytest.raises(ValueError, match="at least one"):
        widgets.frames([])
    with pytest.raises(ValueError, match="scale"):
        widgets.frames([RED], scale=0)


def test_slider_shows_its_values_and_moves_the_stack():
    slider, stack = widgets.slider_stack(widgets.frames([RED, GREEN]), [0.1, 0.25], description="θ").children
    assert [label for label, _ in slider.options] == ["0.10", "0.25"]
    assert stack.selected_index == 0
    assert [tuple(shown(c)[0, 0]) for c in stack.children] == [(255, 0, 0), (0, 255, 0)]
    assert 'alt="θ = 0.25"' in stack.children[1].value
    assert links_from(slider) == {target(stack)}


def test_grid_links_one_slider_to_every_row():
    frames = [widgets.frames([RED, GREEN, BLUE]), widgets.frames([BLUE, RED, GREEN])]
    rows, cols, outer = widgets.grid_stack(frames, [1, 2], ["a", "b", "c"], row_label="r", col_label="c").children
    assert links_from(rows) == {target(outer)}
    assert links_from(cols) == {target(stack) for stack in outer.children}
    assert [[tuple(shown(c)[0, 0]) for c in s.children] for s in outer.children] == [
        [(255, 0, 0), (0, 255, 0), (0, 0, 255)],
        [(0, 0, 255), (255, 0, 0), (0, 255, 0)],
    ]


def test_chooser_shows_the_first_child_first():
    children = {"one": w.Label("1"), "two": w.Label("2")}
    dropdown, stack = widgets.chooser(children, description="which").children
    assert dropdown.options == ("one", "two") and dropdown.index == 0 and stack.selected_index == 0
    assert list(stack.children) == list(children.values())
    assert links_from(dropdown) == {target(stack)}


@pytest.mark.parametrize(
    "build",
    [
        lambda f: widgets.slider_stack(f, [1], description="x"),
        lambda f: widgets.slider_stack([], [], description="x"),
        lambda f: widgets.grid_stack([f, f[:1]], [1, 2], [1, 2], row_label="r", col_label="c"),
        lambda f: widgets.grid_stack([f], [1, 2], [1, 2], row_label="r", col_label="c"),
        lambda f: widgets.chooser({}, description="x"),
    ],
)
def test_empty_and_ragged_input_is_refused(build):
    with pytest.raises(ValueError):
        build(widgets.frames([RED, GREEN]))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.1, "0.10"),
        (0.125, "0.125"),
        (1.0, "1.00"),
        (0.1 + 0.05, "0.15"),
        (np.float32(0.3), "0.30"),
        (3, "3"),
        ("a", "a"),
    ],
)
def test_values_read_as_a_person_would_write_them(value, text):
    assert widgets.text_of(value) == text


def test_names_are_escaped():
    assert "<script>" not in widgets.legend({"<script>": "#fff"}, title="<script>").value
    assert "<b" not in widgets.picture(widgets.frames([RED])[0], 'a"><b').value
    assert "<b>x" not in widgets.captioned(w.Label("x"), "<b>x").children[1].value
