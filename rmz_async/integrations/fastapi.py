"""RMZ in FastAPI: a client as a dependency, and a router for deliveries.

::

    app = FastAPI(lifespan=lifespan(receiver=receiver))
    app.include_router(webhook_router(receiver))

    @app.get("/premium")
    async def premium(rmz: RMZ) -> str: ...
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends

from rmz_async.client import Client
from rmz_async.integrations._bodies import PATH, AsyncReceiver
from rmz_async.integrations.starlette import client, lifespan, webhook

__all__ = ("RMZ", "client", "lifespan", "webhook_router")

RMZ = Annotated[Client, Depends(client)]
"""The type of a path operation's argument that gets the client of the application."""


def webhook_router(receiver: AsyncReceiver, path: str = PATH) -> APIRouter:
    """Return the router for RMZ's deliveries.

    Args:
        receiver: Verifies and stores the deliveries.
        path: The path of the URL that you gave RMZ.
    """
    router = APIRouter()
    # The OpenAPI document of your API need not tell the world about it.
    router.add_route(path, webhook(receiver), methods=["POST"], include_in_schema=False)
    return router
