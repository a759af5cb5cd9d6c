"""Record a profile: compute its units that are missing or not current, at low priority, a few at a time.

    python workflow/record.py --profile desk --hours 3 --cores 2

First one network of everything, the cheapest units first, then the further seeds. Each unit is stored as soon as it is
finished and can be committed then; a run that is stopped, by Ctrl-C, a signal or its hours, is continued by the same
command, and units that keep finished parts go on from these. Units whose data are not at hand are left out and named.
"""

import argparse
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from engine import positive

from roa_helpers import studies
from roa_helpers.errors import UserError
from roa_helpers.records import store

ROOT = Path(__file__).resolve().parent.parent
LOGS = Path("_build/logs/record")
#: How long a unit is given to end by itself after it was asked to.
GRACE_S = 20


@dataclass(frozen=True)
class Job:
    """A unit to be computed, and how long it may take (s; None: nothing like it was recorded)."""

    plan: studies.Planned
    profile: str
    seconds: float | None

    @property
    def name(self):
        """“roi_roa mnist-0-1-seed0”."""
        return f"{self.plan.study} {self.plan.name}"

    def command(self):
        """What computes it in a process of its own."""
        options = ["--profile", self.profile, "--unit", self.plan.name, "--seed", str(self.plan.seed)]
        return [sys.executable, "-m", "roa_helpers", "study", self.plan.study, *options]


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], allow_abbrev=False)
    parser.add_argument("--profile", default="desk")
    parser.add_argument("--cores", type=positive, default=2, help="units at a time (default: 2)")
    parser.add_argument("--hours", type=hours, help="stop after as many hours (default: when all is done)")
    args = parser.parse_args(argv)
    os.chdir(ROOT)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        profile = studies.profile(args.profile)
        jobs = planned(args.profile)
        print(announced(jobs, args.profile, args.cores), flush=True)
        end = None if args.hours is None else time.monotonic() + 3600 * args.hours
        failed, left = work(jobs, at_once=max(1, args.cores // profile.threads), end=end)
    except UserError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nstopped; what was finished is kept, the same command continues", file=sys.stderr)
        return 130
    if left:
        print(f"the time is over; {len(left)} units are left, the same command continues")
    for job, log in failed:
        print(f"failed: {job.name}, see {log}", file=sys.stderr)
    return 1 if failed else 0


def hours(text):
    """A number of hours above 0 from the command line."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"a number of hours above 0 is needed, not '{text}'")
    return value


def planned(profile):
    """The jobs of a profile, in the order in which they are done: by seed, then by how long they may take."""
    jobs = []
    for study in studies.by_name():
        plans = studies.planned(profile, study)
        taken = {plan.name: spent(profile, plan) for plan in plans}
        known = [seconds for seconds in taken.values() if seconds is not None]
        for plan in plans:
            path = store.unit_path(profile, study, plan.name)
            if store.read(path, studies.expected(plan)) is None:
                seconds = taken[plan.name] if taken[plan.name] is not None else median(known) if known else None
                jobs.append(Job(plan, profile, seconds))
    return sorted(jobs, key=lambda job: (job.plan.seed, float("inf") if job.seconds is None else job.seconds))


def spent(profile, plan):
    """How long a unit took when it was recorded, by whatever code (s); None where it was not."""
    unit = store.read(store.unit_path(profile, plan.study, plan.name))
    return unit.result["provenance"]["seconds"] if unit else None


def announced(jobs, profile, cores):
    """What is to be done, in words."""
    if not jobs:
        return f"every unit of profile '{profile}' is recorded and current"
    unknown = sum(job.seconds is None for job in jobs)
    known = sum(job.seconds or 0 for job in jobs) / cores
    told = f"{len(jobs)} units of profile '{profile}' to record, {cores} at a time: about {spelled(known)}"
    return told + (f", and {unknown} units that nothing is known of" if unknown else "")


def spelled(seconds):
    """“2 h 05 min”, “7 min”."""
    minutes = max(1, round(seconds / 60))
    return f"{minutes // 60} h {minutes % 60:02d} min" if minutes >= 60 else f"{minutes} min"


def work(jobs, *, at_once, end=None):
    """Do jobs, ``at_once`` at a time, until all are done or the time is over; what runs then is stopped.

    Args:
        end: of the time, as ``time.monotonic()`` tells it; None: never.

    Returns:
        ([(job, its log)] that failed, jobs that are left).
    """
    LOGS.mkdir(parents=True, exist_ok=True)
    waiting, running, failed, start = list(jobs), {}, [], time.monotonic()
    try:
        while waiting or running:
            if end is not None and time.monotonic() >= end:
                return failed, [*running.values(), *waiting]
            while waiting and len(running) < at_once:
                job = waiting.pop(0)
                running[begin(job)] = job
            time.sleep(0.2)
            for process in [one for one in running if one.poll() is not None]:
                job = running.pop(process)
                if process.returncode:
                    failed.append((job, log_of(job)))
                done = len(jobs) - len(waiting) - len(running)
                print(told(job, process.returncode, done, len(jobs), left=[*waiting, *running.values()],
                           rate=done / max(1.0, time.monotonic() - start), at_once=at_once), flush=True)  # fmt: skip
        return failed, []
    finally:
        stop(running)


def begin(job):
    """Start a job's process at the lowest priority; what it says goes to its log."""
    log = log_of(job)
    with log.open("w") as file:
        return subprocess.Popen(
            job.command(), stdout=file, stderr=subprocess.STDOUT, start_new_session=True, preexec_fn=lambda: os.nice(19)
        )


def log_of(job):
    """Where a job's output goes."""
    return LOGS / f"{job.plan.study}-{job.plan.name}.log"


def told(job, code, done, total, *, left, rate, at_once):
    """A line on a job that ended: how it did, how many are done, how long the others may take."""
    known = [one.seconds for one in left if one.seconds is not None]
    ahead = sum(known) / at_once if len(known) == len(left) else len(left) / rate
    rest = f", about {spelled(ahead)} left" if left else ""
    return f"{done:>4}/{total} {job.name:<60} {'FAILED' if code else 'recorded'}{rest}"


def stop(running):
    """Ask processes to end, and end those that do not."""
    for process in running:
        process.send_signal(signal.SIGINT)
    for process in running:
        try:
            process.wait(timeout=GRACE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


if __name__ == "__main__":
    sys.exit(main())
