"""LRP: a slow twin, what it conserves in each network here, what it leaves alone, what no rule reaches."""

import pytest
import samples
import torch
import torch.nn.functional as F
import twins
from torch import nn
from torch.optim.swa_utils import AveragedModel

from roa_helpers import explain, models
from roa_helpers.compat import torchvision
from roa_helpers.explain import conservation
from roa_helpers.models import photo, resnet, small


@pytest.fixture(autouse=True)
def seeded():
    """The same weights in every run."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        yield


@pytest.fixture
def network():
    """A narrow residual network in double precision with biases, as trained."""
    return samples.disturbed(resnet.resnet(4, blocks=(1, 2, 1, 1), width=1 / 16)).double()


@pytest.fixture
def unbiased(network):
    """The same with nothing that takes relevance: means, offsets and biases are 0."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.bias.data.zero_()
            module.running_mean.zero_()
    network.network.fc.bias.data.zero_()
    return network


def batch(n=3, side=64):
    generator = torch.Generator().manual_seed(0)
    x = torch.rand(n, 3, side, side, generator=generator, dtype=torch.float64)
    return x, torch.randint(0, 4, (n,), generator=generator)


def logit(model, x, y):
    return models.predict(model, x).gather(1, y[:, None])[:, 0]


@pytest.mark.parametrize("epsilon", [1e-9, 0.05, 2.0])
def test_lrp_equals_its_twin(epsilon):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.Linear(12, 7), nn.ReLU(), nn.Linear(7, 5), nn.ReLU(), nn.Linear(5, 3))
    model = model.double()
    x, y = torch.rand(4, 3, 2, 2, dtype=torch.float64), torch.tensor([0, 1, 2, 0])
    layers = [(m.weight.tolist(), m.bias.tolist()) for m in model if isinstance(m, nn.Linear)]
    found = explain.lrp_epsilon(model, x, y, epsilon=epsilon)
    for k in range(4):
        twin = twins.lrp_epsilon(layers, x[k].flatten().tolist(), int(y[k]), epsilon)
        assert torch.allclose(found[k].flatten(), torch.tensor(twin, dtype=torch.float64), rtol=1e-9, atol=1e-12)


def test_lrp_conserves_relevance_through_residual_blocks(unbiased):
    x, y = batch()
    found, score = explain.lrp_epsilon(unbiased, x, y, epsilon=1e-12), logit(unbiased, x, y)
    assert score.abs().min() > 0.01
    assert torch.allclose(found.sum((1, 2, 3)), score, rtol=1e-4)


def test_without_canonizers_the_sums_of_residual_blocks_are_refused(unbiased, monkeypatch):
    import zennit.torchvision
    from zennit.canonizers import CompositeCanonizer

    x, y = batch()
    monkeypatch.setattr(zennit.torchvision, "ResNetBottleneckCanonizer", lambda: CompositeCanonizer(()))
    with pytest.raises(ValueError, match="Sequential computes Add outside the modules"):
        explain.lrp_epsilon(unbiased, x, y, epsilon=1e-12)


def test_lrp_without_epsilon_is_normalised_input_times_gradient(network):
    x, y = batch()
    expected = (x - network.mean) * explain.saliency(network, x, y)
    found = explain.lrp_epsilon(network, x, y, epsilon=1e-12)
    assert torch.allclose(found, expected, rtol=0, atol=1e-4 * expected.abs().max().item())


def test_epsilon_takes_relevance(unbiased):
    x, y = batch()
    sizes = [explain.lrp_epsilon(unbiased, x, y, epsilon=e).abs().sum().item() for e in (1e-6, 0.1, 10.0)]
    assert sizes[0] > sizes[1] > sizes[2]


def test_folded_normalisations_change_nothing(network):
    x, y = batch()
    found = [explain.lrp_epsilon(model, x, y, epsilon=1e-9) for model in (network, resnet.folded(network))]
    assert torch.allclose(*found, rtol=0, atol=1e-9 * found[0].abs().max().item())


def positive_constants_only(batch_norm):
    """torch's normalisation as 2.10 and 2.11 do it."""

    def refusing(*args):
        if args[7] <= 0:
            raise ValueError(f"batch_norm eps must be positive, but got {args[7]}")
        return batch_norm(*args)

    return refusing


FOLDED = {
    "Conv2d": lambda: nn.Conv2d(4, 4, 3, padding=1),
    "Conv2d without bias": lambda: nn.Conv2d(4, 4, 3, padding=1, bias=False),
    "ConvTranspose2d in groups": lambda: nn.ConvTranspose2d(4, 4, 3, padding=1, groups=2),
}


