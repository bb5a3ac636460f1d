"""Tables on a terminal that orders each line by the letters in it."""

from __future__ import annotations

import io
import re
import sys

import pytest
from rich.cells import cell_len

from rmz_async.cli import main
from rmz_async.cli._options import Options
from rmz_async.cli._printing import print_rows
from rmz_async.cli._wording import MARKS, use_language, without_marks
from rmz_async.sandbox import Served
from tests.cli.conftest import printed, status

ARABIC = "باقة الأعمال"
ROWS = [{"id": 501, "name": ARABIC, "until": "2027-11-19 14:25Z"}]
HEADINGS = ("id", "name", "until")


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """The output is a terminal."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "80")


def lines_of(capsys: pytest.CaptureFixture[str]) -> list[str]:
    """The lines that were printed, without their styles."""
    return re.sub(r"\x1b\[[\d;]*m", "", capsys.readouterr().out).splitlines()


def cells(line: str) -> list[str]:
    """The contents of all marked cells of a line."""
    return re.findall("\u2068(.*?)\u2069", line)


@pytest.mark.usefixtures("terminal")
def test_an_arabic_name_leaves_the_date_beside_it_in_place(
    capsys: pytest.CaptureFixture[str],
) -> None:
    print_rows(ROWS, HEADINGS, Options())

    heading, row = lines_of(capsys)
    assert not set(heading) & set(MARKS)
    assert cells(row) == [ARABIC]
    assert without_marks(row).split() == ["501", *ARABIC.split(), "2027-11-19", "14:25Z"]


@pytest.mark.usefixtures("terminal")
def test_columns_of_an_arabic_table_run_as_their_headings_do(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Also if no letter in a row is Arabic."""
    use_language("ar")
    print_rows([{**ROWS[0], "name": "Pro"}], HEADINGS, Options())

    heading, row = lines_of(capsys)
    assert heading.startswith("\u200f\u2068")
    assert row.startswith("\u200f\u2068")
    assert len(cells(heading)) == len(cells(row)) == 3
    assert cells(row) == ["501", "Pro", "2027-11-19 14:25Z"]


@pytest.mark.usefixtures("terminal")
def test_each_line_of_a_cell_is_marked_by_itself(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    print_rows([{**ROWS[0], "name": " ".join([ARABIC] * 3)}], HEADINGS, Options())

    _, *lines = lines_of(capsys)
    assert len(lines) > 1
    assert all(len(cells(line)) == 1 for line in lines)


@pytest.mark.usefixtures("terminal")
def test_a_terminal_without_arabic_letters_gets_no_marks(monkeypatch: pytest.MonkeyPatch) -> None:
    use_language("ar")
    output = io.BytesIO()

    with io.TextIOWrapper(output, "ascii", errors="backslashreplace") as terminal:
        monkeypatch.setattr(sys, "stdout", terminal)
        print_rows(ROWS, HEADINGS, Options())
        terminal.flush()
        printed = output.getvalue()
    assert b"\\u0628" in printed
    assert not re.search(rb"\\u20[06]", printed)


@pytest.mark.parametrize("language", ["en", "ar"])
def test_a_program_gets_a_table_without_marks(
    capsys: pytest.CaptureFixture[str], language: str
) -> None:
    use_language(language)
    print_rows(ROWS, HEADINGS, Options())

    assert not set(capsys.readouterr().out) & set(MARKS)


@pytest.mark.usefixtures("terminal")
@pytest.mark.parametrize("language", ["en", "ar"])
def test_a_terminal_without_room_for_the_columns_gets_a_line_for_each_value(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, language: str
) -> None:
    monkeypatch.setenv("COLUMNS", "33")
    use_language(language)
    print_rows([*ROWS, {**ROWS[0], "id": 502}], HEADINGS, Options())

    lines = [without_marks(line) for line in lines_of(capsys)]
    assert [line.split()[-1] if line else "" for line in lines] == [
        *("501", ARABIC.split()[-1], "14:25Z", ""),
        *("502", ARABIC.split()[-1], "14:25Z"),
    ]
    assert max(map(cell_len, lines)) <= 33


@pytest.mark.usefixtures("terminal")
@pytest.mark.parametrize("words", [("--help",), ("subscriptions", "extend", "--help")])
def test_the_arabic_help_has_no_lines_at_its_sides(
    capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    """A terminal would draw them in the middle of an Arabic line."""
    assert main([*words, "--language", "ar"]) == 0

    usage, *lines = lines_of(capsys)
    assert "rmz" in usage
    assert not re.search("[│╭╮╰╯]", "".join(lines))
    assert all(line.startswith("\u200f") for line in lines if line.strip(MARKS).strip())


@pytest.mark.usefixtures("terminal")
@pytest.mark.parametrize(("language", "begin"), [("en", "r"), ("ar", "\u200f")])
def test_an_error_is_broken_between_words(
    capsys: pytest.CaptureFixture[str], language: str, begin: str
) -> None:
    assert main(["webhooks", "lst", "--language", language]) == 2

    lines = capsys.readouterr().err.splitlines()
    assert len(lines) > 1
    assert max(map(cell_len, lines)) <= 80
    commands = "stats, list, show, replay, reconcile, purge, create, schema"
    assert set(commands.split()) <= set(without_marks(" ".join(lines)).replace(".", "").split())
    assert lines[0].startswith(begin)
    assert lines[1].startswith("\u200f") == (language == "ar")


@pytest.mark.usefixtures("terminal")
def test_the_reason_of_an_access_is_broken_between_words(
    served: Served, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "30")
    assert main(["access", "usr_abc123"]) == 0

    reason = lines_of(capsys)[-2:]
    assert " ".join(map(without_marks, reason)) == "Your subscription to Pro Plan is active."
    assert max(map(cell_len, reason)) <= 30


def test_a_number_may_come_with_the_marks_of_the_table_that_it_is_from(
    served: Served, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["subscriptions", "pause", "\u2068501\u2069", "--yes"]) == 0
    capsys.readouterr()

    assert status(capsys) == "paused"


def test_yes_and_no_are_words_of_the_language(
    served: Served, capsys: pytest.CaptureFixture[str]
) -> None:
    get = ("subscriptions", "get", "501", "--language", "ar")

    assert printed(capsys, *get).split()[-1] == "نعم"
    assert printed(capsys, *get, "--csv").strip().endswith(",yes")
