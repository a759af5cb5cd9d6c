"""The answer to a page's question: a box of three lines at its top, and what remains open at its end."""

from dataclasses import dataclass

from . import claims, figures, words


@dataclass(frozen=True)
class Answer:
    """What a page comes to. Sentences in plain text; ``<b>`` and ``<i>`` are markup.

    Attributes:
        paper: what the paper says.
        ours: what was found here, from the results shown.
        why: why the two differ, or agree, or cannot be held against each other.
        open: what remains open, a sentence each.
    """

    paper: str
    ours: str
    why: str
    open: tuple[str, ...]


def nothing(paper):
    """The answer of a page none of whose results is of the paper's data."""
    return Answer(
        paper,
        "Nothing yet: none of the paper’s data is among these results. What is shown are small sets that come with the "
        "package, or one’s own; they show that the code runs.",
        "There is nothing to hold against the paper.",
        ("The question itself.",),
    )


def show(answer):
    """Put the box on the page: the paper says, we find, why."""
    lines = (("The paper says", answer.paper), ("We find", answer.ours), ("Why", answer.why))
    items = "".join(f"<dt>{label}</dt><dd>{figures.inline(text)}</dd>" for label, text in lines)
    figures.put(f'<aside class="roa-answer" aria-label="In short"><dl>{items}</dl></aside>')


def show_open(answer):
    """Put what remains open on the page, as a list."""
    items = "".join(f"<li>{figures.inline(text)}</li>" for text in answer.open)
    figures.put(f'<ul class="roa-remains">{items}</ul>')


def standing(rows, *, noun="data set"):
    """How the judged rows of a table of verdicts stand: “1 reproduced, 2 point to contradicted (3 data sets)”.

    Rows of fewer than three networks have no verdict and are told by what their intervals point to.

    Args:
        rows: of a table of verdicts (:func:`roa_helpers.page.claims.verdicts`).
        noun: what a row stands for.
    """
    own = claims.judged(rows)
    if own.empty:
        return f"no {noun} tells"
    few = own.verdict.isin(claims.FEW.values())
    verdicts = own.verdict[~few].value_counts()
    towards = own.toward[few].value_counts()
    told = [f"{verdicts[verdict]} {verdict}" for verdict in claims.VERDICTS if verdict in verdicts]
    for toward in (one for one in claims.VERDICTS if one in towards):
        verb = "points" if towards[toward] == 1 else "point"
        told.append(f"{towards[toward]} {verb} {'nowhere' if toward == claims.UNDECIDED else f'to {toward}'}")
    return f"{', '.join(told)} ({words.counted(len(own), noun)})"


def agreeing(table):
    """How many of the paper's numbers ours agree with: “5 of 12 numbers”; None where the paper has none.

    Args:
        table: with the columns of :func:`roa_helpers.page.claims.beside`.
    """
    known = table[table.toward != ""]
    if known.empty:
        return None
    return f"{int((known.toward == claims.AGREES).sum())} of {words.counted(len(known), 'number')}"


def networks(table):
    """What is open because few networks were trained, a sentence; empty where every row has three or more.

    Args:
        table: with a column ``networks``.
    """
    counts = table.networks[table.networks > 0]
    few = int((counts < 3).sum())
    if not few:
        return ""
    what = "All that the box at the top says rests" if few == len(counts) else (
        f"{few} of the {len(counts)} numbers behind the box at the top rest{'s' if few == 1 else ''}"
    )  # fmt: skip
    return (
        f"{what} on fewer than three trained networks, too few for a verdict: their intervals hold little or nothing "
        "of the spread over networks, and others may lie outside them."
    )