@pytest.mark.parametrize("layer", FOLDED)
@pytest.mark.parametrize("constant", [1e-5, 0.5, 3.0])
def test_the_constant_of_a_normalisation_is_folded_too(monkeypatch, layer, constant):
    """By zennit 0.5 it was not; zennit 1.0 sets it to 0, which some releases of torch refuse."""
    x, y = batch(side=8)
    model = samples.disturbed(chain(FOLDED[layer](), nn.BatchNorm2d(4, eps=constant), nn.ReLU()))
    expected = explain.input_x_gradient(model, x, y)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    assert expected.abs().max() > 1e-3
    monkeypatch.setattr(F, "batch_norm", positive_constants_only(F.batch_norm))
    found = explain.lrp_epsilon(model, x, y, epsilon=1e-12)
    assert torch.allclose(found, expected, rtol=0, atol=1e-8 * expected.abs().max().item())
    after = model.state_dict()
    assert after.keys() == before.keys() and all(torch.equal(after[name], before[name]) for name in before)


def test_lrp_leaves_the_model_as_it_found_it(network):
    before = {name: value.clone() for name, value in network.state_dict().items()}
    parameters = dict(network.named_parameters())
    x, y = batch()
    forward = [module.forward for module in network.modules()]
    with pytest.raises(ValueError, match="labels must lie in"):
        explain.lrp_epsilon(network, x, y + 4)
    explain.lrp_epsilon(network, x, y)
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert forward == [module.forward for module in network.modules()]
    assert all(p is parameters[name] and p.requires_grad for name, p in network.named_parameters())
    assert not any(m._forward_hooks or m._forward_pre_hooks or m._backward_hooks for m in network.modules())


# The other networks of the package


MEAN = torch.rand(3, 32, 32, generator=torch.Generator().manual_seed(1))
NETWORKS = {
    "vgg16": lambda: models.vgg16(4, width=1 / 8),
    "lenet": lambda: small.lenet(4, mean=MEAN, width=0.2),
    "nin": lambda: small.nin(4, mean=MEAN, width=0.2),
    "alexnet": lambda: small.alexnet(4, mean=MEAN, width=0.2),
    "a photo network": lambda: photo.Normalised(torchvision.models.resnet18(num_classes=4)),
}


@pytest.fixture(params=NETWORKS)
def one(request):
    """A network in double precision, as trained; its normalisations have no constant that folding would leave."""
    model = samples.disturbed(NETWORKS[request.param]()).double()
    generator = torch.Generator().manual_seed(2)
    for module in model.modules():
        if isinstance(module, nn.modules.batchnorm._NormBase):
            module.eps = 1e-14
        elif getattr(module, "bias", None) is not None:
            module.bias.data.uniform_(-0.1, 0.1, generator=generator)
    return model


def test_relevance_of_each_network_is_normalised_input_times_gradient(one):
    x, y = batch(side=32)
    expected = (x - one.mean) * explain.saliency(one, x, y)
    found = explain.lrp_epsilon(one, x, y, epsilon=1e-12)
    assert expected.abs().max() > 1e-4
    assert torch.allclose(found, expected, rtol=0, atol=1e-6 * expected.abs().max().item())


def test_relevance_of_each_network_adds_up_to_the_logit_where_nothing_takes_any(one):
    for module in one.modules():
        if isinstance(module, nn.modules.batchnorm._NormBase):
            module.running_mean.zero_()
        if getattr(module, "bias", None) is not None:
            module.bias.data.zero_()
    x, y = batch(side=32)
    found, score = explain.lrp_epsilon(one, x, y, epsilon=1e-12), logit(one, x, y)
    assert score.abs().min() > 1e-3
    assert torch.allclose(found.sum((1, 2, 3)), score, rtol=1e-7)


@pytest.mark.parametrize("epsilon", [0.0, -1.0, float("inf")])
def test_lrp_refuses(network, epsilon):
    with pytest.raises(ValueError, match="epsilon must be"):
        explain.lrp_epsilon(network, *batch(1), epsilon=epsilon)


# What no rule reaches


class Block(nn.Module):
    """x + f(x) with f two convolutions without biases, the sum written out or as a module."""

    def __init__(self, sum_=None):
        super().__init__()
        self.first, self.relu = nn.Conv2d(4, 6, 3, padding=1, bias=False), nn.ReLU()
        self.second, self.sum = nn.Conv2d(6, 4, 3, padding=1, bias=False), sum_

    def forward(self, x):
        f = self.second(self.relu(self.first(x)))
        return x + f if self.sum is None else self.sum(torch.stack([x, f], -1))


