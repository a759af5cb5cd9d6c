"""Names of units' folders: those that are recorded stay; others are short, and another for another unit."""

import re
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roa_helpers import data
from roa_helpers.records import stem

RECORDED = {
    ("mnist", "0", "1"): "mnist-0-1",
    ("fashion-mnist", "T-shirt/top", "Pullover"): "fashion-mnist-T-shirt_top-Pullover",
    ("imagenette", "tench", "English springer"): "imagenette-tench-English_springer",
    ("imagenette", "segments"): "imagenette-segments",
    ("faces", "face", "non-face"): "faces-face-non-face",
    ("cifar10", "3", "scratch", "full-width"): "cifar10-3-scratch-full-width",
    ("cifar10", "imagenet-alexnet"): "cifar10-imagenet-alexnet",
    ("/data/zoo", "ant", "bee"): "own-zoo-6b8c40-ant-bee",
    ("/data/my zoo.zip", "squares"): "own-my_zoo.zip-f766e8-squares",
}


@pytest.mark.parametrize("given", RECORDED, ids=str)
def test_names_that_are_recorded_stay(given):
    assert stem(*given) == RECORDED[given]


def test_no_two_pairs_of_a_known_set_share_a_name():
    for known in data.KNOWN.values():
        pairs = list(combinations(known.classes, 2))
        names = [stem(known.name, *pair) for pair in pairs]
        assert len(set(names)) == len(pairs) and all("-".join((known.name, "")) in name for name in names)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (('"a b"', "c"), ("a_b", "c")),
        (("a b", "c"), ("a_b", "c")),
        (("a-b", "c"), ("a", "b-c")),
        (("a" * 200, "b"), ("a" * 199, "b")),
        (("ä" * 200, "b"), ("ä" * 199, "b")),
        (("日本", "b"), ("日 本", "b")),
        (("/", "b"), (":", "b")),
    ],
)
def test_pairs_that_differ_have_names_that_differ(one, other):
    assert stem("/zoo", *one) != stem("/zoo", *other) and stem("zoo", *one) != stem("zoo", *other)


@given(st.sets(st.tuples(st.text(max_size=60), st.text(max_size=60)), min_size=2, max_size=6), st.text(max_size=300))
def test_names_are_short_and_unique(pairs, folder):
    names = {stem(f"/{folder}", *pair) for pair in pairs}
    assert len(names) == len(pairs)
    for name in names:
        assert len(name.encode()) < 160 and re.fullmatch(r"own-[\w.-]+", name)


@given(st.text(alphabet="ab-_ .é", max_size=8), st.text(alphabet="ab-_ .é", max_size=8))
def test_near_names_are_unique_too(first, second):
    pair, others = (first, second), [(first + "x", second), (first, f"x{second}"), (f"{first}-{second}", "")]
    assert all(stem("/zoo", *pair) != stem("/zoo", *other) for other in others if other != pair)


def test_folders_of_one_name_in_two_places_differ():
    assert stem("/one/zoo", "a", "b") != stem("/two/zoo", "a", "b")
