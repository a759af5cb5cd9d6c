import pytest
import torch
import twins
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from twins import images

from roa_helpers import attacks, models

BUDGET = {"eps": 0.1, "step": 0.04, "steps": 3}
METHODS = {
    "fgsm": lambda model, x, y: attacks.fgsm(model, x, y, eps=0.1),
    "bim": lambda model, x, y: attacks.bim(model, x, y, **BUDGET),
    "pgd": lambda model, x, y: attacks.pgd(model, x, y, **BUDGET, seed=0),
}


def start_of_pgd(x, eps, seed):
    noise = torch.rand(x.shape, generator=torch.Generator().manual_seed(seed), dtype=x.dtype)
    return x + eps * (2 * noise - 1)


def same(a, b):
    return torch.allclose(a, b, rtol=0, atol=1e-12)


def checkerboard(n, side):
    return (torch.arange(side)[:, None] + torch.arange(side)).remainder(2).bool().expand(n, 1, side, side)


# Twins


def test_loss_gradient_equals_differences(smooth):
    x, y = images()
    g = attacks.loss_gradient(smooth, x, y)
    for k in range(len(x)):
        twin = twins.gradient(lambda v, k=k: twins.cross_entropy(smooth, v, y[k]), x[k])
        assert torch.allclose(g[k], twin, rtol=0, atol=1e-9)


@pytest.mark.parametrize("targeted", [False, True])
def test_fgsm_equals_its_twin(smooth, targeted):
    x, y = images()
    x_adv = attacks.fgsm(smooth, x, y, eps=0.3, targeted=targeted)
    assert (x_adv == 0).any() and (x_adv == 1).any()  # clipping takes part
    for k in range(len(x)):
        assert same(x_adv[k], twins.fgsm(smooth, x[k], y[k], 0.3, targeted=targeted))


@pytest.mark.parametrize("targeted", [False, True])
@pytest.mark.parametrize("confined", [False, True])
def test_bim_equals_its_twin(smooth, targeted, confined):
    x, y = images()
    region = checkerboard(len(x), 6) if confined else None
    x_adv = attacks.bim(smooth, x, y, **BUDGET, targeted=targeted, region=region)
    for k in range(len(x)):
        inside = region[k, 0] if confined else None
        assert same(x_adv[k], twins.bim(smooth, x[k], y[k], **BUDGET, targeted=targeted, inside=inside))


@pytest.mark.parametrize("targeted", [False, True])
@pytest.mark.parametrize("confined", [False, True])
def test_pgd_equals_its_twin(smooth, targeted, confined):
    x, y = images()
    region = checkerboard(len(x), 6) if confined else None
    x_adv = attacks.pgd(smooth, x, y, **BUDGET, seed=3, targeted=targeted, region=region)
    start = start_of_pgd(x, BUDGET["eps"], 3)
    for k in range(len(x)):
        inside = region[k, 0] if confined else None
        twin = twins.bim(smooth, x[k], y[k], **BUDGET, targeted=targeted, inside=inside, start=start[k])
        assert same(x_adv[k], twin)


# Exact values


class Linear(nn.Module):
    """Logits (⟨w, x⟩, 0) with w = [[1, −1], [0, 2]]: the loss of class 0 falls along w."""

    def forward(self, x):
        w = torch.tensor([[1.0, -1.0], [0.0, 2.0]], dtype=x.dtype)
        score = (w * x).sum((1, 2, 3))
        return torch.stack([score, torch.zeros_like(score)], 1)


SQUARE = torch.tensor([[[[0.50, 0.05], [0.30, 0.04]]]], dtype=torch.float64)
ZERO = torch.tensor([0])


def test_gradient_of_a_linear_model():
    score = 0.50 - 0.05 + 2 * 0.04
    pull = -1 / (1 + 2.718281828459045**score)  # −σ(−score), the slope of log(1 + e^−score)
    expected = torch.tensor([[[[pull, -pull], [0.0, 2 * pull]]]], dtype=torch.float64)
    assert same(attacks.loss_gradient(Linear(), SQUARE, ZERO), expected)


def test_fgsm_of_a_linear_model():
    up = attacks.fgsm(Linear(), SQUARE, ZERO, eps=0.1)
    down = attacks.fgsm(Linear(), SQUARE, ZERO, eps=0.1, targeted=True)
    assert same(up, torch.tensor([[[[0.40, 0.15], [0.30, 0.00]]]], dtype=torch.float64))
    assert same(down, torch.tensor([[[[0.60, 0.00], [0.30, 0.14]]]], dtype=torch.float64))


