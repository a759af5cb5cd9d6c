"""DeepFool: its twin, exact values of linear classifiers, properties, bad input; and what ``universal`` shares."""

import math

import pytest
import torch
import twins
from attacks.planes import BUDGET, WIDE, Affine, affine, middle
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from twins import images

from roa_helpers import attacks, models

METHODS = {
    "deepfool": lambda model, x, **changes: attacks.deepfool(model, x, **BUDGET | changes),
    "universal": lambda model, x, **changes: attacks.universal(model, x, **WIDE | changes),
}
seeds = st.integers(0, 2**16)


def same(a, b, atol=1e-12):
    return torch.allclose(a, b, rtol=0, atol=atol)


def float64(values):
    return torch.tensor(values, dtype=torch.float64)


def basis_of(columns, *, side=6, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.linalg.qr(torch.randn(3 * side * side, columns, generator=generator, dtype=torch.float64)).Q


@pytest.mark.parametrize("clip", [False, True])
@pytest.mark.parametrize("columns", [None, 20])
@pytest.mark.parametrize("towards", [False, True])
def test_deepfool_equals_its_twin(smooth, towards, columns, clip):
    x, _ = images(5, seed=1)
    target = (models.predict(smooth, x).argmax(1) + 1) % 4 if towards else None
    basis = None if columns is None else basis_of(columns)
    budget = BUDGET | {"steps": 6}
    found = attacks.deepfool(smooth, x, **budget, target=target, subspace=basis, clip=clip, batch=3)
    assert (found.steps > 1).any()
    if clip:
        assert (found.x_adv == 0).any() or (found.x_adv == 1).any()
    for k in range(len(x)):
        goal = int(target[k]) if towards else None
        x_adv, steps, success = twins.deepfool(smooth, x[k], **budget, target=goal, basis=basis, clip=clip)
        assert same(found.x_adv[k], x_adv, 1e-10)
        assert (int(found.steps[k]), bool(found.success[k])) == (steps, success)


# Exact values


def test_the_distance_to_one_plane():
    model, (x, _) = affine(2), middle()
    w, f = model.weight[1] - model.weight[0], model(x)[:, 1] - model(x)[:, 0]
    for overshoot in (0.02, 0.5):
        found = attacks.deepfool(model, x, steps=5, overshoot=overshoot)
        assert found.success.all() and (found.steps == 1).all()
        assert same(found.norms, (1 + overshoot) * f.abs() / w.norm())
        assert same((found.x_adv - x).flatten(1), -(1 + overshoot) * (f / w.dot(w))[:, None] * w)


@given(seed=seeds, classes=st.integers(2, 6))
def test_the_distance_to_a_polytope(seed, classes):
    model, (x, _) = affine(classes, seed=seed), images(3, seed=seed)
    logits = model(x)
    found = attacks.deepfool(model, x, **BUDGET, clip=False)
    for k in range(len(x)):
        p = int(logits[k].argmax())
        planes = [j for j in range(classes) if j != p]
        distances = [(logits[k, p] - logits[k, j]) / (model.weight[p] - model.weight[j]).norm() for j in planes]
        assert math.isclose(found.norms[k], 1.02 * min(distances), rel_tol=1e-9)
        assert int(found.far[k]) == planes[distances.index(min(distances))] and int(found.near[k]) == p


def test_the_boundary_of_a_class_against_the_rest():
    """Towards class 2 the plane to class 0 comes first, but class 1 is in the way: 2 wins only where x₁ ≥ 0.6."""
    model = Affine(float64([[0.0, 0.0], [1.0, 0.0], [2.0, 0.0]]), float64([0.0, -0.2, -0.8]))
    x = float64([[[[0.1, 0.5]]]])
    found = attacks.deepfool(model, x, steps=9, overshoot=0.02, target=torch.tensor([2]), tolerance=1e-9)
    assert found.success.all()
    assert same(found.x_adv, float64([[[[0.6, 0.5]]]]), 1e-8)
    assert (found.predicted, found.far, found.near) == (0, 2, 1)


class Bowl(nn.Module):
    """Logits (t² − 0.25, 0): from above, Newton's steps never cross t = 0.5."""

    def forward(self, x):
        t = x[:, 0, 0, 0]
        return torch.stack([t**2 - 0.25, torch.zeros_like(t)], 1)


def test_the_overshoot_is_applied_once():
    """The steps are Newton's from where Newton's steps lead; only their sum is scaled, and only it has to cross."""
    x = torch.full((1, 1, 1, 1), 0.9, dtype=torch.float64)
    t = 0.9
    for steps in (1, 2, 3):
        t -= (t**2 - 0.25) / (2 * t)
        found = attacks.deepfool(Bowl(), x, steps=steps, overshoot=0.001)
        assert same(found.x_adv, torch.full_like(x, 0.9 + 1.001 * (t - 0.9)))
        assert found.steps == steps and found.success == (steps == 3)


def test_only_the_strongest_classes_are_looked_at():
    weight = torch.zeros(3, 108, dtype=torch.float64)
    weight[1, 0], weight[2, 1] = 1.0, 150.0  # class 2 is nearer, class 1 is stronger
    model, (x, _) = Affine(weight, float64([2.0, 1.2, -100.0])), middle(1)
    assert attacks.deepfool(model, x, **BUDGET, clip=False).far == 2
    assert attacks.deepfool(model, x, **BUDGET, clip=False, candidates=2).far == 1
    everything = attacks.deepfool(model, x, **BUDGET, clip=False, candidates=50)
    assert everything.far == 2


def test_a_clipped_attack_pays_with_the_other_pixels():
    model = Affine(float64([[1.0, 1.0], [0.0, 0.0]]), float64([-0.4, 0.0]))
    x = float64([[[[0.1, 0.9]]]])
    found = attacks.deepfool(model, x, steps=60, overshoot=0.02)
    free = attacks.deepfool(model, x, steps=60, overshoot=0.02, clip=False)
    assert found.success.all() and found.x_adv[0, 0, 0, 0] == 0 and found.x_adv.sum() < 0.4
    assert same(free.x_adv, x - 1.02 * 0.3) and free.x_adv.min() < 0


# Properties


@given(seed=seeds, columns=st.integers(1, 30))
def test_a_perturbation_stays_in_its_subspace(smooth, seed, columns):
    x, _ = images(3, seed=seed)
    basis = basis_of(columns, seed=seed)
    found = attacks.deepfool(smooth, x, **BUDGET, subspace=basis, clip=False)
    r = (found.x_adv - x).flatten(1)
    outside = r - r @ basis @ basis.T
    assert (r.norm(dim=1) > 0).all()
    assert (outside.norm(dim=1) <= 1e-14 * (r.norm(dim=1) + x.flatten(1).norm(dim=1))).all()


def test_a_full_basis_is_no_confinement(smooth):
    x, _ = images(4)
    confined = attacks.deepfool(smooth, x, **BUDGET, subspace=basis_of(108))
    assert same(confined.x_adv, attacks.deepfool(smooth, x, **BUDGET).x_adv, 1e-9)


@pytest.mark.parametrize("columns", [0, 1])
def test_a_subspace_without_gradient_lets_nothing_move(columns):
    model, (x, _) = affine(3), images(2)
    model.weight[:, 0] = 0
    basis = torch.eye(108, dtype=torch.float64)[:, :columns]
    found = attacks.deepfool(model, x, **BUDGET, subspace=basis)
    assert torch.equal(found.x_adv, x) and not found.success.any()
    assert (found.steps == 0).all() and (found.norms == 0).all() and not found.excluded.any()


@given(seed=seeds, clip=st.booleans(), towards=st.booleans())
def test_a_success_is_a_change_of_prediction(smooth, seed, clip, towards):
    x, _ = images(4, seed=seed)
    before = smooth(x).argmax(1)
    target = (before + 1 + seed % 3) % 4 if towards else None
    found = attacks.deepfool(smooth, x, **BUDGET, target=target, clip=clip)
    after = smooth(found.x_adv).argmax(1)
    assert torch.equal(found.success, after == target if towards else after != before)
    assert torch.equal(found.predicted, before) and torch.equal(found.far[found.success], after[found.success])
    assert same(found.norms, (found.x_adv - x).flatten(1).norm(dim=1))
    if clip:
        assert found.x_adv.min() >= 0 and found.x_adv.max() <= 1
    else:
        assert found.success.all()


@given(seed=seeds, tolerance=st.sampled_from([1e-2, 1e-6, 1e-12]), towards=st.booleans(), clip=st.booleans())
def test_the_boundary_is_reached_to_the_tolerance(smooth, seed, tolerance, towards, clip):
    x, _ = images(4, seed=seed)
    target = (smooth(x).argmax(1) + 1) % 4 if towards else None
    rough = attacks.deepfool(smooth, x, **BUDGET, target=target, clip=clip)
    found = attacks.deepfool(smooth, x, **BUDGET, target=target, clip=clip, tolerance=tolerance)
    hit = found.success
    assert torch.equal(hit, rough.success) and hit.any()
    logits = smooth(found.x_adv)
    margin = (logits.gather(1, found.far[:, None]) - logits.gather(1, found.near[:, None]))[:, 0]
    assert same(margin, found.margin)
    assert (found.margin[hit] > 0).all() and (found.margin[hit] <= tolerance).all()
    on_top = logits.topk(2).indices.sort().values
    assert torch.equal(on_top[hit], torch.stack([found.far, found.near], 1).sort().values[hit])
    share = found.norms / rough.norms
    assert (share <= 1 + 1e-12).all()
    assert same((found.x_adv - x)[hit], (share.view(-1, 1, 1, 1) * (rough.x_adv - x))[hit], 1e-9)


def test_the_search_ends_where_the_precision_does(convnet):
    x = images(4, 12, dtype=torch.float32)[0]
    found = attacks.deepfool(convnet, x, **BUDGET, tolerance=1e-30)
    assert found.success.any() and (found.margin[found.success] > 0).all()
    assert (found.margin[found.success] < 1e-6).all()


def test_wrong_images_and_those_at_their_target_are_left_out(smooth):
    x, _ = images(4)
    right = smooth(x).argmax(1)
    y = torch.where(torch.tensor([True, False, True, False]), right, (right + 1) % 4)
    found = attacks.deepfool(smooth, x, **BUDGET, y=y)
    assert found.excluded.tolist() == [False, True, False, True] and found.success.tolist() == [
        True,
        False,
        True,
        False,
    ]
    assert torch.equal(found.x_adv[1::2], x[1::2]) and (found.steps[1::2] == 0).all() and (found.norms[1::2] == 0).all()
    everybody = attacks.deepfool(smooth, x, **BUDGET)
    assert same(found.x_adv[::2], everybody.x_adv[::2]) and not everybody.excluded.any()
    target = torch.where(torch.tensor([False, False, True, True]), right, (right + 1) % 4)
    towards = attacks.deepfool(smooth, x, **BUDGET, y=y, target=target, tolerance=1e-6)
    assert towards.excluded.tolist() == [False, True, True, True]
    assert torch.equal(towards.x_adv[1:], x[1:]) and not towards.success[1:].any()


def test_images_that_are_done_leave_the_batch(smooth):
    seen = []
    counting = nn.Sequential(smooth)
    counting.register_forward_pre_hook(lambda module, inputs: seen.append(len(inputs[0])))
    found = attacks.deepfool(counting, images(9, seed=1)[0], **BUDGET)
    steps = found.steps.tolist()
    assert len(set(steps)) > 1
    assert seen == [9, *(sum(s > t for s in steps) for t in range(max(steps)) for _ in range(2))]


def test_a_batch_is_attacked_image_by_image(smooth):
    x, _ = images(7, 4)
    whole = attacks.deepfool(smooth, x, **BUDGET, tolerance=1e-9)
    for batch in (1, 3):
        parts = attacks.deepfool(smooth, x, **BUDGET, tolerance=1e-9, batch=batch)
        assert same(whole.x_adv, parts.x_adv, 1e-9) and torch.equal(whole.steps, parts.steps)


def test_no_step_no_change(smooth):
    x, _ = images()
    found = attacks.deepfool(smooth, x, steps=0, overshoot=0.02)
    assert torch.equal(found.x_adv, x) and not found.success.any() and (found.margin < 0).all()
    assert torch.equal(attacks.universal(smooth, x, **WIDE | {"epochs": 0}).perturbation, torch.zeros_like(x[0]))


# No side effects


@pytest.mark.parametrize("method", METHODS)
def test_the_model_is_left_as_it_was(convnet, method):
    x = images(3, 12, dtype=torch.float32)[0]
    kept, state = x.clone(), {k: v.clone() for k, v in convnet.state_dict().items()}
    convnet[1].eval()
    next(convnet.parameters()).requires_grad_(False)
    modes, flags = [m.training for m in convnet.modules()], [p.requires_grad for p in convnet.parameters()]

    def unchanged():
        assert [m.training for m in convnet.modules()] == modes
        assert [p.requires_grad for p in convnet.parameters()] == flags
        assert all(p.grad is None for p in convnet.parameters()) and torch.equal(x, kept) and not x.requires_grad
        assert all(torch.equal(v, state[k]) for k, v in convnet.state_dict().items())

    METHODS[method](convnet, x)
    unchanged()

    def interrupt(module, inputs, output):
        if output.requires_grad:
            raise KeyboardInterrupt

    handle = convnet.register_forward_hook(interrupt)
    with pytest.raises(KeyboardInterrupt):
        METHODS[method](convnet, x)
    handle.remove()
    unchanged()


def test_gradients_are_taken_where_they_are_switched_off(smooth):
    x, _ = images()
    with torch.no_grad():
        inside = attacks.deepfool(smooth, x, **BUDGET)
    assert torch.equal(inside.x_adv, attacks.deepfool(smooth, x, **BUDGET).x_adv) and not inside.x_adv.requires_grad


# Bad input


@pytest.mark.parametrize("method", METHODS)
def test_bad_images_and_models_are_refused(smooth, method):
    x, _ = images()
    for wrong, said in ((x[0], r"\(N, C, H, W\)"), (x[:0], "N > 0"), (x * 255, r"\[0, 1\]"), (x - 0.5, r"\[0, 1\]")):
        with pytest.raises(ValueError, match=said):
            METHODS[method](smooth, wrong)
    with pytest.raises(ValueError, match="softmax"):
        METHODS[method](nn.Sequential(smooth, nn.Softmax(1)), x)
    with pytest.raises(ValueError, match="logits"):
        METHODS[method](smooth[:4], x)
    with pytest.raises(ValueError, match="two classes"):
        METHODS[method](affine(1), x)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"steps": -1}, "steps"),
        ({"overshoot": -0.1}, "overshoot"),
        ({"overshoot": math.inf}, "overshoot"),
        ({"overshoot": math.nan}, "overshoot"),
        ({"candidates": 1}, "candidates"),
        ({"batch": 0}, "batch"),
    ],
)
def test_options_that_are_none_are_refused(smooth, method, changes, said):
    with pytest.raises(ValueError, match=said):
        METHODS[method](smooth, images()[0], **changes)


