"""Bytes that are left on a connection after an answer, as TLS and the parser say."""

from __future__ import annotations

import ssl
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from rmz_async._http.body import connection_with_more


class TLS:
    """Has some bytes to read, or raises."""

    def __init__(self, *, left: bytes | Exception) -> None:
        self._left = left

    def read(self, _: int) -> bytes:
        """Return them."""
        if isinstance(self._left, Exception):
            raise self._left
        return self._left


def response_over(connection: Any, tls: TLS | None = None) -> httpx.Response:
    """An answer as httpx hands it out, so many layers above its connection."""
    network = SimpleNamespace(get_extra_info={"ssl_object": tls}.get)
    response = httpx.Response(200, extensions={"network_stream": network})
    pool_stream = SimpleNamespace(_stream=SimpleNamespace(_connection=connection))
    stream: Any = SimpleNamespace(_stream=SimpleNamespace(_httpcore_stream=pool_stream))
    response.stream = stream
    return response


def http11(left: bytes) -> Any:
    """A connection of HTTP/1.1 whose parser has so many bytes left."""
    return SimpleNamespace(_h11_state=SimpleNamespace(trailing_data=(left, False)))


def test_a_connection_whose_parser_has_bytes_left_has_more() -> None:
    """Whether or not it is one of TLS."""
    dirty = http11(b"H")
    assert connection_with_more(response_over(dirty)) is dirty
    assert connection_with_more(response_over(dirty, TLS(left=ssl.SSLWantReadError()))) is dirty


def test_a_connection_with_nothing_left_has_no_more() -> None:
    """TLS then wants to read from the network."""
    assert connection_with_more(response_over(http11(b""))) is None
    clean = response_over(http11(b""), TLS(left=ssl.SSLWantReadError()))
    assert connection_with_more(clean) is None


@pytest.mark.parametrize("left", [b"H", b"", ssl.SSLZeroReturnError(), ssl.SSLEOFError()])
def test_a_connection_whose_tls_has_something_to_say_has_more(left: bytes | Exception) -> None:
    """Be it the next record, or the end."""
    connection = http11(b"")
    assert connection_with_more(response_over(connection, TLS(left=left))) is connection


def test_a_connection_of_http_2_is_left_alone() -> None:
    """Each of its answers names its request."""
    over_http2 = SimpleNamespace(_h2_state=None)
    assert connection_with_more(response_over(over_http2, TLS(left=b"H"))) is None


def test_an_answer_of_another_transport_is_left_alone() -> None:
    """A mock's has no connection."""
    assert connection_with_more(httpx.Response(200)) is None
