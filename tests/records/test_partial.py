"""Finished parts of an unfinished unit: kept, read again, dropped when they are of something else."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from roa_helpers.errors import UserError
from roa_helpers.records import partial

LEAVES = st.one_of(st.integers(-9, 9), st.floats(allow_nan=False), st.text(max_size=3), st.none(), st.booleans())
NESTED = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
)


def never():
    raise AssertionError("made again")


def test_a_part_is_made_once_for_each_key(tmp_path):
    path = tmp_path / "parts" / "a.npz"
    first = partial.kept(path, "one", lambda: {"x": np.arange(3), "y": [1.5, 2.5]})
    again = partial.kept(path, "one", never)
    assert {name: values.tolist() for name, values in again.items()} == {"x": [0, 1, 2], "y": [1.5, 2.5]}
    assert first["y"].tolist() == again["y"].tolist()
    assert partial.kept(path, "two", lambda: {"x": [4]})["x"].tolist() == [4]
    assert [file.name for file in path.parent.iterdir()] == ["a.npz"]


def test_a_part_is_of_the_device_that_made_it(tmp_path, monkeypatch):
    path = tmp_path / "a.npz"
    partial.kept(path, "one", lambda: {"x": [1]})
    monkeypatch.setattr(partial.models, "device_name", lambda: "a GPU")
    assert partial.kept(path, "one", lambda: {"x": [2]})["x"].tolist() == [2]
    assert partial.kept(path, "one", never)["x"].tolist() == [2]


def test_a_broken_part_is_made_again(tmp_path):
    path = tmp_path / "a.npz"
    partial.kept(path, "one", lambda: {"x": [1]})
    for content in (path.read_bytes()[:40], b"", b"no archive"):
        path.write_bytes(content)
        assert partial.kept(path, "one", lambda: {"x": [2]})["x"].tolist() == [2]


def test_a_part_that_fails_leaves_nothing(tmp_path):
    with pytest.raises(AssertionError):
        partial.kept(tmp_path / "a.npz", "one", never)
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_is_one_message(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot write results under"):
        partial.kept(tmp_path / "file" / "a.npz", "one", lambda: {"x": [1]})
    with pytest.raises(UserError, match="cannot write results under"):
        partial.Stages(tmp_path / "file" / "parts", "one")


@given(value=NESTED)
def test_nested_parts_come_back_as_they_were(value):
    assert partial.unpacked(partial.packed(value)) == value


def test_tensors_keep_type_shape_and_place(tmp_path):
    stages = partial.Stages(tmp_path / "parts", "one")
    made = {"report": {"n": 3, "mean": np.float64(0.1)}, "few": [torch.tensor([[True]]), torch.arange(2)], 7: "text"}
    found = [stages.kept("a", lambda: made), partial.Stages(tmp_path / "parts", "one").kept("a", never)]
    for one in found:
        assert one["report"] == {"n": 3, "mean": 0.1} and one[7] == "text"
        assert [(t.dtype, t.tolist()) for t in one["few"]] == [(torch.bool, [[True]]), (torch.int64, [0, 1])]
    assert partial.Stages(tmp_path / "parts", "two").kept("a", lambda: {"x": 4}) == {"x": 4}
    stages.clear()
    assert not (tmp_path / "parts").exists()
