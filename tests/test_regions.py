from dataclasses import astuple

import pytest
import torch
import twins
from hypothesis import given
from hypothesis import strategies as st

from roa_helpers import regions

seeds = st.integers(0, 2**16)
shares = st.floats(0, 1)


def drawn(*shape, seed=0):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def same(values, twin):
    return torch.allclose(values, torch.tensor(twin, dtype=values.dtype), rtol=0, atol=1e-12)


def attacked(x, *, eps=0.1, seed=1):
    """FGSM's kind of perturbation: each channel moves by ±eps or stays, then clipping."""
    sign = torch.randint(-1, 2, x.shape, generator=torch.Generator().manual_seed(seed))
    return (x + eps * sign).clamp(0, 1)


# Twins


def test_importance_equals_its_twin():
    cam = drawn(3, 4, 5) * torch.tensor([7.0, 1e-3, 0.0])[:, None, None]
    for k in range(3):
        assert same(regions.importance(cam)[k], twins.importance(cam[k]))


def test_attack_magnitude_equals_its_twin():
    x = drawn(3, 3, 4, 5)
    x_adv = torch.stack([attacked(x[0]), drawn(3, 4, 5, seed=2), x[2]])
    for k in range(3):
        assert same(regions.attack_magnitude(x, x_adv)[k], twins.attack_magnitude(x[k], x_adv[k]))


def test_isolate_equals_its_twin():
    roi, roa = drawn(3, 4, 5) < 0.5, drawn(3, 4, 5, seed=1) < 0.5
    parts = regions.isolate(roi, roa)
    for k in range(3):
        names = twins.isolate(roi[k], roa[k])
        for name in ("uv", "u_not_v", "not_u_v", "not_u_not_v"):
            assert getattr(parts, name)[k].tolist() == [[n == name for n in row] for row in names]


def test_representative_equals_its_twin():
    maps = drawn(7, 4, 5) < 0.4
    result = regions.representative(maps)
    assert result.dtype == torch.float32
    assert torch.equal(result, torch.tensor(twins.representative(maps)))
    graded = drawn(7, 4, 5)
    assert torch.equal(regions.representative(graded), torch.tensor(twins.representative(graded)))


@pytest.mark.parametrize("theta", [0.1, 0.3, 3 / 7, 0.7, 1.0])
def test_blob_equals_its_twin(theta):
    for n in (7, 10, 49):
        maps = drawn(n, 4, 5) < drawn(4, 5, seed=1)
        assert regions.blob(maps, theta).tolist() == twins.blob(maps, theta)


def test_neutralise_equals_its_twin():
    x, blob = drawn(3, 3, 4, 5), drawn(4, 5, seed=1) < 0.4
    for value in (0, 0.5, 1.0):
        for k in range(3):
            assert torch.equal(regions.neutralise(x, blob, value)[k], twins.neutralise(x[k], blob, value))


# Exact values

YES, NO = True, False


def test_importance_by_hand():
    cam = torch.tensor([[[0.0, 2.0], [1.0, 4.0]], [[0.0, 0.0], [0.0, 0.0]]])
    assert regions.importance(cam).tolist() == [[[0.0, 0.5], [0.25, 1.0]], [[0.0, 0.0], [0.0, 0.0]]]


def test_region_of_importance_by_hand():
    cam = torch.tensor([[[0.0, 2.0], [1.0, 4.0]]])
    assert regions.region_of_importance(cam, 0.5).tolist() == [[[NO, YES], [NO, YES]]]
    assert regions.region_of_importance(cam, 0.0).all()
    assert regions.region_of_importance(torch.zeros(1, 2, 2), 0.1).sum() == 0


def test_attack_magnitude_by_hand():
    """Four channels, of which 0, 1, 2 and 4 move by 1/4: √(0, 1/4, 1/2, 1)."""
    moved = torch.tensor([[0, 1, 1, 1], [0, 0, 1, 1], [0, 0, 0, 1], [0, 0, 0, 1]]).view(1, 4, 2, 2)
    x = torch.full((1, 4, 2, 2), 0.5)
    expected = torch.tensor([[[0.0, 0.25**0.5], [0.5**0.5, 1.0]]])
    assert torch.allclose(regions.attack_magnitude(x, x + 0.25 * moved), expected)
    assert torch.allclose(regions.attack_magnitude(x, x - 0.5 * moved), expected)
    assert regions.region_of_attack(x, x + 0.25 * moved, 0.6).tolist() == [[[NO, NO], [YES, YES]]]


def test_clipping_shortens_the_magnitude():
    x = torch.tensor([[[[0.0, 0.9375]]]])
    assert regions.attack_magnitude(x, (x + 0.25).clamp(max=1)).tolist() == [[[1.0, 0.25]]]


def test_an_image_that_did_not_move_has_magnitude_zero_beside_one_that_did():
    x = torch.full((2, 1, 2, 2), 0.5)
    x_adv = x.clone()
    x_adv[1, 0, 0, 1] = 0.75
    assert regions.attack_magnitude(x, x_adv).tolist() == [[[0.0, 0.0], [0.0, 0.0]], [[0.0, 1.0], [0.0, 0.0]]]


