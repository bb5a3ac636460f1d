"""The names and limits that all frameworks share."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterable
from typing import Protocol

from rmz_async.errors import ConfigurationError
from rmz_async.webhooks import Ack
from rmz_async.webhooks._headers import Headers
from rmz_async.webhooks._verifying import MAX_BODY

PATH = "/webhooks/rmz"
"""The path at which RMZ delivers, unless you name another one."""

READ_AT_MOST = MAX_BODY + 1
"""Bytes that are read of a body. A longer one is refused, and anybody can send one."""


class AsyncReceiver(Protocol):
    """A receiver for code that awaits: ``rmz_async.webhooks.Receiver``."""

    async def receive(self, body: bytes, headers: Headers | None) -> Ack:
        """Verify and store a delivery, and return the answer to RMZ."""
        ...


class BlockingReceiver(Protocol):
    """A receiver for code that cannot await: ``rmz_sync.webhooks.Receiver``."""

    def receive(self, body: bytes, headers: Headers | None) -> Ack:
        """Verify and store a delivery, and return the answer to RMZ."""
        ...


async def read_body(chunks: AsyncIterable[bytes]) -> bytes:
    """Return a body, or the beginning of one that is too long."""
    body = bytearray()
    async for chunk in chunks:
        body += chunk
        if len(body) >= READ_AT_MOST:
            break
    return bytes(body)


def check_receiver(receiver: object, *, is_async: bool) -> None:
    """Make sure that a framework can call the receiver.

    Raises:
        ConfigurationError: *receiver* is that of the other package, or none: each delivery would
            fail.
    """
    receive = None if isinstance(receiver, type) else getattr(receiver, "receive", None)
    if not callable(receive) or inspect.iscoroutinefunction(receive) != is_async:
        package = "rmz_async" if is_async else "rmz_sync"
        raise ConfigurationError(f"receiver: must be a Receiver of {package}.webhooks")
