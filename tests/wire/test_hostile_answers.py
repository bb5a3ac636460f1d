"""A server that does what servers must not: each ends in an error of ours, in bounded time."""

from __future__ import annotations

import gzip
import json
import socket
import ssl
import tracemalloc
import zlib
from typing import Any

import anyio
import httpx
import pytest

from rmz_async import (
    ConnectionFailedError,
    OrderLine,
    OutcomeUnknownError,
    RetryPolicy,
    RMZError,
    ServerError,
    UnexpectedAnswerError,
)
from tests.wire.conftest import Behaviour, client_of, hangs_up, keeps, resets, their_client

pytestmark = pytest.mark.anyio

GOOD = json.dumps({"data": {"id": 501, "status": "active"}}).encode()


def raw(head: str, body: bytes = b"", *, length: int | None = None) -> Behaviour:
    """Answer with just these bytes, and close."""
    size = len(body) if length is None else length

    def behave(connection: socket.socket, _: bytes) -> None:
        connection.sendall(f"HTTP/1.1 {head}\r\nContent-Length: {size}\r\n\r\n".encode() + body)

    return behave


def answering(body: bytes, *headers: str) -> Behaviour:
    """Answer 200 with JSON's content type."""
    return raw("\r\n".join(["200 OK", "Content-Type: application/json", *headers]), body)


GZIPPED = gzip.compress(GOOD)
BOMB = gzip.compress(bytes(32 * 1024 * 1024))
UNREADABLE: dict[str, Behaviour] = {
    "a login page": raw("200 OK\r\nContent-Type: text/html", b"<form>"),
    "no content type": raw("200 OK", GOOD),
    "a redirect": raw("302 Found\r\nLocation: https://evil.example/"),
    "a redirect that asks for the same": raw("307 Temporary\r\nLocation: https://evil.example/"),
    "a redirect home": raw("307 Temporary\r\nLocation: /shawarma/other"),
    "cut JSON": answering(GOOD[:-5]),
    "NaN": answering(b'{"data": {"id": NaN}}'),
    "a number past all": answering(b'{"data": {"id": 1e999999999999999999999}}'),
    "deep nesting": answering(b'{"data": ' + b"[" * 100_000),
    "a long number": answering(b'{"data": ' + b"1" * 5000 + b"}"),
    "not UTF-8": answering(b'{"data": "\xff"}'),
    "UTF-16": answering(GOOD.decode().encode("utf-16")),
    "a list": answering(b"[]"),
    "an empty body": answering(b""),
    "ten megabytes": answering(b" " * (10 * 1024 * 1024)),
    "a body that ends early": raw("200 OK\r\nContent-Type: application/json", GOOD, length=999),
    "cut gzip": answering(GZIPPED[:-9], "Content-Encoding: gzip"),
    "gzip with a tail": answering(GZIPPED + b"x", "Content-Encoding: gzip"),
    "broken gzip": answering(b"not gzip at all", "Content-Encoding: gzip"),
    "another encoding": answering(zlib.compress(GOOD), "Content-Encoding: deflate"),
    "two encodings": answering(gzip.compress(GZIPPED), "Content-Encoding: gzip, gzip"),
    "two encoding headers": answering(
        gzip.compress(GZIPPED), "Content-Encoding: gzip", "Content-Encoding: gzip"
    ),
    "a bomb": answering(BOMB, "Content-Encoding: gzip"),
    "a bomb in a bomb": answering(gzip.compress(BOMB), "Content-Encoding: gzip"),
    "a reset": resets,
    "not HTTP": lambda connection, _: connection.sendall(b"SSH-2.0-OpenSSH_9\r\n"),
    "an endless header": lambda connection, _: connection.sendall(
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 200_000
    ),
    "nothing": hangs_up,
}


@pytest.mark.parametrize("name", UNREADABLE)
async def test_a_read_ends_in_an_error_of_ours(serving: Any, http: Any, name: str) -> None:
    """A read that is answered by anything else than RMZ's JSON fails with a clear error."""
    with serving(UNREADABLE[name]) as server:
        async with client_of(server, http=http) as rmz:
            with pytest.raises((UnexpectedAnswerError, ConnectionFailedError)) as caught:
                await rmz.subscriptions.get(501)
        assert len(server.requests) == 1
        await server.until_open(0)
    assert caught.value.__context__ is None
    assert "subscriptions.get" in str(caught.value)


@pytest.mark.parametrize("name", UNREADABLE)
async def test_a_write_is_unknown(serving: Any, http: Any, name: str) -> None:
    """The same answers to an extension leave its outcome unknown: it is sent once and no more."""
    with serving(UNREADABLE[name]) as server:
        async with client_of(server, http=http, retry=RetryPolicy()) as rmz:
            with pytest.raises(OutcomeUnknownError):
                await rmz.subscriptions.extend(501, days=7)
        assert len(server.requests) == 1
        await server.until_open(0)


@pytest.mark.parametrize("name", UNREADABLE)
async def test_an_order_is_unknown(serving: Any, http: Any, name: str) -> None:
    """The same answers to an order say neither that it was made nor that it was not."""
    with serving(UNREADABLE[name]) as server:
        async with client_of(server, http=http) as rmz:
            with pytest.raises(OutcomeUnknownError, match=r"^orders\.create was sent") as caught:
                await rmz.orders.create(created_from="a.example", products=[OrderLine(product=1)])
        assert len(server.requests) == 1
    assert "create the same order again" in str(caught.value)


