"""``python -m rmz_async.webhooks`` for the people who look after an inbox."""

from __future__ import annotations

import io
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

import rmz_sync
from rmz_async.sandbox import Sandbox
from rmz_async.webhooks import EventType, sample, sign
from rmz_async.webhooks.__main__ import main
from rmz_async.webhooks.inbox.sqlite import SQLiteInbox
from tests.webhooks.receiving import SECRET, fill_inbox

PROGRAM = f"""
from rmz_async import webhooks

receiver = webhooks.Receiver(secrets=[{SECRET!r}], inbox="sqlite:///inbox.db")
other = "no receiver"


@receiver.on("subscription.*", name="renew")
def renew(event):
    ...


@receiver.on("subscription.*", name="later")
def later(event):
    ...
"""


@pytest.fixture
def address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """An inbox with one event that was applied, one that failed and one that cannot be read."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    for module in ("my_shop", "my_orders"):
        monkeypatch.delitem(sys.modules, module, raising=False)
    (tmp_path / "my_shop.py").write_text(PROGRAM, encoding="utf-8")
    address = "sqlite:///inbox.db"
    fill_inbox(address, failure="no such\nuser")
    return address


def run(capsys: pytest.CaptureFixture[str], address: str, *words: str) -> str:
    """Carry out a command that must succeed, and return what it prints."""
    assert main(["--inbox", address, *words]) == 0
    return capsys.readouterr().out


def test_deliveries_are_listed_without_their_content(
    address: str, capsys: pytest.CaptureFixture[str]
) -> None:
    unreadable, bad, good = run(capsys, address, "list").splitlines()

    assert "(unreadable)" in unreadable
    assert bad.endswith("subscription:501          dead")
    assert good.endswith("done")
    assert "sara@example.com" not in unreadable + bad + good


def test_a_list_can_be_narrowed(address: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert len(run(capsys, address, "list", "--state", "dead").splitlines()) == 1
    assert len(run(capsys, address, "list", "--before", "3", "--limit", "1").splitlines()) == 1


def test_a_delivery_is_shown_with_its_error_on_one_line(
    address: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The content, which is personal, is shown on request only."""
    shown = run(capsys, address, "show", "2")

    assert "renew: dead, attempts 1, LookupError: no such\\nuser" in shown
    assert "sara@example.com" not in shown
    assert "sara@example.com" in run(capsys, address, "show", "2", "--body")
    unreadable = run(capsys, address, "show", "3")
    assert "unreadable: the delivery is not an event" in unreadable
    assert "secret not known" in unreadable


def test_a_task_that_runs_or_waits_says_so(
    address: str, capsys: pytest.CaptureFixture[str]
) -> None:
    run(capsys, address, "--receiver", "my_shop:receiver", "replay", "1")
    with sqlite3.connect("inbox.db") as connection:
        connection.execute("UPDATE rmz_tasks SET due = 9e12 WHERE handler = 'later'")
        connection.execute("UPDATE rmz_tasks SET leased_until = 9e12 WHERE handler = 'renew'")
    connection.close()
    shown = run(capsys, address, "show", "1")

    assert "renew: waiting, attempts 0, running" in shown
    assert "later: waiting, attempts 0, due in " in shown


