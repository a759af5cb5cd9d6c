"""No function leaves a trace on a model or on images, whatever the model does; what the checks let pass and refuse."""

import copy
from collections import OrderedDict, namedtuple
from dataclasses import astuple, is_dataclass

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from twins import images

from roa_helpers import attacks, checks, explain, geometry, models, pipeline
from roa_helpers.errors import UserError

CALLS = {
    "loss_gradient": attacks.loss_gradient,
    "fgsm": lambda m, x, y: attacks.fgsm(m, x, y, eps=0.1),
    "bim": lambda m, x, y: attacks.bim(m, x, y, eps=0.1, step=0.05, steps=2),
    "pgd": lambda m, x, y: attacks.pgd(m, x, y, eps=0.1, step=0.05, steps=2, seed=0),
    "grad_cam": explain.grad_cam,
    "saliency": explain.saliency,
    "predict": lambda m, x, y: models.predict(m, x),
    "correct": models.correct,
}
BLOCKS = torch.arange(8)[:, None] // 4 * 2 + torch.arange(8) // 4
#: Every function that asks a model, for images of 8×8 pixels.
WAYS = CALLS | {
    "bim_until_success": lambda m, x, y: attacks.bim_until_success(m, x, y, eps=0.1, step=0.05, steps=2, patience=2),
    "newtonfool": lambda m, x, y: attacks.newtonfool(m, x, eta=0.01, steps=2),
    "deepfool": lambda m, x, y: attacks.deepfool(m, x, steps=2, overshoot=0.02, tolerance=1e-3),
    "deepfool, targeted": lambda m, x, y: attacks.deepfool(m, x, steps=2, overshoot=0.02, target=y),
    "universal": lambda m, x, y: attacks.universal(
        m, x, eps=1.0, norm="l2", fraction=1.0, epochs=1, steps=2, overshoot=0.02, seed=0
    ),
    "input_x_gradient": explain.input_x_gradient,
    "guided_backprop": explain.guided_backprop,
    "integrated_gradients": lambda m, x, y: explain.integrated_gradients(m, x, y, steps=3),
    "smooth_grad": lambda m, x, y: explain.smooth_grad(m, x, y, samples=2, sd=0.1, seed=0),
    "lrp_epsilon": explain.lrp_epsilon,
    "lime_image": lambda m, x, y: explain.lime_image(m, x[0], int(y[0]), samples=8, seed=0, segments=BLOCKS),
    "scores": lambda m, x, y: geometry.scores(m, x),
    "gap_gradient": lambda m, x, y: geometry.gap_gradient(m, x, (0, 1)),
    "jacobian": lambda m, x, y: geometry.jacobian(m, x),
    "mean_hessian": lambda m, x, y: geometry.mean_hessian(
        m, x[:1], pair=(0, 1), step=0.1, basis=torch.eye(192, 3, dtype=x.dtype)
    ),
    "exact_product": lambda m, x, y: geometry.exact_product(m, x, torch.ones(192), pair=(0, 1)),
    "softmax_curvatures": lambda m, x, y: geometry.softmax_curvatures(m, x, pair=(0, 1)),
    "scan": pipeline.scan,
    "scored": pipeline.scored,
}


class WrongPooling(torch.autograd.Function):
    """Average pooling whose gradient forgets the padding, as CUDA's did: moved by a pixel."""

    @staticmethod
    def forward(ctx, x, *how):
        ctx.how = x.shape, *how
        return RIGHT_POOLING(x, *how)

    @staticmethod
    def backward(ctx, gradient):
        shape, *how = ctx.how
        with torch.enable_grad():
            x = torch.zeros(shape, requires_grad=True)
            right = torch.autograd.grad(RIGHT_POOLING(x, *how), x, gradient)[0]
        return F.pad(right, (1, 0, 1, 0))[..., :-1, :-1], *[None] * len(how)


RIGHT_POOLING = F.avg_pool2d


