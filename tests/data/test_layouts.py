"""Folders are told apart: outer ones, parts, classes; a guess is said to be one."""

import logging

import pytest
from data.made import pictures, png, write_folder, write_zip
from hypothesis import given, settings
from hypothesis import strategies as st

from roa_helpers import data
from roa_helpers.data import layouts
from roa_helpers.data.archives import Tree
from roa_helpers.data.layouts import part_names
from roa_helpers.errors import UserError


def understood(place):
    """(part → class → count, doubts, what was left aside) of a folder or zip."""
    found = data.check(place)
    return found["counts"], found["doubts"], {why: n for why, n in found["left_aside"].items() if n}


def parted(train, test, *, around="", inside="", classes=("cat", "dog")):
    """4 and 2 pictures a class in two parts of these names."""
    inner = "" if not inside else f"{inside}/"
    return pictures(*classes, n=4, prefix=f"{around}{train}/{inner}") | pictures(
        *classes, n=2, prefix=f"{around}{test}/{inner}"
    )


BOTH = {"test": {"cat": 2, "dog": 2}, "train": {"cat": 4, "dog": 4}}

# ------------------------------------------------------------------------------------------------------------ parts


@pytest.mark.parametrize(
    ("train", "test"),
    [
        ("train", "test"),
        ("training", "testing"),
        ("training_set", "test_set"),
        ("Training Set", "Test Set"),
        ("TRAINING-SET", "TEST-SET"),
        ("TrainingSet", "TestSet"),
        ("train", "val"),
        ("train", "valid"),
        ("Train", "Validation"),
        ("train_images", "test_images"),
        ("seg_train", "seg_test"),
        ("pets-train", "pets-test"),
        ("01_train", "02_test"),
        ("train", "test1"),
        ("train data", "eval data"),
    ],
)
@pytest.mark.parametrize("make", [write_folder, write_zip])
def test_names_of_parts(tmp_path, make, train, test):
    counts, doubts, left_aside = understood(make(tmp_path / "set.zip", parted(train, test)))
    assert (counts, doubts, left_aside) == (BOTH, [], {})


part_word = st.sampled_from(["train", "training", "test", "testing", "val", "valid", "validation"])
filling = st.sampled_from(["", "set", "data", "images"])


@given(
    words=st.lists(part_word, min_size=2, max_size=4, unique=True),
    fill=filling,
    separator=st.sampled_from(["-", "_", " "]),
    before=st.sampled_from(["", "pets", "my pets", "2024"]),
    change=st.sampled_from([str.lower, str.upper, str.title]),
)
def test_any_spelling_of_parts_is_one(words, fill, separator, before, change):
    names = {change(separator.join(piece for piece in (before, word, fill) if piece)): word for word in words}
    expected = {name: layouts._PARTS[word] for name, word in names.items()}
    assert part_names(names) == (expected if len(set(expected.values())) > 1 else {})


@pytest.mark.parametrize(
    "names",
    [
        ("train", "bus"),  # a vehicle
        ("positive_test", "negative_test"),  # one part, and something else differs
        ("trains", "tests"),
        ("contest", "latest", "retrain"),
        ("pets-train", "birds-test"),
        ("cat", "dog"),
        (),
    ],
)
def test_names_of_classes_are_no_parts(names):
    assert part_names(names) == {}


label = st.text(alphabet="abc", min_size=1, max_size=3)


@given(
    labels=st.lists(label, min_size=2, max_size=4, unique=True),
    parts=st.sampled_from([(), ("train", "test"), ("Training Set", "Validation Set"), ("train", "val", "test")]),
    outer=st.lists(st.sampled_from(["set", "more", "x"]), max_size=2),
    inner=st.sampled_from(["", "images", "train"]),
    deeper=st.booleans(),
)
@settings(deadline=None, max_examples=150)
def test_what_was_made_is_what_is_understood(labels, parts, outer, inner, deeper):
    files, expected = {}, set()
    for part in parts or ("",):
        for k, one in enumerate(labels):
            path = [*outer, *([part] if part else []), *([inner] if part and inner else []), one]
            for i in range(2):
                inside = [*path, *(["more"] if deeper and k == 0 and i else []), f"{i}.png"]
                files["/".join(inside)] = 0
                expected.add(("/".join(inside), one))
    folders = {"/".join(name.split("/")[:k]) for name in files for k in range(1, name.count("/") + 1)}
    pool = layouts.class_folders(Tree(files, folders, {}, files.get), place=layouts.Path("/nowhere"))
    assert {(record.name, record.label) for record in pool.records} == expected
    assert pool.classes == tuple(sorted(labels)) and not pool.doubts
    assert {record.part for record in pool.records} == (
        {""} if not parts else {"train", "test"} if len(parts) == 2 else set(parts)
    )


