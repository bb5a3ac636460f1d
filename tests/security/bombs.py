"""Answers of a hostile server: little to send, much to keep; or an answer without an end."""

from __future__ import annotations

import gzip
import json
import socket
import zlib
from collections.abc import Callable
from functools import cache

from rmz_async._calls import wire as _wire
from rmz_async._decoding import strict_json as _json

Bomb = Callable[[socket.socket, bytes], None]

MIB = 1024 * 1024
FULL = _wire.MAX_BODY
"""How many bytes an answer may have, unpacked."""

VALUES = _json.MAX_VALUES
"""How many values."""

GOOD = json.dumps({"data": {"id": 501, "status": "active"}}).encode()


def head(*headers: str, status: str = "200 OK") -> bytes:
    """Return the head of an answer."""
    lines = (f"HTTP/1.1 {status}", "Content-Type: application/json", "Connection: close", *headers)
    return "".join(f"{line}\r\n" for line in lines).encode()


def whole(make: Callable[[], bytes], *headers: str, status: str = "200 OK") -> Bomb:
    """Answer with a body that has an end."""

    def answer(connection: socket.socket, _: bytes) -> None:
        body = make()
        length = f"Content-Length: {len(body)}"
        connection.sendall(head(length, *headers, status=status) + b"\r\n" + body)

    return answer


