"""The rules of an outage."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from rmz_async.paywall.access import Access, Reason

__all__ = ("OnOutage",)


class OnOutage(StrEnum):
    """The answer of a paywall if RMZ cannot be asked."""

    KEEP_KNOWN = "keep-known"
    """Users who were known to pay have access."""

    DENY = "deny"
    """No user has access whose answer is older than ``hard``."""

    ALLOW = "allow"
    """Everybody has access."""

    def without_an_answer(self, now: datetime, retry_after: int) -> Access:
        """Return the answer about a user of whom nothing is known that may be handed out.

        Args:
            now: The time; UTC.
            retry_after: Seconds after which asking again is worth it.
        """
        allowed = self is OnOutage.ALLOW
        return Access(
            granted=allowed,
            reason=Reason.OUTAGE_ALLOWED if allowed else Reason.UNAVAILABLE,
            checked_at=now,
            retry_after=retry_after,
        )
