"""What all benchmarks share: whole numbers from the command line, versions of libraries, a table printed and kept."""

import argparse
from importlib import metadata

import pandas as pd
import torch

from roa_helpers import models


def arguments(about, **numbers):
    """The options of a benchmark.

    Args:
        about: its docstring.
        numbers: by name: (default, least value, what it is).
    """
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, (default, _, what) in numbers.items():
        parser.add_argument(f"--{name}", type=int, default=default, help=f"{what} ({default})")
    parser.add_argument("--out", help="write the table to this CSV file, too")
    options = parser.parse_args()
    for name, (_, least, _) in numbers.items():
        if getattr(options, name) < least:
            parser.error(f"--{name} must be at least {least}")
    return options


def version(library):
    """The installed version of a library; "" where there is none."""
    try:
        return metadata.version(library)
    except metadata.PackageNotFoundError:
        return ""


def report(table, remark, *, out=None):
    """Print a table (DataFrame) with what it was measured on, and write it to ``out``."""
    with pd.option_context("display.max_columns", None, "display.width", 200, "display.precision", 3):
        print(table.to_string(index=False, na_rep=""))
    print(f"\n{remark}\n{models.device()}, torch {torch.__version__}, {torch.get_num_threads()} threads")
    if out:
        table.to_csv(out, index=False)
