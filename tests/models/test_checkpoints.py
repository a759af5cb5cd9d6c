"""Checkpoints: what was written is read, anything else is not, with a line that says so."""

import logging

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file

from roa_helpers.models import checkpoints

TENSORS = {"a": torch.arange(6.0).reshape(2, 3), "b": torch.tensor(3), "c": torch.tensor([1.5], dtype=torch.bfloat16)}
SHAPES = {name: values.shape for name, values in TENSORS.items()}
HEAD = {"fingerprint": "f", "history": [{"epoch": 1}]}


@pytest.fixture
def path(tmp_path):
    checkpoints.write(tmp_path / "m", TENSORS, HEAD)
    return tmp_path / "m"


def test_what_was_written_is_read(path):
    tensors, metadata = checkpoints.read(path, "f", SHAPES)
    assert {name: values.tolist() for name, values in tensors.items()} == {
        name: values.tolist() for name, values in TENSORS.items()
    }
    assert metadata["history"] == HEAD["history"] and [p.name for p in path.parent.iterdir()] == ["m"]


def test_another_fingerprint_and_no_file_are_nothing_to_speak_of(path, caplog):
    assert checkpoints.read(path, "g", SHAPES) is None and checkpoints.read(path.with_name("n"), "f", SHAPES) is None
    assert not caplog.text


def test_every_flipped_bit_of_the_tensors_is_noticed(path, caplog):
    raw = path.read_bytes()
    start = len(raw) - sum(values.nbytes for values in TENSORS.values())
    for place in range(start, len(raw)):
        flipped = bytearray(raw)
        flipped[place] ^= 1
        path.write_bytes(flipped)
        assert checkpoints.read(path, "f", SHAPES) is None
    assert "not what was written" in caplog.text


@pytest.mark.parametrize(
    ("tensors", "head", "shapes", "said"),
    [
        (TENSORS | {"a": torch.full((2, 3), float("nan"))}, HEAD, SHAPES, "not finite (a)"),
        (TENSORS, HEAD, SHAPES | {"a": torch.Size((3, 2))}, "of another network (a)"),
        (TENSORS, HEAD, SHAPES | {"d": torch.Size(())}, "of another network (d)"),
        (TENSORS, {"fingerprint": "f"}, SHAPES, "without a history"),
        (TENSORS, {"fingerprint": "f", "history": "long"}, SHAPES, "without a history"),
    ],
)
def test_what_training_cannot_go_on_with_is_told(tmp_path, caplog, tensors, head, shapes, said):
    checkpoints.write(tmp_path / "m", tensors, head)
    with caplog.at_level(logging.WARNING):
        assert checkpoints.read(tmp_path / "m", "f", shapes) is None
    assert said in caplog.text and "training anew" in caplog.text and str(tmp_path / "m") in caplog.text


def test_a_checkpoint_without_a_sum_is_not_used(tmp_path, caplog):
    save_file(TENSORS, tmp_path / "m", metadata={"roa": '{"fingerprint": "f", "history": []}'})
    assert checkpoints.read(tmp_path / "m", "f", SHAPES) is None and "not what was written" in caplog.text
    assert load_file(tmp_path / "m")  # it is not removed


@given(st.sampled_from(["float32", "float64", "int64", "bool", "bfloat16"]), st.lists(st.integers(0, 1), max_size=4))
def test_the_sum_tells_values_types_and_shapes_apart(kind, values):
    one = torch.tensor(values).to(getattr(torch, kind))
    assert checkpoints.sum_of({"a": one}) == checkpoints.sum_of({"a": one.clone()})
    assert checkpoints.sum_of({"a": one}) != checkpoints.sum_of({"b": one})
    assert checkpoints.sum_of({"a": one}) != checkpoints.sum_of({"a": one[None]})
    if values:
        assert checkpoints.sum_of({"a": one}) != checkpoints.sum_of({"a": (1 - one.float()).to(one.dtype)})
