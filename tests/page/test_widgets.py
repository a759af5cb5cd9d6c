"""Widgets: what is shown at each position of each control, read from the links and stacks."""

import base64
import io
import re

import ipywidgets as w
import numpy as np
import pytest
from PIL import Image

from roa_helpers.page import sheets, widgets


def frame(grey, *, title="t"):
    return sheets.Strip(title, (sheets.Cell(np.full((2, 3), grey), f"{grey:g}"),))


def shown(child):
    """The grey level of the picture that an HTML widget holds."""
    data = base64.b64decode(re.search(r"base64,([^\"]+)", child.value)[1])
    return np.asarray(Image.open(io.BytesIO(data)).convert("L"))[0, 0] / 255


def links_from(control):
    """Everything that is linked to the index of a control in the browser."""
    models = w.Widget.get_manager_state(drop_defaults=False)["state"].values()
    links = [m["state"] for m in models if m["model_name"] == "LinkModel"]
    return {tuple(x["target"]) for x in links if x["source"] == [f"IPY_MODEL_{control.model_id}", "index"]}


def target(stack):
    return (f"IPY_MODEL_{stack.model_id}", "selected_index")


def test_a_slider_shows_its_values_and_moves_the_stack():
    slider, stack, _ = widgets.browse([frame(0), frame(1)], [widgets.slider("θ", [0.1, 0.25], start=1)]).children
    assert isinstance(slider, w.SelectionSlider) and slider.description == "θ ="
    assert [label for label, _ in slider.options] == ["0.10", "0.25"]
    assert slider.index == stack.selected_index == 1
    assert [shown(child) for child in stack.children] == [0, 1]
    assert links_from(slider) == {target(stack)}


def test_every_stack_of_an_axis_follows_its_control():
    greys = np.arange(12).reshape(2, 2, 3) / 15
    frames = [[[frame(g) for g in row] for row in block] for block in greys]
    axes = [widgets.choice("set", ["a", "b"]), widgets.slider("r", [1, 2]), widgets.slider("c", [0.5, 0.6, 0.7])]
    first, second, third, outer, _ = widgets.browse(frames, axes).children
    assert isinstance(first, w.Dropdown)
    middle = outer.children
    inner = [stack for m in middle for stack in m.children]
    assert links_from(first) == {target(outer)}
    assert links_from(second) == {target(stack) for stack in middle}
    assert links_from(third) == {target(stack) for stack in inner}
    found = [[[shown(child) for child in stack.children] for stack in m.children] for m in middle]
    assert np.array(found) == pytest.approx(greys)


def test_what_stands_beside_changes_with_the_first_control_only():
    frames = [[frame(0.2), frame(0.4)], [frame(0.6), frame(0.8)]]
    axes = [widgets.choice("set", ["a", "b"]), widgets.slider("θ", [1, 2])]
    first, second, stack, below = widgets.browse(
        frames, axes, beside=[frame(0), frame(1)], legend={"UV": "#E69F00"}
    ).children
    assert [shown(box.children[0]) for box in stack.children] == [0, 1]
    assert links_from(first) == {target(stack)}
    assert links_from(second) == {target(box.children[1]) for box in stack.children}
    assert "#E69F00" in below.value and "<style>" in below.value


def test_frames_share_what_they_do_not_need_for_themselves():
    _, stack, _ = widgets.browse([frame(g) for g in (0, 0.5, 1)], [widgets.slider("θ", [1, 2, 3])]).children
    assert len({child.layout.model_id for child in stack.children}) == 1
    assert len({child.style.model_id for child in stack.children}) == 1


def test_equal_texts_are_told_apart():
    control, _, _ = widgets.browse([frame(0), frame(1)], [widgets.choice("class", ["0", "0"])]).children
    assert control.options == (("0", 0), ("0", 1))


@pytest.fixture
def still(monkeypatch):
    monkeypatch.setenv(widgets.STILL, "1")


def called(record):
    def one(*values):
        record.append(values)
        return frame(values[-1] / 10, title=str(values))

    return one


def test_for_the_book_a_function_is_called_for_all_values_beforehand(still):
    calls = []
    axes = [widgets.choice("set", ["a", "b"]), widgets.slider("θ", [1, 5], fine=[1, 2, 5]), widgets.choice("x", [9])]
    *controls, stack, _ = widgets.browse(called(calls), axes).children
    assert calls == [(name, theta, 9) for name in "ab" for theta in (1, 5)]
    assert [control.description for control in controls] == ["set", "θ ="]  # of one value there is nothing to choose
    inner = stack.children[1].children
    assert "(&#x27;b&#x27;, 5, 9)" in inner[1].children[0].value and links_from(controls[0]) == {target(stack)}


def test_at_a_kernel_a_function_is_called_anew_in_finer_steps(monkeypatch):
    monkeypatch.delenv(widgets.STILL, raising=False)
    calls = []
    axes = [widgets.slider("θ", [0.2, 0.5], start=1, fine=[0.2, 0.3, 0.52]), widgets.choice("image", [1], fine=[1, 2])]
    theta, image, shown, _ = widgets.browse(called(calls), axes).children
    assert theta.index == 2 and [label for label, _ in theta.options] == ["0.20", "0.30", "0.52"]
    before = shown.value
    theta.index, image.index = 1, 1
    assert calls == [(0.52, 1), (0.3, 1), (0.3, 2)] and shown.value != before and "(0.3, 2)" in shown.value


def test_at_a_kernel_what_stands_beside_follows_the_first_control(monkeypatch):
    monkeypatch.delenv(widgets.STILL, raising=False)
    axes = [widgets.choice("set", ["a", "b"]), widgets.slider("θ", [1, 2])]
    first, _, box, _ = widgets.browse(called([]), axes, beside=[frame(0), frame(1)]).children
    assert links_from(first) == {target(box.children[0])}


def test_a_slider_starts_at_what_is_nearest():
    assert widgets.nearest([0.1, 0.25, 0.5], 0.3) == 1 and widgets.nearest(range(3), 7) == 2


ONE, TWO = widgets.slider("x", [1]), widgets.slider("y", [1, 2])


@pytest.mark.parametrize(
    ("frames", "axes", "beside"),
    [
        ([frame(0), frame(1)], [ONE], None),
        ([], [widgets.slider("x", [])], None),
        ([[frame(0), frame(1)], [frame(0)]], [TWO, TWO], None),
        ([frame(0), frame(1)], [TWO], [frame(0)]),
        ([frame(0), frame(1)], [widgets.slider("y", [1, 2], start=2)], None),
    ],
)
def test_empty_and_ragged_input_is_refused(frames, axes, beside):
    with pytest.raises(ValueError, match="entries|position"):
        widgets.browse(frames, axes, beside=beside)


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
