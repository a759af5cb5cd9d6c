"""Sphinx extension: docstrings are plain text with unicode mathematics, not reStructuredText.

What Sphinx would misread as markup (``|x|``, ``a*b``, ``x_``, a backslash) is escaped outside ``literals``, and an
indented equation between two lines of a paragraph stays on lines of its own. Two arguments may share a line, with two
or more spaces between them. The docstring of a value or property is a sentence, even where it holds a colon.
"""

import re

SECTIONS = re.compile(r"^(Args|Returns|Yields|Raises|Attributes|Example|Examples|Note|Notes|References):\s*$")
KEPT = re.compile(r"(``.+?``|:[a-z:]+:`[^`]+`|`[^`\s][^`]*`)")
MARKUP = re.compile(r"([\\*|]|_(?!\w))")
SECOND_ARGUMENT = re.compile(r"(?<=\S) {2,}(?=[a-z_][a-z0-9_, ]*: )")
ATTRIBUTES = re.compile(r"^\s+[a-z]\w*(, [a-z]\w*)+(?=: )")
BULLET = re.compile(r"^\s*([-•]|\d+[.)])\s")


def escape(line: str) -> str:
    """The line with markup characters escaped, except inside literals and roles."""
    parts = KEPT.split(line)
    return "".join(part if i % 2 else MARKUP.sub(r"\\\1", part) for i, part in enumerate(parts))


def is_indented(line: str) -> bool:
    return line.startswith("  ") and not BULLET.match(line)


def keep_lines(lines: list[str]) -> list[str]:
    """Indented lines of free text as line blocks, with the blank lines that these need around them."""
    out = []
    in_section = in_list = False
    for line in lines:
        if SECTIONS.match(line):
            in_section = True
        elif line and not line.startswith(" "):
            in_section, in_list = False, bool(BULLET.match(line)) or (in_list and bool(out) and bool(out[-1]))
        if line and not line.startswith(" ") and out and out[-1].startswith("| "):
            out.append("")
        if is_indented(line) and not in_section and not in_list:
            if out and out[-1] and not out[-1].startswith("| "):
                out.append("")
            line = "| " + line.strip()
        out.append(line)
    return out


def split_arguments(lines: list[str]) -> list[str]:
    """``a: one.   b: two`` on one line of a section as two lines."""
    out = []
    for line in lines:
        indent = line[: len(line) - len(line.lstrip())]
        out += SECOND_ARGUMENT.sub(lambda _, i=indent: "\n" + i, line).split("\n") if indent else [line]
    return out


def keep_together(lines: list[str]) -> list[str]:
    """Names of several attributes, ``a, b: what they are``, without a space: Sphinx would take the first for a type."""
    out, inside = [], False
    for line in lines:
        if line and not line.startswith(" "):
            inside = line.startswith("Attributes:")
        out.append(ATTRIBUTES.sub(lambda names: names[0].replace(", ", ","), line) if inside else line)
    return out


def process(app, what, name, obj, options, lines):
    lines[:] = keep_together(keep_lines(split_arguments([escape(line) for line in lines])))
    app.env.temp_data["plain_docstring"] = list(lines)


def undo_napoleon(app, what, name, obj, options, lines):
    """Napoleon reads "words: more words" below a value as a type; put the sentence back."""
    if what in ("attribute", "data", "property"):
        lines[:] = app.env.temp_data["plain_docstring"]


def setup(app):
    app.connect("autodoc-process-docstring", process, priority=100)
    app.connect("autodoc-process-docstring", undo_napoleon, priority=900)
    return {"version": "3", "parallel_read_safe": True, "parallel_write_safe": True}
