"""What subspaces hold, and what compression does: by hand, and on the tiny network."""

import numpy as np
import pytest
import torch

from roa_helpers import attacks
from roa_helpers.models import small
from roa_helpers.studies.curvature import compute, subspaces


def test_accuracy_inside_a_subspace_by_hand(axes):
    x = torch.tensor([[0.9, 0.1, 0.3, 0.3], [0.6, 0.8, 0.3, 0.3]]).reshape(2, 1, 2, 2)
    hits = subspaces.hits_inside(axes, x, torch.tensor([0, 1]), torch.eye(4), [0, 1, 2])
    # at the mean all scores are equal and class 0 wins the tie; with the first axis alone class 0 wins twice
    assert hits.tolist() == [[True, True, True], [False, False, True]]


def test_energy_sums_to_one_and_is_even_for_a_whole_basis():
    basis = torch.linalg.qr(torch.randn(12, 5))[0]
    assert float(subspaces.energy(basis, (3, 2, 2)).sum()) == pytest.approx(1, abs=1e-6)
    whole = subspaces.energy(torch.linalg.qr(torch.randn(12, 12))[0], (3, 2, 2))
    torch.testing.assert_close(whole, torch.full((2, 2), 0.25).double(), atol=1e-6, rtol=0)


def test_places_are_whole_increasing_and_end_where_they_should():
    assert subspaces.places(100, 3) == [0, 1, 10, 100]
    assert subspaces.places(2, 9) == [0, 1, 2]


def test_areas_and_correlations_of_known_curves():
    early, middle, late = (np.array([[0, *row]] * 6, dtype=bool) for row in ((1, 1, 1), (0, 1, 1), (0, 0, 1)))
    kept = {"early": [0, 0.8, 0.9, 1], "late": [0, 0.1, 0.2, 1], "middle": [0, 0.4, 0.5, 1]}
    kept = {name: np.tile(values, (6, 1)) for name, values in kept.items()}
    counts = [0, 2, 8, 32]
    raw = {
        "positive": (counts, early, kept["early"]), "negative": (counts, early, kept["early"]),
        "both": (counts, early, kept["early"]), "flat": (counts, late, kept["late"]),
        "random": (counts, middle, kept["middle"]),
    }  # fmt: skip
    found = subspaces.coupling(raw)
    assert found["curved_flat"] == pytest.approx((6 + 24 / 2) / 30, abs=0.01) and found["positive_negative"] == 0
    assert found["curved_random"] == pytest.approx(6 / 2 / 30, abs=0.01) and found["curved_flat_range"] == [2, 32]
    assert found["beyond_dimension"] > 0.8 and found["correlation"] > 0.5 and found["images"] == 6
    assert found["curved_flat_interval"] == pytest.approx([found["curved_flat"]] * 2)
    with pytest.raises(ValueError, match="no range of dimensions: 32 to 32"):
        subspaces.coupling(raw | {"flat": ([0, 32], late[:, :2], kept["late"][:, :2])})


def test_the_bare_network_is_the_first_row_of_table_one(unit, network, splits):
    counts, norms = unit.table("compression"), unit.table("compressed")
    whole = counts[counts.side == 8]
    assert (whole[whole.measured != "accuracy"].k == whole[whole.measured != "accuracy"].n).all()
    first = norms[norms.side == 8].iloc[0]
    assert first.ratio == pytest.approx(1) and first.loss == 0
    assert list(norms.side) == sorted(set(norms.side), reverse=True)
    aware = counts[counts.measured == "aware"].pivot(index="side", columns="f", values="k")
    assert (aware.diff(axis=1).iloc[:, 1:] >= 0).all(axis=None)


def test_an_image_counts_as_fooled_where_the_prediction_behind_the_unit_changes(network, splits, plan):
    x, labels = compute.sample(splits.test, 10, seed=0)
    found = attacks.deepfool(network, x, steps=30, overshoot=0.02, clip=False)
    counts, _ = subspaces.table_one(network, x, labels, found, plan.choices)
    behind = small.Resampled(network, 5)
    done = found.success
    moved = x[done] + 3 * (found.x_adv - x)[done]
    expected = (behind(moved).argmax(1) != behind(x[done]).argmax(1)).sum()
    row = counts[(counts.side == 5) & (counts.measured == "unaware") & (counts.f == 3)].iloc[0]
    assert row.k == int(expected) and row.n == int(done.sum())
