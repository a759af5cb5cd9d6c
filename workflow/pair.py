"""Keep every ``notebooks/NN_name.py`` (py:percent) and ``notebooks/NN_name.ipynb`` (no outputs) the same.

    python workflow/pair.py            write the side that was changed to the other
    python workflow/pair.py --check    change nothing; exit 1 and name every notebook that differs

Which side was changed is told by content: the .ipynb holds the sum of what both held when they were last paired. Where
both were changed, neither is touched. The header and the install cell are the same in all notebooks; they are written
into both. The address that the install cell uses stands in ``_config.yml``.
"""

import argparse
import copy
import hashlib
import json
import sys
from pathlib import Path

import jupytext
import nbformat
import yaml

from roa_helpers import scratch
from roa_helpers.errors import UserError

ROOT = Path(__file__).resolve().parent.parent
KERNELSPEC = {"display_name": "Python 3", "language": "python", "name": "python3"}
METADATA_FILTER = "jupytext,kernelspec,-jupytext.text_representation.jupytext_version"
INSTALL_CELL = """\
import sys

if "google.colab" in sys.modules:  # elsewhere this cell does nothing
    import json
    import os
    import re
    import runpy
    import subprocess
    from urllib import parse, request

    REPOSITORY = "ADDRESS"  # https://github.com/NAME/BOOK, for a notebook that was not opened from GitHub
    try:
        session = f"http://{os.environ['COLAB_JUPYTER_IP']}:{os.environ['KMP_TARGET_PORT']}/api/sessions"
        opened = parse.unquote(json.load(request.urlopen(session, timeout=10))[0]["path"])
    except (LookupError, OSError, ValueError):
        opened = ""
    found = re.search(r"(https://github\\.com/[^/]+/[^/]+)/blob/(.+)/notebooks/", opened)
    repository, revision = found.groups() if found else (REPOSITORY, "HEAD")
    if repository:
        place = os.path.expanduser("~/book")
        subprocess.run(["git", "init", "--quiet", place], check=True)
        subprocess.run(["git", "-C", place, "fetch", "--quiet", "--depth", "1", repository, revision], check=True)
        subprocess.run(["git", "-C", place, "checkout", "--quiet", "--force", "FETCH_HEAD"], check=True)
        runpy.run_path(f"{place}/workflow/colab.py", run_name="__main__")
    else:
        print("Set REPOSITORY in this cell to the address of the book’s repository, and run it again.")"""


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 when a pair differs")
    parser.add_argument("--root", type=Path, default=ROOT, help="the repository")
    args = parser.parse_args(argv)
    try:
        problems = check(args.root) if args.check else pair(args.root)
    except PairError as error:
        problems = [error]
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


def pair(root: Path) -> list[str]:
    """Write the changed side of every pair to the other; what is wrong is returned, in words, and not written.

    Raises:
        PairError: ``_config.yml`` cannot be read.
    """
    problems = []
    cell = install_cell(root)
    for source in sources(root):
        try:
            notebook = agreed(source, cell)
        except PairError as error:
            problems.append(str(error))
            continue
        problems += [f"{source.name}: {fault}" for fault in faults(notebook)]
        write(source, jupytext.writes(notebook, fmt="py:percent"))
        write(source.with_suffix(".ipynb"), nbformat.writes(stored(notebook)) + "\n")
    return problems + orphans(root)


class PairError(UserError):
    """A pair of which neither side can be written to the other, or what cannot be read; the message says why."""


def opened(path: Path):
    """The notebook in a .py or .ipynb file.

    Raises:
        PairError: it cannot be read.
    """
    try:
        return jupytext.read(path, fmt="py:percent" if path.suffix == ".py" else None)
    except Exception as error:  # whatever a broken file raises in nbformat
        mend = "take its changes back" if path.suffix == ".py" else f"to write it from {path.stem}.py, delete it"
        raise PairError(f"{path.name}: cannot be read ({error}); {mend}") from error


def agreed(source: Path, cell):
    """What both sides of a pair shall hold: the content of the side that was changed since they were paired.

    Raises:
        PairError: both were changed, or one cannot be read.
    """
    written = finished(opened(source), cell)
    partner = source.with_suffix(".ipynb")
    if not partner.exists():
        return written
    notebook = opened(partner)
    paired = notebook.metadata.get("paired")
    saved = finished(jupytext.reads(jupytext.writes(notebook, fmt="py:percent"), fmt="py:percent"), cell)
    if paired == digest(saved) or same(written, saved):
        return written
    if paired == digest(written):
        return saved
    raise PairError(
        f"{source.name} and {partner.name}: both were changed since they were paired, so neither is written; "
        "delete the one that is to be written from the other, or take its changes back"
    )


def write(path: Path, text: str) -> None:
    """Replace a file by ``text`` unless it holds that: what is the same keeps its time."""
    if path.exists() and path.read_bytes() == text.encode():
        return
    with scratch.building(path) as temporary:
        temporary.write_bytes(text.encode())
        temporary.replace(path)


