"""Calls under ``/store``."""

from __future__ import annotations

from datetime import datetime, timedelta

from rmz_async.sandbox.backend import Backend
from rmz_async.sandbox.endpoints.front_door import Call
from rmz_async.sandbox.shapes.store import profile_row, statistics
from rmz_async.sandbox.wire.answers import Answer

__all__ = ("StoreCalls",)

_KEPT_FOR = timedelta(minutes=3)


class StoreCalls:
    """Read the store itself and its statistics."""

    def __init__(self, backend: Backend) -> None:
        self._store = backend.store
        self._counted: dict[str, object] = {}
        self._counted_at: datetime | None = None

    def get(self, call: Call) -> Answer:
        """Answer ``GET /store``."""
        return Answer(profile_row(self._store.profile, call.now))

    def statistics(self, call: Call) -> Answer:
        """Answer ``GET /store/statics``, which RMZ counts anew every three minutes."""
        if self._counted_at is None or call.now >= self._counted_at + _KEPT_FOR:
            self._counted = statistics(self._store)
            self._counted_at = call.now
        return Answer(self._counted)
