"""RMZ in Starlette: a client for the application's life, and a route for deliveries.

::

    app = Starlette(routes=[route(receiver)], lifespan=lifespan(receiver=receiver))
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from rmz_async._extras import extra
from rmz_async.client import Client
from rmz_async.errors import ConfigurationError
from rmz_async.integrations._bodies import PATH, READ_AT_MOST, AsyncReceiver
from rmz_async.integrations._lifetime import lifetime
from rmz_async.paywall import Paywall
from rmz_async.webhooks import Receiver

with extra("starlette", needed_by="rmz_async.integrations.starlette"):
    from starlette.requests import ClientDisconnect, HTTPConnection, Request
    from starlette.responses import PlainTextResponse, Response
    from starlette.routing import Route

__all__ = ("client", "lifespan", "route", "webhook")

Lifespan = Callable[[Any], AbstractAsyncContextManager[dict[str, Any]]]


def lifespan(
    *,
    client: Callable[[], Client] = Client,
    receiver: Receiver | None = None,
    paywall: Paywall | None = None,
    concurrency: int = 10,
) -> Lifespan:
    """Return a lifespan that opens a client and a paywall, and runs the handlers of a receiver.

    A lifespan of your own may enter this one: ``async with lifespan()(app) as state``.

    Args:
        client: Makes the client; `client` returns it in a request.
        receiver: Its handlers run in the background, and its inbox is closed at the end. None if
            another process works.
        paywall: Asks RMZ again in the background.
        concurrency: How many handlers of the receiver may run at the same time.

    Returns:
        The argument for ``Starlette(lifespan=…)``.
    """

    @asynccontextmanager
    async def running(_: Any) -> AsyncGenerator[dict[str, Any]]:
        async with lifetime(client, receiver, paywall, concurrency) as rmz:
            yield {"rmz": rmz}

    return running


def client(request: HTTPConnection) -> Client:
    """Return the client of the application's lifespan.

    Raises:
        ConfigurationError: The application was made without `lifespan`.
    """
    rmz = getattr(request.state, "rmz", None)
    if not isinstance(rmz, Client):
        raise ConfigurationError(
            "the application has no client: pass lifespan=lifespan() when you make it"
        )
    return rmz


def route(receiver: AsyncReceiver, path: str = PATH) -> Route:
    """Return the route at which RMZ delivers.

    Args:
        receiver: Verifies and stores the deliveries.
        path: The path of the URL that you gave RMZ.
    """
    return Route(path, webhook(receiver), methods=["POST"])


def webhook(receiver: AsyncReceiver) -> Callable[[Request], Awaitable[Response]]:
    """Return the endpoint for deliveries, for a route of your own."""

    async def rmz_webhook(request: Request) -> Response:
        try:
            body = await _body(request)
        except ClientDisconnect:
            return PlainTextResponse("the body is not complete", 400)
        ack = await receiver.receive(body, request.headers.raw)
        return PlainTextResponse(ack.body, ack.status)

    return rmz_webhook


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) >= READ_AT_MOST:
            break
    return bytes(body)
