"""The pairing of notebooks, the staging of the book, and what the repository must hold for both."""

import doctest
import hashlib
import json
import re
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]

import build_book  # noqa: E402
import pair  # noqa: E402

API = sorted((ROOT / "book" / "api").glob("*.md"))
SOURCE = '# %% [markdown]\n# # Title\n\n# %% tags=["parameters"]\nseed = 0\n\n# %%\nseed + 1\n'


@pytest.fixture
def repo(tmp_path):
    """A small repository with one source and the book's configuration."""
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks" / "01_one.py").write_text(SOURCE)
    (tmp_path / "_config.yml").write_text((ROOT / "_config.yml").read_text())
    return tmp_path


@pytest.fixture
def staged(repo):
    """The same with a page of its own, an executed notebook, a table of contents, and where to stage it."""
    executed = repo / "executed"
    pair.pair(repo)
    executed.mkdir()
    (repo / "notebooks" / "01_one.ipynb").rename(executed / "01_one.ipynb")
    (repo / "book").mkdir()
    (repo / "book" / "index.md").write_text("# Index\n")
    toc = {
        "format": "jb-book",
        "root": "book/index",
        "chapters": [{"file": "notebooks/01_one"}, {"file": "book/status"}],
    }
    (repo / "_toc.yml").write_text(yaml.safe_dump(toc))
    return {"root": repo, "executed": executed, "staging": repo / "staging", "pages": {"book/status.md": "# Status\n"}}


def files(folder):
    return {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()}


# pairs


def test_pairing_is_complete_deterministic_and_checked(repo):
    assert pair.check(repo)
    assert pair.pair(repo) == []
    assert pair.check(repo) == []
    first = {p.name: p.read_bytes() for p in (repo / "notebooks").iterdir()}
    pair.pair(repo)
    assert first == {p.name: p.read_bytes() for p in (repo / "notebooks").iterdir()}
    notebook = nbformat.read(repo / "notebooks" / "01_one.ipynb", as_version=4)
    nbformat.validate(notebook)
    assert notebook.metadata.kernelspec == pair.KERNELSPEC
    assert len({cell.id for cell in notebook.cells}) == len(notebook.cells)


def test_the_install_cell_follows_the_repository_address(repo):
    pair.pair(repo)
    source = repo / "notebooks" / "01_one.py"
    assert source.read_text().count("google.colab") == 1 and 'REPOSITORY = ""' in source.read_text()
    config = (repo / "_config.yml").read_text()
    (repo / "_config.yml").write_text(config.replace('url: ""', 'url: "https://github.com/a/b"'))
    assert any("install cell" in problem for problem in pair.check(repo))
    pair.pair(repo)
    assert pair.check(repo) == []
    assert source.read_text().count("google.colab") == 1
    assert 'REPOSITORY = "https://github.com/a/b"' in source.read_text()


def test_the_install_cell_is_the_first_code_cell_and_does_nothing_here(repo):
    pair.pair(repo)
    notebook = nbformat.read(repo / "notebooks" / "01_one.ipynb", as_version=4)
    first = next(cell for cell in notebook.cells if cell.cell_type == "code")
    assert first.metadata.tags == ["remove-cell"]
    exec(first.source, {})


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda nb: nb.cells[-1].update(source="seed + 2"), "differs"),
        (lambda nb: nb.cells[-1].metadata.update(tags=["x"]), "differs"),
        (lambda nb: nb.cells[-1].update(execution_count=3), "outputs"),
        (lambda nb: nb.metadata.pop("kernelspec"), "differs"),
    ],
)
def test_a_notebook_that_differs_is_named(repo, change, words):
    pair.pair(repo)
    path = repo / "notebooks" / "01_one.ipynb"
    notebook = nbformat.read(path, as_version=4)
    change(notebook)
    nbformat.write(notebook, path)
    assert [p for p in pair.check(repo) if p.startswith("01_one.ipynb") and words in p]


def edited(path, change):
    """The file with ``change`` applied to the source of its last cell, as Jupyter would save it."""
    if path.suffix == ".py":
        text = path.read_text()
        last = text.rindex("# %%")
        path.write_text(text[:last] + change(text[last:]))
    else:
        notebook = nbformat.read(path, as_version=4)
        notebook.cells[-1].source = change(notebook.cells[-1].source)
        notebook.cells[-1].outputs = [nbformat.v4.new_output("stream", text="7")]
        notebook.metadata.language_info = {"name": "python", "version": "3.13.1"}
        nbformat.write(notebook, path)


