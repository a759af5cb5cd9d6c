"""Photos to attack, from data sets and from anywhere."""

import numpy as np
import pytest
import torch
from PIL import Image

from roa_helpers import data
from roa_helpers.data import photos
from roa_helpers.errors import UserError


def saved(path, mode, size, value=128):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, value).save(path)


def test_photos_of_a_set_leave_a_class_out_and_are_a_random_sample():
    images = torch.linspace(0, 1, 12)[:, None, None, None].expand(12, 1, 4, 4)
    whole = data.ImageSet(images.contiguous(), torch.arange(12) % 3, ("a", "b", "c"))
    some, more = (photos.of_set(whole, count, without="b", seed=5) for count in (3, 7))
    assert some.images.shape == (3, 3, 4, 4) and more.names[:3] == some.names and len(more.names) == 7
    assert not any(name.startswith("b") for name in more.names)
    assert some.fingerprint != photos.of_set(whole, 3, without="b", seed=6).fingerprint
    assert len(photos.of_set(whole, 99, without="no class of it").names) == 12


def test_pictures_of_any_kind_become_coloured_squares(tmp_path):
    saved(tmp_path / "zoo" / "deep" / "grey.png", "L", (40, 30))
    saved(tmp_path / "zoo" / "colour.jpg", "RGB", (30, 50), (255, 0, 0))
    saved(tmp_path / "zoo" / "clear.png", "RGBA", (32, 32), (0, 0, 255, 0))
    (tmp_path / "zoo" / "notes.txt").write_text("no picture")
    for hidden in (".hidden.png", ".thumbs/t.png", "__MACOSX/x.png"):
        saved(tmp_path / "zoo" / hidden, "RGB", (8, 8), (0, 0, 0))
    (tmp_path / "zoo" / "broken.png").write_bytes(b"no picture either")
    found = photos.opened(tmp_path / "zoo", size=24)
    assert found.names == ("clear.png", "colour.jpg", "deep/grey.png")
    assert found.available == 4 and found.unreadable == ("broken.png",)
    assert found.images.shape == (3, 3, 24, 24) and found.images.dtype == torch.float32
    assert (found.images[0] == 1).all()  # transparent: white
    assert (found.images[1, 0] > 0.98).all() and (found.images[2] == found.images[2, :1]).all()
    assert photos.opened(tmp_path / "zoo", size=24, count=2).names == found.names[:2]


def test_what_cannot_be_attacked_is_one_message(tmp_path):
    with pytest.raises(UserError, match="nothing lies at"):
        photos.opened(tmp_path / "nowhere", size=24)
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="no picture in .* can be read"):
        photos.opened(tmp_path / "empty", size=24)
    saved(tmp_path / "small" / "tiny.png", "RGB", (20, 90), (0, 0, 0))
    with pytest.raises(UserError, match="tiny.png is 20×90 pixels, smaller than the 24×24"):
        photos.opened(tmp_path / "small", size=24)


def test_the_bundled_photos_are_cut_into_tiles_that_no_part_shares():
    splits = data.load("photos", size=48)
    assert splits.train.class_names == splits.test.class_names and len(splits.test.class_names) == 9
    tiles = [np.asarray(part.images).reshape(len(part), -1) for part in (splits.train, splits.val, splits.test)]
    assert len(np.unique(np.concatenate(tiles), axis=0)) == sum(map(len, tiles))
    assert all((splits.test.labels == k).sum() >= 3 for k in range(9))