@pytest.fixture
def wrong_pooling(monkeypatch):
    def wrong(x, size, stride, padding, *others):
        return WrongPooling.apply(x, size, stride, padding, *others)

    monkeypatch.setattr(F, "avg_pool2d", wrong)
    checks._pools_wrongly.cache_clear()
    yield
    checks._pools_wrongly.cache_clear()


def pooling(**how):
    return nn.Sequential(nn.Conv2d(3, 2, 1), nn.AvgPool2d(2, **how), nn.AdaptiveAvgPool2d(1), nn.Flatten())


@pytest.mark.parametrize("padding", [1, (0, 1)])
def test_pooling_whose_gradient_is_wrong_is_refused(wrong_pooling, padding):
    x = torch.rand(2, 3, 8, 8)
    assert models.predict(pooling(), x).shape == (2, 2)
    with pytest.raises(UserError, match="wrong gradients on cpu where averages are pooled with padding"):
        models.predict(pooling(padding=padding), x)


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode, torch.enable_grad])
def test_pooling_whose_gradient_is_right_passes(mode):
    checks._pools_wrongly.cache_clear()
    with mode():
        assert models.predict(pooling(padding=1), torch.rand(2, 3, 8, 8)).shape == (2, 2)


class Failing(nn.Module):
    """Raises in the second half of the forward pass, after ``after`` calls that go well."""

    def __init__(self, after):
        super().__init__()
        self.left = after

    def forward(self, x):
        self.left -= 1
        if self.left < 0:
            raise RuntimeError("inside forward")
        return x


def lived_in(model):
    """A model in a state that no library would restore by chance."""
    model[1].eval()
    model[4].weight.requires_grad_(False)
    model[9].weight.grad = torch.full_like(model[9].weight, 0.25)
    model[4].register_forward_hook(lambda module, inputs, output: None)
    return model


def state(model):
    return {
        "modes": [m.training for m in model.modules()],
        "flags": [p.requires_grad for p in model.parameters()],
        "gradients": [p.grad if p.grad is None else p.grad.tolist() for p in model.parameters()],
        "hooks": [(len(m._forward_hooks), len(m._forward_pre_hooks), len(m._backward_hooks)) for m in model.modules()],
        "tensors": copy.deepcopy({k: v.tolist() for k, v in model.state_dict().items()}),
    }


@pytest.mark.parametrize("call", CALLS)
def test_a_model_is_left_as_found(convnet, call):
    model = lived_in(convnet)
    x, y = images(models.CHUNK + 2, 8, dtype=torch.float32)
    before, pixels = state(model), x.clone()
    CALLS[call](model, x, y)
    assert state(model) == before
    assert torch.equal(x, pixels) and not x.requires_grad and x.grad is None


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("after", [0, 1])
def test_a_model_is_left_as_found_after_an_exception(convnet, call, after):
    model = lived_in(convnet).append(Failing(after))
    x, y = images(models.CHUNK + 2, 8, dtype=torch.float32)
    before = state(model)
    with pytest.raises(RuntimeError, match="inside forward"):
        CALLS[call](model, x, y)
    assert state(model) == before


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("grad", [True, False])
def test_results_carry_no_graph_and_the_grad_mode_stays(smooth, call, grad):
    with torch.set_grad_enabled(grad):
        assert not CALLS[call](smooth, *images()).requires_grad
        assert torch.is_grad_enabled() is grad


def test_dropout_is_off_while_attacking(convnet):
    x, y = images(3, 8, dtype=torch.float32)
    assert torch.equal(attacks.loss_gradient(convnet, x, y), attacks.loss_gradient(convnet, x, y))


# What a model does to its input


class Normalising(nn.Module):
    """Normalises what it is given, and asks a network."""

    def __init__(self, network):
        super().__init__()
        self.network = network

    def normalised(self, x):
        return (x - 0.4) / 0.2

    def forward(self, x):
        return self.network(self.normalised(x))


