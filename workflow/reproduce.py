"""Compute a profile's units anew and list every number that moved beyond the interval that is recorded for it.

    python workflow/reproduce.py --profile desk             exit code 1 if a number moved
    python workflow/reproduce.py --profile desk --accept    replace the recorded results by the new ones

What is computed anew lies in ``_build/reproduce/`` until it is accepted. Where nothing is recorded, the units are
computed in their place. A run that was stopped continues.
"""

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd

from roa_helpers import config, papers, store
from roa_helpers.errors import UserError

ROOT = Path(__file__).resolve().parent.parent
KEYS = ["data set", "direction", "quantity", "seed"]


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], allow_abbrev=False)
    parser.add_argument("--profile", default="quick")
    parser.add_argument("--cores", help="jobs at a time (default: all)")
    parser.add_argument("--accept", action="store_true", help="replace the recorded results by the new ones")
    args = parser.parse_args(argv)
    os.chdir(ROOT)
    anew, done = Path("_build/reproduce"), Path("_build/reproduce") / f".{args.profile}.compared"
    try:
        plans = [(study, plan.name) for study in config.STUDIES for plan in config.planned(args.profile, study)]
        if args.accept:
            if not done.exists():
                raise UserError(f"nothing to accept\n  first: make reproduce PROFILE={args.profile}")
            accept(plans, profile=args.profile, source=anew, place=store.root())
            done.unlink()
            return 0
        recorded = standing(plans, profile=args.profile, root=store.root())
        if not recorded:
            print(f"nothing is recorded for profile '{args.profile}' yet: computing it in its place")
            return compute(profile=args.profile, cores=args.cores, root=store.root())
        if done.exists():  # the last run came to its end: this one starts from nothing
            shutil.rmtree(anew / args.profile)
            done.unlink()
        code = compute(profile=args.profile, cores=args.cores, root=anew)
        if code:
            return code
        moved = compare(recorded, standing(plans, profile=args.profile, root=anew))
        done.touch()
    except UserError as error:
        print(error, file=sys.stderr)
        return 2
    print(f"\nto record what was computed now: make accept PROFILE={args.profile}")
    return 1 if moved else 0


def compute(*, profile, cores, root):
    """Compute the units below ``root``; the exit code."""
    command = [sys.executable, "workflow/engine.py", "units", "--profile", profile]
    command += ["--cores", cores] if cores else []
    return subprocess.run(command, env=os.environ | {"ROA_RESULTS": str(root)}).returncode


def standing(plans, *, profile, root):
    """The finished units among ``plans`` below ``root``."""
    found = [store.read(root / profile / study / name) for study, name in plans]
    return [unit for unit in found if unit]


def numbers(units):
    """Every number with its 95 % interval: the paper's three tables and the estimates behind the verdicts."""
    tables = [papers.compare(row, units) for row in ("A9", "A10", "A11")]
    claims = papers.verdicts(units)
    tables.append(claims.assign(quantity=claims["claim"]))
    return pd.concat(tables)[[*KEYS, "ours", "low", "high", "n", "verdict"]]


def compare(recorded, anew):
    """Print what moved; how many numbers did."""
    both = numbers(recorded).merge(numbers(anew), on=KEYS, suffixes=("", " now"))
    moved = both[(both["ours now"] < both.low) | (both["ours now"] > both.high) | (both.n != both["n now"])]
    turned = both[both.verdict != both["verdict now"]]
    print(f"\n{len(both)} numbers of {len(anew)} units compared with the recorded ones")
    _show("moved beyond the recorded interval", moved[[*KEYS, "ours", "low", "high", "n", "ours now", "n now"]])
    _show("another verdict", turned[[*KEYS, "verdict", "verdict now"]])
    return len(moved)


def _show(title, table):
    print(f"\n{title}: {len(table) or 'none'}")
    if len(table):
        print(table.to_string(index=False, float_format="{:.4f}".format))


def accept(plans, *, profile, source, place):
    """Move the new units into the place of the recorded ones."""
    for study, name in plans:
        new, old = source / profile / study / name, place / profile / study / name
        with store.lock(old):
            shutil.rmtree(old, ignore_errors=True)
            shutil.copytree(new, old)
        print(f"recorded {old}")


if __name__ == "__main__":
    sys.exit(main())