@pytest.mark.parametrize("name", UNREADABLE)
async def test_a_page_ends_in_an_error_of_ours(serving: Any, http: Any, name: str) -> None:
    """The same answers to a list name the page that is missing."""
    with serving(UNREADABLE[name]) as server:
        async with client_of(server, http=http) as rmz:
            with pytest.raises((UnexpectedAnswerError, ConnectionFailedError)) as caught:
                await rmz.orders.list(page=7).first()
    assert caught.value.page == 7
    assert caught.value.__context__ is None


@pytest.mark.parametrize(
    "data", ['{"id": 502, "status": "paused"}', '{"id": null}', '{"current_page": 1}', "[1]"]
)
async def test_the_answer_of_another_call_is_not_taken(serving: Any, http: Any, data: str) -> None:
    """A proxy that has lost count passes it on: it says nothing of the object that was meant."""
    body = f'{{"message": null, "data": {data}, "timestamp": 1750000000}}'.encode()
    with serving(keeps(body)) as server:
        async with client_of(server, http=http) as rmz:
            with pytest.raises(UnexpectedAnswerError, match="not about the object"):
                await rmz.subscriptions.get(501)
            with pytest.raises(OutcomeUnknownError, match="not about the object"):
                await rmz.subscriptions.pause(501)
            with pytest.raises(OutcomeUnknownError, match="not about the object"):
                await rmz.orders.update(78901, status=3)


async def test_a_bomb_costs_no_memory(serving: Any, http: Any) -> None:
    """32 MiB of zeros in 32 KiB, once or twice compressed, are not unpacked."""
    for body in (BOMB, gzip.compress(BOMB)):
        with serving(answering(body, "Content-Encoding: gzip")) as server:
            async with client_of(server, http=http) as rmz:
                tracemalloc.start()
                try:
                    with pytest.raises(RMZError):
                        await rmz.subscriptions.get(501)
                    _, peak = tracemalloc.get_traced_memory()
                finally:
                    tracemalloc.stop()
        assert peak < 24 * 1024 * 1024


async def test_an_endless_body_is_not_read_to_its_end(serving: Any, http: Any) -> None:
    """The body is read no further than any answer of RMZ is long, however fast it comes."""

    def endless(connection: socket.socket, _: bytes) -> None:
        head = f"200 OK\r\nContent-Type: application/json\r\nContent-Length: {2**40}"
        connection.sendall(f"HTTP/1.1 {head}\r\n\r\n".encode())
        while True:
            connection.sendall(b" " * 65536)

    with serving(endless) as server, anyio.fail_after(20):
        async with client_of(server, http=http) as rmz:
            with pytest.raises(ConnectionFailedError, match="more than 4194304 bytes"):
                await rmz.subscriptions.get(501)
        await server.until_open(0)


async def test_gzip_is_read(serving: Any, http: Any) -> None:
    """A single whole layer of gzip is what was asked for."""
    with serving(answering(GZIPPED, "Content-Encoding: gzip")) as server:
        async with client_of(server, http=http) as rmz:
            assert (await rmz.subscriptions.get(501)).id == 501


async def test_a_proxys_error_page_is_shown_in_part(serving: Any, http: Any) -> None:
    """A 502 with HTML is a server error that shows the page's beginning."""
    page = raw("502 Bad Gateway\r\nContent-Type: text/html", b"<h1>" + b"x" * 9000)
    with serving(page) as server:
        async with client_of(server, http=http) as rmz:
            with pytest.raises(ServerError) as caught:
                await rmz.subscriptions.get(501)
    body = caught.value.body
    assert isinstance(body, str)
    assert body.startswith("<h1>")
    assert len(body) == 2000


async def test_an_echo_of_the_token_is_masked(serving: Any, http: Any) -> None:
    """A page that echoes the request shows no token in the error."""

    def echoes(connection: socket.socket, request: bytes) -> None:
        raw("500 Oops\r\nContent-Type: text/plain", request)(connection, request)

    with serving(echoes) as server:
        async with client_of(server, http=http) as rmz:
            with pytest.raises(ServerError) as caught:
                await rmz.subscriptions.get(501)
    assert "Bearer ***" in str(caught.value.body)
    assert "wire-test-token" not in f"{caught.value}{vars(caught.value)}"


async def test_an_escaped_echo_of_the_token_is_masked(serving: Any, http: Any) -> None:
    """The bar in a token may be escaped in many ways."""
    page = b"1%7Cwire-test-token 1&#124;wire-test-token 1\\u007cwire-test-token"
    with serving(raw("500 Oops\r\nContent-Type: text/plain", page)) as server:
        async with client_of(server, http=http) as rmz:
            with pytest.raises(ServerError) as caught:
                await rmz.subscriptions.get(501)
    assert caught.value.body == "*** *** ***"


async def test_a_refused_connection_is_reported_as_not_sent(serving: Any, http: Any) -> None:
    """A refused connection is retried, and then reported as not sent."""
    with serving(resets) as server:
        pass
    async with client_of(server, http=http, retry=RetryPolicy(backoff=0.001)) as rmz:
        with pytest.raises(ConnectionFailedError, match="after 3 attempts"):
            await rmz.subscriptions.extend(501, days=7)


@their_client
async def test_an_untrusted_certificate_is_not_retried(make_client: Any, time: Any) -> None:
    """A retry cannot help against a wrong certificate, and would help an attacker in between."""

    def wrong(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("bad certificate") from ssl.SSLCertVerificationError()

    http = httpx.AsyncClient(transport=httpx.MockTransport(wrong))
    async with http, make_client(http=http) as rmz:
        with pytest.raises(ConnectionFailedError, match="after 1 attempt"):
            await rmz.subscriptions.get(501)
    assert time.slept == []