class InPlace(Normalising):
    """The same, in place."""

    def normalised(self, x):
        x -= 0.4
        x /= 0.2
        return x


class Assigning(Normalising):
    """The same, by writing into the tensor and through a view of it."""

    def normalised(self, x):
        x[:] = x - 0.4
        x.view(len(x), -1).div_(0.2)
        return x


def same(a, b):
    """Equal bit for bit, whether tensors, numbers, tuples or dataclasses."""
    if is_dataclass(a):
        return same(astuple(a), astuple(b))
    if isinstance(a, tuple):
        return len(a) == len(b) and all(map(same, a, b))
    return torch.equal(a, b) if torch.is_tensor(a) else a == b


def tensors(found):
    """All tensors in a result."""
    if torch.is_tensor(found):
        return [found]
    parts = astuple(found) if is_dataclass(found) else found if isinstance(found, tuple) else ()
    return [tensor for part in parts for tensor in tensors(part)]


@pytest.mark.parametrize("kind", [InPlace, Assigning])
@pytest.mark.parametrize("way", WAYS)
def test_a_model_that_works_in_place_changes_no_image_and_no_result(convnet, way, kind):
    x, y = images(3, 8, dtype=torch.float32)
    pixels, expected = x.clone(), WAYS[way](Normalising(convnet), x, y)
    found = WAYS[way](kind(convnet), x, y)
    assert torch.equal(x, pixels)
    assert same(found, expected)


def overwritten(change):
    class Overwriting(Normalising):
        def normalised(self, x):
            change(x)
            return x + 0

    return Overwriting


OVERWRITES = {
    "relu": lambda x: F.relu(x, inplace=True),
    "a row": lambda x: x[:, :, 0].zero_(),
    "data": lambda x: x.data.mul_(3),
    "out": lambda x: torch.mul(x.detach(), 2, out=x.data),
    "numpy": lambda x: x.detach().cpu().numpy().__imul__(2),
}


@pytest.mark.parametrize("change", OVERWRITES)
@pytest.mark.parametrize("call", CALLS)
def test_whatever_a_model_overwrites_the_images_stay(convnet, call, change):
    x, y = images(models.CHUNK + 2, 8, dtype=torch.float32)
    pixels = x.clone()
    CALLS[call](overwritten(OVERWRITES[change])(convnet), x, y)
    assert torch.equal(x, pixels)


@pytest.mark.parametrize("way", WAYS)
def test_images_that_take_gradients_give_the_same_results_without_a_graph(convnet, way):
    x, y = images(3, 8, dtype=torch.float32)
    expected = WAYS[way](convnet, x, y)
    x.requires_grad_()
    found = WAYS[way](convnet, x, y)
    assert not any(t.requires_grad for t in tensors(found)) and same(found, expected)
    assert x.requires_grad and x.grad is None


@pytest.mark.parametrize("within", [False, True])
@pytest.mark.parametrize("way", WAYS)
def test_images_of_inference_mode_give_the_same_results(convnet, way, within):
    plain = images(3, 8, dtype=torch.float32)
    expected = WAYS[way](convnet, *plain)
    with torch.inference_mode():
        x, y = (t.clone() for t in plain)
    with torch.inference_mode(within):
        found = WAYS[way](convnet, x, y)
        assert torch.is_inference_mode_enabled() is within
    assert x.is_inference() and same(found, expected)


def test_a_model_made_in_inference_mode_predicts_and_is_refused_where_gradients_are_wanted(convnet):
    x, y = images(3, 8, dtype=torch.float32)
    with torch.inference_mode():
        made = copy.deepcopy(convnet)
    assert torch.equal(models.predict(made, x), models.predict(convnet, x))
    assert made.training and all(p.requires_grad for p in made.parameters())
    for call in (explain.saliency, attacks.loss_gradient, explain.grad_cam, pipeline.scan):
        with pytest.raises(ValueError, match="inference_mode, which allows no gradients"):
            call(made, x, y)
    assert torch.equal(explain.saliency(copy.deepcopy(made), x, y), explain.saliency(convnet, x, y))


