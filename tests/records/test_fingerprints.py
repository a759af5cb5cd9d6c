"""Fingerprints: of values whatever their order, of code by what it computes, not by its place or its names."""

import re
import shutil

import pytest

from roa_helpers import models, studies
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


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Write the modules of a package ``made`` anew; what was read of another is forgotten, before and after."""
    forget = lambda: (fingerprints._module.cache_clear(), fingerprints._code.cache_clear())  # noqa: E731

    def write(**modules):
        shutil.rmtree(tmp_path / "made", ignore_errors=True)
        for name, source in {"__init__": "", **modules}.items():
            path = tmp_path / "made" / f"{name.replace('__in__', '/')}.py"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(source)
        forget()

    monkeypatch.syspath_prepend(str(tmp_path))
    yield write
    forget()


CODE = '''"""What it is for."""

import math

import numpy as np

# a remark
LIMIT = 3
TEXT = """first

# not a remark
last"""


class Thing:
    """A thing."""

    side: int = 2

    def double(self, value, factor=2):
        """Twice the value.

        More words.
        """
        return factor * value


def area(thing, *, scale=1.0):
    """The area."""
    sides = [thing.side, math.floor(scale)]
    return _times(*sides) + LIMIT + np.sum(thing.double(sides[0]))


def _times(a, b):
    return a * b


def other(a, b):
    return a + b
'''
ENTRIES = ("made.module:area", "made.module:Thing", "made.module:TEXT")

UNCHANGED = {
    "module docstring": ("What it is for.", "What else it is for."),
    "class docstring": ('"""A thing."""', '"""A thing, said\n    in two lines."""'),
    "function docstring": ("More words.", "Other words.\n\n        Many."),
    "no docstring": ('    """The area."""\n', ""),
    "comment": ("# a remark", "# another # remark"),
    "no comment": ("# a remark\n", ""),
    "comment behind code": ("LIMIT = 3", "LIMIT = 3  # as few as that"),
    "order of imports": ("import math\n\nimport numpy as np\n", "import numpy as np\n\nimport math\n"),
    "another name for a library": ("import numpy as np\n", "import numpy\n"),
    "order at the top": ("# a remark\nLIMIT = 3\n", ""),
    "blank lines": ("LIMIT = 3\n", "\n\nLIMIT = 3   \n\n"),
    "line breaks": ("[thing.side, math.floor(scale)]", "[\n        thing.side,\n        math.floor(scale),\n    ]"),
    "the same number": ("scale=1.0", "scale=1e0"),
    "what is not reached": ("return a + b", "return a - b"),
}
CHANGED = {
    "constant": ("LIMIT = 3", "LIMIT = 4"),
    "operator": ("return a * b", "return a / b"),
    "default": ("scale=1.0", "scale=2.0"),
    "default of a method": ("factor=2", "factor=3"),
    "attribute of a class": ("side: int = 2", "side: int = 3"),
    "name of a method": ("def double", "def twice"),
    "another function of the package": ("return _times(", "return other("),
    "another function of a library": ("math.floor", "math.ceil"),
    "another library": ("import math\n", "import cmath as math\n"),
    "order of arguments": ("_times(a, b)", "_times(b, a)"),
    "text": ("first", "zeroth"),
    "blank line of a text": ("first\n\n", "first\n"),
    "hash inside a text": ("# not a remark\n", "# a remark\n"),
    "blanks at the end of a text's line": ("first\n", "first \n"),
}


@pytest.mark.parametrize("edit", [*UNCHANGED, *CHANGED])
def test_a_fingerprint_of_code_sees_what_is_computed_alone(package, edit):
    old, new = (UNCHANGED | CHANGED)[edit]
    assert CODE.count(old) == 1
    package(module=CODE)
    before = fingerprints.code(*ENTRIES)
    changed = CODE.replace(old, new)
    if edit == "order at the top":
        changed += "\n\nLIMIT = 3\n"
    if edit == "another name for a library":
        changed = changed.replace("np.sum", "numpy.sum")
    package(module=changed)
    assert (before == fingerprints.code(*ENTRIES)) == (edit in UNCHANGED)


def renamed(text, **names):
    for old, new in names.items():
        text = re.sub(rf"\b{old}\b", new, text)
    return text


def test_renaming_definitions_changes_nothing(package):
    package(module=CODE)
    before = fingerprints.code(*ENTRIES)
    package(module=renamed(CODE, area="surface", _times="product", LIMIT="MOST", Thing="Body", TEXT="WORDS"))
    assert fingerprints.code("made.module:surface", "made.module:Body", "made.module:WORDS") == before


def test_moving_definitions_and_modules_changes_nothing(package):
    package(module=CODE)
    before = fingerprints.code(*ENTRIES)
    start = CODE.index("def _times")
    rest = CODE[:start].replace("LIMIT = 3\n", "")
    package(
        **{
            "room__in____init__": "from .deep import sums\nfrom .deep.sums import _times as times\n",
            "room__in__deep__in____init__": "",
            "room__in__deep__in__sums": CODE[start:] + "\nLIMIT = 3\n",
            "moved": "from . import room\nfrom .room import sums\n"
            + renamed(rest, LIMIT="sums.LIMIT", _times="room.times"),
        }
    )
    assert fingerprints.code(*(entry.replace("module", "moved") for entry in ENTRIES)) == before


def test_a_face_that_loads_its_names_when_they_are_used_is_followed(package):
    package(module=CODE)
    before = fingerprints.code(*ENTRIES)
    start = CODE.index("def _times")
    face = (
        "import lazy_loader\n\n__getattr__, __dir__, __all__ = lazy_loader.attach(\n    __name__, "
        "submodules=['sums'], submod_attrs={'limits': ['LIMIT']}\n)\n"
    )
    package(
        **{
            "room__in____init__": face, "room__in__sums": CODE[start:], "room__in__limits": "LIMIT = 3\n",
            "module": "from .room import LIMIT, sums\n"
            + CODE[:start].replace("LIMIT = 3\n", "").replace("_times(", "sums._times("),
        }
    )  # fmt: skip
    assert fingerprints.code(*ENTRIES) == before


def test_a_local_name_is_no_mention_of_a_definition_of_that_name(package):
    local = "def entry(limit):\n    other = limit + 1\n    return other\n"
    package(module=local)
    before = fingerprints.code("made.module:entry")
    package(module=f"{local}\nlimit = 3\n\ndef other():\n    return 2\n")
    assert fingerprints.code("made.module:entry") == before


def test_definitions_that_call_each_other_are_followed_once(package):
    text = "def even(n):\n    return n == 0 or odd(n - 1)\n\ndef odd(n):\n    return n != 0 and even(n - 1)\n"
    package(module=text)
    before = fingerprints.code("made.module:even")
    package(module=renamed(text, odd="uneven"))
    assert fingerprints.code("made.module:even") == before
    package(module=text.replace("n != 0", "n != 2"))
    assert fingerprints.code("made.module:even") != before


def test_definitions_are_numbered_as_they_are_met(package):
    package(a="from .b import step\n\ndef entry():\n    return step()\n", b="def step():\n    return 1\n", c="X = 1\n")
    assert fingerprints.reached("made.a:entry") == {("made.a", "entry"): 0, ("made.b", "step"): 1}


@pytest.mark.parametrize("change", ["TABLE.update(a=2)", "TABLE['a'] = 2", "TABLE |= {'a': 2}", "TABLE.clear()"])
def test_what_changes_a_constant_at_the_top_of_its_module_is_seen(package, change):
    text = "TABLE = {'a': 1}\n\ndef read():\n    return TABLE['a']\n"
    package(made=text)
    before = fingerprints.code("made.made:read")
    package(made=f"{text}\n{change}\n")
    assert fingerprints.code("made.made:read") != before


def test_another_function_of_a_library_is_seen_whatever_its_files_are_called(package):
    text = "import json\n\ndef read(text):\n    return json.{}(text)\n"  # json.decoder is a file, json.loads is not
    sums = []
    for name in ("decoder", "encoder", "loads"):
        package(made=text.format(name))
        sums.append(fingerprints.code("made.made:read"))
    assert len(set(sums)) == 3


@pytest.mark.parametrize(
    "text",
    [
        "if True:\n    def helper():\n        return 1\n\ndef read():\n    return 1\n",
        "import numpy as np\nnp.seterr(all='raise')\n\ndef read():\n    return 1\n",
        "for n in (1, 2):\n    pass\n\ndef read():\n    return n\n",
        "from . import helper\n\ndef read():\n    return getattr(helper, 'x')\n",
    ],
)
def test_what_cannot_be_followed_is_refused(package, text):
    package(made=text, helper="x = 1\n")
    with pytest.raises(ValueError, match=r"made\.made, line \d.*cannot follow"):
        fingerprints.code("made.made:read")


def test_the_text_of_files_is_what_stands_in_them_but_for_comments_docstrings_and_layout(tmp_path):
    path, other = tmp_path / "a.py", tmp_path / "b.py"
    path.write_text(CODE), other.write_text("x = 1\n")
    before = fingerprints.text(path, other)
    path.write_text(CODE.replace("# a remark", "# another").replace("The area.", "An area.").replace("\n\n\n", "\n\n"))
    other.write_text("'Said.'\nx = (1)\n")
    assert fingerprints.text(other, path) == before
    other.write_text("x = 2\n")
    assert fingerprints.text(path, other) != before


def test_an_unknown_entry_is_refused(package):
    package(module=CODE)
    with pytest.raises(KeyError, match="there is no made.module:nothing"):
        fingerprints.code("made.module:nothing")


def test_an_object_stands_for_its_name():
    assert fingerprints.code(models.fit) == fingerprints.code("roa_helpers.models.training:fit")


#: Studies without a network, and the study whose files they read beside their own.
STANDS_ON = {"forensics": "supplement"}


@pytest.mark.parametrize("name", studies.by_name())
def test_the_code_of_a_study_holds_what_it_computes_with(name):
    study = studies.find(name)
    found = {module.removeprefix("roa_helpers.") for module, _ in fingerprints.reached(*study.entries)}
    own = ("pipeline", "regions") if study.pair else ()
    network = () if name in STANDS_ON else ("attacks.fgsm", "models.inference")
    assert {*network, *own, f"studies.{name}.compute"} <= found
    assert not [module for module in found if module.startswith(("page.", "records.", "data.archives", "data.splits"))]
    presents = ("charts", "claims", "pictures", "tables", "words")
    assert not [module for module in found if module.rpartition(".")[2] in presents]
    others = set(studies.by_name()) - {name, "roi_roa", STANDS_ON.get(name)}
    assert not [module for module in found if module.startswith(tuple(f"studies.{other}." for other in others))]