def endless(beginning: bytes, piece: bytes) -> Bomb:
    """Answer with *piece* again and again, until the client hangs up."""

    def answer(connection: socket.socket, _: bytes) -> None:
        connection.sendall(beginning)
        pieces = piece * (65_536 // len(piece) + 1)
        while True:
            connection.sendall(pieces)

    return answer


def dripping(beginning: bytes) -> Bomb:
    """Answer with a byte whenever the client has been silent for a moment."""

    def answer(connection: socket.socket, _: bytes) -> None:
        connection.sendall(beginning)
        connection.settimeout(0.02)
        while True:
            connection.sendall(b" ")
            try:
                if connection.recv(1) == b"":
                    return
            except TimeoutError:
                continue

    return answer


@cache
def zeros(layers: int) -> bytes:
    """Return 190 MB of nothing, packed *layers* times."""
    packer = zlib.compressobj(9, wbits=31)
    body = b"".join([*(packer.compress(bytes(MIB)) for _ in range(181)), packer.flush()])
    for _ in range(layers - 1):
        body = gzip.compress(body)
    return body


def listed(piece: bytes) -> bytes:
    """Return a list of as many pieces as are counted one less than too many."""
    each = sum(map(piece.count, (b",", b"[", b"{")))
    return b'{"data":[' + piece * ((VALUES - 9) // each) + b"1]}"


def crumbs(number: int) -> Bomb:
    """Answer with a good body, and spaces behind it, in chunks of two bytes."""

    def answer(connection: socket.socket, request: bytes) -> None:
        connection.sendall(CHUNKED + b"%x\r\n%s\r\n" % (len(GOOD), GOOD))
        for _ in range(100):
            connection.sendall(b"2\r\n  \r\n" * (number // 100))
        connection.sendall(b"0\r\n\r\n")

    return answer


def filled(beginning: bytes, piece: bytes, end: bytes) -> bytes:
    """Return a body that is as large as it may be."""
    return beginning + piece * ((FULL - len(beginning) - len(end)) // len(piece)) + end


def packed(make: Callable[[], bytes]) -> Bomb:
    """Answer with a body that is small on its way."""
    return whole(cache(lambda: gzip.compress(make())), "Content-Encoding: gzip")


GZIP = "Content-Encoding: gzip"
CHUNKED = head("Transfer-Encoding: chunked") + b"\r\n"
WITH_AN_END: dict[str, Bomb] = {
    "gzip of 190 MB": whole(lambda: zeros(1), GZIP),
    "gzip of gzip": whole(lambda: zeros(2), GZIP),
    "gzip of gzip, as said": whole(lambda: zeros(2), "Content-Encoding: gzip, gzip"),
    "gzip, said forty times": whole(lambda: zeros(2), "Content-Encoding: " + "gzip," * 39 + "gzip"),
    "deflate": whole(lambda: zeros(2), "Content-Encoding: deflate"),
    "a length that is a lie": whole(lambda: GOOD, "Content-Length: 999999999999999"),
    "a byte too many": whole(lambda: b" " * (FULL + 1)),
    "full of brackets": packed(lambda: b"[" * FULL),
    "full of objects in objects": packed(lambda: filled(b"", b'{"a":', b"")),
    "full of empty lists": packed(lambda: filled(b'{"data":[', b"[],", b"[]]}")),
    "full of empty objects": packed(lambda: filled(b'{"data":[', b"{},", b"{}]}")),
    "full of small objects": packed(lambda: filled(b'{"data":[', b'{"a":1},', b"{}]}")),
    "full of fractions": packed(lambda: filled(b'{"data":[', b"0.1,", b"1]}")),
    "full of numbers": packed(lambda: filled(b'{"data":[', b"999,", b"1]}")),
    "full of keys": packed(
        lambda: b'{"data":{' + b",".join(b'"%d":1' % key for key in range(FULL // 12)) + b"}}"
    ),
    "all the fractions it may have": packed(lambda: listed(b"0.1,")),
    "all the small objects it may have": packed(lambda: listed(b'{"a":1},')),
    "all the empty lists it may have": packed(lambda: listed(b"[],")),
    "all the keys it may have": packed(
        lambda: b'{"data":{' + b",".join(b'"%d":1' % key for key in range(VALUES - 9)) + b"}}"
    ),
    "full of a digit": packed(lambda: filled(b'{"data":', b"1", b"}")),
    "an integer of 5,000 digits": whole(lambda: b'{"data":' + b"1" * 5_000 + b"}"),
    "an exponent past all": whole(lambda: b'{"data":{"id":1e999999999999999999999}}'),
    "full of a wide text": packed(
        lambda: filled('{"data":"\N{DOVE OF PEACE}'.encode(), b"x", b'"}')
    ),
    "full of an Arabic text": packed(
        lambda: filled('{"data":"\N{ARABIC LETTER AIN}'.encode(), b"x", b'"}')
    ),
    "full of a text with an escape": packed(
        lambda: filled(b'{"data":"\\ud83d\\ude00', b"x", b'"}')
    ),
    "half full of a wide text": packed(
        lambda: '{"data":"\N{DOVE OF PEACE}'.encode() + b"x" * (FULL // 2 - 20) + b'"}'
    ),
    "full of escapes": packed(lambda: filled(b'{"data":"', b"\\u0000", b'"}')),
    "full of errors": whole(
        lambda: filled(b'{"message":"","errors":{"a":[', b'"x",', b'"x"]}}'), status="422 No"
    ),
    "full of a message": whole(
        lambda: filled(b'{"message":"', b"x", b'"}'), status="500 Internal Server Error"
    ),
    "full of an error page": whole(lambda: b"<" * FULL, status="502 Bad Gateway"),
}
WITHOUT_AN_END: dict[str, Bomb] = {
    "endless body": endless(head() + b"\r\n", b"x"),
    "endless gzip": endless(head(GZIP) + b"\r\n" + zeros(1)[:4_096], bytes(4_096)),
    "endless chunks": endless(CHUNKED, b"1000\r\n" + b"x" * 4_096 + b"\r\n"),
    "endless crumbs": endless(CHUNKED, b"2\r\nxx\r\n"),
    "endless chunk extension": endless(CHUNKED + b"1;", b"x"),
    "endless chunk size": endless(CHUNKED, b"0"),
    "endless trailers": endless(CHUNKED + b"1\r\nx\r\n0\r\n", b"X-Trailer: x\r\n"),
    "endless headers": endless(head(), b"X-Header: x\r\n"),
    "one endless header": endless(head() + b"X-Header: ", b"x"),
    "endless status line": endless(b"HTTP/1.1 200 ", b"x"),
    "endless interim answers": endless(b"", b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"),
    "dripping head": dripping(head() + b"X-Header: "),
    "dripping body": dripping(head("Content-Length: 9999") + b"\r\n"),
}
