"""The supplement as matrices, source class × target class: ours beside the authors', and how far they agree.

Needs no torch. :func:`roa_helpers.page.figures.show` puts the sheets and charts on a page.
"""

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.colors import to_hex

from ...data import KNOWN, title_of
from ...page import NARROW, Cell, Sheet, Strip, drawing, minus
from ..roi_roa import directions, holding
from .presented import MOST, PRESENTED, kept

PAIR = ["dataset", "source", "target"]
COLOURS = "cividis"
DIAGONAL, NOT_RUN, INK = 0.82, 1.0, 0.15
_SIDE = 7  # pixels of a cell of a matrix, the gap to the next one included
_WIDTH = 156  # pixels of a matrix on the page: a whole multiple of the cells of up to ten classes
#: Digits of 3 × 5 pixels, a row an octal digit.
_DIGITS = ("75557", "26227", "71747", "71717", "55711", "74717", "74757", "71222", "75757", "75717")


class Matrices(Strip):
    """Matrices under a title, up to three in a line, enlarged by whole numbers so that their digits are even."""

    def markup(self):
        """The strip as HTML."""
        return _STYLE + super().markup().replace('"roa-strip"', '"roa-strip roa-matrices"', 1)


#: Each rule names two classes, so that it outweighs the style of all strips wherever on the page that stands.
_STYLE = (
    f"<style>.roa-sheet:has(.roa-matrices){{--roa-strip:{2 * _WIDTH + 16}px!important}}"
    ".roa-matrices .roa-cells{display:flex;flex-wrap:wrap;gap:.6rem .9rem;max-width:31rem}"
    f".roa-matrices .roa-cell{{flex:none;width:{_WIDTH}px}}.roa-matrices .roa-cell .roa-pixels{{outline:0;width:auto}}"
    "</style>"
)


def collected(units):
    """The numbers of finished units in the tables of :class:`.reference.Reference`, averaged over seeds.

    Returns:
        (similarity: dataset, source, target, mean, representative, n, seeds;
        scores: dataset, source, target, score, value, theta, mean, k, n, blob, seeds).
    """
    similarity, scores = [], []
    for unit, _, block in directions(units):
        ssim, pair = block["ssim"], {"dataset": unit.result["dataset"]} | {k: block[k] for k in PAIR[1:]}
        similarity.append(pair | {name: ssim["individual"][name] for name in ("mean", "n")}
                          | {"representative": ssim["representative"]})  # fmt: skip
    for unit in units:
        table = unit.table("scores").astype({"source": str, "target": str})
        scores.append(table.assign(dataset=unit.result["dataset"]))
    return (
        _over_seeds(pd.DataFrame(similarity), PAIR, ["mean", "representative", "n"]),
        _over_seeds(pd.concat(scores), [*PAIR, "score", "value", "theta"], ["mean", "k", "n", "blob"]),
    )


def signed(units):
    """Scores by the procedure of the authors' pictures, averaged over seeds: the columns of the second table.

    None where no unit has them.
    """
    tables = [
        unit.table("published").astype({"source": str, "target": str}).assign(dataset=unit.result["dataset"])
        for unit in holding(units, "published")
    ]
    if not tables:
        return None
    return _over_seeds(pd.concat(tables), [*PAIR, "score", "value", "theta"], ["mean", "k", "n", "blob"])


def _over_seeds(table, keys, numbers):
    groups = table.groupby(keys, sort=False, dropna=False)
    return groups[numbers].mean().assign(seeds=groups.size()).reset_index()


def classes(dataset, *tables):
    """The classes of a data set in the order of its labels; of one that is not known, those in ``tables``, sorted."""
    if dataset in KNOWN and KNOWN[dataset].classes:
        return KNOWN[dataset].classes
    rows = [table[table.dataset == dataset] for table in tables]
    return tuple(sorted({name for part in rows for side in ("source", "target") for name in part[side]}))


def matrix(table, column, names):
    """``column`` of a table with one row a pair as a matrix (source, target); NaN where there is no row.

    Raises:
        ValueError: two rows for one pair.
    """
    place = {name: i for i, name in enumerate(names)}
    values, seen = np.full((len(names), len(names)), np.nan), set()
    for source, target, value in zip(table.source, table.target, table[column], strict=True):
        if (source, target) in seen:
            raise ValueError(f"two rows for {source} to {target}")
        seen.add((source, target))
        values[place[source], place[target]] = value
    return values


