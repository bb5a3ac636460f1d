from __future__ import annotations

import json
import ssl
import threading
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
import trustme

from rmz_async.cli import main
from rmz_async.cli._doctor_rmz import clock_finding, plan_finding, tls_finding
from rmz_async.cli._doctor_webhook import speed_finding
from rmz_async.cli._findings import State
from rmz_async.errors import SignatureError
from rmz_async.models import Store
from rmz_async.sandbox import Served
from rmz_async.webhooks import verify
from rmz_async.webhooks.inbox.opening import open_inbox
from rmz_async.webhooks.inbox.records import Delivery
from tests.cli.local_server import local_server
from tests.redis_server import redis_server
from tests.seams import Setting, replace

NOW = datetime(2026, 6, 1, tzinfo=UTC)
SECRET = "the-secret-of-a-webhook"


def examined(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, list[Any]]:
    """Return the states that ``rmz doctor`` finds, by what was checked."""
    code = main(["doctor", "--json", *words])
    found = json.loads(capsys.readouterr().out)
    assert code == (not found["ok"])
    states: dict[str, list[Any]] = {}
    for check in found["checks"]:
        assert check["advice"] or check["state"] in ("ok", "skipped")
        states.setdefault(check["check"], []).append(check["state"])
    return states


def one(capsys: pytest.CaptureFixture[str], check: str, *words: str) -> Any:
    """Return the only state of a check."""
    (state,) = examined(capsys, *words)[check]
    return state


def test_a_sandbox_is_well(served: Served, capsys: pytest.CaptureFixture[str]) -> None:
    found = examined(capsys)

    looked_at = {check for check, states in found.items() if states == ["ok"]}
    assert looked_at == {"token", "plan", "address", "clock"}
    assert {check for check, states in found.items() if states == ["skipped"]} == {
        "tls",
        "webhook",
        "redis",
        "inbox",
    }


def test_a_finding_is_a_line_and_what_to_do_another(
    served: Served, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["doctor", "--webhook", "http://127.0.0.1:1/discord"]) == 1

    lines = capsys.readouterr().out.splitlines()
    place = next(index for index, line in enumerate(lines) if line.startswith("failed"))
    assert "webhook" in lines[place]
    assert "→ choose an address" in lines[place + 1]


def test_an_arabic_finding_keeps_the_direction_of_its_values(
    served: Served, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["doctor", "--language", "ar"]) == 0
    assert "\u20681\u2069" in capsys.readouterr().out

    main(["doctor", "--language", "ar", "--json"])
    assert "\u2068" not in capsys.readouterr().out


def test_findings_can_be_comma_separated(
    served: Served, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["doctor", "--csv"]) == 0
    assert capsys.readouterr().out.startswith("check,state,text,advice\ntoken,ok,")


