"""Compute what is recorded of a profile anew and list every number that moved beyond its recorded interval.

    python workflow/reproduce.py --profile desk             exit code 1 if a number moved
    python workflow/reproduce.py --profile desk --accept    replace the recorded results by the new ones

What is computed anew lies in ``_build/reproduce/`` until it is accepted. Where nothing is recorded, all units of the
profile are computed in their place. A run that was stopped continues.

A unit of any study is compared by the counts and means that it holds, wherever they stand in ``result.json`` or in a
table: ``k`` of ``n`` has Wilson's interval; ``mean`` has ``low`` and ``high``, or ± 1.96 ``sd``/√``n``; a number with a
neighbour of the same name and ``_interval`` has that one. Units are also compared by what their verdicts rest on.

Equal seeds give equal bytes on one machine only. On another one they give other networks, and intervals over images
know nothing of these: units that were recorded elsewhere are compared by the claims that rest on three networks or
more, whose intervals do. Such a claim has moved where the difference of its two numbers is clear of 0, by Holm's method
over all of them.
"""

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
from engine import positive
from scipy import stats

from roa_helpers import evidence, metrics, studies
from roa_helpers.errors import UserError
from roa_helpers.page import claims
from roa_helpers.records import store

ROOT = Path(__file__).resolve().parent.parent
KEYS = ["study", "unit", "quantity"]
COLUMNS = [*KEYS, "ours", "low", "high", "n", "verdict"]
#: Columns of a table that are measured; the others say what a row is.
MEASURED = {"k", "n", "min", "max", "mean", "median", "sd", "low", "high", "blob"}


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], allow_abbrev=False)
    parser.add_argument("--profile", default="quick")
    parser.add_argument("--cores", type=positive, help="jobs at a time (default: all)")
    parser.add_argument("--accept", action="store_true", help="replace the recorded results by the new ones")
    args = parser.parse_args(argv)
    os.chdir(ROOT)
    anew, done = Path("_build/reproduce"), Path("_build/reproduce") / f".{args.profile}.compared"
    try:
        plans = [(study, plan.name) for study in studies.by_name() for plan in studies.planned(args.profile, study)]
        recorded = standing(plans, profile=args.profile, root=store.root())
        plans = [_key(unit) for unit in recorded]
        if args.accept:
            if not done.exists():
                raise UserError(f"nothing to accept\n  first: make reproduce PROFILE={args.profile}")
            accept(plans, profile=args.profile, source=anew, place=store.root())
            done.unlink()
            return 0
        if not recorded:
            print(f"nothing is recorded for profile '{args.profile}' yet: computing it in its place")
            return compute(profile=args.profile, cores=args.cores, root=store.root())
        if done.exists():  # the last run came to its end: this one starts from nothing
            shutil.rmtree(anew / args.profile, ignore_errors=True)  # a run that was killed here has begun to
            done.unlink()
        code = compute(profile=args.profile, cores=args.cores, root=anew, recorded=store.root())
        if code:
            return code
        moved = compare(recorded, standing(plans, profile=args.profile, root=anew))
        done.touch()
    except UserError as error:
        print(error, file=sys.stderr)
        return 2
    print(f"\nto record what was computed now: make accept PROFILE={args.profile}")
    return 1 if moved else 0


def compute(*, profile, cores, root, recorded=None):
    """Compute the units below ``root``, only those that stand below ``recorded`` where it is given; the exit code."""
    command = [sys.executable, "workflow/engine.py", "units", "--profile", profile]
    command += ["--cores", str(cores)] if cores else []
    only = {"ROA_RECOMPUTED": str(recorded)} if recorded else {}
    return subprocess.run(command, env=os.environ | {"ROA_RESULTS": str(root)} | only).returncode


def standing(plans, *, profile, root):
    """The finished units among ``plans`` below ``root``."""
    found = [store.read(root / profile / study / name) for study, name in plans]
    return [unit for unit in found if unit]


def numbers(units):
    """Every number with its 95 % interval: a row each, columns ``COLUMNS``; ``verdict`` is empty but for claims."""
    rows = [(*_key(unit), *number, "") for unit in units for number in (*_measured(_results(unit), ""), *_tabled(unit))]
    judged = claims.of_units(studies.verdicts(units)).to_dict("records") if units else []
    for claim in judged:
        where = ", ".join(filter(None, (claim["where"], claim["case"])))
        rows.append((claim["study"], where, claim["claim"], *(claim[name] for name in COLUMNS[3:])))
    return pd.DataFrame(rows, columns=COLUMNS).astype({"n": "Int64"})


def _results(unit):
    """What a unit found; its origin, whose counts may go by any name, left out."""
    return {name: part for name, part in unit.result.items() if name not in ("provenance", "fingerprint", "files")}


def _measured(block, path):
    """(quantity, ours, low, high, n) of a block of results and of all blocks within."""
    if {"k", "n"} <= block.keys():
        yield f"{path}share", block["k"] / block["n"], *metrics.wilson(block["k"], block["n"]), block["n"]
    if {"mean", "sd", "n"} <= block.keys():
        mean, sd = (float("nan") if block[name] is None else block[name] for name in ("mean", "sd"))
        reach = 1.96 * sd / block["n"] ** 0.5
        yield f"{path}mean", mean, block.get("low", mean - reach), block.get("high", mean + reach), block["n"]
    for name, part in block.items():
        if isinstance(part, dict):
            yield from _measured(part, f"{path}{name}, ")
        elif f"{name}_interval" in block:
            yield f"{path}{name}", part, *block[f"{name}_interval"], float("nan")