def check(root: Path) -> list[str]:
    """Every difference between the sources and their notebooks, in words.

    Raises:
        PairError: ``_config.yml`` cannot be read.
    """
    problems = []
    cell = install_cell(root)
    for source in sources(root):
        try:
            problems += differences(source, cell)
        except PairError as error:
            problems.append(str(error))
    return problems + orphans(root)


def differences(source: Path, cell) -> list[str]:
    """What a source and its notebook differ in, in words.

    Raises:
        PairError: one cannot be read.
    """
    written = opened(source)
    expected = finished(copy.deepcopy(written), cell)
    problems = [f"{source.name}: {fault}" for fault in faults(written)]
    if not same(written, expected):
        problems.append(f"{source.name}: header or install cell differs; run python workflow/pair.py")
    partner = source.with_suffix(".ipynb")
    if not partner.exists():
        return [*problems, f"{partner.name}: missing; run python workflow/pair.py"]
    notebook = opened(partner)
    if has_outputs(notebook):
        problems.append(f"{partner.name}: holds outputs; run python workflow/pair.py")
    if not same(notebook, expected) or notebook.metadata.get("paired") != digest(expected):
        problems.append(f"{partner.name}: differs from {source.name}; run python workflow/pair.py")
    return problems


def sources(root: Path) -> list[Path]:
    return sorted((root / "notebooks").glob("[0-9][0-9]_*.py"))


def orphans(root: Path) -> list[str]:
    notebooks = sorted((root / "notebooks").glob("*.ipynb"))
    return [f"{path.name}: has no {path.stem}.py" for path in notebooks if not path.with_suffix(".py").exists()]


def install_cell(root: Path):
    """The first code cell of every notebook: fetches the repository on Colab, does nothing elsewhere.

    It takes the repository and the revision that the notebook was opened from, as Colab's own server tells it: a
    committed notebook cannot hold the commit it is of. Where it was opened otherwise, uploaded or from a drive, it
    takes the default branch at the address of ``_config.yml``.

    Raises:
        PairError: ``_config.yml`` cannot be read, or holds no address or place for one.
    """
    config = root / "_config.yml"
    try:
        url = (yaml.safe_load(config.read_text())["repository"]["url"] or "").rstrip("/")
    except (OSError, ValueError, LookupError, TypeError, AttributeError, yaml.YAMLError) as error:
        reason = " ".join(str(error).split())
        raise PairError(f"{config} does not say repository: url: ({reason}); take its changes back") from error
    return nbformat.v4.new_code_cell(INSTALL_CELL.replace("ADDRESS", url), metadata={"tags": ["remove-cell"]})


def finished(notebook, cell):
    """The notebook with the common header and install cell, without outputs."""
    notebook.cells = [c for c in notebook.cells if c.cell_type != "code" or '"google.colab"' not in c.source]
    place = next((i for i, c in enumerate(notebook.cells) if c.cell_type == "code"), len(notebook.cells))
    notebook.cells.insert(place, copy.deepcopy(cell))
    representation = {"extension": ".py", "format_name": "percent", "format_version": "1.3"}
    notebook.metadata = nbformat.from_dict(
        {
            "jupytext": {
                "formats": "ipynb,py:percent",
                "notebook_metadata_filter": METADATA_FILTER,
                "text_representation": representation,
            },
            "kernelspec": KERNELSPEC,
            "language_info": {"name": "python"},
        }
    )
    return notebook


def faults(notebook) -> list[str]:
    """What papermill and the book need of a source."""
    parameters = [c for c in notebook.cells if "parameters" in c.metadata.get("tags", [])]
    first = notebook.cells[0] if notebook.cells else None
    found = []
    if len(parameters) != 1 or parameters[0].cell_type != "code":
        found.append(f"needs exactly one code cell tagged 'parameters', has {len(parameters)}")
    if first is None or first.cell_type != "markdown" or "# " not in first.source:
        found.append("must begin with a markdown cell that holds the title")
    return found


def same(a, b) -> bool:
    return content(a) == content(b)


def content(notebook) -> tuple:
    """What a pair has in common: kernel, header, and type, source and metadata of every cell."""
    header = notebook.metadata.get("jupytext", {})
    cells = [(c.cell_type, c.source, dict(c.metadata)) for c in notebook.cells]
    return notebook.metadata.get("kernelspec"), header.get("formats"), header.get("notebook_metadata_filter"), cells


def digest(notebook) -> str:
    """A sum of what a pair has in common."""
    return hashlib.sha256(json.dumps(content(notebook), sort_keys=True).encode()).hexdigest()[:16]


def has_outputs(notebook) -> bool:
    return any(c.cell_type == "code" and (c.outputs or c.execution_count is not None) for c in notebook.cells)


def stored(notebook):
    """The notebook as its file: marked as paired, without outputs, and with cell ids from the content, so that the same
    source gives the same file, byte for byte."""
    notebook.metadata["paired"] = digest(notebook)
    seen = {}
    for cell in notebook.cells:
        key = f"{cell.cell_type}\n{cell.source}"
        seen[key] = seen.get(key, 0) + 1
        cell.id = hashlib.sha256(f"{key}\n{seen[key]}".encode()).hexdigest()[:12]
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    return notebook


if __name__ == "__main__":
    sys.exit(main())