def test_folders_around_the_classes_of_each_part(tmp_path):
    files = pictures("sea", "wood", n=4, prefix="seg_train/seg_train/")
    files |= pictures("sea", "wood", n=2, prefix="seg_test/images/2019/")
    files |= {f"seg_pred/seg_pred/{i}.png": png((9, i)) for i in range(3)}
    counts, doubts, left_aside = understood(write_folder(tmp_path / "set", files))
    assert counts == {"test": {"sea": 2, "wood": 2}, "train": {"sea": 4, "wood": 4}}
    assert left_aside == {"pictures in seg_pred/": 3}
    assert doubts == ["seg_test, seg_train taken for parts of the data, seg_pred left aside"]


def test_the_zip_that_taught_a_network_to_tell_training_set_from_test_set(tmp_path):
    files = parted("training_set", "test_set", around="dataset/") | {"dataset/single_prediction/1.png": png(99)}
    place = write_zip(tmp_path / "set.zip", files)
    counts, doubts, left_aside = understood(place)
    assert counts == BOTH and left_aside == {"pictures in single_prediction/": 1} and len(doubts) == 1
    assert data.classes_of(place) == ("cat", "dog")
    assert [len(part.labels) for part in (data.load(place).train, data.load(place).test)] == [6, 4]


def test_classes_above_parts(tmp_path):
    files = {}
    for label in ("cat", "dog"):
        files |= pictures("train", n=4, prefix=f"{label}/") | pictures("test", n=2, prefix=f"{label}/")
    assert understood(write_folder(tmp_path / "set", files)) == (BOTH, [], {})
    files |= pictures("test", n=2, prefix="cow/")
    _, (doubt,), _ = understood(write_folder(tmp_path / "set", files))
    assert "not all classes have one for training: cow" in doubt


@pytest.mark.parametrize("test", ["test1", "test"])
def test_a_test_part_without_classes_is_left_aside(tmp_path, test):
    files = pictures("cat", "dog", n=4, prefix="train/") | {f"{test}/{i}.png": png((9, i)) for i in range(3)}
    counts, (doubt,), left_aside = understood(write_folder(tmp_path / "set", files))
    assert counts == {"train": {"cat": 4, "dog": 4}} and left_aside == {f"pictures in {test}/": 3}
    assert doubt == f"{test} has none of the classes of the training part and is left aside"


def test_a_test_part_of_other_classes_is_left_aside_and_of_some_others_is_doubted(tmp_path):
    files = pictures("cat", "dog", n=4, prefix="train/") | pictures("unknown", n=2, prefix="test/")
    counts, (doubt,), left_aside = understood(write_folder(tmp_path / "one", files))
    assert counts == {"train": {"cat": 4, "dog": 4}} and left_aside == {"pictures in test/": 2}
    files |= pictures("cat", n=2, prefix="test/")
    counts, (doubt,), left_aside = understood(write_folder(tmp_path / "two", files))
    assert counts["test"] == {"cat": 2, "dog": 0, "unknown": 2} and left_aside == {}
    assert doubt == "test and the training part do not have the same classes: dog, unknown"


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({f"{part}/{i}.png": png((i, len(part))) for part in ("train", "test") for i in range(3)},
         "holds the parts test, train, of which the one for training has pictures but no class folders\n"),
        (pictures("a", "b", n=3, prefix="val/") | pictures("a", "b", n=3, prefix="test/"),
         "holds the parts test, val, of which the one for training is missing\n"),
    ],
)  # fmt: skip
def test_parts_are_never_taken_for_classes(tmp_path, files, message):
    with pytest.raises(UserError, match=message):
        data.check(write_folder(tmp_path / "set", files))


# ---------------------------------------------------------------------------------------------------------- classes


def test_doubts_about_classes(tmp_path):
    (doubt,) = understood(write_folder(tmp_path / "1", pictures("train", "bus", n=2)))[1]
    assert doubt == "train taken for a class, but named like a part of the data"
    (doubt,) = understood(write_folder(tmp_path / "2", pictures("images", "masks", n=2)))[1]
    assert doubt == "images, masks taken for a class, but named like a kind of files"
    files = pictures("cat", "dog", n=2, prefix="day/") | pictures("cat", "dog", n=2, prefix="night/")
    (doubt,) = understood(write_folder(tmp_path / "3", files))[1]
    assert doubt.startswith("day, night taken for classes, but each holds folders of the same names: cat, dog;")


def test_known_sets_are_not_doubted(tmp_path):
    write_folder(tmp_path / "malaria", pictures("Parasitized", "Uninfected", "train", n=2))
    found = data.check("malaria", tmp_path)
    assert found["doubts"] == [] and found["left_aside"]["pictures of other classes"] == 2