DTYPES = [torch.float64, torch.float32, torch.bfloat16, torch.float16]


@pytest.mark.parametrize("held", DTYPES)
@pytest.mark.parametrize("given", DTYPES)
@pytest.mark.parametrize("way", WAYS)
def test_images_and_models_of_any_two_dtypes_go_together(convnet, way, given, held):
    x, y = images(3, 8, dtype=given)
    convnet.to(held)
    found = WAYS[way](convnet, x, y)
    assert all(t.isfinite().all() for t in tensors(found) if t.is_floating_point())
    for image in (t for t in tensors(found) if t.shape == x.shape):
        assert image.dtype == given


@pytest.mark.parametrize("held", DTYPES)
@pytest.mark.parametrize("given", DTYPES)
def test_predictions_and_gradients_are_those_of_the_images_in_the_dtype_of_the_model(convnet, given, held):
    x, y = images(3, 8, dtype=given)
    convnet.to(held)
    logits, slope = models.predict(convnet, x), explain.saliency(convnet, x, y)
    assert torch.equal(logits, models.predict(convnet, x.to(held)))
    assert logits.dtype == (held if held == torch.float64 else torch.float32)
    assert torch.equal(slope, explain.saliency(convnet, x.to(held), y).to(given))


def test_a_model_of_several_dtypes_gets_the_images_as_they_are():
    seen = []

    class Mixed(nn.Module):
        def __init__(self):
            super().__init__()
            self.register_buffer("mean", torch.full((1, 3, 1, 1), 0.5))
            self.head = nn.Linear(192, 4).bfloat16()

        def forward(self, x):
            seen.append(x.dtype)
            return self.head((x - self.mean).flatten(1).to(self.head.weight.dtype))

    x, _ = images(3, 8, dtype=torch.float32)
    for given in (x, x.bfloat16(), x.double()):
        models.predict(Mixed(), given)
    assert seen == [torch.float32, torch.bfloat16, torch.float32]  # float64 is not among the model's: the widest


# What a model returns


class Answering(nn.Module):
    """A network whose answer is handed on as something else."""

    def __init__(self, network, answer):
        super().__init__()
        self.network, self.answer = network, answer

    def forward(self, x):
        return self.answer(self.network(x))


Outputs = namedtuple("Outputs", "logits aux_logits")


def spoilt(value):
    def answer(z):
        z = z.clone()
        z[-1, 1] = value
        return z

    return answer


