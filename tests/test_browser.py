"""The pages as a reader opens them: from file://, in Chromium, without a network."""

import shutil
from contextlib import contextmanager
from pathlib import Path

import IPython.display
import nbformat
import numpy as np
import pandas as pd
import pytest
from ipywidgets import embed

from roa_helpers import studies
from roa_helpers.page import figures, report, sheets, widgets

sync_api = pytest.importorskip("playwright.sync_api")

import build_book  # noqa: E402
import pages  # noqa: E402
from pdf import ARGUMENTS, CHROMIUM  # noqa: E402

pytestmark = [pytest.mark.browser, pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")]

ROOT = Path(__file__).resolve().parent.parent
LOCAL = ("file:", "data:", "blob:", "about:")
VIEWS = "script[type='application/vnd.jupyter.widget-view+json']"
WIDGETS_READY = f"""() => {{
  const views = document.querySelectorAll("{VIEWS}").length;
  return document.querySelectorAll(".widget-subarea > .jupyter-widgets").length >= views;
}}"""
MATH_READY = """async () => {
  if (!document.querySelector(".math")) return true;
  await window.MathJax.startup.promise;
  return document.querySelectorAll("mjx-container").length > 0 && !document.querySelector("mjx-merror");
}"""
NAMELESS = "[...document.images].filter(image => !image.alt.trim()).map(image => image.outerHTML.slice(0, 200))"
#: Charts whose alternative text is not told from their data, or is said again beside them or in another's place.
UNTOLD = """[...document.querySelectorAll(".roa-chart")].filter((chart, i, all) => {
  const text = chart.querySelector("img").alt, caption = chart.parentElement.querySelector("figcaption")?.textContent;
  if (caption === undefined) return !text;  // a row of pictures made by hand, which has no caption
  const same = all.some((other) => other !== chart && other.querySelector("img").alt === text);
  return !/\\d/.test(text) || caption.includes(text) || text.includes(caption) || same ||
    all.some((other) => other !== chart && other.ariaLabel === chart.ariaLabel);
}).map((chart) => chart.ariaLabel)"""
#: What is cut off: wider than its box, and not to be scrolled to.
CUT = """[...document.querySelectorAll("article table, article img, article .roa-widget")].filter((part) => {
  if (!part.offsetWidth) return false;
  let box = part.parentElement;
  while (box && !/auto|scroll/.test(getComputedStyle(box).overflowX)) box = box.parentElement;
  return (!box || box.tagName === "HTML") && part.getBoundingClientRect().right > innerWidth + 1;
}).map((part) => part.outerHTML.slice(0, 120))"""
AXE = """async () => (await axe.run(document, {preload: false, resultTypes: ["violations"]})).violations
  .filter(({impact}) => ["serious", "critical"].includes(impact))
  .map(({id, nodes}) => `${id}: ${nodes.slice(0, 3).map((node) => node.html.slice(0, 200)).join(" | ")}`)"""
TOO_WIDE = "document.documentElement.scrollWidth > document.documentElement.clientWidth"


@pytest.fixture(scope="module")
def chromium():
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*ARGUMENTS.split(), "--no-first-run"])
        yield browser
        browser.close()


@contextmanager
def opened(chromium, *, width=1280, mode="light"):
    """A page that records what goes wrong: errors on the console, exceptions, and requests that leave the machine."""
    context = chromium.new_context(viewport={"width": width, "height": 900}, offline=True)
    context.add_init_script(
        f"for (const key of ['mode', 'theme']) localStorage.getItem(key) || localStorage.setItem(key, '{mode}')"
    )
    page = context.new_page()
    page.trouble = []
    page.on("console", lambda m: m.type == "error" and page.trouble.append(f"console: {m.text}"))
    page.on("pageerror", lambda error: page.trouble.append(f"exception: {error}"))
    page.on("dialog", lambda dialog: (page.trouble.append(f"dialog: {dialog.message}"), dialog.dismiss()))
    page.on("requestfailed", lambda request: page.trouble.append(f"failed: {request.url[:200]}"))
    page.on("request", lambda r: r.url.startswith(LOCAL) or page.trouble.append(f"network: {r.url}"))
    page.route(lambda url: not url.startswith(LOCAL), lambda route: route.abort())
    yield page
    context.close()


def visit(page, path):
    """Open a page and wait for its widgets and its mathematics."""
    page.goto(path.as_uri(), timeout=120_000)
    page.wait_for_function(WIDGETS_READY)
    assert page.evaluate(MATH_READY), f"mathematics of {path}"


