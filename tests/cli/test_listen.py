from __future__ import annotations

import io
import json
import queue
import re
import socket
import struct
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import HTTPServer
from typing import Any, NoReturn, cast

import httpx
import pytest

from rmz_async.cli import main
from rmz_async.cli._deliveries import Deliveries
from rmz_async.sandbox import Sandbox
from rmz_async.webhooks import sample, sign
from rmz_async.webhooks.events import EventType

SECRETS = ["the-secret-of-a-webhook", "the-secret-of-another-one"]
NOW = datetime(2026, 6, 1, tzinfo=UTC)


class Said(io.StringIO):
    """An error output whose addresses can be waited for."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: queue.Queue[str] = queue.Queue()

    def write(self, text: str) -> int:
        for address in re.findall(r"http://\S+/", text):
            self.addresses.put(address)
        return super().write(text)


@contextmanager
def listening(monkeypatch: pytest.MonkeyPatch, *words: str) -> Generator[str]:
    """Run the command in a thread until it ends by itself; its address."""
    monkeypatch.setenv("RMZ_WEBHOOK_SECRETS", ",".join(SECRETS))
    said = Said()
    monkeypatch.setattr(sys, "stderr", said)
    codes: list[int] = []
    thread = threading.Thread(
        target=lambda: codes.append(main(["listen", "--port", "0", *words])), daemon=True
    )
    thread.start()
    yield said.addresses.get(timeout=60)
    thread.join(60)
    assert codes == [0]


def posted(address: str, body: bytes, secret: str) -> int:
    """Deliver a body with its signature, and return the status of the answer."""
    return httpx.post(address, content=body, headers={"Signature": sign(body, secret)}).status_code


def taken(body: bytes, secret: str) -> dict[str, Any]:
    """Return the JSON of one delivery."""
    deliveries = Deliveries(SECRETS)
    deliveries.take(body, [("Signature", sign(body, secret))], NOW)
    (seen,) = deliveries.new()
    return seen.document


def test_a_delivery_of_the_sandbox_is_a_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    sandbox = Sandbox()
    with (
        listening(monkeypatch, "--limit", "1") as address,
        sandbox.serve(clock_runs=False) as served,
    ):
        sandbox.add_webhook(address, secret=SECRETS[1])
        httpx.post(
            f"{served.base_url}/subscriptions/501/pause",
            headers={"Authorization": f"Bearer {sandbox.token}"},
        )

    line = capsys.readouterr().out
    assert "subscription.paused  501  paused  usr_abc123" in line
    assert "secret 2" in line


def test_a_refused_delivery_says_why(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    body = sample(EventType.SUBSCRIPTION_RENEWED)
    with listening(monkeypatch, "--limit", "1", "--body") as address:
        assert posted(address, body, "a-secret-of-somebody-else") == 401

    refusal, advice, content, *_ = capsys.readouterr().out.splitlines()
    assert "refused" in refusal
    assert "→ another secret signed this body" in advice
    assert "sara@example.com" in content


@pytest.mark.parametrize("body", [(), ("--body",)])
def test_json_has_the_content_only_if_it_is_asked_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], body: tuple[str, ...]
) -> None:
    with listening(monkeypatch, "--limit", "1", "--json", *body) as address:
        assert posted(address, sample(EventType.SUBSCRIPTION_RENEWED), SECRETS[0]) == 200

    shown = json.loads(capsys.readouterr().out)
    assert shown["event"] == "subscription.renewed"
    assert ("sara@example.com" in str(shown)) == bool(body)


def test_a_body_without_end_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    with listening(monkeypatch, "--limit", "1") as address:
        with socket.create_connection(("127.0.0.1", httpx.URL(address).port)) as connection:
            connection.sendall(b"POST / HTTP/1.1\r\nContent-Length: 1073741824\r\n\r\n")
            assert b" 413 " in connection.recv(100)
        assert httpx.post(address, content=iter([b"{}"])).status_code == 413
        posted(address, sample(EventType.ORDER_CREATED), SECRETS[0])


def test_a_broken_request_leaves_no_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    """The terminal is for deliveries: a cut connection and a length of 5000 digits are none."""
    with listening(monkeypatch, "--limit", "1") as address:
        there = ("127.0.0.1", int(address.rpartition(":")[2].strip("/")))
        with socket.create_connection(there) as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.sendall(b"POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\n")
        with socket.create_connection(there) as connection:
            connection.sendall(b"POST / HTTP/1.1\r\nContent-Length: %b\r\n\r\n" % (b"9" * 5000))
            assert b" 413 " in connection.recv(100)
        assert posted(address, b"{}", SECRETS[0]) == 200
    assert "Traceback" not in cast("Said", sys.stderr).getvalue()


def test_an_error_of_the_command_itself_is_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only a connection that the sender has cut is no error."""
    take = Deliveries.take

    def fail_once(*_: Any) -> NoReturn:
        monkeypatch.setattr(Deliveries, "take", take)
        raise LookupError("a mistake")

    with listening(monkeypatch, "--limit", "1") as address:
        monkeypatch.setattr(Deliveries, "take", fail_once)
        with pytest.raises(httpx.RemoteProtocolError):
            posted(address, b"{}", SECRETS[0])
        assert posted(address, b"{}", SECRETS[0]) == 200
    assert "LookupError: a mistake" in cast("Said", sys.stderr).getvalue()


