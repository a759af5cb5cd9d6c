"""The rebuild beside its slow twin, the colours, and the readings of SSIM."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from skimage.metrics import structural_similarity

from roa_helpers.studies.forensics import colours, rebuild, similarity
from roa_helpers.studies.roi_roa import colours as heat


def twin(representative, blob):
    """The best threshold, every one tried on every entry: (lowest level, highest level, agreement)."""
    scores = []
    for level in range(255):
        right = 0
        for index in np.ndindex(blob.shape):
            right += (int(representative[index]) > level) == bool(blob[index])
        scores.append(right / blob.size)
    best = [level for level, score in enumerate(scores) if score == max(scores)]
    return best[0], best[-1], max(scores)


@given(st.integers(0, 10_000), st.integers(0, 254), st.floats(0, 0.5))
def test_the_best_threshold_is_that_of_the_twin(seed, level, noise):
    rng = np.random.default_rng(seed)
    representative = rng.integers(0, 256, (3, 4, 3), dtype=np.uint8)
    blob = (representative > level) ^ (rng.random(representative.shape) < noise)
    assert rebuild.fitted(representative, blob) == pytest.approx(twin(representative, blob))


def test_of_equal_thresholds_the_lowest_is_taken():
    representative = np.array([[[0, 10, 200]]], dtype=np.uint8)
    assert rebuild.fitted(representative, representative > 50) == (10, 199, 1.0)
    empty = np.zeros((1, 1, 3), dtype=bool)
    assert rebuild.fitted(representative, empty) == (200, 254, 1.0)
    assert rebuild.fitted(representative, empty, highest=20) == (10, 20, pytest.approx(2 / 3))


def test_two_shapes_are_refused():
    with pytest.raises(ValueError, match="one shape"):
        rebuild.fitted(np.zeros((2, 2, 3), np.uint8), np.zeros((2, 2), bool))


def test_readings_that_should_fail_are_what_they_say():
    representative = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
    assert rebuild.any_channel(representative).tolist() == [[[2] * 3, [5] * 3], [[8] * 3, [11] * 3]]
    core = np.array([[True, False], [False, True]])
    assert rebuild.cut(representative, core).tolist() == [[[0] * 3, [3, 4, 5]], [[6, 7, 8], [0] * 3]]
    blob = representative > 4
    others = [representative, np.zeros_like(representative), representative[::-1]]
    single = [rebuild.fitted(one, blob).agreement for one in others]
    assert rebuild.best_of_others(others, blob) == (max(single), np.median(single)) and max(single) == 1


def test_jet_is_the_one_of_opencv():
    jet = heat.jet().astype(int)
    anchors = {0: (0, 0, 128), 31: (0, 0, 252), 32: (0, 0, 255), 33: (0, 4, 255), 95: (0, 252, 255),
               96: (2, 255, 254), 97: (6, 255, 250), 159: (254, 255, 1), 160: (255, 252, 0), 223: (255, 0, 0),
               224: (252, 0, 0), 255: (128, 0, 0)}  # fmt: skip
    assert {level: tuple(jet[level]) for level in anchors} == anchors
    assert jet.shape == (256, 3) and len(np.unique(jet, axis=0)) == 256
    assert np.array_equal(heat.exchanged()[:, 0], jet[:, 2]) and np.abs(np.diff(jet, axis=0)).max() <= 5


def test_the_core_is_the_upper_half_of_the_scale():
    assert np.flatnonzero(colours.core(heat.exchanged())).tolist() == list(range(128, 256))
    assert not colours.core(np.full((2, 2, 3), 255, np.uint8)).any()


def test_colours_of_the_map_are_known_and_no_others():
    assert colours.known(heat.exchanged()).all()
    assert colours.known(np.array([[[0, 0, 132], [0, 0, 133]], [[255, 255, 255], [252, 0, 0]]])).tolist() == [
        [True, False], [False, True]
    ]  # fmt: skip


def test_two_scales_are_uint8_beside_zeros_and_ones():
    picture = heat.exchanged()[np.add.outer(np.arange(0, 120, 6), np.arange(0, 120, 6))]
    roa = np.random.default_rng(0).random((20, 20, 3)) > 0.5
    found = similarity.readings(picture, roa)

    def ssim(other, data_range):
        return structural_similarity(picture, other.astype(np.uint8), data_range=data_range, channel_axis=2)

    assert found["two_scales"] == pytest.approx(ssim(roa, 255))
    assert found["zero"] == pytest.approx(ssim(np.zeros_like(roa), 255))
    assert found["one_scale"] == pytest.approx(ssim(255 * roa, 255))
    assert 10 * abs(found["two_scales"] - found["zero"]) < abs(found["one_scale"] - found["zero"])