def test_bim_stops_at_the_ball_and_at_the_region():
    region = torch.tensor([[[[True, False], [True, True]]]])
    x_adv = attacks.bim(Linear(), SQUARE, ZERO, eps=0.1, step=0.08, steps=2, region=region)
    assert same(x_adv, torch.tensor([[[[0.40, 0.05], [0.30, 0.00]]]], dtype=torch.float64))


def test_two_short_steps_of_bim_add_up():
    x_adv = attacks.bim(Linear(), SQUARE, ZERO, eps=0.1, step=0.01, steps=2)
    assert same(x_adv, torch.tensor([[[[0.48, 0.07], [0.30, 0.02]]]], dtype=torch.float64))


# Relations


def test_sign_step_is_fgsm_with_a_known_gradient(smooth):
    x, y = images()
    g = attacks.loss_gradient(smooth, x, y)
    for targeted in (False, True):
        known = attacks.sign_step(x, g, eps=0.05, targeted=targeted)
        assert torch.equal(known, attacks.fgsm(smooth, x, y, eps=0.05, targeted=targeted))


def test_one_full_step_of_bim_is_fgsm(smooth):
    x, y = images()
    assert torch.equal(attacks.bim(smooth, x, y, eps=0.1, step=0.1, steps=1), attacks.fgsm(smooth, x, y, eps=0.1))


def test_no_step_no_change(smooth):
    x, y = images()
    assert torch.equal(attacks.bim(smooth, x, y, eps=0.1, step=0.1, steps=0), x)


def test_pgd_repeats_with_its_seed_and_differs_with_another(smooth):
    x, y = images()
    first, again, other = (attacks.pgd(smooth, x, y, eps=0.1, step=0.01, steps=1, seed=s) for s in (5, 5, 6))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_the_loss_rises_and_a_target_comes_nearer(smooth):
    x, y = images(4)
    loss = nn.CrossEntropyLoss()
    before = loss(smooth(x), y)
    for method in (attacks.bim, attacks.pgd):
        extra = {"seed": 0} if method is attacks.pgd else {}
        assert loss(smooth(method(smooth, x, y, **BUDGET, **extra)), y) > before
        assert loss(smooth(method(smooth, x, y, **BUDGET, **extra, targeted=True)), y) < before


def test_a_batch_is_attacked_image_by_image(smooth):
    x, y = images(models.CHUNK + 3, 4)
    whole = attacks.loss_gradient(smooth, x, y)
    single = torch.cat([attacks.loss_gradient(smooth, x[k : k + 1], y[k : k + 1]) for k in range(len(x))])
    assert same(whole, single)


# Properties

seeds = st.integers(0, 2**16)


@given(seed=seeds, eps=st.floats(0, 0.5), step=st.floats(0, 0.5), steps=st.integers(0, 4), targeted=st.booleans())
def test_stays_in_the_ball_and_in_range(smooth, seed, eps, step, steps, targeted):
    x, y = images(2, 4, seed=seed)
    budget = {"eps": eps, "step": step, "steps": steps, "targeted": targeted}
    outcomes = [
        attacks.fgsm(smooth, x, y, eps=eps, targeted=targeted),
        attacks.bim(smooth, x, y, **budget),
        attacks.pgd(smooth, x, y, **budget, seed=seed),
    ]
    for x_adv in outcomes:
        assert (x_adv - x).abs().max() <= eps + 1e-15
        assert x_adv.min() >= 0 and x_adv.max() <= 1


@given(seed=seeds, share=st.floats(0, 1), steps=st.integers(0, 3))
def test_nothing_moves_outside_the_region(smooth, seed, share, steps):
    x, y = images(2, 4, seed=seed)
    region = torch.rand(2, 1, 4, 4, generator=torch.Generator().manual_seed(seed)) < share
    outside = ~region.expand_as(x)
    for x_adv in (
        attacks.bim(smooth, x, y, eps=0.2, step=0.1, steps=steps, region=region),
        attacks.pgd(smooth, x, y, eps=0.2, step=0.1, steps=steps, region=region, seed=seed),
    ):
        assert torch.equal(x_adv[outside], x[outside])