def matrix_picture(values, *, low=0.0, high=1.0):
    """A matrix (K, K) as pixels (H, W, 3): a square a pair, grey on the diagonal, white where there is no number.

    Rows are source classes, columns target classes; up to ten of them are numbered from 0 along both sides.
    """
    count = len(values)
    graded = matplotlib.colormaps[COLOURS](np.clip((np.nan_to_num(values) - low) / (high - low), 0, 1))[..., :3]
    cells = np.where(np.isnan(values)[..., None], NOT_RUN, graded)
    cells[np.arange(count), np.arange(count)] = DIAGONAL
    out = np.ones(((count + 1) * _SIDE + 1, (count + 1) * _SIDE + 1, 3))
    for i, j in np.ndindex(values.shape):
        top, left = (i + 1) * _SIDE + 1, (j + 1) * _SIDE + 1
        out[top : top + _SIDE - 1, left : left + _SIDE - 1] = cells[i, j]
    if count <= len(_DIGITS):
        for k in range(count):
            _write(out, k, (k + 1) * _SIDE + 1, 1)
            _write(out, k, 1, (k + 1) * _SIDE + 2)
    times = max(1, _WIDTH // len(out))
    return out.repeat(times, 0).repeat(times, 1)


def _write(image, digit, top, left):
    for row, bits in enumerate(_DIGITS[digit]):
        for column in range(3):
            if int(bits, 8) & (4 >> column):
                image[top + row, left + column] = INK


def _cell(table, column, names, label, **scale):
    values = matrix(table, column, names)
    return Cell(matrix_picture(values, **scale), f"{label}, {int(np.isfinite(values).sum())} pairs")


def _title(dataset, names):
    """A data set's name, and what its classes' numbers mean where they are not the classes themselves."""
    listed = ", ".join(f"{k} {name}" for k, name in enumerate(names))
    own = list(names) == [str(k) for k in range(len(names))]
    return title_of(dataset) if own else f"{title_of(dataset)}: {listed}"


def datasets(*tables):
    """The data sets of tables (None: no table): those of the supplement first, in its order."""
    found = dict.fromkeys(name for table in tables if table is not None for name in table.dataset)
    return [name for name in PRESENTED if name in found] + [name for name in found if name not in PRESENTED]


def _swatches(low, high):
    """The colours of six steps from ``low`` to ``high``, by their values, and those that are no value."""
    steps = {minus(low + (high - low) * k / 5, ".2f"): k / 5 for k in range(6)}
    shades = {text: to_hex(matplotlib.colormaps[COLOURS](place)) for text, place in steps.items()}
    return shades | {"no number": to_hex((NOT_RUN,) * 3), "a class with itself": to_hex((DIAGONAL,) * 3)}


#: The colours of class probabilities.
LEGEND = _swatches(0, 1)


def similarity_sheet(ours, theirs, column):
    """SSIM of RoI and RoA of every pair: ours beside the authors', in one scale.

    Args:
        ours, theirs: tables with columns dataset, source, target and ``column``; ``theirs`` may be None.
        column: ``mean`` (of individuals) or ``representative``.

    Returns:
        (:class:`roa_helpers.page.sheets.Sheet`, what is drawn as a table).
    """
    tables = {"ours": ours} | ({"the authors’": theirs} if theirs is not None else {})
    drawn = pd.concat([table[[*PAIR, column]].assign(whose=whose) for whose, table in tables.items()])
    low, high = np.floor(10 * drawn[column].min()) / 10, np.ceil(10 * drawn[column].max()) / 10
    strips = []
    for dataset in datasets(*tables.values()):
        names = classes(dataset, ours)
        shown = {whose: table[table.dataset == dataset] for whose, table in tables.items()}
        cells = [_cell(t, column, names, whose, low=low, high=high) for whose, t in shown.items() if len(t)]
        strips.append(Matrices(_title(dataset, names), tuple(cells)))
    return Sheet(tuple(strips), legend=_swatches(low, high)), drawn


#: Names of the scores before and after neutralisation, without and with the attack.
STAGES = {"clean": ("clean", "mod"), "attacked": ("adv", "mod_adv")}


def best(scores):
    """Of each pair, score and value: the row with the θ at which the class probability is largest."""
    keys = [name for name in (*PAIR, "score", "value") if name in scores]
    rows = scores.sort_values("mean", ascending=False, kind="stable").drop_duplicates(keys)
    return rows.sort_index()


def kept_by_value(scores, stage):
    """Of each pair and value: the class probability before neutralisation, ``start``, and after it at the best θ.

    Args:
        scores: ours, of :func:`collected`.
        stage: ``clean`` or ``attacked``.
    """
    before, after = STAGES[stage]
    table = best(scores)
    start = table[table.score == before].set_index(PAIR)["mean"].rename("start")
    return table[table.score == after].join(start, on=PAIR)


def stages(scores, stage):
    """(label, rows) of a table of scores: before neutralisation, and after it, ours for each value."""
    before, after = STAGES[stage]
    yield "before", scores[scores.score == before]
    if "value" not in scores:
        yield "after", scores[scores.score == after]
        return
    for value in sorted(scores.value.dropna().unique()):
        yield f"set to {value:g}", scores[(scores.score == after) & (scores.value == value)]


def probability_sheet(ours, theirs, stage):
    """Class probability before and after neutralisation of every pair, at the θ that keeps most of it.

    Args:
        ours, theirs: tables of scores; ``theirs`` may be None.
        stage: ``clean`` or ``attacked``.

    Returns:
        (:class:`roa_helpers.page.sheets.Sheet`, what is drawn as a table).
    """
    strips, drawn = [], []
    for dataset in datasets(ours, theirs):
        names = classes(dataset, ours)
        for whose, table in (("ours", ours), ("the authors’", theirs)):
            rows = None if table is None else best(table[table.dataset == dataset])
            shown = [] if rows is None else [(label, part) for label, part in stages(rows, stage) if len(part)]
            if shown:
                title = f"{title_of(dataset)}, {whose}"
                strips.append(Matrices(title, tuple(_cell(part, "mean", names, label) for label, part in shown)))
                drawn += [part[[*PAIR, "mean", "theta"]].assign(whose=whose, what=label) for label, part in shown]
    return Sheet(tuple(strips), across=1, legend=LEGEND), pd.concat(drawn)


def theta_frames(ours, theirs, dataset, thetas):
    """Frames for a slider over θ: class probabilities of a data set after neutralisation, without and with attack."""
    names, frames = classes(dataset, ours), []
    for theta in thetas:
        cells = []
        for stage in STAGES:
            for whose, table in (("ours", ours), ("the authors’", theirs)):
                rows = ours[:0] if table is None else table[(table.dataset == dataset) & np.isclose(table.theta, theta)]
                parts = ((label, part) for label, part in stages(rows, stage) if label != "before" and len(part))
                cells += [_cell(part, "mean", names, f"{stage}: {whose}, {label}") for label, part in parts]
        frames.append(Matrices(f"{title_of(dataset)}, θ = {theta:.2f}", tuple(cells)))
    return frames


def kept_plot(scores):
    """The share of its class probability that each pair keeps at its best θ, in order; presented pairs are marked."""
    table = kept(scores).sort_values(["dataset", "rank"], kind="stable")
    sets = datasets(scores)
    figure, axes = drawing(NARROW, 2.5, ncols=len(sets), sharey=True, squeeze=False)
    for axis, dataset in zip(axes[0], sets, strict=True):
        rows = table[table.dataset == dataset]
        others, shown = rows[~rows.presented], rows[rows.presented]
        axis.plot(others["rank"], others.kept, ".", ms=4, color="#56B4E9")
        axis.plot(shown["rank"], shown.kept, "D", ms=6, color="#D55E00", mec="k", mew=0.5)
        axis.axhline(MOST, color="k", lw=0.8, ls="--")
        axis.set(title=title_of(dataset), xlabel="rank of the pair")
    axes[0, 0].set_ylabel("class probability kept")
    return figure, table