def test_gradient_magnitude_by_hand():
    gradient = torch.tensor([[[[3.0, 0.0], [0.0, 6.0]], [[-4.0, 0.0], [5.0, 8.0]]]])
    assert torch.allclose(regions.gradient_magnitude(gradient), torch.tensor([[[0.5, 0.0], [0.5, 1.0]]]))
    assert torch.equal(regions.gradient_magnitude(torch.zeros(1, 2, 2, 2)), torch.zeros(1, 2, 2))


def test_isolate_by_hand():
    roi, roa = torch.tensor([[[YES, YES], [NO, NO]]]), torch.tensor([[[YES, NO], [YES, NO]]])
    parts = regions.isolate(roi, roa)
    assert parts.uv.tolist() == [[[YES, NO], [NO, NO]]]
    assert parts.u_not_v.tolist() == [[[NO, YES], [NO, NO]]]
    assert parts.not_u_v.tolist() == [[[NO, NO], [YES, NO]]]
    assert parts.not_u_not_v.tolist() == [[[NO, NO], [NO, YES]]]


def test_representative_and_blob_by_hand():
    maps = torch.tensor([[[YES, YES], [NO, NO]], [[YES, NO], [NO, NO]], [[YES, NO], [YES, NO]], [[YES, NO], [YES, NO]]])
    assert regions.representative(maps).tolist() == [[1.0, 0.25], [0.5, 0.0]]
    assert regions.blob(maps, 0.25).tolist() == [[YES, YES], [YES, NO]]
    assert regions.blob(maps, 0.26).tolist() == [[YES, NO], [YES, NO]]
    assert regions.blob(maps, 1.0).tolist() == [[YES, NO], [NO, NO]]


@pytest.mark.parametrize("n", [3, 10, 49, 100])
def test_a_share_of_exactly_theta_is_in_the_blob(n):
    for k in range(1, n + 1):
        maps = torch.zeros(n, 1, 1, dtype=torch.bool)
        maps[:k] = True
        assert regions.blob(maps, k / n).item()


def test_neutralise_by_hand():
    x = torch.full((1, 2, 2, 2), 0.5)
    blob = torch.tensor([[YES, NO], [NO, NO]])
    assert regions.neutralise(x, blob, 1).tolist() == [[[[1.0, 0.5], [0.5, 0.5]]] * 2]


# Properties


@given(seed=seeds, delta1=shares, delta2=shares)
def test_four_regions_partition_the_image(seed, delta1, delta2):
    x = drawn(2, 3, 4, 5, seed=seed)
    roi = regions.region_of_importance(drawn(2, 4, 5, seed=seed + 1), delta1)
    roa = regions.region_of_attack(x, attacked(x, seed=seed), delta2)
    parts = torch.stack(astuple(regions.isolate(roi, roa)))
    assert (parts.sum(0) == 1).all()
    assert torch.equal(parts[0] | parts[1], roi) and torch.equal(parts[0] | parts[2], roa)


@given(seed=seeds, n=st.integers(1, 12), theta=st.lists(st.floats(1e-3, 1), min_size=2, max_size=2))
def test_blob_shrinks_as_theta_grows(seed, n, theta):
    maps = drawn(n, 4, 5, seed=seed) < 0.5
    small, large = sorted(theta)
    assert not (regions.blob(maps, large) & ~regions.blob(maps, small)).any()


@given(seed=seeds, delta=st.lists(shares, min_size=2, max_size=2))
def test_a_region_shrinks_as_its_threshold_grows(seed, delta):
    cam = drawn(2, 4, 5, seed=seed)
    small, large = sorted(delta)
    assert not (regions.region_of_importance(cam, large) & ~regions.region_of_importance(cam, small)).any()


@given(seed=seeds, value=shares, share=shares)
def test_neutralise_is_idempotent_and_equal_outside_the_blob(seed, value, share):
    x, blob = drawn(2, 3, 4, 5, seed=seed), drawn(4, 5, seed=seed + 1) < share
    once = regions.neutralise(x, blob, value)
    assert torch.equal(regions.neutralise(once, blob, value), once)
    assert torch.equal(once[..., ~blob], x[..., ~blob]) and (once[..., blob] == value).all()


@given(seed=seeds, scale=st.floats(1e-6, 1e6))
def test_importance_ignores_the_scale_and_reaches_one(seed, scale):
    cam = drawn(2, 4, 5, seed=seed)
    result = regions.importance(cam * scale)
    assert torch.allclose(result, regions.importance(cam), rtol=0, atol=1e-12)
    assert (result.amax((1, 2)) == 1).all() and (result >= 0).all()


@given(seed=seeds, eps=st.floats(1e-3, 1))
def test_attack_magnitude_is_a_share_whatever_eps(seed, eps):
    x = 0.5 * drawn(2, 3, 4, 5, seed=seed) + 0.25
    m = regions.attack_magnitude(x, attacked(x, eps=eps, seed=seed))
    assert ((m >= 0) & (m <= 1)).all()
    if eps <= 0.25:  # nothing is clipped: the share of channels that moved, whatever eps
        moved = attacked(x, eps=eps, seed=seed) != x
        assert torch.allclose(m, moved.double().mean(1).sqrt(), rtol=0, atol=1e-9)


