"""The address that a sandbox and all its worlds share."""

from __future__ import annotations

import asyncio
import threading

import attrs

from rmz_async.sandbox.loopback import Callers

__all__ = ("Server",)


@attrs.define(eq=False)
class Server:
    """The address of a sandbox, and the callers that it answers.

    Attributes:
        origin: The address without a path; has a port while the sandbox is served.
        serving: Is held while the sandbox is served.
        is_ending: Whether the server waits for the last answers.
        loop: The event loop of the thread that the sandbox runs in; None if it has none.
        public_url: The address that browsers have; None if it is the one that callers use.
    """

    origin: str = "http://127.0.0.1"
    callers: Callers = attrs.field(factory=Callers)
    serving: threading.Lock = attrs.field(factory=threading.Lock)
    is_ending: bool = False
    loop: asyncio.AbstractEventLoop | None = None
    public_url: str | None = None
