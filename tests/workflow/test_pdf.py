"""The book as one PDF: every chapter in the outline, links that stay inside, nothing of this machine."""

from pathlib import Path

import pdf
import pytest
from pypdf import PdfReader

from roa_helpers.errors import UserError

ROOT = Path(__file__).resolve().parents[2]
printed = pytest.mark.skipif(pdf.CHROMIUM is None, reason="no Chromium on this machine")
PAGE = """<!doctype html><meta charset="utf-8"><link rel="stylesheet" href="{css}"><article><h1>{title}<a
class="headerlink">#</a></h1>{body}</article>"""
LONG = "<h2>A section</h2>" + "<p>Words.</p>" * 90
WIDE = "<table><tr>" + "<td>not_to_be_broken_anywhere</td>" * 12 + "<td>last</td></tr></table>"


@pytest.fixture
def book(tmp_path):
    """Three pages of a book: (folder, chapters)."""
    css = (ROOT / "book/assets/print.css").as_uri()
    bodies = {
        "book/index": '<p><a href="../notebooks/01_one.html#part">inside</a> <a href="../LICENSE.txt">a file</a>'
        '<a href="https://example.org/">outside</a><a class="roa-data" href="data:text/csv;base64,YQ==">data</a></p>',
        "notebooks/01_one": LONG + '<details class="hide"><summary>Show code</summary>secret = 1</details>',
        "notebooks/02_two": WIDE,
    }
    for name, body in bodies.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        page = PAGE.format(css=css, title=f"The page {name}", body=body)
        (tmp_path / f"{name}.html").write_text(page)
    parts = {"book/index": "", "notebooks/01_one": "First part", "notebooks/02_two": "First part"}
    return tmp_path, [pdf.Chapter(*item) for item in parts.items()]


def titles(reader, outline, depth=0):
    for item in outline:
        if isinstance(item, list):
            yield from titles(reader, item, depth + 1)
        else:
            yield depth, item.title, reader.get_destination_page_number(item)


@pytest.mark.browser
@printed
def test_chapters_and_sections_are_in_the_outline_and_links_stay_inside(book, tmp_path):
    html, chapters = book
    reader = PdfReader(pdf.write(tmp_path / "out" / "book.pdf", html=html, chapters=chapters))
    assert list(titles(reader, reader.outline)) == [
        (0, "The page book/index", 0), (0, "First part", 1), (1, "The page notebooks/01_one", 1),
        (2, "A section", 1), (1, "The page notebooks/02_two", len(reader.pages) - 1),
    ]  # fmt: skip
    assert len(reader.pages) >= 4
    actions = [note.get_object()["/A"] for page in reader.pages for note in page.get("/Annots", ())]
    (inside,) = [action["/D"] for action in actions if action["/S"] == "/GoTo"]
    assert reader.get_page_number(inside[0].get_object()) == 1
    assert [action["/URI"] for action in actions if action["/S"] == "/URI"] == ["https://example.org/"]


@pytest.mark.browser
@printed
def test_what_can_only_be_clicked_is_left_out_and_tables_fit(book, tmp_path):
    html, chapters = book
    reader = PdfReader(pdf.write(tmp_path / "book.pdf", html=html, chapters=chapters))
    text = "".join("".join(page.extract_text() for page in reader.pages).split())
    assert "Words." in text and [one for one in ("Showcode", "secret", "#", "data") if one in text] == []
    places = []

    def noted(text, page, line, *_):
        places.extend([page[0] * line[4] + page[4]] * bool(text.strip()))

    reader.pages[-1].extract_text(visitor_text=noted)
    assert places and "last" in reader.pages[-1].extract_text() and max(places) < reader.pages[-1].mediabox.width


def test_every_page_of_the_table_of_contents_is_a_chapter_of_its_part():
    found = pdf.chapters(ROOT)
    assert found[0] == pdf.Chapter("book/index", "")
    assert pdf.Chapter("notebooks/04_overlap", "The paper") in found
    assert pdf.Chapter("notebooks/10_localized", "Baselines") in found
    assert pdf.Chapter("book/api/attacks", "About") in found


def test_a_book_that_is_not_built_is_one_message(tmp_path, capsys):
    assert pdf.main(["--html", str(tmp_path), "--out", str(tmp_path / "book.pdf")]) == 2
    assert capsys.readouterr().err.splitlines() == [f"the book at {tmp_path} lacks book/index", "  build it: make book"]
    assert not (tmp_path / "book.pdf").exists()


def test_without_chromium_there_is_one_message(book, tmp_path, monkeypatch):
    html, chapters = book
    monkeypatch.setattr(pdf, "CHROMIUM", None)
    with pytest.raises(UserError, match="no Chromium on this machine"):
        pdf.write(tmp_path / "book.pdf", html=html, chapters=chapters)


@pytest.mark.browser
@printed
@pytest.mark.skipif(not (ROOT / "_build/html/index.html").exists(), reason="the book has not been built")
def test_the_real_book_has_all_its_chapters(tmp_path):
    chapters = pdf.chapters(ROOT)
    reader = PdfReader(pdf.write(tmp_path / "book.pdf", html=ROOT / "_build/html", chapters=chapters))
    outline = list(titles(reader, reader.outline))
    parts = {chapter.part for chapter in chapters} - {""}
    assert {title for depth, title, _ in outline if depth == 0} >= parts
    assert len([depth for depth, title, _ in outline if depth == 1]) >= len(chapters) - 1
    assert len(reader.pages) > 3 * len(chapters)
    assert not [title for _, title, _ in outline if "  " in title or not title]
