"""Write the table of verdicts in README.md from the recorded results."""

import argparse
import sys
from pathlib import Path

import pandas as pd
from pages import markdown_table

from roa_helpers import papers, store

README = Path(__file__).resolve().parent.parent / "README.md"
BEGIN, END = "<!-- verdicts:begin -->", "<!-- verdicts:end -->"


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("--check", action="store_true", help="change nothing; exit code 1 when the table is old")
    args = parser.parse_args(argv)
    old = README.read_text(encoding="utf-8")
    new = filled(old, block(recorded()))
    if args.check:
        if new != old:
            print("README.md: its verdicts are not those of the recorded results; run make readme", file=sys.stderr)
        return int(new != old)
    README.write_text(new, encoding="utf-8")
    return 0


def recorded():
    """The units that are committed and that verdicts come from."""
    return [unit for unit in store.shown("quick", "roi_roa") if unit.result["profile"] in store.RECORDED]


def filled(text, content):
    """``text`` with ``content`` between the two marks."""
    head, _, rest = text.partition(BEGIN)
    _, _, tail = rest.partition(END)
    return f"{head}{BEGIN}\n{content}\n{END}{tail}"


def block(units):
    """A row a claim, a column a data set; in a cell the verdicts of both directions."""
    if not units:
        return "Nothing is recorded yet."
    verdicts = papers.verdicts(units)
    order = list(dict.fromkeys(verdicts["claim"]))
    table = pd.pivot_table(verdicts, index="claim", columns="data set", values="verdict", aggfunc=_both, sort=False)
    rows = table.loc[order].fillna("–").reset_index()
    profiles = " and ".join(sorted({unit.result["profile"] for unit in units}))
    return f"{markdown_table(rows)}\nRecorded with the {profiles} profile; where the two directions differ, both stand."


def _both(verdicts):
    return " / ".join(dict.fromkeys(verdicts))


if __name__ == "__main__":
    sys.exit(main())
