"""What stands: every unit, notebook and the book of a profile; computed in this run or reused; how long it took.

Of the units of a study, those that were reused share a line.
"""

import argparse
import csv
import sys
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from roa_helpers import studies
from roa_helpers.errors import UserError
from roa_helpers.records import store

ROOT = Path(__file__).resolve().parent.parent
WIDTH = 56  # of a name


@dataclass(frozen=True)
class Row:
    """One thing that was made: a unit (``kind`` is its study), a notebook, the book.

    ``finished`` is seconds since the epoch.
    """

    kind: str
    name: str
    seconds: float
    finished: float


def rows(profile, *, seed=None):
    """What stands of a profile, in the order in which it is made."""
    times = ROOT / "_build" / "times" / profile
    plans = [plan for study in studies.by_name() for plan in studies.planned(profile, study, seed=seed)]
    units = [store.read(store.unit_path(profile, plan.study, plan.name)) for plan in plans]
    for unit in filter(None, units):
        made = unit.result["provenance"]
        finished = datetime.fromisoformat(made["finished"]).timestamp()
        yield Row(unit.result["study"], unit.path.name, made["seconds"], finished)
    for source in sorted((ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb")):
        executed = ROOT / "_build" / "executed" / profile / source.name
        yield from _timed("notebook", source.stem, executed, times / f"{source.stem}.tsv")
    yield from _timed("book", "", ROOT / "_build" / "html" / "index.html", times / "book.tsv")


def _timed(kind, name, product, times):
    """A row from the times that Snakemake measured."""
    if product.exists() and times.exists():
        with times.open(newline="") as file:
            seconds = float(next(csv.DictReader(file, delimiter="\t"))["s"])
        yield Row(kind, name, seconds, times.stat().st_mtime)


def text(found, *, since):
    """The table; ``since`` is when this run began, in seconds since the epoch."""
    lines = []
    for row in _gathered(found, int(since)):  # results record whole seconds
        new = row.finished >= int(since)
        when = "" if new else f"   {datetime.fromtimestamp(row.finished):%Y-%m-%d %H:%M}"
        title = f"{row.kind} {row.name}"
        lines.append(f"  {title:<{WIDTH}} {'computed' if new else 'reused':<9} {row.seconds:7.1f} s{when}")
    return "\n".join(lines)


def _gathered(found, since):
    """The rows, with those of a study that were reused as one: their number, all seconds, the latest time."""
    old = {study: [row for row in found if row.kind == study and row.finished < since] for study in studies.by_name()}
    for row in found:
        same = old.get(row.kind, [])
        if row not in same:
            yield row
        elif row is same[0]:
            name = row.name if len(same) == 1 else f"({len(same)} units)"
            yield Row(row.kind, name, sum(r.seconds for r in same), max(r.finished for r in same))


def show(profile, *, seed, since, book):
    """Print the table, how long this run took, and where the book is (without ``book``: the units alone)."""
    print(text([row for row in rows(profile, seed=seed) if book or row.kind in studies.by_name()], since=since))
    print(f"  {'this run':<{WIDTH + 10}} {time.time() - since:7.1f} s")
    if book:
        print(f"\nopen {(ROOT / '_build' / 'html' / 'index.html').as_uri()}")


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], allow_abbrev=False)
    parser.add_argument("--profile", default="quick")
    args = parser.parse_args(argv)
    try:
        print(text(list(rows(args.profile)), since=time.time() + 1))
    except UserError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
