"""Faults between a client and RMZ, one entry for each kind."""

from __future__ import annotations

import asyncio
import gzip
from contextlib import suppress
from enum import StrEnum

import attrs

from tests.faults import strange_answers
from tests.faults.http1 import Answer, Wire
from tests.faults.strange_answers import JSON, Act

# Stands in for RMZ's answer if the request was never passed on; damaged like a real one.
MADE_UP = Answer(
    200,
    b'{"message": null, "data": {"id": 501, "status": "active", "auto_renew": true, '
    b'"current_period_end": "2027-01-01T00:00:00.000000Z"}, "timestamp": 1780000000}',
    JSON,
)
# Longer than any client here waits for an answer.
_SILENCE = 10.0


class Position(StrEnum):
    """Whether, and when, the request reaches RMZ."""

    BEFORE = "before"
    """The request is never carried out."""
    AFTER = "after"
    """The request was carried out before things go wrong."""
    LATE = "late"
    """The request is carried out after the next request that RMZ answers."""
    LATER = "later"
    """The request is carried out after the whole call."""


class Stage(StrEnum):
    """At what the fault is decided upon."""

    PORT = "port"
    """The port is closed."""
    CONNECTION = "connection"
    """Before the request has been read."""
    REQUEST = "request"


class Leaves(StrEnum):
    """The knowledge of a change that a fault leaves a client."""

    ANSWER = "RMZ's own answer comes"
    CERTAINTY = "RMZ surely did nothing"
    DOUBT = "the change may have been applied"
    STRANGE = "the same, and a retry would bring the same answer"


@attrs.frozen(eq=False)
class Kind:
    """A way to go wrong.

    Attributes:
        act: Treats the client, given RMZ's answer or one that stands in for it.
        positions: Those that make sense.
        keeps: Whether the connection stays open afterwards.
        silent: Whether the client learns of it by its own time-out only.
        warm: Whether it is about a connection that has served before.
        leaves: The knowledge that a client may have after it.
        is_followed: Whether the next call over the same connections is part of it.
    """

    name: str
    act: Act
    positions: tuple[Position, ...] = (Position.BEFORE, Position.AFTER)
    stage: Stage = Stage.REQUEST
    keeps: bool = False
    silent: bool = False
    warm: bool = False
    leaves: Leaves = Leaves.DOUBT
    is_followed: bool = False


@attrs.frozen
class Fault:
    """A kind at a position."""

    kind: Kind
    position: Position

    def __str__(self) -> str:
        return f"{self.kind.name}/{self.position}"


async def _nothing(_: Wire, __: Answer) -> None:
    return


async def _reset(wire: Wire, _: Answer) -> None:
    wire.reset()


async def _close(wire: Wire, _: Answer) -> None:
    wire.finish()


def _reset_after_bytes(count: int) -> Act:
    async def act(wire: Wire, _: Answer) -> None:
        try:
            await wire.reader.readexactly(count)
        except (asyncio.IncompleteReadError, OSError):
            return
        wire.reset()

    return act


