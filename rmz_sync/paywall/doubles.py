"""A paywall for tests of code that cannot await: its answers are set by hand."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from rmz_async.models import SubscriptionStatus
from rmz_async.observing import Observer
from rmz_async.paywall import Lifetimes, OnOutage, Policy
from rmz_async.paywall import PaywallDouble as AsyncDouble
from rmz_sync._portal import Portal
from rmz_sync.paywall.paywall import Paywall

__all__ = ("PaywallDouble",)


class PaywallDouble(Paywall):
    """A `Paywall` whose users are granted and denied by hand.

    All rules of the real one hold: lifetimes, outages, policy. Its clock stands still. Close it
    with ``with`` or ``close()``.

    Args:
        product_ids: As for `Paywall`.
        policy: As for `Paywall`.
        lifetimes: As for `Paywall`.
        on_outage: As for `Paywall`.
        now: The time of its clock, aware; the present if left out.
        observer: As for `Paywall`.
    """

    def __init__(
        self,
        *,
        product_ids: Iterable[int] | None = None,
        policy: Policy | None = None,
        lifetimes: Lifetimes | None = None,
        on_outage: OnOutage | str = OnOutage.KEEP_KNOWN,
        now: datetime | None = None,
        observer: Observer | None = None,
    ) -> None:
        self._double = AsyncDouble(
            product_ids=product_ids,
            policy=policy,
            lifetimes=lifetimes,
            on_outage=on_outage,
            now=now,
            observer=observer,
        )
        self._client = None
        self._is_closed = False
        self._use(self._double, Portal(_nothing))

    def grant(
        self,
        user: str,
        *,
        until: datetime | None = None,
        product_id: int | None = None,
        slug: str | None = None,
        also: bool = False,
    ) -> None:
        """Give a user an active subscription, which does not renew itself.

        Args:
            user: The user.
            until: When it ends; 30 days from the double's time if left out.
            product_id: Its product; the first of the policy if left out.
            slug: The product's name in addresses.
            also: Whether the user keeps all other subscriptions.

        Raises:
            ConfigurationError: *until* has no time zone.
        """
        self._double.grant(user, until=until, product_id=product_id, slug=slug, also=also)

    def deny(
        self,
        user: str,
        status: SubscriptionStatus | str = SubscriptionStatus.EXPIRED,
        *,
        slug: str | None = None,
    ) -> None:
        """Take access away from a user.

        Args:
            user: The user.
            status: The status of the subscription that remains.
            slug: The product that is taken away; all if left out.
        """
        self._double.deny(user, status, slug=slug)

    def outage(self, on: bool = True) -> None:
        """Let RMZ be out of reach, or within reach again."""
        self._double.outage(on)

    def as_of(self, moment: datetime) -> None:
        """Set the clock.

        Args:
            moment: An aware time, not before the present one of the double.

        Raises:
            ConfigurationError: The time has no zone, or the clock would go back.
        """
        self._double.as_of(moment)

    def close(self) -> None:
        """End the double and its thread; calling it again does nothing."""
        if not self._is_closed:
            super().close()
            self._is_closed = True
            self._portal.close()


async def _nothing() -> None:
    return None
