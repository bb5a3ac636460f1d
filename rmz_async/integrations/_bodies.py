"""The names and limits that all frameworks share."""

from __future__ import annotations

from typing import Protocol

from rmz_async.webhooks import Ack
from rmz_async.webhooks._headers import Headers
from rmz_async.webhooks._verifying import MAX_BODY

__all__ = ("PATH", "READ_AT_MOST", "AsyncReceiver", "BlockingReceiver")

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