def chain(*parts):
    """Parts (N, 4, h, w) → (N, 4, h, w) between a convolution and a linear layer, without biases, in float64."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        for part in parts:
            for parameter in part.parameters():
                nn.init.normal_(parameter, std=0.3)
        first, last = nn.Conv2d(3, 4, 3, padding=1, bias=False), nn.Linear(4, 4, bias=False)
    return nn.Sequential(first, nn.ReLU(), *parts, nn.AdaptiveAvgPool2d(1), nn.Flatten(), last).double()


def through(function):
    """A function of maps as a module that has no rule."""

    class Through(nn.Module):
        def forward(self, x):
            return function(x)

    return Through()


@pytest.mark.parametrize("count", [1, 2, 5])
def test_plain_sums_are_refused_and_sums_as_modules_are_conserved(count):
    from zennit.layer import Sum

    x, y = batch(side=8)
    with pytest.raises(ValueError, match="would not conserve relevance.*: Sequential computes Add outside the modules"):
        explain.lrp_epsilon(chain(*(Block() for _ in range(count))), x, y)
    model = chain(*(Block(Sum()) for _ in range(count)))
    found, score = explain.lrp_epsilon(model, x, y, epsilon=1e-12), logit(model, x, y)
    assert torch.allclose(found.sum((1, 2, 3)), score, rtol=1e-6)
    assert torch.allclose(found, explain.input_x_gradient(model, x, y), rtol=0, atol=1e-6 * found.abs().max().item())


@pytest.mark.parametrize("count", [1, 3])
def test_relevance_that_doubles_at_every_sum_is_refused_by_its_sum_alone(monkeypatch, count):
    x, y = batch(side=8)
    model = chain(*(Block() for _ in range(count)))
    monkeypatch.setattr(conservation, "MOVES", conservation.MOVES | {"Add"})
    score = logit(model, x, y)[0]
    with pytest.raises(ValueError, match="LRP did not conserve relevance for 3 of 3 images") as refusal:
        explain.lrp_epsilon(model, x, y, epsilon=1e-12)
    words = str(refusal.value).replace(";", "").split()
    first, second = float(words[words.index("to") + 1]), float(words[words.index("leaves") + 1])
    assert first == pytest.approx(2**count * float(score), rel=1e-5)
    assert second == pytest.approx(float(score), rel=1e-5)


def test_relevance_is_conserved_but_for_what_layers_take(network):
    """With biases and a large ε: what is lost on the way is what the layers take, to the last digits."""
    x, y = batch()
    seen = []
    original = conservation.Watch.conserved

    def recorded(watch, score, relevance):
        seen.append((score - watch.taken, relevance.sum((1, 2, 3)), score))
        original(watch, score, relevance)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(conservation.Watch, "conserved", recorded)
        explain.lrp_epsilon(network, x, y, epsilon=0.05)
    ((expected, found, score),) = seen
    assert torch.allclose(found, expected, rtol=1e-9, atol=1e-12)
    assert ((score - found).abs() > 0.1 * score.abs()).all()


UNREACHED = {
    "a mean": (lambda x: x.mean((2, 3), keepdim=True).expand_as(x), "Mean"),
    "functional pooling": (lambda x: F.avg_pool2d(x, 2), "AvgPool2D"),
    "functional global pooling": (lambda x: F.adaptive_avg_pool2d(x, 1), "Mean"),
    "a normalisation": (lambda x: (x - 0.5) / 0.25, "Div, Sub"),
    "a scale": (lambda x: 2 * x, "Mul"),
    "a constant": (lambda x: x + 1, "Add"),
    "a gate": (lambda x: x * x.sigmoid(), "Mul, Sigmoid"),
    "a functional convolution": (lambda x: F.conv2d(x, torch.ones(4, 4, 1, 1).double()), "Convolution"),
    "a product of matrices": (lambda x: x @ torch.ones(8, 8).double(), "Bmm|Mm"),
    "a resize": (lambda x: F.interpolate(x, scale_factor=2, mode="bilinear"), "UpsampleBilinear2D"),
    "batch normalisation": (lambda x: F.batch_norm(x, torch.zeros(4).double(), torch.ones(4).double()), "BatchNorm"),
    "leaky ReLU": (lambda x: F.leaky_relu(x), "LeakyRelu"),
    "layer normalisation": (nn.LayerNorm(8).double(), "LayerNorm"),
}


@pytest.mark.parametrize("name", UNREACHED)
def test_whatever_is_computed_outside_modules_with_a_rule_is_refused_by_name(name):
    function, said = UNREACHED[name]
    with pytest.raises(ValueError, match=f"Sequential computes .*({said}).* outside the modules that rules are for"):
        explain.lrp_epsilon(chain(through(function)), *batch(side=8))


MOVED = {
    "relu": (F.relu, nn.ReLU()),
    "relu in place": (lambda x: F.relu_(x), nn.ReLU()),
    "maximum": (lambda x: F.max_pool2d(x, 2), nn.MaxPool2d(2)),
    "parts, turned and put together": (
        lambda x: torch.cat([x[:, 2:], x[:, :2].flip(3).flip(3)], 1).roll(2, 1),
        nn.Identity(),
    ),
    "chunks": (lambda x: torch.cat(x.chunk(2, 1), 1), nn.Identity()),
    "another shape": (lambda x: x.flatten(2).transpose(1, 2).permute(0, 2, 1).reshape(x.shape).clone(), nn.Identity()),
    "dropout": (lambda x: F.dropout(x, training=False), nn.Dropout()),
}


@pytest.mark.parametrize("name", MOVED)
def test_what_only_moves_entries_is_as_good_as_a_module(name):
    function, module = MOVED[name]
    x, y = batch(side=8)
    parts = [[nn.Conv2d(4, 4, 1), part, nn.Conv2d(4, 4, 1)] for part in (through(function), module)]
    found, expected = (explain.lrp_epsilon(chain(*three), x, y) for three in parts)
    assert torch.equal(found, expected)


def test_a_layer_that_is_called_twice_is_refused():
    layer = nn.Conv2d(4, 4, 3, padding=1)
    with pytest.raises(ValueError, match="a module for each layer.*Sequential calls one Conv2d twice"):
        explain.lrp_epsilon(chain(layer, layer), *batch(side=8))
    relu = nn.ReLU()
    explain.lrp_epsilon(chain(layer, relu, nn.Conv2d(4, 4, 1), relu), *batch(side=8))


def test_a_layer_that_is_called_by_keyword_is_refused():
    class Keyword(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Conv2d(4, 4, 1)

        def forward(self, x):
            return self.layer(input=x)

    with pytest.raises(ValueError, match="called by position; a Conv2d is by keyword"):
        explain.lrp_epsilon(chain(Keyword()), *batch(side=8))


def test_a_layer_that_is_given_other_rows_than_images_is_refused():
    class Rows(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(8, 8)

        def forward(self, x):
            return self.layer(x.reshape(-1, 8)).reshape(x.shape)

    with pytest.raises(ValueError, match="a row for each image; Sequential hands 96 rows to a Linear for 3 images"):
        explain.lrp_epsilon(chain(Rows()), *batch(side=8))


# Networks that zennit would rewrite into others


def untouched(model, said):
    """LRP refuses and leaves weights, hooks and forwards alone."""
    before = {name: value.clone() for name, value in model.state_dict().items()}
    with pytest.raises(ValueError, match=said):
        explain.lrp_epsilon(model, *batch(side=8))
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert not any(m._forward_hooks or m._forward_pre_hooks or m._backward_hooks for m in model.modules())
    assert not any("forward" in vars(m) for m in model.modules())


class Disordered(nn.Module):
    """A normalisation behind the first of two convolutions, defined behind the second."""

    def __init__(self):
        super().__init__()
        self.first, self.second, self.norm = nn.Conv2d(4, 4, 1), nn.Conv2d(4, 4, 1), nn.BatchNorm2d(4)

    def forward(self, x):
        return self.second(self.norm(self.first(x)))


class Dense(nn.Module):
    """A normalisation of all that came before, as in DenseNet: its layer before has fewer channels."""

    def __init__(self):
        super().__init__()
        self.first, self.norm = nn.Conv2d(4, 2, 1), nn.BatchNorm2d(6)
        self.second = nn.Conv2d(6, 4, 1)

    def forward(self, x):
        return self.second(self.norm(torch.cat([x, self.first(x)], 1)))


class Scaled(torchvision.models.resnet.BasicBlock):
    """A residual block with a forward of its own, which zennit replaces by torchvision's."""

    def forward(self, x):
        return F.relu(3 * self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x))))) + x)


