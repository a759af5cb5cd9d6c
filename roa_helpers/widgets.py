"""Widgets that need no kernel: every frame is computed beforehand and controls are linked in the browser.

Each function returns an ipywidgets object. A control is linked to the ``selected_index`` of a stack of images, so the
widget works in a saved notebook, in the published HTML, and without a network. Keyboard: Tab reaches a control, the
arrow keys move it.
"""

import base64
import html
import io
import math
from collections.abc import Mapping, Sequence

import ipywidgets as w
import numpy as np
from PIL import Image

WIDE = {"description_width": "initial"}


def frames(images: Sequence, *, format: str = "webp", scale: int = 1, quality: int | None = None) -> list[bytes]:
    """Encode images once, for any number of widgets.

    Args:
        images: uint8 arrays (H, W) or (H, W, 3), or bytes that are encoded already (kept as they are).
        format: "webp", "png" or "jpeg".
        scale: whole number; every pixel becomes scale × scale pixels (nearest neighbour).
        quality: 1 to 100 for a lossy file; None keeps WebP lossless.

    Returns:
        One encoded image for each input.

    Raises:
        ValueError: no images, an array of another type or shape, or a scale below 1.
    """
    if len(images) == 0:
        raise ValueError("frames needs at least one image")
    if scale < 1:
        raise ValueError(f"scale must be 1 or more, got {scale}")
    return [i if isinstance(i, bytes) else encode(i, format=format, scale=scale, quality=quality) for i in images]


def encode(image, *, format: str, scale: int, quality: int | None) -> bytes:
    """One array as an image file in memory."""
    image = np.asarray(image)
    if image.dtype != np.uint8 or image.ndim not in (2, 3) or (image.ndim == 3 and image.shape[2] != 3):
        raise ValueError(f"a frame must be uint8 (H, W) or (H, W, 3), got {image.dtype} {image.shape}")
    picture = Image.fromarray(image.repeat(scale, axis=0).repeat(scale, axis=1))
    lossless = {"lossless": True} if quality is None and format == "webp" else {}
    options = lossless if quality is None else {"quality": quality}
    file = io.BytesIO()
    picture.save(file, format=format, **options)
    return file.getvalue()


def slider_stack(frames: Sequence[bytes], values: Sequence, *, description: str, alt: str | None = None) -> w.VBox:
    """One slider that shows frame i at its i-th value.

    Args:
        frames: encoded images, one for each value.
        values: what the slider shows, for example 0.10, 0.15, …; text is shown as it is.
        description: the label, for example "θ".
        alt: what the images show, for readers who do not see them; default: description and value.
    """
    need_equal("frames", len(frames), "values", len(values))
    labels = [text_of(v) for v in values]
    stack = w.Stack([picture(f, alt or f"{description} = {v}") for f, v in zip(frames, labels, strict=True)])
    stack.selected_index = 0
    slider = slider_of(labels, description)
    w.jslink((slider, "index"), (stack, "selected_index"))
    return framed(slider, stack)


def grid_stack(
    frames: Sequence[Sequence[bytes]],
    rows: Sequence,
    cols: Sequence,
    *,
    row_label: str,
    col_label: str,
    alt: str | None = None,
) -> w.VBox:
    """Two sliders over a grid of frames: ``frames[i][j]`` is shown at the i-th row and the j-th column value.

    Args:
        frames: encoded images, as many rows as ``rows`` and in each as many as ``cols``.
        rows, cols: what the two sliders show.
        row_label, col_label: their labels.
        alt: what the images show; default: labels and values.
    """
    need_equal("frames", len(frames), "rows", len(rows))
    for i, row in enumerate(frames):
        need_equal(f"frames[{i}]", len(row), "cols", len(cols))
    row_texts, col_texts = [text_of(r) for r in rows], [text_of(c) for c in cols]
    inner = []
    for row, r in zip(frames, row_texts, strict=True):
        alts = [alt or f"{row_label} = {r}, {col_label} = {c}" for c in col_texts]
        inner.append(w.Stack([picture(f, a) for f, a in zip(row, alts, strict=True)]))
    outer = w.Stack(inner)
    outer.selected_index = 0
    row_slider, col_slider = slider_of(row_texts, row_label), slider_of(col_texts, col_label)
    w.jslink((row_slider, "index"), (outer, "selected_index"))
    for stack in inner:
        stack.selected_index = 0
        w.jslink((col_slider, "index"), (stack, "selected_index"))
    return framed(row_slider, col_slider, outer)


def chooser(children: Mapping[str, w.Widget], *, description: str) -> w.VBox:
    """A drop-down list that shows one child at a time.

    Args:
        children: widgets by their name in the list.
        description: the label.
    """
    if not children:
        raise ValueError("chooser needs at least one child")
    stack = w.Stack(list(children.values()))
    stack.selected_index = 0
    dropdown = w.Dropdown(options=list(children), index=0, description=description, style=WIDE, tooltip=description)
    w.jslink((dropdown, "index"), (stack, "selected_index"))
    return framed(dropdown, stack)


def legend(colours: Mapping[str, str], *, title: str = "") -> w.HTML:
    """Coloured squares with their names.

    Args:
        colours: CSS colour by name, for example ``figures.REGION_COLOURS``.
        title: words before the squares.
    """
    items = "".join(
        f'<span class="roa-key"><span class="roa-swatch" style="background:{html.escape(c)}"></span>'
        f"{html.escape(name)}</span>"
        for name, c in colours.items()
    )
    head = f"<b>{html.escape(title)}</b> " if title else ""
    return w.HTML(f'<div class="roa-legend">{head}{items}</div>')


def captioned(widget: w.Widget, caption: str) -> w.VBox:
    """The widget with a line of text below it."""
    return framed(widget, w.HTML(f'<p class="roa-caption">{html.escape(caption)}</p>'))


def slider_of(labels: list[str], description: str) -> w.SelectionSlider:
    """A slider over texts; the index is what travels, so equal texts are told apart."""
    options = [(label, i) for i, label in enumerate(labels)]
    return w.SelectionSlider(
        options=options,
        index=0,
        description=f"{description} =",
        style=WIDE,
        tooltip=description,
        continuous_update=True,
    )


def picture(data: bytes, alt: str) -> w.HTML:
    """One image with its alternative text, which ``ipywidgets.Image`` cannot hold."""
    image = Image.open(io.BytesIO(data))
    source = f"data:image/{image.format.lower()};base64,{base64.b64encode(data).decode()}"
    width, height = image.size
    return w.HTML(f'<img class="roa-frame" alt="{html.escape(alt)}" width="{width}" height="{height}" src="{source}">')


def text_of(value) -> str:
    """A number with two decimals (more where two would hide it), anything else as it is."""
    if not isinstance(value, float | np.floating):
        return str(value)
    short = f"{value:.2f}"
    return short if math.isclose(float(short), value, rel_tol=1e-6) else f"{value:.4g}"


def framed(*children: w.Widget) -> w.VBox:
    """Children one below the other, as wide as the page allows (styled by the book)."""
    box = w.VBox(children)
    box.add_class("roa-widget")
    return box


def need_equal(name: str, count: int, other: str, expected: int) -> None:
    if count == 0 or count != expected:
        raise ValueError(f"{name} holds {count} entries, {other} {expected}; they must be equal and not empty")
