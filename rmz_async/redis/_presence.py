"""The sign by which Redis knows that a process lives."""

from __future__ import annotations

import os
import threading
import uuid
from contextlib import suppress
from typing import Any

from rmz_async.redis._link import Link

__all__ = ("Presence",)


class Presence:
    """A channel of Redis to which this process listens until it ends.

    The channel carries no messages. The kernel closes the connection of a process that is killed,
    and the server counts one listener less, a moment later.

    Args:
        link: The server.
        prefix: The beginning of the channel's name.
    """

    def __init__(self, link: Link, prefix: str) -> None:
        self._link = link
        self._prefix = prefix
        self._pid: int = os.getpid()
        self._channel: str = ""
        self._listener: Any = None
        self._lock: threading.Lock = threading.Lock()

    @property
    def channel(self) -> str:
        """The name of the channel; empty while this process does not listen."""
        if self._pid != os.getpid():
            # After a fork, the connection is the parent's, and another thread may have the lock.
            self._pid, self._lock = os.getpid(), threading.Lock()
            self._channel, self._listener = "", None
        return self._channel

    def open(self, within: float) -> None:
        """Begin to listen, if the server allows it and no other thread begins just now.

        Args:
            within: Seconds that the server may take.
        """
        if self.channel or not self._lock.acquire(blocking=False):
            return
        try:
            channel = f"{self._prefix}{uuid.uuid4().hex}"
            # A user of Redis may have no right to listen: a lease ends by its time then.
            with suppress(Exception):
                self._listener = self._link.listen(channel, within)
                self._channel = channel
        finally:
            self._lock.release()

    def close(self, channel: str | None = None) -> None:
        """Listen no more; `open` begins again.

        Args:
            channel: The channel that is meant; None for whichever it is.
        """
        if channel in (None, self._channel):
            listener, self._listener, self._channel = self._listener, None, ""
            if listener is not None:
                listener.close()
