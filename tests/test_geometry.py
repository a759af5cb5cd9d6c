"""Curvature and subspaces: quadratics with a known Hessian, slow twins, exact values, and what is refused."""

import copy

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from roa_helpers import geometry
from roa_helpers.models import small

SHAPE = (1, 2, 3)
SIZE = 6


class Quadratic(nn.Module):
    """Logits (½ xᵀ A x + bᵀ x, 0, 1): the Hessian of F₀ − F₁ is A, that of F₁ − F₂ zero."""

    def __init__(self, seed=0):
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        half = torch.randn(SIZE, SIZE, generator=generator, dtype=torch.float64)
        self.a = nn.Parameter(half + half.T)
        self.b = nn.Parameter(torch.randn(SIZE, generator=generator, dtype=torch.float64))

    def forward(self, x):
        v = x.flatten(1)
        first = 0.5 * ((v @ self.a) * v).sum(1) + v @ self.b
        return torch.stack([first, 0 * first, 0 * first + 1], 1)


class Linear(nn.Module):
    """Logits W x + b, for which the closed form of softmax scores is exact everywhere."""

    def __init__(self, classes=4, seed=1):
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        self.layer = nn.Linear(SIZE, classes).double()
        self.layer.weight.data = torch.randn(classes, SIZE, generator=generator, dtype=torch.float64)
        self.layer.bias.data.zero_()

    def forward(self, x):
        return self.layer(x.flatten(1))


