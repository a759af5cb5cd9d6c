"""Data sets: splits that can be trusted, archives that need not be, downloads that are whole or absent."""

import contextlib
import dataclasses
import gzip
import hashlib
import http.server
import io
import json
import logging
import os
import re
import stat
import tarfile
import threading
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pooch
import pytest
import torch
from data.made import pictures, png, write_folder, write_zip
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from roa_helpers import data
from roa_helpers.data import archives, downloads
from roa_helpers.data import pictures as decoding
from roa_helpers.data.dealing import SPLITS, shares, split_records
from roa_helpers.data.layouts import Record
from roa_helpers.data.official import open_class_folders
from roa_helpers.errors import UserError


def hashes(images):
    return {hashlib.sha256(image.numpy().tobytes()).hexdigest() for image in images}


def assert_disjoint(splits):
    found = [hashes(getattr(splits, split).images) for split in SPLITS]
    assert sum(map(len, found)) == len(set.union(*found)) == sum(len(getattr(splits, split)) for split in SPLITS)


# ------------------------------------------------------------------------------------------------------- ImageSet


def image_set(n=4, names=("a", "b")):
    return data.ImageSet(torch.rand(n, 1, 3, 3, generator=torch.Generator().manual_seed(0)), torch.arange(n) % 2, names)


def test_fingerprint_sees_pixels_labels_names_and_shape():
    base = image_set()
    changed = base.images.clone()
    changed[0, 0, 0, 0] = 0.5
    others = [
        data.ImageSet(changed, base.labels, base.class_names),
        data.ImageSet(base.images, 1 - base.labels, base.class_names),
        data.ImageSet(base.images, base.labels, ("a", "c")),
        data.ImageSet(base.images.reshape(4, 1, 1, 9), base.labels, base.class_names),
    ]
    assert image_set().fingerprint == base.fingerprint
    assert len({one.fingerprint for one in [base, *others]}) == 5


def test_subsets():
    base = image_set()
    assert torch.equal(base.of_class(1).images, base.images[1::2])
    assert torch.equal(base.subset(slice(0, 2)).labels, base.labels[:2])
    assert len(base.subset(torch.zeros(4, dtype=torch.bool))) == 0


@pytest.mark.parametrize(
    "change",
    [
        {"images": torch.zeros(4, 3, 3)},
        {"images": torch.zeros(4, 1, 3, 3, dtype=torch.float64)},
        {"images": torch.full((4, 1, 3, 3), 1.01)},
        {"images": torch.full((4, 1, 3, 3), -0.01)},
        {"images": torch.full((4, 1, 3, 3), float("nan"))},
        {"labels": torch.zeros(3, dtype=torch.int64)},
        {"labels": torch.zeros(4)},
        {"labels": torch.full((4,), 2)},
    ],
)
def test_image_set_refuses_what_it_does_not_promise(change):
    base = image_set()
    with pytest.raises(ValueError):
        data.ImageSet(**{"images": base.images, "labels": base.labels, "class_names": base.class_names} | change)


# ---------------------------------------------------------------------------------------------------- embedded sets


def test_digits_are_exact_and_stratified():
    from sklearn.datasets import load_digits

    splits = data.load("digits")
    assert splits.train.images.shape[1:] == (1, 8, 8)
    assert sum(len(getattr(splits, split)) for split in SPLITS) == 1797
    twin = hashes(torch.tensor(load_digits().images[:, None] / 16, dtype=torch.float32))
    assert hashes(splits.test.images) <= twin
    assert_disjoint(splits)
    for label, n in enumerate(np.bincount(load_digits().target)):
        assert abs((splits.test.labels == label).sum() - 0.15 * n) <= 0.5
    json.dumps(splits.provenance)


def test_faces():
    splits = data.load("faces", size=48, limit=(10, 5, None))
    assert splits.train.class_names == ("face", "non-face")
    assert [len(splits.train), len(splits.val), len(splits.test)] == [20, 10, 30]
    assert splits.test.images.shape[1:] == (1, 48, 48)


def test_same_seed_same_bytes_other_seed_other_split():
    one, same, other = (data.load("digits", limit=20, seed=seed) for seed in (1, 1, 2))
    assert torch.equal(one.train.images, same.train.images)
    assert one.fingerprint == same.fingerprint != other.fingerprint


def test_order_of_classes_is_the_order_of_labels_and_changes_no_choice():
    forth, back = (data.load("digits", classes=names, limit=5) for names in (("3", "7"), (7, 3)))
    assert forth.train.class_names == ("3", "7") and back.train.class_names == ("7", "3")
    assert torch.equal(forth.train.of_class(0).images, back.train.of_class(1).images)


def test_larger_limit_keeps_the_smaller_choice():
    small, large = (data.load("digits", classes=("0", "1"), limit=n) for n in (5, 50))
    for split in SPLITS:
        assert hashes(getattr(small, split).images) <= hashes(getattr(large, split).images)