@pytest.mark.parametrize("side", [".py", ".ipynb"])
def test_the_side_that_was_changed_is_written_to_the_other(repo, side):
    pair.pair(repo)
    paths = {suffix: (repo / "notebooks" / "01_one").with_suffix(suffix) for suffix in (".py", ".ipynb")}
    edited(paths[side], lambda text: text.rstrip() + " + 7\n")
    assert pair.check(repo)
    assert pair.pair(repo) == [] and pair.check(repo) == []
    assert "+ 7" in paths[".py"].read_text() and "+ 7" in paths[".ipynb"].read_text()
    before = {path: path.stat().st_mtime_ns for path in paths.values()}
    assert pair.pair(repo) == []
    assert {path: path.stat().st_mtime_ns for path in paths.values()} == before


def test_a_cell_that_jupyter_added_is_kept(repo):
    pair.pair(repo)
    path = repo / "notebooks" / "01_one.ipynb"
    notebook = nbformat.read(path, as_version=4)
    notebook.cells.append(nbformat.v4.new_code_cell("added = 1"))
    nbformat.write(notebook, path)
    assert pair.pair(repo) == [] and "added = 1" in path.with_suffix(".py").read_text()


def test_where_both_sides_were_changed_neither_is_touched(repo):
    pair.pair(repo)
    path = repo / "notebooks" / "01_one.py"
    edited(path, lambda text: text.rstrip() + " + 7\n")
    edited(path.with_suffix(".ipynb"), lambda text: text + " + 8")
    before = path.read_bytes(), path.with_suffix(".ipynb").read_bytes()
    (problem,) = pair.pair(repo)
    assert "01_one.py and 01_one.ipynb: both were changed" in problem
    assert (path.read_bytes(), path.with_suffix(".ipynb").read_bytes()) == before
    path.with_suffix(".ipynb").unlink()
    assert pair.pair(repo) == [] and "+ 7" in path.with_suffix(".ipynb").read_text()


def test_a_torn_notebook_is_named(repo):
    pair.pair(repo)
    path = repo / "notebooks" / "01_one.ipynb"
    path.write_text(path.read_text()[:-30])
    (problem,) = pair.pair(repo)
    assert problem.startswith("01_one.ipynb: cannot be read") and pair.check(repo) == [problem]


def test_a_source_that_is_no_text_is_named_and_the_others_are_written(repo):
    (repo / "notebooks" / "00_none.py").write_bytes(b"\xff\xfe")
    (problem,) = pair.pair(repo)
    assert problem.startswith("00_none.py: cannot be read") and pair.check(repo) == [problem]
    assert (repo / "notebooks" / "01_one.ipynb").exists() and not (repo / "notebooks" / "00_none.ipynb").exists()


@pytest.mark.parametrize("text", [None, "a: [", "repository: 3\n", "[]", "repository: {url: 3}\n"])
def test_a_configuration_that_is_none_is_one_line(repo, capsys, text):
    (repo / "_config.yml").unlink() if text is None else (repo / "_config.yml").write_text(text)
    for options in ([], ["--check"]):
        assert pair.main(["--root", str(repo), *options]) == 1
        (said,) = capsys.readouterr().err.splitlines()
        assert said.startswith(f"{repo / '_config.yml'} does not say repository: url:")


@pytest.mark.parametrize("tags", ["", ' tags=["parameters"]'])
def test_exactly_one_parameters_cell(repo, tags):
    source = repo / "notebooks" / "01_one.py"
    source.write_text(SOURCE.replace(' tags=["parameters"]', "") if not tags else SOURCE + f"\n# %%{tags}\nx = 1\n")
    assert any("exactly one" in problem for problem in pair.pair(repo))


def test_a_notebook_without_source_is_named(repo):
    pair.pair(repo)
    (repo / "notebooks" / "01_one.py").rename(repo / "notebooks" / "02_two.py")
    assert "01_one.ipynb: has no 01_one.py" in pair.check(repo)


def test_a_build_from_a_folder_of_no_profile_is_refused_in_a_line(tmp_path, capsys):
    assert build_book.main(["--executed", str(tmp_path / "nowhere"), "--out", str(tmp_path / "html")]) == 1
    assert capsys.readouterr().err.startswith("the book was not built: unknown profile 'nowhere'")
    assert not (tmp_path / "html").exists()


