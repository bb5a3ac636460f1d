"""The programs of the sandbox print, even if the output has few letters."""

from __future__ import annotations

import io
import sys
from typing import Any

import pytest

from rmz_async.sandbox.__main__ import main
from rmz_async.sandbox._printing import readable_output


def printed(monkeypatch: pytest.MonkeyPatch, text: str, encoding: str, errors: str) -> str:
    """Print *text* to a stdout of that kind, and return what it received."""
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding=encoding, errors=errors)
    with monkeypatch.context() as patched:
        patched.setattr(sys, "stdout", stream)
        with readable_output():
            sys.stdout.write(text)
            sys.stdout.flush()
    assert stream.errors == errors, "it is left as it was"
    return raw.getvalue().decode(encoding)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("→ GET ← …", "-> GET <- ..."),
        ("✓ paid ✗ refused", "ok paid x refused"),
        ("متجر", "mtjr"),
        ("ٱلْقَهْوَة العربية، ٣٫٥ ﷼", "alqhwh al'rbyh, 3.5 ryal"),
        ("آذار ۱۴۴۷", "adhar 1447"),
        ("Café ½ – “x”", 'Cafe 1/2 - "x"'),
        ("\u200f5\u200e", "5"),
        ("咖啡 \ud800", "?? ?"),
    ],
)
@pytest.mark.parametrize("errors", ["strict", "surrogateescape", "backslashreplace"])
def test_ascii_output_stays_readable(
    monkeypatch: pytest.MonkeyPatch, text: str, shown: str, errors: str
) -> None:
    """Arrows, check marks, Arabic letters and digits have a replacement that a reader knows."""
    assert printed(monkeypatch, text, "ascii", errors) == shown


def test_letters_that_the_output_has_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the arrow and the Indic digit are replaced if the code page is Arabic."""
    assert printed(monkeypatch, "→ متجر é ٣", "cp1256", "strict") == "-> متجر é 3"


def test_all_letters_are_kept_in_utf_8(monkeypatch: pytest.MonkeyPatch) -> None:
    """An output that has every letter is not changed."""
    assert printed(monkeypatch, "→ متجر ✓", "utf-8", "strict") == "→ متجر ✓"


def test_a_choice_of_the_user_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """``PYTHONIOENCODING=ascii:ignore`` drops the letters, as it says."""
    assert printed(monkeypatch, "→ GET", "ascii", "ignore") == " GET"


def test_an_output_without_an_encoding_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stdout that a program has replaced by an object of its own takes every letter."""
    own = io.StringIO()
    monkeypatch.setattr(sys, "stdout", own)
    with readable_output():
        sys.stdout.write("→")
    assert own.getvalue() == "→"


def test_a_program_without_an_output_serves(monkeypatch: pytest.MonkeyPatch) -> None:
    """A shell closes it with ``>&-``, and a service of Windows has none."""
    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(sys, "stderr", None)

    assert main(["serve", "--port", "0"], wait=lambda: None) == 0
    assert isinstance(sys.stdout, io.StringIO)
    assert sys.stdout.getvalue() == "", "it may be served for days"


def test_a_full_disk_at_the_end_is_no_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    """Python writes what is left before it treats other letters in another way."""

    class Full(io.TextIOWrapper):
        def reconfigure(self, *, errors: str | None = None, **_: Any) -> None:
            if errors == "strict":
                raise OSError(28, "No space left on device")

    monkeypatch.setattr(sys, "stdout", Full(io.BytesIO(), "ascii"))

    with readable_output():
        sys.stdout.write("-")


def test_bytes_that_cannot_be_decoded_are_an_error() -> None:
    """The replacement is for output only."""
    with readable_output(), pytest.raises(UnicodeDecodeError):
        b"\xff".decode("ascii", errors="rmz-readable")


@pytest.mark.parametrize("encoding", ["ascii", "cp1256"])
def test_the_command_line_greets_where_the_output_has_few_letters(
    monkeypatch: pytest.MonkeyPatch, encoding: str
) -> None:
    """The address of a webhook may have letters that the output lacks."""
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding=encoding))
    webhook = "http://localhost:1/→/متجر"
    assert main(["--port", "0", "--webhook", webhook], wait=lambda: None) == 0
    assert "http://localhost:1/->/" in raw.getvalue().decode(encoding)
