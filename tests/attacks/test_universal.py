"""Universal perturbations: their twin, exact values of a linear classifier, properties, bad input."""

import math

import pytest
import torch
import twins
from attacks.planes import WIDE, affine, middle
from hypothesis import given
from hypothesis import strategies as st
from twins import images

from roa_helpers import attacks


@pytest.mark.parametrize(("norm", "eps"), [("l2", 1.8), ("linf", 0.5)])
def test_universal_equals_its_twin(smooth, norm, eps):
    x, _ = images(8, 4, seed=2)
    options = WIDE | {"norm": norm, "eps": eps, "epochs": 3, "fraction": 0.8}
    found = attacks.universal(smooth, x, **options, clip=False, batch=1)
    v, counts = twins.universal(smooth, x, **options)
    assert [row["k"] for row in found.log] == counts and counts[-1] > 0
    assert torch.allclose(found.perturbation, v, rtol=0, atol=1e-9)


@given(
    seed=st.integers(0, 2**16),
    norm=st.sampled_from(["l2", "linf"]),
    eps=st.floats(0, 1),
    batch=st.integers(1, 9),
    clip=st.booleans(),
)
def test_the_log_says_what_the_perturbation_does(smooth, seed, norm, eps, batch, clip):
    x, _ = images(6, 4, seed=seed)
    found = attacks.universal(smooth, x, **WIDE | {"norm": norm, "eps": eps, "seed": seed}, batch=batch, clip=clip)
    v, last = found.perturbation, found.log[-1]
    moved = x + v
    moved = moved.clamp(0, 1) if clip else moved
    assert v.shape == x.shape[1:]
    assert last["n"] == 6 and last["k"] == int((smooth(moved).argmax(1) != smooth(x).argmax(1)).sum())
    assert math.isclose(last["l2"], v.norm()) and math.isclose(last["linf"], v.abs().max())
    assert last[norm] <= eps * (1 + 1e-12)
    assert [row["epoch"] for row in found.log] == list(range(1, len(found.log) + 1)) and len(found.log) <= 2
    assert len(found.log) == 2 or last["k"] == 6


def test_universal_stops_when_enough_are_fooled():
    """One plane, all images on one side: one step fools all, whatever the batch."""
    model, (x, _) = affine(2), middle(20)
    model.bias[0] += 50
    far = float((model(x)[:, 0] - model(x)[:, 1]).max() / (model.weight[0] - model.weight[1]).norm())
    options = WIDE | {"eps": 2 * far, "epochs": 5, "clip": False}
    for batch in (1, 7, 20):
        found = attacks.universal(model, x, **options, batch=batch)
        assert [(row["k"], row["n"]) for row in found.log] == [(20, 20)]
        assert far * (1 - 1e-9) <= found.perturbation.norm() <= 1.021 * far
    short = attacks.universal(model, x, **options | {"eps": 0.1 * far}, batch=7)
    assert [row["k"] for row in short.log] == [0] * 5
    assert attacks.universal(model, x, **options | {"eps": 0.1 * far, "fraction": 0.0}).log[1:] == ()


def test_universal_repeats_with_its_seed_and_differs_with_another(smooth):
    x, _ = images(8, 4, seed=2)
    first, again, other = (
        attacks.universal(smooth, x, **WIDE | {"seed": s, "eps": 0.4, "epochs": 1}, batch=1).perturbation
        for s in (5, 5, 6)
    )
    assert torch.equal(first, again) and not torch.equal(first, other)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"eps": -1.0}, "eps"),
        ({"eps": math.nan}, "eps"),
        ({"epochs": -1}, "epochs"),
        ({"fraction": 1.5}, "fraction"),
        ({"norm": 2}, "norm"),
    ],
)
def test_what_universal_cannot_use_is_refused(smooth, changes, said):
    with pytest.raises(ValueError, match=said):
        attacks.universal(smooth, images()[0], **WIDE | changes)
