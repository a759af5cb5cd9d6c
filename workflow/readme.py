"""Write the table of verdicts in README.md from the recorded results."""

import argparse
import sys
from pathlib import Path

from pages import markdown_table

from roa_helpers import studies
from roa_helpers.page import claims

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
    units = [unit for name in studies.by_name() for unit in studies.finished("quick", name)]
    return [unit for unit in units if unit.result["profile"] in studies.RECORDED]


def filled(text, content):
    """``text`` with ``content`` between the two marks."""
    head, _, rest = text.partition(BEGIN)
    _, _, tail = rest.partition(END)
    return f"{head}{BEGIN}\n{content}\n{END}{tail}"


def block(units):
    """A table for each study that has claims: a row a claim, a column a data set, the verdicts of all cases."""
    if not units:
        return "Nothing is recorded yet."
    verdicts = claims.judged(claims.apart(studies.verdicts(units))[0])
    if verdicts.empty:
        return "No study that is recorded has claims."
    verdicts = verdicts.assign(verdict=claims.spoken(verdicts, reasons=False))
    parts = []
    for name, own in verdicts.groupby("study", sort=False):
        table = own.pivot_table(index="claim", columns="where", values="verdict", aggfunc=_all, sort=False)
        rows = table.loc[list(dict.fromkeys(own["claim"]))].fillna("–").reset_index()
        note = getattr(studies.find(name).part("claims"), "NOTE", "")
        parts.append(f"**{studies.find(name).paper}**{f'. {note}' if note else ''}\n\n{markdown_table(rows)}")
    names = sorted(set(verdicts.profile))
    profiles = f"{' and '.join(names)} profile{'s' if len(names) > 1 else ''}"
    note = (
        f"Recorded with the {profiles}; where cases of a claim differ, all verdicts stand. A verdict needs "
        "three trained networks: with fewer the table says so, and what their interval points to. *Not testable* means "
        "that nothing that ran could tell; the book says why. [book/rules.md](book/rules.md) lists when rules were set "
        "and changed, and what had been seen by then."
    )
    return "\n".join(parts) + f"\n{note}"


def _all(verdicts):
    return " / ".join(dict.fromkeys(verdicts))


if __name__ == "__main__":
    sys.exit(main())
