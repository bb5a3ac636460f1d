"""Cards that customers pay with, and what becomes of a charge."""

from __future__ import annotations

from enum import StrEnum

import attrs

__all__ = ("TEST_CARDS", "Card", "CardBehaviour", "TestCard")


class CardBehaviour(StrEnum):
    """The behaviour of a card when it is charged."""

    PAYS = "pays"
    DECLINES = "declines"
    EXPIRED = "expired"
    FAILS_AT_RENEWAL = "fails_at_renewal"
    """The first charge succeeds, and every renewal is declined."""
    SECOND_ATTEMPT = "second_attempt"
    """The first attempt at each charge is declined, and the next attempt succeeds."""
    CHALLENGE = "challenge"
    """The customer has to confirm the first charge with the bank; renewals succeed."""


@attrs.define(kw_only=True)
class Card:
    """A saved card: what RMZ shows of it, and what it does when it is charged.

    Attributes:
        declined: How many attempts at the current charge were declined.
    """

    last_four: str
    scheme: str
    behaviour: CardBehaviour = CardBehaviour.PAYS
    declined: int = 0

    def charge(self, *, renewal: bool) -> bool:
        """Charge the card once, and return whether the money was paid.

        Args:
            renewal: Whether this is a charge that the customer did not start.
        """
        paid = self.behaviour in (CardBehaviour.PAYS, CardBehaviour.CHALLENGE) or (
            self.behaviour is CardBehaviour.FAILS_AT_RENEWAL and not renewal
        )
        if self.behaviour is CardBehaviour.SECOND_ATTEMPT:
            paid = self.declined > 0
        self.declined = 0 if paid else self.declined + 1
        return paid


@attrs.frozen(kw_only=True)
class TestCard:
    """A number for the card forms, and what it stands for."""

    # pytest would take the name for a class of tests.
    __test__ = False

    number: str
    scheme: str
    behaviour: CardBehaviour

    def saved(self) -> Card:
        """Return the card as it is kept after it was entered."""
        return Card(last_four=self.number[-4:], scheme=self.scheme, behaviour=self.behaviour)


TEST_CARDS = (
    TestCard(number="4242424242424242", scheme="visa", behaviour=CardBehaviour.PAYS),
    TestCard(number="5555555555554444", scheme="mastercard", behaviour=CardBehaviour.PAYS),
    TestCard(number="4464040000000007", scheme="mada", behaviour=CardBehaviour.PAYS),
    TestCard(number="4000000000000002", scheme="visa", behaviour=CardBehaviour.DECLINES),
    TestCard(number="4000000000000069", scheme="visa", behaviour=CardBehaviour.EXPIRED),
    TestCard(number="4000000000000341", scheme="visa", behaviour=CardBehaviour.FAILS_AT_RENEWAL),
    TestCard(number="4000000000000119", scheme="visa", behaviour=CardBehaviour.SECOND_ATTEMPT),
    TestCard(number="4000000000003220", scheme="visa", behaviour=CardBehaviour.CHALLENGE),
)
"""Every number that a card form of the sandbox takes."""
