"""Sphinx extension: refuse to build from the notebooks of the repository, which hold no outputs.

``make book`` stages executed notebooks under ``_build/`` and builds there; a build anywhere else would replace the
finished book by one without figures.
"""

import sys
from pathlib import Path


def setup(app):
    if Path(app.srcdir).parent.name != "_build":
        # Jupyter Book would put a traceback of its own below any other exception.
        sys.exit("the notebooks here hold no outputs; to execute them and build the book, run: make book")
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
