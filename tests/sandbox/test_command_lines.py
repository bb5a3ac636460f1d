from __future__ import annotations

import io
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from rmz_async.sandbox import Delivery, Sandbox
from rmz_async.sandbox.commands.lines import Lines, RequestLines, has_colours

if TYPE_CHECKING:
    from tests.sandbox.conftest import ManualClock, Receiver

pytestmark = pytest.mark.anyio
NOON = datetime(2025, 6, 1, 12, tzinfo=UTC)


class Terminal(io.StringIO):
    """A file that says that it is a terminal."""

    def isatty(self) -> bool:
        """Say so."""
        return True


class ClosedPipe(io.StringIO):
    """A pipe whose reader has gone."""

    def write(self, text: str) -> int:
        """Fail."""
        raise BrokenPipeError


def delivery(**changes: Any) -> Delivery:
    """Return a failed attempt, with *changes*."""
    fields: dict[str, Any] = {
        "webhook_id": 1,
        "url": "http://127.0.0.1:1/",
        "event": "subscription.renewed",
        "event_id": "1",
        "request_id": 7,
        "attempt": 2,
        "at": NOON,
        "status": None,
        "error": "ConnectError: refused",
        "body": b"{}",
        "object_id": 501,
    }
    return Delivery(**{**fields, **changes})


def printed(act: Callable[[Lines], None], *, coloured: bool = False) -> str:
    """Return what is printed."""
    stream = io.StringIO()
    act(Lines(stream, coloured=coloured))
    return stream.getvalue()


async def visit(sandbox: Sandbox, path: str, **options: Any) -> list[str]:
    """Return the lines of one request."""
    stream = io.StringIO()
    lines = Lines(stream, coloured=False)
    app = RequestLines(sandbox.app, sandbox.clock.now, lines.request)
    method = options.pop("method", "GET")
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as http:
        await http.request(method, path, **options)
    return stream.getvalue().splitlines()


async def test_a_request_is_a_line(sandbox: Sandbox) -> None:
    """Its time is the sandbox's."""
    assert await visit(sandbox, "/shawarma/subscriptions?page=2") == [
        "2025-06-01 12:00:00  401  GET /shawarma/subscriptions?page=2"
    ]


@pytest.mark.parametrize("path", ["/assets/page.css", "/dashboard-assets/dashboard.css"])
async def test_the_parts_of_a_page_are_no_lines(sandbox: Sandbox, path: str) -> None:
    assert await visit(sandbox, path) == []


async def test_a_link_to_the_portal_is_not_shown(sandbox: Sandbox) -> None:
    """A reader of the link could enter as the customer."""
    (line,) = await visit(sandbox, "/s/secret-of-the-link?x=1")

    assert line.endswith("404  GET /s/…?x=1")


async def test_a_live_token_is_not_shown(sandbox: Sandbox) -> None:
    letters = "aB3d" * 10
    (line,) = await visit(sandbox, f"/shawarma/subscriptions?customerEmail=1|{letters}")

    assert letters not in line


async def test_no_byte_of_a_request_steers_the_terminal(sandbox: Sandbox) -> None:
    """Percent-encoded bytes stay so."""
    (line,) = await visit(sandbox, "/shawarma/%1b%5b2J")

    assert line.isprintable()


async def test_a_request_that_gets_no_answer_is_a_line() -> None:
    stream = io.StringIO()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        raise ConnectionResetError

    lines = RequestLines(app, lambda: NOON, Lines(stream, coloured=False).request)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(lines)) as http:
        with pytest.raises(ConnectionResetError):
            await http.get("http://127.0.0.1/shawarma/subscriptions")

    assert stream.getvalue() == "2025-06-01 12:00:00  ---  GET /shawarma/subscriptions\n"


async def test_what_is_no_request_is_no_line(sandbox: Sandbox) -> None:
    noted: list[object] = []
    passed: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        passed.append(scope["type"])

    lines = RequestLines(app, sandbox.clock.now, lambda *line: noted.append(line))
    await lines({"type": "lifespan"}, None, None)  # type: ignore[arg-type] # neither is called

    assert (passed, noted) == (["lifespan"], [])


