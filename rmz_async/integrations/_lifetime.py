"""The life of an application: what is open, and what works in the background."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import cast

from rmz_async.client import Client
from rmz_async.errors import ConfigurationError
from rmz_async.paywall import Paywall
from rmz_async.webhooks import Receiver


def check_client(client: Callable[[], Client]) -> None:
    """Make sure that *client* can make a client.

    Raises:
        ConfigurationError: *client* is something else, such as the client itself.
    """
    if not callable(cast("object", client)):
        raise ConfigurationError(
            "client: must be a function that returns the client, such as lambda: rmz"
        )


@asynccontextmanager
async def lifetime(
    client: Callable[[], Client],
    receiver: Receiver | None,
    paywall: Paywall | None,
    concurrency: int,
) -> AsyncGenerator[Client]:
    """Open a client and a paywall, run the handlers of a receiver, and close all at the end."""
    async with AsyncExitStack() as stack:
        rmz = await stack.enter_async_context(client())
        if paywall is not None:
            await stack.enter_async_context(paywall)
        if receiver is not None:
            stack.push_async_callback(receiver.aclose)
            await stack.enter_async_context(receiver.working(concurrency=concurrency))
        yield rmz
