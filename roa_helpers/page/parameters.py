"""The parameters of a page: papermill only warns of one that a notebook does not have, and runs it without."""

import ast

from ..errors import UserError

#: How the cell begins that papermill puts behind the one that sets the defaults.
INJECTED = "# Parameters\n"


def check(namespace):
    """Refuse parameters that the notebook does not have.

    Args:
        namespace: the notebook's ``globals()``. Where papermill ran no cell of its own, nothing is checked.

    Raises:
        UserError: names that the cell of parameters does not set; the message lists those it sets.
    """
    cells = namespace.get("In", ())
    for before, cell in zip(cells, cells[1:], strict=False):
        if cell.startswith(INJECTED):
            known = _assigned(before)
            unknown = [name for name in _assigned(cell) if name not in known]
            if unknown:
                have = ", ".join(known) or "none"
                raise UserError(f"this notebook has no parameter {', '.join(unknown)}\n  it has: {have}")


def _assigned(source):
    """The names that a cell sets, in their order."""
    names = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Name))
    return [name.id for name in names if isinstance(name.ctx, ast.Store)]