def sound(page, path):
    """Nothing went wrong on this page, every picture has a text in its place, and it does not scroll sideways."""
    assert page.trouble == [], f"{path}: {page.trouble}"
    assert page.evaluate(NAMELESS) == [], f"pictures of {path} without alternative text"
    assert page.evaluate(UNTOLD) == [], f"charts of {path} whose alternative text does not tell what they show"
    assert page.evaluate(CUT) == [], f"{path}: cut off"
    assert not page.evaluate(TOO_WIDE), f"{path} is wider than the screen"


def accessible(page, path):
    """axe finds nothing serious or critical."""
    axe = pytest.importorskip("axe_playwright_python")
    page.evaluate(Path(axe.__file__).with_name("axe.min.js").read_text())
    assert page.evaluate(AXE) == [], f"{path}: what axe found"


def visible_pictures(widget):
    return [picture.get_attribute("src") for picture in widget.locator("img.roa-pixels:visible").all()]


def step(widget, number, key="ArrowRight"):
    """Move the given slider by keyboard; returns what it then says."""
    handle = widget.get_by_role("slider").nth(number)
    handle.focus()
    handle.press(key)
    return handle.get_attribute("aria-valuetext")


def has_changed(page, widget, before):
    for _ in range(50):
        if visible_pictures(widget) not in (before, []):
            return True
        page.wait_for_timeout(50)
    return False


# a tiny book, built here


def strip(*greys, paper=None):
    """Grey squares, lightness and label the same; ``paper``: their lightness in the paper's colours."""
    other = None if paper is None else np.full((4, 4), paper)
    cells = (sheets.Cell(np.full((4, 4), grey), f"grey {grey}", paper=other) for grey in greys)
    return sheets.Strip("squares", tuple(cells))


def sample_notebook():
    """A notebook as papermill leaves it: three widgets and their state, mathematics, a figure, two sheets, a table."""
    theta = widgets.slider("θ", [0.1, 0.2, 0.3])
    one = widgets.browse([strip(grey) for grey in (0.0, 0.4, 0.8)], [theta])
    frames = [[strip(0.3 * i + 0.1 * j) for j in range(3)] for i in range(3)]
    two = widgets.browse(frames, [widgets.slider(r"\(\delta_1\)", [1, 2, 3]), widgets.slider("δ₂", [0.5, 0.6, 0.7])])
    sets = widgets.choice("data set", ["first", "second"])
    three = widgets.browse([strip(0.1), strip(0.2)], [sets], legend={"UV": "#E69F00"})
    state = embed.embed_data(views=[one, two, three])["manager_state"]
    wide = sheets.img(np.ones((300, 1200)), "white", attributes="")
    cells = "".join(f"<td>0.{i}78 [0.19, 0.23]</td>" for i in range(12))
    bundles = [{"application/vnd.jupyter.widget-view+json": view(w), "text/plain": "w"} for w in (one, two, three)]
    bundles.append({"text/html": f'<figure class="roa">{wide}</figure>'})
    both = (sheets.Sheet((strip(0.5, 0.6, paper=1.0),)).markup(name=name, alt="squares") for name in ("a", "b"))
    bundles += [{"text/html": markup} for markup in both]
    names = "".join(f"<th>{name}</th>" for name in ("claim", *(f"n{i}" for i in range(12)), "verdict"))
    origin = '<span class="roa-origin">profile quick</span>'
    for name, head, row in (("wide", names, f"<td>it holds</td>{cells}<td>● reproduced</td>"),
                            ("small", "<th>a</th><th>b</th>", "<td>1</td><td>2</td>")):  # fmt: skip
        rows = f"<thead><tr>{head}</tr></thead><tbody><tr>{row}</tr></tbody>"
        caption = f'<caption>A table. <a href="#wide">data</a>{origin}</caption>'
        table = f'<table class="dataframe roa-table">{caption}{rows}</table>'
        bundles.append({"text/html": f'<div class="roa-table" id="{name}">{table}</div>'})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(IPython.display, "display", lambda item: bundles.append({"text/html": item.data}))
        chart, axis = figures.drawing(4, 2)
        axis.plot([1, 2], color="k")
        figures.show(chart, name="line", caption="A line.", alt="From 1 to 2.", data=pd.DataFrame({"a": [1, 2]}))
    text = "# Sample\n\nInline $\\bar U V$ and\n\n$$ \\frac{\\boldsymbol{a}}{b} = " + "c + " * 60 + "d $$"
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(text)] + [executed(b) for b in bundles])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook.metadata["widgets"] = {"application/vnd.jupyter.widget-state+json": state}
    return notebook


