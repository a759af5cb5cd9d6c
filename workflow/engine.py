"""Run the workflow: Snakemake with one progress bar, plain errors, and nothing left running or locked.

    python workflow/engine.py [book | units] --profile quick [--seed S] [--cores N]

Only one run works in a folder at a time; a second one waits. The lock goes with the processes that hold it, so a run
that was killed leaves none behind, and the next one continues where it stopped.
"""

import argparse
import contextlib
import fcntl
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pair
import psutil
import summary
from joblib import cpu_count
from tqdm import tqdm

from roa_helpers import studies
from roa_helpers.__main__ import Parser, seed
from roa_helpers.errors import UserError
from roa_helpers.records import store

ROOT = Path(__file__).resolve().parent.parent
LOG = Path("_build/logs/snakemake.log")
TARGETS = {"book": "all", "units": "units"}
LAST_LINES = 15  # of a failed job's log
BAR = "{percentage:3.0f}%|{bar:30}| {n_fmt}/{total_fmt} [{elapsed}] {desc}"


def main(argv=None):
    parser = Parser(description=__doc__.splitlines()[0], allow_abbrev=False)
    parser.add_argument("target", nargs="?", default="book", choices=TARGETS)
    parser.add_argument("--profile", default="quick")
    parser.add_argument("--seed", type=seed, help="instead of the profile's own seeds")
    parser.add_argument("--cores", type=positive, default=cpu_count(), help="jobs at a time (default: all)")
    args = parser.parse_args(argv)
    os.chdir(ROOT)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    start = time.time()
    try:
        studies.profile(args.profile)
        place = store.root() / args.profile
        with store.writable(place):
            tempfile.TemporaryFile(dir=place).close()
        with only_run():
            if args.target == "book" and (problems := pair.pair(ROOT)):
                raise UserError("\n".join(problems))
            failure = run(args.target, profile=args.profile, seed=args.seed, cores=args.cores)
    except UserError as error:
        print(error, file=sys.stderr)
        return 2
    except OSError as error:
        print(f"cannot write {error.filename or error}: {error.strerror}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\ninterrupted; what was finished is kept, the same command continues", file=sys.stderr)
        return 130
    if failure:
        print(failure, file=sys.stderr)
        return 1
    summary.show(args.profile, seed=args.seed, since=start, book=args.target == "book")
    return 0


def positive(text):
    """A number of cores from the command line."""
    if not (text.isascii() and text.isdigit() and int(text)):
        raise argparse.ArgumentTypeError(f"a whole number above 0 is needed, not '{text}'")
    return int(text)


@contextlib.contextmanager
def only_run():
    """Hold this folder's lock, waiting for another run to end."""
    LOG.parent.mkdir(parents=True, exist_ok=True)
    with open("_build/.lock", "a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("another run is at work in this folder; waiting for it to end", file=sys.stderr)
            fcntl.flock(lock, fcntl.LOCK_EX)
        os.set_inheritable(lock.fileno(), True)  # Snakemake holds it too, should this process be killed alone
        yield


def run(target, *, profile, seed, cores):
    """Run Snakemake to its end.

    Returns:
        None, or what went wrong, in words.
    """
    options = ["--workflow-profile", "workflow/profiles/default", "--nolock", "--nocolor", "--cores", str(cores)]
    settings = [f"profile={profile}"] + ([] if seed is None else [f"seed={seed}"])
    command = [sys.executable, "-m", "snakemake", TARGETS[target], *options, "--config", *settings]
    with LOG.open("w") as log, LOG.open() as written:
        process = subprocess.Popen(command, stdout=log, stderr=log, close_fds=False)
        family = {}
        try:
            jobs = follow(process, written, family)
        finally:
            stop(process, family)
    return None if process.returncode == 0 else explain(jobs, process.returncode)


def follow(process, written, family):
    """Show progress until Snakemake ends; what it starts is noted in ``family``.

    Returns:
        The logs of the jobs that failed.
    """
    running, failed, in_error, rest = {}, [], False, ""
    with tqdm(disable=not sys.stderr.isatty(), bar_format=BAR) as bar:
        while True:
            ended = process.poll() is not None
            note_children(process, family)
            *lines, rest = (rest + written.read()).split("\n")
            for line in lines:
                if found := re.match(r"total +(\d+)$", line):
                    bar.reset(int(found[1]))
                elif found := re.match(r"Job (\d+): (.+)$", line):
                    running[found[1]] = found[2], time.monotonic()
                elif found := re.match(r"Finished jobid: (\d+)", line):
                    name, start = running.pop(found[1], (None, None))
                    if name:
                        bar.write(f"{name:<56} {time.monotonic() - start:6.1f} s", file=sys.stderr)
                    bar.update()
                elif found := re.match(r"Error in (?:local)?rule", line):
                    in_error = True
                elif in_error and (found := re.match(r"    jobid: (\d+)$", line)):
                    running.pop(found[1], None)
                elif in_error and (found := re.match(r"    log: (.+) \(check log", line)):
                    failed.append(Path(found[1]))
                    in_error = False
            bar.set_description_str(", ".join(name for name, _ in running.values()))
            if ended:
                return failed
            time.sleep(0.5)


def note_children(process, family):
    """Add the processes below ``process`` to ``family``, by number."""
    with contextlib.suppress(psutil.NoSuchProcess):
        family.update((child.pid, child) for child in psutil.Process(process.pid).children(recursive=True))


def stop(process, family):
    """End what is left of Snakemake and of what it started; nothing is, after a run that came to its end."""
    if process.poll() is None:
        note_children(process, family)
        process.kill()
    for child in family.values():
        with contextlib.suppress(psutil.NoSuchProcess):
            child.terminate()  # psutil checks that the number still means the same process
    for child in psutil.wait_procs(family.values(), timeout=5)[1]:
        child.kill()
    process.wait()


def explain(logs, code):
    """What the logs of failed jobs say (Snakemake's own, where no job failed)."""
    if code < 0:
        return f"Snakemake was killed (signal {-code}); the same command continues"
    parts = []
    for log in logs or [LOG]:
        text = re.sub(r"\x1b\[[0-9;]*m", "", log.read_text(errors="replace")).rstrip()
        if log.name == "book.log":  # long, the cause somewhere in it
            lines = [line for line in text.splitlines() if re.search(r"WARNING|ERROR|not built|Error: ", line)]
        else:  # the message comes last, after an empty line
            lines = text.rpartition("\n\n")[2].splitlines()
        parts.append("\n".join([f"failed: {log}", *(f"  {line}" for line in lines[-LAST_LINES:])]))
    return "\n\n".join(parts) + "\n\nthe run stopped; the same command continues it"


if __name__ == "__main__":
    sys.exit(main())
