"""The command line: ``python -m roa_helpers study | data | verdicts``.

What computes is imported when it is first used.
"""

import argparse
import logging
import os
import sys
import time
from contextlib import contextmanager
from pathlib import Path

from . import __version__, data, records, studies
from .errors import UserError
from .page import claims

PROG = "python -m roa_helpers"


class Parser(argparse.ArgumentParser):
    """argparse, with one message instead of the usage when the arguments are wrong."""

    def error(self, message):
        self.exit(2, f"{self.prog}: {message}\n  see: {self.prog} --help\n")


def parser():
    """The arguments."""
    top = Parser(prog=PROG, description="Compute, check and read the results behind the book.", allow_abbrev=False)
    top.add_argument("--version", action="version", version=__version__)
    commands = top.add_subparsers(metavar="COMMAND", required=True)

    study = commands.add_parser("study", help="compute units of a study, or find them finished", allow_abbrev=False)
    study.add_argument("name", metavar="NAME", help=f"one of: {', '.join(studies.by_name())}")
    _add_profile(study)
    study.add_argument(
        "--unit", nargs="+", metavar="U", help="only these units of the profile, by the names of their folders"
    )
    study.add_argument("--dataset", metavar="D", help="only this data set (default: all that the profile names)")
    study.add_argument(
        "--images", metavar="PATH", help="your own images: a folder or .zip, of class folders where there are classes"
    )
    study.add_argument("--pair", nargs=2, metavar=("A", "B"), help="the two classes, in any order")
    study.add_argument("--seed", type=seed, metavar="S", help="instead of the profile's own seeds")
    study.set_defaults(run=run_study)

    data = commands.add_parser("data", help="what data sets are at hand; check them, fetch them", allow_abbrev=False)
    actions = data.add_subparsers(metavar="list | check NAME | fetch NAME", required=True)
    actions.add_parser("list", help="the known data sets and where they were looked for").set_defaults(run=run_list)
    check = actions.add_parser("check", help="decode every picture; exit code 1 if some cannot be read")
    check.add_argument("name", metavar="NAME", help="a known data set, or a path")
    check.set_defaults(run=run_check)
    fetch = actions.add_parser("fetch", help="download the official files and verify them")
    fetch.add_argument("name", metavar="NAME", help="a known data set, or files of a study: see data list")
    fetch.set_defaults(run=run_fetch)

    verdicts = commands.add_parser("verdicts", help="claims, the paper's values, ours, verdicts", allow_abbrev=False)
    _add_profile(verdicts)
    verdicts.add_argument("--json", action="store_true", help="as JSON")
    verdicts.set_defaults(run=run_verdicts)
    return top


def _add_profile(command):
    names = ", ".join(studies.PROFILES)
    command.add_argument("--profile", default="quick", metavar="P", help=f"one of: {names} (default: quick)")


def seed(text):
    """A seed from the command line."""
    try:
        return studies.checked_seed(int(text) if text.isascii() and text.isdigit() and len(text) < 20 else text)
    except UserError as error:
        raise argparse.ArgumentTypeError(str(error).partition("\n")[0]) from error


def asked(*, name, profile, unit=None, dataset=None, images=None, pair=None, seed=None):
    """The units that the arguments of ``study`` ask for.

    Raises:
        UserError: unknown study, profile, unit or data set, or arguments that do not fit together.
    """
    plans = studies.planned(profile, name, seed=seed)
    if not plans and dataset is None and images is None:
        raise UserError(f"profile '{profile}' plans no units of {name}\n  choose another profile")
    if unit is not None:
        if dataset or images or pair:
            raise UserError("--unit names a unit whole\n  leave out --dataset, --images and --pair")
        if unknown := [one for one in unit if one not in [plan.name for plan in plans]]:
            raise UserError(
                f"profile '{profile}' plans no unit '{unknown[0]}' of {name}"
                f"\n  name one like '{plans[0].name}', or choose by --dataset and --pair"
            )
        return [plan for plan in plans if plan.name in unit]
    if dataset is None and images is None:
        if pair:
            raise UserError("--pair needs the data set it belongs to\n  add: --dataset D  or  --images PATH")
        return plans
    if dataset is not None and images is not None:
        raise UserError("--dataset and --images exclude each other")
    if images is not None:
        return studies.planned_for(name, images, profile=profile, pair=pair, seed=seed)
    if all(plan.choices.dataset != dataset for plan in plans):
        data.find(dataset)
    return studies.planned(profile, name, dataset=dataset, classes=pair, seed=seed)


