"""Guided backpropagation, input × gradient, integrated gradients, SmoothGrad. captum is what they are compared with."""

import warnings

import pytest
import torch
import torch.nn.functional as F
import twins
from torch import nn
from twins import images

from roa_helpers import explain, models
from roa_helpers.compat import torchvision
from roa_helpers.explain import rectifiers


def smooth_grad(model, x, target):
    return explain.smooth_grad(model, x, target, samples=3, sd=0.1, seed=0)


def integrated_gradients(model, x, target):
    return explain.integrated_gradients(model, x, target, steps=5)


METHODS = [explain.guided_backprop, explain.input_x_gradient, integrated_gradients, smooth_grad]


@pytest.fixture
def rectified():
    """Two convolutions and two ReLU modules in double precision, (N, 3, 6, 6) → (N, 4)."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(2)
        layers = [nn.Conv2d(3, 5, 3), nn.ReLU(), nn.Conv2d(5, 6, 3), nn.ReLU(), nn.Flatten(), nn.Linear(24, 4)]
        return nn.Sequential(*layers).double()


class Functional(nn.Module):
    """The layers of ``rectified`` with another way to call ReLU."""

    def __init__(self, layers, relu):
        super().__init__()
        self.layers, self.relu = nn.ModuleList([m for m in layers if not isinstance(m, nn.ReLU)]), relu

    def forward(self, x):
        first, second, flat, head = self.layers
        return head(flat(self.relu(second(self.relu(first(x))))))


def dropped(x):
    """In place, and what it returns is not used."""
    x.relu_()
    return x


WAYS = {
    "F.relu": F.relu,
    "F.relu, in place": lambda x: F.relu(x, inplace=True),
    "F.relu, by keyword": lambda x: F.relu(input=x, inplace=True),
    "torch.relu": torch.relu,
    "torch.relu_": torch.relu_,
    "F.relu_": F.relu_,
    "Tensor.relu": lambda x: x.relu(),
    "Tensor.relu_": dropped,
    "nn.ReLU in place": nn.ReLU(inplace=True),
}


# Guided backpropagation


def captum_guided(model, x, target):
    attr = pytest.importorskip("captum.attr")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return attr.GuidedBackprop(model).attribute(x.clone().requires_grad_(), target).detach()


def test_guided_backpropagation_equals_captum_exactly(rectified):
    x, target = images(5)
    maps = explain.guided_backprop(rectified, x, target)
    assert torch.equal(maps, captum_guided(rectified, x, target))
    assert not torch.allclose(maps, explain.saliency(rectified, x, target))


@pytest.mark.parametrize("way", WAYS)
def test_guided_backpropagation_does_not_care_how_relu_is_called(rectified, way):
    x, target = images(5)
    model = Functional(rectified, WAYS[way])
    assert torch.equal(model(x), rectified(x))
    assert torch.equal(explain.guided_backprop(model, x, target), explain.guided_backprop(rectified, x, target))


def test_captum_misses_the_functional_relu(rectified):
    x, target = images(5)
    model = Functional(rectified, F.relu)
    assert torch.equal(captum_guided(model, x, target), explain.saliency(model, x, target))


def test_guided_backpropagation_equals_its_twin(rectified):
    x, target = images(3)
    maps = explain.guided_backprop(rectified, x, target)
    for k in range(len(x)):
        expected = twins.guided_backprop(rectified, x[k], int(target[k]))
        assert torch.allclose(maps[k], expected, rtol=0, atol=1e-12)


def test_guided_backpropagation_by_hand():
    """z₀ = 2 r₀ − r₁ + 3 r₂ with r = ReLU(w x): r₁ is active but counts against, r₂ counts for but is not active."""
    convolution, head = nn.Conv2d(1, 3, 1), nn.Linear(3, 2, bias=False)
    convolution.weight.data = torch.tensor([4.0, 5.0, 6.0]).view(3, 1, 1, 1)
    convolution.bias.data = torch.tensor([0.0, 0.0, -9.0])
    head.weight.data = torch.tensor([[2.0, -1.0, 3.0], [-2.0, 1.0, -3.0]])
    model = nn.Sequential(convolution, nn.ReLU(), nn.Flatten(), head)
    x = torch.full((2, 1, 1, 1), 0.5)
    guided = explain.guided_backprop(model, x, torch.tensor([0, 1])).flatten()
    assert guided.tolist() == [2 * 4, 1 * 5]
    assert explain.saliency(model, x, torch.tensor([0, 1])).flatten().tolist() == [2 * 4 - 5, -(2 * 4 - 5)]


@pytest.mark.parametrize(("name", "side"), [("googlenet", 64), ("inception_v3", 75)])
def test_guided_backpropagation_of_torchvision_nets_with_functional_relu(name, side):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        build = getattr(torchvision.models, name)
        model = build(weights=None, init_weights=False, num_classes=3, aux_logits=False).eval()
    x, target = images(1, side, dtype=torch.float32)
    target = target % 3
    with rectifiers.Guided() as guided, torch.no_grad():
        inside = model(x)
    assert torch.equal(inside, model(x))
    assert guided.calls == sum("BasicConv2d" in type(m).__name__ for m in model.modules())
    maps, plain = explain.guided_backprop(model, x, target), explain.saliency(model, x, target)
    as_modules(model)
    theirs = captum_guided(model, x, target)
    scale = theirs.abs().max()
    assert maps.shape == x.shape and scale > 0
    assert (maps - theirs).abs().max() <= 1e-5 * scale < 0.1 * scale < (plain - theirs).abs().max()


def as_modules(model):
    """Every BasicConv2d of torchvision with nn.ReLU in the place of its F.relu, for captum to see."""
    for name, child in model.named_children():
        if type(child).__name__ == "BasicConv2d":
            setattr(model, name, nn.Sequential(child.conv, child.bn, nn.ReLU()))
        else:
            as_modules(child)


OTHERS = {
    "leaky_relu": nn.LeakyReLU(),
    "gelu": nn.GELU(),
    "silu": nn.SiLU(),
    "hardswish": nn.Hardswish(inplace=True),
    "elu": nn.ELU(inplace=True),
    "softplus": nn.Softplus(),
    "prelu": nn.PReLU().double(),
    "threshold": nn.Threshold(0, 0),
    "rrelu": nn.RReLU(),
    "celu": nn.CELU(),
    "selu": nn.SELU(),
    "mish": nn.Mish(),
    "softshrink": nn.Softshrink(),
    "hardshrink": nn.Hardshrink(),
}


@pytest.mark.parametrize("name", OTHERS)
def test_other_rectifiers_are_refused_by_name(rectified, name):
    model = Functional(rectified, OTHERS[name])
    with pytest.raises(ValueError, match=f"the model calls {name}"):
        explain.guided_backprop(model, *images())


@pytest.mark.parametrize("by_hand", [lambda x: x.clamp(min=0), lambda x: torch.clamp(x, 0), lambda x: x.clamp_min(0)])
def test_a_rectifier_by_hand_is_refused_beside_relu(rectified, by_hand):
    with pytest.raises(ValueError, match="the model calls clamp"):
        explain.guided_backprop(Functional(rectified, lambda x: by_hand(F.relu(x))), *images())
    explain.guided_backprop(Functional(rectified, lambda x: F.relu(x).clamp(-1, 9)), *images())


SIXES = {
    "nn.ReLU6": nn.ReLU6(),
    "nn.ReLU6 in place": nn.ReLU6(inplace=True),
    "F.relu6": F.relu6,
    "F.relu6, in place": lambda x: F.relu6(x, inplace=True),
    "nn.Hardtanh": nn.Hardtanh(0, 6),
    "F.hardtanh": lambda x: F.hardtanh(x, 0, 6),
    "F.hardtanh_": lambda x: F.hardtanh_(x, 0.0, 6.0),
    "operator": lambda x: torch.ops.aten.hardtanh.default(x, 0.0, 6.0),
}


@pytest.fixture
def capped(rectified):
    """``rectified`` with ReLU6 for ReLU, and units below 0, between, and above 6."""
    layers = [nn.ReLU6() if isinstance(layer, nn.ReLU) else layer for layer in rectified]
    for layer in (layers[0], layers[2]):
        layer.weight.data *= 40
    return nn.Sequential(*layers)


def test_guided_backpropagation_through_relu6_equals_its_twin(capped):
    x, target = images(3)
    made = capped[1](capped[0](x))
    assert all(share > 0.05 for share in ((made == 0).double().mean(), (made == 6).double().mean()))
    maps = explain.guided_backprop(capped, x, target)
    for k in range(len(x)):
        expected = twins.guided_backprop(capped, x[k], int(target[k]))
        assert torch.allclose(maps[k], expected, rtol=0, atol=1e-10)
    as_relu = nn.Sequential(*(nn.ReLU() if isinstance(layer, nn.ReLU6) else layer for layer in capped))
    assert not torch.allclose(maps, explain.guided_backprop(as_relu, x, target))


@pytest.mark.parametrize("way", SIXES)
def test_guided_backpropagation_does_not_care_how_relu6_is_called(capped, way):
    x, target = images(5)
    layers = [nn.ReLU() if isinstance(layer, nn.ReLU6) else layer for layer in capped]
    model = Functional(layers, SIXES[way])
    assert torch.equal(model(x), capped(x))
    assert torch.equal(explain.guided_backprop(model, x, target), explain.guided_backprop(capped, x, target))
    assert torch.equal(model(x), capped(x))


def test_relu6_by_hand():
    """z = 2 r₀ + 3 r₁ + 5 r₂ with r = ReLU6(w x): r₀ is active, r₁ is at the ceiling, r₂ is not active."""
    convolution, head = nn.Conv2d(1, 3, 1), nn.Linear(3, 2, bias=False)
    convolution.weight.data = torch.tensor([4.0, 20.0, 6.0]).view(3, 1, 1, 1)
    convolution.bias.data = torch.tensor([0.0, 0.0, -9.0])
    head.weight.data = torch.tensor([[2.0, 3.0, 5.0], [-2.0, 3.0, 5.0]])
    model = nn.Sequential(convolution, nn.ReLU6(), nn.Flatten(), head)
    x = torch.full((2, 1, 1, 1), 0.5)
    assert explain.guided_backprop(model, x, torch.tensor([0, 1])).flatten().tolist() == [2 * 4, 0]


@pytest.mark.parametrize("layer", [nn.Hardtanh(), nn.Hardtanh(0.5, 6, inplace=True)])
def test_hardtanh_that_does_not_begin_at_0_is_refused(rectified, layer):
    with pytest.raises(ValueError, match=r"the model calls hardtanh from (-1.0|0.5)"):
        explain.guided_backprop(Functional(rectified, layer), *images())


@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")
def test_a_relu6_out_of_reach_is_refused(capped):
    model = nn.Sequential(capped[:2], torch.jit.script(capped[2:4]), *capped[4:])
    with pytest.raises(ValueError, match=r"cannot reach every ReLU of the model \(Hardtanh in its graph\)"):
        explain.guided_backprop(model, *images())


def test_every_other_rectifier_is_tried():
    assert set(OTHERS) == rectifiers.OTHERS


def test_a_model_without_relu_is_refused():
    with pytest.raises(ValueError, match="calls none"):
        explain.guided_backprop(nn.Sequential(nn.Flatten(), nn.Linear(108, 4)).double(), *images())


def test_relu_is_as_before_after_an_exception(rectified):
    x, target = images()
    before = explain.saliency(rectified, x, target)
    with pytest.raises(ValueError, match=r"0…3"):
        explain.guided_backprop(rectified, x, target + 4)
    assert torch.equal(explain.saliency(rectified, x, target), before)


WRAPPERS = {
    "Sequential": nn.Sequential,
    "DataParallel": nn.DataParallel,
    "compile": lambda model: torch.compile(model, backend="eager"),
    "compile, by aot": lambda model: torch.compile(model, backend="aot_eager"),
    "a compiled part": lambda model: nn.Sequential(torch.compile(model[:4], backend="aot_eager"), *model[4:]),
    "exported": lambda model: nn.Sequential(model[:2], exported(model[2:4]), *model[4:]),
}


def exported(part):
    """A part as a graph of calls of operators, ``relu.default`` among them."""
    return torch.fx.symbolic_trace(Operators(part))


class Operators(nn.Module):
    def __init__(self, part):
        super().__init__()
        self.convolution = part[0]

    def forward(self, x):
        return torch.ops.aten.relu.default(self.convolution(x))


@pytest.mark.parametrize("wrapper", WRAPPERS)
def test_wrappers_and_compilers_change_no_guided_map(rectified, wrapper):
    x, target = images(5)
    expected = explain.guided_backprop(rectified, x, target)
    wrapped = WRAPPERS[wrapper](rectified)
    wrapped(x)
    assert torch.equal(explain.guided_backprop(wrapped, x, target), expected)
    assert torch.equal(explain.saliency(wrapped, x, target), explain.saliency(rectified, x, target))


@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")
def test_a_relu_out_of_reach_is_refused_even_beside_one_in_reach(rectified):
    x, target = images(5)
    scripted = torch.jit.script(rectified[2:4])
    for model in (nn.Sequential(rectified[:2], scripted, rectified[4:]), torch.jit.script(rectified)):
        with pytest.raises(ValueError, match=r"cannot reach every ReLU of the model \(Relu in its graph\)"):
            explain.guided_backprop(model, x, target)


# Input × gradient


def test_input_x_gradient_of_a_net_without_biases_adds_up_to_the_logit(rectified):
    for layer in rectified:
        if getattr(layer, "bias", None) is not None:
            layer.bias.data.zero_()
    x, target = images(4)
    logits = rectified(x).detach().gather(1, target[:, None])[:, 0]
    total = explain.input_x_gradient(rectified, x, target).sum((1, 2, 3))
    assert torch.allclose(total, logits, rtol=0, atol=1e-12)


def test_input_x_gradient_of_a_linear_model_adds_up_to_its_logit():
    model = nn.Sequential(nn.Flatten(), nn.Linear(12, 3, bias=False)).double()
    x, y = torch.rand(4, 3, 2, 2, dtype=torch.float64), torch.tensor([0, 1, 2, 0])
    found = explain.input_x_gradient(model, x, y)
    logit = models.predict(model, x).gather(1, y[:, None])[:, 0]
    assert torch.allclose(found.sum((1, 2, 3)), logit, rtol=0, atol=1e-12)


def test_input_x_gradient_equals_captum(rectified):
    attr = pytest.importorskip("captum.attr")
    x, target = images(4)
    theirs = attr.InputXGradient(rectified).attribute(x.clone().requires_grad_(), target).detach()
    assert torch.allclose(explain.input_x_gradient(rectified, x, target), theirs, rtol=0, atol=1e-14)


# Integrated gradients


def test_integrated_gradients_of_a_kink_by_hand():
    """z₀ = 2 ReLU(x − 1/2) from 0 to 1: the slope is 0 on one half of the way and 2 on the other."""
    convolution, head = nn.Conv2d(1, 1, 1), nn.Linear(1, 2, bias=False)
    convolution.weight.data.fill_(1.0)
    convolution.bias.data.fill_(-0.5)
    head.weight.data = torch.tensor([[2.0], [-2.0]])
    model = nn.Sequential(convolution, nn.ReLU(), nn.Flatten(), head)
    value = explain.integrated_gradients(model, torch.ones(1, 1, 1, 1), torch.tensor([0]), steps=10)
    assert float(value) == pytest.approx(1.0, abs=1e-6)


def test_integrated_gradients_equal_their_twin(smooth):
    x, target = images(2, 4)
    start = images(2, 4, seed=1)[0]
    maps = explain.integrated_gradients(smooth, x, target, steps=6, baseline=start)
    for k in range(len(x)):
        expected = twins.integrated_gradients(smooth, x[k], int(target[k]), start[k], 6)
        assert torch.allclose(maps[k], expected, rtol=0, atol=1e-7)  # captum rounds the weights to float32


@pytest.mark.parametrize("baseline", [0.0, 0.5])
def test_integrated_gradients_add_up_to_the_difference_of_the_logits(smooth, baseline):
    x, target = images(3)
    rows = torch.arange(3)
    expected = smooth(x)[rows, target] - smooth(torch.full_like(x, baseline))[rows, target]
    total = explain.integrated_gradients(smooth, x, target, steps=30, baseline=baseline).sum((1, 2, 3))
    assert torch.allclose(total, expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"steps": 0}, "steps"),
        ({"baseline": 2.0}, "baseline must lie"),
        ({"baseline": torch.zeros(2, 3, 5, 5)}, "baseline must be a number or images"),
    ],
)
def test_bad_options_of_integrated_gradients_are_refused(smooth, options, said):
    with pytest.raises(ValueError, match=said):
        explain.integrated_gradients(smooth, *images(), **options)


def test_integrated_gradients_keep_every_factor_of_a_model_that_works_in_place():
    """z₀ = 3 · 5 (x − 0.4) / 0.2: from 0 to x the logit grows by 75 x, whatever the forward does to its input."""

    class InPlace(nn.Module):
        def forward(self, x):
            x -= 0.4
            x /= 0.2
            x *= 5
            return torch.stack([3 * x.sum((1, 2, 3)), x.sum((1, 2, 3))], 1)

    x = torch.rand(3, 2, 4, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    pixels = x.clone()
    maps = explain.integrated_gradients(InPlace(), x, torch.tensor([0, 0, 1]), steps=4)
    factors = torch.tensor([75.0, 75.0, 25.0], dtype=torch.float64)[:, None, None, None]
    assert torch.allclose(maps, factors * pixels, rtol=1e-6, atol=0) and torch.equal(x, pixels)
    assert torch.equal(explain.saliency(InPlace(), x, torch.tensor([0, 0, 1])), factors.expand_as(x))


# SmoothGrad


def test_smooth_grad_equals_its_twin(smooth):
    x, target = images(2, 4)
    maps = explain.smooth_grad(smooth, x, target, samples=3, sd=0.2, seed=7)
    noise = 0.2 * torch.randn(3, 3, 4, 4, generator=torch.Generator().manual_seed(7), dtype=x.dtype)
    for k in range(len(x)):
        expected = twins.smooth_grad(smooth, x[k], int(target[k]), noise)
        assert torch.allclose(maps[k], expected, rtol=0, atol=1e-9)


def test_smooth_grad_without_noise_is_the_gradient(rectified):
    x, target = images()
    maps = explain.smooth_grad(rectified, x, target, samples=4, sd=0.0, seed=0)
    assert torch.allclose(maps, explain.saliency(rectified, x, target), rtol=0, atol=1e-14)


def test_smooth_grad_follows_its_seed(rectified):
    x, target = images()
    first, again, other = (
        explain.smooth_grad(rectified, x, target, samples=5, sd=0.3, seed=seed) for seed in (1, 1, 2)
    )
    assert torch.equal(first, again) and not torch.allclose(first, other)


def test_smooth_grad_of_a_kink_is_the_share_of_noise_on_its_slope():
    """z₀ = ReLU(x − 1/2) at x = 1/2: half of the noise sees slope 1, the other half slope 0."""
    convolution, head = nn.Conv2d(1, 1, 1), nn.Linear(1, 2, bias=False)
    convolution.weight.data.fill_(1.0)
    convolution.bias.data.fill_(-0.5)
    head.weight.data = torch.tensor([[1.0], [-1.0]])
    model = nn.Sequential(convolution, nn.ReLU(), nn.Flatten(), head)
    x = torch.full((1, 1, 1, 1), 0.5)
    drawn = torch.randn(200, 1, 1, 1, generator=torch.Generator().manual_seed(3))
    value = explain.smooth_grad(model, x, torch.tensor([0]), samples=200, sd=0.1, seed=3)
    assert float(value) == pytest.approx(float((drawn > 0).double().mean()), abs=1e-6)
    assert 0.35 < float(value) < 0.65


@pytest.mark.parametrize("options", [{"samples": 0}, {"sd": -0.1}, {"sd": float("nan")}])
def test_bad_options_of_smooth_grad_are_refused(smooth, options):
    with pytest.raises(ValueError, match="samples must be at least 1 and sd"):
        explain.smooth_grad(smooth, *images(), **({"samples": 2, "sd": 0.1, "seed": 0} | options))


# All of them


@pytest.mark.parametrize("method", METHODS)
def test_a_batch_is_explained_image_by_image(rectified, method):
    x, target = images(models.CHUNK + 2)
    single = torch.cat([method(rectified, x[k : k + 1], target[k : k + 1]) for k in range(len(x))])
    assert torch.allclose(method(rectified, x, target), single, rtol=0, atol=1e-12)


@pytest.mark.parametrize("wrong", [0, 4])
@pytest.mark.parametrize("method", METHODS)
def test_the_model_is_left_as_found(convnet, method, wrong):
    convnet[0].bias.requires_grad_(False)
    x, target = images(dtype=torch.float32)
    modes = [m.training for m in convnet.modules()]
    flags = [p.requires_grad for p in convnet.parameters()]
    state = {name: value.clone() for name, value in convnet.state_dict().items()}
    try:
        maps = method(convnet, x, target + wrong)
        assert maps.shape == x.shape and maps.dtype == x.dtype and not maps.requires_grad and not wrong
    except ValueError:
        assert wrong
    assert [m.training for m in convnet.modules()] == modes
    assert [p.requires_grad for p in convnet.parameters()] == flags
    assert all(p.grad is None for p in convnet.parameters())
    assert all(not m._forward_hooks and not m._backward_hooks for m in convnet.modules())
    assert all(torch.equal(value, state[name]) for name, value in convnet.state_dict().items())


@pytest.mark.parametrize("method", METHODS)
def test_images_that_take_gradients_are_left_alone(rectified, method):
    x, target = images()
    maps = method(rectified, x, target)
    x.requires_grad_()
    assert torch.equal(method(rectified, x, target), maps)
    assert x.requires_grad and x.grad is None


def complaints():
    x, target = images()
    yield "three dimensions", x[0], target, r"\(N, C, H, W\)"
    yield "above one", x * 255, target, r"\[0, 1\]"
    yield "class too large", x, target + 4, "0…3"
    yield "class as float", x, target.double(), "int64"
    yield "too few classes", x, target[:1], "one length"
    yield "an array", x, target.numpy(), "tensors"


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("x", "target", "said"), [pytest.param(*rest, id=name) for name, *rest in complaints()])
def test_bad_images_and_classes_are_refused(rectified, method, x, target, said):
    with pytest.raises(ValueError, match=said):
        method(rectified, x, target)


@pytest.mark.parametrize("method", METHODS)
def test_a_model_that_returns_probabilities_is_refused(rectified, method):
    with pytest.raises(ValueError, match="softmax"):
        method(nn.Sequential(*rectified, nn.Softmax(1)), *images())
