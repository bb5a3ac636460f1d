"""RMZ in Litestar: a client as a dependency, a route for deliveries, and a guard for subscribers.

::

    app = Litestar(
        [route(receiver), premium],
        lifespan=[lifespan(receiver=receiver)],
        dependencies={"rmz": Provide(client)},
    )

    @get("/premium", guards=[requires("pro-plan", paywall=paywall, user=signed_in)])
    async def premium(request: Request) -> str:
        return request.state.access.reason
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from rmz_async._extras import extra
from rmz_async.client import Client
from rmz_async.errors import ConfigurationError
from rmz_async.integrations._bodies import PATH, AsyncReceiver, check_receiver, read_body
from rmz_async.integrations._gate import AsyncGate, AsyncPaywall, Refusal, SignedIn
from rmz_async.integrations._lifetime import check_client, lifetime
from rmz_async.paywall import Paywall
from rmz_async.webhooks import Receiver

with extra("litestar", needed_by="rmz_async.integrations.litestar"):
    from litestar import Litestar, MediaType, Request, Response, post
    from litestar.connection import ASGIConnection
    from litestar.datastructures import State
    from litestar.di import NamedDependency
    from litestar.exceptions import HTTPException, InternalServerException
    from litestar.handlers import BaseRouteHandler, HTTPRouteHandler

__all__ = ("RMZ", "client", "lifespan", "requires", "route")

RMZ = NamedDependency[Client]
"""The type of a handler's argument ``rmz`` that gets the client of the application."""

Connection = ASGIConnection[Any, Any, Any, Any]
Lifespan = Callable[[Litestar], AbstractAsyncContextManager[None]]


def lifespan(
    *,
    client: Callable[[], Client] = Client,
    receiver: Receiver | None = None,
    paywall: Paywall | None = None,
    concurrency: int = 10,
) -> Lifespan:
    """Return a lifespan that opens a client and a paywall, and runs the handlers of a receiver.

    Args:
        client: Makes the client, which is ``app.state.rmz``.
        receiver: Its handlers run in the background, and its inbox is closed at the end. None if
            another process works.
        paywall: Asks RMZ again in the background.
        concurrency: How many handlers of the receiver may run at the same time.

    Returns:
        An item for ``Litestar(lifespan=[…])``.
    """
    check_client(client)

    @asynccontextmanager
    async def running(app: Litestar) -> AsyncGenerator[None]:
        async with lifetime(client, receiver, paywall, concurrency) as rmz:
            app.state.rmz = rmz
            yield

    return running


async def client(state: State) -> Client:
    """Return the client of the application's lifespan: ``dependencies={"rmz": Provide(client)}``.

    Raises:
        ConfigurationError: The application was made without `lifespan`.
    """
    rmz = state.get("rmz")
    if not isinstance(rmz, Client):
        raise ConfigurationError(
            "the application has no client: pass lifespan=[lifespan()] when you make it"
        )
    return rmz


def route(receiver: AsyncReceiver, path: str = PATH) -> HTTPRouteHandler:
    """Return the route handler at which RMZ delivers.

    Args:
        receiver: Verifies and stores the deliveries.
        path: The path of the URL that you gave RMZ.

    Raises:
        ConfigurationError: *receiver* is not of ``rmz_async.webhooks``.
    """
    check_receiver(receiver, is_async=True)

    # RMZ can neither sign in nor send a token against forged forms: its signature takes their
    # place. The receiver refuses a long body. Your API's OpenAPI document need not mention it.
    @post(
        path,
        request_max_body_size=None,
        include_in_schema=False,
        exclude_from_auth=True,
        exclude_from_csrf=True,
    )
    async def rmz_webhook(request: Request[Any, Any, Any]) -> Response[str]:
        try:
            body = await read_body(request.stream())
        except InternalServerException:
            return _text("the body is not complete", 400)
        ack = await receiver.receive(body, request.scope["headers"])
        return _text(ack.body, ack.status)

    return rmz_webhook


def requires(
    *slugs: str,
    paywall: AsyncPaywall,
    user: Callable[[Connection], SignedIn],
    offer: Callable[[Connection], str | None] | None = None,
) -> Callable[[Connection, BaseRouteHandler], Awaitable[None]]:
    """Return a guard that lets subscribers in; ``request.state.access`` is the answer.

    :mod:`rmz_async.integrations` says what all others get.

    Args:
        slugs: The products that let in; none for all that the paywall counts.
        paywall: Answers.
        user: Returns the signed-in user, and may be async; None if nobody is signed in.
        offer: Returns the address at which the user can subscribe.

    Raises:
        ConfigurationError: A slug is empty, *paywall* is one of `rmz_sync`, or *user* is no
            function.
    """
    gate = AsyncGate(slugs, paywall, user, offer)

    async def let_in(connection: Connection, _: BaseRouteHandler) -> None:
        answer = await gate.answer(connection, connection.headers)
        if isinstance(answer, Refusal):
            # The answer would otherwise have the content type of the handler's pages.
            headers = answer.headers | {"Content-Type": MediaType.JSON.value}
            raise HTTPException(status_code=answer.status, headers=headers, extra=answer.body)
        connection.state.access = answer

    return let_in


def _text(content: str, status: int) -> Response[str]:
    return Response(content, status_code=status, media_type=MediaType.TEXT)
