"""A shop whose requests go through the proxy, and a socket to send them with."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import suppress
from urllib.parse import urlsplit

import attrs
import pytest

from tests.faults.faults import Fault, Stage
from tests.faults.proxy import Line
from tests.faults.shop import Shop, open_shop


@pytest.fixture(scope="module")
def shop() -> Iterator[Shop]:
    """A shop for all tests of a module; each makes objects of its own."""
    with open_shop() as shop:
        yield shop


@attrs.define
class Always:
    """The same fault at every chance that its kind has."""

    fault: Fault

    def on_connection(self) -> Fault | None:
        """See `Plan`."""
        return self.fault if self.fault.kind.stage is Stage.CONNECTION else None

    def on_request(self, method: str) -> Fault | None:
        """See `Plan`."""
        return self.fault if self.fault.kind.stage is Stage.REQUEST else None

    def passing(self, when: str) -> None:
        """See `Plan`."""


@attrs.frozen
class Got:
    """The answer that a client got to a request.

    Attributes:
        end: ``closed``, ``reset`` or ``refused``.
    """

    data: bytes
    end: str

    @property
    def status(self) -> int:
        """The status line's number."""
        return int(self.data.split(b" ", 2)[1])

    @property
    def head(self) -> bytes:
        """In lower case."""
        return self.data.partition(b"\r\n\r\n")[0].lower()

    @property
    def body(self) -> bytes:
        """The part of the body that came."""
        return self.data.partition(b"\r\n\r\n")[2]

    @property
    def length(self) -> int:
        """The body's length by the head; -1 if the head does not say it."""
        for line in self.head.split(b"\r\n"):
            name, _, value = line.partition(b":")
            if name == b"content-length":
                return int(value)
        return -1


Ask = Callable[[Line, str], Got]


@pytest.fixture
def ask(shop: Shop) -> Ask:
    """Send one request on a connection of its own, then say that no other comes."""

    def ask(line: Line, target: str) -> Got:
        address = urlsplit(line.base_url)
        assert address.port is not None
        method, _, path = target.partition(" ")
        request = (
            f"{method} {address.path}{path} HTTP/1.1\r\nHost: {address.netloc}\r\n"
            f"Authorization: Bearer {shop.token}\r\nContent-Length: 0\r\n\r\n"
        )
        data = b""
        try:
            with socket.create_connection(("127.0.0.1", address.port), timeout=20) as client:
                client.sendall(request.encode())
                with suppress(
                    OSError
                ):  # The socket may be reset already, and still has the bytes that came first.
                    client.shutdown(socket.SHUT_WR)
                while chunk := client.recv(65536):
                    data += chunk
        except ConnectionRefusedError:
            return Got(data, "refused")
        except TimeoutError:
            raise
        except OSError:
            return Got(data, "reset")
        return Got(data, "closed")

    return ask
