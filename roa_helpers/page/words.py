"""Numbers in words: signs, spans, intervals. Sentences are the matter of each study."""

import numpy as np

from .. import metrics


def minus(value, form):
    """A number in a format such as ``.1f`` or ``.1%``, with a typographic minus.

    It is rounded once, and the same whatever it was computed by: what 100 · 0.5075, 203 · 100 / 400 and so on lack or
    have beyond twelve digits does not count. What rounds to zero has no minus.
    """
    scale, form, sign = (100, f"{form[:-1]}f", "%") if form.endswith("%") else (1, form, "")
    whole = isinstance(value, int | np.integer) and scale == 1
    value = value if whole or isinstance(value, str) else float(f"{scale * value:.12g}")
    form = form.replace(".", "z.") if form.endswith("f") else form
    return f"{value:{form}}{sign}".replace("-", "−")


def span(values, form=""):
    """“60 to 200”, or one number where all are equal as they are written."""
    ends = dict.fromkeys(minus(value, form) for value in (min(values), max(values)))
    return " to ".join(ends)


def bracketed(value, low, high, form):
    """A value with its interval: “0.50 [0.41, 0.59]”."""
    value, low, high = (minus(number, form) for number in (value, low, high))
    return f"{value} [{low}, {high}]"


def percent(value, low, high):
    """A proportion with its interval, in %: “50.0 [41.2, 58.8]”."""
    return bracketed(100 * value, 100 * low, 100 * high, ".1f")


def percent_of(k, n):
    """The proportion k of n with its Wilson interval, in %: “50.0 [41.2, 58.8]”."""
    return percent(k / n, *metrics.wilson(k, n))


def share_of(k, n):
    """The same behind what it is made of: “1,234 of 2,468 (50.0% [48.0%, 52.0%])”."""
    low, high = metrics.wilson(k, n)
    return f"{k:,} of {n:,} ({bracketed(k / n, low, high, '.1%')})"


def points(value, low, high):
    """A change of a proportion with its interval, in points: “+3.1 [+1.0, +5.2]”."""
    return bracketed(100 * value, 100 * low, 100 * high, "+.1f")


def listed(names):
    """“a, b and c”; where a name holds a comma itself, “a, b; c, d; and e, f”."""
    *others, last = names
    if len(others) > 1 and any("," in name for name in names):
        return f"{'; '.join(others)}; and {last}"
    return f"{', '.join(others)} and {last}" if others else last


def clear_of_zero(rows, names, *, above, below):
    """Which intervals do not hold 0: [“higher for A and B”, “lower for C”].

    Args:
        rows: table with low and high; ``names``: what its rows are of.
        above, below: the words for an interval above 0, and below it.
    """
    sides = {above: rows.low > 0, below: rows.high < 0}
    return [
        f"{word} for {listed([name for name, clear in zip(names, which, strict=True) if clear])}"
        for word, which in sides.items() if which.any()
    ]  # fmt: skip


def counted(n, noun):
    """“1 unit”, “2 units”."""
    return f"{n} {noun}{'' if n == 1 else 's'}"


def an(noun):
    """A noun with its article, by its first letter: “an airplane”, “a Trouser”, “an 8”."""
    vowel = noun[:1].lower() in "aeiou" or noun[:1] == "8"
    return f"{'an' if vowel else 'a'} {noun}"


def ranges(table, value, *, of, by=(), names=None, form=".2f", scale=1, bound=None):
    """What a chart shows, for those who cannot see it: where the values lie, and where the smallest and largest are.

    “the blob: −13.5 (MNIST, 0 to 1) to 48.9 (Cats vs Dogs, Cat to Dog), median 0.1, above 0 in 5 of 12; …”.

    Args:
        table: the data of a chart, a row a value; rows without a value are left out.
        value: name of its column.
        of: columns that tell the rows apart.
        by: columns of which each combination is told apart.
        names: what a reader calls the entries of ``by``.
        form, scale: how a value is written, after it is multiplied.
        bound: number, or name of a column, that values are counted above.
    """
    table = table[table[value].notna()]
    if table.empty:
        return "No values."
    parts = [((), table)] if not by else table.groupby(list(by), sort=False)
    told = []
    for key, rows in parts:
        head = ", ".join(str((names or {}).get(one, one)) for one in key)
        told.append(f"{head}: {_range(rows, value, of, form, scale, bound)}" if head else
                    _range(rows, value, of, form, scale, bound))  # fmt: skip
    return f"{'; '.join(told)}."


def _range(rows, value, of, form, scale, bound):
    ends = [rows.loc[rows[value] == end].iloc[0] for end in (rows[value].min(), rows[value].max())]
    low, high = (f"{minus(scale * row[value], form)} ({', '.join(_name(row[c]) for c in of)})" for row in ends)
    if rows[value].nunique() == 1 and len(rows) > 1:
        return f"{minus(scale * rows[value].iloc[0], form)} throughout"
    told = f"{low} to {high}, median {minus(scale * rows[value].median(), form)}"
    if len(rows) == 1:
        told = low
    if bound is None:
        return told
    above = (rows[value] > (rows[bound] if isinstance(bound, str) else bound)).sum()
    beyond = f"above {bound.replace('_', ' ') if isinstance(bound, str) else minus(scale * bound, 'g')}"
    return f"{told}, {beyond} in {above} of {len(rows)}"


def _name(entry):
    return minus(entry, ".3g") if isinstance(entry, float) else str(entry)


def parts_of(entries):
    """How often each entry stands in a column, in %: “U+V+ 30 %, U−V− 70 %”."""
    return ", ".join(f"{name} {share:.0%}" for name, share in entries.value_counts(normalize=True, sort=False).items())


def levels(arrays):
    """Where the means of named maps lie: “mean 0.12 (the one) to 0.61 (the other)”.

    Args:
        arrays: maps of numbers by name.
    """
    means = {name: float(values.mean()) for name, values in arrays.items()}
    ends = dict.fromkeys((min(means, key=means.get), max(means, key=means.get)))
    return "mean " + " to ".join(f"{means[name]:.2f} ({name.replace('_', ' ')})" for name in ends) + "."


def seeds_note(table):
    """A sentence for the caption of a table or chart, empty unless a row of it stands for several seeds."""
    several = table["seeds"].str.contains(",").any()
    return " Of several seeds, here and below: the mean, its 95 % interval over networks and images." if several else ""


def images_a_direction(counts):
    """On how many test images the numbers of each direction of a pair of classes rest: “n = 60 to 200 test …”."""
    return f"n = {span(counts)} test images a direction"


def capitalised(text):
    """A text whose first letter is a capital."""
    return text[:1].upper() + text[1:]
