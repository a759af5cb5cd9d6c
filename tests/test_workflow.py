"""The scripts that run notebooks and the workflow: what they refuse, what they leave behind."""

import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "workflow"))

import engine  # noqa: E402


@pytest.fixture
def execute(tmp_path):
    """Write a notebook of the given cells and run it; (finished process, its output's path, its log's path)."""

    def run(*cells, arguments=()):
        parameters = nbformat.v4.new_code_cell('profile = "desk"\nseed = 7', metadata={"tags": ["parameters"]})
        notebook = nbformat.v4.new_notebook(cells=[parameters, *map(nbformat.v4.new_code_cell, cells)])
        notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
        nbformat.write(notebook, tmp_path / "01_page.ipynb")
        out, log = tmp_path / "out" / "01_page.ipynb", tmp_path / "logs" / "01_page.log"
        script = ROOT / "workflow" / "run_notebook.py"
        command = [sys.executable, script, tmp_path / "01_page.ipynb", out, "--profile", "quick", "--seed", "3"]
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


def test_the_plan_holds_every_unit_every_notebook_and_the_book(tmp_path):
    command = [sys.executable, "-m", "snakemake", "--dry-run", "--forceall", "--nolock", "--cores", "1"]
    environment = os.environ | {"ROA_RESULTS": str(tmp_path)}
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=environment, timeout=120)
    assert done.returncode == 0, done.stderr
    for name in ("study roi_roa digits-0-1-seed0", "study roi_roa faces-face-non-face-seed0", ": book"):
        assert name in done.stdout + done.stderr
    for notebook in (ROOT / "notebooks").glob("[0-9][0-9]_*.py"):
        assert f"notebook {notebook.stem}" in done.stdout + done.stderr
