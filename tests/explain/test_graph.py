"""Autograd's graph read as a graph."""

import torch

from roa_helpers.explain import graph


def edges(*tensors):
    return [graph.edge(tensor) for tensor in tensors]


def test_all_passes_through_what_cannot_be_gone_round():
    x = torch.rand(2, 4, requires_grad=True)
    y = x.exp()
    left, right = y.sin(), y.cos()
    joined = torch.cat([left, right], 1)
    z = (joined * joined).sum()
    end, *inner, start = edges(x, y, left, right, joined, z)
    assert [graph.all_pass(start, one, end) for one in inner] == [True, False, False, True]


def test_a_constant_beside_is_no_way_round():
    x, other = torch.rand(3, requires_grad=True), torch.rand(3, requires_grad=True)
    y = x.exp()
    assert graph.all_pass(*edges((y * other).sum(), y, x))
    assert not graph.all_pass(*edges((y * other * x).sum(), y, x))


def test_one_output_of_a_node_is_not_the_other():
    x = torch.rand(2, 4, requires_grad=True)
    left, right = x.exp().chunk(2, 1)
    assert not graph.all_pass(*edges((left + right).sum(), left, x))
    assert graph.all_pass(*edges((left * 2).sum(), left, x))


def test_what_works_in_place_is_on_the_way():
    x = torch.rand(2, 4, requires_grad=True)
    y = x.exp()
    before = graph.edge(y)
    y.mul_(2)
    assert graph.edge(y) != before
    assert graph.all_pass(graph.edge(y.sum()), before, graph.edge(x))


def test_operations_have_their_names():
    class Twice(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return 2 * x

        @staticmethod
        def backward(ctx, signal):
            return 2 * signal

    x = torch.rand(2, 4, requires_grad=True)
    found = graph.below(graph.edge(Twice.apply(x.relu() + 1).mean()))
    assert {graph.operation(node) for node, _ in found} == {"Mean", "Twice", "Add", "Relu", "AccumulateGrad"}
