"""Autograd's graph read as a graph: what lies between a model's images and its logits.

An edge is (node, number): the node that made a tensor, and which of the node's outputs the tensor is.
"""

from torch.autograd.graph import get_gradient_edge


def edge(tensor):
    """The edge of a tensor that takes gradients."""
    found = get_gradient_edge(tensor)
    return found.node, found.output_nr


def below(start, leads=lambda at: at[0].next_functions):
    """The edges that ``start`` hangs on, itself among them, each once.

    Args:
        start: an edge.
        leads: edge → the edges that it hangs on, () to go no further.
    """
    seen, waiting = {start}, [start]
    while waiting:
        for found in leads(waiting.pop()):
            if found[0] is not None and found not in seen:
                seen.add(found)
                waiting.append(found)
    return seen


def all_pass(start, through, end):
    """Whether every way from the edge ``start`` to the edge ``end`` leads through the edge ``through``."""
    return end not in below(start, lambda at: () if at == through else at[0].next_functions)


def operation(node):
    """What a node is the backward pass of, as autograd calls it: ``Add`` for ``AddBackward0``."""
    return node.name().rpartition("::")[2].partition("Backward")[0]
