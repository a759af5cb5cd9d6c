"""Execute one notebook with papermill, in this Python, from the repository's root.

    python workflow/run_notebook.py notebooks/04_overlap.ipynb _build/executed/quick/04_overlap.ipynb \\
        --profile quick --seed 0 --log _build/logs/quick/04_overlap.log

The output appears whole or not at all. A notebook that fails names its cell; the notebook as far as it came stays
beside the log as ``<name>.failed.ipynb``. Parameters that the notebook does not have are refused.
"""

import contextlib
import logging
import os
import re
import shutil
import signal
import sys
import tempfile
from pathlib import Path

import papermill
from ipykernel.kernelspec import write_kernel_spec
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from papermill.exceptions import PapermillExecutionError

from roa_helpers import studies
from roa_helpers.__main__ import Parser, seed
from roa_helpers.errors import UserError
from roa_helpers.page import widgets

ROOT = Path(__file__).resolve().parent.parent
#: Seconds that the outputs of a cell may take to arrive after it has ended; nbclient's own 4 fail on a busy machine.
SILENT = 120


def main(argv=None):
    parser = Parser(description=__doc__.splitlines()[0], allow_abbrev=False)
    parser.add_argument("notebook", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--profile", required=True)
    parser.add_argument("--seed", type=seed)
    parser.add_argument("-p", nargs=2, action="append", default=[], metavar=("NAME", "VALUE"), help="other parameters")
    parser.add_argument("--log", type=Path, required=True, help="everything that is printed meanwhile goes there")
    args = parser.parse_args(argv)
    parameters = {"profile": args.profile, "seed": args.seed} | dict(args.p)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # leaves the kernel stopped and no temporary files
    try:
        args.log.parent.mkdir(parents=True, exist_ok=True)
        studies.profile(args.profile)
        with args.log.open("w") as log, _output_to(log):
            execute(args.notebook, args.out, parameters=parameters, log=args.log)
    except UserError as error:
        with args.log.open("a") as log:
            print(f"\n{error}", file=log)
        print(error, file=sys.stderr)
        return 1
    except OSError as error:
        print(f"cannot write {error.filename or error}: {error.strerror}", file=sys.stderr)
        return 2
    return 0


def execute(notebook, out, *, parameters, log):
    """Run ``notebook`` and put the result at ``out``.

    Raises:
        UserError: no such notebook, none that can be read, a parameter it does not have, or a cell that failed.
    """
    if not notebook.is_file():
        raise UserError(f"no notebook at {notebook}")
    check_parameters(notebook, parameters)
    kept = log.with_name(f"{notebook.stem}.failed.ipynb")
    kept.unlink(missing_ok=True)
    out.parent.mkdir(parents=True, exist_ok=True)
    for stale in out.parent.glob(f".{notebook.stem}.*"):  # of a run that was killed
        shutil.rmtree(stale)
    with tempfile.TemporaryDirectory(prefix=f".{notebook.stem}.", dir=out.parent) as folder, own_kernel():
        partial = Path(folder) / out.name
        try:
            papermill.execute_notebook(
                notebook, partial, parameters, kernel_name="python3", cwd=ROOT, progress_bar=False, log_output=True,
                iopub_timeout=SILENT,
            )  # fmt: skip
        except (PapermillExecutionError, DeadKernelError, CellTimeoutError) as error:
            os.replace(partial, kept)
            raise UserError(f"notebook {notebook.stem} failed {_where(error)}\n  as far as it came: {kept}") from error
        os.replace(partial, out)


def check_parameters(notebook, parameters):
    """Refuse parameters that the notebook's parameters cell does not set; papermill would only warn.

    Raises:
        UserError: such a parameter, or a file that is no notebook.
    """
    try:
        known = papermill.inspect_notebook(notebook)
    except Exception as error:  # whatever a file that is none raises in nbformat
        raise UserError(f"{notebook} cannot be read as a notebook: {error}") from error
    unknown = ", ".join(sorted(set(parameters) - set(known)))
    if unknown:
        raise UserError(f"notebook {notebook.stem} has no parameter {unknown}\n  it has: {', '.join(known) or 'none'}")


@contextlib.contextmanager
def own_kernel():
    """The kernel ``python3`` is this Python, whatever kernels, IPython profiles and start-up files the user has."""
    with tempfile.TemporaryDirectory(prefix="roa-kernel-") as folder:
        write_kernel_spec(os.path.join(folder, "kernels", "python3"))
        os.environ |= {"JUPYTER_PATH": folder, "JUPYTER_RUNTIME_DIR": folder, "IPYTHONDIR": folder, widgets.STILL: "1"}
        yield


@contextlib.contextmanager
def _output_to(log):
    """Send this process's and the kernel's output, and what cells print, to ``log``."""
    logging.basicConfig(stream=log, level=logging.INFO, format="%(message)s")
    kept = [os.dup(1), os.dup(2)]
    try:
        for stream in (1, 2):
            os.dup2(log.fileno(), stream)
        yield
    finally:
        for stream, copy in enumerate(kept, start=1):
            os.dup2(copy, stream)


def _where(error):
    """Which cell failed, at which line, and why."""
    if isinstance(error, CellTimeoutError):
        return f"because its kernel was silent for {SILENT} s after a cell had ended (a busy machine?)"
    if isinstance(error, DeadKernelError):
        return "because its kernel died (out of memory?)"
    trace = re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(error.traceback))
    print(trace, file=sys.stderr)
    line = re.search(r"^-+> *\d+ (.*)$", trace, re.MULTILINE)
    line = line[1] if line else error.source.strip().partition("\n")[0]
    return f"in cell [{error.exec_count}]: {line.strip()}\n  {error.ename}: {error.evalue}"


if __name__ == "__main__":
    sys.exit(main())
