"""The pages of the book that are written from the results: the summary on the landing page, and the status page."""

from roa_helpers import config, figures, papers, store


def generated_pages(profile):
    """Markdown by path in the book, from the units that pages of ``profile`` show."""
    units = [unit for study in config.STUDIES for unit in store.shown(profile, study)]
    return {"book/generated/summary.md": summary(units), "book/status.md": status(units)}


def summary(units):
    """What was found, in one screen: a sentence and the verdicts, counted."""
    if not units:
        return "No results have been computed yet.\n"
    verdicts = papers.verdicts(units)
    sets = sorted({papers.title(unit.result["dataset"]) for unit in units})
    published = verdicts[verdicts["data set"].isin([papers.title(p.dataset) for p in papers.PUBLISHED])]
    return "\n".join(
        [
            f"## What was found\n\nAcross {len(papers.directions(units))} directions (source class → target class) of "
            f"{_listed(sets)}, each claim of the paper has these verdicts:\n",
            markdown_table(counts(verdicts)),
            _defence(published if len(published) else verdicts, on_its_data=bool(len(published))),
            "The rules and every interval are in {ref}`findings`.\n",
        ]
    )


def counts(verdicts):
    """Verdicts counted by claim, marks included, ready to print."""
    table = papers.summary(verdicts)
    return table.rename(columns={c: f"{figures.VERDICT_MARKS[c]} {c}" for c in table.columns if c != "claim"})


def _defence(verdicts, *, on_its_data):
    rows = verdicts[verdicts.id == "weakens-attack"]
    where = "On the paper’s own data sets" if on_its_data else "On these data sets, none of them the paper’s,"
    spread = f"{100 * rows.ours.min():+.1f} to {100 * rows.ours.max():+.1f} points".replace("-", "−")
    return (
        f"\n{where} neutralising U−V+ changes accuracy under attack by {spread}"
        f" over {len(rows)} {'direction' if len(rows) == 1 else 'directions'}.\n"
    )


def status(units):
    """What ran, when, where, how long, on which data; and whether it is what the present code would compute."""
    rows = []
    for unit in units:
        result = unit.result
        origin, data = result["provenance"], result["provenance"]["data"]
        rows.append(
            {
                "unit": unit.path.name,
                "profile": result["profile"],
                "standing": store.standing(unit),
                "finished (UTC)": origin["finished"][:16].replace("T", " "),
                "device": f"{origin['device']}, {origin['cores']} cores",
                "seconds": origin["seconds"],
                "data": data["source"],
                "train / val / test": " / ".join(
                    str(sum(data["counts"][part].values())) for part in ("train", "val", "test")
                ),
                "unreadable": data["unreadable"]["count"],
                "commit": origin["commit"] or "–",
            }
        )
    versions = units[0].result["provenance"]["libraries"] if units else {}
    return "\n".join(
        [
            "(status)=\n# Status\n",
            "What this book shows, and where each result comes from. A unit is one pair of classes with one seed. "
            "*current* means that the code and the choices are those that computed it.\n",
            "::::{div} roa-table roa-wide\n",
            markdown_table(rows) if rows else "Nothing has been computed yet.",
            "::::\n",
            "Libraries of the first unit: " + ", ".join(f"{k} {v}" for k, v in versions.items()) + ".\n",
        ]
    )


def markdown_table(rows):
    """A list of dicts or a DataFrame as a Markdown table."""
    rows = rows if isinstance(rows, list) else rows.to_dict("records")
    cells = [list(rows[0]), ["---"] * len(rows[0]), *([str(v) for v in row.values()] for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in cells) + "\n"


def _listed(names):
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
