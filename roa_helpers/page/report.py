"""A page of its own: what a study shows of somebody's own pictures, as one HTML file that asks for nothing else.

It is made by what the notebooks show things with, so a figure is drawn in one way. Every name that comes from a folder
is text in it; no script can run, and nothing can be fetched (``POLICY``).
"""

import html
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote

from .. import scratch
from ..data import readable, title_of
from ..records import store
from . import figures, words

#: What the page may do: show the pictures that it holds.
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
STYLE = """
:root{color-scheme:light dark;--text:#1b1b1b;--muted:#595959;--ground:#fff;--raised:#f3f4f5;--line:#c9c9c9;
--link:#0060a0}
@media(prefers-color-scheme:dark){:root{--text:#e8e8e8;--muted:#b0b0b0;--ground:#14181e;--raised:#222832;--line:#4a515c;
--link:#6cb8f0}}
body{background:var(--ground);color:var(--text);font:1rem/1.5 system-ui,sans-serif;margin:0 auto;max-width:60rem;
overflow-wrap:anywhere;padding:1rem}
h1{font-size:1.6rem;line-height:1.25}h2{font-size:1.25rem;line-height:1.3;margin-top:2.5rem}
a{color:var(--link)}figure{margin:1.5rem 0}figcaption,caption{font-size:.9rem;line-height:1.45;text-align:left}
figcaption{margin-top:.5rem}caption{padding:.6rem .7rem}
.roa-data{font-size:.8rem;white-space:nowrap}.roa-origin{color:var(--muted);display:block;font-size:.8rem}
.roa-cell-label,.roa-key,.roa-colours{color:var(--muted)}
.roa-chart img{background:#f4f4f4;border-radius:6px;box-sizing:border-box;display:block;margin:0 auto;padding:8px}
.roa-chart img[hidden]{display:none}
@media(prefers-color-scheme:dark){.roa-chart .roa-on-light{display:none}
.roa-chart .roa-on-dark[hidden]{background:none;display:block!important;padding:0}}
div.roa-table{border:1px solid var(--line);border-radius:6px;container-type:inline-size;margin:1.5rem 0;overflow-x:auto}
div.roa-table caption{padding-right:calc(100% - 100cqi + .7rem)}
table{border-collapse:collapse;font-size:.8rem;min-width:100%;overflow-wrap:normal;width:max-content}
@container(min-width:34rem){table{width:100%}}
td,th{border-top:1px solid var(--line);max-width:22rem;padding:.3rem .5rem;text-align:left;vertical-align:top}
td{font-variant-numeric:tabular-nums}thead th{background:var(--raised)}
"""


#: What the parts of one's pictures are for.
_PARTS = {"train": "to learn from:", "val": "to choose settings on:", "test": "to score on:"}


@dataclass(frozen=True)
class Section:
    """A part of a report.

    Attributes:
        title: its heading.
        show: list of units → None; puts figures, tables and words on the page by :mod:`.figures`.
    """

    title: str
    show: Callable


def put(sections, units):
    """Put a report on the page of the notebook that runs."""
    for section in sections:
        figures.put(f'<h3 class="roa-heading">{html.escape(section.title)}</h3>')
        section.show(units)


def write(path, sections, units, *, title):
    """Write a report as one file, whole or not at all; an older one is replaced.

    Args:
        path: where it goes: beside the folders of its units, which it links to.
        sections: each a :class:`Section`.
        units: what it shows, of one data set.
        title: what it is about.

    Returns:
        ``path``.

    Raises:
        UserError: the place cannot be written; nothing is left behind, and what stood there stands.
    """
    heading = html.escape(f"{readable(title_of(units[0].result['dataset']))}: {title}")
    body = "\n".join([f"<h1>{heading}</h1>", _lead(units), *(_section(one, units) for one in sections)])
    page = (
        '<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{html.escape(POLICY)}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{heading}</title>\n<style>{STYLE}</style>\n<main>\n{body}\n</main>\n</html>\n"
    )
    with store.writable(path.parent), scratch.building(path) as new:
        new.write_text(page, encoding="utf-8")
        new.replace(path)
    return path


def _section(section, units):
    with figures.gathered() as parts:
        section.show(units)
    shown = [_rendered(text) if kind == "Markdown" else text for kind, text in parts]
    return "\n".join([f"<section>\n<h2>{html.escape(section.title)}</h2>", *shown, "</section>"])


def _rendered(text):
    """Markdown as HTML; links, pictures and markup in it stay text."""
    from markdown_it import MarkdownIt

    known = MarkdownIt("commonmark", {"html": False}).disable(["link", "image", "autolink"])
    return known.render(text)


def _lead(units):
    """What the page is, what it was made of, and where the numbers are."""
    origin = units[0].result["provenance"]
    counted = "; ".join(
        f"{_PARTS[part]} {', '.join(f'{count} {readable(label)}' for label, count in counts.items())}"
        if part in _PARTS
        else f"{sum(counts.values())} {part}"
        for part, counts in origin["data"]["counts"].items()
    )
    unreadable = origin["data"]["unreadable"]["count"]
    left_out = f"; {words.counted(unreadable, 'picture')} could not be read" if unreadable else ""
    names = [unit.path.name for unit in units]
    folders = ", ".join(f'<a href="{quote(name)}/result.json">{html.escape(name)}</a>' for name in names)
    return (
        f"<p>Made of pictures of your own ({html.escape(counted + left_out)}) on this machine, on "
        f"{html.escape(origin['finished'][:10])}. Nothing of yours was sent anywhere: this file holds all that it "
        "shows and asks for nothing else.</p>\n"
        "<p>It shows what the methods of the book do with these pictures. It is no evidence about the papers, and "
        "stands apart from the book’s recorded results.</p>\n"
        f"<p>All numbers: {folders}.</p>"
    )
