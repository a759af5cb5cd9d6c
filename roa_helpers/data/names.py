"""How names of files, folders and classes are spelled: one way everywhere, with nothing that a terminal obeys."""

import unicodedata

#: Most characters of a path in a message.
LONGEST = 200


def readable(name) -> str:
    """A name in Unicode's composed form (NFC), with what cannot be printed escaped.

    So ``Äpfel`` is one class however the file system spells it, a line break is ``\\n``, and a byte that is no UTF-8 is
    ``\\xff``. What is readable already stays as it is.
    """
    composed = unicodedata.normalize("NFC", str(name))
    if composed.isprintable():
        return composed
    escaped = "".join(char if char.isprintable() else _escaped(char) for char in composed)
    return unicodedata.normalize("NFC", escaped)


def shown(path, longest: int = LONGEST) -> str:
    """A path or name as a message shows it: readable, its middle left out where it is longer than ``longest``."""
    text = readable(path)
    return text if len(text) <= longest else f"{text[: longest // 2]}…{text[-(longest // 2) :]}"


def _escaped(char: str) -> str:
    code = ord(char)
    if 0xDC80 <= code <= 0xDCFF:  # how Python holds a byte of a name that is no UTF-8
        return f"\\x{code - 0xDC00:02x}"
    return char.encode("unicode_escape").decode()
