"""The events that RMZ delivers, one class for each."""

from collections.abc import Coroutine, Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, overload

import attrs

from rmz_async.errors import OutcomeUnknownError
from rmz_async.models._model import Model, model
from rmz_async.models.orders import Order
from rmz_async.models.subscriptions import Subscription, SubscriptionSnapshot

if TYPE_CHECKING:
    from rmz_async.client import Client

__all__ = (
    "AnyEvent",
    "BlockingClient",
    "Event",
    "EventType",
    "OrderCreated",
    "OrderEvent",
    "OrderStatusChanged",
    "SubscriptionActivated",
    "SubscriptionCanceled",
    "SubscriptionCreated",
    "SubscriptionEvent",
    "SubscriptionExpired",
    "SubscriptionPastDue",
    "SubscriptionPaused",
    "SubscriptionRenewalFailed",
    "SubscriptionRenewed",
    "SubscriptionResumed",
    "SubscriptionUnpaused",
    "SubscriptionUpdated",
    "UnknownEvent",
)


class EventType(StrEnum):
    """The names of all documented events."""

    ORDER_CREATED = "order.created"
    ORDER_STATUS_CHANGED = "order.status.changed"
    SUBSCRIPTION_CREATED = "subscription.created"
    SUBSCRIPTION_ACTIVATED = "subscription.activated"
    SUBSCRIPTION_RENEWED = "subscription.renewed"
    SUBSCRIPTION_RENEWAL_FAILED = "subscription.renewal_failed"
    SUBSCRIPTION_PAST_DUE = "subscription.past_due"
    SUBSCRIPTION_EXPIRED = "subscription.expired"
    SUBSCRIPTION_CANCELED = "subscription.canceled"
    SUBSCRIPTION_PAUSED = "subscription.paused"
    SUBSCRIPTION_UNPAUSED = "subscription.unpaused"
    SUBSCRIPTION_RESUMED = "subscription.resumed"
    SUBSCRIPTION_UPDATED = "subscription.updated"


class BlockingClient(Protocol):
    """The client of ``rmz_sync``, as far as an event needs to know it."""

    def close(self) -> None:
        """Close the connections."""
        ...

    def resolve(self, error: OutcomeUnknownError) -> Any:
        """Find out what became of a call."""
        ...


@model(kw_only=True)
class Event(Model):
    """An event, as it was delivered.

    Every webhook gets every event, more than once and in any order: handle each ``dedupe_key``
    once, and expect events that you do not know.

    Source: https://docs.rmz.gg/webhooks/payload-format
    """

    event: EventType | str
    """The event's name; a plain string if this version does not know it."""

    dedupe_key: str
    """The same in each delivery of one event, for all events: the ``event_id``, or the order's id
    and the id of its status record, or a digest of the body. At most 500 characters, all of which
    a database stores: a digest stands for an ``event_id`` that is longer or has others.
    """

    event_id: str | None = None
    """The same in each delivery of one event; None for events about orders."""

    data: Mapping[str, Any] = attrs.field(repr=False)
    """The event's content as plain data; numbers with a fraction are ``Decimal``. Hidden in
    ``repr``, because an order may hold the codes that were sold.
    """

    request_id: str | None = None
    """The delivery's number. RMZ does not sign it, so it is good for a log only."""

    secret_index: int | None = None
    """The position of the secret that fitted, in the *secrets* given to ``verify``; None for an
    unsigned delivery. If several shops deliver to one address, only the secret shows which shop
    sent the event.
    """

    is_reconciled: bool = False
    """Whether no delivery brought the event: `Receiver.reconcile` found a change that no event had
    announced. RMZ's own event may still come, late, with another ``dedupe_key``.
    """

    subscription: SubscriptionSnapshot | None = None
    """For events about subscriptions: its state when the event happened."""

    order: Order | None = None
    """For events about orders: its state when the event happened."""


