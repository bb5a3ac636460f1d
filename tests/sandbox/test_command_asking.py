"""Commands ask a running sandbox to move its time, to send an event, and for what it holds."""

from __future__ import annotations

import io
import json
import re
import sys
import threading
from http.server import HTTPServer

import pytest

import rmz_sync
from rmz_async.sandbox import Served
from rmz_async.sandbox.__main__ import main
from rmz_async.sandbox.commands.tables import table
from tests.sandbox.asking import NOBODY, Accepting, failure


def test_advance_moves_the_time_and_counts_the_deliveries(
    served: Served, capsys: pytest.CaptureFixture[str]
) -> None:
    """A receiver that is not there fails each of them."""
    served.add_webhook(NOBODY, tries=1)
    before = served.sandbox.clock.now()
    assert main(["advance", "--days", "4", "--hours", "1"]) == 0

    moved = served.sandbox.clock.now() - before
    assert (moved.days, moved.seconds) == (4, 3600)
    out = capsys.readouterr().out
    assert f"{served.sandbox.clock.now():%Y-%m-%d %H:%M:%S} UTC" in out
    attempts = len(served.deliveries)
    assert attempts > 0
    assert f"Attempts to deliver on the way: {attempts}; failed: {attempts}." in out


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ([], "say how far, for example --days 31"),
        (["--days", "-1"], "time goes on and never back"),
        (["--days", "inf"], "time goes on and never back"),
        (["--days", "nan"], "time goes on and never back"),
        (["--days", "many"], "invalid"),
    ],
)
def test_advance_wants_a_distance(
    capsys: pytest.CaptureFixture[str], arguments: list[str], reason: str
) -> None:
    code, message = failure(["advance", *arguments], capsys)

    assert code == 2
    assert reason in message


def test_a_distance_beyond_the_calendar_is_refused_by_the_sandbox(
    served: Served, capsys: pytest.CaptureFixture[str]
) -> None:
    code, message = failure(["advance", "--days", "1e9"], capsys)

    assert code == 1
    assert message.startswith("the sandbox refused: ")


def test_emit_sends_an_event(served: Served, capsys: pytest.CaptureFixture[str]) -> None:
    served.add_webhook(NOBODY)
    assert main(["emit", "subscription.renewed", "501"]) == 0
    served.wait_delivered()

    assert capsys.readouterr().out == "Sent subscription.renewed of 501; enabled webhooks: 1.\n"
    assert [one.event for one in served.deliveries] == ["subscription.renewed"]


@pytest.mark.parametrize(
    ("arguments", "code", "reason"),
    [
        (["subscription.renewed", "501"], 1, "nothing was sent: no webhook is enabled"),
        (["subscription.renewed", "1"], 1, "the sandbox refused: there is no subscription 1"),
        (["subscription.eaten", "501"], 2, "subscription.renewal_failed"),
    ],
)
def test_emit_says_why_nothing_was_sent(
    served: Served,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    code: int,
    reason: str,
) -> None:
    assert failure(["emit", *arguments], capsys)[0] == code
    assert reason in failure(["emit", *arguments], capsys)[1]


def test_resend_shows_the_outcome_and_fails_if_the_delivery_does(
    served: Served, capsys: pytest.CaptureFixture[str]
) -> None:
    """The first receiver is not there; a script sees that in the exit code."""
    webhook = served.add_webhook(NOBODY)
    main(["emit", "subscription.renewed", "501"])
    served.wait_delivered()
    capsys.readouterr()

    assert main(["resend", "1"]) == 1
    assert "subscription.renewed of 501 to webhook 1: ConnectError" in capsys.readouterr().out

    with HTTPServer(("127.0.0.1", 0), Accepting) as server:
        threading.Thread(target=server.handle_request, daemon=True).start()
        webhook.url = f"http://127.0.0.1:{server.server_port}/"
        assert main(["resend", "1"]) == 0
    assert capsys.readouterr().out == "subscription.renewed of 501 to webhook 1: 204\n"
    assert [one.attempt for one in served.deliveries] == [1, 2, 3]


def test_resend_says_why_nothing_was_sent(
    served: Served, capsys: pytest.CaptureFixture[str]
) -> None:
    webhook = served.add_webhook(NOBODY)
    main(["emit", "subscription.renewed", "501"])
    served.wait_delivered()
    webhook.enabled = False
    capsys.readouterr()

    assert failure(["resend", "1"], capsys) == (
        1,
        "the sandbox refused: webhook 1 is switched off, or was removed",
    )
    for number in ("0", "2"):
        assert failure(["resend", number], capsys)[1].endswith(f"there is no delivery {number}")


