"""Say to open pages that something has changed: server-sent events."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

import anyio
from starlette.requests import Request
from starlette.responses import StreamingResponse

__all__ = ("Live",)

_LOOK_EVERY = 0.25
# A browser opens the next stream by itself, and a stream without a reader ends.
_LOOKS = 240


class Live:
    """Answers ``GET /live``.

    Args:
        version: Returns a value that differs whenever the pages would differ.
        sleep: Waits for so many seconds.
    """

    def __init__(
        self,
        version: Callable[[], object],
        sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
    ) -> None:
        self._version = version
        self._sleep = sleep

    async def stream(self, _: Request) -> StreamingResponse:
        """Return a stream that sends ``change`` after each change."""
        return StreamingResponse(
            self._changes(),
            media_type="text/event-stream",
            headers={"Cache-Control": "no-store"},
        )

    async def _changes(self) -> AsyncIterator[str]:
        shown = self._version()
        yield "retry: 500\n\n"
        for _ in range(_LOOKS):
            await self._sleep(_LOOK_EVERY)
            current = self._version()
            if current != shown:
                shown = current
                yield "event: change\ndata: \n\n"
