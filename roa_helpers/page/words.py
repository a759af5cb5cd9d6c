"""Numbers in words: signs, spans, intervals. Sentences are the matter of each study."""

from .. import metrics


def minus(value, form):
    """A number in a format such as ``.1f``, with a typographic minus."""
    return f"{value:{form}}".replace("-", "−")


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
    return f"{k:,} of {n:,} ({k / n:.1%} [{low:.1%}, {high:.1%}])"


def points(value, low, high):
    """A change of a proportion with its interval, in points: “+3.1 [+1.0, +5.2]”."""
    return bracketed(100 * value, 100 * low, 100 * high, "+.1f")


def listed(names):
    """“a, b and c”."""
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last


def counted(n, noun):
    """“1 unit”, “2 units”."""
    return f"{n} {noun}{'' if n == 1 else 's'}"


def seeds_note(table):
    """A sentence for the caption of a table or chart, empty unless a row of it stands for several seeds."""
    several = table["seeds"].str.contains(",").any()
    return " Of several seeds: the mean, its 95 % interval over networks and images." if several else ""


def images_a_direction(counts):
    """On how many test images the numbers of each direction of a pair of classes rest: “n = 60 to 200 test …”."""
    return f"n = {span(counts)} test images a direction"


def capitalised(text):
    """A text whose first letter is a capital."""
    return text[:1].upper() + text[1:]