@pytest.mark.parametrize(
    ("kind", "first", "total"),
    [
        ("subscriptions", {"id": 533, "status": "active", "customer": 4503}, 33),
        ("orders", {"id": 78944, "status": "awaiting_payment"}, 44),
        ("customers", {"id": 4503, "phone": "+97333123456"}, 3),
        ("webhooks", {"id": 2, "enabled": True, "tries": 5}, 2),
    ],
)
def test_list_shows_the_newest_first(
    served: Served,
    capsys: pytest.CaptureFixture[str],
    kind: str,
    first: dict[str, object],
    total: int,
) -> None:
    """A table for people, JSON for programs."""
    for path in ("a", "b"):
        served.add_webhook(f"http://127.0.0.1:1/{path}")
    assert main(["list", kind, "--json", "--limit", "100"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert len(rows) == total
    assert first.items() <= rows[0].items()

    assert main(["list", kind, "--limit", "1"]) == 0
    heading, row, rest = capsys.readouterr().out.splitlines()
    assert heading.split() == list(rows[0])
    assert row.startswith(str(first["id"]))
    assert rest == f"1 of {total}; --limit shows more."


def test_json_is_json_for_a_terminal_that_lacks_its_letters(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other lines have quotation marks of ASCII there, which would end a string of JSON."""
    user = "“é” ب"
    served.sandbox.state.subscriptions[501].external_customer_id = user
    output = io.BytesIO()

    with io.TextIOWrapper(output, "ascii") as terminal:
        monkeypatch.setattr(sys, "stdout", terminal)
        assert main(["list", "subscriptions", "--json", "--limit", "100"]) == 0
        terminal.flush()
        rows = json.loads(output.getvalue())

    assert user in [row["external_customer_id"] for row in rows]


def test_list_shows_requests_and_deliveries(
    served: Served, capsys: pytest.CaptureFixture[str]
) -> None:
    served.add_webhook(NOBODY)
    assert main(["list", "requests"]) == 0
    assert capsys.readouterr().out == "No requests.\n"
    main(["emit", "order.created", "78901"])
    served.wait_delivered()
    capsys.readouterr()

    assert main(["list", "deliveries", "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["number"], row["event"], row["about"]) == (1, "order.created", 78901)
    assert (row["accepted"], row["outcome"][:12]) == (False, "ConnectError")


def test_list_shows_a_request_of_the_api(
    served: Served, capsys: pytest.CaptureFixture[str]
) -> None:
    with rmz_sync.Client() as rmz:
        rmz.subscriptions.get(501)
    assert main(["list", "requests"]) == 0

    assert re.search(r"200 +GET +/subscriptions/501", capsys.readouterr().out)


def test_list_never_shows_a_secret(served: Served, capsys: pytest.CaptureFixture[str]) -> None:
    webhook = served.add_webhook("http://127.0.0.1:1/")
    main(["list", "webhooks", "--json"])

    assert webhook.secret not in capsys.readouterr().out


def test_a_limit_of_nothing_is_refused(served: Served, capsys: pytest.CaptureFixture[str]) -> None:
    assert failure(["list", "orders", "--limit", "0"], capsys)[0] == 1


def test_ctrl_c_ends_a_command_quietly(
    served: Served, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As shells expect of a program that was interrupted."""

    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("httpx.Client.request", interrupt)

    assert main(["advance", "--days", "1"]) == 130
    assert capsys.readouterr().err == ""


def test_a_wrong_command_names_the_right_ones(capsys: pytest.CaptureFixture[str]) -> None:
    code, message = failure(["retreat"], capsys)

    assert code == 2
    assert "advance" in message


def test_the_help_names_every_command_and_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--help"])

    out = capsys.readouterr().out
    assert ended.value.code == 0
    assert re.findall(r"(?m)^    (\w+) ", out)[:5] == ["serve", "advance", "emit", "resend", "list"]
    assert re.findall(r"(?m)^  (\d)  ", out) == ["0", "1", "2", "3"]


def test_a_table_fits_the_terminal() -> None:
    """The widest column gives way; no letter steers the terminal."""
    rows = [{"id": 1, "on": True, "off": False, "none": None, "text": "a\x1b[2J" + "b" * 100}]
    heading, row = table(rows, 40)

    assert max(len(heading), len(row)) == 40
    assert row.startswith("1   yes  no   -")
    assert row.endswith("…")
    assert row.isprintable()


def test_a_table_never_cuts_a_column_to_nothing() -> None:
    rows = [{"first": "a" * 20, "second": "b" * 20}]

    assert [len(line) for line in table(rows, 5)][1] == 18
