"""The address that a sandbox and all its worlds share."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from contextvars import Context
from typing import Any, TypeVar

import attrs

from rmz_async.sandbox.loopback import Callers

__all__ = ("Server",)

T = TypeVar("T")


@attrs.define(eq=False)
class Server:
    """The address of a sandbox, and the callers that it answers.

    Attributes:
        origin: The address without a path; has a port while the sandbox is served.
        serving: Is held while the sandbox is served.
        is_ending: Whether the server waits for the last answers.
        loop: The event loop of the thread that the sandbox runs in; None if it has none.
        process: The process that the thread is in.
        public_url: The address that browsers have; None if it is the one that callers use.
    """

    origin: str = "http://127.0.0.1"
    callers: Callers = attrs.field(factory=Callers)
    serving: threading.Lock = attrs.field(factory=threading.Lock)
    is_ending: bool = False
    loop: asyncio.AbstractEventLoop | None = None
    process: int = attrs.field(factory=os.getpid)
    public_url: str | None = None

    def start_on(self, loop: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, T]) -> Future[T]:
        """Begin *work* in the loop that the sandbox runs in, from another thread.

        Raises:
            RuntimeError: This process is a fork of the one that the thread is in.
        """
        if self.process != os.getpid():
            work.close()
            raise RuntimeError(
                "the sandbox runs in the process that has started it, and this one is a fork of "
                "it: serve the sandbox on a port and call it there, or make another sandbox here"
            )
        # A context of its own: trio's says that trio runs here.
        return Context().run(asyncio.run_coroutine_threadsafe, work, loop)
