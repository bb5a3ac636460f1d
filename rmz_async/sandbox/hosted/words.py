"""Strings that the pages choose between, in English; the catalogues translate each."""

from __future__ import annotations

from rmz_async.sandbox.store.cards import CardBehaviour

__all__ = ("BEHAVIOURS", "DECLINED", "EXPIRED_CARD", "WRONG_FIELDS")


def _(message: str) -> str:
    """Mark *message* for the catalogues."""
    return message


WRONG_FIELDS = _("Please check the marked fields.")
DECLINED = _("The bank declined the payment. Nothing was charged; use another card.")
EXPIRED_CARD = _("This card has expired. Nothing was charged; use another card.")

BEHAVIOURS = {
    CardBehaviour.PAYS: _("Pays"),
    CardBehaviour.DECLINES: _("Is declined"),
    CardBehaviour.EXPIRED: _("Has expired"),
    CardBehaviour.FAILS_AT_RENEWAL: _("Pays now, fails at renewals"),
    CardBehaviour.SECOND_ATTEMPT: _("Pays at the second attempt"),
    CardBehaviour.CHALLENGE: _("Asks for approval (3-D Secure)"),
}