def points(n=3, seed=2, shape=SHAPE):
    return torch.rand(n, *shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def hessian_twin(function, x, h=1e-4):
    """Second derivatives of a function of one vector, entry by entry, from four values each."""
    size = len(x)
    found = torch.zeros(size, size, dtype=torch.float64)
    for i in range(size):
        for j in range(size):
            for si in (1, -1):
                for sj in (1, -1):
                    moved = x.clone()
                    moved[i] += si * h
                    moved[j] += sj * h
                    found[i, j] += si * sj * function(moved) / (4 * h * h)
    return found


def gap(model, shape, pair, softmax=False):
    def function(v):
        z = model(v.reshape(1, *shape))[0].detach()
        z = z.softmax(0) if softmax else z
        return float(z[pair[0]] - z[pair[1]])

    return function


@pytest.mark.parametrize("step", [1e-3, 0.1, 2.0])
def test_a_quadratic_has_its_own_hessian_at_any_step(step):
    model = Quadratic()
    found = geometry.mean_hessian(model, points(), pair=(0, 1), step=step)
    torch.testing.assert_close(found.matrix, model.a.data, atol=1e-9, rtol=0)
    assert found.asymmetry < 1e-9 and found.single < 1e-9
    assert found.norm == pytest.approx(float(model.a.data.norm()))


def test_each_point_has_its_own_pair():
    model = Quadratic()
    pairs = torch.tensor([[0, 1], [1, 0], [1, 2], [0, 2]])
    found = geometry.mean_hessian(model, points(4), pair=pairs, step=0.1)
    torch.testing.assert_close(found.matrix, model.a.data / 4, atol=1e-9, rtol=0)


def test_many_vectors_in_batches_and_a_basis_of_ones_own(monkeypatch):
    model = Quadratic()
    whole = geometry.mean_hessian(model, points(), pair=(0, 1), step=0.1).matrix
    monkeypatch.setattr(geometry, "BATCH", 4)
    torch.testing.assert_close(geometry.mean_hessian(model, points(), pair=(0, 1), step=0.1).matrix, whole)
    basis = torch.linalg.qr(torch.randn(SIZE, 3, dtype=torch.float64))[0]
    inside = geometry.mean_hessian(model, points(), pair=(0, 1), step=0.1, basis=basis).matrix
    torch.testing.assert_close(inside, basis.T @ whole @ basis)


def test_differences_equal_the_slow_twin_on_a_smooth_network(smooth):
    x, pair = points(2, shape=(3, 3, 3)), (1, 3)
    for of in geometry.QUANTITIES:
        slow = sum(hessian_twin(gap(smooth, (3, 3, 3), pair, of == "softmax"), one.flatten()) for one in x) / 2
        found = geometry.mean_hessian(smooth, x, pair=pair, step=1e-4, of=of)
        torch.testing.assert_close(found.matrix, slow, atol=1e-5, rtol=0)
        assert found.asymmetry < 1e-5


def test_exact_products_are_columns_of_the_hessian_of_a_smooth_network(smooth):
    x, pair = points(2, shape=(3, 3, 3)), (0, 2)
    matrix = geometry.mean_hessian(smooth, x, pair=pair, step=1e-4).matrix
    for k in (0, 13):
        unit = torch.eye(27, dtype=torch.float64)[k]
        torch.testing.assert_close(geometry.exact_product(smooth, x, unit, pair=pair), matrix[:, k], atol=1e-6, rtol=0)


def kinked():
    mean = torch.full((1, 8, 8), 0.5)
    return small.lenet(3, mean=mean, width=0.3, seed=3).eval().double()


def test_the_exact_hessian_of_a_piecewise_linear_network_is_zero_and_differences_are_not():
    model, x = kinked(), points(2, shape=(1, 8, 8))
    vector = torch.randn(64, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    assert torch.count_nonzero(geometry.exact_product(model, x, vector, pair=(0, 1))) == 0
    found = geometry.mean_hessian(model, x, pair=(0, 1), step=0.3)
    assert found.norm > 1e-2 and found.asymmetry > 0.05


def test_differences_of_a_smooth_twin_are_its_exact_hessian():
    twin, x = small.smooth_twin(kinked(), sharpness=4.0), points(2, shape=(1, 8, 8))
    found = geometry.mean_hessian(twin, x, pair=(0, 1), step=1e-4)
    exact = torch.stack(
        [geometry.exact_product(twin, x, v, pair=(0, 1)) for v in torch.eye(64, dtype=torch.float64)], 1
    )
    assert float((found.matrix - exact).norm() / exact.norm()) < 1e-4
    assert found.asymmetry < 1e-5


def test_the_closed_form_is_the_hessian_of_softmax_scores_of_a_linear_model():
    model, x, pair = Linear(), points(3), (2, 0)
    slow = sum(hessian_twin(gap(model, SHAPE, pair, True), one.flatten()) for one in x) / 3
    found = geometry.softmax_curvatures(model, x, pair=pair)
    torch.testing.assert_close((found.vectors * found.values) @ found.vectors.T, slow, atol=1e-6, rtol=0)


def test_the_closed_form_is_the_same_from_few_rows_and_from_the_whole_matrix(monkeypatch):
    model, x = kinked(), points(5, shape=(1, 8, 8))
    few = geometry.softmax_curvatures(model, x, pair=(0, 1))
    assert few.vectors.shape == (64, 15)
    rows, inner = geometry.jacobian(model, x), geometry.softmax_curvature(model(x).detach().softmax(1), (0, 1))
    whole = torch.einsum("nkd,nkl,nle->de", rows, inner, rows) / 5
    again = (few.vectors * few.values) @ few.vectors.T
    assert float((again - whole).norm() / whole.norm()) < 1e-10
    monkeypatch.setattr(geometry, "jacobian", lambda *_: rows[:, :, :12])
    assert geometry.softmax_curvatures(model, x, pair=(0, 1)).vectors.shape == (12, 12)


def test_on_the_boundary_an_image_has_one_positive_and_one_negative_curvature():
    p = torch.tensor([[0.4, 0.4, 0.15, 0.05]], dtype=torch.float64)
    values = torch.linalg.eigvalsh(geometry.softmax_curvature(p, (0, 1))[0])
    assert (values > 1e-12).sum() == 1 and (values < -1e-12).sum() == 1


def test_second_derivatives_of_two_probabilities_by_hand():
    p = torch.tensor([[0.5, 0.5]], dtype=torch.float64)
    assert torch.allclose(geometry.softmax_curvature(p, (0, 1)), torch.zeros(1, 2, 2, dtype=torch.float64))
    p = torch.tensor([[0.8, 0.2]], dtype=torch.float64)  # p₀ − p₁ = tanh(t / 2), its second derivative −.6 · .32
    assert torch.allclose(
        geometry.softmax_curvature(p, (0, 1))[0], -0.192 * torch.tensor([[1.0, -1.0], [-1.0, 1.0]]).double()
    )


def test_lanczos_finds_the_ends_of_the_spectrum():
    half = torch.randn(40, 40, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    matrix = half + half.T
    dense = geometry.principal_curvatures(matrix)
    found = geometry.extreme_curvatures(lambda v: matrix @ v, 40, count=3)
    torch.testing.assert_close(found.values, torch.cat([dense.values[:3], dense.values[-3:]]), rtol=1e-6, atol=0)
    torch.testing.assert_close(
        (found.vectors * dense.vectors[:, [0, 1, 2, 37, 38, 39]]).sum(0).abs(), torch.ones(6).double()
    )


def test_lanczos_refuses_what_is_not_symmetric():
    half = torch.randn(40, 40, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    with pytest.raises(ValueError, match="symmetric operator"):
        geometry.extreme_curvatures(lambda v: half @ v, 40, count=3)


def test_principal_curvatures_are_sorted_and_reconstruct():
    matrix = torch.diag(torch.tensor([3.0, -5.0, 0.5]).double())
    found = geometry.principal_curvatures(matrix)
    assert found.values.tolist() == [3.0, 0.5, -5.0]
    assert torch.equal(found.vectors.abs().argmax(0), torch.tensor([0, 2, 1]))


@pytest.mark.parametrize("matrix", [torch.zeros(2, 3), torch.tensor([[0.0, 1.0], [0.0, 0.0]])])
def test_principal_curvatures_of_something_else(matrix):
    with pytest.raises(ValueError, match="matrix is needed"):
        geometry.principal_curvatures(matrix)


def test_asymmetry_by_hand():
    assert geometry.asymmetry(torch.eye(3)) == 0
    assert geometry.asymmetry(torch.tensor([[0.0, 1.0], [-1.0, 0.0]])) == 1
    assert geometry.asymmetry(torch.tensor([[0.0, 1.0], [0.0, 0.0]])) == pytest.approx(0.5**0.5)
    assert geometry.asymmetry(torch.zeros(2, 2)) == 0


@given(seed=st.integers(0, 1000), columns=st.integers(1, 5))
def test_projection_is_the_nearest_point_and_stays_put(seed, columns):
    generator = torch.Generator().manual_seed(seed)
    basis = torch.linalg.qr(torch.randn(SIZE, columns, generator=generator, dtype=torch.float64))[0]
    x = torch.randn(3, *SHAPE, generator=generator, dtype=torch.float64)
    once = geometry.project(x, basis)
    torch.testing.assert_close(geometry.project(once, basis), once)
    assert float(((x - once).flatten(1) @ basis).abs().max()) < 1e-10
    kept = geometry.retained(x, basis)
    torch.testing.assert_close(kept[:, -1], once.flatten(1).norm(dim=1) / x.flatten(1).norm(dim=1))
    assert (kept.diff(dim=1) >= -1e-12).all() and (kept[:, 0] == 0).all()


def test_projection_wants_a_basis_of_the_right_height():
    with pytest.raises(ValueError, match=r"basis must be \(6, d\)"):
        geometry.project(points(), torch.eye(5))


def test_nested_subspaces_hold_the_directions_of_each_rank():
    directions = torch.randn(2, 5, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    found = geometry.nested(directions)
    assert found.counts == (0, 2, 4)
    for d in (1, 2):
        for c in range(2):
            own = directions[c, :, :d].T
            torch.testing.assert_close(geometry.project(own, found.at(d)), own)
    torch.testing.assert_close(found.basis.T @ found.basis, torch.eye(4, dtype=torch.float64))


def test_nested_subspaces_drop_what_they_already_hold_and_end_with_the_space():
    first = torch.eye(3).double()[:, [0, 1]]
    found = geometry.nested(torch.stack([first, first, torch.eye(3).double()[:, [1, 2]]]))
    assert found.counts == (0, 2, 3)
    many = geometry.nested(torch.randn(4, 3, 2, dtype=torch.float64))
    assert many.counts == (0, 3, 3) and many.basis.shape == (3, 3)


def test_singular_vectors_of_known_perturbations():
    steps = torch.tensor([[3.0, 0, 0], [0, 0, 1.0]]).reshape(2, 1, 1, 3)
    values, basis = geometry.svd_basis(steps)
    assert values.tolist() == [3, 1] and basis.shape == (3, 2)
    assert basis[:, 0].abs().tolist() == [1, 0, 0]
    values, basis = geometry.svd_basis(steps, complete=True)
    assert values.tolist() == [3, 1, 0]
    torch.testing.assert_close(basis.T @ basis, torch.eye(3))


def test_overlap_by_hand():
    axes = torch.eye(4)
    assert geometry.overlap(axes[:, :2], axes[:, 1:3]) == 0.5
    assert geometry.overlap(axes[:, :1], axes[:, :3]) == 1


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"step": 0}, "step must be"),
        ({"step": float("nan")}, "step must be"),
        ({"pair": (0, 1, 2)}, "pair must be"),
        ({"of": "odds"}, "of is one of"),
        ({"x": points()[0]}, "points must be"),
    ],
)
def test_what_a_hessian_refuses(change, words):
    options = {"x": points(), "pair": (0, 1), "step": 0.1} | change
    with pytest.raises(ValueError, match=words):
        geometry.mean_hessian(Quadratic(), options.pop("x"), **options)


def test_the_model_is_left_as_it_was():
    model = kinked().train()
    before = copy.deepcopy(model.state_dict())
    geometry.mean_hessian(model, points(1, shape=(1, 8, 8)), pair=(0, 1), step=0.1)
    geometry.softmax_curvatures(model, points(1, shape=(1, 8, 8)), pair=(0, 1))
    geometry.scores(model, points(1, shape=(1, 8, 8)))
    assert model.training and all(p.requires_grad and p.grad is None for p in model.parameters())
    assert all(torch.equal(v, before[k]) for k, v in model.state_dict().items())


def test_scores_take_points_off_the_range_and_want_logits():
    x = 5 * points() - 2
    torch.testing.assert_close(geometry.scores(Linear(), x), Linear()(x).detach())
    with pytest.raises(ValueError, match="softmax"):
        geometry.scores(nn.Sequential(Linear(), nn.Softmax(1)), x)
    assert np.isfinite(geometry.scores(Quadratic(), x).numpy()).all()


def test_points_and_networks_of_different_precision_and_models_that_work_in_place():
    class InPlace(nn.Module):
        def __init__(self, network):
            super().__init__()
            self.network = network

        def forward(self, x):
            x *= 3
            return self.network(x)

    model, x = Quadratic(), points()
    before = x.clone()
    found = geometry.mean_hessian(InPlace(model), x, pair=(0, 1), step=0.1)
    torch.testing.assert_close(found.matrix, 9 * model.a.data, atol=1e-9, rtol=0)
    unit = torch.eye(SIZE, dtype=torch.float64)[1]
    product = geometry.exact_product(InPlace(model), x, unit, pair=(0, 1))
    torch.testing.assert_close(product, 9 * model.a.data[:, 1], atol=1e-9, rtol=0)
    rows = geometry.jacobian(InPlace(Linear()), x)
    torch.testing.assert_close(rows, 3 * Linear().layer.weight.detach().expand(3, -1, -1))
    assert torch.equal(x, before)
    single = geometry.scores(Linear().float(), x)
    assert single.dtype == torch.float32 and torch.equal(single, Linear().float()(x.float()))