# ---------------------------------------------------------------------------------------------------------- splits


@given(n=st.integers(0, 5000), parts=st.sampled_from([(0.7, 0.15, 0.15), (0.85, 0.15), (1.0,)]))
def test_shares_are_near_the_fractions_and_not_empty(n, parts):
    found = shares(n, parts)
    assert sum(found) == n and min(found) >= 0
    if n >= len(parts):
        assert min(found) >= 1 and all(abs(k - n * part) <= 1 for k, part in zip(found, parts, strict=True))


names = st.lists(st.tuples(st.integers(1, 9), st.integers(0, 99), st.sampled_from("ab")), unique=True, max_size=80)


@given(names=names, seed=st.integers(0, 2**32), official=st.booleans())
@settings(max_examples=60, deadline=None)
def test_split_deals_each_record_once_and_keeps_groups_together(names, seed, official):
    part = {True: ("train", "test"), False: ("", "")}[official]
    records = [Record(f"{c}/C{g}P_{i}", c, part[(g + i) % 2]) for g, i, c in names]
    for group in ("", r"C\d+"):
        queues, _ = split_records(records, seed=seed, group=group)
        dealt = [(record, split) for split, by in queues.items() for found in by.values() for record in found]
        assert sorted(record for record, _ in dealt) == sorted(records)
        if group:
            homes = {(record.part, record.name.split("/")[1].split("P")[0], split) for record, split in dealt}
            assert len(homes) == len({home[:2] for home in homes})
        if official:
            assert all((record.part == "test") == (split == "test") for record, split in dealt)


def test_order_of_records_does_not_matter():
    records = [Record(f"a/{i}", "a", "") for i in range(50)]
    assert split_records(records, seed=3) == split_records(records[::-1], seed=3)


def test_groups_stay_near_the_shares():
    rng = np.random.default_rng(0)
    records = [Record(f"{c}/C{g}P_{i}", c, "") for g in range(150) for c in "ab" for i in range(rng.integers(0, 40))]
    queues, _ = split_records(records, seed=0, group=r"C\d+")
    for label in "ab":
        n = sum(record.label == label for record in records)
        assert len(queues["test"][label]) / n == pytest.approx(0.15, abs=0.02)


# --------------------------------------------------------------------------------------------------- class folders


@pytest.mark.parametrize("outer", ["", "outer/", "cell_images/more/"])
def test_folder_and_zip_give_the_same_sets(tmp_path, outer):
    files = pictures("cat", "dog", prefix=outer)
    folder = data.load(write_folder(tmp_path / "pets", files))
    zipped = data.load(write_zip(tmp_path / "pets.zip", files))
    assert folder.fingerprint == zipped.fingerprint
    assert folder.train.class_names == ("cat", "dog") and folder.train.images.shape == (28, 3, 8, 8)
    assert folder.provenance["counts"]["val"] == {"cat": 3, "dog": 3}
    assert str(tmp_path) not in json.dumps(folder.provenance)
    assert_disjoint(folder)


@pytest.mark.parametrize("test_name", ["test", "val"])
def test_official_test_part_is_kept(tmp_path, test_name):
    train, test = pictures("a", "b", prefix="train/"), pictures("a", "b", n=4, prefix=f"{test_name}/")
    splits = data.load(write_zip(tmp_path / "set.zip", train | test))
    assert [len(splits.train), len(splits.val), len(splits.test)] == [34, 6, 8]
    assert "official test part" in splits.provenance["rule"]


def test_three_official_parts(tmp_path):
    files = {}
    for part, n in (("train", 5), ("valid", 2), ("test", 3)):
        files |= pictures("a", "b", n=n, prefix=f"{part}/")
    splits = data.load(write_folder(tmp_path / "set", files))
    assert [len(splits.train), len(splits.val), len(splits.test)] == [10, 4, 6]


@pytest.mark.parametrize("test_name", ["test", "val"])
def test_repeated_files_are_used_once_and_the_test_part_first(tmp_path, test_name):
    files = pictures("a", n=10, prefix="train/") | pictures("a", n=4, prefix=f"{test_name}/")
    files["train/a/again.png"] = files[f"{test_name}/a/000.png"]
    files["train/a/twice.png"] = files["train/a/001.png"]
    splits = data.load(write_folder(tmp_path / "set", files))
    assert splits.provenance["duplicates"] == {"count": 2, "names": ["train/a/again.png", "train/a/twice.png"]}
    assert len(splits.test) == 4 and len(splits.train) + len(splits.val) == 10
    assert_disjoint(splits)


