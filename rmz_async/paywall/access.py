"""The answer of a paywall: does this user have access, why, and until when."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import attrs

from rmz_async._frozen import frozen
from rmz_async.models import Subscription, SubscriptionProduct, Variant
from rmz_async.paywall.policy import Policy

__all__ = ("Access", "Grant", "Reason", "Source")


class Reason(StrEnum):
    """The reason for which a user has access or not; later versions may add members."""

    ACTIVE = "active"
    """The subscription is active."""

    TRIALING = "trialing"
    """The subscription is in its trial."""

    GRACE = "grace"
    """A payment failed and is being retried; the customer keeps access meanwhile."""

    PAID_TIME = "paid_time"
    """The subscription is paused or canceled, and the policy honours the time that was paid for."""

    NO_SUBSCRIPTION = "no_subscription"
    """The user has no subscription."""

    OTHER_PRODUCT = "other_product"
    """The user subscribes to other products only."""

    TRIAL_EXCLUDED = "trial_excluded"
    """The subscription is in its trial, and the policy does not count trials."""

    PAUSED = "paused"
    """The subscription is paused."""

    CANCELED = "canceled"
    """The subscription was canceled."""

    PERIOD_ENDED = "period_ended"
    """The period that was paid for is over, and nothing renews it."""

    GRACE_ENDED = "grace_ended"
    """A payment failed, and the grace of the policy is over."""

    EXPIRED = "expired"
    """The subscription has expired."""

    UNKNOWN_STATUS = "unknown_status"
    """RMZ sent a status that this version does not know."""

    UNREADABLE = "unreadable"
    """A subscription would grant access, and its product cannot be read."""

    TOO_MANY = "too_many"
    """RMZ returned as many subscriptions as fit into one answer, and none of them grants access."""

    UNAVAILABLE = "unavailable"
    """RMZ cannot be asked, and what is known is too old."""

    OUTAGE_ALLOWED = "outage_allowed"
    """RMZ cannot be asked, and ``on_outage="allow"`` lets everybody in meanwhile."""

    @property
    def certain(self) -> bool:
        """Whether the reason is a fact about the user, and not about what could be learnt."""
        return self not in _UNCERTAIN


_UNCERTAIN = frozenset(
    {Reason.UNREADABLE, Reason.TOO_MANY, Reason.UNAVAILABLE, Reason.OUTAGE_ALLOWED}
)


class Source(StrEnum):
    """The source of an answer."""

    API = "api"
    """RMZ was asked for this very answer."""

    CACHE = "cache"
    """RMZ was asked a short time ago."""

    STALE = "stale"
    """RMZ was asked longer ago, and is being asked again in the background."""

    WEBHOOK = "webhook"
    """RMZ was asked because a webhook said that something had changed."""

    SNAPSHOT = "snapshot"
    """An earlier process learnt it."""


@frozen(kw_only=True)
class Grant:
    """A subscription that lets a user in."""

    reason: Reason
    """The reason for which the subscription lets the user in."""

    until: datetime | None = None
    """The moment until which the subscription lets the user in; UTC. None if no end is known."""

    subscription: Subscription = attrs.field(repr=False)
    """The subscription."""

    @property
    def product(self) -> SubscriptionProduct | None:
        """The product, with ``id``, ``slug`` and ``name``; None if it cannot be read."""
        return self.subscription.product

    @property
    def variant(self) -> Variant | None:
        """The variant of the product; None if it cannot be read."""
        return self.subscription.variant


# A paywall remembers one for each payer, and slots take half of the memory of a dictionary.
@frozen(kw_only=True, slots=True, weakref_slot=False)
class Access:
    """Whether a user has access.

    ``if access:`` is the same as ``if access.granted:``. An answer that is not granted and not
    ``certain`` is no refusal: the paywall cannot say, so answer 503 and not 402.
    """

    granted: bool
    """Whether the user has access."""

    reason: Reason
    """The reason for the answer; ``text`` says it to the customer."""

    until: datetime | None = None
    """The moment until which the answer is true; UTC. None if no end is known."""

    subscription: Subscription | None = attrs.field(default=None, repr=False)
    """The subscription that decided; None if the user has none."""

    checked_at: datetime
    """When RMZ was asked; UTC."""

    source: Source = Source.API
    """How the answer was learnt."""

    retry_after: int | None = None
    """Seconds after which asking again is worth it; None if the answer is certain."""

    others: tuple[Subscription, ...] = attrs.field(default=(), repr=False, eq=False)
    """The user's other subscriptions, whether they grant access or not."""

    complete: bool = attrs.field(default=True, repr=False)
    """Whether the user is known to have no more subscriptions than these."""

    policy: Policy | None = attrs.field(default=None, repr=False, eq=False)
    """The rules by which the answer was decided; None if it was not decided by rules."""

    @property
    def subscriptions(self) -> tuple[Subscription, ...]:
        """The known subscriptions of the user; `subscription`, which decided, is the first."""
        return self.others if self.subscription is None else (self.subscription, *self.others)

    @property
    def grants(self) -> tuple[Grant, ...]:
        """The subscriptions that let the user in when RMZ was asked; the longest is the first.

        Each ends at its own ``until``. To guard a product, ask the paywall for it by name:
        ``paywall.check(user, "pro-plan")`` looks again before it refuses.
        """
        from rmz_async.paywall.decisions import grants_of

        return grants_of(self)

    @property
    def certain(self) -> bool:
        """Whether the answer is a fact about the user; a grant or a refusal if so."""
        return self.reason.certain

    def text(self, language: str = "en") -> str:
        """Return the reason as a sentence for the customer.

        The product's name stands between invisible marks of Unicode (isolates), because it may be
        written in another direction than the sentence.

        Args:
            language: ``en`` or ``ar``, also as a part of a longer tag such as ``ar-SA``; English
                for each other language.

        Returns:
            Plain text; escape it before it goes into HTML.

        Raises:
            MissingExtraError: ``rmz[paywall]`` is not installed.
        """
        from rmz_async.paywall import wording

        return wording.text(self, language)

    def __bool__(self) -> bool:
        return self.granted