def test_a_build_from_notebooks_without_outputs_is_refused_in_a_line(tmp_path):
    (tmp_path / "book").mkdir()
    shutil.copytree(ROOT / "book" / "extensions", tmp_path / "book" / "extensions")
    (tmp_path / "_config.yml").write_text((ROOT / "_config.yml").read_text())
    (tmp_path / "_toc.yml").write_text("format: jb-book\nroot: book/index\n")
    (tmp_path / "book" / "index.md").write_text("# Index\n")
    finished = tmp_path / "_build" / "html" / "index.html"
    finished.parent.mkdir(parents=True)
    finished.write_text("finished")
    command = [sys.executable, "-c", "from jupyter_book.cli.main import main; main()", "build", "."]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1 and done.stderr.splitlines()[-1].endswith("run: make book")
    assert "Traceback" not in done.stderr and finished.read_text() == "finished"


def test_attributes_that_share_a_line_keep_all_their_names():
    keep = runpy.run_path(str(ROOT / "book" / "extensions" / "plain_docstrings.py"))["keep_together"]
    lines = ["Attributes:", "    value, interval, n: with a, b: text.", "    df: of it.", "", "Args:", "    a, b: two."]
    assert keep(lines) == [lines[0], "    value,interval,n: with a, b: text.", *lines[2:]]


# staging


def test_staging_mirrors_the_repository_and_forgets(staged):
    build_book.stage(**staged)
    staging = staged["staging"]
    assert files(staging) == {"_config.yml", "_toc.yml", "book/index.md", "book/status.md", "notebooks/01_one.ipynb"}
    (staged["root"] / "book" / "extra.css").write_text("a {}")
    untouched = (staging / "book" / "index.md").stat().st_mtime_ns
    build_book.stage(**staged)
    assert "book/extra.css" in files(staging)
    (staged["root"] / "book" / "extra.css").unlink()
    build_book.stage(**staged)
    assert "book/extra.css" not in files(staging)
    assert (staging / "book" / "index.md").stat().st_mtime_ns == untouched


def test_default_parameters_are_hidden_where_others_were_used(staged):
    path = staged["executed"] / "01_one.ipynb"

    def hidden():
        build_book.stage(**staged)
        cells = json.loads((staged["staging"] / "notebooks" / "01_one.ipynb").read_text())["cells"]
        return [c["source"] for c in cells if {"parameters", "remove-cell"} <= set(c["metadata"].get("tags", []))]

    assert hidden() == []
    notebook = nbformat.read(path, as_version=4)
    notebook.cells.insert(3, nbformat.v4.new_code_cell("seed = 7", metadata={"tags": ["injected-parameters"]}))
    nbformat.write(notebook, path)
    assert hidden() == [["seed = 0"]]


def test_a_missing_page_is_named(staged):
    (staged["executed"] / "01_one.ipynb").unlink()
    with pytest.raises(build_book.BookError, match="notebooks/01_one"):
        build_book.stage(**staged)


def test_the_cache_goes_when_the_shape_changes_and_stays_when_text_does(staged):
    staging = staged["staging"]
    cached = staging / "_build" / ".doctrees"

    def rebuilt(text):
        (staged["root"] / "book" / "index.md").write_text(text)
        build_book.stage(**staged)
        cached.mkdir(parents=True, exist_ok=True)
        build_book.forget_stale_pages(staging)
        return not cached.exists()

    assert rebuilt("# Index\n")
    assert not rebuilt("# Index\n\nOther words.\n")
    assert rebuilt("# Another title\n")
    assert rebuilt("(label)=\n# Another title\n")


def test_buttons_appear_with_the_address(repo, monkeypatch):
    monkeypatch.delenv("GITHUB_REPOSITORY", raising=False)
    monkeypatch.setenv("GITHUB_SHA", "abc")
    config = yaml.safe_load(build_book.staged_config(repo))
    assert "launch_buttons" not in config and not config["html"].get("use_repository_button")
    text = (repo / "_config.yml").read_text()
    (repo / "_config.yml").write_text(text.replace('url: ""', 'url: "https://github.com/a/b"'))
    config = yaml.safe_load(build_book.staged_config(repo))
    assert config["launch_buttons"] and config["html"]["use_edit_page_button"]
    assert config["sphinx"]["config"]["html_theme_options"]["use_source_button"]
    assert config["sphinx"]["config"]["launch_commit"] == "abc"
    (repo / "_config.yml").write_text(text.replace('url: ""', 'url: "https://gitlab.com/a/b"'))
    assert "launch_buttons" not in yaml.safe_load(build_book.staged_config(repo))
    (repo / "_config.yml").write_text(text)
    monkeypatch.setenv("GITHUB_REPOSITORY", "c/d")
    config = yaml.safe_load(build_book.staged_config(repo))
    assert config["launch_buttons"] and config["repository"]["url"] == "https://github.com/c/d"


