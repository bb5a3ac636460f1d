"""A server whose applications can cut the connection."""

from __future__ import annotations

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
            await app(scope, receive, send)

        self.app = with_abort
