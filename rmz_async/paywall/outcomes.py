"""The outcomes of a purchase, after the customer came back from the checkout."""

from __future__ import annotations

from typing import Literal, TypeAlias

import attrs

from rmz_async._frozen import frozen
from rmz_async.models import Subscription
from rmz_async.paywall.access import Access

__all__ = ("Confirmation", "Confirmed", "NotFound", "NotYet", "SomeoneElses")


@frozen(kw_only=True)
class Confirmed:
    """The user has paid, and has access."""

    access: Access
    """The answer, which the paywall remembers."""

    subscription: Subscription = attrs.field(repr=False)
    """The subscription that was bought."""

    def __bool__(self) -> bool:
        return True


@frozen(kw_only=True)
class NotYet:
    """RMZ does not show the payment yet, or cannot be asked: wait, and confirm again."""

    retry_after: int
    """Seconds to wait."""

    def __bool__(self) -> bool:
        return False


@frozen
class SomeoneElses:
    """The subscription, or the link, belongs to another user."""

    def __bool__(self) -> bool:
        return False


@frozen(kw_only=True)
class NotFound:
    """The query leads to no subscription that lets the user in."""

    reason: Literal[
        "no_id",
        "no_subscription",
        "other_product",
        "other_plan",
        "over",
        "link_expired",
        "link_altered",
    ]
    """``no_id``: the query has no usable ``rmz-subscription-id``. ``no_subscription``: RMZ has none
    with that id. ``other_product``: another product was bought. ``other_plan``: the subscription is
    to another plan than the one that `Paywall.start` was called with. ``over``: the subscription
    does not grant access any more. ``link_expired`` and ``link_altered``: the address is older than
    `Paywall.start` allows, or was not made by it.
    """

    def __bool__(self) -> bool:
        return False


Confirmation: TypeAlias = Confirmed | NotYet | SomeoneElses | NotFound
"""The outcomes of `Paywall.confirm`; only `Confirmed` is true in ``if``."""
