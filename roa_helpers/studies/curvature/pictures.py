"""Directions, subspaces and shifted images as pictures, for sheets and for the widget. Needs no torch."""

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg

from ...page import Cell, Sheet, Strip, an, drawing, picture
from .charts import DIRECTIONS
from .results import named

#: Classes of which directions are shown, and the kinds of directions that the widget offers.
CLASSES = 3
OFFERED = ("positive", "negative", "flat")
#: How many networks and images the widget offers, and its positions, 0 in the middle of the line.
NETWORKS, IMAGES, PLACES = 3, 2, range(-3, 4)
#: Of pictures of a larger side fewer are shown, and with loss: noise of 128 pixels weighs twenty times as much.
LOSSLESS_SIDE = 64


def direction(values):
    """A direction (C, H, W): grey where it is 0, lighter and darker where positive and negative, by its maximum."""
    values = np.asarray(values, dtype=float)
    return picture(0.5 + values / (2 * np.abs(values).max()))


def _is_large(shape):
    """Whether pictures (C, H, W) or (H, W, …) are."""
    return max(shape) > LOSSLESS_SIDE


def _cell(image, label):
    return Cell(image, label, quality=75 if _is_large(image.shape) else None)


def _classes(unit):
    """Positions of the classes that are shown, that of Fig. 1 first."""
    names, first = unit.result["classes"], unit.result["featured"]
    others = [] if _is_large(unit.arrays["direction_flat"].shape[-3:]) else [name for name in names if name != first]
    return [names.index(name) for name in (first, *others[: CLASSES - 1])]


def _spans(unit):
    """Positions of the subspaces that are shown, of large pictures the largest of each order."""
    table = unit.table("confined").reset_index(drop=True)
    if not _is_large(unit.arrays["confined"].shape[-3:]):
        return list(table.index)
    return sorted(table.groupby("order").dimension.idxmax())


def directions(units):
    """The two most positive directions, the most negative and the flattest of some classes, the one of Fig. 1 first."""
    strips = []
    for unit in units:
        for c in _classes(unit):
            cells = [
                _cell(direction(unit.arrays[f"direction_{kind}"][c, place]), words)
                for kind, place, words in (
                    ("positive", 0, "most positive"), ("positive", 1, "second"), ("negative", 0, "most negative"),
                    ("flat", 0, "flattest"),
                )
            ]  # fmt: skip
            strips.append(Strip(f"{named(unit)}: {unit.result['classes'][c]}", tuple(cells)))
    return Sheet(tuple(strips), across=2)


def directions_data(units):
    """The arrays behind :func:`directions`, by unit and kind."""
    return {
        f"{unit.path.name}_{kind}": unit.arrays[f"direction_{kind}"][_classes(unit)]
        for unit in units
        for kind in OFFERED
    }


def confined(units):
    """Fig. 5's pictures: one image projected on each subspace, and the DeepFool perturbation confined to it."""
    strips = []
    for unit in units:
        table, pictures = unit.table("confined"), unit.arrays["confined"].astype(float) / 255
        for place in _spans(unit):
            row = table.iloc[place]
            order = {"hi": "S_hi", "lo": "S_lo"}[row.order]
            cells = _cell(picture(pictures[place, 0]), "image"), _cell(picture(pictures[place, 1]), "perturbation")
            strips.append(Strip(f"{named(unit)}: {order}, {row.dimension}", cells))
    return Sheet(tuple(strips), across=4)


def sizes(unit):
    """How many subspaces of each order DeepFool was confined to."""
    return int(unit.table("confined").groupby("order").size().min())


def confined_frame(unit, order, size, count):
    """The widget's frame: an image projected on one of ``count`` subspaces of an order, from the smallest to the whole.

    Args:
        order: “S_hi” or “S_lo”.
        size: from 1 to ``count``.
    """
    table, pictures = unit.table("confined"), unit.arrays["confined"].astype(float) / 255
    places = np.flatnonzero(table.order == {"S_hi": "hi", "S_lo": "lo"}[order])
    place = places[round((size - 1) * (len(places) - 1) / max(count - 1, 1))]
    row = table.iloc[place]
    fooled = f"of {row.tried} images it fools {row.fooled}, with a norm of {row['median']:.3g} in the median"
    return Strip(
        f"{order}, {row.dimension} of {table.dimension.max()} dimensions",
        (_cell(picture(pictures[place, 0]), "image"), _cell(picture(pictures[place, 1]), "perturbation, rescaled")),
        note=f"DeepFool, confined: {fooled}; the projected images have a mean norm of {row.image:.3g}.",
    )


def confined_data(units):
    """The arrays behind :func:`confined`, by unit."""
    return {unit.path.name: unit.arrays["confined"][_spans(unit)] for unit in units}


def shifted(unit, image, kind, position):
    """One of the stored images, moved along a direction of the class of Fig. 1: (C, H, W), clipped for display."""
    along = unit.arrays["shown_directions"][list(DIRECTIONS).index(kind)].astype(float)
    step = unit.arrays["positions"][position]
    return np.clip(unit.arrays["shown_images"][image].astype(float) + step * along, 0, 1)


def offered(unit):
    """As many of the stored positions as there are ``PLACES``, both ends and the middle among them."""
    return np.linspace(0, len(unit.arrays["positions"]) - 1, len(PLACES)).round().astype(int)


def frames(unit, kind):
    """The widget's frames for one kind of direction: a list by image of lists by position."""
    return [[_frame(unit, image, kind, place) for place in offered(unit)] for image in range(IMAGES)]


def _frame(unit, image, kind, place):
    names, target = unit.result["classes"], unit.result["featured"]
    scores = unit.arrays["shown_scores"][list(DIRECTIONS).index(kind), image].astype(float)
    said = names[int(scores[place].argmax())]
    truth = names[int(unit.arrays["shown_labels"][image])]
    step = unit.arrays["positions"][place]
    return Strip(
        f"{an(truth)}, moved by s = {step:.2f} along the {DIRECTIONS[kind]} direction of “{target}”".replace("-", "−"),
        (
            Cell(picture(shifted(unit, image, kind, place)), f"the network says\n{said}", quality=80),
            Cell(_scores(scores, names.index(target), place), "class scores", quality=40),
        ),
    )


def _scores(scores, target, place):
    """Class scores as curves along the line: the target's blue, the others grey, the position marked."""
    key = scores.tobytes(), target, place
    if key not in _DRAWN:
        figure, axis = drawing(1.5, 1.2)
        axis.plot(np.delete(scores, target, 1), color="#BBBBBB", lw=0.7)
        axis.plot(scores[:, target], color="#0072B2", lw=1.6)
        axis.axvline(place, color="k", lw=0.8, ls="--")
        axis.set(xticks=[], yticks=[])
        figure.dpi = 72
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        _DRAWN[key] = np.asarray(canvas.buffer_rgba())[..., :3] / 255
    return _DRAWN[key]


_DRAWN = {}
