"""What is ordered, and what comes of it."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, TypeAlias

import attrs

from rmz_async.models._model import Model, model

__all__ = ("CompletedOrder", "CreatedOrder", "DuplicateOrder", "OrderLine", "PendingOrder")


@attrs.frozen(kw_only=True)
class OrderLine:
    """One line of an order that is to be made.

    Attributes:
        product: The product's id where it is an integer, its slug where it is a text.
        quantity: 1 or more; 1 for what is subscribed to.
        options: What the customer chose of the product's fields, by name.
        notice: A note of at most 800 characters; an empty one is left out.
        plan: The id of the variant, for what is subscribed to.
    """

    product: int | str
    quantity: int = 1
    # A dictionary cannot be hashed, and a line should be.
    options: Mapping[str, Any] | None = attrs.field(default=None, hash=False)
    notice: str | None = attrs.field(default=None, repr=False)
    plan: int | None = None


@model
class PendingOrder(Model):
    """It is to be paid: send the customer to ``checkout_url``. There is no order before that.

    Attributes:
        checkout_id: Positive integer.
        checkout_url: The page on which the customer pays.
        amount: Exact, in the store's currency.
        status: ``pending_payment``.
    """

    checkout_id: int
    checkout_url: str = attrs.field(repr=False)
    amount: Decimal | None = None
    status: str | None = None


@model
class CompletedOrder(Model):
    """It cost nothing and is complete.

    Attributes:
        order_id: Read the order with ``orders.get``.
        amount: 0.
        status: ``completed``.
    """

    order_id: int
    amount: Decimal | None = None
    status: str | None = None


@model
class DuplicateOrder(Model):
    """RMZ has made this very order within the last 5 minutes, and makes no other.

    It is also what a repeat brings after an answer that was lost. The address of the checkout may
    not come back: a customer who must pay and lost it can order again after 5 minutes.

    Attributes:
        duplicate: True.
        checkout_id: The checkout that waits for its customer, or None.
        order_id: The order where it is complete, or None.
        checkout_url: None where RMZ does not send it.
        amount: None where RMZ does not send it.
        status: None where RMZ does not send it.
    """

    duplicate: bool
    checkout_id: int | None = None
    order_id: int | None = None
    checkout_url: str | None = attrs.field(default=None, repr=False)
    amount: Decimal | None = None
    status: str | None = None


CreatedOrder: TypeAlias = PendingOrder | CompletedOrder | DuplicateOrder
"""What ``orders.create`` returns: find out which with ``match`` or ``isinstance``."""
