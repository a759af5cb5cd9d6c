"""LIME beside lime's own code, and the superpixels behind it."""

import numpy as np
import pytest
import torch
import twins
from hypothesis import given
from hypothesis import strategies as st
from lime.lime_image import LimeImageExplainer
from skimage import data as photos
from skimage.transform import resize
from torch import nn

from roa_helpers import explain, models
from roa_helpers.explain import lime, superpixels

SAMPLES = 60


@pytest.fixture(scope="module")
def photo():
    """A crop of a photo in double precision, (3, 80, 90)."""
    crop = resize(photos.astronaut()[:200, 100:325], (80, 90), anti_aliasing=True)
    return torch.from_numpy(crop).permute(2, 0, 1).clamp(0, 1).contiguous()


def network(channels=3):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(5)
        layers = [nn.Conv2d(channels, 4, 5, stride=3), nn.ReLU(), nn.BatchNorm2d(4), nn.Dropout(0.5)]
        model = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(6), nn.Flatten(), nn.Linear(144, 3)).double()
    return model.train()


def blocks(height, width, size):
    """Squares of ``size`` pixels, labelled row by row."""
    rows, columns = torch.arange(height) // size, torch.arange(width) // size
    return rows[:, None] * (-(-width // size)) + columns


def lime_itself(model, image, target, *, samples, seed, segments=None):
    """What lime's own loop says: (weights by label, intercept, score, segments)."""

    def classify(batch):
        channels = torch.from_numpy(np.asarray(batch)).permute(0, 3, 1, 2)[:, : len(image)]
        return models.predict(model, channels.contiguous().clamp(0, 1)).softmax(1).numpy()

    array = image.permute(1, 2, 0).numpy() if len(image) == 3 else image[0].numpy()
    found = LimeImageExplainer(random_state=seed).explain_instance(
        array,
        classify,
        labels=(target,),
        top_labels=None,
        num_samples=samples,
        segmentation_fn=None if segments is None else lambda _: segments.numpy(),
    )
    weights = dict(found.local_exp[target])
    return [weights[k] for k in range(len(weights))], found.intercept[target], found.score, found.segments


def assert_equal(ours, theirs):
    weights, intercept, score, segments = theirs
    assert torch.equal(ours.segments, torch.from_numpy(segments).long())
    assert np.abs(ours.weights.numpy() - weights).max() <= 1e-12 and np.ptp(weights) > 1e-4
    assert abs(ours.intercept - intercept) <= 1e-12 and abs(ours.score - score) <= 1e-10


# lime's own code


@pytest.mark.parametrize("seed", [0, 3])
def test_the_weights_are_those_of_lime_with_its_own_segmentation(photo, seed):
    model = network()
    ours = explain.lime_image(model, photo, 1, samples=SAMPLES, seed=seed)
    assert len(ours.weights) >= 5
    assert_equal(ours, lime_itself(model, photo, 1, samples=SAMPLES, seed=seed))


def test_the_weights_are_those_of_lime_with_segments_at_hand(photo):
    model, segments = network(), blocks(80, 90, 20)
    ours = explain.lime_image(model, photo, 2, samples=SAMPLES, seed=1, segments=segments)
    assert_equal(ours, lime_itself(model, photo, 2, samples=SAMPLES, seed=1, segments=segments))


def test_rows_that_repeat_change_nothing(photo):
    """Two superpixels have four different rows."""
    model, segments = network(), (torch.arange(90) >= 40).long().expand(80, 90)
    ours = explain.lime_image(model, photo, 0, samples=SAMPLES, seed=1, segments=segments)
    assert_equal(ours, lime_itself(model, photo, 0, samples=SAMPLES, seed=1, segments=segments))


def test_grey_images_are_those_of_lime(photo):
    model = network(channels=1)
    ours = explain.lime_image(model, photo[:1], 1, samples=SAMPLES, seed=4)
    assert_equal(ours, lime_itself(model, photo[:1], 1, samples=SAMPLES, seed=4))


# Twins and exact values


def test_the_weights_are_those_of_the_normal_equations(photo):
    model, segments, photo = network(), blocks(30, 30, 10), photo[:, 20:50, 30:60]
    ours = explain.lime_image(model, photo, 1, samples=SAMPLES, seed=2, segments=segments)
    random = np.random.RandomState(2)
    random.randint(0, 1000)
    rows = random.randint(0, 2, SAMPLES * 9).reshape(SAMPLES, 9)
    rows[0] = 1
    pictures = torch.stack([twins.partly_hidden(photo, segments, row) for row in rows])
    values = model.eval()(pictures).softmax(1)[:, 1].detach().numpy()
    distances = 1 - rows.sum(1) / np.sqrt(np.maximum(rows.sum(1), 1) * 9)
    weights, intercept = twins.ridge(rows, values, np.sqrt(np.exp(-(distances**2) / 0.25**2)))
    assert np.allclose(ours.weights.numpy(), weights, rtol=0, atol=1e-12)
    assert ours.intercept == pytest.approx(intercept, abs=1e-12)


class Sees(nn.Module):
    """Logits that depend on one superpixel alone: how much of its stripes is left."""

    def forward(self, x):
        left = x[:, 0, :8, :8].var((1, 2))
        return torch.stack([20 * left - 1, torch.zeros_like(left)], 1)


def test_the_superpixel_that_matters_is_found():
    image = torch.zeros(1, 16, 16, dtype=torch.float64)
    image[..., ::2] = 1
    ours = explain.lime_image(Sees(), image, 0, samples=300, seed=0, segments=blocks(16, 16, 8))
    assert ours.weights.argmax() == 0 and ours.weights[0] > 0.5
    assert ours.weights[1:].abs().max() < 0.05 and ours.score > 0.95
    against = explain.lime_image(Sees(), image, 1, samples=300, seed=0, segments=blocks(16, 16, 8))
    assert torch.allclose(against.weights, -ours.weights, rtol=0, atol=1e-12)
    (only,) = explain.partial_unions(ours, 1)
    assert torch.equal(only, blocks(16, 16, 8) == 0)


def test_the_seed_alone_decides(photo):
    model, segments = network(), blocks(80, 90, 30)
    first, again, other = (
        explain.lime_image(model, photo, 1, samples=20, seed=seed, segments=segments) for seed in (1, 1, 2)
    )
    assert torch.equal(first.weights, again.weights) and not torch.allclose(first.weights, other.weights)


def test_each_different_row_is_scored_once(photo):
    seen = []

    class Counting(nn.Module):
        def forward(self, x):
            seen.append(len(x))
            return torch.stack([x.mean((1, 2, 3)), x.var((1, 2, 3))], 1) * 9

    segments = (torch.arange(90) >= 40).long().expand(80, 90)
    explain.lime_image(Counting(), photo, 0, samples=SAMPLES, seed=1, segments=segments)
    assert seen == [4]


def test_batches_change_nothing(photo):
    model, segments = network().eval(), blocks(80, 90, 20)
    shown = torch.rand(lime.batch_size(model) * 2 + 3, 20, generator=torch.Generator().manual_seed(0)) < 0.5
    together = lime.probabilities(model, photo, segments, shown, 1)
    single = torch.cat([lime.probabilities(model, photo, segments, row[None], 1) for row in shown])
    assert together.shape == (len(shown),) and torch.allclose(together, single, rtol=0, atol=1e-14)


def test_a_superpixel_out_of_sight_has_its_mean_colour(photo):
    segments, seen = blocks(30, 30, 10), []
    image, shown = photo[:, :30, :30], torch.tensor([[True, False] * 4 + [True], [False] * 9])

    class Recording(nn.Module):
        def forward(self, x):
            seen.extend(x)
            return x.mean((2, 3)) * 9

    lime.probabilities(Recording(), image, segments, shown, 0)
    for picture, row in zip(seen, shown.tolist(), strict=True):
        assert torch.allclose(picture, twins.partly_hidden(image, segments, row), rtol=0, atol=1e-15)
        assert torch.equal(picture[:, :10, :10] == image[:, :10, :10], torch.full((3, 10, 10), row[0]))


def test_the_model_is_left_as_found(photo):
    model, segments = network(), blocks(80, 90, 40)
    state = {name: value.clone() for name, value in model.state_dict().items()}
    explain.lime_image(model, photo, 1, samples=20, seed=0, segments=segments)
    with pytest.raises(ValueError, match="target"):
        explain.lime_image(model, photo, 3, samples=20, seed=0, segments=segments)
    assert all(m.training for m in model.modules()) and all(p.requires_grad for p in model.parameters())
    assert all(torch.equal(value, state[name]) for name, value in model.state_dict().items())


# Superpixels


def test_segments_have_labels_without_gaps(photo):
    segments = superpixels.segment(photo)
    assert segments.shape == photo.shape[1:] and segments.dtype == torch.int64
    assert torch.equal(segments.unique(), torch.arange(int(segments.max()) + 1))
    assert torch.equal(segments, superpixels.segment(photo))
    assert superpixels.segment(photo, kernel_size=1, max_dist=4).max() > segments.max()


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_segments_of_half_precision_are_those_of_its_values(photo, dtype):
    image = photo.to(dtype)
    assert torch.equal(superpixels.segment(image), superpixels.segment(image.float()))


@st.composite
def weighted(draw):
    """Segments (4, 5) in which every label occurs, a weight for each, and a number of unions."""
    count = draw(st.integers(1, 6))
    rest = draw(st.lists(st.integers(0, count - 1), min_size=20 - count, max_size=20 - count))
    labels = draw(st.permutations([*range(count), *rest]))
    weights = draw(st.lists(st.sampled_from([-1.0, 0.0, 0.25, 0.5, 2.0]), min_size=count, max_size=count))
    return torch.tensor(labels).view(4, 5), torch.tensor(weights), draw(st.integers(1, 8))


@given(weighted())
def test_unions_equal_their_twin(case):
    segments, weights, count = case
    found = superpixels.unions(segments, weights, count)
    assert found.tolist() == twins.unions(segments.tolist(), weights.tolist(), count)
    assert (found[:-1] <= found[1:]).all()


def test_unions_by_hand():
    explanation = explain.LimeExplanation(
        torch.tensor([[0, 1], [2, 3]]), torch.tensor([0.1, -0.9, 0.3, 0.0]).double(), 0.0, 1.0
    )
    found = explain.partial_unions(explanation, 3)
    assert found.int().tolist() == [[[0, 0], [1, 0]], [[1, 0], [1, 0]], [[1, 0], [1, 0]]]


@given(weighted())
def test_superpixel_means_equal_their_twin(case):
    segments, _, _ = case
    values = torch.rand(4, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    expected = twins.superpixel_means(values.tolist(), segments.tolist())
    assert np.allclose(superpixels.superpixel_means(values, segments), expected, rtol=0, atol=1e-15)


def test_gradients_become_unions_of_superpixels(photo):
    segments = blocks(80, 90, 20)
    gradient = explain.saliency(network(), photo[None], torch.tensor([1]))[0].clamp(min=0).sum(0)
    means = superpixels.superpixel_means(gradient, segments)
    best = superpixels.unions(segments, means, 1)[0]
    assert torch.equal(best, segments == means.argmax())
    assert gradient[best].mean() == pytest.approx(float(means.max()), rel=1e-12)


# Bad input


def image_complaints():
    image = torch.rand(3, 80, 90, generator=torch.Generator().manual_seed(0))
    yield "a batch", image[None], r"\(C, H, W\)"
    yield "four channels", torch.cat([image, image[:1]]), "1 or 3 channels"
    yield "an array", image.numpy(), "ndarray"
    yield "above one", image * 255, r"\[0, 1\]"
    yield "not a number", image * float("nan"), r"\[0, 1\]"
    yield "no pixels", image[:, :0], "pixels"
    yield "too small for quickshift", image[:, :8, :8].contiguous(), "8×8 pixels, gave one superpixel"


@pytest.mark.parametrize(("image", "said"), [pytest.param(*rest, id=name) for name, *rest in image_complaints()])
def test_bad_images_are_refused(image, said):
    with pytest.raises(ValueError, match=said):
        explain.lime_image(network(), image, 0, samples=10, seed=0)


def segment_complaints():
    segments = blocks(80, 90, 30)
    yield "a gap", torch.where(segments == 4, 5, segments), "without gaps"
    yield "from one", segments + 1, "without gaps, got 9 labels from 1 to 9"
    yield "below zero", segments - 1, "without gaps"
    yield "transposed", segments.T, "whole numbers"
    yield "fractions", segments.double(), "float64"
    yield "a mask", segments > 3, "bool"
    yield "one superpixel", segments * 0, "segments gave one superpixel"


@pytest.mark.parametrize(("segments", "said"), [pytest.param(*rest, id=n) for n, *rest in segment_complaints()])
def test_bad_segments_are_refused(photo, segments, said):
    with pytest.raises(ValueError, match=said):
        explain.lime_image(network(), photo, 0, samples=10, seed=0, segments=segments)


def test_segments_may_be_an_array_of_small_numbers(photo):
    segments = blocks(80, 90, 30)
    small = explain.lime_image(network(), photo, 0, samples=10, seed=0, segments=segments.numpy().astype(np.uint8))
    assert torch.equal(small.segments, segments)


@pytest.mark.parametrize("target", [-1, 3])
def test_an_unknown_class_is_refused(photo, target):
    with pytest.raises(ValueError, match="target must lie in 0…2"):
        explain.lime_image(network(), photo, target, samples=10, seed=0, segments=blocks(80, 90, 30))


def test_too_few_samples_and_probabilities_are_refused(photo):
    with pytest.raises(ValueError, match="at least 2 samples"):
        explain.lime_image(network(), photo, 0, samples=1, seed=0)
    with pytest.raises(ValueError, match="softmax"):
        model = nn.Sequential(network(), nn.Softmax(1))
        explain.lime_image(model, photo, 0, samples=10, seed=0, segments=blocks(80, 90, 30))


@pytest.mark.parametrize(
    ("weights", "count", "said"),
    [
        (torch.ones(3), 2, "3 weights do not fit 4"),
        (torch.ones(2, 2), 2, r"\(S,\)"),
        (torch.full((4,), float("nan")), 2, "numbers"),
        (torch.ones(4), 0, "at least 1"),
    ],
)
def test_bad_unions_are_refused(weights, count, said):
    with pytest.raises(ValueError, match=said):
        superpixels.unions(torch.tensor([[0, 1], [2, 3]]), weights, count)


def test_bad_maps_are_refused():
    with pytest.raises(ValueError, match=r"\(H, W\)"):
        superpixels.superpixel_means(torch.ones(1, 2, 2), torch.tensor([[0, 1], [2, 3]]))
    with pytest.raises(ValueError, match="whole numbers"):
        superpixels.superpixel_means(torch.ones(3, 2), torch.tensor([[0, 1], [2, 3]]))
