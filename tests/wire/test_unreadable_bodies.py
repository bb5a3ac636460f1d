"""Answers whose body cannot be read: their head still says what happened."""

from __future__ import annotations

import gzip
import socket
from codecs import BOM_UTF8
from typing import Any

import pytest

from rmz_async import (
    APIError,
    AuthenticationError,
    ConflictError,
    ConnectionFailedError,
    InvalidRequestError,
    NotFoundError,
    OutcomeUnknownError,
    RateLimitError,
    RetryPolicy,
)
from tests.wire.conftest import Behaviour, client_of, keeps

pytestmark = pytest.mark.anyio

THRICE = RetryPolicy(max_attempts=3, backoff=0.001)
GZIP = "Content-Encoding: gzip"
ERROR = gzip.compress(b'{"success": false, "message": "No.", "data": null}', mtime=0)


def says(status: int, body: bytes, *headers: str, length: int | None = None) -> Behaviour:
    """Answer so, and hang up."""

    def behave(connection: socket.socket, _: bytes) -> None:
        lines = [f"HTTP/1.1 {status} X", "Content-Type: application/json", *headers]
        head = "\r\n".join([*lines, f"Content-Length: {length or len(body)}", "", ""])
        connection.sendall(head.encode() + body)

    return behave


UNREADABLE = {
    "empty": (b"", [GZIP], None),
    "cut": (ERROR[:-9], [GZIP], None),
    "without its trailer": (ERROR[:-1], [GZIP], None),
    "broken": (b"\x1f\x8b" + b"\xff" * 40, [GZIP], None),
    "not gzip": (b'{"success": false}', [GZIP], None),
    "another encoding": (b"\x0b\x02\x80{}\x03", ["Content-Encoding: br"], None),
    "cut by the connection": (b'{"success": fal', [], 400),
}


@pytest.mark.parametrize("kind", UNREADABLE)
@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (401, AuthenticationError),
        (404, NotFoundError),
        (409, ConflictError),
        (422, (ConflictError, InvalidRequestError)),
        (429, RateLimitError),
    ],
)
async def test_an_error_keeps_its_status_and_its_wait(
    serving: Any, http: Any, kind: str, status: int, expected: type[APIError]
) -> None:
    """A change is sent once, and its outcome is known."""
    body, headers, length = UNREADABLE[kind]
    with serving(says(status, body, *headers, "Retry-After: 7", length=length)) as server:
        async with client_of(server, http=http, retry=THRICE) as rmz:
            with pytest.raises(expected) as caught:
                await rmz.subscriptions.extend(501, days=7)
    assert (caught.value.status, caught.value.retry_after) == (status, 7)
    assert len(server.requests) == 1


@pytest.mark.parametrize("kind", UNREADABLE)
async def test_a_success_that_cannot_be_read_is_unknown(serving: Any, http: Any, kind: str) -> None:
    """A change may have been applied; a read is attempted again."""
    body, headers, length = UNREADABLE[kind]
    unreadable = says(200, body, *headers, length=length)
    with serving(unreadable, unreadable, keeps()) as server:
        async with client_of(server, http=http, retry=THRICE) as rmz:
            with pytest.raises(OutcomeUnknownError):
                await rmz.subscriptions.extend(501, days=7)
            assert (await rmz.subscriptions.get(501)).id == 501
    assert len(server.requests) == 3


async def test_a_read_that_is_never_readable_fails(serving: Any, http: Any) -> None:
    """No attempt changes anything."""
    with serving(says(200, b"", GZIP)) as server:
        async with client_of(server, http=http, retry=THRICE) as rmz:
            with pytest.raises(ConnectionFailedError, match="cut gzip"):
                await rmz.subscriptions.get(501)
    assert len(server.requests) == 3


SUBSCRIPTION = b'{"data": {"id": 501, "status": "active"}}'


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        (gzip.compress(SUBSCRIPTION, mtime=0), "x-gzip"),
        (
            gzip.compress(SUBSCRIPTION[:9], mtime=0) + gzip.compress(SUBSCRIPTION[9:], mtime=0),
            "gzip",
        ),
        (BOM_UTF8 + SUBSCRIPTION, "identity"),
        (gzip.compress(BOM_UTF8 + SUBSCRIPTION, mtime=0), "gzip"),
    ],
)
async def test_a_body_that_is_written_in_an_unusual_way_is_read(
    serving: Any, http: Any, body: bytes, encoding: str
) -> None:
    """Several members of gzip, its old name, and a byte order mark."""
    with serving(says(200, body, f"Content-Encoding: {encoding}")) as server:
        async with client_of(server, http=http) as rmz:
            assert (await rmz.subscriptions.get(501)).id == 501
