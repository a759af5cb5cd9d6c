"""Decoding: the right values, or a reason; nothing else."""

import io
import struct
import zlib

import numpy as np
import pytest
from data.made import png, write_folder
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from roa_helpers import data
from roa_helpers.data import pictures
from roa_helpers.data.pictures import BROKEN, NO_PICTURE, RANGE_UNKNOWN, Unreadable, decode_picture
from roa_helpers.errors import UserError

WIDE = np.array([[0, 1, 128, 255], [256, 257, 0x80FF, 65535]], np.uint16)


def encoded(array, form, **options):
    buffer = io.BytesIO()
    (array if isinstance(array, Image.Image) else Image.fromarray(array)).save(buffer, form, **options)
    return buffer.getvalue()


def tagged(raw, entries):
    """A TIFF of one strip with entries of its directory replaced or added: tag → (type, count, value)."""
    (place,) = struct.unpack_from("<I", raw, 4)
    (count,) = struct.unpack_from("<H", raw, place)
    found = {struct.unpack_from("<H", raw, at)[0]: raw[at : at + 12]
             for at in range(place + 2, place + 2 + 12 * count, 12)}  # fmt: skip
    for tag, (kind, n, value) in entries.items():
        found[tag] = struct.pack("<HHI4s", tag, kind, n, value)
    directory = struct.pack("<H", len(found)) + b"".join(found[tag] for tag in sorted(found)) + bytes(4)
    return raw[:4] + struct.pack("<I", len(raw)) + raw[8:] + directory


def short(value):
    return (3, 1, struct.pack("<HH", value, 0))


def exif(*entries):
    """EXIF of these entries, each (tag, type, count, four bytes)."""
    body = b"".join(struct.pack("<HHI4s", *entry) for entry in entries)
    return b"Exif\0\0II*\0" + struct.pack("<IH", 8, len(entries)) + body + bytes(4)


UPRIGHT = (0x112, 3, 1, struct.pack("<HH", 6, 0))  # a quarter turn to the right


# ------------------------------------------------------------------------------------------------------------ grey


@pytest.mark.parametrize("form", ["PNG", "TIFF", "PPM"])
def test_grey_of_16_bits_is_scaled_by_65535(form):
    raw = b"P5 4 2 65535\n" + WIDE.astype(">u2").tobytes() if form == "PPM" else encoded(WIDE, form)
    expected = np.floor(WIDE / 65535 * 255 + 0.5)
    for gray, mode in ((True, "L"), (False, "RGB")):
        image = decode_picture(raw, gray=gray)
        assert image.mode == mode and np.array_equal(np.asarray(image.convert("L")), expected)


@pytest.mark.parametrize("byteorder", ["<", ">"])
def test_grey_of_8_bits_written_with_16_comes_back(byteorder):
    values = np.arange(256, dtype=np.uint16).reshape(16, 16)
    raw = encoded(values * 257, "TIFF") if byteorder == "<" else encoded(values * 257, "PNG")
    assert np.array_equal(np.asarray(decode_picture(raw, gray=True)), values)


def test_grey_of_16_bits_where_the_smallest_value_is_white():
    raw = tagged(encoded(WIDE, "TIFF"), {262: short(0)})
    plain = np.asarray(decode_picture(encoded(WIDE, "TIFF"), gray=True)).astype(int)
    assert np.abs(np.asarray(decode_picture(raw, gray=True)) - (255 - plain)).max() <= 1
    assert np.asarray(decode_picture(raw, gray=True))[0, 0] == 255


def test_grey_of_12_bits_is_scaled_by_4095():
    packed = bytes([0xFF, 0xF0, 0x00]) * 4  # 4095, 0 by turns
    raw = tagged(encoded(np.zeros((1, 8), np.uint16), "TIFF"), {258: short(12)})
    start = struct.unpack_from("<I", [raw[at + 8 : at + 12] for at in range(len(raw) - 12)
                                      if raw[at : at + 4] == struct.pack("<HH", 273, 4)][0])[0]  # fmt: skip
    raw = raw[:start] + packed + raw[start + len(packed) :]
    assert np.asarray(decode_picture(raw, gray=True)).tolist() == [[255, 0] * 4]


def test_a_value_of_16_bits_that_stands_for_clear_is_white():
    raw, chunk = encoded(WIDE, "PNG"), b"tRNS" + struct.pack(">H", 257)
    raw = raw[:33] + struct.pack(">I", 2) + chunk + struct.pack(">I", zlib.crc32(chunk)) + raw[33:]
    assert np.asarray(decode_picture(raw, gray=True))[1, 1] == 255


@pytest.mark.parametrize("dtype", [np.float32, np.int32])
@pytest.mark.parametrize("scale", [1, 255, 70_000])
def test_grey_without_a_known_range_is_refused(dtype, scale):
    raw = encoded((np.random.default_rng(0).random((6, 6)) * scale).astype(dtype), "TIFF")
    with pytest.raises(Unreadable) as caught:
        decode_picture(raw)
    assert str(caught.value) == RANGE_UNKNOWN


def test_signed_grey_is_refused():
    with pytest.raises(Unreadable, match="with signs"):
        decode_picture(tagged(encoded(WIDE, "TIFF"), {339: short(2)}))


