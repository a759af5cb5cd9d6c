"""What can be taken along: the built book as one PDF and as a zip of its pages, the recorded results as an archive.

    python workflow/downloads.py

They lie in ``_build/downloads/``; the next ``make book`` puts them beside its pages and links to them.
"""

import sys

import archive
import pdf

from roa_helpers import scratch

PAGES = pdf.OUT.with_name("book.zip")


def main():
    return pdf.main([]) or archive.main([]) or pages()


def pages():
    """Zip the built book, without what can be downloaded from it."""
    try:
        PAGES.parent.mkdir(parents=True, exist_ok=True)
        with scratch.building(PAGES) as new:
            archive.zipped(pdf.HTML, new, without=("downloads",))
            new.replace(PAGES)
    except OSError as error:
        print(f"cannot write {error.filename or error}: {error.strerror}", file=sys.stderr)
        return 2
    print(PAGES)
    return 0


if __name__ == "__main__":
    sys.exit(main())
