"""Boundary points, extreme directions, and what classes score along them."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy import linalg

from roa_helpers import geometry, models
from roa_helpers.errors import UserError
from roa_helpers.studies.curvature import directions


def test_boundary_points_lie_on_the_boundary(network, splits, plan):
    predicted = models.predict(network, splits.train.images).argmax(1)
    found = directions.boundary(network, splits.train.images, predicted, 3, 5, plan.choices, seed=0)
    scores = geometry.scores(network, found["points"])
    assert (found["pairs"][:, 0] == 3).all() and (scores.argmax(1) == 3).all()
    gap = scores[:, 3] - scores.gather(1, found["pairs"][:, 1:])[:, 0]
    assert (gap > 0).all() and (gap <= 1.1e-3).all()
    assert found["tried"] == 5 and len(found["norms"]) <= 5


@pytest.mark.parametrize("sign", [1, -1, 0])
def test_curvature_of_one_sign_has_no_extremes(sign):
    found = geometry.principal_curvatures(sign * torch.diag(torch.tensor([5.0, 4.0, 3.0]).double()))
    with pytest.raises(UserError, match="one sign alone"):
        directions.extremes(found, 2, seed=0)


def test_extremes_come_in_the_order_of_their_curvature():
    matrix = torch.diag(torch.tensor([5.0, -4.0, 3.0, -2.0, 0.1, 0.0]).double())
    found = directions.extremes(geometry.principal_curvatures(matrix), 2, seed=0)
    assert found["values_positive"].tolist() == [5, 3] and found["values_negative"].tolist() == [-4, -2]
    assert found["positive"].abs().argmax(0).tolist() == [0, 2]
    assert found["negative"].abs().argmax(0).tolist() == [1, 3]
    assert found["flat"].abs().argmax(0).tolist() == [5, 4]


def test_without_all_eigenvectors_flat_is_what_is_left():
    vectors = torch.eye(6).double()[:, :3]
    found = directions.extremes(geometry.Curvatures(torch.tensor([2.0, 0.0, -1.0]).double(), vectors), 4, seed=0)
    assert found["positive"].shape == (6, 1) and found["flat"].shape == (6, 4)
    assert float(found["flat"][[0, 2]].abs().max()) < 1e-6  # the middle one has no curvature, so it is flat, too


@pytest.fixture
def points(monkeypatch):
    """Boundary points whose Hessians are the pictures themselves, symmetrised: (N, 1, D, D)."""

    def put(matrices):
        found = {"points": matrices, "pairs": torch.zeros(len(matrices), 2, dtype=torch.int64), "norms": torch.ones(3)}

        def known(method, model, part, count, choices):
            assert len(part["points"]) == len(part["pairs"]) == count and part["norms"] is found["norms"]
            mean = part["points"][:, 0].mean(0)
            return geometry.principal_curvatures((mean + mean.T) / 2), {}

        monkeypatch.setattr(directions, "curvatures", known)
        return found

    return put


def test_halves_share_what_a_slow_twin_says(points, plan):
    matrices = torch.randn(11, 1, 6, 6, generator=torch.Generator().manual_seed(5)).double()
    choices = replace(plan.choices, energy=1)
    rows = directions.halves("differences", None, points(matrices), 9, choices, seed=3)
    assert [row["points"] for row in rows] == [1, 2, 4, 5]
    order = torch.randperm(11, generator=torch.Generator().manual_seed(3)).tolist()
    for row in rows:
        bases = []
        for start in (0, 5):
            total = np.zeros((6, 6))
            for i in order[start : start + row["points"]]:
                total += matrices[i, 0].numpy() / row["points"]
            vectors = np.linalg.eigh((total + total.T) / 2)[1]
            bases.append(vectors[:, [0, 5]])
        shared = np.mean(np.cos(linalg.subspace_angles(*bases)) ** 2)
        assert row["overlap"] == pytest.approx(shared, abs=1e-9)
        assert row["dimension"] == 2 and row["expected"] == pytest.approx(2 / 6)


def test_halves_of_equal_points_agree_and_of_one_sign_have_no_row(points, plan):
    choices = replace(plan.choices, energy=2)
    both = torch.diag(torch.tensor([5.0, 4.0, 0.1, -3.0, -2.0])).double().expand(4, 1, 5, 5)
    rows = directions.halves("differences", None, points(both), 2, choices, seed=0)
    assert [(row["points"], row["dimension"]) for row in rows] == [(1, 4), (2, 4)]
    assert [row["overlap"] for row in rows] == pytest.approx([1, 1])
    assert directions.halves("differences", None, points(both.abs()), 2, choices, seed=0) == []
    assert directions.halves("differences", None, points(both[:1]), 2, choices, seed=0) == []


def test_subspaces_of_all_classes():
    parts = [
        {kind: torch.linalg.qr(torch.randn(12, 2))[0] for kind in ("positive", "negative", "flat")} for _ in range(3)
    ]
    found = directions.spaces(parts, seed=0)
    assert found["positive"].counts == (0, 3, 6) and found["both"].counts == (0, 6, 12)
    assert found["random"].counts == (0, 3, 6, 9, 12)


def test_scores_along_a_direction_and_what_they_move(axes):
    x = torch.full((2, 1, 2, 2), 0.4)
    logits = directions.along(axes, x, torch.tensor([1.0, 0, 0, 0]), np.array([-1.0, 0.0, 1.0]))
    assert logits[0, :, 0].tolist() == pytest.approx([-0.6, 0.4, 1.4])
    table = directions.population(logits, torch.tensor([2, 2]), 0, np.array([-1.0, 0.0, 1.0]))
    assert table.moved.tolist() == [0, 0, 2] and (table.others == 2).all() and (table.own == 0).all()
    assert table.target_50.tolist() == pytest.approx([-0.6, 0.4, 1.4]) and table.other_50.tolist() == [0.5] * 3