def test_a_folder_of_floats_is_one_message_that_counts_them(tmp_path):
    rng = np.random.default_rng(0)
    names = [f"{label}/{i}" for label in "ab" for i in range(9)]
    floats = {f"{name}.tif": encoded(rng.random((6, 6), dtype=np.float32), "TIFF") for name in names}
    with pytest.raises(UserError, match="class 'a' has no readable picture in set: 9 grey of 32 bits"):
        data.load(write_folder(tmp_path / "set", floats))
    others = {f"{name}.png": png(k) for k, name in enumerate(names)}
    found = data.load(write_folder(tmp_path / "set", others)).provenance["unreadable"]
    assert found["reasons"] == {RANGE_UNKNOWN: 18} and found["names"][0] == "a/0.tif"


# ------------------------------------------------------------------------------------------------------ orientation

HALVES = np.zeros((8, 16, 3), np.uint8)
HALVES[:, :8] = 255


TURNS = {
    1: lambda rows: rows,
    2: lambda rows: rows[:, ::-1],
    3: lambda rows: rows[::-1, ::-1],
    4: lambda rows: rows[::-1],
    5: lambda rows: rows.swapaxes(0, 1),
    6: lambda rows: np.rot90(rows, -1),
    7: lambda rows: rows[::-1, ::-1].swapaxes(0, 1),
    8: lambda rows: np.rot90(rows),
}


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", TURNS)
def test_pictures_are_turned_as_their_exif_says(form, orientation):
    rng = np.random.default_rng(0)
    image = Image.fromarray(rng.integers(0, 256, (6, 10, 3), dtype=np.uint8))
    options = {"lossless": True} if form == "WEBP" else {}
    whole = Image.Exif()
    whole[0x112] = orientation
    found = np.asarray(decode_picture(encoded(image, form, exif=whole, **options)))
    assert np.array_equal(found, TURNS[orientation](np.asarray(decode_picture(encoded(image, form, **options)))))


@pytest.mark.parametrize(
    "others",
    [
        [(0x100, 2, 3, b"ab\0\0"), (0x8769, 2, 4, b"abc\0")],  # texts where numbers belong: they cannot be written
        [(0x8769, 4, 1, struct.pack("<I", 99_999))],
        [(0x8825, 4, 1, struct.pack("<I", 8))],
        [(0x9999, 99, 1, bytes(4))],
        [(0x10F, 2, 100, struct.pack("<I", 99_999))],
        [(0x11A, 5, 1, struct.pack("<I", 200))],
    ],
)
def test_a_turned_picture_whose_exif_is_broken_is_turned(others):
    raw = encoded(HALVES, "JPEG", exif=exif(UPRIGHT, *others), quality=95)
    found = np.asarray(decode_picture(raw))
    assert found.shape == (16, 8, 3) and found[0].min() > 250 and found[-1].max() < 5


@pytest.mark.parametrize("broken", [b"Exif\0\0", b"Exif\0\0XX*\0" + bytes(20), exif((0x112, 3, 1, b"\x63\0\0\0"))])
def test_a_picture_whose_exif_says_nothing_stays_as_it_lies(broken):
    assert decode_picture(encoded(HALVES, "JPEG", exif=broken)).size == (16, 8)


def test_a_turned_tiff_whose_other_tags_are_broken_is_turned():
    entries = {0x112: short(6), 0x8769: (4, 1, struct.pack("<I", 10**6))}
    found = np.asarray(decode_picture(tagged(encoded(HALVES, "TIFF"), entries)))
    assert found.shape == (16, 8, 3) and found[0].min() == 255 and found[-1].max() == 0


# --------------------------------------------------------------------------------------------------- broken or not


@pytest.mark.parametrize("suffix", [".jfif", ".jpe", ".JFIF", ".jif", ".dib", ".pnm"])
def test_other_endings_of_pictures_are_read(tmp_path, suffix):
    form = {".dib": "BMP", ".pnm": "PPM"}.get(suffix, "JPEG")
    place = write_folder(tmp_path / "set", {f"a/{i}{suffix}": png(i, form=form) for i in range(4)})
    assert data.check(place)["counts"] == {"all": {"a": 4}}


def test_reasons():
    jpeg = png(0, form="JPEG")
    for raw, reason in ((b"", NO_PICTURE), (b"text", NO_PICTURE), (png(0)[:60], BROKEN), (jpeg[:300], BROKEN)):
        with pytest.raises(Unreadable, match=reason):
            decode_picture(raw)


def test_whatever_pillow_raises_is_a_reason(monkeypatch):
    def fails(*_, **__):
        raise AttributeError("'NoneType' object has no attribute 'tobytes'")

    monkeypatch.setattr(pictures.Image, "open", fails)
    with pytest.raises(Unreadable, match=BROKEN):
        decode_picture(png(0))


WHOLE = [png(0, form=form) for form in ("PNG", "JPEG", "BMP", "GIF", "PPM", "TIFF", "WEBP")]
WHOLE += [encoded(WIDE, "TIFF"), encoded(HALVES, "JPEG", exif=exif(UPRIGHT)), png(1, mode="L", form="TIFF")]


@given(st.sampled_from(WHOLE), st.data())
@settings(max_examples=300, deadline=None)
def test_damaged_bytes_are_a_picture_or_a_reason(raw, draw):
    damaged = bytearray(raw)
    for _ in range(draw.draw(st.integers(1, 6))):
        damaged[draw.draw(st.integers(0, min(len(raw), 400) - 1))] = draw.draw(st.integers(0, 255))
    damaged = bytes(damaged[: draw.draw(st.integers(len(raw) // 2, len(raw)))])
    try:
        image = decode_picture(damaged)
    except Unreadable as error:
        assert str(error)
    else:
        assert image.mode == "RGB" and min(image.size) > 0
