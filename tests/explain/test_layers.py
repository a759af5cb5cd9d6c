"""Where Grad-CAM looks by default: through wrappers, behind joints of branches, and where that is refused."""

import pytest
import torch
import torch.nn.functional as F
import twins
from torch import nn
from torch.optim.swa_utils import AveragedModel
from twins import images

from roa_helpers import explain, models, pipeline
from roa_helpers.compat import torchvision
from roa_helpers.models import photo, resnet, small


@pytest.fixture(autouse=True)
def seeded():
    """The same weights in every run."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        yield


def built(name, **options):
    """A network of torchvision with four classes, the same each time."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return torchvision.models.get_model(name, num_classes=4, **options).eval()


def looked_at(model, layer, x):
    """How many channels Grad-CAM sees."""
    with explain.capture(layer) as seen, models.frozen(model):
        model(x)
    return seen[0].shape[1]


def conv(before, after):
    return nn.Conv2d(before, after, 3, padding=1)


def head(channels):
    return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, 4))


# torchvision's networks and ours

CHOSEN = {
    "inception_v3": (80, {"init_weights": False}, "Mixed_7c", 2048),
    "googlenet": (64, {"init_weights": False, "aux_logits": False}, "inception5b", 1024),
    "densenet121": (64, {}, "features", 1024),
    "resnet18": (64, {}, "layer4", 512),
    "resnext50_32x4d": (64, {}, "layer4", 2048),
    "regnet_x_400mf": (64, {}, "trunk_output", 400),
    "regnet_y_400mf": (64, {}, "trunk_output", 440),
    "convnext_tiny": (64, {}, "features", 768),
    "vgg16": (48, {}, "features.28", 512),
    "mobilenet_v2": (64, {}, "features.18.0", 1280),
    "efficientnet_b0": (64, {}, "features.8.0", 1280),
    "squeezenet1_1": (64, {}, "classifier.1", 4),
}


@pytest.mark.parametrize("name", CHOSEN)
def test_the_last_feature_map_that_all_passes_through_is_chosen(name):
    side, options, place, channels = CHOSEN[name]
    model, (x, target) = built(name, **options), images(2, side, dtype=torch.float32)
    layer = model.get_submodule(place)
    assert explain.cam_layer(model, x) is layer and looked_at(model, layer, x) == channels
    cam = explain.grad_cam(model, x, target)
    assert torch.equal(cam, explain.grad_cam(model, x, target, layer=layer))
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in model.modules())


@pytest.mark.parametrize("side", [32, 64])
def test_a_map_of_one_position_is_still_the_last(side):
    x, _ = images(1, side, dtype=torch.float32)
    for name, place in (("resnet18", "layer4"), ("densenet121", "features"), ("mobilenet_v2", "features.18.0")):
        model = built(name)
        assert explain.cam_layer(model, x) is model.get_submodule(place)


def test_grad_cam_of_a_residual_network_equals_its_twin():
    model, (x, target) = built("resnet18").double(), images(2, 48)
    parts = list(model.children())
    front, back = nn.Sequential(*parts[:-2]), nn.Sequential(parts[-2], nn.Flatten(), parts[-1])
    cam = explain.grad_cam(model, x, target)
    for k in range(len(x)):
        expected = twins.grad_cam(front, back, x[k], int(target[k]))
        assert expected.max() > 0 and torch.allclose(cam[k], expected, rtol=1e-9, atol=1e-12)


OURS = {
    "vgg": (lambda: models.vgg16(4, width=1 / 16), lambda m: m.features[-2]),
    "resnet": (lambda: resnet.resnet(4, blocks=(1, 1, 1, 1), width=1 / 16), lambda m: m.network.layer4),
    "lenet": (lambda: small.lenet(4, mean=torch.zeros(3, 32, 32), width=0.2), lambda m: m.features[3]),
    "nin": (lambda: small.nin(4, mean=torch.zeros(3, 32, 32), width=0.1), lambda m: m.features[-1]),
    "photo": (lambda: photo.Normalised(built("regnet_x_400mf")), lambda m: m.body.trunk_output),
    "photo without a module that pools": (lambda: photo.Normalised(built("densenet121")), lambda m: m.body.features),
    "photo that pools in its head": (lambda: photo.Normalised(built("squeezenet1_1")), lambda m: m.body.classifier[1]),
}
WRAPPERS = {
    "Sequential": nn.Sequential,
    "DataParallel": nn.DataParallel,
    "AveragedModel": AveragedModel,
    "several": lambda model: nn.Sequential(nn.DataParallel(nn.Sequential(model))),
    "compile": lambda model: torch.compile(model, backend="eager"),
    "compile of a wrapper": lambda model: torch.compile(nn.DataParallel(model), backend="eager"),
    "a wrapper of compile": lambda model: nn.Sequential(torch.compile(model, backend="eager")),
}