def test_a_dry_run_says_what_each_handler_would_see(
    address: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """And changes nothing."""
    words = ("--receiver", "my_shop:receiver", "replay", "1", "3")
    lines = run(capsys, address, *words, "--dry-run").splitlines()

    assert lines == [
        "1: renew would get SubscriptionRenewed (status active); was applied before",
        "1: later would get SubscriptionRenewed (status active); was not applied",
        "3: nothing to run: no such delivery, or no handler wants it",
    ]
    assert "waiting                  0" in run(capsys, address, "stats")
    assert "1: renew gets" in run(capsys, address, *words)
    assert "waiting                  2" in run(capsys, address, "stats")


def test_an_order_has_no_subscription_to_show(
    address: str, capsys: pytest.CaptureFixture[str]
) -> None:
    receiver = rmz_sync.webhooks.Receiver(secrets=[SECRET], inbox=address)
    body = sample(EventType.ORDER_CREATED)
    receiver.receive(body, {"Signature": sign(body, SECRET)})
    receiver.close()
    (Path.cwd() / "my_orders.py").write_text(
        PROGRAM.replace("subscription.*", "*"), encoding="utf-8"
    )
    words = ("--receiver", "my_orders:receiver", "replay", "4", "--dry-run")

    assert "4: renew would get OrderCreated; was not applied" in run(capsys, address, *words)


def test_old_deliveries_are_forgotten(address: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Those that failed are kept, unless they are named too."""
    assert run(capsys, address, "purge") == "0 forgotten\n"
    assert run(capsys, address, "purge", "--older-than", "-1") == "1 forgotten\n"
    assert run(capsys, address, "purge", "--older-than", "-1", "--dead") == "2 forgotten\n"


def test_the_tables_are_made_or_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    address = f"sqlite:///{tmp_path / 'new.db'}"

    assert run(capsys, address, "create") == "the tables are there\n"
    assert "CREATE TABLE IF NOT EXISTS rmz_deliveries" in run(capsys, address, "schema")


def test_the_receiver_names_the_inbox_too(address: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--receiver", "my_shop:receiver", "list"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 3


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["list"], "ConfigurationError: no inbox is named: pass --inbox sqlite:///…"),
        (["replay", "1"], "ConfigurationError: --receiver: write it as module:name"),
        (["--inbox", "x", "list"], "ConfigurationError: inbox: must be sqlite:///"),
        (["--inbox", "sqlite:///inbox.db", "show", "9"], "LookupError: there is no delivery 9"),
        (["--receiver", "my_shop:other", "list"], "--receiver: my_shop:other is no Receiver"),
        (
            ["--inbox", "sqlite:////no/such/S3CRET.db", "create"],
            "OperationalError: the inbox cannot be used",
        ),
        (["--inbox", "sqlite:///inbx.db", "stats"], "--inbox: there is no such file"),
        (
            ["--receiver", "my_shp:receiver", "list"],
            'importing my_shp raised ModuleNotFoundError; python -c "import my_shp" shows why',
        ),
    ],
)
def test_a_command_that_fails_says_why(
    address: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    words: list[str],
    reason: str,
) -> None:
    monkeypatch.delenv("RMZ_INBOX", raising=False)
    monkeypatch.delenv("RMZ_RECEIVER", raising=False)

    assert main(words) == 1
    assert reason in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "option"),
    [
        (["purge", "--older-than", "nan"], "--older-than"),
        (["list", "--limit", "0"], "--limit"),
        (["list", "--limit", "-1"], "--limit"),
    ],
    ids=" ".join,
)
def test_a_number_that_means_nothing_is_refused(
    address: str, capsys: pytest.CaptureFixture[str], words: list[str], option: str
) -> None:
    """PostgreSQL would forget everything that is older than no number."""
    assert main(["--inbox", address, *words]) == 1
    assert f"{option}: must be" in capsys.readouterr().err
    assert len(run(capsys, address, "list", "--limit", str(2**64)).splitlines()) == 3


def test_nothing_in_a_body_steers_the_terminal(
    address: str, capsys: pytest.CaptureFixture[str]
) -> None:
    receiver = rmz_sync.webhooks.Receiver(secrets=[SECRET], inbox=address)
    body = "two\nlines \x1b[31m \u202e سارة".encode()
    receiver.receive(body, {"Signature": sign(body, SECRET)})
    receiver.close()

    shown = run(capsys, address, "show", "4", "--body")
    assert shown.endswith("two\nlines \\x1b[31m \\u202e سارة\n")


def test_a_terminal_without_arabic_letters_shows_their_numbers(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    receiver = rmz_sync.webhooks.Receiver(secrets=[SECRET], inbox=address)
    body = sample(EventType.ORDER_CREATED, note="سارة")
    receiver.receive(body, {"Signature": sign(body, SECRET)})
    receiver.close()
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, "ascii"))

    assert main(["--inbox", address, "show", "4", "--body"]) == 0
    assert rb"\u0633\u0627\u0631\u0629" in written.getvalue()


def test_a_reader_that_has_enough_is_no_error_of_the_inbox(
    address: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As ``head`` has after ten lines."""
    reader, writer = os.pipe()
    os.close(reader)
    with open(writer, "w", encoding="utf-8") as stdout:
        monkeypatch.setattr(sys, "stdout", stdout)
        assert main(["--inbox", address, "list"]) == 1

    assert capsys.readouterr().err == ""


def test_a_full_disk_is_no_error_of_the_inbox(
    address: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Full(io.StringIO):
        def flush(self) -> None:
            raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(sys, "stdout", Full())
        assert main(["--inbox", address, "list"]) == 1

    assert capsys.readouterr().err == "OSError: No space left on device\n"


def test_a_program_without_an_output_may_replay(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A shell closes it with ``>&-``, and the command looked as if it had failed."""
    monkeypatch.setattr(sys, "stdout", None)

    assert main(["--inbox", address, "--receiver", "my_shop:receiver", "replay", "1"]) == 0


def test_a_program_may_print_elsewhere(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    stdout = io.StringIO()
    monkeypatch.setattr(sys, "stdout", stdout)

    assert main(["--inbox", address, "list"]) == 0
    assert "subscription.renewed" in stdout.getvalue()


def test_a_wrong_path_makes_no_file(address: str) -> None:
    """An empty inbox in its place would look as if no event had come."""
    assert main(["--inbox", "sqlite:///inbx.db", "list"]) == 1

    assert not Path("inbx.db").exists()


@pytest.mark.parametrize(
    "words",
    [
        ["--inbox", "sqlite:///inbox.db", "list"],
        ["list", "--inbox", "sqlite:///inbox.db"],
        ["--inbox", "sqlite:///other.db", "list", "--inbox", "sqlite:///inbox.db"],
        ["list", "--receiver", "my_shop:receiver"],
    ],
)
def test_the_inbox_may_be_named_before_or_behind_the_command(
    address: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    words: list[str],
) -> None:
    monkeypatch.delenv("RMZ_INBOX", raising=False)
    monkeypatch.delenv("RMZ_RECEIVER", raising=False)

    assert main(words) == 0
    assert len(capsys.readouterr().out.splitlines()) == 3


def test_the_command_is_a_program(address: str) -> None:
    command = [sys.executable, "-m", "rmz_async.webhooks", "--inbox", address, "stats"]
    result = subprocess.run(command, check=True, capture_output=True, text=True, timeout=600)

    assert "dead                     1" in result.stdout
    assert result.stderr == ""


def test_missed_events_are_made_up_for(
    address: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A crontab needs no program of its own."""
    sandbox = Sandbox(seed=1)
    with sandbox.serve(clock_runs=False) as served:
        monkeypatch.setenv("RMZ_API_TOKEN", sandbox.token)
        monkeypatch.setenv("RMZ_BASE_URL", served.base_url)
        words = ("--receiver", "my_shop:receiver", "reconcile", "--per-minute", "60000")
        assert run(capsys, address, *words, "--feed-first") != ""
        assert run(capsys, address, *words) == (
            f"{len(sandbox.state.subscriptions)} subscriptions compared, 0 events were missing\n"
        )
    inbox = SQLiteInbox("inbox.db")
    assert inbox.resume(lease=60.0) is not None
    assert "another process compares now" in run(capsys, address, *words)
    newest = max(entry.inbox_id for entry in inbox.entries())
    inbox.close()

    assert "found by reconcile" in run(capsys, address, "show", str(newest))
