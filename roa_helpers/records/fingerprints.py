"""What a result depends on, as SHA-256 sums: values (choices, data) and the code that decides its numbers.

The code of a study is what its entry reaches: functions, classes and constants, followed by name from one to the next,
through imports and through the faces of folders. The sum follows what they compute, not where they stand or what they
are called: definitions are numbered in the order in which they are met, and a mention of one is its number. So moving
or renaming a definition or a module, the order of imports, comments, docstrings and layout change nothing; an operator,
a constant, a default, another callee do, and so does the name of a local. What a study does not use may change without
its results being called old. What cannot be followed is refused: definitions below an ``if`` or the like at the top of
a module, and modules that are handed on as values.
"""

import ast
import hashlib
import json
from dataclasses import asdict, dataclass, is_dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np

PACKAGE = __package__.partition(".")[0]
#: Parts of the package that only refuse, store, load or schedule: the choices of a unit and its data have their own
#: sum. ImageNet's weights are data too: a result says whether it began from them.
LEFT_OUT = tuple(
    f"{PACKAGE}.{name}"
    for name in ("checks", "compat", "data.archives", "data.downloads", "data.known", "data.splits", "errors",
                 "models.checkpoints", "models.weights", "page", "records", "scratch", "studies.freshness",
                 "studies.profiles", "studies.runs", "studies.study")
)  # fmt: skip


def value(thing):
    """SHA-256 of a value made of dataclasses, dicts, lists, strings and numbers, whatever the order of its keys."""
    text = json.dumps(thing, sort_keys=True, default=plain, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def code(*entries):
    """SHA-256 of all that ``entries`` compute: the definitions that they reach.

    Args:
        entries: definitions at the top of a module, as objects or as ``"package.module:name"``.

    Raises:
        KeyError: no such definition.
        ValueError: code that cannot be followed.
    """
    return _code(*(one if isinstance(one, str) else f"{one.__module__}:{one.__qualname__}" for one in entries))


@cache
def _code(*entries):
    numbers = reached(*entries)
    texts = (_Scribe(module, numbers).text(name) for module, name in numbers)
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()


def text(*paths):
    """SHA-256 of Python files by what stands in them: comments, docstrings and layout apart, names included."""
    trees = (ast.parse(Path(path).read_text(encoding="utf-8")) for path in sorted(map(str, paths)))
    return hashlib.sha256("\n".join(map(_bare, trees)).encode()).hexdigest()


def _bare(tree):
    """A syntax tree as text, without docstrings."""
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list) and body and _is_docstring(body[0]):
            del body[0]
    return ast.dump(tree)


def reached(*entries):
    """The definitions that ``entries`` (texts) reach, ``LEFT_OUT`` apart: (module, name) → number, as they are met.

    Raises:
        KeyError, ValueError: as :func:`code`.
    """
    waiting, numbers = [], {}
    for entry in entries:
        module, name = _origin(*entry.split(":"))
        if name is None:
            raise KeyError(f"there is no {entry}")
        waiting.append((module, name))
    while waiting:
        key = waiting.pop(0)
        if key not in numbers:
            _check(key[0])
            numbers[key] = len(numbers)
            scribe = _Scribe(key[0], {})
            scribe.text(key[1])
            waiting[:0] = scribe.met
    return numbers


def _check(module):
    known = _module(module)
    for node in known.body:
        changes = isinstance(node, ast.Expr) and any(node in known.defined.get(name, ()) for name in _defines(node))
        if not (changes or _is_docstring(node) or isinstance(node, _FOLLOWED)):
            raise ValueError(f"{module}, line {node.lineno}: a statement at the top that a sum of code cannot follow")


@dataclass(frozen=True)
class _Module:
    """A module as text.

    Attributes:
        path: its file.
        body: the statements at its top.
        defined: name → the statements at the top that define it.
        imported: name → (module, name) of what it imports; the name is None for a module as a whole.
    """

    path: Path
    body: list[ast.stmt]
    defined: dict[str, list[ast.stmt]]
    imported: dict[str, tuple[str, str | None]]


@cache
def _module(name):
    """The text of a module; None where there is none of that name."""
    path = _file_of(name)
    if path is None:
        return None
    tree = ast.parse(path.read_text(encoding="utf-8"))
    base = name if path.name == "__init__.py" else name.rpartition(".")[0]
    defined, imported = {}, {}
    for node in ast.walk(tree):
        imported |= _imports(node, base)
    for node in tree.body:
        for one in _defines(node):
            if isinstance(node, ast.Expr) and one in imported:  # what is changed belongs to another module
                continue
            defined.setdefault(one, []).append(node)
    return _Module(path, tree.body, defined, imported)


def _file_of(name):
    """The file of a module. The module is not imported: torch would come with it."""
    top, *rest = name.split(".")
    spec = find_spec(top)
    for folder in (spec and spec.submodule_search_locations) or ():
        place = Path(folder, *rest)
        for path in (place / "__init__.py", place.with_name(f"{place.name}.py")):
            if path.is_file():
                return path
    return None


