"""How the package is laid out: faces, private names, circles. The layers are import-linter's (`make lint`)."""

import ast
import contextlib
import re
from importlib import import_module
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = "roa_helpers"


def module_of(path):
    """Dotted name of a file of the package."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_of(path):
    """(module, name) of every import from the package, absolute."""
    base = module_of(path) if path.name == "__init__.py" else module_of(path).rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            above = base.split(".")[: len(base.split(".")) - node.level + 1] if node.level else []
            origin = ".".join([*above, *([node.module] if node.module else [])])
            if origin.partition(".")[0] == PACKAGE:
                yield from ((origin, alias.name) for alias in node.names)


FILES = [*(ROOT / PACKAGE).rglob("*.py"), *(ROOT / "workflow").glob("*.py"), *(ROOT / "notebooks").glob("*.py")]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_from_another_folder_only_what_its_face_hands_on_is_imported(path):
    inside = f"{module_of(path) if path.name == '__init__.py' else module_of(path).rpartition('.')[0]}."
    for origin, name in imports_of(path):
        assert not name.startswith("_") or name == "__version__", f"{origin}.{name} is private"
        if f"{origin}.".startswith(inside) or not (ROOT / origin.replace(".", "/")).is_dir():
            single = origin.rpartition(".")[0] == PACKAGE or f"{origin}.".startswith(inside)
            assert single, f"{origin} is inside a folder: import from its face"
        elif origin != PACKAGE:
            known = import_module(origin).__all__
            room = (ROOT / origin.replace(".", "/") / name).is_dir()
            assert name in known or room, f"{origin} does not hand on {name}"


def test_no_modules_import_each_other_in_a_circle():
    graph = grimp.build_graph(PACKAGE, cache_dir=None)
    faces = {module for module in graph.modules if (ROOT / module.replace(".", "/")).is_dir()}
    below = {module: graph.find_modules_directly_imported_by(module) - faces for module in graph.modules - faces}
    while free := {module for module, needs in below.items() if not needs & below.keys()}:
        below = {module: needs for module, needs in below.items() if module not in free}
    assert not below


@pytest.mark.parametrize("room", sorted((ROOT / PACKAGE / "studies").glob("*/")), ids=lambda path: path.name)
def test_rooms_have_the_same_furniture(room):
    if room.name == "__pycache__":
        return
    pieces = {path.stem for path in room.glob("*.py")}
    assert {"__init__", "choices", "compute"} <= pieces
    assert not [piece for piece in pieces if piece.startswith(room.name)]  # a name does not repeat its folder


REFERENCE = re.compile(rf":\w+:`(?:[^`<]*<)?({PACKAGE}[\w.]*)>?`")


@pytest.mark.parametrize("path", FILES[: len(list((ROOT / PACKAGE).rglob("*.py")))], ids=lambda path: path.stem)
def test_what_docstrings_point_at_is_there(path):
    for name in REFERENCE.findall(path.read_text(encoding="utf-8")):
        parts, found = name.split("."), None
        while parts:
            with contextlib.suppress(ImportError):
                found = import_module(".".join(parts))
                break
            parts.pop()
        for part in name.split(".")[len(parts) :]:
            assert hasattr(found, part), f"{name} is not there"
            found = getattr(found, part)
