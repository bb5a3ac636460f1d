"""How this RMZ behaves if the documentation leaves a choice, or if servers disagree."""

from __future__ import annotations

from enum import StrEnum

import attrs

__all__ = ("ChargeAt", "Switches")


class ChargeAt(StrEnum):
    """When a renewal is charged: RMZ's guide says both."""

    THREE_DAYS_BEFORE = "three_days_before"
    PERIOD_END = "period_end"


@attrs.define(kw_only=True)
class Switches:
    """Choices that a test may change at any moment.

    Attributes:
        replica_lag: By how many seconds of the sandbox's clock reads are behind; 0 for not at all.
            Answers to changes are never behind.
        updated_at_skew: By how many seconds the clock that writes ``updated_at`` is ahead of the
            sandbox's; negative if it is behind.
        timestamp_skew: The same of the clock that writes an answer's ``timestamp``.
        charge_at: When a renewal is charged for the first time.
        past_due_is_active: Whether ``is_active`` counts a past due subscription, which has access.
        second_cancel_status: The answer to a second cancellation: 409 or 422.
    """

    replica_lag: float = 0.0
    updated_at_skew: float = 0.0
    timestamp_skew: float = 0.0
    charge_at: ChargeAt = attrs.field(default=ChargeAt.THREE_DAYS_BEFORE, converter=ChargeAt)
    past_due_is_active: bool = False
    second_cancel_status: int = 409