def _defines(node):
    """The names that a statement at the top of a module defines, or changes as in ``NAME.update(…)``."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return [node.name]
    if isinstance(node, ast.Expr):
        called = node.value.func if isinstance(node.value, ast.Call) else None
        owner = called.value if isinstance(called, ast.Attribute) else None
        return [owner.id] if isinstance(owner, ast.Name) else []
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    return [n.id for target in targets if target for n in ast.walk(target) if isinstance(n, ast.Name)]


def _imports(node, base):
    """name → (module, name) of an import statement, or of a face that hands names on when they are first used."""
    if isinstance(node, ast.Import):
        return {a.asname or a.name.partition(".")[0]: (a.name if a.asname else a.name.partition(".")[0], None)
                for a in node.names}  # fmt: skip
    if isinstance(node, ast.ImportFrom):
        above = base.split(".")[: len(base.split(".")) - node.level + 1] if node.level else []
        origin = ".".join([*above, *([node.module] if node.module else [])])
        return {alias.asname or alias.name: (origin, alias.name) for alias in node.names}
    if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "attach":
        handed = {word.arg: ast.literal_eval(word.value) for word in node.keywords}
        found = {name: (f"{base}.{name}", None) for name in handed.get("submodules", ())}
        for module, names in handed.get("submod_attrs", {}).items():
            found |= {name: (f"{base}.{module}", name) for name in names}
        return found
    return {}


def _origin(module, name):
    """Where what ``module`` calls ``name`` is defined.

    Returns:
        (module, name); (module, None) for a module; (dotted name, None) for what a library holds; (None, None): neither
        defined nor imported.
    """
    known = _module(module)
    if known is None:
        return None, None
    if name in known.defined:
        return module, name
    origin, inner = known.imported.get(name, (module, name))
    if inner is None:
        return origin, None
    if origin == module:
        submodule = f"{module}.{inner}"
        return (submodule, None) if _module(submodule) else (None, None)
    if origin.partition(".")[0] not in (PACKAGE, module.partition(".")[0]):
        return f"{origin}.{inner}", None
    return _origin(origin, inner)


class _Scribe:
    """Writes definitions of one module in the same way whatever their names and place.

    Attributes:
        met: the definitions that were mentioned, (module, name), in the order of the text.
    """

    def __init__(self, module, numbers):
        self.module, self.numbers = module, numbers
        self.met, self.local, self.depth = [], [], 0

    def text(self, name):
        """A definition, with the numbers of those that it mentions in the place of their names."""
        return "\n".join(self._written(node, top=True) for node in _module(self.module).defined[name])

    def _written(self, thing, *, top=False):
        if isinstance(thing, list):
            return f"[{' '.join(self._written(one, top=top) for one in thing)}]"
        if not isinstance(thing, ast.AST):
            return repr(thing)
        mention = self._mention(thing)
        if mention:
            return mention
        if isinstance(thing, ast.Import | ast.ImportFrom):
            return "import"
        scope = [_bound(thing)] if isinstance(thing, ast.FunctionDef | ast.Lambda) else []
        self.local += scope
        self.depth += isinstance(thing, ast.FunctionDef | ast.Lambda | ast.ClassDef)
        fields = {name: value for name, value in ast.iter_fields(thing) if name not in _SAID_NOWHERE}
        if isinstance(thing, ast.FunctionDef | ast.ClassDef):
            fields["body"] = [node for node in thing.body if not _is_docstring(node)]
            if top:
                fields["name"] = "it"
        written = " ".join(
            f"{name}={self._written(value)}" for name, value in fields.items() if value not in (None, [])
        )
        del self.local[len(self.local) - len(scope) :]
        self.depth -= isinstance(thing, ast.FunctionDef | ast.Lambda | ast.ClassDef)
        return f"({type(thing).__name__} {written})"

    def _mention(self, node):
        """What stands for a name, or for an attribute of a module; "" for anything else."""
        module, name = self._resolved(node)
        if module is None:
            return ""
        if not self._is_ours(module):
            return f"<{module}>"
        if any(module == one or module.startswith(f"{one}.") for one in LEFT_OUT):
            return "<left out>"
        if name is None:
            raise ValueError(f"{self.module}, line {node.lineno}: a sum of code cannot follow a module as a value")
        self.met.append((module, name))
        return f"<{self.numbers.get((module, name))}>"

    def _resolved(self, node):
        """(module, name) of what a node mentions, as :func:`_origin` gives them."""
        if isinstance(node, ast.Name):
            own = self.depth and isinstance(node.ctx, ast.Store)  # a class's attribute, or a local name
            if own or any(node.id in names for names in self.local):
                return None, None
            return _origin(self.module, node.id)
        if isinstance(node, ast.Attribute):
            module, name = self._resolved(node.value)
            if module is None or name is not None:
                return None, None
            if self._is_ours(module):
                return _origin(module, node.attr)
            return f"{module}.{node.attr}", None
        return None, None

    def _is_ours(self, module):
        return module.partition(".")[0] in (PACKAGE, self.module.partition(".")[0])


#: What may stand at the top of a module that is followed, beside docstrings and calls that change a name.
_FOLLOWED = (ast.FunctionDef, ast.ClassDef, ast.Assign, ast.AnnAssign, ast.AugAssign, ast.Import, ast.ImportFrom)
#: Fields of a syntax tree that say nothing of what is computed, or that not every Python has.
_SAID_NOWHERE = frozenset(("ctx", "kind", "type_comment", "type_ignores", "type_params"))


def _is_docstring(node):
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _bound(function):
    """The names that a function binds itself, its parameters and what it assigns, those of functions within apart."""
    names = {node.arg for node in ast.walk(function.args) if isinstance(node, ast.arg)}
    waiting = list(function.body) if isinstance(function.body, list) else [function.body]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        if not isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Lambda):
            waiting += ast.iter_child_nodes(node)
    return names


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