def complaints():
    _, y = images()
    yield {"y": y[:1]}, "one length"
    yield {"y": y.int()}, "int64"
    yield {"target": torch.full_like(y, 4)}, "0…3"
    yield {"target": y.tolist()}, "tensors"
    yield {"target": y, "candidates": 2}, "candidates"
    yield {"tolerance": 0.0}, "tolerance"
    yield {"tolerance": math.nan}, "tolerance"
    yield {"subspace": basis_of(3)[:-1]}, "subspace"
    yield {"subspace": basis_of(3)[:, 0]}, "subspace"
    yield {"subspace": torch.eye(108).long()}, "subspace"
    yield {"subspace": basis_of(3).numpy()}, "subspace"
    yield {"subspace": 1.1 * basis_of(3)}, "orthonormal"
    yield {"subspace": basis_of(3)[:, [0, 1, 1]]}, "orthonormal"
    yield {"subspace": basis_of(3) * math.nan}, "orthonormal"


@pytest.mark.parametrize(("changes", "said"), list(complaints()))
def test_what_deepfool_cannot_use_is_refused(smooth, changes, said):
    with pytest.raises(ValueError, match=said):
        attacks.deepfool(smooth, images()[0], **BUDGET | changes)


# What models and images may be


class InPlace(nn.Module):
    """An affine network at 2 x − 0.5, had by overwriting the image."""

    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, x):
        x *= 2
        x -= 0.5
        return self.network(x)


