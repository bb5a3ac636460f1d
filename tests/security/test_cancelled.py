"""A call that is cancelled: the token was on its way, and is in nothing that can be seen of it."""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from rmz_async import Client
from tests.security.canary_plugin import chain
from tests.transports import TRANSPORTS
from tests.wire.conftest import Server

CANARY = "S3CRETcanary0123456789"
# Not among the variables of a frame: those of the test are looked through too.
TOKENS = (f"1|{CANARY}",)
CALLS: dict[str, Callable[[Client], Awaitable[object]]] = {
    "get": lambda rmz: rmz.subscriptions.get(1),
    "extend": lambda rmz: rmz.subscriptions.extend(1, days=7),
}


class Held:
    """A server that answers nothing before the client hangs up."""

    def __init__(self) -> None:
        self.arrived = asyncio.Event()
        self._loop = asyncio.get_running_loop()

    def __call__(self, connection: Any, _: bytes) -> None:
        """Report that the request has arrived, and wait."""
        self._loop.call_soon_threadsafe(self.arrived.set)
        connection.recv(1)


@pytest.mark.asyncio
@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("http", TRANSPORTS)
async def test_a_cancelled_call(http: Any, name: str, caplog: pytest.LogCaptureFixture) -> None:
    """The variables of all frames that a cancellation passed do not show the token."""
    caplog.set_level(logging.DEBUG)
    held = Held()
    server = Server([held])
    try:
        async with Client(TOKENS[0], base_url=server.base_url, http=http) as rmz:
            work = (
                rmz.subscriptions.get(1) if name == "get" else rmz.subscriptions.extend(1, days=7)
            )
            call = asyncio.ensure_future(work)
            await held.arrived.wait()
            call.cancel()
            try:
                await call
            except asyncio.CancelledError as error:
                shown = [
                    line
                    for one in chain(error)
                    for line in traceback.TracebackException(
                        type(one), one, one.__traceback__, capture_locals=True
                    ).format()
                ]
            else:
                pytest.fail("it was not cancelled")
    finally:
        server.stop()
    assert any("in _exchange" in line for line in shown), "it was cancelled while it was sent"
    assert CANARY not in "".join(shown)
    assert CANARY not in caplog.text
    assert CANARY in str(server.requests[0]), "it was sent"