ANSWERS = {
    "a tuple": (lambda z: (z, z.mean(0)), r"got tuple of torch.float32 \(\d+, 4\), torch.float32 \(4,\): wrap it"),
    "a named tuple": (lambda z: Outputs(z, None), r"got Outputs of torch.float32 \(\d+, 4\), NoneType: wrap it"),
    "a list": (lambda z: [z], r"got list of torch.float32 \(\d+, 4\): wrap it"),
    "a dict": (lambda z: {"logits": z}, r"got dict of 'logits': torch.float32 \(\d+, 4\): wrap it"),
    "an output of transformers": (
        lambda z: OrderedDict(loss=None, logits=z),
        "got OrderedDict of 'loss': NoneType, 'log",
    ),
    "an empty tuple": (lambda z: (), "got tuple: wrap it"),
    "nothing": (lambda z: None, "got NoneType: wrap it"),
    "an array": (lambda z: z.detach().numpy(), "got ndarray: wrap it"),
    "a number": (lambda z: float(z.detach().sum()), "got float: wrap it"),
    "one logit": (lambda z: z[:, :1], r"at least two classes, got torch.float32 \(\d+, 1\): of one logit"),
    "no logit": (lambda z: z[:, :0], r"at least two classes, got torch.float32 \(\d+, 0\)"),
    "one logit without a column": (lambda z: z[:, 0], r"a row for each image, got torch.float32 \(\d+,\)"),
    "maps": (lambda z: z[:, :, None, None], r"a row for each image, got torch.float32 \(\d+, 4, 1, 1\)"),
    "a row too many": (lambda z: torch.cat([z, z[:1]]), "a row for each image"),
    "whole numbers": (lambda z: z.long(), "floating logits .* got torch.int64"),
    "answers": (lambda z: z > 0, "floating logits .* got torch.bool"),
    "complex": (lambda z: z.to(torch.complex64), "floating logits .* got torch.complex64"),
    "NaN": (spoilt(float("nan")), r"NaN or infinite logits for 1 of \d+ images, the first \d+: look for weights"),
    "infinity": (spoilt(float("inf")), r"NaN or infinite logits for 1 of \d+ images"),
    "minus infinity": (spoilt(-float("inf")), r"NaN or infinite logits for 1 of \d+ images"),
    "only NaN": (lambda z: z * float("nan"), "NaN or infinite logits for"),
    "a sparse tensor": (lambda z: z.to_sparse(), r"dense logits, got torch.sparse_coo: take logits.to_dense\(\)"),
    "probabilities": (lambda z: z.softmax(1), "returns probabilities; remove its softmax"),
    "probabilities in bfloat16": (lambda z: z.bfloat16().softmax(1), "returns probabilities; remove its softmax"),
    "probabilities in float16": (lambda z: z.half().softmax(1), "returns probabilities; remove its softmax"),
    "certainty": (lambda z: F.one_hot(z.argmax(1), 4).float(), "returns probabilities; remove its softmax"),
}


@pytest.mark.parametrize("answer", ANSWERS)
@pytest.mark.parametrize("way", WAYS)
def test_what_is_no_logits_is_refused_wherever_it_comes_in(convnet, way, answer):
    change, said = ANSWERS[answer]
    before = state(convnet)
    with pytest.raises(ValueError, match=said):
        WAYS[way](Answering(convnet, change), *images(3, 8, dtype=torch.float32))
    assert state(convnet) == before


UNFIT = {
    "a list of modules": (lambda network: nn.ModuleList([network]), "must have a forward, which ModuleList has not"),
    "parameters": (lambda network: nn.ParameterList(network.parameters()), "must have a forward, which ParameterList"),
    "without numbers": (lambda network: network.to("meta"), "on the device meta, which holds no numbers"),
    "frozen": (lambda network: torch.jit.freeze(torch.jit.script(network.eval())), "frozen by torch.jit"),
    "frozen inside": (
        lambda network: nn.Sequential(torch.jit.freeze(torch.jit.script(network.eval()))),
        "frozen by torch.jit",
    ),
}


@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")
@pytest.mark.parametrize("kind", UNFIT)
def test_a_module_that_cannot_be_asked_is_refused_and_told_why(convnet, kind):
    change, said = UNFIT[kind]
    with pytest.raises(ValueError, match=said):
        models.predict(change(convnet), images(3, 8, dtype=torch.float32)[0])


@pytest.mark.parametrize("way", WAYS)
def test_a_function_is_no_model(convnet, way):
    with pytest.raises(ValueError, match="model must be a torch.nn.Module, got function"):
        WAYS[way](lambda x: convnet(x), *images(3, 8, dtype=torch.float32))


CUTS = {
    "detach": lambda z: z.detach(),
    "numpy": lambda z: torch.from_numpy(z.detach().numpy()),
    "round": lambda z: torch.tensor(z.tolist()),
}
WITHOUT_GRADIENT = {"predict", "correct", "lime_image", "scores", "scored"}