def test_everything_with_a_gradient_moves_inside_the_region(smooth):
    x, y = images()
    region = checkerboard(2, 6)
    x_adv = attacks.bim(smooth, x * 0.5 + 0.25, y, eps=0.1, step=0.02, steps=1, region=region)
    assert torch.equal((x_adv != x * 0.5 + 0.25).any(1, keepdim=True), region)


# Bad input


def complaints():
    x, y = images()
    nan = x.clone()
    nan[0, 0, 0, 0] = float("nan")
    yield "three dimensions", x[0], y, r"\(N, C, H, W\)"
    yield "no images", x[:0], y[:0], "N > 0"
    yield "bytes", (x * 255).byte(), y, "floating"
    yield "not a tensor", x.numpy(), y, "ndarray"
    yield "above one", x * 255, y, r"\[0, 1\]"
    yield "below zero", x - 0.5, y, r"\[0, 1\]"
    yield "not a number", nan, y, "nan"
    yield "label too large", x, torch.full_like(y, 4), "0…3"
    yield "label below zero", x, torch.full_like(y, -1), "0…3"
    yield "labels as int32", x, y.int(), "int64"
    yield "labels in a column", x, y[:, None], "int64"
    yield "too few labels", x, y[:1], "one length"
    yield "labels in a list", x, y.tolist(), "tensors"
    yield "one label", x, y[0], "a row for each image"


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("x", "y", "said"), [pytest.param(*rest, id=name) for name, *rest in complaints()])
def test_bad_images_and_labels_are_refused(smooth, method, x, y, said):
    with pytest.raises(ValueError, match=said):
        METHODS[method](smooth, x, y)


@pytest.mark.parametrize("method", METHODS)
def test_a_model_that_returns_probabilities_is_refused(smooth, method):
    with pytest.raises(ValueError, match="softmax"):
        METHODS[method](nn.Sequential(smooth, nn.Softmax(1)), *images())


@pytest.mark.parametrize("method", METHODS)
def test_a_model_that_returns_maps_is_refused(smooth, method):
    with pytest.raises(ValueError, match="logits"):
        METHODS[method](smooth[:4], *images())


@pytest.mark.parametrize("eps", [-0.1, float("nan"), float("inf")])
def test_a_budget_that_is_none_is_refused(smooth, eps):
    x, y = images()
    with pytest.raises(ValueError, match="eps"):
        attacks.fgsm(smooth, x, y, eps=eps)
    with pytest.raises(ValueError, match="eps"):
        attacks.bim(smooth, x, y, eps=eps, step=0.1, steps=1)
    with pytest.raises(ValueError, match="eps"):
        attacks.pgd(smooth, x, y, eps=eps, step=0.1, steps=1, seed=0)


@pytest.mark.parametrize(("step", "steps"), [(-0.1, 1), (float("nan"), 1), (float("inf"), 1), (0.1, -1)])
def test_steps_that_are_none_are_refused(smooth, step, steps):
    x, y = images()
    with pytest.raises(ValueError, match="step"):
        attacks.bim(smooth, x, y, eps=0.1, step=step, steps=steps)


@pytest.mark.parametrize(
    "region",
    [
        pytest.param(torch.ones(2, 1, 6, 6), id="not bool"),
        pytest.param(torch.ones(2, 6, 6, dtype=torch.bool), id="no channel"),
        pytest.param(torch.ones(2, 3, 6, 6, dtype=torch.bool), id="a channel each"),
        pytest.param(torch.ones(1, 1, 6, 6, dtype=torch.bool), id="one for all"),
        pytest.param(torch.ones(2, 1, 5, 6, dtype=torch.bool), id="another size"),
        pytest.param([[True]], id="a list"),
    ],
)
def test_a_region_of_another_kind_is_refused(smooth, region):
    x, y = images()
    with pytest.raises(ValueError, match="region"):
        attacks.bim(smooth, x, y, **BUDGET, region=region)
    with pytest.raises(ValueError, match="region"):
        attacks.pgd(smooth, x, y, **BUDGET, region=region, seed=0)


# Until success