def test_colour_transparency_depth_and_orientation():
    def decode(image, form="PNG", **options):
        buffer = io.BytesIO()
        image.save(buffer, form, **options)
        return decoding.decode_picture(buffer.getvalue())

    assert decode(Image.new("L", (2, 2), 77)).getpixel((0, 0)) == (77, 77, 77)
    assert decode(Image.new("RGBA", (2, 2), (255, 0, 0, 0))).getpixel((0, 0)) == (255, 255, 255)
    assert decode(Image.new("P", (2, 2), 0), transparency=0).getpixel((0, 0)) == (255, 255, 255)
    assert decode(Image.fromarray(np.full((2, 2), 0x80FF, np.uint16))).getpixel((0, 0)) == (128, 128, 128)
    exif = Image.Exif()
    exif[0x0112] = 6
    assert decode(Image.new("RGB", (4, 2)), "JPEG", exif=exif).size == (2, 4)


def test_middle_square_then_antialiased(tmp_path):
    stripes = np.zeros((8, 16, 3), np.uint8)
    stripes[:, 4:12:2] = 255
    buffer = io.BytesIO()
    Image.fromarray(stripes).save(buffer, "PNG")
    splits = data.load(write_folder(tmp_path / "set", {"a/1.png": buffer.getvalue()}), size=4)
    assert splits.train.images[..., 1:3].mean() == pytest.approx(0.5, abs=0.1)
    assert len(splits.val) == len(splits.test) == 0
    assert splits.val.images.shape == (0, 3, 4, 4)


def test_sizes_that_differ_need_a_size(tmp_path):
    place = write_folder(tmp_path / "set", pictures("a", n=5) | pictures("b", n=5, size=(9, 7)))
    with pytest.raises(UserError, match=r"different sizes: 8×8 \(a/.*9×7 \(b/.*\n.*size="):
        data.load(place)
    assert data.load(place, size=6).train.images.shape[2:] == (6, 6)


@pytest.mark.parametrize("make", [write_folder, write_zip])
def test_unreadable_pictures_are_skipped_and_named(tmp_path, make):
    files = pictures("a", "b", n=6)
    files["a/000.png"] = files["a/000.png"][:60]
    files["b/001.png"] = b"not a picture"
    files |= {"a/Thumbs.db": b"", "__MACOSX/a/._1.png": b"", ".hidden/1.png": b"", "stray.png": png(99)}
    place = make(tmp_path / "set.zip", files)
    splits = data.load(place)
    reasons = {decoding.BROKEN: 1, decoding.NO_PICTURE: 1}
    assert splits.provenance["unreadable"] == {"count": 2, "names": ["a/000.png", "b/001.png"], "reasons": reasons}
    assert splits.provenance["left_aside"]["pictures outside class folders"] == 1
    assert sum(len(getattr(splits, split)) for split in SPLITS) == 10
    found = data.check(place)
    assert found["unreadable"]["names"] == ["a/000.png", "b/001.png"] and found["counts"] == {"all": {"a": 5, "b": 5}}


def test_an_unreadable_picture_is_replaced_within_the_limit(tmp_path):
    files = pictures("a", n=40)
    for i in range(0, 40, 4):
        files[f"a/{i:03d}.png"] = b"broken"
    assert len(data.load(write_folder(tmp_path / "set", files), limit=(10, 1, 1)).train) == 10


def test_only_what_is_used_is_decoded(tmp_path, monkeypatch):
    seen = []
    decode = decoding.decode_picture
    monkeypatch.setattr(decoding, "decode_picture", lambda raw, **options: seen.append(1) or decode(raw, **options))
    data.load(write_folder(tmp_path / "set", pictures("a", "b", "c")), classes=("a", "b"), limit=(2, 1, 1))
    assert len(seen) == 8


def test_pictures_too_large_are_unreadable(tmp_path, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    files = pictures("a", n=5) | {"a/warned.png": png(1, size=(12, 12)), "a/bomb.png": png(2, size=(30, 30))}
    found = data.load(write_folder(tmp_path / "set", files)).provenance["unreadable"]["names"]
    assert found == ["a/bomb.png", "a/warned.png"]


def test_a_class_without_a_readable_picture_is_named(tmp_path):
    files = pictures("a", "b", n=4) | {"broken/1.png": b"no"}
    place = write_folder(tmp_path / "set", files)
    (place / "empty").mkdir()
    for label in ("broken", "empty"):
        with pytest.raises(UserError, match=f"class '{label}' has no readable picture"):
            data.load(place, classes=("a", label))
    assert len(data.load(place, classes=("a", "b")).train) == 4


def test_nothing_to_load(tmp_path):
    (tmp_path / "set").mkdir()
    with pytest.raises(UserError, match="no class folders with pictures"):
        data.load(tmp_path / "set")


def test_links_that_lead_out_are_left_aside(tmp_path):
    outside = write_folder(tmp_path / "outside", pictures("x", n=3))
    place = write_folder(tmp_path / "set", pictures("a", n=4))
    (place / "a/out.png").symlink_to(outside / "x/000.png")
    (place / "x").symlink_to(outside / "x")
    splits = data.load(place)
    assert splits.train.class_names == ("a",)
    assert splits.provenance["left_aside"]["links"] == 2


def test_files_without_permission(tmp_path, monkeypatch):
    place = write_folder(tmp_path / "set", pictures("a", n=5))
    opened = Path.open

    def guarded(path, *mode):
        if path.name == "002.png":
            raise PermissionError(13, "Permission denied", str(path))
        return opened(path, *mode)

    monkeypatch.setattr(Path, "open", guarded)
    assert data.load(place).provenance["unreadable"]["names"] == ["a/002.png"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_folder_without_permission(tmp_path):
    place = write_folder(tmp_path / "set", pictures("a", n=5))
    (place / "a").chmod(0)
    try:
        with pytest.raises(UserError, match="cannot be read"):
            data.load(place)
    finally:
        (place / "a").chmod(0o755)


# ------------------------------------------------------------------------------------------------------------ zips


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("../a/1.png", "out of the archive"),
        ("a/../../1.png", "out of the archive"),
        ("a\\..\\1.png", "out of the archive"),
        ("/a/1.png", "absolute"),
        ("C:/a/1.png", "absolute"),
        ("\\a\\1.png", "absolute"),
    ],
)
def test_zip_members_that_lead_elsewhere(tmp_path, name, reason):
    place = write_zip(tmp_path / "set.zip", pictures("a", n=3))
    with zipfile.ZipFile(place, "a") as archive:
        archive.writestr(name, png(9))
    with pytest.raises(UserError, match=reason) as caught:
        data.load(place)
    assert repr(name) in str(caught.value)


