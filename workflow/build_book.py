"""Build the book from executed notebooks.

    python workflow/build_book.py [--executed _build/executed/quick] [--out _build/html]

The book is staged in ``_build/book/``, which mirrors the repository: a page's name is its path in the repository, so
that "edit", "source" and "open in Colab" point at the committed files. The Sphinx cache stays there, which makes a
second build quick. The finished HTML replaces the old one only when it is complete.
"""

import argparse
import hashlib
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import address
import yaml
from pages import DOWNLOADS, generated_pages
from sphinx_external_toc.parsing import parse_toc_yaml

from roa_helpers.errors import UserError

ROOT = Path(__file__).resolve().parent.parent
COLAB = "https://colab.research.google.com"


class BookError(Exception):
    """The book cannot be built; the message says why."""


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--executed", type=Path, default=ROOT / "_build/executed/quick", help="executed notebooks of a profile"
    )
    parser.add_argument("--out", type=Path, default=ROOT / "_build/html", help="where the finished HTML goes")
    args = parser.parse_args(argv)
    try:
        pages = generated_pages(args.executed.resolve().name)
        index = build(root=ROOT, executed=args.executed, out=args.out, pages=pages, downloads=DOWNLOADS)
    except (BookError, UserError) as error:
        print(f"the book was not built: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"the book was not built: cannot write {error.filename or error}: {error.strerror}", file=sys.stderr)
        return 1
    print(index.resolve().as_uri())
    return 0


def build(*, root: Path, executed: Path, out: Path, pages: Mapping[str, str], downloads: Path | None = None) -> Path:
    """Stage, build, publish.

    Args:
        root: the repository (or a small one with the same layout).
        executed: folder of executed notebooks.
        out: the folder that receives the HTML; an older one is replaced once the new one is complete.
        pages: text of the pages that are computed, by their path in the repository.
        downloads: folder of files that are published beside the pages, if it is there.

    Returns:
        The path of ``index.html``.
    """
    staging = root / "_build" / "book"
    stage(root=root, executed=executed, staging=staging, pages=pages)
    forget_stale_pages(staging)
    run_jupyter_book(staging)
    return publish(staging / "_build" / "html", out, downloads=downloads)


def toc_pages(root: Path) -> list[str]:
    """Every page named in ``_toc.yml``, without suffix."""
    return list(parse_toc_yaml(root / "_toc.yml"))


def stage(*, root: Path, executed: Path, staging: Path, pages: Mapping[str, str]) -> None:
    """Make ``staging`` mirror the repository; files that are the same are left alone, others vanish."""
    wanted = {"_toc.yml": (root / "_toc.yml").read_bytes(), "_config.yml": staged_config(root)}
    wanted |= {str(p.relative_to(root)): p.read_bytes() for p in files_under(root / "book")}
    wanted |= {path: text.encode() for path, text in pages.items()}
    for page in toc_pages(root):
        if page.startswith("notebooks/"):
            notebook = executed / f"{Path(page).name}.ipynb"
            if notebook.exists():
                wanted[f"{page}.ipynb"] = without_defaults(notebook.read_text())
    missing = [page for page in toc_pages(root) if not {f"{page}.md", f"{page}.ipynb"} & set(wanted)]
    if missing:
        raise BookError(f"_toc.yml names pages that do not exist: {', '.join(missing)} (notebooks from {executed})")
    for path in files_under(staging):
        name = str(path.relative_to(staging))
        if not name.startswith("_build/") and name not in wanted:
            path.unlink()
    for name, data in wanted.items():
        path = staging / name
        if not path.exists() or path.read_bytes() != data:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)


def without_defaults(notebook: str) -> bytes:
    """The notebook with its default parameters left out where papermill has put the ones used below them, folded."""
    content = json.loads(notebook)
    tags = [cell["metadata"].get("tags", []) for cell in content["cells"]]
    if any("injected-parameters" in names for names in tags):
        for names in tags:
            names += ["remove-cell"] if "parameters" in names else []
            names += ["hide-input"] if "injected-parameters" in names else []
    return json.dumps(content, indent=1, ensure_ascii=False).encode()


def files_under(folder: Path) -> list[Path]:
    return [p for p in sorted(folder.rglob("*")) if p.is_file() and "__pycache__" not in p.parts]


def staged_config(root: Path) -> bytes:
    """``_config.yml``, with the buttons that need the repository's address once there is one."""
    config = yaml.safe_load((root / "_config.yml").read_text())
    url = config["repository"]["url"] = address.repository(root)
    if url:
        config["html"] |= {"use_repository_button": True, "use_edit_page_button": True, "use_issues_button": True}
        config["sphinx"]["config"]["html_theme_options"]["use_source_button"] = True
        if "github.com/" in url:
            config["launch_buttons"] = {"colab_url": COLAB}
            config["sphinx"]["config"]["launch_commit"] = address.commit(root)
    return yaml.safe_dump(config, allow_unicode=True, sort_keys=False).encode()


def forget_stale_pages(staging: Path) -> None:
    """Drop the cache when something changed that other pages depend on: order, titles and labels of pages, the look."""
    mark = staging / "_build" / "shape.json"
    shape = json.dumps(book_shape(staging), indent=1)
    if not mark.exists() or mark.read_text() != shape:
        shutil.rmtree(staging / "_build", ignore_errors=True)
        mark.parent.mkdir()
        mark.write_text(shape)


def book_shape(staging: Path) -> dict[str, list[str]]:
    files = {str(p.relative_to(staging)): p for p in files_under(staging)}
    return {name: outline(path) for name, path in files.items() if not name.startswith("_build/")}


def outline(path: Path) -> list[str]:
    """Headings and labels of a page; the digest of any other file."""
    if path.suffix == ".ipynb":
        cells = json.loads(path.read_text())["cells"]
        text = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
    elif path.suffix == ".md":
        text = path.read_text()
    else:
        return [hashlib.sha256(path.read_bytes()).hexdigest()]
    return re.findall(r"^(#+ .*|\([^()\s]+\)=)$", text, flags=re.MULTILINE)


def run_jupyter_book(staging: Path) -> None:
    """``jupyter-book build`` in nit-picky mode; a warning is a failure."""
    jupyter_book = [sys.executable, "-c", "from jupyter_book.cli.main import main; main()"]
    command = [*jupyter_book, "build", str(staging), "-q", "-n", "-W", "--keep-going"]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
    if done.returncode:
        shutil.rmtree(staging / "_build")  # a cached page would not repeat its warning in the next build
        raise BookError(f"jupyter-book failed (exit code {done.returncode}):\n{done.stdout}")


def publish(html: Path, out: Path, *, downloads: Path | None = None) -> Path:
    """Copy the HTML, and what can be downloaded, beside ``out``, then swap."""
    out = out.resolve()
    new, old = out.with_name(out.name + ".new"), out.with_name(out.name + ".old")
    for folder in (new, old):
        shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(html, new)
    if downloads and downloads.is_dir():
        shutil.copytree(downloads, new / "downloads", ignore=shutil.ignore_patterns(".*"))
    if out.exists():
        out.rename(old)
    new.rename(out)
    shutil.rmtree(old, ignore_errors=True)
    return out / "index.html"


if __name__ == "__main__":
    sys.exit(main())