@pytest.fixture
def steep():
    """A linear network whose answer a small step can change."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return nn.Sequential(nn.Flatten(), nn.Linear(108, 4)).double()


def test_an_attack_that_succeeds_is_bim_with_as_many_steps(steep):
    x, _ = images(6)
    target = models.predict(steep, x).argmin(1)
    region = checkerboard(6, x.shape[-1])
    found = attacks.bim_until_success(
        steep, x, target, eps=0.5, step=0.05, steps=30, patience=30, region=region
    )  # fmt: skip
    assert found.succeeded.any() and (found.steps[found.succeeded] > 0).any()
    for k in torch.nonzero(found.succeeded)[:, 0].tolist():
        single, steps = x[k : k + 1], int(found.steps[k])
        budget = {"eps": 0.5, "step": 0.05, "targeted": True, "region": region[k : k + 1]}
        assert same(found.x_adv[k], attacks.bim(steep, single, target[k : k + 1], steps=steps, **budget)[0])
        assert models.predict(steep, found.x_adv[k : k + 1]).argmax() == target[k]
        if steps:
            before = attacks.bim(steep, single, target[k : k + 1], steps=steps - 1, **budget)
            assert models.predict(steep, before).argmax() != target[k]
    outside = ~region.expand_as(x)
    assert torch.equal(found.x_adv[outside], x[outside])
    assert (found.x_adv - x).abs().max() <= 0.5 + 1e-12


def test_an_attack_without_progress_is_given_up(smooth):
    x, _ = images(6)
    target = models.predict(smooth, x).argmin(1)
    nowhere = torch.zeros(6, 1, *x.shape[2:], dtype=torch.bool)
    found = attacks.bim_until_success(smooth, x, target, eps=0.5, step=0.05, steps=30, patience=4, region=nowhere)
    assert found.stalled.all() and not found.succeeded.any() and (found.steps == 4).all()
    assert torch.equal(found.x_adv, x)
    short = attacks.bim_until_success(smooth, x, target, eps=0.01, step=0.001, steps=2, patience=4)
    assert not short.stalled.any() and (short.steps[~short.succeeded] == 2).all()


def test_an_image_already_seen_as_the_target_takes_no_step(smooth):
    x, _ = images(3)
    found = attacks.bim_until_success(
        smooth, x, models.predict(smooth, x).argmax(1), eps=0.5, step=0.05, steps=9, patience=1
    )  # fmt: skip
    assert found.succeeded.all() and (found.steps == 0).all() and torch.equal(found.x_adv, x)


def test_until_success_leaves_the_model_as_it_was_and_refuses_what_bim_refuses(convnet):
    x, y = images(2, dtype=torch.float32)
    before = {name: value.clone() for name, value in convnet.state_dict().items()}
    attacks.bim_until_success(convnet, x, y, eps=0.1, step=0.05, steps=2, patience=2)
    assert convnet.training and all(torch.equal(before[n], v) for n, v in convnet.state_dict().items())
    for wrong in ({"patience": 0}, {"steps": -1}, {"step": float("inf")}, {"eps": -0.1}):
        with pytest.raises(ValueError):
            attacks.bim_until_success(convnet, x, y, **{"eps": 0.1, "step": 0.1, "steps": 2, "patience": 2} | wrong)


def test_a_steady_rise_is_no_stall(steep):
    x, _ = images(4)
    target = models.predict(steep, x).argmin(1)
    found = attacks.bim_until_success(steep, x, target, eps=1.0, step=0.002, steps=400, patience=5)
    assert found.succeeded.all() and (found.steps > 20).all()


def test_targets_of_another_number_are_refused(steep):
    x, _ = images(1)
    with pytest.raises(ValueError, match="target must be a tensor"):
        attacks.bim_until_success(steep, x, torch.tensor([1, 2]), eps=0.1, step=0.1, steps=1, patience=1)


# What models and images may be


class InPlace(nn.Module):
    """The logits of ``Linear`` at 2 (x − 0.1), had by overwriting the image."""

    def forward(self, x):
        x -= 0.1
        x *= 2
        return Linear()(x)


def test_steps_of_a_model_that_works_in_place_are_those_by_hand():
    image = SQUARE.clone()
    up = attacks.fgsm(InPlace(), image, ZERO, eps=0.1)
    assert same(up, torch.tensor([[[[0.40, 0.15], [0.30, 0.00]]]], dtype=torch.float64))
    region = torch.tensor([[[[True, False], [True, True]]]])
    x_adv = attacks.bim(InPlace(), image, ZERO, eps=0.1, step=0.08, steps=2, region=region)
    assert same(x_adv, torch.tensor([[[[0.40, 0.05], [0.30, 0.00]]]], dtype=torch.float64))
    score = 2 * (0.50 - 0.05 + 2 * (0.04 - 0.1))
    pull = -2 / (1 + 2.718281828459045**score)
    expected = torch.tensor([[[[pull, -pull], [0.0, 2 * pull]]]], dtype=torch.float64)
    assert same(attacks.loss_gradient(InPlace(), image, ZERO), expected)
    assert torch.equal(image, SQUARE)


@pytest.mark.parametrize("steps", [0, 2])
def test_no_attack_hands_on_a_graph(smooth, steps):
    x, y = images()
    budget = {"eps": 0.1, "step": 0.04, "steps": steps}
    region = checkerboard(len(x), 6)

    def found(x):
        yield attacks.fgsm(smooth, x, y, eps=0.1)
        yield attacks.bim(smooth, x, y, **budget)
        yield attacks.bim(smooth, x, y, **budget, region=region)
        yield attacks.pgd(smooth, x, y, **budget, seed=0)
        yield attacks.bim_until_success(smooth, x, y, **budget, patience=2).x_adv
        yield attacks.sign_step(x, torch.ones_like(x), eps=0.1)

    plain = list(found(x))
    x.requires_grad_()
    for one, expected in zip(found(x), plain, strict=True):
        assert not one.requires_grad and torch.equal(one, expected)
    assert x.grad is None


def test_one_logit_is_refused_instead_of_standing_still():
    model = nn.Sequential(nn.Flatten(), nn.Linear(108, 1)).double()
    for method in METHODS.values():
        with pytest.raises(ValueError, match=r"at least two classes, got torch.float64 \(2, 1\)"):
            method(model, *images())
    two = nn.Sequential(model, nn.ZeroPad1d((1, 0)))  # logits (0, z)
    x, y = images()
    x_adv = attacks.fgsm(two, x, torch.ones_like(y), eps=0.01)
    moved = model[1].weight.sign().view(1, 3, 6, 6)  # class 1 wins by z, which falls against its weights
    assert torch.equal(x_adv, (x - 0.01 * moved).clamp(0, 1))


@pytest.mark.parametrize("method", METHODS)
def test_images_of_double_precision_stay_within_their_ball_at_a_network_of_single(convnet, method):
    x, y = images(4)
    x_adv = METHODS[method](convnet, x, y)
    assert x_adv.dtype == torch.float64
    assert (x_adv - x).abs().max() <= 0.1 + 1e-15 and (x_adv != x).any()


def test_survivors_are_those_that_no_step_of_any_start_fools(smooth):
    x, y = images()
    logits = smooth(x)
    y = logits.argmax(1)
    y[0] = 1 - y[0].clamp(max=1)  # one that is wrong already
    budget = {"eps": 0.12, "step": 0.03, "seed": 5}
    standing = attacks.pgd_survivors(smooth, x, y, **budget, steps=4, restarts=3)
    expected = models.correct(smooth, x, y)
    for restart in range(3):
        for steps in range(5):
            moved = attacks.pgd(smooth, x, y, **budget | {"seed": 5 + restart}, steps=steps)
            expected &= models.correct(smooth, moved, y)
    assert torch.equal(standing, expected) and not standing[0]


def test_survivors_are_told_by_the_region_and_the_radius():
    x, y = SQUARE, ZERO  # the logit .50 − .05 + 2 · .04 falls to 0 where each pixel can move by .1325
    budget = {"step": 0.05, "steps": 40, "restarts": 2, "seed": 0}
    assert attacks.pgd_survivors(Linear(), x, y, eps=0.1, **budget).tolist() == [True]
    assert attacks.pgd_survivors(Linear(), x, y, eps=0.6, **budget).tolist() == [False]
    nowhere = torch.zeros(1, 1, 2, 2, dtype=torch.bool)
    assert attacks.pgd_survivors(Linear(), x, y, eps=0.6, **budget, region=nowhere).tolist() == [True]
    for wrong in ({"restarts": 0}, {"steps": -1}, {"step": float("nan")}):
        with pytest.raises(ValueError, match="restarts"):
            attacks.pgd_survivors(Linear(), x, y, eps=0.1, **budget | wrong)