def test_a_body_cannot_steer_the_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with listening(monkeypatch, "--limit", "1", "--body") as address:
        posted(address, b"\x1b[2J" + b"x" * 1000, "a-secret-of-somebody-else")

    output = capsys.readouterr().out
    assert "\x1b" not in output
    assert "x" * 1000 in output


def test_an_order_is_shown_by_its_number_and_total() -> None:
    document = taken(sample(EventType.ORDER_CREATED), SECRETS[0])

    assert document["order"] == 78901
    assert str(document["total"]) == "149.00"


def test_a_delivery_that_comes_twice_is_marked() -> None:
    body = sample(EventType.SUBSCRIPTION_RENEWED)
    deliveries = Deliveries(SECRETS)
    for _ in range(2):
        deliveries.take(body, [("Signature", sign(body, SECRETS[0]))], NOW)

    first, second = deliveries.new()
    assert "again" not in first.parts
    assert "again" in second.parts


def test_an_unknown_event_is_shown_by_its_name() -> None:
    document = taken(b'{"event": "shop.moved", "event_id": "1", "data": {}}', SECRETS[0])

    assert document["event"] == "shop.moved"


def test_a_signed_body_that_cannot_be_read_is_shown() -> None:
    assert "unreadable" in taken(b"[]", SECRETS[0])


def test_without_a_secret_nothing_can_be_verified(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["listen"]) == 1
    assert "RMZ_WEBHOOK_SECRETS" in capsys.readouterr().err


def test_a_secret_that_protects_nothing_is_refused_before_the_first_delivery(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each delivery would end in a traceback."""
    monkeypatch.setenv("RMZ_WEBHOOK_SECRETS", f"{SECRETS[0]},s3cret")

    assert main(["listen", "--port", "99999"]) == 1
    error = capsys.readouterr().err
    assert error.startswith("rmz: ConfigurationError: secrets[1]: must be")
    assert "s3cret" not in error


def test_a_port_that_is_taken_is_an_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RMZ_WEBHOOK_SECRETS", SECRETS[0])
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        assert main(["listen", "--port", str(other.getsockname()[1])]) == 1

    assert "--port" in capsys.readouterr().err


def test_ctrl_c_is_the_usual_end(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_: HTTPServer) -> None:
        raise KeyboardInterrupt

    monkeypatch.setenv("RMZ_WEBHOOK_SECRETS", SECRETS[0])
    monkeypatch.setattr(HTTPServer, "handle_request", interrupted)

    assert main(["listen", "--port", "0"]) == 0
