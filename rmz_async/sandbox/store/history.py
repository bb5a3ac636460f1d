"""What happened to each subscription, as a picture needs it."""

from __future__ import annotations

from datetime import datetime

import attrs

__all__ = ("Happening",)


@attrs.frozen(kw_only=True)
class Happening:
    """One event of a subscription, and how the subscription was afterwards.

    Attributes:
        event: Such as ``subscription.renewed``.
        at: UTC.
        period_start: Of the period that was current then, UTC.
        period_end: Of the same, UTC.
    """

    event: str
    at: datetime
    status: str
    period_start: datetime
    period_end: datetime
