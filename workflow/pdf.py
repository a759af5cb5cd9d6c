"""The built book as one PDF, printed by Chromium page by page, with an outline of parts, chapters and sections.

    python workflow/pdf.py [--html _build/html] [--out _build/downloads/book.pdf]

Widgets print as they stand at the beginning. Links between pages of the book lead to the chapter in the PDF; links to
the data of figures are left out.
"""

import argparse
import io
import shutil
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pypdf import PdfReader, PdfWriter
from pypdf.generic import ArrayObject, DictionaryObject, Fit, NameObject
from sphinx_external_toc.parsing import parse_toc_yaml

from roa_helpers import scratch
from roa_helpers.errors import UserError

ROOT = Path(__file__).resolve().parent.parent
HTML = ROOT / "_build" / "html"
OUT = ROOT / "_build" / "downloads" / "book.pdf"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
ARGUMENTS = "--no-sandbox --disable-gpu --disable-background-networking --disable-component-update --disable-sync"
VIEWS = "script[type='application/vnd.jupyter.widget-view+json']"
#: Everything that scripts put on a page is there.
READY = f"""async () => {{
  if (document.querySelector(".math")) await window.MathJax.startup.promise;
  await document.fonts.ready;
  const views = document.querySelectorAll("{VIEWS}").length;
  return document.querySelectorAll(".widget-subarea > .jupyter-widgets").length >= views;
}}"""
#: Tables that are wider than the paper become smaller.
FIT = """() => {
  const room = document.querySelector("article").clientWidth;
  for (const table of document.querySelectorAll("article table")) {
    if (table.scrollWidth > room) table.style.zoom = room / table.scrollWidth;
  }
}"""
#: The headings that are printed, in their order.
HEADINGS = """() => [...document.querySelectorAll("h1, h2, h3, h4, h5, h6")].filter(one => one.checkVisibility())
  .map(one => one.innerText.replace(/\\s+/g, " ").trim())"""
#: Width of A4 between the margins of print.css, in CSS pixels.
WIDTH = 680
#: A page may take so long, in milliseconds.
PATIENCE = 180_000


@dataclass(frozen=True)
class Chapter:
    """A page of the book: its name in ``_toc.yml``, and the caption of the part that it stands in, if any."""

    name: str
    part: str


@dataclass(frozen=True)
class Printed:
    """A printed page: its PDF, and its headings as a reader sees them (Chromium's outline runs lines together)."""

    content: bytes
    headings: list[str]


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], allow_abbrev=False)
    parser.add_argument("--html", type=Path, default=HTML)
    parser.add_argument("--out", type=Path, default=OUT)
    args = parser.parse_args(argv)
    try:
        print(write(args.out, html=args.html.resolve(), chapters=chapters(ROOT)))
    except UserError as error:
        print(error, file=sys.stderr)
        return 2
    except OSError as error:
        print(f"cannot write {error.filename or error}: {error.strerror}", file=sys.stderr)
        return 2
    return 0


def chapters(root):
    """The pages that ``_toc.yml`` names, in its order."""
    toc = parse_toc_yaml(root / "_toc.yml")
    part_of = {str(item): tree.caption or "" for tree in toc[toc.root.docname].subtrees for item in tree.items}
    found, part = [], ""
    for name in toc:
        part = part_of.get(name, part)
        found.append(Chapter(name, part))
    return found


def write(out, *, html, chapters):
    """Print the chapters of a built book and bind them, whole or not at all.

    Args:
        out: the PDF; an older one is replaced.
        html: folder of the built book.
        chapters: each a :class:`Chapter`.

    Returns:
        ``out``.

    Raises:
        UserError: no book, or no Chromium.
    """
    missing = [one.name for one in chapters if not (html / f"{one.name}.html").exists()]
    if missing:
        raise UserError(f"the book at {html} lacks {missing[0]}\n  build it: make book")
    with printer() as printed:
        parts = [printed(html / f"{one.name}.html") for one in chapters]
    bound = bind(chapters, parts, base=html.as_uri())
    out.parent.mkdir(parents=True, exist_ok=True)
    with scratch.building(out) as new:
        bound.write(new)
        new.replace(out)
    return out


@contextmanager
def printer():
    """A function from the path of a page to :class:`Printed`.

    Raises:
        UserError: no Chromium on this machine.
    """
    if CHROMIUM is None:
        raise UserError("no Chromium on this machine prints the book\n  install it, for instance: apt install chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS.split())
        context = browser.new_context(viewport={"width": WIDTH, "height": 1000}, offline=True, color_scheme="light")
        context.add_init_script("for (const key of ['mode', 'theme']) localStorage.setItem(key, 'light')")

        def printed(path):
            page = context.new_page()
            page.goto(path.as_uri(), timeout=PATIENCE)
            page.wait_for_function(READY, timeout=PATIENCE)
            page.emulate_media(media="print")
            page.evaluate(FIT)
            headings = page.evaluate(HEADINGS)
            content = page.pdf(prefer_css_page_size=True, print_background=True, tagged=True, outline=True)
            page.close()
            return Printed(content, headings)

        yield printed
        browser.close()


def bind(chapters, parts, *, base):
    """One PDF of several, with an outline and with links that stay inside.

    Args:
        chapters: each a :class:`Chapter`.
        parts: a :class:`Printed` for each.
        base: address of the built book.
    """
    writer, starts, above = PdfWriter(), {}, {"": None}
    for chapter, printed in zip(chapters, parts, strict=True):
        part = PdfReader(io.BytesIO(printed.content))
        start = starts[f"{base}/{chapter.name}.html"] = len(writer.pages)
        writer.append(part, import_outline=False)
        if chapter.part not in above:
            above[chapter.part] = writer.add_outline_item(title=chapter.part, page_number=start)
        _outline(writer, part, part.outline, iter(printed.headings), start, above[chapter.part])
    _link_inside(writer, starts, base)
    writer.compress_identical_objects()
    return writer


def _outline(writer, part, items, headings, start, parent):
    """Add the headings of a chapter below ``parent``: an item, then a list of those below it."""
    last = parent
    for item in items:
        if isinstance(item, list):
            _outline(writer, part, item, headings, start, last)
        else:
            page, title = start + part.get_destination_page_number(item), next(headings, item.title)
            last = writer.add_outline_item(
                title=title, page_number=page, parent=parent, fit=Fit.xyz(top=item.top), is_open=False
            )


def _link_inside(writer, starts, base):
    """Links to pages of the book become links to chapters, those to other files of this machine go."""
    for page in writer.pages:
        kept = ArrayObject()
        for reference in page.get("/Annots", ()):
            note = reference.get_object()
            address = note.get("/A", {}).get("/URI", "")
            if address.startswith(base) and (start := starts.get(address.partition("#")[0])) is not None:
                target = writer.pages[start].indirect_reference
                goal = ArrayObject([target, NameObject("/Fit")])
                go = {NameObject("/S"): NameObject("/GoTo"), NameObject("/D"): goal}
                note[NameObject("/A")] = DictionaryObject(go)
            elif address.startswith("file:"):
                continue
            kept.append(reference)
        page[NameObject("/Annots")] = kept


if __name__ == "__main__":
    sys.exit(main())
