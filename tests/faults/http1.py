"""Just enough of HTTP/1.1 to pass requests on and to damage answers."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Mapping

import attrs

_ENDS = b"\r\n\r\n"
_OWN = ("connection", "content-length", "transfer-encoding")


@attrs.frozen
class Request:
    """A request, whole.

    Attributes:
        head: From the request line to before the empty line.
    """

    method: str
    path: str
    head: bytes
    body: bytes


@attrs.frozen
class Answer:
    """An answer, whole.

    Attributes:
        headers: Without those that frame it.
    """

    status: int
    body: bytes
    headers: Mapping[str, str] = attrs.field(factory=dict[str, str])

    def head(self, **framing: str) -> bytes:
        """Return the status line and headers, the empty line included."""
        lines = [f"HTTP/1.1 {self.status} X"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in framing.items()]
        return ("\r\n".join(lines)).encode() + _ENDS

    def whole(self) -> bytes:
        """Return all of it, as a server sends it."""
        return self.head(content_length=str(len(self.body))) + self.body


class Wire:
    """A connection of a client, from the server's side."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self._writer = writer

    async def request(self) -> Request | None:
        """Read one request; None if the client has gone."""
        try:
            head = (await self.reader.readuntil(_ENDS)).removesuffix(_ENDS)
            headers = _headers(head)
            body = await self.reader.readexactly(int(headers.get("content-length", "0")))
        except (asyncio.IncompleteReadError, OSError):
            return None
        method, path, _ = head.split(b"\r\n")[0].decode().split(" ")
        return Request(method, path, head, body)

    async def send(self, data: bytes) -> bool:
        """Send bytes; False if the client has gone."""
        # Writing to it all the same would fill the log.
        if self._writer.transport.is_closing():
            return False
        try:
            self._writer.write(data)
            await self._writer.drain()
        except OSError:
            return False
        return True

    def reset(self) -> None:
        """End it with an RST."""
        connection: socket.socket = self._writer.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._writer.transport.abort()

    def finish(self) -> None:
        """End it with a FIN, after what was sent."""
        self._writer.close()


async def forward(request: Request, port: int) -> Answer:
    """Pass *request* on to the server at *port*, and return its answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        lines = request.head.split(b"\r\n")
        kept = [line for line in lines if not line.lower().startswith(b"connection:")]
        writer.write(b"\r\n".join([*kept, b"Connection: close"]) + _ENDS + request.body)
        head, _, body = (await reader.read()).partition(_ENDS)
    finally:
        writer.close()
    headers = _headers(head)
    status = int(head.split(b" ", 2)[1])
    return Answer(status, body, {k: v for k, v in headers.items() if k not in _OWN})


def _headers(head: bytes) -> dict[str, str]:
    lines = head.decode("latin-1").split("\r\n")[1:]
    pairs = (line.partition(":") for line in lines)
    return {name.strip().lower(): value.strip() for name, _, value in pairs}