# Bad input


def test_maps_of_another_kind_are_refused():
    for call in (
        lambda v: regions.importance(v),
        lambda v: regions.region_of_importance(v, 0.5),
        lambda v: regions.threshold(v, 0.5),
        lambda v: regions.representative(v),
    ):
        with pytest.raises(ValueError, match=r"\(N, H, W\)"):
            call(torch.rand(4, 5))
        with pytest.raises(ValueError, match="list"):
            call([[[0.5]]])


@pytest.mark.parametrize("value", [-0.1, float("nan")])
def test_a_cam_that_is_none_is_refused(value):
    cam = torch.ones(1, 2, 2)
    cam[0, 0, 0] = value
    with pytest.raises(ValueError, match="non-negative"):
        regions.region_of_importance(cam, 0.5)


@pytest.mark.parametrize("value", [-0.1, 1.1, float("nan")])
def test_a_threshold_of_maps_beyond_0_and_1_is_refused(value):
    with pytest.raises(ValueError, match=r"\[0, 1\]"):
        regions.threshold(torch.full((1, 2, 2), value), 0.5)


@pytest.mark.parametrize("delta", [-0.1, 1.1, float("nan")])
def test_thresholds_beyond_0_and_1_are_refused(delta):
    x = drawn(1, 3, 2, 2)
    with pytest.raises(ValueError, match="threshold"):
        regions.region_of_importance(torch.ones(1, 2, 2), delta)
    with pytest.raises(ValueError, match="threshold"):
        regions.region_of_attack(x, x, delta)
    with pytest.raises(ValueError, match="value"):
        regions.neutralise(x, torch.ones(2, 2, dtype=torch.bool), delta)


def test_a_gradient_that_is_not_a_number_is_not_taken_for_zero():
    assert regions.gradient_magnitude(torch.full((1, 3, 2, 2), float("nan"))).isnan().all()


def test_two_images_that_do_not_match_are_refused():
    x = drawn(2, 3, 4, 4)
    with pytest.raises(ValueError, match="one shape"):
        regions.attack_magnitude(x, x[:1])
    with pytest.raises(ValueError, match="x_adv"):
        regions.attack_magnitude(x, x + 0.5)


def test_regions_that_do_not_match_are_refused():
    roi = torch.ones(2, 4, 4, dtype=torch.bool)
    for roa in (roi[:1], roi.float()):
        with pytest.raises(ValueError, match="roi and roa"):
            regions.isolate(roi, roa)


@pytest.mark.parametrize("theta", [0, -0.1, 1.1, float("nan")])
def test_a_share_that_no_blob_has_is_refused(theta):
    with pytest.raises(ValueError, match="theta"):
        regions.blob(torch.ones(1, 2, 2, dtype=torch.bool), theta)


def test_a_blob_of_no_or_of_graded_maps_is_refused():
    for maps in (torch.ones(0, 2, 2, dtype=torch.bool), torch.ones(1, 2, 2)):
        with pytest.raises(ValueError, match="not_u_v_maps"):
            regions.blob(maps, 0.5)
    with pytest.raises(ValueError, match="at least one map"):
        regions.representative(torch.ones(0, 2, 2))


def test_a_blob_of_another_shape_or_type_is_refused():
    x = drawn(2, 3, 4, 4)
    for blob in (torch.ones(2, 4, 4, dtype=torch.bool), torch.ones(4, 4)):
        with pytest.raises(ValueError, match="blob"):
            regions.neutralise(x, blob, 0)


def test_signs_representative_and_blob_of_the_pictures_by_hand():
    x = torch.tensor([[[[0.5, 0.0]], [[0.2, 1.0]]], [[[0.5, 0.5]], [[0.2, 0.3]]]])
    x_adv = torch.tensor([[[[0.6, 0.0]], [[0.1, 0.9]]], [[[0.6, 0.4]], [[0.3, 0.2]]]])
    signs = regions.attack_signs(x, x_adv)
    assert signs.dtype == torch.int8
    assert signs.tolist() == [[[[1, 0]], [[-1, -1]]], [[[1, -1]], [[1, -1]]]]
    assert regions.signed_representative(signs).tolist() == [[[1.0, -0.5]], [[0.0, -1.0]]]
    assert regions.signed_blob(signs, 0.0).tolist() == [[[True, False]], [[False, False]]]
    assert regions.signed_blob(signs, 0.99).tolist() == [[[True, False]], [[False, False]]]
    blob = regions.signed_blob(signs, 0.0)
    assert torch.equal(regions.neutralise(x, blob, 1.0)[:, 0, 0, 0], torch.ones(2))
    assert torch.equal(regions.neutralise(x, blob, 1.0)[:, 1], x[:, 1])
    with pytest.raises(ValueError, match="theta"):
        regions.signed_blob(signs, 1.0)
    with pytest.raises(ValueError, match="signs"):
        regions.signed_representative(signs[:0])
    with pytest.raises(ValueError, match="blob"):
        regions.neutralise(x, blob[:1], 1.0)
