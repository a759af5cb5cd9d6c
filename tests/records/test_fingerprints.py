"""Fingerprints: of values whatever their order, of code and of all that it reaches, but not of words about it."""

import pytest

from roa_helpers import studies
from roa_helpers.records import fingerprints
from roa_helpers.studies.roi_roa import choices


def test_a_fingerprint_ignores_the_order_of_keys_and_nothing_else():
    value = {"a": 1, "b": [1, 2], "c": choices.RoiRoa(dataset="mnist", classes=("0", "1"))}
    same = fingerprints.value(dict(reversed(value.items())))
    assert fingerprints.value(value) == same and len(same) == 64
    others = (
        value | {"a": 2}, value | {"a": "1"}, value | {"b": [2, 1]},
        value | {"c": choices.RoiRoa(dataset="mnist", classes=("0", "1"), size=49)},
    )  # fmt: skip
    assert len({same, *map(fingerprints.value, others)}) == 5


CODE = '''"""What it is for."""

import os

# a remark
LIMIT = 3
TEXT = """first

# not a remark
last"""


class Thing:
    """A thing."""

    def double(self, value):
        """Twice the value.

        More words.
        """
        return 2 * value
'''

UNCHANGED = {
    "module docstring": ("What it is for.", "What else it is for."),
    "class docstring": ('"""A thing."""', '"""A thing, said\n    in two lines."""'),
    "function docstring": ("More words.", "Other words.\n\n        Many."),
    "no docstring": ('    """A thing."""\n\n', ""),
    "comment": ("# a remark", "# another # remark"),
    "no comment": ("# a remark\n", ""),
    "comment behind code": ("LIMIT = 3", "LIMIT = 3  # as few as that"),
    "comment behind a text": ('last"""', 'last"""  # as few as that'),
    "order at the top": ("import os\n\n# a remark\nLIMIT = 3\n", "LIMIT = 3\nimport os\n"),
    "blank lines": ("LIMIT = 3\n", "\n\nLIMIT = 3   \n\n"),
}
CHANGED = {
    "number": ("LIMIT = 3", "LIMIT = 4"),
    "expression": ("2 * value", "2 + value"),
    "name": ("double", "twice"),
    "default": ("self, value", "self, value=1"),
    "text": ("first", "zeroth"),
    "blank line of a text": ("first\n\n", "first\n"),
    "hash inside a text": ("# not a remark\n", "# a remark\n"),
    "blanks at the end of a text's line": ("first\n", "first \n"),
    "hash in a string": ("LIMIT = 3", 'LIMIT = "#3"'),
}


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Write modules of a package made here; what was read of another is forgotten, before and after."""

    def write(**modules):
        for name, source in modules.items():
            path = tmp_path / f"{name.replace('__', '/')}.py"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(source)
        fingerprints._module.cache_clear(), fingerprints.code.cache_clear()

    monkeypatch.setattr(fingerprints, "PACKAGE", tmp_path)
    yield write
    fingerprints._module.cache_clear(), fingerprints.code.cache_clear()


@pytest.mark.parametrize("edit", [*UNCHANGED, *CHANGED])
def test_a_fingerprint_of_code_sees_code_alone(package, edit):
    old, new = (UNCHANGED | CHANGED)[edit]
    assert CODE.count(old) == 1
    entries = ("module:Thing", "module:LIMIT", "module:TEXT")
    package(module=CODE)
    before = fingerprints.code(*entries)
    package(module=CODE.replace(old, new))
    assert (before == fingerprints.code(*entries)) == (edit in UNCHANGED)


A = """
from . import b
from .c import help_me as helper
from .sub.d import far

def entry(x):
    return b.step(x) + helper(x)

def other(x):
    return far(x)
"""
B = """
from .c import LIMIT

@decorated
def step(x):
    return min(x, LIMIT)

def unused(x):
    return x
"""
C = """
LIMIT: int = 3

def help_me(x):
    return _inner(x)

def _inner(x):
    return x
"""
D = """
from ..b import unused

def far(x):
    return unused(x)
"""


def test_code_is_followed_by_name_through_modules(package):
    package(a=A, b=B, c=C, sub__d=D)
    assert fingerprints.reached("a:entry") == {
        ("a", "entry"), ("b", "step"), ("c", "LIMIT"), ("c", "help_me"), ("c", "_inner"),
    }  # fmt: skip
    assert fingerprints.reached("a:other") == {("a", "other"), ("sub.d", "far"), ("b", "unused")}
    assert fingerprints.reached("a:helper") == {("c", "help_me"), ("c", "_inner")}
    assert fingerprints.files("a:other") == ["a.py", "b.py", "sub/d.py"]


@pytest.mark.parametrize(
    ("module", "old", "new", "changes"),
    [
        ("c", "return x", "return -x", True), ("c", "= 3", "= 4", True), ("b", "@decorated\n", "", True),
        ("b", "    return x\n", "    return -x\n", False), ("a", "return far(x)", "return 0", False),
    ],
)  # fmt: skip
def test_only_what_is_reached_counts(package, module, old, new, changes):
    sources = {"a": A, "b": B, "c": C, "sub__d": D}
    package(**sources)
    before = fingerprints.code("a:entry")
    assert sources[module].count(old) == 1
    package(**sources | {module: sources[module].replace(old, new)})
    assert (fingerprints.code("a:entry") != before) == changes


def test_an_unknown_entry_is_refused(package):
    package(a=A, b=B, c=C, sub__d=D)
    with pytest.raises(KeyError, match="defines no a:nothing"):
        fingerprints.code("a:nothing")


@pytest.mark.parametrize("study", studies.registered)
def test_the_code_of_a_study_holds_what_it_computes_with(study):
    found = fingerprints.files(*studies.entries(study))
    own = ("pipeline.py", "regions.py") if study in studies.find else ()
    assert {"attacks.py", "models.py", *own, f"studies/{study}.py"} <= set(found)
    assert not {f"{name}.py" for name in fingerprints.LEFT_OUT} & set(found)
    assert not {f"studies/{other}.py" for other in studies.registered if other != study} & set(found)
