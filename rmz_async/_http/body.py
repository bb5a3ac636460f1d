"""Bodies: of a request, sent in one piece, and of an answer, read to its end."""

from __future__ import annotations

import ssl
from codecs import BOM_UTF8
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Any

import httpx

from rmz_async._calls import wire as _wire
from rmz_async._calls.outcome import Answer, UnreadableBodyError
from rmz_async._decoding import strict_json


class Body(httpx.ByteStream, AsyncIterator[bytes]):
    """A request's body, in one piece.

    A body is its own iterator, which begins again each time and need not be closed: trio warns of
    httpx's own if a write fails.
    """

    def __aiter__(self) -> AsyncIterator[bytes]:
        self._left = b"".join(self)
        return self

    async def __anext__(self) -> bytes:
        left, self._left = self._left, b""
        if not left:
            raise StopAsyncIteration
        return left


async def read(response: httpx.Response, until: float, clock: Callable[[], float]) -> Answer:
    """Read an answer to its end, unless it is larger than any answer of RMZ, or too slow.

    An error whose body cannot be read is returned too, because its head says enough.

    Args:
        response: The head of the answer; closed afterwards.
        until: When the answer must have been read; seconds, monotonic.
        clock: Seconds, monotonic.

    Raises:
        Exception: The body of a success could not be read.
    """
    headers = dict(response.headers.multi_items())
    try:
        body = await _content_of(response, headers, until, clock)
    except Exception:
        if response.is_success:
            raise
        body = None
    return _answer(response, headers, body)


def answer_at_hand(response: httpx.Response) -> Answer:
    """Return what is known of the answer in *response*, which an event hook's error has closed."""
    headers = dict(response.headers.multi_items())
    try:
        return _answer(response, headers, response.content.removeprefix(BOM_UTF8))
    except httpx.ResponseNotRead:
        return _answer(response, headers, None)


def _answer(response: httpx.Response, headers: dict[str, str], body: bytes | None) -> Answer:
    """Return the answer; *body* is None if it could not be read."""
    is_whole = body is not None
    # An event hook that reads a cut body leaves what httpx could decompress, without an error.
    if body is not None and not response.is_success and headers.get("content-encoding"):
        try:
            strict_json.parse(body)
        except ValueError:
            is_whole = False
    return Answer(response.status_code, headers, body or b"", is_whole=is_whole)


async def _content_of(
    response: httpx.Response, headers: dict[str, str], until: float, clock: Callable[[], float]
) -> bytes:
    """Return the body of *response*, decompressed, without a byte order mark.

    httpx has no limit for the whole of an answer: one byte in each read time-out would keep it
    reading.
    """
    # A list of the pieces would take forty times the memory if the body comes byte by byte.
    received = bytearray()
    fault = None
    assert isinstance(response.stream, httpx.AsyncByteStream)
    # `aiter_raw` would close the answer before the connection can be checked.
    stream = aiter(response.stream)
    try:
        if response.is_stream_consumed:
            # An event hook of the caller's own client has read it, and httpx decompressed it.
            return response.content.removeprefix(BOM_UTF8)
        async for chunk in stream:
            received += chunk
            if len(received) > _wire.MAX_BODY:
                fault = f"an answer of more than {_wire.MAX_BODY} bytes"
            elif clock() > until:
                fault = "the answer came too slowly"
            if fault is not None:
                break
    finally:
        to_be_closed = connection_with_more(response)
        await response.aclose()
        if to_be_closed is not None:
            await to_be_closed.aclose()
    if fault is not None:
        # Reading what is closed ends the generators below this one, which trio wants to see ended.
        with suppress(Exception):
            async for _ in stream:
                pass
        raise UnreadableBodyError(fault)
    body = _wire.decompress(bytes(received), headers.get("content-encoding", ""))
    return body.removeprefix(BOM_UTF8)


def connection_with_more(response: httpx.Response) -> Any:
    """Return the connection of *response*, whose body was read, if more has arrived over it.

    Bytes after an answer belong to no request. A second answer in the same segment, as a broken
    proxy sends, would be taken for the answer to the next request over this connection.

    Returns:
        A connection of httpcore, to be closed once the answer is closed; or None.
    """
    connection: Any = response.stream
    while connection is not None and not hasattr(connection, "_h11_state"):
        # The layers of an answer's stream, in httpx and in httpcore, call the layer below them so.
        connection = (
            getattr(connection, "_stream", None)
            or getattr(connection, "_httpcore_stream", None)
            or getattr(connection, "_connection", None)
        )
    network: Any = response.extensions.get("network_stream")
    if connection is None or network is None:
        # A connection of another library, or of HTTP/2, in which each answer names its request.
        return None
    tls = network.get_extra_info("ssl_object")
    has_more = connection._h11_state.trailing_data[0] or (tls is not None and _holds_more(tls))
    return connection if has_more else None


def _holds_more(tls: ssl.SSLObject) -> bool:
    try:
        # The byte is lost, and so is the connection.
        tls.read(1)
    except ssl.SSLWantReadError:
        return False
    except ssl.SSLError:
        # The connection has ended.
        return True
    return True
