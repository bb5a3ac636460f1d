"""Bodies are counted while they come, and clients may hang up."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ("LimitedBodies",)

# Uploads excepted, the largest body is an order with some hundred lines.
_MOST_BYTES = 1024 * 1024


class _TooLargeError(Exception):
    """More bytes came than are taken."""


class LimitedBodies:
    """Answer 413 instead of reading a body that is too large, and forget who hangs up.

    Args:
        most: In bytes.
        exceptions: The bytes that are taken at paths that begin so.
    """

    def __init__(
        self,
        app: ASGIApp,
        most: int = _MOST_BYTES,
        exceptions: Mapping[str, int] = MappingProxyType({}),
    ) -> None:
        self._app = app
        self._most = most
        self._exceptions = exceptions

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, as long as its body is small enough."""
        came = 0
        path: str = scope.get("path", "")
        larger = (most for start, most in self._exceptions.items() if path.startswith(start))
        most = max(larger, default=self._most)

        async def counted() -> Message:
            nonlocal came
            message = await receive()
            came += len(message.get("body", b""))
            if came > most:
                raise _TooLargeError
            return message

        try:
            if _announced(scope) > most:
                raise _TooLargeError
            await self._app(scope, counted, send)
        except _TooLargeError:
            body = {"message": f"The body is larger than {most} bytes."}
            # The unread rest of a body must not pass for the next request.
            refusal = JSONResponse(body, 413, {"Connection": "close"})
            await refusal(scope, receive, send)
        except ClientDisconnect:
            # No caller is left to answer, and a server would print a traceback.
            return


def _announced(scope: Scope) -> int:
    """Return how many bytes the request says that it has; 0 if it does not say so."""
    lengths = [value for name, value in scope.get("headers", ()) if name == b"content-length"]
    return max((int(value) for value in lengths if value.isdigit()), default=0)
