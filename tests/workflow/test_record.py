"""`make record`: what it plans, in which order, and that a stop leaves nothing running and loses nothing."""

import sys
import time
from dataclasses import dataclass, replace

import pytest
import record

from roa_helpers import studies
from roa_helpers.studies.roi_roa import choices


@dataclass(frozen=True)
class Script:
    """A job that is a line of Python."""

    name: str
    code: str
    seconds: float | None = 1.0

    @property
    def plan(self):
        return studies.Planned("roi_roa", replace(choices.DIGITS, classes=(self.name, "x")), 0)

    def command(self):
        return [sys.executable, "-c", self.code]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(record, "GRACE_S", 10)
    return tmp_path


def wrote(folder, name):
    return f"import os, time; time.sleep(.1); open({str(folder / name)!r}, 'w').write(str(os.nice(0)))"


def test_jobs_run_at_low_priority_and_all_of_them(folder, capsys):
    failed, left = record.work([Script(n, wrote(folder, n)) for n in "abc"], at_once=2)
    assert (failed, left) == ([], []) and [(folder / n).read_text() for n in "abc"] == ["19"] * 3
    assert "3/3 c" in capsys.readouterr().out


def test_a_job_that_fails_is_named_and_the_others_go_on(folder):
    bad, good = Script("bad", "print('no such thing'); raise SystemExit(2)"), Script("good", wrote(folder, "good"))
    failed, left = record.work([bad, good], at_once=1)
    assert [job for job, _ in failed] == [bad] and left == [] and (folder / "good").exists()
    assert failed[0][1].read_text() == "no such thing\n"


def test_when_the_time_is_over_what_runs_is_asked_to_stop_and_the_rest_is_left(folder, monkeypatch):
    asked = (
        "import signal, sys, time\n"
        f"signal.signal(signal.SIGINT, lambda *_: (open({str(folder / 'asked')!r}, 'w'), sys.exit(0)))\n"
        f"open({str(folder / 'began')!r}, 'w'); time.sleep(60)"
    )
    slow, never = Script("slow", asked), Script("never", wrote(folder, "never"))
    monkeypatch.setattr(record.time, "monotonic", lambda: 9.0 if (folder / "began").exists() else 0.0)
    failed, left = record.work([slow, never], at_once=1, end=5.0)
    assert failed == [] and left == [slow, never]
    assert (folder / "asked").exists() and not (folder / "never").exists()


def test_what_does_not_listen_is_ended(folder, monkeypatch):
    deaf = Script("deaf", "import signal, time; signal.signal(signal.SIGINT, signal.SIG_IGN); time.sleep(60)")
    monkeypatch.setattr(record, "GRACE_S", 1)
    start = time.monotonic()
    record.work([deaf], at_once=1, end=start + 1.0)
    assert time.monotonic() - start < 50  # it would sleep for 60


def test_one_network_of_everything_comes_first_and_the_cheapest_first(monkeypatch, results):
    monkeypatch.setattr(record, "spent", lambda profile, plan: {"roi_roa": 500.0, "curvature": 7.0}.get(plan.study))
    jobs = record.planned("paper")
    order = [(job.plan.seed, float("inf") if job.seconds is None else job.seconds) for job in jobs]
    assert order == sorted(order) and order[0] == (0, 7.0) and order[-1][0] == 2
    assert {job.plan.study for job in jobs} == set(studies.by_name())
    assert jobs[0].command()[3:] == ["study", "curvature", "--profile", "paper", "--unit", jobs[0].plan.name, "--seed",
                                     "0"]  # fmt: skip


def test_current_units_are_not_planned_again(monkeypatch, results):
    everything = record.planned("quick")
    done = everything[0].plan
    monkeypatch.setattr(record.store, "read", lambda path, expected=None: path.name == done.name or None)
    monkeypatch.setattr(record, "spent", lambda profile, plan: None)
    assert done.name not in [job.plan.name for job in record.planned("quick")]
    assert "is recorded and current" in record.announced([], "quick", 2)


def test_times_are_spelled_and_bad_hours_refused(capsys):
    assert [record.spelled(s) for s in (0, 440, 7500)] == ["1 min", "7 min", "2 h 05 min"]
    for text in ("0", "-1", "soon", "nan", "inf"):
        with pytest.raises(SystemExit):
            record.main(["--hours", text])
    assert "a number of hours above 0 is needed" in capsys.readouterr().err
    assert record.main(["--profile", "tomorrow"]) == 2
