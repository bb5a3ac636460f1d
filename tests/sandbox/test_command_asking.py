from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

import rmz_sync
from rmz_async.sandbox import Sandbox, Served
from rmz_async.sandbox.__main__ import main
from rmz_async.sandbox.commands.tables import table

LIVE = "17|" + "aB3dE6fG9h" * 4
# Port 1 is privileged and unused, so that no other test can take it.
NOBODY = "http://127.0.0.1:1/"


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    """A sandbox in this process, which the environment names; time stands still."""
    with Sandbox(token="1|local").serve(clock_runs=False) as opened:
        monkeypatch.setenv("RMZ_BASE_URL", opened.base_url)
        monkeypatch.setenv("RMZ_API_TOKEN", "1|local")
        yield opened


def failure(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[object, str]:
    """Return the exit code and the message of a command that fails."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    message = capsys.readouterr().err
    assert message.count("\n") == 1, "one line"
    return ended.value.code, message.partition("error: ")[2].rstrip("\n")


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


def test_a_file_of_credentials_has_the_token(
    served: Served, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("RMZ_API_TOKEN")
    path = tmp_path / "kept.env"
    path.write_text("RMZ_API_TOKEN=1|local\nRMZ_WEBHOOK_SECRET=a-secret-of-28-characters-at\n")

    assert main(["list", "orders", "--credentials", str(path)]) == 0


def test_an_address_may_be_given_with_or_without_the_path_of_the_api(served: Served) -> None:
    """People copy it from either place."""
    with_path = served.base_url
    without = with_path.removesuffix("/shawarma")

    assert [main(["list", "orders", "--url", url]) for url in (with_path, f"{without}/")] == [0, 0]


@pytest.mark.parametrize("given", ["option", "environment"])
def test_a_live_token_is_sent_nowhere(
    served: Served,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    given: str,
) -> None:
    """The shell of a developer may have the real store's."""
    arguments = ["list", "orders"]
    if given == "option":
        arguments += ["--token", LIVE]
    else:
        monkeypatch.setenv("RMZ_API_TOKEN", LIVE)
    seen: list[str] = []
    monkeypatch.setattr("httpx.Client.request", lambda *_, **__: seen.append("sent"))
    code, message = failure(arguments, capsys)

    assert (code, seen) == (2, [])
    assert "may belong to a real store, and was sent nowhere" in message
    assert LIVE not in message


@pytest.mark.parametrize(
    ("arguments", "code", "reason"),
    [
        (["--token", "1|other"], 1, "has another token"),
        (["--token", "1|رمز"], 2, "visible ASCII"),
        (["--token", "1|with blank"], 2, "visible ASCII"),
        (["--token", "1|a", "--credentials", "x"], 2, "not allowed with"),
        (["--url", "http://app.example"], 2, "app.example is another machine"),
        (["--url", "https://127.0.0.1"], 2, "--url must be like"),
        (["--url", "http://"], 2, "--url must be like"),
        (["--url", "http://[::1"], 2, "--url must be like"),
        (["--url", "http://127.0.0.1:port"], 2, "--url must be like"),
    ],
)
def test_a_wrong_address_or_token_is_said(
    served: Served,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    code: int,
    reason: str,
) -> None:
    given = failure(["list", "orders", *arguments], capsys)

    assert given[0] == code
    assert reason in given[1]


def test_a_missing_token_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("RMZ_API_TOKEN", raising=False)
    code, message = failure(["list", "orders"], capsys)

    assert code == 2
    assert "pass --token or --credentials, or set RMZ_API_TOKEN" in message


def test_no_sandbox_is_an_exit_code_of_its_own(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An address on https is no sandbox's, so that the standard port is meant."""
    monkeypatch.setenv("RMZ_BASE_URL", "https://merchant-api.rmz.gg/shawarma")
    monkeypatch.setattr("rmz_async.sandbox.commands.running.STANDARD_URL", NOBODY.rstrip("/"))
    code, message = failure(["list", "orders", "--token", "1|local"], capsys)

    assert code == 3
    assert message.startswith("no sandbox answers at http://127.0.0.1:1 (")


class Accepting(BaseHTTPRequestHandler):
    """A receiver that accepts."""

    def do_POST(self) -> None:
        """Accept."""
        self.send_response(204)
        self.end_headers()

    def do_GET(self) -> None:
        """Answer as another kind of server does."""
        self.send_response(404 if self.path.startswith("/json") else 200)
        self.end_headers()
        self.wfile.write(b"[]" if self.path.startswith("/json") else b"<html>")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name above
        """Print nothing."""


@pytest.mark.parametrize("path", ["", "/json"])
def test_another_server_is_no_sandbox(capsys: pytest.CaptureFixture[str], path: str) -> None:
    """A page, or JSON of another form."""
    with HTTPServer(("127.0.0.1", 0), Accepting) as server:
        threading.Thread(target=server.handle_request, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}{path}"
        code, message = failure(["list", "orders", "--token", "1|a", "--url", url], capsys)

    assert code == 3
    assert "is no sandbox" in message


def test_an_address_on_another_machine_may_be_named_in_so_many_words(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The request is made; no name of the machine is looked up here."""
    seen: list[str] = []

    class Answer:
        """The answer of a sandbox."""

        is_success = True
        status_code = 200

        def json(self) -> object:
            """An empty list."""
            return {"rows": [], "total": 0}

    def request(_: object, method: str, url: str, **__: object) -> Answer:
        seen.append(f"{method} {url}")
        return Answer()

    monkeypatch.setattr("httpx.Client.request", request)
    address = ["--url", "http://rmz:8787", "--i-know-that-this-is-not-rmz"]

    assert main(["list", "orders", "--token", "1|a", *address]) == 0
    assert seen == ["GET http://rmz:8787/sandbox/list/orders"]


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
