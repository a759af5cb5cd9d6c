"""What lies at a path is found out without opening it, and refused in one message."""

import os
import socket
from functools import partial

import pytest
from data.made import pictures, png, write_folder

from roa_helpers import data
from roa_helpers.data import photos, places
from roa_helpers.errors import UserError


def circle(base):
    (base / "one").symlink_to(base / "two")
    (base / "two").symlink_to(base / "one")
    return base / "one"


def pipe(base):
    os.mkfifo(base / "pipe.zip")
    return base / "pipe.zip"


def dangling(base):
    (base / "link").symlink_to(base / "nowhere")
    return base / "link"


def listening(base):
    with socket.socket(socket.AF_UNIX) as opened:
        opened.bind(str(base / "s"))
    return base / "s"


ODD = {
    "a named pipe, neither a folder nor a file\n": pipe,
    "links lead in a circle\n": circle,
    "a link that leads nowhere\n": dangling,
    "a socket, neither": listening,
    "a device, neither": lambda base: "/dev/zero",
    "the path is too long\n": lambda base: "a" * 300,
    "too long": lambda base: "a/" * 4000,
    "cannot be looked at: .*embedded null": lambda base: "a\0b",
    "no such home folder\n": lambda base: "~nobody-of-that-name/x",
}


@pytest.mark.parametrize("read", [data.load, data.check, data.classes_of, lambda place: photos.opened(place, size=8)])
@pytest.mark.parametrize("message", ODD)
def test_what_is_neither_folder_nor_file_is_not_opened(tmp_path, read, message, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=message) as caught:
        read(ODD[message](tmp_path))
    assert len(str(caught.value).splitlines()) <= 3 and len(str(caught.value)) < 600


@pytest.mark.parametrize("message", ODD)
def test_such_a_data_folder_is_refused(tmp_path, message, monkeypatch):
    monkeypatch.chdir(tmp_path)
    root = ODD[message](tmp_path)
    for ask in (
        data.available,
        data.data_root,
        lambda root: data.load("mnist", root=root),
        partial(data.fetch, "mnist"),
    ):
        with pytest.raises(UserError, match=f"no data folder: (?s:.*){message}(?s:.*)ROA_DATA=/path/to/folder"):
            ask(root)


def test_a_file_as_data_folder(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(UserError, match="no data folder: .*file is a file\n.*ROA_DATA"):
        data.data_root(tmp_path / "file")
    assert data.data_root(tmp_path / "not there yet") == tmp_path / "not there yet"


def test_without_a_home_the_bundled_sets_are_there(monkeypatch):
    def homeless(path):
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("ROA_DATA", raising=False)
    monkeypatch.setattr(places.Path, "expanduser", homeless)
    with pytest.raises(UserError, match="~/.cache/roa: there is no such home folder\n"):
        data.data_root()
    assert data.find("digits") == (data.KNOWN["digits"], None)


def refusing(monkeypatch, name, place):
    """Make ``os.<name>`` fail at ``place`` as where permission is missing."""
    original = getattr(os, name)

    def refused(path=".", *args, **options):
        if not isinstance(path, int) and os.fspath(path) == os.fspath(place):
            raise PermissionError(13, "Permission denied", str(path))
        return original(path, *args, **options)

    monkeypatch.setattr(os, name, refused)


def test_without_permission_to_look(tmp_path, monkeypatch):
    place = write_folder(tmp_path / "set", pictures("a", n=3))
    refusing(monkeypatch, "stat", place)
    with pytest.raises(UserError, match="set cannot be looked at: permission denied\n  make it readable"):
        data.check(place)


def test_without_permission_to_list(tmp_path, monkeypatch):
    place = write_folder(tmp_path / "set", pictures("a", n=3))
    refusing(monkeypatch, "scandir", str(place / "a"))
    with pytest.raises(UserError, match="set/a cannot be read: Permission denied\n  make it readable"):
        data.check(place)


def test_a_zip_without_permission(tmp_path, monkeypatch):
    (tmp_path / "set.zip").write_bytes(b"")

    def refused(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("zipfile.ZipFile", refused)
    with pytest.raises(UserError, match="set.zip cannot be read: Permission denied\n  make it readable"):
        data.check(tmp_path / "set.zip")


def test_a_single_picture_is_told_from_a_zip(tmp_path):
    (tmp_path / "one.png").write_bytes(png(0))
    for read in (data.check, lambda place: photos.opened(place, size=8)):
        with pytest.raises(UserError, match="one.png is a single picture\n  give the folder"):
            read(tmp_path / "one.png")


def test_a_folder_that_is_no_data_set_is_not_called_absent(tmp_path):
    with pytest.raises(UserError, match=f"unknown data set(?s:.*)by --images; a folder lies at {tmp_path}"):
        data.find(str(tmp_path))
    with pytest.raises(UserError, match="nothing lies at .*nowhere"):
        data.find(str(tmp_path / "nowhere"))


def test_pipes_circles_and_broken_links_inside_a_folder_are_counted(tmp_path):
    place = write_folder(tmp_path / "set", pictures("a", "b", n=4))
    os.mkfifo(place / "a/pipe.png")
    circle(place / "a")
    (place / "b/up").symlink_to(place)
    (place / "b/gone.png").symlink_to(place / "nothing.png")
    (place / "b/same.png").symlink_to(place / "a/000.png")
    found = data.check(place)
    assert found["counts"] == {"all": {"a": 4, "b": 5}} and found["duplicates"]["names"] == ["b/same.png"]
    assert found["left_aside"]["links"] == 4
    assert found["left_aside"]["pipes, sockets or devices"] == 1


def test_a_folder_of_too_many_files_is_not_walked_to_its_end(tmp_path, monkeypatch):
    monkeypatch.setattr(data.archives, "ENTRY_LIMIT", 5)
    with pytest.raises(UserError, match="refused, more than 5 entries"):
        data.check(write_folder(tmp_path / "set", pictures("a", n=8)))


def test_a_file_that_grows_is_not_read_to_its_end(tmp_path, monkeypatch):
    place = write_folder(tmp_path / "set", pictures("a", n=3) | {"a/large.png": bytes(5000)})
    monkeypatch.setattr(data.archives, "FILE_LIMIT", 1000)
    assert data.check(place)["why"] == {"a/large.png": "larger than 0.000953674 MiB"}