HOSTILE = ("<img src=x onerror=alert(1)>", '"><script>alert(2)</script>', r"$\frac$", "a|b`c`", "'onload='alert(3)")

STRAIGHT = str.maketrans("“”‘’", "\"\"''")


def hostile_notebook(monkeypatch):
    """A notebook of which every string that may come from a folder's name is markup, with a script where it can be."""
    bundles = []
    kind = {IPython.display.HTML: "text/html", IPython.display.Markdown: "text/markdown"}
    monkeypatch.setattr(IPython.display, "display", lambda item: bundles.append({kind[type(item)]: item.data}))
    browsed = []
    for i, name in enumerate(HOSTILE):
        table = pd.DataFrame({name: [name]})
        cell = sheets.Cell(np.eye(4), name)
        sheet = sheets.Sheet((sheets.Strip(name, (cell,)),), legend={name: "#000", "b": name})
        figures.show(sheet, name=f"s{i}", caption=name, alt=name, data=table, sample=name)
        chart, axis = figures.drawing(2, 1)
        axis.set_title(name)
        figures.show(chart, name=f"c{i}", caption=f"{name} ({i})", alt=f"{i} {name}", data=table)
        figures.show_table(table, name=f"t{i}", caption=name)
        figures.show_text(f"The class {name} of **{name}**.")
        chosen = [sheets.Strip(name, (cell,))] * 2
        browsed.append(widgets.browse(chosen, [widgets.choice(name, [name, "other"])], legend={name: "#000"}))
    bundles += [{"application/vnd.jupyter.widget-view+json": view(w), "text/plain": "w"} for w in browsed]
    cells = [nbformat.v4.new_markdown_cell("# Names"), *map(executed, bundles)]
    notebook = nbformat.v4.new_notebook(cells=cells)
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    state = embed.embed_data(views=browsed)["manager_state"]
    notebook.metadata["widgets"] = {"application/vnd.jupyter.widget-state+json": state}
    return notebook


def view(widget):
    return {"model_id": widget.model_id, "version_major": 2, "version_minor": 0}


def executed(bundle):
    output = nbformat.v4.new_output("display_data", data=bundle)
    return nbformat.v4.new_code_cell("show()", outputs=[output], execution_count=1)


@pytest.fixture(scope="module")
def tiny_book(tmp_path_factory):
    """The sample as a book with the real configuration, look and scripts."""
    root = tmp_path_factory.mktemp("tiny")
    shutil.copy(ROOT / "_config.yml", root)
    for name in ("assets", "extensions", "references.bib"):
        source = ROOT / "book" / name
        target = root / "book" / name
        target.parent.mkdir(exist_ok=True)
        shutil.copytree(source, target) if source.is_dir() else shutil.copy(source, target)
    (root / "book" / "index.md").write_text("# Index\n\n[](../notebooks/00_sample.ipynb)\n")
    chapters = "".join(f"- file: {name}\n" for name in ("notebooks/00_sample", "notebooks/01_names", "book/names"))
    (root / "_toc.yml").write_text(f"format: jb-book\nroot: book/index\nchapters:\n{chapters}")
    (root / "executed").mkdir()
    nbformat.write(sample_notebook(), root / "executed" / "00_sample.ipynb")
    with pytest.MonkeyPatch.context() as patch:
        nbformat.write(hostile_notebook(patch), root / "executed" / "01_names.ipynb")
    written = {"book/names.md": "# Names in tables\n\n" + pages.markdown_table([{name: name for name in HOSTILE}])}
    index = build_book.build(root=root, executed=root / "executed", out=root / "html", pages=written)
    return index.parent


@pytest.fixture
def sample(tiny_book):
    return tiny_book / "notebooks" / "00_sample.html"


@pytest.mark.parametrize("width", [400, 1280])
@pytest.mark.parametrize("mode", ["light", "dark"])
def test_the_sample_is_sound(chromium, sample, mode, width):
    with opened(chromium, mode=mode, width=width) as page:
        visit(page, sample)
        assert page.locator(VIEWS).count() == 3
        sound(page, sample)