def run_study(args):
    plans = asked(
        name=args.name, profile=args.profile, unit=args.unit,
        dataset=args.dataset, images=args.images, pair=args.pair, seed=args.seed,
    )  # fmt: skip
    found = []
    for plan in plans:
        start = time.perf_counter()
        unit, reused = studies.run(plan, profile=args.profile, progress=sys.stderr.isatty())
        seconds = time.perf_counter() - start
        found.append(unit)
        how = "reused" if reused else "computed"
        print(f"{plan.name:<32}  {how:<8}  {seconds:6.1f} s  {_short(unit.path)}", flush=True)
    if args.images is not None and (page := studies.report([*map(studies.shown, found)])):
        print(f"one page with all pictures, nothing of yours left this machine: {page.absolute().as_uri()}")
    return 0


def run_list(args):
    rows = data.available()
    print(f"data folder: {data.data_root()}   (ROA_DATA sets another)")
    for row in rows:
        place = row["where"] or f"not found; looked in {' · '.join(row['looked_in'])}"
        size = f"fetch: {row['download_size'] / 2**20:.0f} MB" if row["download_size"] else ""
        classes = f"{len(row['classes']):>2} classes" if row["classes"] else ""
        print(f"{row['name']:<18} {classes:<11}  {'' if row['found'] else size:<15} {_short(place)}")
    for study in studies.by_name().values():
        for files in study.files():
            place = files.find() or f"not found; looked in {' · '.join(map(str, files.places()))}"
            print(f"{files.name:<18} {files.title:<26} {_short(place)}")
    return 0


def run_check(args):
    found = data.check(args.name, progress=sys.stderr.isatty())
    print(f"{found['name']}: {found['source']}, {found['where']}")
    for part, counts in found["counts"].items():
        print(f"  {part:<6} " + "  ".join(f"{label} {count}" for label, count in counts.items()))
    print(f"  unreadable: {found['unreadable']['count']}")
    for name, why in found["why"].items():
        print(f"    {name}: {why}")
    if found["duplicates"]["count"]:
        print(f"  duplicates: {found['duplicates']['count']}, the first {found['duplicates']['names'][0]}")
    return 1 if found["why"] else 0


def run_fetch(args):
    others = {files.name: files.downloads for study in studies.by_name().values() for files in study.files()}
    for path in data.fetch(args.name, others=others) or [f"{args.name} comes with the package's dependencies"]:
        print(_short(path))
    return 0


def run_verdicts(args):
    units = [unit for name in studies.by_name() for unit in studies.finished(args.profile, name)]
    if not units:
        raise UserError(f"no results of profile '{args.profile}' yet\n  compute them: make book PROFILE={args.profile}")
    table = studies.verdicts(units)
    if args.json:
        print(table.to_json(orient="records", force_ascii=False, indent=1))
    else:
        columns = ["study", "claim", "where", "case", "paper", "ours", "low", "high", "n", "networks", "verdict",
                   "profile"]  # fmt: skip
        shown = table.assign(verdict=claims.spoken(table))
        print(shown[columns].to_string(index=False, float_format="{:.3f}".format, na_rep="–"))
    if old := records.store.outdated(units):
        print(f"not all units are what the present code would compute ({old})", file=sys.stderr)
    return 0


def _short(path):
    """``path`` relative to here if it lies below."""
    try:
        here = f"{Path.cwd()}{os.sep}"
    except FileNotFoundError:  # it was removed meanwhile
        return str(path)
    return str(path).removeprefix(here)


@contextmanager
def _telling():
    """What is said of data goes to stderr, each line once."""
    said, log = set(), logging.getLogger(data.__name__)
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(lambda record: not (record.getMessage() in said or said.add(record.getMessage())))
    level, propagate = log.level, log.propagate
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    log.propagate = False
    try:
        yield
    finally:
        log.removeHandler(handler)
        log.setLevel(level)
        log.propagate = propagate


def main(argv=None):
    """Run one command.

    Returns:
        Exit code: 0 done, 1 a check found something, 2 something outside the code is wrong, 130 interrupted.
    """
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # a terminal may know few characters
    args = parser().parse_args(argv)
    try:
        with _telling():
            code = args.run(args)
        sys.stdout.flush()
        return code
    except BrokenPipeError:  # whoever reads has had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except UserError as error:
        print("\n".join(map(data.readable, str(error).split("\n"))), file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\ninterrupted; what was finished is kept", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