@pytest.mark.parametrize("name", OURS)
def test_our_networks_name_their_layer_or_show_it(name):
    build, layer = OURS[name]
    model, (x, _) = build(), images(1, 32, dtype=torch.float32)
    assert explain.cam_layer(model, x) is layer(model)


@pytest.mark.parametrize("wrapper", WRAPPERS)
@pytest.mark.parametrize("name", ["vgg", "resnet", "photo without a module that pools"])
def test_a_wrapper_changes_no_map(name, wrapper):
    model, (x, target) = OURS[name][0](), images(3, 32, dtype=torch.float32)
    expected = explain.grad_cam(model, x, target)
    wrapped = WRAPPERS[wrapper](model)
    if wrapper != "AveragedModel":  # which holds a copy
        assert explain.cam_layer(wrapped, x) is explain.cam_layer(model, x)
    assert torch.equal(explain.grad_cam(wrapped, x, target), expected)


class Shifted(nn.Module):
    """Half of each pixel, in front of a network."""

    def forward(self, x):
        return x / 2


@pytest.mark.parametrize("inner", ["Sequential", "DataParallel", "compile"])
def test_a_network_behind_other_modules_keeps_its_layer(inner):
    model, (x, target) = models.vgg16(4, width=1 / 16), images(3, 32, dtype=torch.float32)
    behind = nn.Sequential(Shifted(), WRAPPERS[inner](model))
    assert explain.cam_layer(behind, x) is model.features[-2]
    assert torch.equal(explain.grad_cam(behind, x, target), explain.grad_cam(model, x / 2, target))


def test_a_part_that_was_compiled_is_looked_into():
    model, (x, target) = built("resnet18"), images(2, 32, dtype=torch.float32)
    expected = explain.grad_cam(model, x, target)
    model.layer4 = torch.compile(model.layer4, backend="eager")
    model(x)  # compiled before there was a hook
    inner = model.layer4._orig_mod
    assert torch.equal(explain.grad_cam(model, x, target), expected)
    assert torch.equal(explain.grad_cam(model, x, target, layer=inner[-1]), expected)
    model.fc.compile(backend="eager")
    assert torch.equal(explain.grad_cam(model, x, target), expected)


class Halves(nn.DataParallel):
    """What DataParallel does on two devices: the network sees one half of the images after the other."""

    def forward(self, x):
        return torch.cat([self.module(half) for half in x.chunk(2)])


def test_a_wrapper_that_splits_the_images_changes_no_map():
    model, (x, target) = models.vgg16(4, width=1 / 16).double(), images(6, 32)
    expected = explain.grad_cam(model, x, target)
    assert torch.equal(explain.grad_cam(Halves(model), x, target), expected)
    assert torch.equal(pipeline.scan(Halves(model), x, target).cam, expected)
    within = nn.Sequential(Halves(nn.Sequential(conv(3, 5), nn.ReLU())), head(5)).double()
    with pytest.raises(ValueError, match=r"return maps \(6, K, h, w\) .* got torch.float64 \(3, 5, 32, 32\)"):
        explain.grad_cam(within, x, target)
    outside = explain.grad_cam(within, x, target, layer=within[0])
    assert torch.equal(
        outside, explain.grad_cam(nn.Sequential(within[0].module, within[1]), x, target, layer=within[0].module)
    )


def test_a_wrapper_that_computes_something_is_no_wrapper():
    model, (x, target) = models.vgg16(4, width=1 / 16), images(3, 32, dtype=torch.float32)
    wrapped = nn.Sequential(model)
    wrapped.register_forward_pre_hook(lambda module, inputs: (inputs[0] / 2,))
    assert torch.equal(explain.grad_cam(wrapped, x, target), explain.grad_cam(model, x / 2, target))


# Branches


class Joined(nn.Module):
    """A stem, two branches, what joins them, a head."""

    def __init__(self, join, channels):
        super().__init__()
        self.stem, self.left, self.right = conv(3, 5), conv(5, 5), conv(5, 5)
        self.join, self.head = join, head(channels)

    def forward(self, x):
        x = self.stem(x).relu()
        return self.head(self.join(self.left(x), self.right(x), x))


