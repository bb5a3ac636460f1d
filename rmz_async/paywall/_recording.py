"""The record of an answer, for observers."""

from __future__ import annotations

from datetime import datetime

from rmz_async.observing import DecisionRecord
from rmz_async.paywall.access import Access


def record_of(access: Access, now: datetime) -> DecisionRecord:
    """Return what an observer gets of an answer that is handed out."""
    age = (now - access.checked_at).total_seconds()
    return DecisionRecord(
        granted=access.granted,
        reason=access.reason.value,
        source=access.source.value,
        age=max(age, 0.0),
    )