@pytest.mark.parametrize("cut", CUTS)
@pytest.mark.parametrize(
    "way", sorted(WAYS.keys() - WITHOUT_GRADIENT - {"deepfool", "deepfool, targeted", "universal"})
)
def test_logits_without_a_gradient_are_refused(convnet, way, cut):
    with pytest.raises(ValueError, match="there is no gradient: the logits do not depend on the image"):
        WAYS[way](Answering(convnet, CUTS[cut]), *images(3, 8, dtype=torch.float32))


def test_labels_that_are_no_class_of_the_model_are_not_counted_as_wrong(convnet):
    x, y = images(3, 8, dtype=torch.float32)
    for call in (models.correct, pipeline.scored, pipeline.scan):
        with pytest.raises(ValueError, match="labels must lie in 0…3"):
            call(convnet, x, y + 4)
        with pytest.raises(ValueError, match="labels must be an int64 tensor|a row for each image|one length"):
            call(convnet, x, y[:, None])


# What the checks let pass


@pytest.mark.parametrize("bound", [0.0, 1.0])
def test_the_bounds_themselves_are_images(bound):
    checks.images(torch.full((1, 1, 2, 2), bound))


@pytest.mark.parametrize("value", [-1e-6, 1 + 1e-6, float("nan"), float("inf")])
def test_values_beyond_the_bounds_are_not(value):
    x = torch.full((1, 1, 2, 2), 0.5)
    x[0, 0, 1, 1] = value
    with pytest.raises(ValueError, match=r"x_adv must lie in \[0, 1\]"):
        checks.images(x, name="x_adv")


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (torch.tensor(1.000001), "from 0.5 to 1.0000009536743164: "),
        (torch.tensor(1 + 2**-52, dtype=torch.float64), "from 0.5 to 1.0000000000000002: "),
        (torch.tensor(-1e-9), "from -9.999999717180685e-10 to 0.5: "),
        (torch.tensor(1.0078125, dtype=torch.bfloat16), "from 0.5 to 1.0078125: "),
        (torch.tensor(255.0), "from 0.5 to 255.0: divide bytes by 255, clamp"),
        (torch.tensor(float("nan")), "from nan to nan"),
    ],
)
def test_a_value_just_beyond_a_bound_is_told_with_all_its_digits(value, said):
    x = torch.full((1, 1, 2, 2), 0.5, dtype=value.dtype)
    x[0, 0, 1, 1] = value
    for check in (lambda: checks.images(x), lambda: explain.superpixels.check_image(x[0])):
        with pytest.raises(ValueError, match=said):
            check()


def test_sparse_images_are_refused():
    with pytest.raises(ValueError, match=r"dense tensor, got torch.sparse_coo: take x.to_dense\(\)"):
        checks.images(torch.rand(1, 1, 2, 2).to_sparse())


@pytest.mark.parametrize("dtype", DTYPES)
def test_logits_of_any_precision_pass(dtype):
    checks.logits(torch.tensor([[2.0, 3.0], [-0.5, 0.25]], dtype=dtype), 2)
    checks.logits(torch.tensor([[0.5, 0.52], [0.5, 0.49]], dtype=dtype), 2)  # the sums of no distribution


def test_the_members_of_a_long_answer_are_not_all_told():
    with pytest.raises(ValueError, match=r"got tuple of int, int, int, int, …: wrap it"):
        checks.logits(tuple(range(99)), 2)


def test_logits_that_happen_to_be_positive_pass():
    checks.logits(torch.tensor([[2.0, 3.0], [0.5, 0.7]]), 2)


def test_logits_that_happen_to_sum_to_one_pass():
    checks.logits(torch.tensor([[2.0, -1.0], [1.5, -0.5]]), 2)


def test_probabilities_do_not_pass():
    with pytest.raises(ValueError, match="probabilities"):
        checks.logits(torch.tensor([[0.2, 0.8], [0.5, 0.5]]), 2)


@pytest.mark.parametrize("value", [-0.01, 1.01, float("nan")])
def test_a_share_lies_between_0_and_1(value):
    with pytest.raises(ValueError, match="share"):
        checks.unit_interval(value, name="share")
