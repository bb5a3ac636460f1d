"""The event loop of a client's thread: Python can exit while it waits for a name to be resolved."""

from __future__ import annotations

import asyncio
import selectors
import socket
import sys
import threading
import time
from concurrent.futures import Future
from contextlib import suppress
from importlib import import_module
from typing import Any

if sys.platform == "win32":  # pragma: no cover - the other branch runs here
    _Loop = asyncio.ProactorEventLoop
else:
    _Loop = asyncio.SelectorEventLoop


library: Any = threading.local()
"""The thread-local of sniffio, which names the library of this thread's event loop. anyio and
httpcore read it before the context, which would name trio if the caller runs on trio."""
with suppress(ImportError):
    library = import_module("sniffio").thread_local


class PortalLoop(_Loop):
    """An event loop that resolves names in daemon threads, and whose clock no test can freeze.

    asyncio resolves names in threads that Python waits for at its exit, and a resolver that does
    not answer can take half a minute.
    """

    # Libraries that freeze the clock replace names of modules, and no attributes of classes.
    _monotonic = staticmethod(time.monotonic)

    def time(self) -> float:
        """Return seconds; a wait on a frozen clock would never end, and its caller would hang."""
        return self._monotonic()

    async def getaddrinfo(
        self,
        host: bytes | str | None,
        port: bytes | str | int | None,
        *,
        family: int = 0,
        type: int = 0,  # noqa: A002 - its name in asyncio
        proto: int = 0,
        flags: int = 0,
    ) -> list[Any]:
        """Return what ``socket.getaddrinfo`` returns."""
        found: Future[list[Any]] = Future()
        # Otherwise a cancelled caller could cancel the future, and `set_result` would raise.
        found.set_running_or_notify_cancel()

        def resolve() -> None:
            try:
                addresses = socket.getaddrinfo(host, port, family, type, proto, flags)
            except BaseException as error:  # noqa: BLE001 - it is for the task that waits
                found.set_exception(error)
            else:
                found.set_result(list(addresses))

        try:
            threading.Thread(target=resolve, name="rmz-sync-resolver", daemon=True).start()
        except RuntimeError as error:
            # An OSError counts as not sent. Python is exiting, or has too many threads.
            raise OSError(f"the name cannot be resolved: {error}") from error
        return await asyncio.wrap_future(found)


def new_loop() -> asyncio.AbstractEventLoop:
    """Return a new event loop.

    Raises:
        OSError: Too few file descriptors are free.
    """
    # If a loop cannot open its selector or its sockets, Python frees a loop that is half made, and
    # prints a warning.
    with selectors.DefaultSelector():
        for end in socket.socketpair():
            end.close()
    return PortalLoop()
