"""What a result depends on, as SHA-256 sums: values (choices, data) and the code that decides its numbers.

The code of a study is what its entry reaches: functions, classes and constants of the package, followed by name from
one to the next. An attack that a study does not use may change without that study's results being called old.
"""

import ast
import hashlib
import io
import json
import tokenize
from dataclasses import asdict, dataclass, is_dataclass
from functools import cache
from pathlib import Path

import numpy as np

PACKAGE = Path(__file__).parent
#: Modules that only refuse, store, load or name: choices and data have their own part in a fingerprint.
LEFT_OUT = frozenset(
    ("_torchvision", "archives", "checks", "config", "config_blurring", "config_curvature", "config_localized", "data",
     "download", "errors", "fingerprints", "papers", "published_blurring", "store", "studies.partial")
)  # fmt: skip


def value(thing):
    """SHA-256 of a value made of dataclasses, dicts, lists, strings and numbers, whatever the order of its keys."""
    text = json.dumps(thing, sort_keys=True, default=plain, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


@cache
def code(*entries):
    """SHA-256 of all definitions that ``entries`` reach: their source without comments, docstrings, blank lines.

    Args:
        entries: ``"module:name"``, for instance ``"studies.roi_roa:compute"``.

    Raises:
        KeyError: no such definition.
    """
    found = reached(*entries)
    text = "\n".join(f"{module}:{_module(module).source[name]}" for module, name in sorted(found))
    return hashlib.sha256(text.encode()).hexdigest()


def files(*entries):
    """The package's files, relative to it, that hold what ``entries`` reach."""
    return sorted({f"{module.replace('.', '/')}.py" for module, _ in reached(*entries)})


def reached(*entries):
    """The (module, name) of every definition that ``entries`` reach through names, modules ``LEFT_OUT`` apart."""
    waiting, found = [], set()
    for entry in entries:
        key = _origin(*entry.split(":"))
        if key is None:
            raise KeyError(f"the package defines no {entry}")
        waiting.append(key)
    while waiting:
        module, name = waiting.pop()
        if (module, name) not in found:
            found.add((module, name))
            keys = (_origin(*key) for key in _module(module).uses[name])
            waiting += [key for key in keys if key and key[0] not in LEFT_OUT]
    return found


def _origin(module, name):
    """Where a name that ``module`` defines or imports from the package is defined; None: neither."""
    known = _module(module)
    if name in known.source:
        return module, name
    return _origin(*known.names[name]) if name in known.names else None


@dataclass(frozen=True)
class _Module:
    """Of each name defined at the top of a module: its source, and the (module, name) that it mentions.

    ``names`` are those imported from other modules of the package: name → (module, name).
    """

    source: dict[str, str]
    uses: dict[str, set[tuple[str, str]]]
    names: dict[str, tuple[str, str]]


@cache
def _module(name):
    path = PACKAGE / f"{name.replace('.', '/')}.py"
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    lines = _kept(text, tree)
    modules, names = _imports(tree, name)
    source, uses = {}, {}
    for node in tree.body:
        for defined in _defined(node):
            first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])
            own = [lines[i] for i in range(first, node.end_lineno + 1) if i in lines]
            source[defined] = "\n".join([*([source[defined]] if defined in source else []), *own])
            uses[defined] = uses.get(defined, set()) | _mentions(node, name, modules, names)
    return _Module(source, uses, names)


def _defined(node):
    """The names that a statement at the top of a module defines."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return [node.name]
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    return [n.id for target in targets if target for n in ast.walk(target) if isinstance(n, ast.Name)]


def _imports(tree, name):
    """Of a module: alias → module, and name → (module, name), for what it imports from the package."""
    modules, names = {}, {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = name.split(".")[: -node.level]
            origin = ".".join([*base, *([node.module] if node.module else [])])
            for alias in node.names:
                inner = f"{origin}.{alias.name}".lstrip(".")
                if (PACKAGE / f"{inner.replace('.', '/')}.py").is_file():
                    modules[alias.asname or alias.name] = inner
                elif origin:
                    names[alias.asname or alias.name] = (origin, alias.name)
    return modules, names


def _mentions(node, module, modules, names):
    found = set()
    for n in ast.walk(node):
        if isinstance(n, ast.Name):
            found.add(names.get(n.id, (module, n.id)))
        if isinstance(n, ast.Attribute) and isinstance(n.value, ast.Name) and n.value.id in modules:
            found.add((modules[n.value.id], n.attr))
    return {key for key in found if (PACKAGE / f"{key[0].replace('.', '/')}.py").is_file()}


def _kept(text, tree):
    """Line number → line, without comments, docstrings and blank lines; lines inside a string stay as they are."""
    lines = text.split("\n")
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            row, column = token.start
            lines[row - 1] = lines[row - 1][:column]
    skip, in_string = set(), set()  # lines of docstrings; lines whose end lies inside a string
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant | ast.JoinedStr):
            in_string.update(range(node.lineno, node.end_lineno))
        body = getattr(node, "body", None)
        first = body[0] if isinstance(body, list) and body else None
        if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
            skip.update(range(first.lineno, first.end_lineno + 1))
    kept = (i for i, line in enumerate(lines, start=1) if i not in skip and (i in in_string or line.strip()))
    return {i: lines[i - 1] if i in in_string else lines[i - 1].rstrip() for i in kept}


def plain(thing):
    """What JSON has no word for, as it does: dataclasses, NumPy numbers and arrays, paths.

    Raises:
        TypeError: anything else.
    """
    if is_dataclass(thing):
        return asdict(thing)
    if isinstance(thing, np.generic):
        return thing.item()
    if isinstance(thing, np.ndarray):
        return thing.tolist()
    if isinstance(thing, Path):
        return str(thing)
    raise TypeError(f"cannot store a {type(thing).__name__}")
