"""Somebody may type anything, and no change is sent that was not meant."""

from __future__ import annotations

import io
import signal
import sys
from importlib.abc import MetaPathFinder
from pathlib import Path
from threading import Thread

import anyio
import pytest

from rmz_async.cli import main
from rmz_async.resources.subscriptions import Subscriptions
from rmz_async.sandbox import Served
from tests.cli.conftest import status


class Interrupted:
    """A keyboard at which somebody presses Ctrl-C, and nothing else."""

    went_on = False

    def readline(self) -> str:
        """Wait for a line."""
        signal.raise_signal(signal.SIGINT)
        self.went_on = True
        return "y\n"


def test_ctrl_c_at_the_question_ends_the_command_immediately(
    served: Served, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nobody has to press Enter before it takes effect, and later it works as before."""
    keyboard = Interrupted()
    monkeypatch.setattr(sys, "stdin", keyboard)
    before = signal.getsignal(signal.SIGINT)

    assert main(["subscriptions", "pause", "501"]) == 130

    assert not keyboard.went_on
    assert signal.getsignal(signal.SIGINT) is before
    assert status(capsys) == "active"


def test_ctrl_c_in_the_middle_of_a_change_says_that_the_outcome_is_unknown(
    served: Served, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """RMZ may carry it out all the same."""
    pause = Subscriptions.pause

    async def interrupted(subscriptions: Subscriptions, number: int) -> None:
        await pause(subscriptions, number)
        signal.raise_signal(signal.SIGINT)
        await anyio.sleep_forever()

    monkeypatch.setattr(Subscriptions, "pause", interrupted)

    assert main(["subscriptions", "pause", "501", "--yes"]) == 130

    first, second = capsys.readouterr().err.splitlines()
    assert first == "rmz: the outcome is unknown (Ctrl-C)"
    assert "rmz subscriptions get 501" in second
    assert status(capsys) == "paused"


def test_ctrl_c_before_the_command_has_begun_leaves_no_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its imports take a moment."""

    class Interrupting(MetaPathFinder):
        def find_spec(self, name: str, *_: object) -> None:
            if name == "rmz_async.cli._running":
                raise KeyboardInterrupt

    monkeypatch.delitem(sys.modules, "rmz_async.cli._running", raising=False)
    monkeypatch.setattr(sys, "meta_path", [Interrupting(), *sys.meta_path])

    assert main(["plans"]) == 130


def test_an_answer_that_no_encoding_has_is_no_consent(
    served: Served, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"\xff\n"), "utf-8"))

    assert main(["subscriptions", "pause", "501"]) == 1
    assert "nothing was sent" in capsys.readouterr().err


def test_another_thread_may_ask_too(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the main thread gets signals."""
    monkeypatch.setattr(sys, "stdin", io.StringIO("n\n"))
    codes = list[int]()
    asking = Thread(target=lambda: codes.append(main(["subscriptions", "pause", "501"])))

    asking.start()
    asking.join(30)

    assert codes == [1]


def test_a_token_file_that_is_no_text_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Without a traceback, and without a byte of the file."""
    path = tmp_path / "token"
    path.write_bytes(b"\xff\xfes3cret")
    path.chmod(0o600)
    monkeypatch.setenv("RMZ_API_TOKEN_FILE", str(path))

    assert main(["plans"]) == 1
    error = capsys.readouterr().err
    assert error == f"rmz: ConfigurationError: RMZ_API_TOKEN_FILE: {path} is not written in UTF-8\n"


@pytest.mark.parametrize(
    "words",
    [
        ["subscriptions", "cancel", "501.6", "--yes"],
        ["subscriptions", "pause", "0x1f5", "--yes"],
        ["subscriptions", "unpause", "501.0", "--yes"],
        ["subscriptions", "extend", "501", "--yes", "--days", "1.5"],
        ["subscriptions", "extend", "501.4", "--yes", "--days", "1"],
        ["subscriptions", "extend", "501", "--yes", "--months", "0b1"],
        ["subscriptions", "get", "501.6"],
        ["subscriptions", "lookup", "usr_abc123", "--product-id", "102.4"],
        ["subscriptions", "list", "--limit", "1.5"],
        ["orders", "get", "1.5"],
        ["access", "usr_abc123", "--product-id", "102", "--product-id", "102.4"],
        ["listen", "--port", "8788.5"],
        ["webhooks", "show", "1.5", "--inbox", "sqlite:///inbox.db"],
        ["webhooks", "replay", "1", "1.5", "--inbox", "sqlite:///inbox.db"],
        ["webhooks", "list", "--before", "1.5", "--inbox", "sqlite:///inbox.db"],
        ["subscriptions", "get", "1" * 5000],
    ],
)
def test_a_number_that_is_not_whole_is_not_rounded_to_another_one(
    served: Served, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    """Else 501.6 would cancel the subscription 502."""
    before = len(served.sandbox.requests)

    assert main(words) == 2
    assert "into int" in capsys.readouterr().err
    assert len(served.sandbox.requests) == before


def test_whole_numbers_are_taken_as_they_are(
    served: Served, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also several of them, and with Arabic digits."""
    assert main(["access", "usr_abc123", "--product-id", "7", "--product-id", "١٠٢"]) == 0
    assert main(["access", "usr_abc123", "--product-id", "7"]) == 1
    assert main(["webhooks", "replay", "1", "2"]) == 1
    assert "receiver" in capsys.readouterr().err
