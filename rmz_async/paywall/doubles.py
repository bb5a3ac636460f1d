"""A paywall for tests: it asks no RMZ, and its answers are set by hand."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from rmz_async.errors import ConfigurationError
from rmz_async.models import Subscription, SubscriptionProduct, SubscriptionStatus
from rmz_async.observing import Observer
from rmz_async.paywall._on_outage import OnOutage
from rmz_async.paywall.lifetimes import Lifetimes
from rmz_async.paywall.paywall import Paywall
from rmz_async.paywall.policy import Policy

if TYPE_CHECKING:
    from rmz_async.paywall._double_lookups import DoubleLookups

__all__ = ("PaywallDouble",)


class PaywallDouble(Paywall):
    """A `Paywall` whose users are granted and denied by hand.

    All rules of the real one hold: lifetimes, outages, policy. Its clock stands still.

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
        # Imported here, as in `Paywall`: a program without a paywall starts faster.
        from rmz_async.paywall._double_lookups import DoubleLookups
        from rmz_async.paywall._product_answers import ProductAnswers

        if policy is None:
            policy = Policy(product_ids=product_ids)
        self._made = 0
        self.rmz: DoubleLookups = DoubleLookups(datetime.now(UTC) if now is None else now)
        self._use(
            ProductAnswers(
                self.rmz,
                policy=policy,
                lifetimes=Lifetimes() if lifetimes is None else lifetimes,
                on_outage=on_outage,
                capacity=100_000,
                keep_subscriptions=True,
                snapshot=None,
                shared=None,
                observer=observer,
            )
        )

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
        if until is not None and until.tzinfo is None:
            raise ConfigurationError("until: must be an aware time, for example datetime.now(UTC)")
        products = self._answers.policy.product_ids
        if product_id is None:
            product_id = min(products) if products else 1
        end = (until or self.rmz.now + timedelta(days=30)).astimezone(UTC)
        product = SubscriptionProduct(id=product_id, slug=slug)
        others = self.rmz.known.get(user, ()) if also else ()
        self._set(user, SubscriptionStatus.ACTIVE, end, product, others)

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
        product = SubscriptionProduct(id=min(self._answers.policy.product_ids or {1}), slug=slug)
        others: tuple[Subscription, ...] = ()
        if slug is not None:
            known = self.rmz.known.get(user, ())
            others = tuple(
                each for each in known if each.product is None or each.product.slug != slug
            )
        self._set(user, status, self.rmz.now, product, others)

    def outage(self, on: bool = True) -> None:
        """Let RMZ be out of reach, or within reach again."""
        self.rmz.is_out = on

    def as_of(self, moment: datetime) -> None:
        """Set the clock.

        Args:
            moment: An aware time, not before the present one of the double.

        Raises:
            ConfigurationError: The time has no zone, or the clock would go back.
        """
        if moment.tzinfo is None or moment < self.rmz.now:
            raise ConfigurationError("as_of: must be an aware time, and not before the last one")
        self.rmz.now = moment.astimezone(UTC)

    def _set(
        self,
        user: str,
        status: SubscriptionStatus | str,
        end: datetime,
        product: SubscriptionProduct,
        others: tuple[Subscription, ...],
    ) -> None:
        self._made += 1
        subscription = Subscription(
            id=self._made,
            status=status,
            external_customer_id=user,
            current_period_end=end,
            auto_renew=False,
            product=product,
        )
        self.rmz.known[user] = (*others, subscription)
        self._answers.memory.forget(user)
