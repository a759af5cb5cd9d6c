"""The pages of the book that are written from the results: the summary on the landing page, and the status page."""

import html
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

from roa_helpers import data, studies
from roa_helpers.page import claims, figures, words
from roa_helpers.records import store
from roa_helpers.studies import roi_roa

#: Where what can be downloaded lies before the book is built, and what a reader calls it.
DOWNLOADS = Path(__file__).resolve().parent.parent / "_build" / "downloads"
TAKEN_ALONG = {
    "book.pdf": "the whole book as one PDF",
    "book.zip": "its pages, to be read without a network",
    "roa-results.zip": "the recorded results, with a description for machines (RO-Crate)",
}
_ESCAPED = {ord(c): f"\\{c}" for c in "\\`*[]|$"}


def generated_pages(profile):
    """Markdown by path in the book, from the units that pages of ``profile`` show."""
    units = {name: studies.finished(profile, name) for name in studies.by_name()}
    return {
        "book/generated/summary.md": summary(units["roi_roa"]),
        "book/generated/downloads.md": downloads(DOWNLOADS),
        "book/status.md": status(units),
    }


def downloads(folder):
    """Links to what of ``TAKEN_ALONG`` lies in a folder, for the landing page; says so where there is nothing."""
    there = [folder / name for name in TAKEN_ALONG if (folder / name).exists()]
    if not there:
        return "`make downloads` makes one PDF of this book, a zip of its pages, and an archive of the results.\n"
    links = (
        f'<a href="../downloads/{path.name}">{TAKEN_ALONG[path.name]}</a> ({path.stat().st_size / 1e6:.1f} MB, '
        f"{datetime.fromtimestamp(path.stat().st_mtime, UTC):%Y-%m-%d})"
        for path in there
    )
    return f"To take along: {'; '.join(links)}.\n"


def summary(units):
    """What the landing page says of the results: one sentence, one image through the pipeline, the verdicts.

    Args:
        units: those of ``roi_roa``.
    """
    if not units:
        return "No results have been computed yet.\n"
    own, others = studies.apart(units)
    if not own:
        return (
            f"None of the paper’s data sets is among these results. What ran, on {_sets(others)}, shows that the code "
            f"runs; it is no evidence about the paper.{_warning(units)} {{ref}}`status` has the details.\n"
        )
    verdicts = claims.judged(claims.apart(studies.verdicts(units))[0])
    return "\n".join(
        [
            f"**What was found, on {_sets(own)}.** {_text(roi_roa.answers.whole(own).ours)}\n",
            _picture(own),
            "",
            ":::{div} roa-table roa-matrix",
            "",
            markdown_table(claims.grid(verdicts)),
            ":::",
            "",
            f"{_text(claims.legend(verdicts)).capitalize()}. [Every rule and interval](../notebooks/08_findings.ipynb);"
            f" [when rules were set](rules.md).{_warning(units)} {_recorded(own)}\n",
        ]
    )


def _picture(units):
    """One stored test image through the pipeline, as HTML: by the present code, and a photo, where there are such."""
    current = [unit for unit in units if unit.standing == store.CURRENT] or units
    sets = [unit.result["dataset"] for unit in current]
    shown = next((name for name in ("cats-vs-dogs", "cifar10") if name in sets), sets[0])
    unit, title = current[sets.index(shown)], data.title_of(shown)
    return figures.markup(
        roi_roa.pictures.plate(unit, first=1),
        name="pipeline",
        caption=f"The first stored test image of {title} through the paper’s steps. P: the network’s probability of "
        "the true class. U−V+, what the attacker uses and the classifier does not, gives the blob of the class; its "
        "pixels are set to one value.",
        alt=f"Eight pictures of one image of {title}: {roi_roa.pictures.through(unit)}.",
        data=roi_roa.pictures.example_data([unit], "image", "perturbation", "importance", "vulnerability_perturbation"),
        units=[unit],
        sample="one stored example",
    )


