"""The page on somebody's own pictures: one whole file, names as text, nothing that runs or is fetched."""

import re
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

from roa_helpers.errors import UserError
from roa_helpers.page import Section, figures, report, sheets

HOSTILE = ('"><script>alert(1)</script>', "<img src=x onerror=alert(2)>", "[a](javascript:alert(3))", "`b`\n\n# c")


class Tags(HTMLParser):
    """The tags of a page, each with its attributes, and its text."""

    def __init__(self, page):
        super().__init__()
        self.found, self.text = [], ""
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))

    def handle_data(self, data):
        self.text += data


def named(name):
    """A section in which every text that may come from a folder is ``name``."""

    def show(units):
        sheet = sheets.Sheet((sheets.Strip(name, (sheets.Cell(np.eye(4), name),)),), legend={name: "#000"})
        figures.show(sheet, name="sheet", caption=name, alt=name, data={"a": np.eye(2)}, units=units)
        figures.show_table(pd.DataFrame({name: [name]}), name="table", caption=name)
        figures.show_text(f"The class {name}.")

    return Section(name, show)


@pytest.mark.parametrize("name", HOSTILE)
def test_names_are_text_and_nothing_runs_or_is_fetched(name, units, tmp_path):
    path = report.write(tmp_path / "page.html", [named(name)], units[:1], title=name)
    tags = Tags(path.read_text())
    assert not {tag for tag, _ in tags.found} & {"script", "link", "iframe", "object", "base", "h3"}
    assert [key for _, own in tags.found for key in own if key.startswith("on")] == []
    sources = [own[key] for _, own in tags.found for key in ("src", "href") if key in own]
    assert sources and all(re.match(r"data:|[\w.-]+/result\.json$", source) for source in sources)
    assert " ".join(tags.text.split()).count(" ".join(name.split())) >= 4
    policy = next(own["content"] for tag, own in tags.found if own.get("http-equiv"))
    assert policy == report.POLICY and policy.startswith("default-src 'none'")


def test_what_is_shown_is_in_the_order_of_the_sections_and_not_on_a_notebook(units, tmp_path, capsys):
    sections = [Section(title, lambda _, text=title: figures.show_text(f"*{text}* told")) for title in ("one", "two")]
    page = report.write(tmp_path / "page.html", sections, units[:1], title="About").read_text()
    found = [page.index(text) for text in (": About</h1>", "<h2>one", "<em>one</em> told", "<h2>two", "<em>two</em>")]
    assert found == sorted(found)
    assert capsys.readouterr().out == ""
    with figures.gathered() as outer:
        with figures.gathered() as inner:
            figures.show_text("in")
        figures.show_text("out")
    assert (inner, outer) == ([("Markdown", "in")], [("Markdown", "out")])


def test_a_page_that_fails_leaves_the_old_one_and_nothing_else(units, tmp_path):
    path = tmp_path / "page.html"
    path.write_text("old")

    def broken(_):
        raise ValueError

    with pytest.raises(ValueError):
        report.write(path, [Section("one", broken)], units[:1], title="")
    assert path.read_text() == "old" and list(tmp_path.iterdir()) == [path]


def test_a_place_that_cannot_be_written_is_one_message(units, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="cannot write results under") as caught:
        report.write(tmp_path / "file" / "page.html", [], units[:1], title="")
    assert len(str(caught.value).splitlines()) == 3
