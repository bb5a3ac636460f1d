"""Say to open pages that something has changed: server-sent events."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from zlib import crc32

import anyio
from starlette.requests import Request
from starlette.responses import StreamingResponse

from rmz_async.sandbox.backend import Backend

__all__ = ("Live", "version_of")

_LOOK_EVERY = 0.25
# A browser opens the next stream by itself, and a stream without a reader ends.
_LOOKS = 240


class Live:
    """Answers ``GET /live``.

    Args:
        version: Returns a string that differs whenever the pages would differ.
    """

    def __init__(
        self,
        version: Callable[[], str],
        sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
        is_ending: Callable[[], bool] = lambda: False,
    ) -> None:
        self._is_ending = is_ending
        self._version = version
        self._sleep = sleep

    async def stream(self, request: Request) -> StreamingResponse:
        """Return a stream that sends ``change`` after each change.

        The page says with ``?seen=`` which version it shows, so that a change is not lost that
        happens before the stream begins, or between two streams.
        """
        return StreamingResponse(
            self._changes(request.query_params.get("seen", self._version())),
            media_type="text/event-stream",
            headers={"Cache-Control": "no-store"},
        )

    async def _changes(self, shown: str) -> AsyncIterator[str]:
        yield "retry: 500\n\n"
        for _ in range(_LOOKS):
            if self._is_ending():
                return
            current = self._version()
            if current != shown:
                shown = current
                yield "event: change\ndata: \n\n"
            await self._sleep(_LOOK_EVERY)


def version_of(backend: Backend) -> str:
    """Return what differs whenever a page of the dashboard would."""
    parts = (
        backend.other_changes,
        len(backend.ledger),
        len(backend.courier.log),
        backend.requests.count,
        [(webhook.id, webhook.enabled, webhook.signed) for webhook in backend.webhooks.values()],
        [(rule.number, rule.times) for rule in backend.faults.rules],
        len(backend.faults.injected),
        backend.store.switches,
        None if backend.clock.is_running else backend.now(),
    )
    return format(crc32(repr(parts).encode()), "x")