def test_zip_with_a_link(tmp_path):
    place = write_zip(tmp_path / "set.zip", pictures("a", n=3))
    member = zipfile.ZipInfo("a/link.png")
    member.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(place, "a") as archive:
        archive.writestr(member, "/etc/passwd")
    with pytest.raises(UserError, match="'a/link.png': a symbolic link"):
        data.load(place)


def test_encrypted_zip(tmp_path):
    place = write_zip(tmp_path / "set.zip", {"a/1.png": png(0)})
    raw = bytearray(place.read_bytes())
    raw[raw.index(b"PK\x01\x02") + 8] |= 1
    place.write_bytes(raw)
    with pytest.raises(UserError, match="'a/1.png': encrypted"):
        data.load(place)


def test_zip_bombs(tmp_path, monkeypatch):
    place = write_zip(tmp_path / "ratio.zip", {"a/1.png": b"\0" * (archives.RATIO_FLOOR + 1)})
    with pytest.raises(UserError, match="'a/1.png': packed more than 200-fold"):
        data.load(place)
    place = write_zip(tmp_path / "set.zip", pictures("a", n=3))
    for limit, reason in (
        ("FILE_LIMIT", "larger than"),
        ("TOTAL_LIMIT", "unpack to more"),
        ("ENTRY_LIMIT", "more than 1 entries"),
    ):
        with monkeypatch.context() as patch, pytest.raises(UserError, match=reason):
            patch.setattr(archives, limit, 1)
            data.load(place)


def test_a_size_that_lies_gains_nothing(tmp_path):
    place = write_zip(tmp_path / "set.zip", pictures("a", n=4) | {"a/lie.png": b"\0" * 5000})
    raw = bytearray(place.read_bytes())
    central = raw.rindex(b"PK\x01\x02")
    raw[central + 24 : central + 28] = (10).to_bytes(4, "little")
    place.write_bytes(raw)
    assert data.load(place).provenance["unreadable"]["names"] == ["a/lie.png"]


@pytest.mark.parametrize("cut", [0, 10, 500])
def test_corrupt_zip(tmp_path, cut):
    place = write_zip(tmp_path / "set.zip", pictures("a", n=3))
    place.write_bytes(place.read_bytes()[:cut])
    with pytest.raises(UserError, match="cannot be read as a zip archive"):
        data.load(place)


def test_nothing_is_written(tmp_path):
    place = write_zip(tmp_path / "set.zip", pictures("a", n=3))
    data.load(place)
    assert list(tmp_path.iterdir()) == [place]


# ------------------------------------------------------------------------------------------- names, places, options


def test_unknown_data_set():
    with pytest.raises(UserError, match="unknown data set 'mnsit'\n.*digits.*mnist.*\n.*folder or .zip"):
        data.load("mnsit")
    with pytest.raises(UserError, match="known are"):
        data.fetch("mnsit")


def test_missing_data_set_names_the_places_and_the_ways_out(tmp_path):
    with pytest.raises(UserError) as caught:
        data.load("malaria", root=tmp_path)
    assert str(caught.value) == (
        f"data set 'malaria' not found\n"
        f"  looked in  {tmp_path}/malaria/  ·  {tmp_path}/malaria.zip\n"
        f"  mend it:   python -m roa_helpers data fetch malaria   (337 MB)\n"
        f"         or  ROA_DATA=/path/to/folder holding malaria.zip or malaria/{{Parasitized,Uninfected}}/"
    )


