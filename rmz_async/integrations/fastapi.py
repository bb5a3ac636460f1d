"""RMZ in FastAPI: a client as a dependency, a router for deliveries, and a gate for subscribers.

::

    app = FastAPI(lifespan=lifespan(receiver=receiver), exception_handlers=exception_handlers())
    app.include_router(webhook_router(receiver))
    pro = requires("pro-plan", paywall=paywall, user=signed_in)

    @app.get("/premium")
    async def premium(access: Annotated[Access, Depends(pro)]) -> str: ...
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, cast

from rmz_async._extras import extra
from rmz_async.client import Client
from rmz_async.integrations._bodies import PATH, AsyncReceiver
from rmz_async.integrations._gate import AsyncPaywall, Gate, check_async_paywall, keep_private
from rmz_async.paywall import Access

with extra("fastapi", needed_by="rmz_async.integrations.fastapi"):
    from fastapi import APIRouter, Depends, HTTPException, Request, Response
    from fastapi.requests import HTTPConnection

    # Inside, as FastAPI's extra brings Starlette along.
    from rmz_async.integrations.starlette import client, exception_handlers, lifespan, webhook

__all__ = ("RMZ", "client", "exception_handlers", "lifespan", "requires", "webhook_router")

RMZ = Annotated[Client, Depends(client)]
"""The type of a path operation's argument that gets the client of the application."""


def webhook_router(receiver: AsyncReceiver, path: str = PATH) -> APIRouter:
    """Return the router for RMZ's deliveries.

    Args:
        receiver: Verifies and stores the deliveries.
        path: The path of the URL that you gave RMZ.
    """
    router = APIRouter()
    # The OpenAPI document of your API leaves the endpoint out: only RMZ calls it.
    router.add_route(path, webhook(receiver), methods=["POST"], include_in_schema=False)
    return router


def requires(
    *slugs: str,
    paywall: AsyncPaywall,
    user: Callable[..., Any],
    offer: Callable[[Request], str | None] | None = None,
) -> Callable[..., Awaitable[Access]]:
    """Return a dependency that lets subscribers in: ``Depends(requires("pro-plan", ...))``.

    :mod:`rmz_async.integrations` says what all others get.

    Args:
        slugs: The products that let in; none for all that the paywall counts.
        paywall: Answers.
        user: Your dependency that returns the signed-in user; None if nobody is signed in.
        offer: Returns the address at which the user can subscribe.

    Raises:
        ConfigurationError: A slug is empty, *paywall* is one of `rmz_sync`, or *user* is no
            function.
    """
    check_async_paywall(paywall)
    gate = Gate(slugs, user=user, offer=offer)

    # A default and not Annotated: FastAPI could not read the name of a local variable there.
    # A connection and not a request: a WebSocket is no request.
    async def let_in(
        connection: HTTPConnection, response: Response, signed_in: str | None = Depends(user)
    ) -> Access:
        access = await paywall.check(signed_in, *gate.slugs) if signed_in else None
        if access:
            keep_private(response)
            return access
        address = None if offer is None else offer(cast("Request", connection))
        refusal = gate.refusal(access, connection.headers, address)
        raise HTTPException(refusal.status, refusal.body, refusal.headers)

    return let_in
