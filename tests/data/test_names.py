"""Names are spelled one way, and nothing in them is obeyed by a terminal."""

import os
import unicodedata

import pytest
from data.made import pictures, png, write_folder, write_zip
from hypothesis import given
from hypothesis import strategies as st

from roa_helpers import data
from roa_helpers.data.names import LONGEST, readable, shown


@given(st.text())
def test_what_is_readable_can_be_printed_and_written_and_stays(text):
    once = readable(text)
    assert once.isprintable() and readable(once) == once
    assert once == unicodedata.normalize("NFC", once)
    once.encode()


@given(st.text(alphabet=st.characters(codec="ascii", exclude_categories=["Cc"])))
def test_plain_names_stay(text):
    assert readable(text) == text


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("A\u0308pfel", "Äpfel"),
        ("a\nb", "a\\nb"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("\u202egnp.exe", "\\u202egnp.exe"),
        (b"n\xff".decode(errors="surrogateescape"), "n\\xff"),
        ("\u202e\u0301", "\\u202é"),  # what is escaped is composed again
    ],
)
def test_names(name, expected):
    assert readable(name) == expected


@given(st.text(min_size=LONGEST * 3))
def test_long_paths_are_shown_short(text):
    assert len(shown(text)) <= LONGEST + 1


@pytest.mark.parametrize("make", [write_folder, write_zip])
@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_a_class_is_found_however_it_is_spelled(tmp_path, make, form):
    files = {unicodedata.normalize(form, name): raw for name, raw in pictures("Äpfel", "Birnen").items()}
    place = make(tmp_path / "obst.zip", files)
    for spelling in ("NFC", "NFD"):
        splits = data.load(place, classes=(unicodedata.normalize(spelling, "Äpfel"), "Birnen"))
        assert splits.train.class_names == ("Äpfel", "Birnen")
    assert data.classes_of(place) == ("Birnen", "Äpfel")


def test_one_name_in_two_spellings_is_one_class_and_the_second_of_two_files_is_told(tmp_path):
    place = tmp_path / "set"
    write_folder(place, {"Äpfel/1.png": png(1), "A\u0308pfel/1.png": png(2), "A\u0308pfel/2.png": png(3)})
    found = data.check(place)
    assert found["counts"] == {"all": {"Äpfel": 2}}
    assert found["left_aside"]["with a name that another file has"] == 1


def test_names_that_are_no_utf_8_are_escaped_before_anything_is_computed(tmp_path):
    for label in (b"a\xff", b"b"):
        folder = bytes(tmp_path / "set") + b"/" + label
        os.makedirs(folder)
        for i in range(8):
            with open(folder + b"/\xfe%d.png" % i, "wb") as file:
                file.write(png((i, len(label))) if i else b"broken" + label)
    splits = data.load(tmp_path / "set")
    assert splits.train.class_names == ("a\\xff", "b")
    assert splits.provenance["unreadable"]["names"] == ["a\\xff/\\xfe0.png", "b/\\xfe0.png"]
    assert all(name.isprintable() for name in splits.provenance["classes"])
    assert len(splits.train) == 2 * 6 - len(splits.val) and len(splits.test) == 2


def test_copies_of_a_broken_file_are_broken_and_no_duplicates(tmp_path):
    place = write_folder(tmp_path / "set", pictures("a", "b") | {f"a/empty{i}.png": b"" for i in range(5)})
    provenance = data.load(place).provenance
    assert provenance["unreadable"]["count"] == 5 and provenance["duplicates"]["count"] == 0