def test_every_known_set_says_where_it_was_looked_for(tmp_path, monkeypatch):
    monkeypatch.setenv("ROA_DATA", str(tmp_path))
    rows = {row["name"]: row for row in data.available()}
    assert {name for name, row in rows.items() if row["found"]} == {"digits", "faces", "photos"}
    for name in set(rows) - {"digits", "faces", "photos"}:
        with pytest.raises(UserError, match="not found"):
            data.load(name)
        assert rows[name]["looked_in"] and (rows[name]["download_size"] > 0) == (name != "imagenet-samples")
    write_zip(tmp_path / "malaria.zip", pictures("Parasitized", "Uninfected", n=3))
    assert {row["name"]: row["where"] for row in data.available()}["malaria"] == str(tmp_path / "malaria.zip")
    json.dumps(data.available())


@pytest.mark.parametrize("classes", [("0", "10"), (0, 11), (), ("x",)])
def test_unknown_class(classes):
    with pytest.raises(UserError, match="has no class.*\n.*0, 1, 2"):
        data.load("digits", classes=classes)


def test_class_named_twice():
    with pytest.raises(UserError, match="twice"):
        data.load("digits", classes=("1", 1))


@pytest.mark.parametrize("limit", [0, -1, 1.5, True, (1, 2), (1, 2, 0), "3"])
def test_limit_that_makes_no_sense(limit):
    with pytest.raises(UserError, match="limit is"):
        data.load("digits", limit=limit)


@pytest.mark.parametrize("size", [0, -3, 2.5, True])
def test_size_that_makes_no_sense(size):
    with pytest.raises(UserError, match="size is"):
        data.load("digits", size=size)


def test_malaria_is_split_by_slide(tmp_path):
    files = {
        f"{label}/C{slide}P{slide}ThinF_IMG_{i}.png": png((k, slide, i))
        for k, label in enumerate(("Parasitized", "Uninfected"))
        for slide in range(12)
        for i in range(5)
    }
    write_zip(tmp_path / "malaria.zip", files)
    splits = data.load("malaria", root=tmp_path)
    slides = {hashlib.sha256(np.asarray(Image.open(io.BytesIO(raw)))).digest(): name for name, raw in files.items()}

    def of(part):
        arrays = (part.images * 255).round().to(torch.uint8).permute(0, 2, 3, 1).contiguous().numpy()
        return {slides[hashlib.sha256(image).digest()].split("/C")[1].split("P")[0] for image in arrays}

    train, val, test = of(splits.train), of(splits.val), of(splits.test)
    assert train and val and test and not (train & val or train & test or val & test)
    assert "whole groups" in splits.provenance["rule"]


def test_readable_names_for_synsets(tmp_path):
    synsets = data.KNOWN["imagenette"].folders
    write_folder(
        tmp_path / "imagenette", pictures(*synsets, n=3, prefix="train/") | pictures(*synsets, n=1, prefix="val/")
    )
    splits = data.load("imagenette", classes=("church", "n01440764"), root=tmp_path)
    assert splits.test.class_names == ("church", "tench") and len(splits.test) == 2


def test_a_known_set_without_one_of_its_classes(tmp_path):
    write_folder(tmp_path / "malaria", pictures("Parasitized", "Other", n=3))
    with pytest.raises(UserError, match="no class folder for Uninfected; it has Other, Parasitized"):
        data.load("malaria", root=tmp_path)


def write_idx(root, n=40, cut=0):
    raw = root / "MNIST/raw"
    raw.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for part in ("train", "t10k"):
        images = rng.integers(0, 256, (n, 28, 28), dtype=np.uint8).tobytes()
        head = b"".join(k.to_bytes(4, "big") for k in (0x803, n, 28, 28))
        (raw / f"{part}-images-idx3-ubyte").write_bytes((head + images)[: len(head + images) - cut])
        labels = b"".join(k.to_bytes(4, "big") for k in (0x801, n)) + bytes(i % 10 for i in range(n))
        (raw / f"{part}-labels-idx1-ubyte").write_bytes(labels)


def test_mnist_files(tmp_path):
    write_idx(tmp_path)
    splits = data.load("mnist", classes=("1", "0"), root=tmp_path)
    assert splits.test.images.shape == (8, 1, 28, 28) and splits.test.labels.tolist() == [0] * 4 + [1] * 4
    first = np.frombuffer((tmp_path / "MNIST/raw/t10k-images-idx3-ubyte").read_bytes()[16:], np.uint8)[784:1568]
    assert torch.equal(splits.test.images[0].flatten(), torch.from_numpy(first.astype(np.float32)) / 255)


@pytest.mark.parametrize("cut", [1, 100, 40 * 784 + 10])
def test_truncated_mnist_files(tmp_path, cut):
    write_idx(tmp_path, cut=cut)
    with pytest.raises(UserError, match="not whole.*\n.*delete it"):
        data.load("mnist", root=tmp_path)