@model(kw_only=True)
class SubscriptionEvent(Event):
    """An event about a subscription.

    Deliveries may be late and out of order: read the subscription itself before granting access.
    """

    subscription: SubscriptionSnapshot  # pyright: ignore[reportGeneralTypeIssues] # always there
    """The subscription as it was when the event happened."""

    @overload
    def refresh(self, client: "Client") -> Coroutine[Any, Any, Subscription]: ...

    @overload
    def refresh(self, client: BlockingClient) -> Subscription: ...

    def refresh(self, client: Any) -> Any:
        """Read the subscription as it is now, which the event cannot know.

        Args:
            client: A client of ``rmz_async``, whose result is awaited, or of ``rmz_sync``.

        Returns:
            The `Subscription`.

        Raises:
            RMZError: As ``subscriptions.get`` does.
        """
        return client.subscriptions.get(self.subscription.id)


@model(kw_only=True)
class OrderEvent(Event):
    """An event about an order."""

    order: Order  # pyright: ignore[reportGeneralTypeIssues] # always there
    """The order as it was when the event happened."""

    @overload
    def refresh(self, client: "Client") -> Coroutine[Any, Any, Order]: ...

    @overload
    def refresh(self, client: BlockingClient) -> Order: ...

    def refresh(self, client: Any) -> Any:
        """Read the order as it is now, which the event cannot know.

        Args:
            client: A client of ``rmz_async``, whose result is awaited, or of ``rmz_sync``.

        Returns:
            The `Order`.

        Raises:
            RMZError: As ``orders.get`` does.
        """
        return client.orders.get(self.order.id)


@model(kw_only=True)
class UnknownEvent(Event):
    """An event that this version does not know, or whose content cannot be read.

    RMZ signed it. Answer it with success, because RMZ switches a webhook off that fails too often.
    """

    fault: str | None = None
    """Why the content of a known event cannot be read, without its values; None if this version
    does not know the event.
    """


# The classes below add no field, and need no decorator, which would compile methods for each class.


class SubscriptionCreated(SubscriptionEvent):
    """``subscription.created``: a customer subscribed, perhaps with a trial."""


class SubscriptionActivated(SubscriptionEvent):
    """``subscription.activated``: a trial ended, and the first payment succeeded."""


class SubscriptionRenewed(SubscriptionEvent):
    """``subscription.renewed``: a payment succeeded, and a new period began."""


class SubscriptionRenewalFailed(SubscriptionEvent):
    """``subscription.renewal_failed``: a payment failed, and RMZ retries it."""


class SubscriptionPastDue(SubscriptionEvent):
    """``subscription.past_due``: a payment failed; access continues while RMZ retries it."""


class SubscriptionExpired(SubscriptionEvent):
    """``subscription.expired``: the subscription is over for good."""


class SubscriptionCanceled(SubscriptionEvent):
    """``subscription.canceled``: canceled now, or at the end of the period.

    At the end of the period: ``status`` is still ``active``, and ``auto_renew`` is False.
    """


class SubscriptionPaused(SubscriptionEvent):
    """``subscription.paused``: the remaining days are kept, and access is suspended."""


class SubscriptionUnpaused(SubscriptionEvent):
    """``subscription.unpaused``: a period of the remaining days began."""


class SubscriptionResumed(SubscriptionEvent):
    """``subscription.resumed``: a cancellation was withdrawn."""


class SubscriptionUpdated(SubscriptionEvent):
    """``subscription.updated``: the plan or the end of the period changed."""


class OrderCreated(OrderEvent):
    """``order.created``: a customer ordered."""


class OrderStatusChanged(OrderEvent):
    """``order.status.changed``: the order has a new ``current_status``."""


AnyEvent: TypeAlias = (
    OrderCreated
    | OrderStatusChanged
    | SubscriptionCreated
    | SubscriptionActivated
    | SubscriptionRenewed
    | SubscriptionRenewalFailed
    | SubscriptionPastDue
    | SubscriptionExpired
    | SubscriptionCanceled
    | SubscriptionPaused
    | SubscriptionUnpaused
    | SubscriptionResumed
    | SubscriptionUpdated
    | UnknownEvent
)
"""Any event that ``verify`` returns: a type checker sees whether a ``match`` covers them all."""
