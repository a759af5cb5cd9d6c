"""Photos to attack, from data sets and from anywhere."""

import numpy as np
import pooch
import pytest
import skimage.data
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


def test_the_bundled_photos_are_whole_and_all_in_the_test_part():
    splits = data.load("photos", size=48)
    assert len(splits.train) == len(splits.val) == 0 and len(splits.test) == 6
    assert splits.test.class_names == ("astronaut", "cat", "coffee", "rocket", "china", "flower")
    whole = skimage.data.coffee()
    side = len(whole)
    left = (whole.shape[1] - side) // 2
    square = Image.fromarray(whole[:, left : left + side]).resize((48, 48), Image.Resampling.BILINEAR)
    assert (splits.test.images[2].permute(1, 2, 0).numpy() * 255).round().tolist() == np.asarray(square).tolist()
    assert photos.of_set(splits.test, 9).names.count("cat") == 1
    with pytest.raises(UserError, match="different sizes"):
        data.load("photos")


def test_the_bundled_photos_are_not_downloaded(monkeypatch):
    def fetched(*_, **__):
        raise AssertionError("downloaded")

    monkeypatch.setattr(pooch.Pooch, "fetch", fetched)
    monkeypatch.setattr(pooch, "retrieve", fetched)
    assert len(data.load("photos", size=8).test) == 6


def test_sample_photos_are_named_by_their_files(tmp_path):
    for name in ("b/n02012849_crane.png", "a/n03126707_crane.jpg", "n01440764_tench.JPEG", "gallery.png"):
        saved(tmp_path / "imagenet-sample-images" / name, "RGB", (9, 9), (len(name), 0, 0))
    (tmp_path / "imagenet-sample-images" / "README.md").write_text("photos")
    splits = data.load("imagenet-samples", size=8, root=tmp_path)
    assert splits.test.class_names == ("tench", "crane") and len(splits.test) == 3 and len(splits.train) == 0
    assert splits.provenance["rule"] == "all of it the test part"
    assert splits.provenance["left_aside"] == {"files ending in .md": 1, "pictures of another name": 1}
    assert sorted(photos.of_set(splits.test, 9).names) == ["crane 1", "crane 2", "tench"]


def test_sample_photos_that_are_not_there_say_where_they_can_be_had(tmp_path):
    with pytest.raises(UserError) as caught:
        data.load("imagenet-samples", root=tmp_path)
    assert str(caught.value) == (
        f"data set 'imagenet-samples' not found\n"
        f"  looked in  {tmp_path}/imagenet-sample-images/  ·  {tmp_path}/imagenet_samples/  ·  "
        f"{tmp_path}/imagenet_samples.zip\n"
        "  mend it:   put what lies at https://github.com/EliSchwartz/imagenet-sample-images there\n"
        "         or  ROA_DATA=/path/to/folder holding imagenet_samples.zip or imagenet-sample-images/ or "
        "imagenet_samples/"
    )
    with pytest.raises(UserError, match="'imagenet-samples' is not fetched\n.*EliSchwartz.* at .*imagenet_samples.zip"):
        data.fetch("imagenet-samples", root=tmp_path)
    saved(tmp_path / "imagenet_samples" / "a" / "tench.png", "RGB", (9, 9), (0, 0, 0))
    with pytest.raises(UserError, match="holds no sample photos of ImageNet\n  expected"):
        data.load("imagenet-samples", root=tmp_path)