def _recorded(units):
    """When and on what the results were last recorded, in words."""
    made = [unit.result["provenance"] for unit in units]
    devices = ", ".join(sorted({one["device"] for one in made}))
    last = max(one["finished"] for one in made)[:10]
    return (
        f"Last recorded {last} ({devices}, {words.counted(len(units), 'trained network')}). {{ref}}`status` has more."
    )


def _sets(units):
    return words.listed(
        [_text(name) for name in dict.fromkeys(data.title_of(unit.result["dataset"]) for unit in units)]
    )


def _warning(units):
    old = store.outdated(units)
    return f" Not all results are what the present code would compute ({old})." if old else ""


def status(units):
    """What ran, when, where, how long, on which data; and whether it is what the present code would compute.

    Args:
        units: units by study.
    """
    libraries = Counter(
        ", ".join(f"{name} {version}" for name, version in unit.result["provenance"]["libraries"].items())
        for found in units.values()
        for unit in found
    )
    return "\n".join(
        [
            "(status)=\n# Status\n",
            "What this book shows, and where each result comes from. A unit is one run of a study: one pair of "
            "classes, one seed. *current* means that the code and the choices are those that computed it. A commit is "
            "that of the code that computed a unit, *dirty* with changes that were in no commit (until 2026-11-27 also "
            "where results beside the code alone had changed); a later one beside it computes the same.\n",
            *(_section(study, found) for study, found in units.items()),
            "## Libraries\n",
            *(f"- {versions} ({words.counted(n, 'unit')})" for versions, n in libraries.items()),
            "",
        ]
    )


def _section(study, units):
    """A table of one study's units; what is the same for all of them is said once."""
    about = studies.find(study)
    title = about.title if about.title.endswith("?") else f"{about.title}."
    head = f"## Study `{study}`\n\n{title} {about.paper}.\n"
    if not units:
        return f"{head}\nNothing has been computed yet.\n"
    rows = [_row(unit) for unit in units]
    same = {name: value for name, value in rows[0].items() if len(rows) > 1 and all(r[name] == value for r in rows)}
    time = timedelta(seconds=round(sum(unit.result["provenance"]["seconds"] for unit in units)))
    shared = ", ".join(f"{name} {_text(value)}" for name, value in same.items())
    common = f"; the same for all: {shared}" if same else ""
    table = markdown_table([{name: value for name, value in row.items() if name not in same} for row in rows])
    counted = f"{words.counted(len(units), 'unit')}, {time} (h:mm:ss){common}.\n"
    return f"{head}\n{counted}\n::::{{div}} roa-table roa-wide\n\n{table}\n::::\n"


def _row(unit):
    origin, data = unit.result["provenance"], unit.result["provenance"]["data"]
    return {
        "unit": unit.path.name,
        "profile": unit.result["profile"],
        "standing": unit.standing,
        "finished (UTC)": origin["finished"][:16].replace("T", " "),
        "device": f"{origin['device']}, {origin['cores']} cores",
        "seconds": origin["seconds"],
        "data": data["source"],
        "pictures": ", ".join(f"{part} {sum(counts.values())}" for part, counts in data["counts"].items()),
        "unreadable": data["unreadable"]["count"],
        "commit": _commit(origin),
    }


def _commit(origin):
    """The commit that a unit was computed by, and the later one that computes the same, where one was looked for."""
    again = origin.get("restamped")
    return f"{origin['commit'] or '–'}" + (f", the same in {again['to']}" if again else "")


def markdown_table(rows):
    """A list of dicts or a DataFrame as a Markdown table."""
    rows = rows if isinstance(rows, list) else rows.to_dict("records")
    cells = [[*map(_text, rows[0])], ["---"] * len(rows[0]), *([*map(_text, row.values())] for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in cells) + "\n"


def _text(value):
    """A value as Markdown that shows it as it is: names come from folders, and may hold markup."""
    return html.escape(str(value), quote=False).translate(_ESCAPED)