def test_a_missing_token_is_a_finding(
    served: Served, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RMZ_API_TOKEN")

    assert one(capsys, "token") == "failed"


@pytest.mark.parametrize(("status", "check"), [(401, "token"), (403, "plan"), (500, "connection")])
def test_a_refusal_is_a_finding(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, status: int, check: str
) -> None:
    refusal = json.dumps(
        {"message": "Unauthenticated.", "data": None, "error": True, "api": "rmz.shawarma"}
    ).encode()
    with local_server(lambda *_: (status, refusal)) as url:
        monkeypatch.setenv("RMZ_BASE_URL", url)
        monkeypatch.setenv("RMZ_API_TOKEN", "1|s3cretlocal")
        assert one(capsys, check) == "failed"


def test_an_address_where_nothing_listens_is_a_finding(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RMZ_BASE_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("RMZ_API_TOKEN", "1|s3cretlocal")

    found = examined(capsys)

    assert found["connection"] == ["failed"]
    assert "clock" not in found


def test_the_certificate_of_the_connection_is_looked_at(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    with local_server(lambda *_: (401, b'{"message": "Unauthenticated."}'), context) as url:
        monkeypatch.setenv("RMZ_BASE_URL", url)
        monkeypatch.setenv("RMZ_API_TOKEN", "1|s3cretlocal")
        assert one(capsys, "tls") == "ok"


def test_a_certificate_that_ends_soon_is_a_warning() -> None:
    assert tls_finding("TLSv1.3", "Jun 30 00:00:00 2026 GMT", NOW).state is State.OK
    assert tls_finding("TLSv1.3", "Jun 10 00:00:00 2026 GMT", NOW).state is State.WARNING


@pytest.mark.parametrize(
    ("ahead", "state", "words"),
    [
        (0, State.OK, "agrees"),
        (30, State.WARNING, "30 s ahead"),
        (-30, State.WARNING, "30 s behind"),
        (-3600, State.FAILED, "3600 s behind"),
    ],
)
def test_a_wrong_clock_is_found(ahead: int, state: State, words: str) -> None:
    server = NOW - timedelta(seconds=ahead)

    finding = clock_finding(format_datetime(server, usegmt=True), NOW)

    assert finding.state is state
    assert words in finding.text


@pytest.mark.parametrize("date", [None, "yesterday"])
def test_an_answer_without_a_date_says_nothing_of_the_clock(date: str | None) -> None:
    assert clock_finding(date, NOW).state is State.SKIPPED


@pytest.mark.parametrize(
    ("ends", "state", "words"),
    [
        (None, State.OK, "no end"),
        (NOW + timedelta(days=100), State.OK, "until"),
        (NOW + timedelta(days=3), State.WARNING, "ends on"),
        (NOW - timedelta(days=3), State.WARNING, "ended on"),
    ],
)
def test_a_plan_that_ends_is_a_warning(ends: datetime | None, state: State, words: str) -> None:
    finding = plan_finding(Store(id=1, plan_expires_at=ends), NOW)

    assert finding.state is state
    assert words in finding.text


@pytest.mark.parametrize(
    ("genuine", "forged", "secrets", "states"),
    [
        (200, 401, SECRET, ["ok", "ok"]),
        (200, 401, f"{SECRET}, another-secret-of-one", ["ok", "ok", "failed"]),
        (200, 200, SECRET, ["failed", "ok"]),
        (301, 401, SECRET, ["ok", "failed"]),
        (500, 401, SECRET, ["ok", "failed"]),
        (404, 404, SECRET, ["failed", "failed"]),
        (200, 301, SECRET, ["failed", "ok"]),
        (200, 405, SECRET, ["failed", "ok"]),
        (200, 500, SECRET, ["failed", "ok"]),
        (200, 401, "", ["failed"]),
    ],
)
def test_a_webhook_accepts_what_is_signed_and_nothing_else(
    served: Served,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    genuine: int,
    forged: int,
    secrets: str,
    states: list[str],
) -> None:
    def receive(body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
        try:
            verify(body, headers, secrets=[SECRET])
        except SignatureError:
            return forged, b""
        return genuine, b""

    monkeypatch.setenv("RMZ_WEBHOOK_SECRETS", secrets)
    with local_server(receive) as url:
        assert examined(capsys, "--webhook", url)["webhook"] == states


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/", "http://[", "127.0.0.1"])
def test_a_webhook_that_cannot_be_reached_is_a_finding(
    served: Served, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("RMZ_WEBHOOK_SECRET", SECRET)

    assert one(capsys, "webhook", "--webhook", url) == "failed"


@pytest.mark.parametrize("secret", ["short", f"{SECRET}\udce9"])
def test_a_secret_that_protects_nothing_is_a_finding(
    served: Served, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, secret: str
) -> None:
    """No application takes such a secret, and one that is not UTF-8 signs nothing."""
    monkeypatch.setenv("RMZ_WEBHOOK_SECRET", secret)

    assert main(["doctor", "--webhook", "http://127.0.0.1:1/"]) == 1
    output = capsys.readouterr().out
    assert "secrets[0]: must be" in output
    assert secret not in output


def test_an_address_without_https_is_named_as_the_mistake(
    served: Served, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["doctor", "--webhook", "app.example/webhooks/rmz"]) == 1
    assert "begin the address with https://" in capsys.readouterr().out


def test_an_address_without_a_route_is_told_from_a_refusal(
    served: Served, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody has looked at a signature there."""
    monkeypatch.setenv("RMZ_WEBHOOK_SECRET", SECRET)
    with local_server(lambda *_: (404, b"")) as url:
        assert main(["doctor", "--webhook", url]) == 1

    output = capsys.readouterr().out
    assert "is not refused, but answered with 404" in output
    assert "with its path" in output


def test_a_webhook_that_does_not_answer_keeps_nobody_waiting(
    served: Served, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    answered = threading.Event()

    def receive(*_: object) -> tuple[int, bytes]:
        answered.wait()
        return 200, b""

    monkeypatch.setenv("RMZ_WEBHOOK_SECRET", SECRET)
    replace(monkeypatch, Setting.DOCTOR_TIMEOUT, 0.1)
    with local_server(receive) as url:
        assert main(["doctor", "--webhook", url]) == 1
        answered.set()

    output = capsys.readouterr().out
    assert "no answer within" in output
    assert "store the event and answer" in output


@pytest.mark.parametrize(
    "url", ["htps://merchant-api.rmz.gg", "https://", "127.0.0.1:80", "http://shop.example"]
)
def test_a_misspelt_base_url_is_named(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("RMZ_BASE_URL", url)
    monkeypatch.setenv("RMZ_API_TOKEN", "1|s3cretlocal")

    assert one(capsys, "address") == "failed"


def test_somebody_else_who_answers_is_no_rmz(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with local_server(lambda *_: (200, b"<html>welcome</html>")) as url:
        monkeypatch.setenv("RMZ_BASE_URL", url)
        monkeypatch.setenv("RMZ_API_TOKEN", "1|s3cretlocal")
        assert "failed" in examined(capsys)["address"]


@pytest.mark.parametrize(
    ("seconds", "state"), [(0.2, State.OK), (2.0, State.WARNING), (3.0, State.FAILED)]
)
def test_a_slow_webhook_is_found_before_rmz_switches_it_off(seconds: float, state: State) -> None:
    assert speed_finding(seconds).state is state


def test_redis_is_asked(served: Served, capsys: pytest.CaptureFixture[str]) -> None:
    with redis_server() as server:
        assert one(capsys, "redis", "--redis", server.url) == "ok"
        server.kill()
        assert one(capsys, "redis", "--redis", server.url) == "failed"


def test_an_inbox_is_only_read(
    served: Served, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = tmp_path / "inbox.db"
    address = f"sqlite:///{path}"
    assert one(capsys, "inbox", "--inbox", address) == "failed"
    assert not path.exists()

    inbox = open_inbox(address)
    inbox.create()
    assert one(capsys, "inbox", "--inbox", address) == "ok"

    unreadable = Delivery(key="1", name="x", subject=None, body=b"", handlers={}, fault="cut")
    inbox.add([unreadable])
    inbox.close()
    assert one(capsys, "inbox", "--inbox", address) == "warning"
    main(["doctor", "--inbox", address])
    output = capsys.readouterr().out
    # The list of failed tasks would be empty.
    assert "1 unreadable" in output
    assert "--state dead" not in output


@pytest.mark.parametrize("address", ["mysql://me:s3cret@x", "postgresql://me:s3cret@127.0.0.1:1/x"])
def test_a_database_that_cannot_be_used_is_a_finding_without_its_password(
    served: Served, capsys: pytest.CaptureFixture[str], address: str
) -> None:
    assert main(["doctor", "--inbox", address]) == 1

    output = capsys.readouterr().out
    assert "look whether the database runs" in output
    assert "s3cret" not in output


def test_no_secret_is_shown(
    served: Served, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RMZ_WEBHOOK_SECRET", SECRET)

    main(["doctor", "--webhook", "http://127.0.0.1:1/", "--redis", "redis://:s3cret@127.0.0.1:1"])

    shown = "".join(capsys.readouterr())
    assert "s3cret" not in shown
    assert SECRET not in shown
