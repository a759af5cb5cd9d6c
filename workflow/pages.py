"""The pages of the book that are written from the results: the summary on the landing page, and the status page."""

import html
from collections import Counter
from datetime import timedelta

from roa_helpers import data, studies
from roa_helpers.page import claims, tables, words
from roa_helpers.records import store

_ESCAPED = {ord(c): f"\\{c}" for c in "\\`*[]|$"}


def generated_pages(profile):
    """Markdown by path in the book, from the units that pages of ``profile`` show."""
    units = {name: studies.finished(profile, name) for name in studies.by_name()}
    return {"book/generated/summary.md": summary(units["roi_roa"]), "book/status.md": status(units)}


def summary(units):
    """What was found, in one screen: a sentence and the verdicts, counted. ``units`` are those of ``roi_roa``."""
    if not units:
        return "No results have been computed yet.\n"
    own, others = studies.apart(units)
    if not own:
        return (
            "## What was found\n\nNone of the paper’s data sets is among these results. What ran, on "
            f"{_sets(others)}, shows that the code runs; it is no evidence about the paper.{_warning(units)}\n"
        )
    verdicts = claims.apart(studies.verdicts(units))[0]
    aside = f" {_sets(others)} do not count here: they show that the code runs." if others else ""
    return "\n".join(
        [
            "## What was found\n\n"
            f"On {_sets(own)}, {words.counted(len(own), 'trained network')}, the claims of the paper have these "
            "verdicts, one for each data set or for each direction (source class → target class):\n",
            markdown_table(counts(verdicts)),
            _defence(verdicts),
            "The rules and every interval are in [](../notebooks/08_findings.ipynb), what was decided after looking in "
            f"{{ref}}`rules`.{aside}{_warning(units)}\n",
        ]
    )


def _sets(units):
    return words.listed([_text(name) for name in sorted({data.title_of(unit.result["dataset"]) for unit in units})])


def counts(verdicts):
    """Verdicts counted by claim, marks included, ready to print."""
    table = claims.summary(verdicts)
    return table.rename(columns={c: tables.marked(c) for c in table.columns if c != "claim"})


def _defence(verdicts):
    rows = verdicts[(verdicts.id == "weakens-attack") & (verdicts.verdict != claims.NOT_TESTABLE)]
    if rows.empty:
        return "\nWhether neutralising U−V+ weakens the attack could not be tested on any of them.\n"
    told = [f"{_text(row['where'])} {words.points(row.ours, row.low, row.high)}" for _, row in rows.iterrows()]
    return (
        "\nWhere there was an attack to weaken, neutralising U−V+ changes accuracy under it, mean over both classes "
        f"and with a blob from images that are not scored, by (points, 95 % interval): {'; '.join(told)}.\n"
    )


def _warning(units):
    old = store.outdated(units)
    return f" Not all results are what the present code would compute ({old}): see {{ref}}`status`." if old else ""


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
            "classes, one seed. *current* means that the code and the choices are those that computed it.\n",
            *(_section(study, found) for study, found in units.items()),
            "## Libraries\n",
            *(f"- {versions} ({words.counted(n, 'unit')})" for versions, n in libraries.items()),
            "",
        ]
    )


def _section(study, units):
    """A table of one study's units; what is the same for all of them is said once."""
    about = studies.find(study)
    head = f"## Study `{study}`\n\n{about.title}. {about.paper}.\n"
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
