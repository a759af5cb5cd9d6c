"""Members of zips: however their paths are written, they are the files that were meant."""

import unicodedata
import warnings
import zipfile

import pytest
from data.made import pictures, png, write_zip

from roa_helpers import data
from roa_helpers.data import photos
from roa_helpers.errors import UserError


@pytest.mark.parametrize("spelled", ["./{}", "{}", ".//{}", "./set/./{}"])
@pytest.mark.parametrize("separator", ["/", "\\"])
def test_paths_of_members(tmp_path, spelled, separator):
    files = pictures("cat", "dog")
    plain = data.load(write_zip(tmp_path / "plain.zip", files))
    written = {spelled.format(name).replace("/", separator): raw for name, raw in files.items()}
    found = data.load(write_zip(tmp_path / "set.zip", written))
    assert found.train.class_names == ("cat", "dog")
    assert "set" in spelled or found.fingerprint == plain.fingerprint


def test_folders_with_backslashes_are_empty_classes(tmp_path):
    place = write_zip(tmp_path / "set.zip", pictures("cat", "dog", n=2) | {"cow\\": b"", "./owl/": b""})
    assert data.classes_of(place) == ("cat", "cow", "dog", "owl")


def spelled_anew(place, names):
    """A zip whose members' names are other bytes of the same length, without a word of their encoding."""
    raw = place.read_bytes()
    for plain, wanted in names.items():
        assert len(plain) == len(wanted) and raw.count(plain) == 2
        raw = raw.replace(plain, wanted)
    place.write_bytes(raw)
    return place


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("Äpfel/1.png".encode(), "Öl/1.png".encode()),
        (unicodedata.normalize("NFD", "Äpfel/1.png").encode(), unicodedata.normalize("NFD", "Öl/1.png").encode()),
        ("Äpfel/1.png".encode("cp437"), "Öl/1.png".encode("cp437")),
    ],
)
def test_names_in_an_encoding_that_nothing_announces(tmp_path, first, second):
    plain = [b"a" * (len(name) - 6) + b"/%d.png" % k for k, name in enumerate((first, second))]
    place = write_zip(tmp_path / "set.zip", {name.decode(): png(k) for k, name in enumerate(plain)})
    assert data.classes_of(spelled_anew(place, dict(zip(plain, (first, second), strict=True)))) == ("Äpfel", "Öl")


def test_a_name_that_comes_twice_is_told_and_the_last_counts(tmp_path):
    place = write_zip(tmp_path / "set.zip", pictures("a", "b", n=3))
    with warnings.catch_warnings(), zipfile.ZipFile(place, "a") as archive:
        warnings.simplefilter("ignore")
        archive.writestr("a/000.png", b"broken")
    found = data.check(place)
    assert found["left_aside"]["with a name that another file has"] == 1 and found["unreadable"]["names"] == [
        "a/000.png"
    ]


def test_a_member_with_an_endless_path_is_refused(tmp_path):
    with pytest.raises(UserError, match="refused because of its member .* more than 4096 characters") as caught:
        data.check(write_zip(tmp_path / "set.zip", {"a/" * 3000 + "1.png": png(0)}))
    assert len(str(caught.value)) < 600


def test_what_zipfile_raises_is_one_message(tmp_path, monkeypatch):
    place = write_zip(tmp_path / "set.zip", pictures("a", n=2))
    for error in (AttributeError("x"), RuntimeError("x\n\x1b[2J"), IndexError()):

        def fails(*_, error=error):
            raise error

        with monkeypatch.context() as patch:
            patch.setattr("zipfile.ZipFile", fails)
            with pytest.raises(UserError, match="cannot be read as a zip archive") as caught:
                data.check(place)
        assert "\x1b" not in str(caught.value) and len(str(caught.value).splitlines()) == 2


def test_photos_say_why_none_can_be_read(tmp_path):
    place = write_zip(tmp_path / "set.zip", {"a/1.png": b"no", "2.png": png(0)[:50], "3.heic": b"", ".4.png": b""})
    reasons = "1 hidden or of the system, 1 files ending in .heic"
    with pytest.raises(UserError, match=f"no picture in .* can be read: 1 .*, 1 .*, {reasons}\n"):
        photos.opened(place, size=4)
