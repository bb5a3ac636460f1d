"""The events of each subscription, as a picture needs them."""

from __future__ import annotations

from datetime import datetime

import attrs

__all__ = ("Happening",)


@attrs.frozen(kw_only=True)
class Happening:
    """An event of a subscription, and how the subscription was afterwards.

    Attributes:
        event: Such as ``subscription.renewed``.
        at: UTC.
        period_start: The start of the period that was current then, UTC.
        period_end: The end of that period, UTC.
    """

    event: str
    at: datetime
    status: str
    period_start: datetime
    period_end: datetime