class Of(nn.Module):
    """A function of tensors as a module."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, *tensors):
        return self.function(*tensors)


JOINTS = {
    "concatenation": (lambda a, b, x: torch.cat([a, b], 1), 10),
    "concatenation with the stem": (lambda a, b, x: torch.cat([a, b, x], 1), 15),
    "sum": (lambda a, b, x: a + b, 5),
    "product with a gate": (lambda a, b, x: a * b.mean((2, 3), keepdim=True).sigmoid(), 5),
}


@pytest.mark.parametrize("joint", JOINTS)
def test_behind_a_joint_all_channels_are_seen(joint):
    function, channels = JOINTS[joint]
    model, (x, target) = Joined(Of(function), channels), images(2, 8, dtype=torch.float32)
    assert explain.cam_layer(model, x) is model.join and looked_at(model, model.join, x) == channels
    assert torch.equal(explain.grad_cam(model, x, target), explain.grad_cam(model, x, target, layer=model.join))


def test_a_joint_that_is_no_module_is_refused_by_the_name_of_the_network():
    class Unseen(Joined):
        def forward(self, x):
            x = self.stem(x).relu()
            return self.head(torch.cat([self.left(x), self.right(x)], 1).relu())

    model, (x, target) = Unseen(None, 10), images(2, 8, dtype=torch.float32)
    with pytest.raises(ValueError, match=r"Unseen joins branches .* layer=…"):
        explain.grad_cam(model, x, target)
    cam = explain.grad_cam(model, x, target, layer=model.left)
    assert cam.shape == (2, 8, 8)


def test_a_module_that_is_called_again_behind_the_maps_shows_only_its_last_output():
    class Shared(Joined):
        def forward(self, x):
            x = self.stem(x).relu()
            made = self.join(self.left(x), self.right(x))
            return self.join(self.head(made), self.head(made))

    model, (x, target) = Shared(Of(torch.add), 5), images(2, 8, dtype=torch.float32)
    with pytest.raises(ValueError, match=r"Shared joins branches .* layer=…"):
        explain.grad_cam(model, x, target)


def test_networks_side_by_side_are_refused():
    class Committee(nn.Module):
        def __init__(self):
            super().__init__()
            self.members = nn.ModuleList([models.vgg16(4, width=1 / 16, seed=s) for s in (0, 1)])

        def forward(self, x):
            return sum(member(x) for member in self.members) / 2

    x, target = images(2, 32, dtype=torch.float32)
    with pytest.raises(ValueError, match=r"Committee joins branches .* layer=…"):
        explain.grad_cam(Committee(), x, target)


def test_a_layer_that_is_named_inside_but_bypassed_is_not_taken():
    class Bypassed(nn.Module):
        def __init__(self):
            super().__init__()
            self.body = small.lenet(4, mean=torch.zeros(3, 16, 16), width=0.2)
            self.after = nn.Sequential(conv(3, 6), nn.ReLU(), head(6))

        def forward(self, x):
            return self.body(x) + self.after(x)

    x, target = images(2, 16, dtype=torch.float32)
    with pytest.raises(ValueError, match="Bypassed joins branches"):
        explain.grad_cam(Bypassed(), x, target)


class Squeezed(nn.Module):
    """A convolution whose channels are weighed by two 1×1 convolutions on its pooled map."""

    def __init__(self, *, residual):
        super().__init__()
        self.residual = residual
        self.first, self.gate = (
            conv(3, 6),
            nn.Sequential(nn.Conv2d(6, 2, 1), nn.ReLU(), nn.Conv2d(2, 6, 1), nn.Sigmoid()),
        )

    def forward(self, x):
        made = self.first(x)
        weighed = made * self.gate(F.adaptive_avg_pool2d(made, 1))
        return weighed + x if self.residual else weighed


def test_a_gate_of_convolutions_is_not_the_last_map():
    x, _ = images(2, 8, dtype=torch.float32)
    plain, residual = Squeezed(residual=False), Squeezed(residual=True)
    residual.first = conv(6, 6)
    assert explain.cam_layer(nn.Sequential(plain, head(6)), x) is plain.first
    assert explain.cam_layer(nn.Sequential(conv(3, 6), nn.ReLU(), residual, head(6)), x) is residual


@pytest.mark.parametrize("pool", [nn.AdaptiveAvgPool2d(1), Of(lambda x: x.mean((2, 3), keepdim=True))])
def test_a_head_of_1x1_convolutions_on_a_pooled_map_is_a_linear_layer(pool):
    last = conv(5, 6)
    top = nn.Sequential(pool, nn.Conv2d(6, 7, 1), nn.ReLU(), nn.Conv2d(7, 4, 1), nn.Flatten())
    model, (x, target) = nn.Sequential(conv(3, 5), nn.ReLU(), last, nn.ReLU(), top), images(2, 8, dtype=torch.float32)
    assert explain.cam_layer(model, x) is last
    cam = explain.grad_cam(model, x, target)
    assert cam.flatten(1).std(1).max() > 0  # not one value everywhere


def test_convolutions_that_shrink_the_image_to_one_position_are_not_skipped():
    last = nn.Conv2d(5, 4, 1)
    model = nn.Sequential(conv(3, 5), nn.Conv2d(5, 5, 8), nn.ReLU(), last, nn.Flatten())
    assert explain.cam_layer(model, images(1, 8, dtype=torch.float32)[0]) is last


def test_a_layer_with_weights_of_its_own_behind_the_last_convolution_is_refused():
    class Tokens(nn.Module):
        """A transformer: patches by a convolution, then layers on rows of tokens."""

        def __init__(self):
            super().__init__()
            self.patches, self.head = nn.Conv2d(3, 8, 4, stride=4), nn.Linear(8, 4)
            self.body = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)

        def forward(self, x):
            return self.head(self.body(self.patches(x).flatten(2).transpose(1, 2)).mean(1))

    class ChannelsLast(Tokens):
        def __init__(self):
            super().__init__()
            self.body = nn.Sequential(nn.Linear(8, 9), nn.GELU(), nn.Linear(9, 8))

        def forward(self, x):
            return self.head(self.body(self.patches(x).permute(0, 2, 3, 1)).mean((1, 2)))

    class OfItsOwn(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.ones(6, 5, 3, 3))

        def forward(self, x):
            return F.conv2d(x, self.weight, stride=2)

    x, target = images(2, 8, dtype=torch.float32)
    strided = nn.Sequential(conv(3, 5), OfItsOwn(), head(6))
    for model, names in ((Tokens(), "Tokens"), (ChannelsLast(), "ChannelsLast"), (strided, "Sequential")):
        with pytest.raises(ValueError, match=rf"{names} goes on working on its maps behind the last conv.* layer=…"):
            explain.grad_cam(model, x, target)


@pytest.mark.parametrize("behind", [nn.BatchNorm2d(5), nn.GroupNorm(1, 5), nn.PReLU(5), nn.LayerNorm(8)])
def test_normalisations_behind_the_last_convolution_are_no_layer(behind):
    last = conv(3, 5)
    model = nn.Sequential(last, behind, nn.ReLU(), head(5))
    assert explain.cam_layer(model, images(1, 8, dtype=torch.float32)[0]) is last


# Without images, TorchScript, and what is not a layer


def test_without_images_a_grey_one_is_followed():
    model = nn.Sequential(nn.Conv2d(1, 3, 5, stride=4), nn.ReLU(), head(3))
    assert explain.cam_layer(model) is model[0]
    fixed = nn.Sequential(conv(3, 2), nn.Flatten(), nn.Linear(128, 4))
    with pytest.raises(ValueError, match="Sequential takes no image of 224×224 pixels: pass images"):
        explain.cam_layer(fixed)
    assert explain.cam_layer(fixed, images(1, 8, dtype=torch.float32)[0]) is fixed[0]


@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")
def test_torchscript_is_refused_by_name():
    x, target = images(2, 8, dtype=torch.float32)
    plain = nn.Sequential(conv(3, 5), nn.ReLU(), head(5)).eval()
    traced = torch.jit.trace(plain, x)
    for model in (torch.jit.script(plain), traced, nn.Sequential(traced, nn.Identity())):
        with pytest.raises(ValueError, match="Sequential is TorchScript, in which no layer can be looked at"):
            explain.grad_cam(model, x, target)
    with pytest.raises(ValueError, match="no layer of TorchScript can be looked at"):
        explain.grad_cam(traced, x, target, layer=getattr(traced, "0"))


@pytest.mark.parametrize("layer", ["0", 0, lambda x: x])
def test_a_name_is_no_layer(convnet, layer):
    with pytest.raises(ValueError, match="layer must be a torch.nn.Module, got"):
        explain.grad_cam(convnet, *images(2, 8, dtype=torch.float32), layer=layer)


def test_a_layer_that_returns_several_tensors_or_one_map_for_all_is_refused(convnet):
    x, target = images(2, 8, dtype=torch.float32)

    class Pair(nn.Module):
        def forward(self, x):
            return x, x

    pair, first = Pair(), Of(lambda given: given[0])
    model = nn.Sequential(conv(3, 5), pair, first, head(5))
    with pytest.raises(ValueError, match=r"return maps \(2, K, h, w\) that depend on the image, got tuple of"):
        explain.grad_cam(model, x, target, layer=pair)

    class Table(nn.Module):
        def __init__(self):
            super().__init__()
            self.table = nn.Conv2d(3, 3, 1)

        def forward(self, x):
            return (x + self.table(torch.ones(1, 3, 8, 8))).mean((2, 3)) @ torch.ones(3, 4)

    fixed = Table()
    with pytest.raises(ValueError, match=r"that depend on the image, got torch.float32 \(1, 3, 8, 8\)"):
        explain.grad_cam(fixed, x, target, layer=fixed.table)
