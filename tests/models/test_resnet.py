import pytest
import samples
import torch
from torch import nn

from roa_helpers import models
from roa_helpers.compat import torchvision
from roa_helpers.models import resnet, weights


@pytest.fixture(scope="module")
def narrow():
    return samples.disturbed(resnet.resnet(3, blocks=(1, 2, 1, 1), width=1 / 16))


@pytest.fixture
def x():
    return torch.rand(4, 3, 32, 32, generator=torch.Generator().manual_seed(0))


def test_it_is_torchvisions_resnet50_by_names_and_by_numbers(x):
    model, theirs = samples.disturbed(resnet.resnet(7)), torchvision.models.resnet50(weights=None, num_classes=7)
    assert list(theirs.state_dict()) == list(model.network.state_dict())
    theirs.load_state_dict(model.network.state_dict())
    with torch.no_grad():
        assert torch.allclose(theirs.eval()((x - model.mean) / model.std), model(x), rtol=1e-5, atol=1e-5)


def test_equal_seeds_give_equal_weights_and_others_do_not():
    first, again, other = (resnet.resnet(2, blocks=(1, 1, 1, 1), width=1 / 16, seed=seed) for seed in (3, 3, 4))
    same = [torch.equal(a, b) for a, b in zip(first.parameters(), again.parameters(), strict=True)]
    assert all(same) and not torch.equal(first.network.conv1.weight, other.network.conv1.weight)


def test_a_new_block_adds_nothing_to_its_input(narrow, x):
    block = resnet.resnet(2, blocks=(1, 2, 1, 1), width=1 / 16).eval().network.layer2[1]
    maps = torch.rand(2, 32, 4, 4)
    assert torch.equal(block(maps), maps)


def test_folding_leaves_the_function_as_it_was(narrow, x):
    before = {name: value.clone() for name, value in narrow.state_dict().items()}
    double, folded = narrow.double(), resnet.folded(narrow)
    assert torch.allclose(folded(x.double()), double(x.double()), rtol=1e-9, atol=1e-9)
    assert not [m for m in folded.modules() if isinstance(m, nn.BatchNorm2d)]
    assert [m for m in narrow.modules() if isinstance(m, nn.BatchNorm2d)]
    narrow.float()
    assert all(torch.equal(value, before[name]) for name, value in narrow.state_dict().items())


@pytest.mark.parametrize(("kernel", "stride", "padding"), [(1, 1, 0), (1, 2, 0), (3, 1, 1), (3, 2, 1), (2, 1, 0)])
def test_a_convolution_is_a_product_of_matrices(kernel, stride, padding):
    convolution = resnet.Convolution(5, 7, kernel, stride=stride, padding=padding).double()
    x = torch.rand(3, 5, 4, 3, dtype=torch.float64, requires_grad=True)
    usual, product = convolution(x), resnet.as_product(convolution, x)
    assert product.shape == usual.shape and resnet.positions(convolution, (4, 3)) == usual.shape[2] * usual.shape[3]
    assert torch.allclose(product, usual, rtol=0, atol=1e-12)
    weight = torch.rand_like(usual)
    grads = [torch.autograd.grad((out * weight).sum(), (x, convolution.weight)) for out in (usual, product)]
    assert all(torch.allclose(a, b, rtol=0, atol=1e-12) for a, b in zip(*grads, strict=True))


def test_the_product_is_taken_for_small_maps_in_bfloat16_alone(monkeypatch):
    sizes = []
    monkeypatch.setattr(resnet, "as_product", lambda c, x: sizes.append(tuple(x.shape[2:])) or nn.Conv2d.forward(c, x))
    convolution = resnet.Convolution(2, 2, 3, padding=1)
    for side in (1, 2, 3):
        convolution(torch.rand(1, 2, side, side))
        convolution.bfloat16()(torch.rand(1, 2, side, side, dtype=torch.bfloat16))
        convolution.float()
    assert sizes == [(1, 1), (2, 2)]


def test_other_classes_leave_all_but_the_last_layer():
    other, model = (resnet.resnet(k, blocks=(1, 1, 1, 1), width=1 / 16, seed=k) for k in (7, 3))
    last = model.network.fc.weight.clone()
    resnet.adopt(model, other.network.state_dict())
    assert torch.equal(model.network.fc.weight, last) and model.network.fc.out_features == 3
    assert torch.equal(model.network.layer4[0].conv2.weight, other.network.layer4[0].conv2.weight)
    with pytest.raises(RuntimeError):
        resnet.adopt(model, resnet.resnet(7, blocks=(1, 2, 1, 1), width=1 / 16).network.state_dict())


def test_imagenet_weights_are_adopted_or_their_absence_is_told(monkeypatch):
    model = resnet.resnet(3)
    state = torchvision.models.resnet50(weights=None).state_dict()
    monkeypatch.setattr(weights, "state", lambda *wanted: {("resnet50", "IMAGENET1K_V1"): state}[wanted])
    assert resnet.load_imagenet_weights(model) and torch.equal(model.network.conv1.weight, state["conv1.weight"])
    monkeypatch.setattr(weights, "state", lambda *wanted: None)
    assert not resnet.load_imagenet_weights(model)


def test_it_serves_the_attacks_and_is_left_as_found(narrow, x):
    y = torch.tensor([0, 1, 2, 0])
    gradient = models.input_gradient(narrow, x, y, lambda logits, y: logits.gather(1, y[:, None]).sum())
    assert gradient.shape == x.shape and (gradient != 0).any()
    assert all(p.requires_grad for p in narrow.parameters()) and narrow.cam_layer is narrow.network.layer4


@pytest.mark.parametrize(
    "bad", [{"class_count": 1}, {"blocks": (1, 1, 1)}, {"blocks": (1, 0, 1, 1)}, {"width": 1 / 128}, {"width": 0}]
)
def test_refuses(bad):
    with pytest.raises(ValueError, match="need at least 2 classes"):
        resnet.resnet(**({"class_count": 3} | bad))