@pytest.mark.parametrize(("width", "mode"), [(1280, "light"), (400, "dark")])
def test_axe_finds_nothing_in_the_sample(chromium, sample, width, mode):
    with opened(chromium, width=width, mode=mode) as page:
        visit(page, sample)
        accessible(page, sample)


def test_a_chart_is_seen_in_the_colours_of_the_page(chromium, sample):
    seen = {}
    for mode in ("light", "dark"):
        with opened(chromium, mode=mode) as page:
            visit(page, sample)
            shown = page.locator(".roa-chart img:visible")
            seen[mode] = shown.get_attribute("src")
            assert shown.count() == 1 and shown.get_attribute("class") == f"roa-on-{mode}"
            page.emulate_media(media="print")
            assert page.locator(".roa-chart img:visible").get_attribute("class") == "roa-on-light"
    assert seen["light"] != seen["dark"]


def test_a_telephone_shows_a_wide_table_as_a_list_and_a_screen_keeps_its_verdict(chromium, sample):
    with opened(chromium, width=400) as page:
        visit(page, sample)
        table = page.locator("#wide table")
        assert "roa-cards" in table.get_attribute("class")
        labels = table.locator("tbody td").evaluate_all("cells => cells.map((cell) => cell.dataset.label)")
        assert labels == ["claim", *[f"n{i}" for i in range(12)], "verdict"]
        assert all(cell.bounding_box()["width"] <= 400 for cell in table.locator("tbody td").all())
        assert page.locator("#small table").get_attribute("class").count("roa-cards") == 0
        page.set_viewport_size({"width": 660, "height": 900})
        page.wait_for_function("!document.querySelector('#wide table').matches('.roa-cards')")
        assert page.evaluate(
            "document.querySelector('#wide').scrollWidth > document.querySelector('#wide').clientWidth"
        )
        page.wait_for_function("""() => {  // once the page has taken its new width
          const [box, kept] = ["#wide", "#wide td.roa-kept"].map((one) =>
            document.querySelector(one).getBoundingClientRect());
          return box.left >= 0 && box.left < kept.left && kept.right <= box.right + 1;
        }""")


def test_an_origin_is_told_once(chromium, sample):
    with opened(chromium) as page:
        visit(page, sample)
        assert page.locator(".roa-origin").all_inner_texts() == [
            "profile quick",
            "from the same units as a table above",
        ]


@pytest.mark.parametrize("name", ["notebooks/01_names", "book/names"])
def test_names_that_hold_scripts_are_shown_and_not_run(chromium, tiny_book, name):
    with opened(chromium) as page:
        visit(page, tiny_book / f"{name}.html")
        for control in page.locator("select:visible").all():
            control.select_option("other")
        text = page.locator("article").inner_text().translate(STRAIGHT)
        assert [name for name in HOSTILE if name not in text] == []
        sound(page, name)


def test_a_slider_moves_the_picture_by_keyboard(chromium, sample):
    with opened(chromium) as page:
        visit(page, sample)
        widget = page.locator(".roa-widget").nth(0)
        seen = [visible_pictures(widget)]
        for text in ("0.20", "0.30"):
            assert step(widget, 0) == text
            assert has_changed(page, widget, seen[-1])
            seen.append(visible_pictures(widget))
        assert len({*map(tuple, seen)}) == 3
        step(widget, 0, "Home")
        assert has_changed(page, widget, seen[-1]) and visible_pictures(widget) == seen[0]
        assert widget.locator("img.roa-pixels:visible").get_attribute("alt") == "squares: grey 0.0"
        sound(page, sample)


def test_both_sliders_of_a_grid_move_the_picture(chromium, sample):
    with opened(chromium) as page:
        visit(page, sample)
        widget = page.locator(".roa-widget").nth(1)
        seen = [visible_pictures(widget)]
        for number, text in ((0, "2"), (1, "0.60"), (0, "3"), (1, "0.70")):
            assert step(widget, number) == text
            assert has_changed(page, widget, seen[-1])
            seen.append(visible_pictures(widget))
        assert len({*map(tuple, seen)}) == 5
        assert widget.locator(".widget-label mjx-container").count() == 1
        sound(page, sample)


