"""Output for terminals, pipes and spreadsheets, whoever wrote the words in it."""

from __future__ import annotations

import io
import json
import os
import re
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import TextIO

import pytest

from rmz_async.cli import main
from rmz_async.cli._options import Options
from rmz_async.cli._printing import print_document, print_rows
from rmz_async.cli._wording import MARKS
from rmz_async.sandbox import Served
from tests.cli.conftest import printed, status
from tests.seams import Setting, replace


def test_a_narrow_terminal_cuts_no_number(
    served: Served, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "60")

    assert "199.99" in printed(capsys, "plans")


@pytest.mark.parametrize("columns", ["1", "20"])
def test_a_terminal_that_is_too_narrow_breaks_the_lines_itself(
    served: Served,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    columns: str,
) -> None:
    monkeypatch.setenv("COLUMNS", columns)

    assert "usr_abc123" in printed(capsys, "subscriptions", "get", "501")
    assert "the token opens" in printed(capsys, "doctor")


def test_a_pipe_gets_each_line_whole(
    served: Served, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COLUMNS")
    heading, *rows = printed(capsys, "plans").splitlines()

    assert len(rows) == len(printed(capsys, "plans", "--json").splitlines())
    assert heading.startswith("plan")


def test_a_reader_that_has_enough_sees_no_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def printing() -> Callable[..., int]:
        return lambda *_, **__: sys.stdout.write("more than anybody reads")

    replace(monkeypatch, Setting.CLI_APPLICATION, printing)

    with closed_pipe() as pipe:
        monkeypatch.setattr(sys, "stdout", pipe)
        assert main([]) == 1

    assert capsys.readouterr().err == ""


@contextmanager
def closed_pipe() -> Generator[TextIO]:
    """A pipe whose reader has enough."""
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as pipe:
        yield pipe


def test_no_reader_that_has_enough_makes_a_refusal_of_an_access(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The code 1 says that the user has no access, and rich itself would exit with it."""
    with closed_pipe() as pipe:
        monkeypatch.setattr(sys, "stdout", pipe)
        assert main(["access", "usr_abc123"]) == 3

    monkeypatch.setattr(sys, "stdout", None)
    assert main(["access", "usr_abc123"]) == 3


def test_a_change_whose_result_cannot_be_printed_was_applied(
    served: Served, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A script that sees the failure must not extend a second time."""
    with monkeypatch.context() as unread, closed_pipe() as pipe:
        unread.setattr(sys, "stdout", pipe)
        assert main(["subscriptions", "pause", "501", "--yes", "--json"]) == 1

    assert capsys.readouterr().err == "rmz: the change was applied\n"
    assert status(capsys) == "paused"


def test_without_an_output_for_errors_none_is_in_the_standard_output(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A shell closes it with ``2>&-``."""
    monkeypatch.setattr(sys, "stderr", None)

    assert main(["nonsense"]) == 2
    assert capsys.readouterr().out == ""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has this device")
def test_a_full_disk_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def printing() -> Callable[..., int]:
        return lambda *_, **__: sys.stdout.write("more than fits")

    replace(monkeypatch, Setting.CLI_APPLICATION, printing)

    with Path("/dev/full").open("w") as full:
        monkeypatch.setattr(sys, "stdout", full)
        assert main([]) == 1

    assert capsys.readouterr().err.splitlines() == ["rmz: OSError: No space left on device"]


def test_debug_shows_where_the_output_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    def failing() -> None:
        raise OSError(28, "No space left on device")

    replace(monkeypatch, Setting.CLI_APPLICATION, failing)

    with pytest.raises(OSError, match="No space"):
        main(["--debug"])


def test_nothing_is_sent_without_an_output_or_an_answer(
    served: Served, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A shell closes them with ``>&-`` and ``<&-``."""
    monkeypatch.setattr(sys, "stdin", None)
    assert main(["subscriptions", "pause", "501"]) == 1

    with monkeypatch.context() as closed:
        closed.setattr(sys, "stdout", None)
        assert main(["subscriptions", "pause", "501", "--yes"]) == 1

    assert "no standard output" in capsys.readouterr().err
    assert status(capsys) == "active"


def test_a_terminal_without_arabic_letters_shows_their_numbers(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = io.BytesIO()

    with io.TextIOWrapper(output, encoding="ascii") as terminal:
        monkeypatch.setattr(sys, "stdout", terminal)
        assert main(["plans", "--csv"]) == 0
        assert b"\\u0628" in output.getvalue()


BAD = "=cmd|' /C calc'!A0\x1b[2J\x9b31m\u202eevil\x07\r\n"


@pytest.mark.parametrize("language", ["en", "ar"])
@pytest.mark.parametrize(
    "words",
    [
        *(["subscriptions", "get", "501", *how] for how in ((), ("--csv",), ("--json",))),
        *(["access", "usr_abc123", *how] for how in ((), ("--csv",), ("--json",))),
        *(["plans", *how] for how in ((), ("--csv",), ("--json",))),
        ["subscriptions", "pause", "501"],
        ["subscriptions", "get", BAD],
        ["access", BAD],
    ],
)
def test_nobodys_words_steer_the_terminal_or_a_spreadsheet(
    served: Served,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    language: str,
    words: list[str],
) -> None:
    state = served.sandbox.state
    state.products[state.subscriptions[501].product_id].name = BAD
    state.subscriptions[501].external_customer_id = BAD if words[0] != "access" else "usr_abc123"

    monkeypatch.setattr(sys, "stdin", io.StringIO())
    main([*words, "--language", language])

    output = "".join(capsys.readouterr())
    assert {each for each in output if not each.isprintable()} <= {"\n", *MARKS}
    assert "calc" in output or words == ["access", BAD]
    if "--csv" in words:
        assert not re.search(r"(^|,)=", output, re.MULTILINE)


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("+966512345678", "'+966512345678"),
        ("-1", "'-1"),
        ("@SUM(1)", "'@SUM(1)"),
        ("\uff1d1", "'\uff1d1"),
        (Decimal("-1.50"), "-1.50"),
        ("plain", "plain"),
    ],
)
def test_a_cell_that_begins_like_a_formula_is_text(
    capsys: pytest.CaptureFixture[str], value: object, cell: str
) -> None:
    print_rows([{"name": value}], ("name",), Options(csv=True))

    assert capsys.readouterr().out == f"name\n{cell}\n"


def test_json_with_steering_characters_is_still_the_same_json(
    capsys: pytest.CaptureFixture[str],
) -> None:
    print_document({"name": BAD + "\U000e0001 \U0001f600"})

    output = capsys.readouterr().out
    assert output.strip().isprintable()
    assert json.loads(output) == {"name": BAD + "\U000e0001 \U0001f600"}


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "cp1256", "utf-8", "utf-16"])
def test_json_is_json_in_every_encoding(monkeypatch: pytest.MonkeyPatch, encoding: str) -> None:
    """A terminal's own form of a letter that it lacks is no JSON."""
    output, document = io.BytesIO(), {"name": "é ب \U0001f600"}

    with io.TextIOWrapper(output, encoding, "backslashreplace") as written:
        monkeypatch.setattr(sys, "stdout", written)
        print_document(document)
        written.flush()
        assert json.loads(output.getvalue().decode(encoding)) == document


@pytest.mark.parametrize(
    ("words", "no_color", "coloured"),
    [((), None, True), (("--no-color",), None, False), ((), "1", False)],
)
def test_colours_are_off_if_somebody_asks_for_it(
    served: Served,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    words: tuple[str, ...],
    no_color: str | None,
    coloured: bool,
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.delenv("NO_COLOR", raising=False)
    if no_color is not None:
        monkeypatch.setenv("NO_COLOR", no_color)
    monkeypatch.setenv("TERM", "xterm")

    assert ("\x1b[32m" in printed(capsys, "doctor", *words)) == coloured
