"""A subscription as RMZ's documentation describes it, hour by hour.

Written from the facts and not from the sandbox, and so slow and simple that it can be read beside
them: time is a number of hours, and each hour is looked at.
"""

from __future__ import annotations

from dataclasses import dataclass, field

DAY = 24
MONTH = 30 * DAY
EARLY = 3 * DAY
RETRIES = (3 * DAY, 7 * DAY)


@dataclass
class Model:
    """A monthly subscription.

    Attributes:
        card: ``pays``, ``declines``, ``second`` for one that needs a second attempt, or ``none``.
        events: The events so far, without ``subscription.``.
    """

    card: str
    now: int = 0
    status: str = "active"
    start: int = 0
    end: int = MONTH
    is_ending: bool = False
    has_paid: bool = True
    banked_days: int = 0
    failed_at: int = 0
    failures: int = 0
    attempted_at: int = -1
    extended_at: int = -1
    events: list[str] = field(default_factory=list)

    @classmethod
    def trial(cls, card: str, days: int) -> Model:
        """Return one that has not been paid yet."""
        return cls(card, status="trialing", end=days * DAY, has_paid=False)

    def pass_hours(self, hours: int) -> None:
        """Let time pass, one hour after the other.

        An overdue change, because somebody has just resumed or unpaused it, happens first.
        """
        self.look()
        for _ in range(hours):
            self.now += 1
            self.look()

    def look(self) -> None:
        """Do what is due at this hour."""
        if self.status not in ("trialing", "active", "past_due"):
            return
        if self.is_ending or self.card == "none":
            if self.now >= self.end:
                self.expire()
        elif self.status == "past_due":
            if self.now - self.failed_at in RETRIES and self.attempted_at != self.now:
                self.charge()
        elif self.now >= (self.end if self.status == "trialing" else self.end - EARLY):
            self.charge()

    def charge(self) -> None:
        """Attempt to charge the card."""
        self.attempted_at = self.now
        if self.card == "pays" or (self.card == "second" and self.failures % 2 == 1):
            self.events.append("renewed" if self.has_paid else "activated")
            self.start, self.end = self.end, self.end + MONTH
            self.status, self.has_paid, self.failures = "active", True, 0
            return
        if self.status != "past_due":
            self.status, self.failed_at, self.failures = "past_due", self.now, 0
            self.events.append("past_due")
        self.failures += 1
        self.events.append("renewal_failed")
        if self.failures == 3:
            self.expire()

    def expire(self) -> None:
        """End it for good."""
        self.status = "expired"
        self.events.append("expired")

    def cancel(self, *, immediately: bool) -> bool:
        """Cancel it; return whether that was possible."""
        if self.status in ("canceled", "expired") or (self.is_ending and not immediately):
            return False
        if immediately:
            self.status, self.is_ending = "canceled", False
        else:
            self.is_ending = True
        self.events.append("canceled")
        return True

    def resume(self) -> bool:
        """Take a cancellation back, while the period lasts."""
        is_canceled = self.is_ending or self.status == "canceled"
        if not is_canceled or self.status == "expired" or self.now >= self.end:
            return False
        if self.status == "canceled":
            self.status = "trialing" if not self.has_paid else "active"
        self.is_ending = False
        return True

    def pause(self) -> bool:
        """Bank the whole days that are left."""
        if self.status != "active":
            return False
        self.status = "paused"
        self.banked_days = max(0, (self.end - self.now) // DAY)
        self.events.append("paused")
        return True

    def unpause(self) -> bool:
        """Begin a period of the banked days, at least one."""
        if self.status != "paused":
            return False
        self.status = "active"
        self.start, self.end = self.now, self.now + max(1, self.banked_days) * DAY
        self.events.append("unpaused")
        return True

    def extend(self, days: int) -> bool:
        """Move the end, once within ten seconds."""
        if self.status in ("canceled", "expired") or self.extended_at == self.now:
            return False
        self.extended_at = self.now
        self.end += days * DAY
        if self.status == "paused":
            self.banked_days += days
        self.events.append("updated")
        return True
