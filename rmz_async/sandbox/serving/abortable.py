"""A server whose applications can cut the connection."""

from __future__ import annotations

import asyncio
from typing import Any

from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from rmz_async.sandbox.faults.requests import ABORT

__all__ = ("AbortableProtocol",)


class AbortableProtocol(H11Protocol):
    """Says in each request's scope how to cut its connection."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        app = self.app

        async def with_abort(scope: Scope, receive: Receive, send: Send) -> None:
            scope[ABORT] = self.transport.abort
            try:
                await app(scope, receive, send)
            except asyncio.CancelledError:
                # Only a server that ends cancels a request, and would print a traceback for it.
                self.transport.abort()
                await asyncio.sleep(0)

        self.app = with_abort
