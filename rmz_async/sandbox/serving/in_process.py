"""A client that talks to the sandbox without a socket."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
from starlette.types import ASGIApp

from rmz_async.sandbox.lifecycle.clock import Clock

if TYPE_CHECKING:
    from rmz_async import Client

__all__ = ("connect",)


def connect(
    app: ASGIApp, clock: Clock, options: dict[str, Any]
) -> tuple[Client, httpx.AsyncClient]:
    """Return a client over *app*, and the connections that it uses but does not close.

    Args:
        app: The sandbox.
        clock: The client's time: if the client waits, the clock moves.
        options: The options of the client.
    """
    # The sandbox must be importable, and usable over HTTP, without the client.
    from rmz_async import Client
    from rmz_async._calls.clock import Clock as ClientClock

    http = httpx.AsyncClient(transport=httpx.ASGITransport(app))
    time = ClientClock(clock=lambda: clock.now().timestamp(), today=clock.now, sleep=clock.sleep)
    return Client(http=http, _clock=time, **options), http
