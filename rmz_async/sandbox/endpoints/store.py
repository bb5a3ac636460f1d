"""Calls under ``/store``."""

from __future__ import annotations

from datetime import datetime, timedelta

from starlette.routing import Route

from rmz_async.sandbox.backend import Backend
from rmz_async.sandbox.endpoints.front_door import AdmittedCall, FrontDoor
from rmz_async.sandbox.shapes.store import profile_row, statistics
from rmz_async.sandbox.wire.answers import Success

__all__ = ("StoreCalls", "routes")

_KEPT_FOR = timedelta(minutes=3)


def routes(_: Backend, door: FrontDoor) -> list[Route]:
    """Return the paths and their handlers."""
    store = StoreCalls()
    return [
        Route("/store", door.lets_in(store.get)),
        Route("/store/statics", door.lets_in(store.statistics)),
    ]


class StoreCalls:
    """Read the store itself and its statistics."""

    def __init__(self) -> None:
        self._counted: dict[str, object] = {}
        self._counted_at: datetime | None = None

    def get(self, call: AdmittedCall) -> Success:
        """Answer ``GET /store``."""
        return Success(profile_row(call.store.profile, call.now))

    def statistics(self, call: AdmittedCall) -> Success:
        """Answer ``GET /store/statics``, which RMZ counts again every three minutes."""
        if self._counted_at is None or call.now >= self._counted_at + _KEPT_FOR:
            self._counted = statistics(call.store)
            self._counted_at = call.now
        return Success(self._counted)
