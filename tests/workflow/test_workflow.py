"""The scripts that run notebooks and the workflow: what they refuse, what they leave behind."""

import os
import re
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path

import engine
import nbformat
import pytest
import run_notebook
import summary
from nbclient.exceptions import CellTimeoutError

from roa_helpers import studies
from roa_helpers.errors import UserError
from roa_helpers.records import store

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def execute(tmp_path):
    """Write a notebook of the given cells and run it; (finished process, its output's path, its log's path)."""

    def run(*cells, arguments=("--seed", "3")):
        parameters = nbformat.v4.new_code_cell('profile = "desk"\nseed = 7', metadata={"tags": ["parameters"]})
        notebook = nbformat.v4.new_notebook(cells=[parameters, *map(nbformat.v4.new_code_cell, cells)])
        notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
        nbformat.write(notebook, tmp_path / "01_page.ipynb")
        out, log = tmp_path / "out" / "01_page.ipynb", tmp_path / "logs" / "01_page.log"
        script = ROOT / "workflow" / "run_notebook.py"
        command = [sys.executable, script, tmp_path / "01_page.ipynb", out, "--profile", "quick"]
        # A home with a kernel "python3" of its own, which must not be the one that is used.
        kernel = tmp_path / "home" / ".local" / "share" / "jupyter" / "kernels" / "python3"
        kernel.mkdir(parents=True)
        (kernel / "kernel.json").write_text('{"argv": ["false"], "display_name": "another", "language": "python"}')
        environment = os.environ | {"HOME": str(tmp_path / "home"), "JUPYTER_PATH": str(kernel.parent.parent)}
        command += ["--log", log, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=tmp_path, timeout=120)
        assert "Traceback" not in done.stderr
        return done, out, log

    return run


def test_a_notebook_gets_its_parameters_this_python_and_the_root(execute):
    done, out, log = execute(
        "import os, sys, warnings\nwarnings.warn('look here')\nprint(profile, seed, sys.executable, os.getcwd())"
    )
    assert done.returncode == 0, done.stderr
    text = log.read_text()
    assert f"quick 3 {sys.executable} {ROOT}" in text
    assert "UserWarning: look here" in text
    assert [path.name for path in out.parent.iterdir()] == [out.name]
    assert nbformat.read(out, 4).cells[-1].outputs


@pytest.mark.parametrize("text", ["# Title", "{}", "[]", ""])
def test_a_file_that_is_no_notebook_is_one_message(tmp_path, text):
    path = tmp_path / "01_page.ipynb"
    path.write_text(text)
    with pytest.raises(UserError, match="01_page.ipynb cannot be read as a notebook: "):
        run_notebook.check_parameters(path, {"seed": 3})


def test_without_a_seed_a_notebook_takes_all_seeds_of_the_profile(execute):
    done, _, log = execute("print('seed is', seed)", arguments=())
    assert done.returncode == 0, done.stderr
    assert "seed is None" in log.read_text()


def test_what_a_killed_run_of_the_same_notebook_left_is_removed(execute, tmp_path):
    for name in (".01_page.k1ll3d", ".02_page.runs"):
        (tmp_path / "out" / name).mkdir(parents=True)
        (tmp_path / "out" / name / "page.ipynb").touch()
    done, out, _ = execute("1")
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in out.parent.iterdir()) == [".02_page.runs", out.name]


def test_a_failing_notebook_names_its_cell_and_leaves_its_log(execute):
    done, out, log = execute("x = 1", "# why\ny = x\nz = 1 / (x - y)", "print('never')")
    assert done.returncode == 1
    assert done.stderr.startswith("notebook 01_page failed in cell [4]: z = 1 / (x - y)\n  ZeroDivisionError")
    assert "ZeroDivisionError" in log.read_text()
    assert list(out.parent.iterdir()) == []
    partial = nbformat.read(log.with_name("01_page.failed.ipynb"), 4)
    assert any("ZeroDivisionError" in str(cell.get("outputs")) for cell in partial.cells)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(["-p", "sed", "4"], "notebook 01_page has no parameter sed"), (["--profile", "huge"], "unknown profile 'huge'")],
)
def test_unknown_parameters_are_refused_before_anything_runs(execute, arguments, message):
    done, out, _ = execute("print('never')", arguments=arguments)
    assert done.returncode == 1
    assert message in done.stderr
    assert not out.exists()


def test_a_kernel_that_falls_silent_is_named_and_what_it_did_is_kept(tmp_path, monkeypatch):
    def silent(notebook, partial, *rest, iopub_timeout, **options):
        partial.write_text("{}")
        raise CellTimeoutError.error_from_timeout_and_cell("IOPub", iopub_timeout, nbformat.v4.new_code_cell("1"))

    notebook = tmp_path / "page.ipynb"
    nbformat.write(nbformat.v4.new_notebook(), notebook)
    monkeypatch.setattr(run_notebook.papermill, "execute_notebook", silent)
    monkeypatch.setattr(run_notebook, "own_kernel", nullcontext)
    with pytest.raises(UserError, match=f"page failed because its kernel was silent for {run_notebook.SILENT} s"):
        run_notebook.execute(notebook, tmp_path / "out" / "page.ipynb", parameters={}, log=tmp_path / "page.log")
    assert (tmp_path / "page.failed.ipynb").exists() and not (tmp_path / "out" / "page.ipynb").exists()


LOG = """\
Job stats:
job         count
total           3

Job 1: study roi_roa digits-0-1-seed0
Finished jobid: 1 (Rule: study)
Job 2: notebook 01_page
Error in rule notebook:
    message: None
    jobid: 2
    log: {log} (check log file(s) for error details)
"""


