import pytest
import torch
import twins
from torch import nn
from twins import images

from roa_helpers import explain, models

# Twins


@pytest.mark.parametrize("layer", [0, 1, 2, 3])
def test_grad_cam_equals_its_twin(smooth, layer):
    x, target = images(3, 5)
    cam = explain.grad_cam(smooth, x, target, layer=smooth[layer])
    front, back = smooth[: layer + 1], smooth[layer + 1 :]
    for k in range(len(x)):
        assert torch.allclose(cam[k], twins.grad_cam(front, back, x[k], target[k]), rtol=0, atol=1e-12)


def test_grad_cam_of_coarse_activations_equals_its_twin(smooth):
    x, target = images(3, 7)
    model = nn.Sequential(smooth[:2], nn.AvgPool2d(3), smooth[2:])
    cam = explain.grad_cam(model, x, target, layer=model[1])
    for k in range(len(x)):
        assert torch.allclose(cam[k], twins.grad_cam(model[:2], model[2:], x[k], target[k]), rtol=0, atol=1e-12)


def test_saliency_equals_differences(smooth):
    x, target = images()
    signed = explain.saliency(smooth, x, target)
    assert (signed < 0).any()
    for k in range(len(x)):
        assert torch.allclose(signed[k], twins.saliency(smooth, x[k], target[k]), rtol=0, atol=1e-9)


# Exact values


def two_channels(weights):
    """A¹ = x and A² = −x of a 2×2 image; logit 0 is Σ weights · (A¹, A²), logit 1 its negative."""
    convolution, head = nn.Conv2d(1, 2, 1, bias=False), nn.Linear(8, 2, bias=False)
    convolution.weight.data = torch.tensor([1.0, -1.0]).view(2, 1, 1, 1)
    head.weight.data = torch.tensor([weights, [-w for w in weights]])
    return nn.Sequential(convolution, nn.Flatten(), head)


SQUARE = torch.tensor([[[[0.0, 0.25], [0.5, 1.0]]]])


def test_grad_cam_by_hand():
    model = two_channels([1.0, 2.0, 3.0, 6.0, 1.0, 1.0, 0.0, 0.0])
    alpha = 12 / 4, 2 / 4  # means of the four weights of each channel
    expected = (alpha[0] - alpha[1]) * SQUARE[:, 0]
    assert torch.allclose(explain.grad_cam(model, SQUARE, torch.tensor([0])), expected)


def test_what_counts_against_a_class_is_cut_off():
    model = two_channels([1.0, 2.0, 3.0, 6.0, 1.0, 1.0, 0.0, 0.0])
    assert torch.equal(explain.grad_cam(model, SQUARE, torch.tensor([1])), torch.zeros(1, 2, 2))


def test_saliency_by_hand():
    model = two_channels([1.0, 2.0, 3.0, 6.0, 1.0, 1.0, 0.0, 0.5])
    expected = torch.tensor([[[[0.0, 1.0], [3.0, 5.5]]]])
    assert torch.equal(explain.saliency(model, SQUARE, torch.tensor([0])), expected)
    assert torch.equal(explain.saliency(model, SQUARE, torch.tensor([1])), -expected)


# Which layer, and what it is allowed to be


def test_the_last_convolution_is_looked_at(convnet):
    assert explain.cam_layer(convnet) is convnet[4]


def test_a_model_may_name_its_layer():
    model = models.vgg16(2, width=1 / 16)
    assert explain.cam_layer(model) is model.features[-2]


def test_a_layer_that_works_in_place_behind_the_one_looked_at_changes_nothing(convnet):
    x, target = images(3, 8, dtype=torch.float32)
    in_place = explain.grad_cam(convnet, x, target)
    convnet[2], convnet[5] = nn.ReLU(), nn.ReLU()
    assert torch.equal(in_place, explain.grad_cam(convnet, x, target))


def test_grad_cam_is_non_negative_and_as_large_as_the_image(convnet):
    x, target = images(models.CHUNK + 1, 9, dtype=torch.float32)
    cam = explain.grad_cam(convnet, x, target)
    assert cam.shape == (len(x), 9, 9) and cam.dtype == x.dtype
    assert (cam >= 0).all() and (cam > 0).any()


@pytest.mark.parametrize("method", [explain.grad_cam, explain.saliency])
def test_a_batch_is_explained_image_by_image(smooth, method):
    x, target = images(models.CHUNK + 2, 4)
    single = torch.cat([method(smooth, x[k : k + 1], target[k : k + 1]) for k in range(len(x))])
    assert torch.allclose(method(smooth, x, target), single, rtol=0, atol=1e-12)


def test_capture_holds_the_latest_output_and_removes_its_hook(smooth):
    x, _ = images()
    with explain.capture(smooth[1]) as seen:
        smooth(x / 2)
        smooth(x)
        assert len(seen) == 1 and torch.equal(seen[0], smooth[:2](x))
    assert not smooth[1]._forward_hooks


def test_maps_of_half_precision_are_weighed_in_single(convnet):
    convnet.bfloat16().eval().requires_grad_(False)
    x, target = images(2, 8, dtype=torch.float32)
    with explain.capture(convnet[4]) as seen, torch.enable_grad():
        score = explain.class_score(models.ask(convnet, x.requires_grad_()), target)
        cam = explain.class_activation(seen[0], score, (8, 8))
        slope = torch.autograd.grad(score, seen[0])[0].float()
    weights = slope.mean((2, 3), keepdim=True)
    expected = (weights * seen[0].detach().float()).sum(1, keepdim=True).relu()
    assert seen[0].dtype == torch.bfloat16 and cam.dtype == torch.float32
    assert torch.equal(cam, nn.functional.interpolate(expected, (8, 8), mode="bilinear", align_corners=False)[:, 0])


# Bad input


def complaints():
    x, target = images()
    yield "three dimensions", x[0], target, r"\(N, C, H, W\)"
    yield "above one", x * 255, target, r"\[0, 1\]"
    yield "not a number", x * float("nan"), target, "nan"
    yield "integers", x.long(), target, "floating"
    yield "class too large", x, target + 4, "0…3"
    yield "class as float", x, target.double(), "int64"
    yield "too few classes", x, target[:1], "one length"
    yield "an array", x, target.numpy(), "tensors"


@pytest.mark.parametrize("method", [explain.grad_cam, explain.saliency])
@pytest.mark.parametrize(("x", "target", "said"), [pytest.param(*rest, id=name) for name, *rest in complaints()])
def test_bad_images_and_classes_are_refused(smooth, method, x, target, said):
    with pytest.raises(ValueError, match=said):
        method(smooth, x, target)


@pytest.mark.parametrize("method", [explain.grad_cam, explain.saliency])
def test_a_model_that_returns_probabilities_is_refused(smooth, method):
    with pytest.raises(ValueError, match="softmax"):
        method(nn.Sequential(*smooth, nn.Softmax(1)), *images())


def test_a_model_without_convolutions_is_refused():
    with pytest.raises(ValueError, match="no convolution"):
        explain.grad_cam(nn.Sequential(nn.Flatten(), nn.Linear(108, 4)).double(), *images())


def test_a_layer_that_returns_no_maps_or_is_not_used_is_refused(smooth):
    for layer in (smooth[6], nn.Conv2d(3, 3, 1)):
        with pytest.raises(ValueError, match="layer of Grad-CAM"):
            explain.grad_cam(smooth, *images(), layer=layer)