@pytest.mark.parametrize("method", METHODS)
def test_a_model_that_works_in_place_is_followed_as_it_is_written(method):
    network, (x, _) = affine(4), middle(3)
    pixels = x.clone()
    direct = Affine(2 * network.weight, network.bias - 0.5 * network.weight.sum(1))
    found, expected = METHODS[method](InPlace(network), x), METHODS[method](direct, x)
    a, b = (one.perturbation if method == "universal" else one.x_adv for one in (found, expected))
    assert same(a, b, 1e-9) and torch.equal(x, pixels)
    if method == "deepfool":
        assert found.success.all() and torch.equal(found.far, expected.far)


@pytest.mark.parametrize("method", METHODS)
def test_no_graph_is_handed_on(smooth, method):
    x, _ = images(3)
    expected, found = METHODS[method](smooth, x), METHODS[method](smooth, x.clone().requires_grad_())
    for name, value in vars(found).items():
        if torch.is_tensor(value):
            assert not value.requires_grad and torch.equal(value, getattr(expected, name))


@pytest.mark.parametrize("given", [torch.float32, torch.float64])
@pytest.mark.parametrize("held", [torch.float32, torch.float64])
def test_images_and_networks_of_different_precision_meet_at_the_same_boundary(held, given):
    reference, (x, _) = affine(3), middle(4)
    network = Affine(nn.Parameter(reference.weight.to(held)), nn.Parameter(reference.bias.to(held)))
    options = BUDGET | {"tolerance": 1e-3, "subspace": basis_of(40).to(given)}
    found = attacks.deepfool(network, x.to(given), **options)
    expected = attacks.deepfool(reference, x, **options | {"subspace": basis_of(40)})
    assert found.x_adv.dtype == given and found.success.all()
    assert torch.equal(found.far, expected.far) and same(found.norms.double(), expected.norms, 1e-3)


@pytest.mark.parametrize("method", METHODS)
def test_one_logit_has_no_boundary(method):
    with pytest.raises(ValueError, match="at least two classes"):
        METHODS[method](affine(1), images(2)[0])