def test_the_logs_of_failed_jobs_are_found_and_their_message_is_shown(tmp_path, capsys):
    log, failed = tmp_path / "snakemake.log", tmp_path / "01_page.log"
    log.write_text(LOG.format(log=failed))
    failed.write_text("Executing Cell 1\nNameError\n\nnotebook 01_page failed in cell [2]: x\n  NameError: x\n")
    with subprocess.Popen(["true"]) as process, log.open() as written:
        process.wait()
        assert engine.follow(process, written, {}) == [failed]
    assert capsys.readouterr().err.startswith("study roi_roa digits-0-1-seed0")
    message = engine.explain([failed], 1)
    assert message.startswith(f"failed: {failed}\n  notebook 01_page failed in cell [2]: x\n    NameError: x\n")
    assert "Executing" not in message


def test_what_was_started_is_ended():
    command = [sys.executable, "-c", "import subprocess; subprocess.run(['sleep', '60'])"]
    process, family = subprocess.Popen(command), {}
    while not family:
        engine.note_children(process, family)
    engine.stop(process, family)
    assert process.returncode is not None
    assert not any(child.is_running() for child in family.values())


@pytest.mark.parametrize("script", ["engine.py", "summary.py", "reproduce.py"])
def test_an_unknown_profile_is_one_message(script):
    command = [sys.executable, ROOT / "workflow" / script, "--profile", "huge"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert done.stderr == "unknown profile 'huge'\n  choose one of: quick, desk, paper\n"


def test_a_place_that_cannot_be_written_is_one_line(tmp_path, monkeypatch, capsys):
    (tmp_path / "_build").touch()
    (tmp_path / "page.ipynb").touch()
    monkeypatch.setenv("ROA_RESULTS", str(tmp_path / "results"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(engine, "ROOT", tmp_path)
    assert engine.main(["units"]) == 2
    assert run_notebook.main(["page.ipynb", "_build/page.ipynb", "--profile", "quick", "--log", "_build/log"]) == 2
    assert capsys.readouterr().err == "cannot write _build/logs: Not a directory\ncannot write _build: File exists\n"


@pytest.mark.parametrize("folder", ["results", "re{su}lts"])  # braces are Snakemake's wildcards
def test_the_plan_holds_every_unit_every_notebook_and_the_book(tmp_path, folder):
    command = [sys.executable, "-m", "snakemake", "--dry-run", "--forceall", "--nolock", "--cores", "1"]
    environment = os.environ | {"ROA_RESULTS": str(tmp_path / folder), "ROA_DATA": str(tmp_path / "da{ta}")}
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=environment, timeout=120)
    assert done.returncode == 0, done.stderr
    (ROOT / "_build" / "results").unlink(missing_ok=True)  # the link that braces ask for
    said = done.stdout + done.stderr
    assert ": book" in said
    for study in studies.by_name():
        for plans in studies.jobs(studies.planned("quick", study), "quick").values():
            assert f"study {study} {plans[0].name if len(plans) == 1 else f'({len(plans)} units)'}\n" in said
    for notebook in (ROOT / "notebooks").glob("[0-9][0-9]_*.py"):
        assert f"notebook {notebook.stem}" in said


def test_what_is_recomputed_is_what_stands_elsewhere(tmp_path):
    plan = studies.planned("desk", "supplement")[7]
    content = {"study": plan.study, "provenance": {}, "fingerprint": {}}
    store.write(tmp_path / "old" / "desk" / plan.study / plan.name, content, arrays={}, tables={})
    places = {"ROA_RESULTS": str(tmp_path / "new"), "ROA_RECOMPUTED": str(tmp_path / "old")}
    command = [sys.executable, "-m", "snakemake", "units", "--dry-run", "--nolock", "--cores", "1", "--config",
               "profile=desk"]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=os.environ | places, timeout=120)
    assert re.findall("study .+ .+seed[0-9]", done.stdout + done.stderr) == [f"study {plan.study} {plan.name}"]


def test_the_summary_lists_what_was_computed_and_gathers_what_was_reused():
    new = [summary.Row("supplement", name, 2.0, 100.0) for name in ("a-seed0", "b-seed0")]
    old = [summary.Row("supplement", name, seconds, 9.0) for name, seconds in (("c-seed0", 3.0), ("d-seed0", 4.5))]
    rest = [summary.Row("roi_roa", "e-seed0", 5.0, 9.0), *(summary.Row("notebook", n, 1.0, 9.0) for n in ("01", "02"))]
    lines = summary.text([new[0], *old, new[1], *rest], since=100.7).splitlines()
    assert [line[: summary.WIDTH].strip() for line in lines] == [
        "supplement a-seed0", "supplement (2 units)", "supplement b-seed0", "roi_roa e-seed0",
        "notebook 01", "notebook 02",
    ]  # fmt: skip
    assert ["computed" in line for line in lines] == [True, False, True, False, False, False]
    assert "reused        7.5 s" in lines[1]


def test_the_summary_names_the_units_of_every_study(results):
    origin = {"seconds": 1.5, "finished": "2026-01-02T03:04:05+00:00"}
    first = [(study, plan) for study in studies.by_name() for plan in studies.planned("quick", study)[:1]]
    for study, plan in first:
        content = {"study": study, "provenance": origin, "fingerprint": {}}
        store.write(store.unit_path("quick", study, plan.name), content, arrays={}, tables={})
    found = [row for row in summary.rows("quick") if row.kind in studies.by_name()]
    assert [(row.kind, row.name) for row in found] == [(study, plan.name) for study, plan in first]
    assert {(row.seconds, row.finished) for row in found} == {(1.5, 1767323045.0)}