def _tabled(unit):
    """The same for the rows of the tables that count."""
    for path in sorted(unit.path.glob("*.csv")):
        table = unit.table(path.stem)
        if {"k", "n"} <= set(table):
            for row in table.to_dict("records"):
                which = (f"{name} {value}" for name, value in row.items() if name not in MEASURED and value == value)
                yield from _measured(row, f"{path.stem}, {', '.join(which)}, ")


def compare(recorded, anew):
    """Print what moved; how many numbers did. Units of which nothing is recorded are left aside."""
    old = {_key(unit): unit for unit in recorded}
    known = [unit for unit in anew if _key(unit) in old]
    data = [unit.path.name for unit in known if _differ(unit, old, lambda result: result["fingerprint"]["data"])]
    away = {_key(unit) for unit in known if _differ(unit, old, machine)}
    print(f"\nunits compared with the recorded ones: {len(recorded)}")
    print(f"units computed from other data than the recorded ones: {', '.join(data) or 'none'}")
    moved = 0
    if len(away) < len(recorded):
        moved += of_one_machine(*([unit for unit in units if _key(unit) not in away] for units in (recorded, known)))
    if away:
        print(f"units that were recorded on another machine: {len(away)}")
        moved += of_two_machines(recorded, known)
    return moved


def machine(result):
    """What a unit was computed with, as far as it says: where this is the same, equal seeds give equal bytes."""
    made, trained = result["provenance"], result.get("model", {})
    return [*(made.get(name) for name in ("device", "cpu", "libraries")), trained.get("mixed")]


def _differ(unit, old, part):
    return part(unit.result) != part(old[_key(unit)].result)


def of_one_machine(recorded, known):
    """Print and count the numbers that moved. A number that only one of both has, has moved."""
    both = numbers(recorded).merge(numbers(known), on=KEYS, suffixes=("", " now"), how="outer")
    now, verdicts = both["ours now"], both[["verdict", "verdict now"]].fillna("")
    same = now.between(both.low, both.high) | (now == both.ours) | (now.isna() & both.ours.isna())
    moved = both[~same | (both.n.fillna(0) != both["n now"].fillna(0))]
    turned = both[verdicts["verdict"] != verdicts["verdict now"]]
    print(f"numbers: {len(both)}")
    _show("moved beyond the recorded interval", moved[[*KEYS, "ours", "low", "high", "n", "ours now", "n now"]])
    _show("another verdict", turned[[*KEYS, "verdict", "verdict now"]])
    return len(moved)


def of_two_machines(recorded, known):
    """Print and count the claims that rest on three networks or more, on either machine, and moved."""
    judged = [claims.of_units(studies.verdicts(units)) for units in (recorded, known)]
    both = judged[0].merge(judged[1], on=["study", "where", "case", "id"], suffixes=("", " now"))
    few = both.networks.isin(claims.FEW) | both["networks now"].isin(claims.FEW)
    tested = both[~few & both[["ours", "low", "high", "ours now", "low now", "high now"]].notna().all(axis=1)]
    p = evidence.holm([_p_of_difference(row) for row in tested.to_dict("records")])
    moved = tested[p < claims.ALPHA]
    print(f"claims over three networks or more: {len(tested)}; over fewer, which tell nothing here: {int(few.sum())}")
    shown = ["study", "claim", "where", "case", "ours", "low", "high", "ours now", "low now", "high now"]
    _show("moved beyond chance", moved[shown])
    return len(moved)


def _p_of_difference(row):
    """Two-sided p-value of the difference of two numbers against 0, from their 95 % intervals."""
    now, before = ((row[f"ours{k}"], (row[f"low{k}"], row[f"high{k}"])) for k in (" now", ""))
    value, (low, high) = evidence.combined([(1, *now), (-1, *before)])
    reach = value - low if value > 0 else high - value
    away = abs(value)
    return 1.0 if away == 0 else float(2 * stats.norm.sf(1.96 * away / reach)) if reach > 0 else 0.0


def _key(unit):
    return unit.result["study"], unit.path.name


def _show(title, table):
    print(f"\n{title}: {len(table) or 'none'}")
    if len(table):
        print(table.to_string(index=False, float_format="{:.4f}".format))


def accept(plans, *, profile, source, place):
    """Put the new units in the place of the recorded ones, all of them checked before the first is.

    Raises:
        UserError: a new unit is absent or not whole; nothing was changed.
    """
    anew = {(study, name): store.read(source / profile / study / name) for study, name in plans}
    broken = [f"{study}/{name}" for (study, name), unit in anew.items() if unit is None]
    if broken:
        raise UserError(
            f"nothing was recorded: {len(broken)} of {len(plans)} new units are absent or not whole"
            f"\n  {', '.join(broken)}\n  compute them: make reproduce PROFILE={profile}"
        )
    for (study, name), unit in anew.items():
        old = place / profile / study / name
        with store.lock(old):
            store.copy(unit, old)
        print(f"recorded {old}")


if __name__ == "__main__":
    sys.exit(main())