def test_damaged_cifar_batches(tmp_path):
    write_folder(tmp_path / "cifar-10-batches-py", {"batches.meta": b"x", "test_batch": b"x"})
    with pytest.raises(UserError, match="not whole"):
        data.load("cifar10", root=tmp_path)


def test_pets(tmp_path):
    lines = [f"Breed_{i} 1 {1 + i % 2} 1" for i in range(20)]
    files = {f"images/Breed_{i}.jpg": png(i, form="JPEG") for i in range(20)}
    files["annotations/trainval.txt"] = "\n".join(lines[:14]).encode()
    files["annotations/test.txt"] = "\n".join(lines[14:]).encode()
    place = write_folder(tmp_path / "oxford-iiit-pet", files)
    splits = data.load("cats-vs-dogs", root=tmp_path)
    assert splits.provenance["counts"]["test"] == {"Cat": 3, "Dog": 3}
    assert [len(splits.train), len(splits.val)] == [12, 2]
    (place / "images/Breed_3.jpg").unlink()
    with pytest.raises(UserError, match=r"1 pictures are missing.*Breed_3"):
        data.load("cats-vs-dogs", root=tmp_path)


# -------------------------------------------------------------------------------------------------------- downloads


@contextlib.contextmanager
def serving(handler):
    """The address of a local server of a handler's class."""
    handler.log_message = lambda *_: None
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """A folder and the address under which a local server gives its files."""
    folder = tmp_path_factory.mktemp("served")

    class Folder(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args):
            super().__init__(*args, directory=folder)

        def copyfile(self, source, target):
            raw = source.read()
            target.write(raw[: len(raw) // 2] if "truncated" in self.path else raw)

    with serving(Folder) as url:
        yield folder, url


@contextlib.contextmanager
def answering(*answers):
    """The address of a server that gives these answers one after the other, the last ever again, and the paths asked.

    An answer is a status, the headers, and a body or a function that writes it to the stream it is given.
    """
    asked = []

    class Scripted(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            status, headers, body = answers[min(len(asked), len(answers)) - 1]
            self.send_response(status)
            for header in headers.items():
                self.send_header(*header)
            self.end_headers()
            with contextlib.suppress(ConnectionError):  # who asked may have had enough
                body(self.wfile) if callable(body) else self.wfile.write(body)

    with serving(Scripted) as url:
        yield url, asked


def official(url, raw, **changes):
    digest = hashlib.sha256(raw).hexdigest()
    return data.Download(**{"url": url, "size": len(raw), "sha256": digest, "to": "put/it"} | changes)


def offer(served, name, raw, **changes):
    folder, url = served
    (folder / name).write_bytes(raw)
    return official(url + name, raw, **{"to": f"put/{name}"} | changes)


def packed(folder, name):
    """Bytes of a folder as a packed tar in which it has this name."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        archive.add(folder, name)
    return buffer.getvalue()


def known(monkeypatch, name, *files):
    monkeypatch.setitem(data.KNOWN, name, dataclasses.replace(data.KNOWN[name], downloads=files))


def test_fetch_then_load(tmp_path, served, monkeypatch):
    raw = write_zip(tmp_path / "made.zip", pictures("Parasitized", "Uninfected")).read_bytes()
    known(monkeypatch, "malaria", offer(served, "cells.zip", raw, to="malaria.zip"))
    root = tmp_path / "new/root"
    assert data.fetch("malaria", root, progress=False) == [root / "malaria.zip"]
    assert [path.name for path in root.iterdir()] == ["malaria.zip"]
    assert len(data.load("malaria", root=root).train) > 0
    (served[0] / "cells.zip").unlink()
    assert data.fetch("malaria", root, progress=False) == [root / "malaria.zip"]


def test_fetch_unpacks_gz_and_tar(tmp_path, served):
    raw = b"idx" * 1000
    digest = hashlib.sha256(raw).hexdigest()
    file = offer(served, "x.gz", gzip.compress(raw), sha256=digest, to="MNIST/raw/x", unpack="gz", unpacked=len(raw))
    assert data.download(file, tmp_path, progress=False).read_bytes() == raw
    made = write_folder(tmp_path / "made", pictures("a", n=2))
    file = offer(served, "x.tgz", packed(made, "inside"), to="sets/inside", unpack="tar")
    assert sorted(path.name for path in (data.download(file, tmp_path, progress=False) / "a").iterdir()) == [
        "000.png",
        "001.png",
    ]


def test_what_is_fetched_is_whole_or_absent(tmp_path, served, monkeypatch):
    monkeypatch.setattr(downloads, "RETRIES", 0)
    raw = os.urandom(3 * 2**20)
    evil = io.BytesIO()
    with tarfile.open(fileobj=evil, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("../../evil"))
    missing = dataclasses.replace(offer(served, "good", raw), url=served[1] + "absent")
    cases = [
        (offer(served, "truncated", raw), "(?i)incomplete"),
        (offer(served, "shorter", raw, size=len(raw) + 1), "incomplete: 3,145,728 of 3,145,729"),
        (offer(served, "longer", raw, size=len(raw) - 1), "longer than the official"),
        (offer(served, "wrong", raw, sha256="0" * 64), "SHA-256 .* instead of 000"),
        (missing, "HTTP Error 404"),
        (dataclasses.replace(missing, url="http://127.0.0.1:9/x"), "(?i)reason     .Errno.* refused\n"),
        (offer(served, "bomb.gz", gzip.compress(raw), unpack="gz", unpacked=10), "longer than the official"),
        (offer(served, "no.gz", raw, unpack="gz", unpacked=10), "(?i)gzip"),
        (offer(served, "evil.tar", evil.getvalue(), unpack="tar"), "outside"),
        (offer(served, "no.tar", raw, unpack="tar"), "could not"),
    ]
    root = tmp_path / "root"
    for file, reason in cases:
        with pytest.raises(UserError, match=reason):
            data.download(file, root, progress=False)
        assert [path for path in root.rglob("*") if path.is_file()] == []
    assert list(root.iterdir()) == [root / "put"]


def test_a_folder_that_cannot_be_written(tmp_path, served):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(UserError, match="could not fetch"):
        data.download(offer(served, "some", b"1"), tmp_path / "file/root", progress=False)


def test_interruption_leaves_nothing(tmp_path, served, monkeypatch):
    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(downloads.tqdm, "update", stop)
    with pytest.raises(KeyboardInterrupt):
        data.download(offer(served, "some", b"1" * 100), tmp_path, progress=False)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize("broken", [(503, {}, b""), (200, {"Content-Length": "9"}, b"1234"), (200, {}, b"1234")])
def test_a_failure_that_may_pass_is_tried_again_and_without_a_word(tmp_path, monkeypatch, broken):
    monkeypatch.setattr(downloads, "RETRIES", 1)
    logger, said = pooch.get_logger(), io.StringIO()
    monkeypatch.setattr(logger, "handlers", [logging.StreamHandler(said)])
    with answering(broken, (200, {}, b"123456789")) as (url, asked):
        place = data.download(official(url + "file", b"123456789"), tmp_path, progress=False)
    assert place.read_bytes() == b"123456789" and asked == ["/file", "/file"]
    assert said.getvalue() == "" and logger.filters == []


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ((404, {}, b""), "HTTP Error 404: Not Found"),
        ((200, {}, b"12345"), "longer than the official"),
        ((200, {}, b"4321"), "SHA-256 .* instead of"),
    ],
)
def test_a_failure_that_stays_is_not_tried_again(tmp_path, answer, reason):
    with answering(answer) as (url, asked), pytest.raises(UserError, match=reason):
        data.download(official(url, b"1234"), tmp_path, progress=False)
    assert len(asked) == 1 and list(tmp_path.iterdir()) == [tmp_path / "put"]


def test_no_end_of_bytes_is_not_written(tmp_path):
    def endless(stream):
        while True:
            stream.write(bytes(2**16))

    with answering((200, {}, endless)) as (url, _), pytest.raises(UserError, match="longer than the official"):
        data.download(official(url, bytes(2**20)), tmp_path, progress=False)
    with answering((302, {"Location": "/"}, endless)) as (url, _), pytest.raises(UserError, match="longer than"):
        data.download(official(url, bytes(2**20)), tmp_path, progress=False)


@pytest.mark.parametrize("headers", [{"Content-Length": "10000"}, {}])
def test_drips_are_not_waited_for(tmp_path, monkeypatch, headers):
    def drip(stream):
        for _ in range(200):
            stream.write(b"1")
            time.sleep(0.05)

    monkeypatch.setattr(downloads, "TIMEOUT", 0.3)
    start = time.monotonic()
    with answering((200, headers, drip)) as (url, asked), pytest.raises(UserError, match="too slow: less than 16,384"):
        data.download(official(url, b"1" * 10_000), tmp_path, progress=False)
    assert time.monotonic() - start < 5 and len(asked) == 1
    assert list(tmp_path.iterdir()) == [tmp_path / "put"]


def test_redirects_lead_to_http_alone(tmp_path, monkeypatch, served):
    monkeypatch.setattr(downloads, "RETRIES", 0)
    root = tmp_path / "root"
    (tmp_path / "own").write_bytes(b"own")
    for elsewhere in ((tmp_path / "own").as_uri(), "ftp://127.0.0.1:9/own", "data:,own"):
        with (
            answering((302, {"Location": elsewhere}, b"")) as (url, _),
            pytest.raises(UserError, match="No connection"),
        ):
            data.download(official(url, b"own"), root, progress=False)
        assert list(root.iterdir()) == [root / "put"]
    there = offer(served, "there", b"there")
    with answering((302, {"Location": there.url}, b"moved")) as (url, _):
        assert data.download(official(url, b"there"), root, progress=False).read_bytes() == b"there"


@pytest.mark.parametrize("unpack", ["", "tar"])
def test_two_at_once_both_find_it(tmp_path, unpack):
    raw = packed(write_folder(tmp_path / "made", pictures("a", n=3)), "it")
    both = threading.Barrier(2, timeout=10)

    def together(stream):
        both.wait()
        stream.write(raw)

    root = tmp_path / "root"
    with answering((200, {}, together)) as (url, asked), ThreadPoolExecutor(2) as pool:
        file = official(url, raw, unpack=unpack)
        places = list(pool.map(lambda _: data.download(file, root, progress=False), range(2)))
    assert len(asked) == 2 and places == [root / "put/it"] * 2
    assert list(root.iterdir()) == [root / "put"] and list((root / "put").iterdir()) == [root / "put/it"]
    assert unpack or places[0].read_bytes() == raw
    assert not unpack or len(list(places[0].glob("a/*.png"))) == 3


def test_a_file_is_taken_as_it_lies_and_may_be_read_by_others(tmp_path):
    raw = gzip.compress(b"some" * 100)
    (tmp_path / "other").write_bytes(b"")
    with answering((200, {"Content-Encoding": "gzip", "Content-Length": str(len(raw))}, raw)) as (url, _):
        place = data.download(official(url, raw), tmp_path, progress=False)
    assert place.read_bytes() == raw and place.stat().st_mode == (tmp_path / "other").stat().st_mode


@pytest.mark.parametrize(
    ("headers", "url"), [({"Content-Length": "many"}, None), ({}, "nothing://x"), ({}, "http://[/"), ({}, "no address")]
)
def test_nonsense_is_the_user_s_to_read(tmp_path, monkeypatch, headers, url):
    monkeypatch.setattr(downloads, "RETRIES", 0)
    with answering((200, headers, b"1")) as (served, _), pytest.raises(UserError, match="could not fetch .*\n  reason"):
        data.download(official(url or served, b"1"), tmp_path, progress=False)


def test_every_official_file_has_a_sum():
    for dataset in data.KNOWN.values():
        for file in dataset.downloads:
            assert len(bytes.fromhex(file.sha256)) == 32 and file.size > 0
            assert any(file.to.startswith(layout.path) for layout in dataset.layouts)


def test_bundled_sets_need_no_fetching(tmp_path):
    assert data.fetch("digits", tmp_path) == []


# -------------------------------------------------------------------------------------------------------- real data


def real(name, **options):
    try:
        return data.load(name, **options)
    except UserError as error:
        if "not found" in str(error):
            pytest.skip(f"{name} is not at hand")
        raise


@pytest.mark.parametrize(
    ("name", "classes", "shape"),
    [
        ("mnist", ("0", "1"), (1, 28, 28)),
        ("fashion-mnist", ("Trouser", "Pullover"), (1, 28, 28)),
        ("cifar10", ("airplane", "automobile"), (3, 32, 32)),
        ("cats-vs-dogs", ("Cat", "Dog"), None),
        ("malaria", None, None),
        ("imagenette", ("tench", "church"), None),
    ],
)
def test_real_data(name, classes, shape):
    splits = real(name, classes=classes, size=None if shape else 64, limit=(100, 30, 30))
    assert [len(splits.train), len(splits.val), len(splits.test)] == [200, 60, 60]
    assert splits.train.images.shape[1:] == (shape or (3, 64, 64))
    assert splits.provenance["unreadable"]["count"] == 0
    assert_disjoint(splits)


def test_real_mnist_is_complete():
    splits = real("mnist", classes=("0", "1"))
    assert [len(splits.train) + len(splits.val), len(splits.test)] == [5923 + 6742, 980 + 1135]


def test_real_malaria_slides_stay_together():
    place = data.data_root() / "malaria.zip"
    if not place.exists():
        pytest.skip("malaria is not at hand")
    malaria = data.KNOWN["malaria"]
    with open_class_folders(malaria, place) as pool:
        queues, _ = split_records(pool.records, seed=0, group=malaria.group)
    slides = [
        {re.search(r"/C(\d+)", record.name).group(1) for found in by.values() for record in found}
        for by in queues.values()
    ]
    assert sum(map(len, slides)) == len(set.union(*slides)) == 200
    for label in pool.classes:
        n = sum(len(by[label]) for by in queues.values())
        assert len(queues["test"][label]) / n == pytest.approx(0.15, abs=0.02)


def test_cifar100_is_read_from_class_folders_and_known_by_its_official_file(tmp_path):
    known = data.KNOWN["cifar100"]
    assert len(known.classes) == 100 and list(known.classes) == sorted(known.classes)
    with pytest.raises(UserError, match="cifar-100-python"):
        data.load("cifar100", root=tmp_path)
    (tmp_path / "cifar-100-python").mkdir()
    for name in ("meta", "train", "test"):
        (tmp_path / "cifar-100-python" / name).write_bytes(b"not whole")
    with pytest.raises(UserError, match="is not whole"):
        data.load("cifar100", root=tmp_path)