def test_a_folder_of_notes_is_no_empty_class(tmp_path):
    files = pictures("cat", "dog", n=2, prefix="Images/") | {f"Annotation/cat/{i}.xml": b"<x/>" for i in range(2)}
    place = write_folder(tmp_path / "set", files)
    assert data.classes_of(place) == ("cat", "dog")
    (place / "Images/empty").mkdir()
    assert data.classes_of(place) == ("cat", "dog", "empty")
    write_folder(place, {"Images/cow/1.heic": b"", "Images/cow/note.txt": b""})
    assert data.classes_of(place) == ("cat", "cow", "dog", "empty")


# ------------------------------------------------------------------------------------------------------ passed over


def test_what_is_passed_over_is_counted_by_its_reason(tmp_path):
    files = pictures("a", "b", n=3) | {f"a/{i}.heic": b"" for i in range(34)}
    files |= {"b/noending": b"", "readme.md": b"", "a/x.a sentence, not an ending": b"", "stray.png": png(9)}
    files |= {"a/@eaDir/000.png/SYNOPHOTO.jpg": png(7), "@eaDir/1.png": png(8), "#recycle/a/1.png": png(6)}
    files |= {"a/.DS_Store": b"", "b/Thumbs.db": b"", "__MACOSX/a/._000.png": b"", ".git/x/1.png": png(5)}
    expected = {
        "files ending in .heic": 34,
        "files ending in .md": 1,
        "files without the ending of a picture": 2,
        "hidden or of the system": 7,
        "pictures outside class folders": 1,
    }
    for place in (write_folder(tmp_path / "set", files), write_zip(tmp_path / "set.zip", files)):
        counts, _, left_aside = understood(place)
        assert counts == {"all": {"a": 3, "b": 3}} and left_aside == expected


def test_nothing_but_what_is_passed_over_says_so(tmp_path):
    place = write_folder(tmp_path / "set", {f"a/{i}.heic": b"" for i in range(34)} | {".hidden/a/1.png": b""})
    with pytest.raises(UserError, match=r"no class folders .* \(there are: 34 files ending in .heic, 1 hidden"):
        data.load(place)


def test_it_is_always_said_what_was_understood_and_lost(tmp_path, caplog):
    files = parted("train", "test") | {"train/cat/broken.png": b"no", "extra/x/1.png": png(1), "train/dog/1.heic": b""}
    files["train/dog/again.png"] = files["train/dog/001.png"]
    with caplog.at_level(logging.INFO, "roa_helpers.data"):
        data.load(write_folder(tmp_path / "set", files))
    assert [record.getMessage() for record in caplog.records] == [
        "set: class folders; train: cat 5, dog 5; test: cat 2, dog 2",
        "set: left aside: 1 files ending in .heic, 1 pictures in extra/",
        "set: a guess: test, train taken for parts of the data, extra left aside",
        "set: 1 of 14 pictures cannot be read: 1 no picture by content (first train/cat/broken.png)",
        "set: 1 of 14 pictures are duplicates, used once: train/dog/again.png is train/dog/001.png",
    ]
    assert [record.levelname for record in caplog.records] == ["INFO", "INFO", "WARNING", "WARNING", "INFO"]


def test_many_classes_are_told_in_one_line(tmp_path, caplog):
    with caplog.at_level(logging.INFO, "roa_helpers.data"):
        data.load("digits", limit=1)
    (record,) = caplog.records
    assert record.getMessage() == "digits: scikit-learn; 10 classes, 1,797 pictures, 0 178, 1 182, 2 177, …"


# ---------------------------------------------------------------------------------------------------------- too few


def test_duplicates_are_not_called_unreadable(tmp_path):
    files = pictures("a", n=5)
    copies = {name.replace("a/", "b/"): raw for name, raw in files.items()}
    message = "class 'b' has no picture of its own in set: all 5 are duplicates, b/000.png of a/000.png\n"
    with pytest.raises(UserError, match=message):
        data.load(write_folder(tmp_path / "set", files | copies))
    message = "class 'b' has no readable picture in set: 5 duplicates, 1 no picture by content\n"
    with pytest.raises(UserError, match=message):
        data.load(write_folder(tmp_path / "set", {"b/broken.png": b"no"}))


def test_too_few_pictures_come_with_a_word_of_those_not_used(tmp_path):
    files = pictures("a", "b")
    files |= {name: raw[:50] for name, raw in files.items() if name >= "b/004"}
    splits = data.load(write_folder(tmp_path / "set", files | {"b/1.heic": b""}))
    message = r"too few pictures .*val: 0 of b.*\n  not used:  16 broken or cut off, 1 files ending in .heic\n"
    with pytest.raises(UserError, match=message):
        data.enough(splits)
    data.enough(splits, least=0)
    with pytest.raises(UserError, match="set has too few classes, 2 where 3 are needed: a, b\n"):
        data.enough(splits, classes=3)
