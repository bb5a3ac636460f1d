"""New orders: their lines, and their results."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, TypeAlias

import attrs

from rmz_async._frozen import frozen
from rmz_async.models._model import Model, model

__all__ = ("CompletedOrder", "CreatedOrder", "DuplicateOrder", "OrderLine", "PendingOrder")


@frozen(kw_only=True)
class OrderLine:
    """A line of an order that is to be made."""

    product: int | str
    """The product's id if it is an integer, its slug if it is a string."""

    quantity: int = 1
    """1 or more; 1 for what is subscribed to."""

    # A dictionary cannot be hashed, and a line should be.
    options: Mapping[str, Any] | None = attrs.field(default=None, hash=False)
    """The options that the customer chose of the product's fields, by name."""

    notice: str | None = attrs.field(default=None, repr=False)
    """A note of at most 800 characters; an empty one is left out."""

    plan: int | None = None
    """The id of the variant, for what is subscribed to."""


@model(kw_only=True)
class PendingOrder(Model):
    """An order to be paid: send the customer to ``checkout_url``. No order exists before."""

    checkout_id: int
    """Positive integer."""

    checkout_url: str = attrs.field(repr=False)
    """The page on which the customer pays."""

    amount: Decimal | None = None
    """Exact, in the store's currency."""

    status: str | None = None
    """``pending_payment``."""


@model(kw_only=True)
class CompletedOrder(Model):
    """An order that cost nothing and is complete."""

    order_id: int
    """Read the order with ``orders.get``."""

    amount: Decimal | None = None
    """0."""

    status: str | None = None
    """``completed``."""


@model(kw_only=True)
class DuplicateOrder(Model):
    """RMZ has made this very order within the last 5 minutes, and makes no other.

    A retry after a lost answer brings it too. The address of the checkout may not come back: a
    customer who must pay and lost it can order again after 5 minutes.
    """

    duplicate: bool
    """True."""

    checkout_id: int | None = None
    """The checkout that waits for its customer, or None."""

    order_id: int | None = None
    """The order if it is complete, or None."""

    checkout_url: str | None = attrs.field(default=None, repr=False)
    """None if RMZ does not send it."""

    amount: Decimal | None = None
    """None if RMZ does not send it."""

    status: str | None = None
    """None if RMZ does not send it."""


CreatedOrder: TypeAlias = PendingOrder | CompletedOrder | DuplicateOrder
"""The result of ``orders.create``: find out which with ``match`` or ``isinstance``."""