REWRITTEN = {
    "another order": (lambda: samples.disturbed(Disordered()), "the folded network gives other logits"),
    "other channels": (Dense, "in Sequential BatchNorm2d.* follows Conv2d.* and cannot be"),
    "before any convolution": (lambda: nn.Sequential(nn.ReLU(), nn.BatchNorm2d(4)), "follows ReLU.* and cannot be"),
    "without weights": (
        lambda: nn.Sequential(nn.Conv2d(4, 4, 1), nn.BatchNorm2d(4, affine=False)),
        "BatchNorm2d.*affine=False.* follows Conv2d.* and cannot be",
    ),
    "without statistics": (
        lambda: nn.Sequential(nn.Conv2d(4, 4, 1), nn.BatchNorm2d(4, track_running_stats=False)),
        "track_running_stats=False.* and cannot be",
    ),
    "with a weight that is computed": (
        lambda: nn.Sequential(nn.utils.parametrizations.weight_norm(nn.Conv2d(4, 4, 1)), nn.BatchNorm2d(4)),
        "and cannot be",
    ),
    "a block of one's own": (lambda: samples.disturbed(Scaled(4, 4)), "the folded network gives other logits"),
}


@pytest.mark.parametrize("name", REWRITTEN)
def test_a_network_that_folding_would_change_is_refused_and_left_as_it_was(name):
    build, said = REWRITTEN[name]
    untouched(chain(build()), said)


