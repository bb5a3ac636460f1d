"""Calls under ``/store``."""

from __future__ import annotations

from datetime import datetime, timedelta

from rmz_async.sandbox.endpoints.front_door import Call
from rmz_async.sandbox.shapes.store import profile_row, statistics
from rmz_async.sandbox.wire.answers import Answer

__all__ = ("StoreCalls",)

_KEPT_FOR = timedelta(minutes=3)


class StoreCalls:
    """Read the store itself and its statistics."""

    def __init__(self) -> None:
        self._counted: dict[str, object] = {}
        self._counted_at: datetime | None = None

    def get(self, call: Call) -> Answer:
        """Answer ``GET /store``."""
        return Answer(profile_row(call.store.profile, call.now))

    def statistics(self, call: Call) -> Answer:
        """Answer ``GET /store/statics``, which RMZ counts again every three minutes."""
        if self._counted_at is None or call.now >= self._counted_at + _KEPT_FOR:
            self._counted = statistics(call.store)
            self._counted_at = call.now
        return Answer(self._counted)