def test_a_list_chooses_the_picture(chromium, sample):
    with opened(chromium) as page:
        visit(page, sample)
        widget = page.locator(".roa-widget").nth(2)
        first = visible_pictures(widget)
        widget.get_by_label("data set").select_option("second")
        assert has_changed(page, widget, first)
        assert widget.locator(".roa-key").is_visible()
        second = visible_pictures(widget)
        widget.get_by_label("data set").select_option("first")
        assert has_changed(page, widget, second) and visible_pictures(widget) == first
        sound(page, sample)


def test_the_colour_switch_of_one_sheet_sets_all_of_the_page(chromium, sample):
    with opened(chromium) as page:
        visit(page, sample)
        panels = page.locator(".roa-panel").all()
        shown = [visible_pictures(panel) for panel in panels]
        assert [len(pictures) for pictures in shown] == [2, 2]
        panels[1].get_by_label("the paper’s").check()
        assert all(has_changed(page, panel, before) for panel, before in zip(panels, shown, strict=True))
        panels[0].get_by_label("even steps").check()
        assert [visible_pictures(panel) for panel in panels] == shown
        sound(page, sample)


def test_the_mode_button_leads_to_both_modes(chromium, sample):
    with opened(chromium) as page:
        visit(page, sample)
        seen = {}
        for _ in range(3):
            page.locator("button.theme-switch-button:visible").first.click()
            mode = page.evaluate("document.documentElement.dataset.theme")
            seen[mode] = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert seen["light"] != seen["dark"]
        sound(page, sample)


def test_search_finds_the_sample(chromium, tiny_book):
    with opened(chromium) as page:
        page.goto((tiny_book / "search.html").as_uri() + "?q=sample")
        page.locator("#search-results a").first.wait_for()
        assert page.trouble == []


def test_the_page_on_own_pictures_is_sound_on_a_phone_and_in_the_dark(chromium, units, tmp_path):
    sections = studies.find("roi_roa").report
    path = report.write(tmp_path / "page.html", sections, units[:1], title="<script>alert(1)</script>")
    with opened(chromium, width=400) as page:
        page.goto(path.as_uri())
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            shown = page.locator(".roa-chart img:visible").evaluate_all("all => all.map((one) => one.className)")
            assert shown == [f"roa-on-{scheme}"] * page.locator(".roa-chart").count() != []
        before = visible_pictures(page)
        page.get_by_label("the paper’s").first.check()
        assert has_changed(page, page, before)
        colours = [page.evaluate(f"getComputedStyle(document.body).{name}") for name in ("backgroundColor", "color")]
        assert colours == ["rgb(20, 24, 30)", "rgb(232, 232, 232)"]
        sound(page, path)


# the real book, when it has been built


def real_pages():
    """All pages of the book; of those that show source code, which are all made alike, every twentieth."""
    html = ROOT / "_build" / "html"
    pages = sorted(p for p in html.rglob("*.html") if "_static" not in p.parts and p != html / "index.html")
    source = [path for path in pages if "_modules" in path.parts]
    return [path for path in pages if path not in source or source.index(path) % 20 == 0]


built = pytest.mark.skipif(not (ROOT / "_build" / "html" / "index.html").exists(), reason="the book has not been built")


@built
def test_every_page_of_the_book_is_light():
    sizes = {str(path.relative_to(ROOT)): path.stat().st_size for path in real_pages()}
    assert sizes and {name: size for name, size in sizes.items() if size > 2_500_000} == {}


@built
def test_no_page_of_the_book_shows_a_warning():
    assert [path.name for path in real_pages() if 'class="output stderr' in path.read_text()] == []


@built
@pytest.mark.parametrize(("width", "mode"), [(1280, "light"), (400, "dark")])
def test_every_page_of_the_book_is_sound(chromium, width, mode):
    for path in real_pages():
        with opened(chromium, width=width, mode=mode) as page:
            visit(page, path)
            sound(page, path)
            for widget in page.locator(".widget-subarea .roa-widget:visible").all():
                before, keys = visible_pictures(widget), ("ArrowRight", "ArrowLeft", "End", "Home")
                if widget.get_by_role("slider").count():
                    moves = (step(widget, 0, key) and has_changed(page, widget, before) for key in keys)
                    assert any(moves), f"a slider of {path}"
            sound(page, path)


@built
@pytest.mark.parametrize(("width", "mode"), [(1280, "dark"), (400, "light")])
def test_axe_finds_nothing_on_any_page_of_the_book(chromium, width, mode):
    for path in real_pages():
        with opened(chromium, width=width, mode=mode) as page:
            visit(page, path)
            accessible(page, path)
