"""Strings that the pages choose between, in English; the catalogues translate each."""

from __future__ import annotations

from rmz_async.sandbox.store.cards import CardBehaviour
from rmz_async.sandbox.store.orders import OrderStatus
from rmz_async.sandbox.store.state import Status

__all__ = (
    "BEHAVIOURS",
    "DECLINED",
    "EXPIRED_CARD",
    "IMPOSSIBLE",
    "ORDER_STATUSES",
    "STATUSES",
    "WRONG_CODE",
    "WRONG_FIELDS",
    "_",
)


def _(message: str) -> str:
    """Mark *message* for the catalogues."""
    return message


WRONG_FIELDS = _("Please check the marked fields.")
DECLINED = _("The bank declined the payment. Nothing was charged; use another card.")
EXPIRED_CARD = _("This card has expired. Nothing was charged; use another card.")
WRONG_CODE = _("This code is wrong. Five wrong codes lock the visit.")
IMPOSSIBLE = _("The subscription has changed meanwhile. Nothing was done; look at it again.")

STATUSES = {
    Status.TRIALING: _("On trial"),
    Status.ACTIVE: _("Active"),
    Status.PAST_DUE: _("Payment overdue"),
    Status.PAUSED: _("Paused"),
    Status.CANCELED: _("Canceled"),
    Status.EXPIRED: _("Ended"),
}
ORDER_STATUSES = {
    OrderStatus.AWAITING_PAYMENT: _("Awaiting payment"),
    OrderStatus.UNDER_REVIEW: _("Under review"),
    OrderStatus.IN_PROGRESS: _("In progress"),
    OrderStatus.COMPLETED: _("Completed"),
    OrderStatus.CANCELLED: _("Cancelled"),
    OrderStatus.REFUNDED: _("Refunded"),
}
BEHAVIOURS = {
    CardBehaviour.PAYS: _("Pays"),
    CardBehaviour.DECLINES: _("Is declined"),
    CardBehaviour.EXPIRED: _("Has expired"),
    CardBehaviour.FAILS_AT_RENEWAL: _("Pays now, fails at renewals"),
    CardBehaviour.SECOND_ATTEMPT: _("Pays at the second attempt"),
    CardBehaviour.CHALLENGE: _("Asks for approval (3-D Secure)"),
}