async def _reset_in_headers(wire: Wire, answer: Answer) -> None:
    head = answer.head(content_length=str(len(answer.body)))
    await wire.send(head[: len(head) // 2])
    wire.reset()


async def _reset_in_body(wire: Wire, answer: Answer) -> None:
    await wire.send(answer.whole()[: -len(answer.body) // 2])
    wire.reset()


async def _cut_with_length(wire: Wire, answer: Answer) -> None:
    await wire.send(answer.whole()[:-20])
    wire.finish()


async def _cut_without_length(wire: Wire, answer: Answer) -> None:
    await wire.send(answer.head(connection="close") + answer.body[:-20])
    wire.finish()


async def _whole(wire: Wire, answer: Answer) -> None:
    await wire.send(answer.whole())


async def _drip(wire: Wire, answer: Answer) -> None:
    for byte in answer.whole():
        if not await wire.send(bytes([byte])):
            return
        await asyncio.sleep(0)


async def _stall(wire: Wire, _: Answer) -> None:
    # Until the client hangs up, in whatever way.
    with suppress(TimeoutError, OSError):
        await asyncio.wait_for(wire.reader.read(), _SILENCE)
    wire.finish()


async def _slow_close(wire: Wire, answer: Answer) -> None:
    await wire.send(answer.head(connection="close") + answer.body)
    await _stall(wire, answer)


def _says(status: int, body: bytes, **headers: str) -> Act:
    given = {name.replace("_", "-"): value for name, value in headers.items()}

    async def act(wire: Wire, _: Answer) -> None:
        await wire.send(Answer(status, body, given).whole())

    return act


def _html(status: int) -> Act:
    page = f"<html><body><h1>{status}</h1><hr>nginx</body></html>".encode()
    return _says(status, page, content_type="text/html")


async def _gzip_cut(wire: Wire, answer: Answer) -> None:
    body = gzip.compress(answer.body)[:-12]
    await wire.send(Answer(200, body, {**JSON, "content-encoding": "gzip"}).whole())


async def _gzip_broken(wire: Wire, answer: Answer) -> None:
    # A block of a type that there is not.
    body = gzip.compress(answer.body)[:10] + b"\xff" * 40
    await wire.send(Answer(200, body, {**JSON, "content-encoding": "gzip"}).whole())


_BEFORE = (Position.BEFORE,)
_AFTER = (Position.AFTER,)
_LATE_TOO = (Position.BEFORE, Position.AFTER, Position.LATE, Position.LATER)
_SERVER_ERROR = b'{"message": "Server Error", "data": null, "error": true}'
_TOO_MANY = b'{"message": "Too Many Requests"}'

KINDS = (
    Kind("no-fault", _whole, _AFTER, keeps=True, leaves=Leaves.ANSWER),
    Kind("closed-port", _nothing, _BEFORE, Stage.PORT, leaves=Leaves.CERTAINTY),
    Kind("reset-at-accept", _reset, _BEFORE, Stage.CONNECTION),
    Kind("reset-at-byte-1", _reset_after_bytes(1), _BEFORE, Stage.CONNECTION),
    Kind("reset-at-byte-64", _reset_after_bytes(64), _BEFORE, Stage.CONNECTION),
    Kind("reset-at-first-byte", _reset, _LATE_TOO),
    Kind("reset-in-headers", _reset_in_headers),
    Kind("reset-in-body", _reset_in_body),
    Kind("cut-with-length", _cut_with_length),
    Kind("cut-without-length", _cut_without_length),
    Kind("kept-alive-closed", _close, warm=True),
    Kind("idle-closed", _nothing, _BEFORE, Stage.PORT, warm=True, leaves=Leaves.ANSWER),
    Kind("drip", _drip, _AFTER, keeps=True, leaves=Leaves.ANSWER),
    Kind("stall", _stall, _LATE_TOO, silent=True),
    Kind("slow-close", _slow_close, _AFTER, silent=True),
    Kind("html-502", _html(502), keeps=True),
    Kind("html-503", _html(503), keeps=True),
    Kind("html-504", _html(504), _LATE_TOO, keeps=True),
    # Neither of the two is ever said of a request that was carried out: no client could know that.
    Kind(
        "429-throttle",
        _says(
            429,
            _TOO_MANY,
            content_type="application/json",
            retry_after="7",
            x_ratelimit_limit="60",
            x_ratelimit_remaining="0",
        ),
        _BEFORE,
        keeps=True,
        leaves=Leaves.CERTAINTY,
    ),
    Kind(
        "429-other",
        _says(429, _TOO_MANY, content_type="application/json"),
        _BEFORE,
        keeps=True,
        leaves=Leaves.CERTAINTY,
    ),
    Kind("408", _html(408), keeps=True),
    Kind("500-json", _says(500, _SERVER_ERROR, content_type="application/json"), keeps=True),
    Kind("200-login-page", _html(200), keeps=True, leaves=Leaves.STRANGE),
    Kind(
        "302",
        _says(302, b"", location="https://127.0.0.1/login"),
        keeps=True,
        leaves=Leaves.STRANGE,
    ),
    Kind("cut-gzip", _gzip_cut, keeps=True),
    Kind("broken-gzip", _gzip_broken, keeps=True),
    # Kept open: a retry over a connection that is just being closed would meet a second fault.
    Kind(
        "garbage-json",
        _says(200, b'{"message": nul', content_type="application/json"),
        keeps=True,
    ),
    Kind(
        "alien-json",
        _says(200, b'{"ok": true}', content_type="application/json"),
        keeps=True,
        leaves=Leaves.STRANGE,
    ),
    *(
        Kind(name, act, keeps=True, leaves=Leaves.STRANGE)
        for name, act in strange_answers.foreign().items()
    ),
    *(
        Kind(name, act, _BEFORE, keeps=True, leaves=Leaves.CERTAINTY)
        for name, act in strange_answers.refusals().items()
    ),
    *(
        Kind(name, act, _AFTER, keeps=True, leaves=Leaves.ANSWER, is_followed=True)
        for name, act in strange_answers.stray().items()
    ),
)
"""Every kind."""

FAULTS = tuple(Fault(kind, position) for kind in KINDS for position in kind.positions)
"""Every kind at every position."""


def fault_named(name: str) -> Fault:
    """Return the fault that is written as *name*, for example ``stall/after``."""
    return next(fault for fault in FAULTS if str(fault) == name)
