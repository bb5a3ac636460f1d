"""Output that any terminal can take: signs and letters that it lacks are written in ASCII."""

from __future__ import annotations

import codecs
import sys
import unicodedata
from collections.abc import Generator
from contextlib import contextmanager, suppress
from io import StringIO, TextIOWrapper
from typing import TextIO, TypeGuard

READABLE = "rmz-readable"

# The other ways to treat such letters are a user's choice, made with PYTHONIOENCODING.
_DEFAULTS = {"strict", "surrogateescape", "backslashreplace"}

_ASCII = {
    "→": "->",
    "←": "<-",
    "✓": "ok",
    "✔": "ok",
    "✗": "x",
    "✘": "x",
    "•": "*",
    "·": "*",
    "–": "-",
    "—": "-",
    "‘": "'",
    "’": "'",
    "“": '"',
    "”": '"',
    "«": '"',
    "»": '"',
    "⁄": "/",
    "×": "x",
    "،": ",",
    "؛": ";",
    "؟": "?",
    "٪": "%",
    "٫": ".",
    "٬": ",",
    "ـ": "",
}

_ARABIC = "ءابپتةثجچحخدذرزژسشصضطظعغفقكکگلمنهوىيیٱ"
_LATIN = "' a b p t h th j ch h kh d dh r z zh s sh s d t z ' gh f q k k g l m n h w a y y a"
_ASCII.update(zip(_ARABIC, _LATIN.split(), strict=True))


@contextmanager
def readable_output() -> Generator[None]:
    """Replace in stdout and stderr all that their encoding lacks, instead of raising an error."""
    codecs.register_error(READABLE, _replace)
    # A shell closes them with ``>&-``, and a service of Windows has none.
    sys.stdout = sys.stdout or _Nowhere()
    sys.stderr = sys.stderr or _Nowhere()
    streams = [
        (stream, stream.errors) for stream in (sys.stdout, sys.stderr) if _raises_or_escapes(stream)
    ]
    for stream, _ in streams:
        stream.reconfigure(errors=READABLE)
    try:
        yield
    finally:
        for stream, errors in streams:
            # The disk may be full.
            with suppress(OSError):
                stream.reconfigure(errors=errors)


class _Nowhere(StringIO):
    """Keeps nothing, as a sandbox may be served for days."""

    def write(self, text: str, /) -> int:
        return len(text)


def _raises_or_escapes(stream: TextIO) -> TypeGuard[TextIOWrapper]:
    return isinstance(stream, TextIOWrapper) and stream.errors in _DEFAULTS


def _replace(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lacking = error.object[error.start : error.end]
    return "".join(map(_in_ascii, unicodedata.normalize("NFKD", lacking))), error.end


def _in_ascii(character: str) -> str:
    if character.isascii():
        return character
    if character in _ASCII:
        return _ASCII[character]
    if character.isdigit():
        return str(unicodedata.digit(character))
    # Accents and vowel signs belong to a letter before them; marks of direction are invisible.
    return "" if unicodedata.category(character) in {"Mn", "Cf"} else "?"
