"""Widgets that need no kernel: every frame is computed beforehand and controls are linked in the browser.

A control is linked to the ``selected_index`` of a stack of frames, so the widget works in a saved notebook, in the
published HTML, and without a network. Keyboard: Tab reaches a control, the arrow keys move it. Where frames are given
as a function, someone who sits at a kernel moves the same controls in finer steps, and each frame is computed anew.
"""

import math
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import ipywidgets as w
import numpy as np

from . import sheets

WIDE = {"description_width": "initial"}
#: Set in the environment of a notebook that is executed for the book: there is no kernel where it is read.
STILL = "ROA_STILL"


@dataclass(frozen=True)
class Axis:
    """What one control chooses. One that has a single value is not seen.

    Attributes:
        name: the label, for example "θ".
        values: what the control shows, for example 0.10, 0.15, …; text is shown as it is.
        start: position at the beginning.
        slider: whether the values are in order (a slider) or not (a list).
        fine: what it shows where frames are computed anew; None: the same.
    """

    name: str
    values: Sequence
    start: int = 0
    slider: bool = True
    fine: Sequence | None = None


def slider(name: str, values: Sequence, *, start: int = 0, fine: Sequence | None = None) -> Axis:
    """A slider over ``values``."""
    return Axis(name, list(values), start, fine=fine)


def choice(name: str, values: Sequence, *, start: int = 0, fine: Sequence | None = None) -> Axis:
    """A drop-down list of ``values``."""
    return Axis(name, list(values), start, slider=False, fine=fine)


def nearest(values: Sequence[float], value: float) -> int:
    """The position of what is nearest to ``value``: where a slider starts that shows what a study has chosen."""
    return int(np.abs(np.asarray(list(values), dtype=float) - value).argmin())


def browse(
    frames: Sequence | Callable,
    axes: Sequence[Axis],
    *,
    beside: Sequence[sheets.Strip] | None = None,
    legend: Mapping[str, str] | None = None,
) -> w.VBox:
    """Frames behind one control an axis: ``frames[i][j]…`` is shown at the i-th value of the first axis, and so on.

    Args:
        frames: :class:`roa_helpers.page.sheets.Strip` in lists nested as deep as there are axes; or a function from a
            value of each axis to a strip, which is called anew whenever a control moves, and beforehand for all
            ``values`` where the notebook is executed for the book (``STILL`` is set).
        axes: the controls, the outermost list first.
        beside: a strip for each value of the first axis that stays while the other controls move.
        legend: CSS colours by what they mean, shown below.

    Raises:
        ValueError: a list and its axis (or ``beside`` and the first axis) of different lengths, or empty; a start
            outside the values.
    """
    below = w.HTML(sheets.STYLE + sheets.legend_markup(legend or {}))
    shared = {"layout": below.layout, "style": below.style}  # each frame's own would weigh more than its picture
    still = beside and [w.HTML(strip.markup(), **shared) for strip in beside]
    if callable(frames):
        if STILL not in os.environ:
            return _live(frames, [_fine(axis) for axis in axes], still, below)
        frames = _computed(frames, axes)
    controls = [_control(axis) for axis in axes]
    stack = _stacked(frames, list(zip(axes, controls, strict=True)), shared, still, "frames")
    return _framed(*_seen(controls), stack, below)


def _computed(frame, axes):
    """The frames of all values of the axes, nested."""
    if not axes:
        return frame()
    return [_computed(lambda *rest, value=value: frame(value, *rest), axes[1:]) for value in axes[0].values]


def _fine(axis):
    """The axis with its fine values, at the one nearest to where it starts."""
    if axis.fine is None:
        return axis
    values, first = list(axis.fine), axis.values[axis.start]
    start = values.index(first) if first in values else nearest(values, first) if axis.slider else 0
    return Axis(axis.name, values, start, axis.slider)


def _live(frame, axes, still, below):
    """Controls that call ``frame`` whenever one of them moves."""
    controls, shown = [_control(axis) for axis in axes], w.HTML()

    def show(_=None):
        values = [axis.values[control.index] for axis, control in zip(axes, controls, strict=True)]
        shown.value = frame(*values).markup()

    for control in controls:
        control.observe(show, names="index")
    show()
    if still is None:
        return _framed(*_seen(controls), shown, below)
    _need_equal("beside", len(still), axes[0].name, len(axes[0].values))
    stack = w.Stack(still, selected_index=axes[0].start)
    w.jslink((controls[0], "index"), (stack, "selected_index"))
    return _framed(*_seen(controls), _beside(stack, shown, {}), below)


def _seen(controls):
    return [control for control in controls if len(control.options) > 1]


def text_of(value) -> str:
    """A number with two decimals (more where two would hide it), anything else as it is."""
    if not isinstance(value, float | np.floating):
        return str(value)
    short = f"{value:.2f}"
    return short if math.isclose(float(short), value, rel_tol=1e-6) else f"{value:.4g}"


def _stacked(frames, path, shared, beside, where):
    """The stack of the first axis of ``path``, over the stacks of the others, down to the frames."""
    if not path:
        return w.HTML(frames.markup(), **shared)
    (axis, control), *rest = path
    _need_equal(where, len(frames), axis.name, len(axis.values))
    children = [_stacked(f, rest, shared, None, f"{where}[{i}]") for i, f in enumerate(frames)]
    if beside is not None:
        _need_equal("beside", len(beside), axis.name, len(axis.values))
        children = [_beside(*pair, shared) for pair in zip(beside, children, strict=True)]
    stack = w.Stack(children, layout=shared["layout"])
    stack.selected_index = axis.start
    w.jslink((control, "index"), (stack, "selected_index"))
    return stack


def _control(axis):
    if not 0 <= axis.start < len(axis.values):
        raise ValueError(f"{axis.name} has {len(axis.values)} values, none at position {axis.start}")
    look = {"index": axis.start, "style": WIDE, "tooltip": axis.name}
    # Positions are what travels, so equal texts are told apart.
    options = [(text_of(value), i) for i, value in enumerate(axis.values)]
    if axis.slider:
        return w.SelectionSlider(options=options, description=f"{axis.name} =", continuous_update=True, **look)
    return w.Dropdown(options=options, description=axis.name, **look)


def _beside(still, moving, shared):
    box = w.Box([still, moving], **{name: value for name, value in shared.items() if name == "layout"})
    box.add_class("roa-beside")
    return box


def _framed(*children):
    """Children one below the other, as wide as the page allows (styled by the book)."""
    box = w.VBox(children)
    box.add_class("roa-widget")
    return box


def _need_equal(name, count, other, expected):
    if count == 0 or count != expected:
        raise ValueError(f"{name} holds {count} entries, {other} {expected}; they must be equal and not empty")