def test_a_failed_build_leaves_the_published_book_and_no_cache(staged):
    out = staged["root"] / "html"
    out.mkdir()
    (out / "index.html").write_text("old")
    with pytest.raises(build_book.BookError, match="jupyter-book failed"):
        build_book.build(root=staged["root"], executed=staged["executed"], out=out, pages=staged["pages"])
    assert (out / "index.html").read_text() == "old"
    assert not (staged["root"] / "_build" / "book" / "_build").exists()


def test_publishing_replaces_the_old_book_as_a_whole(tmp_path):
    html, out = tmp_path / "new_html", tmp_path / "html"
    for folder, name in ((html, "new.html"), (out, "old.html")):
        folder.mkdir()
        (folder / name).write_text(name)
    assert build_book.publish(html, out) == out / "index.html"
    assert files(tmp_path) == {"new_html/new.html", "html/new.html"}


def test_what_can_be_downloaded_is_published_beside_the_pages(tmp_path):
    (tmp_path / "new_html").mkdir()
    build_book.publish(tmp_path / "new_html", tmp_path / "html", downloads=tmp_path / "absent")
    assert files(tmp_path / "html") == set()
    (tmp_path / "made").mkdir()
    for name in ("book.pdf", ".book.pdf.host.1.0.scratch"):
        (tmp_path / "made" / name).write_text(name)
    build_book.publish(tmp_path / "new_html", tmp_path / "html", downloads=tmp_path / "made")
    assert files(tmp_path / "html") == {"downloads/book.pdf"}


# the repository


def test_every_notebook_is_in_the_book_and_every_page_exists():
    named = set(build_book.toc_pages(ROOT))
    notebooks = {f"notebooks/{path.stem}" for path in (ROOT / "notebooks").glob("*.ipynb")}
    assert {page for page in named if page.startswith("notebooks/")} == notebooks
    assert {f"notebooks/{path.stem}" for path in pair.sources(ROOT)} == notebooks
    written = {str(path.relative_to(ROOT).with_suffix("")) for path in (ROOT / "book").rglob("*.md")} | {"book/status"}
    assert {page for page in named if page.startswith("book/")} == written


def test_the_pairs_of_the_repository_are_the_same():
    assert pair.check(ROOT) == []


def test_every_module_is_described():
    package = ROOT / "roa_helpers"
    files = [*package.rglob("[!_]*.py"), *(face.parent for face in package.glob("*/**/__init__.py"))]
    modules = {".".join(path.relative_to(ROOT).with_suffix("").parts) for path in files}
    lines = [line for page in API for line in page.read_text().splitlines() if "automodule::" in line]
    assert {line.split()[-1] for line in lines} == modules
    assert len(lines) == len(modules), "a module is described twice"


@pytest.mark.parametrize("source", pair.sources(ROOT), ids=lambda path: path.stem)
def test_the_code_that_a_page_shows_is_seen_whole(source):
    """On a screen of 1280 px a line of 82 characters fits; cells that are folded or removed may be wider."""
    notebook = nbformat.read(source.with_suffix(".ipynb"), as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    shown = [cell.source for cell in code if not {"hide-input", "remove-input", "hide-cell", "remove-cell",
                                                  "parameters"} & set(cell.metadata.get("tags", []))]  # fmt: skip
    assert shown and [line for text in shown for line in text.splitlines() if len(line) > 82] == []


@pytest.mark.parametrize("page", API, ids=lambda page: page.stem)
def test_the_example_of_a_page_about_the_package_runs_as_it_stands(page, monkeypatch):
    monkeypatch.chdir(ROOT)
    monkeypatch.delenv("ROA_RESULTS", raising=False)
    (code,) = re.findall(r"^```pycon\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL)
    example = doctest.DocTestParser().get_doctest(code, {}, page.stem, str(page), 0)
    told = []
    found = doctest.DocTestRunner().run(example, out=told.append)
    assert found.attempted and found.failed == 0, "".join(told)


def test_vendored_files_are_what_their_list_says():
    vendor = ROOT / "book" / "assets" / "vendor"
    lines = [line.split("  ", 1) for line in (vendor / "SHA256SUMS").read_text().splitlines()]
    assert {name for _, name in lines} == files(vendor) - {"SHA256SUMS", "VERSIONS"}
    assert all(hashlib.sha256((vendor / name).read_bytes()).hexdigest() == digest for digest, name in lines)
    assert sum((vendor / name).stat().st_size for _, name in lines) < 6_000_000


def test_configuration_needs_no_network():
    config = yaml.safe_load((ROOT / "_config.yml").read_text())
    assert config["execute"]["execute_notebooks"] == "off" and config["only_build_toc_files"]
    assert "://" not in json.dumps(config["sphinx"])
