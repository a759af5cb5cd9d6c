"""Picture files → Pillow images of 8 bits: upright, transparency on white, brightness scaled by a known range or not at
all.
"""

import io
import warnings

import numpy as np
from PIL import ExifTags, Image, UnidentifiedImageError

# Image.open would otherwise also try formats that start other programs (EPS).
FORMATS = ("BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")
SUFFIXES = {
    *(".bmp", ".dib", ".gif", ".jfif", ".jif", ".jpe", ".jpeg", ".jpg", ".apng", ".png"),
    *(".pbm", ".pgm", ".pnm", ".ppm", ".tif", ".tiff", ".webp"),
}

BROKEN, TOO_LARGE, NO_PICTURE = "broken or cut off", "too many pixels", "no picture by content"
RANGE_UNKNOWN = "grey of 32 bits, of floats or with signs, whose range is not known (save it with 8 or 16 bits)"

_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_BITS, _PHOTOMETRIC = 258, 262  # tags of TIFF


class Unreadable(Exception):
    """A picture that cannot be had; its text is the reason, the same for all pictures with the same trouble."""


def decode_picture(raw: bytes, *, gray: bool = False) -> Image.Image:
    """A picture file → Pillow image of mode "RGB" (or "L"), upright, transparency laid on white, first frame.

    Grey of 16 bits (or of 12, in TIFF) is scaled by its largest possible value and rounded to 8 bits.

    Raises:
        Unreadable: no picture, broken, too large, or grey values whose range is not known (floats, 32 bits, signed).
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of odd metadata
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        try:
            return _decoded(raw, gray=gray)
        except Unreadable:
            raise
        except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
            raise Unreadable(TOO_LARGE) from error
        except UnidentifiedImageError as error:
            raise Unreadable(NO_PICTURE) from error
        except Exception as error:  # what Pillow raises on broken bytes is of nearly any kind
            raise Unreadable(BROKEN) from error


def _decoded(raw: bytes, *, gray: bool) -> Image.Image:
    with Image.open(io.BytesIO(raw), formats=FORMATS) as opened:
        image = _upright(opened)
        if image.mode.startswith(("I", "F")):
            image = _of_eight_bits(image, opened)
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return image.convert("L" if gray else "RGB")


def _upright(image: Image.Image) -> Image.Image:
    """The image turned as its EXIF says; what else EXIF holds is neither needed nor written."""
    orientation = None
    try:
        image.load()
        if image.format != "TIFF":  # those Pillow turns itself
            orientation = _orientation(image)
    except Exception:
        if image.tile or getattr(image, "use_load_libtiff", True):
            raise
        # The pixels of a TIFF are there: Pillow stumbled over the metadata before it turned them.
        orientation = image.tag_v2.get(ExifTags.Base.Orientation)
    method = _UPRIGHT.get(orientation)
    return image.copy() if method is None else image.transpose(method)


def _orientation(image: Image.Image):
    try:
        return image.getexif().get(ExifTags.Base.Orientation)
    except Exception:  # broken metadata say nothing
        return None


def _of_eight_bits(image: Image.Image, opened: Image.Image) -> Image.Image:
    """Grey of more than 8 bits as 8 bits: value / largest possible value · 255, rounded.

    Raises:
        Unreadable: the file's format does not bound its values.
    """
    tags = getattr(opened, "tag_v2", {})
    if image.mode.startswith("I;16"):
        bits = tags.get(_BITS, (16,))
        largest = 2 ** (bits[0] if isinstance(bits, tuple) else bits) - 1
    elif image.mode == "I" and opened.format in ("PNG", "PPM"):  # by which Pillow means 16 bits
        largest = 65535
    else:
        raise Unreadable(RANGE_UNKNOWN)
    values = np.asarray(image).astype(np.int64).clip(0, largest)
    if tags.get(_PHOTOMETRIC) == 0:  # the smallest value is white
        values = largest - values
    eight = ((values * 255 + largest // 2) // largest).astype(np.uint8)
    clear = opened.info.get("transparency")
    if isinstance(clear, int):
        eight[values == clear] = 255
    return Image.fromarray(eight)
