"""A subscription as RMZ's documentation describes it, hour by hour.

Written from the facts and not from the sandbox, and so slow and simple that it can be read beside
them: time is a number of hours, and each hour is looked at.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal

DAY = 24
MONTH = 30 * DAY
EARLY = 3 * DAY
RETRIES = (3 * DAY, 7 * DAY)
CREDITED_AFTER = 7 * DAY


@dataclass(frozen=True)
class Plan:
    """The price of a period, and how many hours it lasts."""

    name: int
    price: Decimal
    hours: int


@dataclass
class Charge:
    """Money that was paid."""

    at: int
    amount: Decimal
    is_refunded: bool = False
    is_credited: bool = False


@dataclass
class Model:
    """A subscription.

    Attributes:
        card: ``pays``, ``declines``, ``second`` for one that needs a second attempt, or ``none``.
        plan: The plan of the current period; `price` is what it costs this customer.
        declined: How often the card was declined since it last paid.
        grace_days: How long access goes on after the first failed charge.
        events: The events so far, without ``subscription.``.
    """

    card: str
    plan: Plan
    price: Decimal
    now: int = 0
    status: str = "active"
    start: int = 0
    end: int = MONTH
    grace_days: int = 7
    is_ending: bool = False
    has_paid: bool = True
    next_plan: Plan | None = None
    banked_days: int = 0
    declined: int = 0
    failed_at: int = 0
    failures: int = 0
    retry_at: int | None = None
    extended_at: int = -1
    charges: list[Charge] = field(default_factory=list)
    events: list[str] = field(default_factory=list)

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
        for charge in self.charges:
            if self.now - charge.at >= CREDITED_AFTER and not charge.is_refunded:
                charge.is_credited = True
        if self.status not in ("trialing", "active", "past_due"):
            return
        if self.is_ending or self.card == "none":
            if self.now >= self.end:
                self.expire()
            return
        if self.status == "past_due":
            if self.retry_at is not None and self.now >= self.retry_at:
                self.renew()
        elif self.now >= (self.end if self.status == "trialing" else self.end - EARLY):
            self.renew()
        if self.status == "past_due" and self.now - self.failed_at >= self.grace_days * DAY:
            self.expire()

    def pay(self, amount: Decimal) -> bool:
        """Charge the card."""
        if self.card == "pays" or (self.card == "second" and self.declined):
            self.declined = 0
            self.charges.append(Charge(self.now, amount))
            return True
        self.declined += 1
        return False

    def renew(self) -> None:
        """Attempt to charge the card for the next period."""
        plan = self.next_plan or self.plan
        price = self.price if self.next_plan is None else plan.price
        if self.pay(price):
            self.events.append("renewed" if self.has_paid else "activated")
            self.plan, self.price, self.next_plan = plan, price, None
            self.start, self.end = self.end, self.end + plan.hours
            self.status, self.has_paid = "active", True
            self.failures, self.retry_at = 0, None
            return
        if self.status != "past_due":
            self.status, self.failed_at, self.failures = "past_due", self.now, 0
            self.events.append("past_due")
        self.failures += 1
        planned = [self.failed_at + after for after in RETRIES[self.failures - 1 :]]
        self.retry_at = next((moment for moment in planned if moment > self.now), None)
        self.events.append("renewal_failed")

    def expire(self) -> None:
        """End it for good."""
        self.status = "expired"
        self.events.append("expired")

    def cancel(self, *, immediately: bool) -> bool:
        """Cancel it; return whether that was possible."""
        if self.status in ("canceled", "expired") or (self.is_ending and not immediately):
            return False
        if immediately:
            self.status, self.is_ending, self.retry_at = "canceled", False, None
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
        self.events.append("resumed")
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

    def change_plan(self, plan: Plan) -> bool:
        """Begin a dearer plan now, less what is left of the period; let any other wait."""
        if self.status not in ("trialing", "active") or self.is_ending:
            return False
        if plan == (self.next_plan or self.plan):
            return False
        if self.status == "trialing" or plan.price <= self.price:
            self.next_plan = None if plan == self.plan else plan
        else:
            left = min(max(self.end - self.now, 0), self.end - self.start)
            unused = self.price * left / max(1, self.end - self.start)
            credit = unused.quantize(Decimal("0.01"), ROUND_HALF_UP)
            if not self.pay(plan.price - credit):
                return False
            self.plan, self.price, self.next_plan = plan, plan.price, None
            self.start, self.end = self.now, self.now + plan.hours
        self.events.append("updated")
        return True

    def refund(self) -> bool:
        """Give the latest payment back, once."""
        if not self.charges or self.charges[-1].is_refunded:
            return False
        self.charges[-1].is_refunded = True
        return True
