"""The records of answers, for observers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime

from rmz_async.observing import DecisionRecord, Observer, Work, guarded
from rmz_async.paywall.access import Access

__all__ = ("Recording",)


class Recording:
    """Reports answers to an observer.

    Args:
        observer: The observer; None for none.
        today: Returns the time; UTC.
    """

    def __init__(self, observer: Observer | None, today: Callable[[], datetime]) -> None:
        self._observer = guarded(observer)
        self._today = today

    async def observed(self, call: str, answer: Awaitable[Access]) -> Access:
        """Return *answer*, and report it with the name of the call."""
        if self._observer is None:
            return await answer
        with self._observer.around(Work.DECISION, call):
            access = await answer
            self.report(access)
        return access

    def report(self, access: Access) -> None:
        """Report an answer."""
        if self._observer is not None:
            self._observer.on_decision(_record_of(access, self._today()))


def _record_of(access: Access, now: datetime) -> DecisionRecord:
    age = (now - access.checked_at).total_seconds()
    return DecisionRecord(
        granted=access.granted,
        reason=access.reason.value,
        source=access.source.value,
        age=max(age, 0.0),
    )
