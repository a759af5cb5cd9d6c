"""Official files with other names, of other types, with other columns."""

import gzip
import struct

import numpy as np
import pytest
from data.made import png, write_folder

from roa_helpers import data
from roa_helpers.errors import UserError


def idx(values, *, kind=8):
    """Bytes of an IDX file."""
    head = bytes((0, 0, kind, values.ndim)) + struct.pack(f">{values.ndim}I", *values.shape)
    return head + values.astype(values.dtype.newbyteorder(">")).tobytes()


def mnist(n=30, *, shape=(28, 28), dtype=np.uint8, kind=8, labels=10, short=0):
    """Official name → bytes of a small MNIST."""
    files, rng = {}, np.random.default_rng(0)
    for part in ("train", "t10k"):
        images = rng.integers(0, 256, (n, *shape)).astype(dtype)
        files[f"{part}-images-idx3-ubyte"] = idx(images, kind=kind)
        files[f"{part}-labels-idx1-ubyte"] = idx((np.arange(n - short) % labels).astype(np.uint8))
    return files


NAMES = {
    "official": lambda name: name,
    "Kaggle's": lambda name: name.replace("-idx", ".idx"),
    "Kaggle's in folders": lambda name: f"{name}/{name}",
    "Kaggle's in Kaggle's": lambda name: f"{name.replace('-idx', '.idx')}/{name.replace('-idx', '.idx')}",
}


@pytest.mark.parametrize("folder", ["MNIST/raw", "MNIST"])
@pytest.mark.parametrize("names", NAMES)
@pytest.mark.parametrize("packed", [False, True])
def test_mnist_is_found_by_any_of_its_names(tmp_path, folder, names, packed):
    files = mnist()
    expected = data.load(
        "mnist", root=write_folder(tmp_path / "plain", {f"MNIST/raw/{n}": r for n, r in files.items()})
    )
    written = {f"{folder}/{NAMES[names](name)}": gzip.compress(raw) if packed else raw for name, raw in files.items()}
    if packed and "/" not in NAMES[names]("x-idx"):
        written = {f"{name}.gz": raw for name, raw in written.items()}
    found = data.load("mnist", root=write_folder(tmp_path / "set", written))
    assert found.fingerprint == expected.fingerprint


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"kind": 13, "dtype": np.float32},
            "train-images-idx3-ubyte is not .* with 00 00 0d 03, not 00 00 08 03",
        ),
        ({"kind": 12, "dtype": np.int32}, "begins with 00 00 0c 03"),
        ({"shape": (28,)}, "begins with 00 00 08 02"),
        ({"labels": 13}, "30 × 28 × 28 pictures and 30 labels up to 12; mnist has a label of 0 … 9 for each"),
        ({"short": 3}, "30 × 28 × 28 pictures and 27 labels"),
        ({"n": 0}, "0 × 28 × 28 pictures"),
        ({"shape": (28, 0)}, "30 × 28 × 0 pictures"),
    ],
)
def test_mnist_of_another_kind_is_one_message(tmp_path, options, message):
    write_folder(tmp_path, {f"MNIST/raw/{name}": raw for name, raw in mnist(**options).items()})
    with pytest.raises(UserError, match=f"{message}.*\n.*data fetch mnist"):
        data.load("mnist", root=tmp_path)


def test_an_idx_file_that_announces_too_much_is_not_waited_for(tmp_path):
    files = mnist()
    files["train-images-idx3-ubyte"] = gzip.compress(bytes((0, 0, 8, 3)) + struct.pack(">3I", *[2**32 - 1] * 3))
    write_folder(tmp_path, {f"MNIST/raw/{name}": raw for name, raw in files.items()})
    with pytest.raises(UserError, match="not whole: 0 values are there"):
        data.load("mnist", root=tmp_path)


def test_other_sizes_of_pictures_are_taken(tmp_path):
    write_folder(tmp_path, {f"MNIST/raw/{name}": raw for name, raw in mnist(shape=(32, 30)).items()})
    assert data.load("mnist", root=tmp_path).train.images.shape[1:] == (1, 32, 30)


@pytest.mark.parametrize("lacking", ["t10k-labels-idx1-ubyte", "train-images-idx3-ubyte"])
def test_what_is_missing_of_mnist_is_named(tmp_path, lacking):
    files = {f"MNIST/raw/{name}": raw for name, raw in mnist().items() if name != lacking}
    with pytest.raises(UserError, match=f"there is   {tmp_path}/MNIST/raw/, without {lacking}\n"):
        data.load("mnist", root=write_folder(tmp_path, files))


def pets(root, line, *, listing=None):
    files = {f"images/Breed_{i}.jpg": png(i, form="JPEG") for i in range(20)}
    for name, numbers in (("trainval", range(14)), ("test", range(14, 20))):
        files[f"annotations/{name}.txt"] = listing or "\n".join(line(i) for i in numbers).encode()
    write_folder(root / "oxford-iiit-pet", files)
    return root


def test_comments_and_empty_lines_of_the_pets_are_passed_over(tmp_path):
    root = pets(tmp_path, lambda i: f"# a comment\n\nBreed_{i} 1 {1 + i % 2} 1\n")
    assert data.load("cats-vs-dogs", root=root).provenance["counts"]["test"] == {"Cat": 3, "Dog": 3}


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (lambda i: f"Breed_{i} 1 {1 + i % 2}", "line 1 is 'Breed_0 1 1'"),
        (lambda i: f"Breed_{i} 1 1 1 1", "line 1 is"),
        (lambda i: f"Breed_{i} 1 7 1", "line 1 is"),
        (lambda i: f"Breed_{i} 1 0 1", "line 1 is"),
        (lambda i: f"Breed_{i} 1 cat 1", "line 1 is"),
        (lambda i: f"Breed_{i},1,1,1", "line 1 is"),
        (lambda i: "\x1b[2J" * 99, r"line 1 is '\\x1b"),
        (lambda i: "", "it names no picture"),
    ],
)
def test_pets_with_other_columns_are_one_message(tmp_path, line, told):
    with pytest.raises(UserError, match=f"trainval.txt is not the official list: {told}.*\n  expected") as caught:
        data.load("cats-vs-dogs", root=pets(tmp_path, line))
    assert len(str(caught.value).splitlines()) == 3 and "\x1b" not in str(caught.value)


@pytest.mark.parametrize(("listing", "told"), [(b"\xff\xfe\x00", "it is no text"), (b"\x00\x01", "line 1 is")])
def test_pets_whose_list_is_no_text(tmp_path, listing, told):
    with pytest.raises(UserError, match=f"not the official list: {told}"):
        data.load("cats-vs-dogs", root=pets(tmp_path, None, listing=listing))


def test_a_pet_in_both_lists_would_be_trained_and_tested_on(tmp_path):
    with pytest.raises(UserError, match="its lists name a picture twice\n"):
        data.load("cats-vs-dogs", root=pets(tmp_path, None, listing=b"Breed_1 1 1 1\n"))