def test_networks_of_torchvision_are_conserved_or_refused():
    x, y = (t.float() if t.is_floating_point() else t for t in batch(2))
    for name in ("resnet18", "vgg11_bn", "alexnet", "squeezenet1_1"):
        model = samples.disturbed(torchvision.models.get_model(name, num_classes=4))
        assert explain.lrp_epsilon(model, x, y).isfinite().all()
    for name, said in (("densenet121", "cannot be"), ("mobilenet_v2", "Add, Mean"), ("regnet_x_400mf", "Add")):
        with pytest.raises(ValueError, match=said):
            explain.lrp_epsilon(torchvision.models.get_model(name, num_classes=4), x, y)


# Wrappers and compilers

WRAPPERS = {
    "Sequential": nn.Sequential,
    "DataParallel": nn.DataParallel,
    "AveragedModel": AveragedModel,
    "compile": lambda model: torch.compile(model, backend="eager"),
    "several": lambda model: nn.Sequential(torch.compile(nn.DataParallel(model), backend="eager")),
}


@pytest.mark.parametrize("wrapper", WRAPPERS)
def test_a_wrapper_changes_no_relevance(network, wrapper):
    x, y = batch()
    expected = explain.lrp_epsilon(network, x, y)
    wrapped = WRAPPERS[wrapper](network)
    wrapped(x)  # compiled before there were hooks
    assert torch.equal(explain.lrp_epsilon(wrapped, x, y), expected)
    score = logit(network, x, y)[:, None, None, None]
    assert not torch.allclose(expected, score * explain.saliency(network, x, y))  # what compiled code gave


class Halves(nn.DataParallel):
    """What DataParallel does on two devices: the network sees one half of the images after the other."""

    def forward(self, x):
        return torch.cat([self.module(half) for half in x.chunk(2)])


def test_a_wrapper_that_splits_the_images_changes_no_relevance(network):
    x, y = batch(4)
    expected = explain.lrp_epsilon(network, x, y)
    assert torch.equal(explain.lrp_epsilon(Halves(network), x, y), expected)
    network.network = Halves(network.network)
    assert torch.equal(explain.lrp_epsilon(network, x, y), expected)
    split = nn.Sequential(Halves(chain(nn.Conv2d(4, 4, 1))), nn.Identity())
    with pytest.raises(ValueError, match="hands 2 rows to a Linear for 4 images|calls one .* twice"):
        explain.lrp_epsilon(split, x[..., :8, :8], y)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_relevance_is_conserved_in_any_precision(network, dtype):
    x, y = batch()
    expected = explain.lrp_epsilon(network, x, y)
    found = explain.lrp_epsilon(network.to(dtype), x, y)
    assert found.dtype == x.dtype
    likeness = F.cosine_similarity(found.flatten(1), expected.flatten(1))
    assert likeness.min() > (0.99999 if dtype == torch.float32 else 0.9)


def test_compiled_parts_change_no_relevance(network):
    x, y = batch()
    expected = explain.lrp_epsilon(network, x, y)
    network.network.layer2 = torch.compile(network.network.layer2, backend="eager")
    network.network.layer3.compile(backend="eager")
    network(x)
    assert torch.equal(explain.lrp_epsilon(network, x, y), expected)
    network.network = torch.compile(network.network, backend="eager")
    network(x)
    assert torch.equal(explain.lrp_epsilon(network, x, y), expected)


@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")
def test_torchscript_is_refused():
    x, y = batch(side=8)
    model = chain(nn.Conv2d(4, 4, 1), nn.ReLU())
    traced = torch.jit.trace(model[2:], model[:2](x).detach())
    for hidden in (torch.jit.trace(model, x), nn.Sequential(model[:2], traced)):
        with pytest.raises(ValueError, match="computes .*Convolution.* outside the modules"):
            explain.lrp_epsilon(hidden, x, y)