async def test_a_delivery_is_a_line(sandbox: Sandbox, receiver: Receiver) -> None:
    stream = io.StringIO()
    sandbox.watch_deliveries(Lines(stream, coloured=True).delivery)
    sandbox.add_webhook("http://127.0.0.1/", app=receiver)
    sandbox.emit("subscription.renewed", 501)
    await sandbox.delivered()

    assert stream.getvalue() == (
        "2025-06-01 12:00:00  200  webhook 1 ← subscription.renewed of 501\n"
    )


async def test_a_failed_delivery_is_loud_and_says_when_the_next_attempt_comes(
    sandbox: Sandbox, receiver: Receiver, clock: ManualClock
) -> None:
    stream = io.StringIO()
    receiver.status = 500
    sandbox.watch_deliveries(Lines(stream, coloured=False).delivery)
    sandbox.add_webhook("http://127.0.0.1/", app=receiver, tries=2)
    sandbox.emit("subscription.renewed", 501)
    await sandbox.advance(seconds=10)
    sandbox.send_again(sandbox.deliveries[0])
    await sandbox.delivered()

    begin = "DELIVERY FAILED: webhook 1 ← subscription.renewed of 501, attempt"
    assert stream.getvalue().splitlines() == [
        f"2025-06-01 12:00:00  500  {begin} 1; next attempt at 12:00:10",
        f"2025-06-01 12:00:10  500  {begin} 2; no further attempt",
        f"2025-06-01 12:00:10  500  {begin} 3; no further attempt",
    ]


async def test_a_webhook_that_is_switched_off_is_attempted_no_more(
    sandbox: Sandbox, receiver: Receiver
) -> None:
    stream = io.StringIO()
    receiver.status = 500
    sandbox.watch_deliveries(Lines(stream, coloured=False).delivery)
    sandbox.add_webhook("http://127.0.0.1/", app=receiver)
    for _ in range(5):
        sandbox.emit("subscription.renewed", 501)
    await sandbox.delivered()

    *others, last = stream.getvalue().splitlines()
    assert [line.endswith("next attempt at 12:00:10") for line in others] == [True] * 4
    assert last.endswith("no further attempt")


def test_the_reason_of_a_failure_is_on_its_line() -> None:
    """A receiver's words cannot begin a line of their own."""
    failed = delivery(error="ConnectError:\nrefused\x1b[2J")
    line = printed(lambda lines: lines.delivery(failed, NOON + timedelta(seconds=100)))

    assert "attempt 2 (ConnectError: refused [2J); next attempt at 12:01:40\n" in line
    assert line.count("\n") == 1


@pytest.mark.parametrize(
    ("status", "colour"), [(200, ""), (302, ""), (404, "33"), (500, "31"), (None, "")]
)
def test_a_terminal_shows_errors_in_colours(status: int | None, colour: str) -> None:
    line = printed(lambda lines: lines.request(NOON, "GET", "/", status), coloured=True)

    assert line.startswith(f"\x1b[{colour}m" if colour else "2025")
    assert line.endswith("\x1b[0m\n" if colour else "/\n")


def test_a_terminal_shows_a_failed_delivery_in_a_colour_of_its_own() -> None:
    line = printed(lambda lines: lines.delivery(delivery(), None), coloured=True)

    assert line.startswith("\x1b[1;31m")


@pytest.mark.parametrize(
    ("stream", "environment", "coloured"),
    [
        (Terminal(), {}, True),
        (Terminal(), {"NO_COLOR": ""}, True),
        (Terminal(), {"NO_COLOR": "1"}, False),
        (Terminal(), {"TERM": "dumb"}, False),
        (io.StringIO(), {}, False),
    ],
)
def test_colours_are_for_terminals_that_want_them(
    monkeypatch: pytest.MonkeyPatch,
    stream: io.StringIO,
    environment: dict[str, str],
    *,
    coloured: bool,
) -> None:
    for name in ("NO_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    assert has_colours(stream) is coloured


def test_a_reader_that_has_gone_stops_nothing() -> None:
    """As ``| head`` does."""
    Lines(ClosedPipe(), coloured=False).request(NOON, "GET", "/", 200)


async def test_a_page_of_a_foreign_app_is_a_line() -> None:
    """The lines wrap whatever is served."""
    noted: list[str] = []
    app = RequestLines(
        PlainTextResponse("fine"), lambda: NOON, lambda *line: noted.append(str(line[2:]))
    )
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app)) as http:
        await http.get("http://127.0.0.1/")

    assert noted == ["('/', 200)"]
