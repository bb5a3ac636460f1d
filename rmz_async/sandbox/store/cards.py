"""Cards that customers pay with, and what becomes of a charge."""

from __future__ import annotations

from enum import StrEnum

import attrs

from rmz_async.sandbox.store.choices import chosen

__all__ = ("TEST_CARDS", "Card", "CardBehaviour", "Charge", "TestCard")


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


def _card_behaviour(value: object) -> CardBehaviour:
    return chosen(CardBehaviour, value, "behaviour")


@attrs.frozen(kw_only=True)
class Card:
    """A saved card: what RMZ shows of it, and what it does when it is charged.

    A subscription gets another card to change it.

    Attributes:
        declined: How many attempts at the current charge were declined.
    """

    last_four: str
    scheme: str
    behaviour: CardBehaviour = attrs.field(
        default=CardBehaviour.PAYS,
        converter=_card_behaviour,
    )
    declined: int = 0

    def charge(self, *, renewal: bool) -> Charge:
        """Charge the card once.

        Args:
            renewal: Whether this is a charge that the customer did not start.
        """
        paid = self.behaviour in (CardBehaviour.PAYS, CardBehaviour.CHALLENGE) or (
            self.behaviour is CardBehaviour.FAILS_AT_RENEWAL and not renewal
        )
        if self.behaviour is CardBehaviour.SECOND_ATTEMPT:
            paid = self.declined > 0
        declined = 0 if paid else self.declined + 1
        card = self if declined == self.declined else attrs.evolve(self, declined=declined)
        return Charge(paid, card)


@attrs.frozen
class Charge:
    """The result of a charge.

    Attributes:
        paid: Whether the money was paid.
        card: The card as it is afterwards.
    """

    paid: bool
    card: Card


@attrs.frozen(kw_only=True)
class TestCard:
    """A number for the card forms, and what it stands for."""

    # pytest would take the name for a class of tests.
    __test__ = False

    number: str
    scheme: str
    behaviour: CardBehaviour = attrs.field(converter=_card_behaviour)

    def saved(self, *, declined: int = 0) -> Card:
        """Return the card as it is kept after it was entered.

        Args:
            declined: How many attempts at this payment were declined before.
        """
        return Card(
            last_four=self.number[-4:],
            scheme=self.scheme,
            behaviour=self.behaviour,
            declined=declined,
        )


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
