"""Parameters that a notebook does not have are refused by itself, under papermill alone."""

import ast
import subprocess
import sys
from pathlib import Path

import jupytext
import nbformat
import pytest

from roa_helpers.errors import UserError
from roa_helpers.page import parameters

ROOT = Path(__file__).resolve().parents[2]
DEFAULTS = 'profile = "quick"\nseed: int = None  # all\nfirst, second = 1, 2\n'


def cells(injected):
    return {"In": ["", "import sys", DEFAULTS, injected, "parameters.check(globals())"]}


@pytest.mark.parametrize(
    "namespace", [{}, cells("x = 1"), cells('# Parameters\nseed = 3\nprofile = "desk"\nsecond = 0')]
)
def test_parameters_that_there_are_and_names_of_other_cells_are_no_matter(namespace):
    parameters.check(namespace)


def test_the_misspelt_name_is_told_with_those_that_there_are():
    with pytest.raises(UserError) as refusal:
        parameters.check(cells('# Parameters\nprofil = "desk"\nseed = 3\nwidth = [1, 2]\n'))
    told = "this notebook has no parameter profil, width\n  it has: profile, seed, first, second"
    assert str(refusal.value) == told


def test_a_notebook_without_a_cell_of_parameters_has_none():
    with pytest.raises(UserError, match="no parameter seed\n  it has: none"):
        parameters.check({"In": ["", "# Parameters\nseed = 1\n"]})


@pytest.mark.parametrize("source", sorted((ROOT / "notebooks").glob("*.py")), ids=lambda path: path.stem)
def test_every_notebook_checks_before_it_asks_for_anything(source):
    code = [cell for cell in jupytext.read(source, fmt="py:percent").cells if cell.cell_type == "code"]
    place = next(i for i, cell in enumerate(code) if "parameters" in cell.metadata.get("tags", []))
    statements = ast.parse(code[place + 1].source).body
    first = next(one for one in statements if not isinstance(one, ast.Import | ast.ImportFrom))
    assert ast.unparse(first) == "parameters.check(globals())"


@pytest.mark.parametrize(("name", "code"), [("seed", 0), ("sed", 1)])
def test_papermill_runs_a_notebook_with_parameters_it_has_and_no_others(tmp_path, name, code):
    defaults = nbformat.v4.new_code_cell("seed = 0", metadata={"tags": ["parameters"]})
    check = (
        f"from roa_helpers.page import parameters\n\nparameters.check(globals())\nopen('{tmp_path}/ran', 'w').close()"
    )
    notebook = nbformat.v4.new_notebook(cells=[defaults, nbformat.v4.new_code_cell(check)])
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(notebook, tmp_path / "page.ipynb")
    command = [sys.executable, "-m", "papermill", tmp_path / "page.ipynb", tmp_path / "out.ipynb", "-p", name, "4"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == code, done.stderr
    assert (tmp_path / "ran").exists() == (code == 0)
    assert ("UserError: this notebook has no parameter sed\n  it has: seed" in done.stderr) == (code == 1)
