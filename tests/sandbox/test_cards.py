from __future__ import annotations

import pytest

from rmz_async.sandbox import TEST_CARDS, Card, CardBehaviour


def card(behaviour: CardBehaviour) -> Card:
    """A saved card that behaves as named."""
    return next(one.saved() for one in TEST_CARDS if one.behaviour is behaviour)


@pytest.mark.parametrize(
    ("behaviour", "at_first", "at_renewals"),
    [
        (CardBehaviour.PAYS, [True], [True, True]),
        (CardBehaviour.CHALLENGE, [True], [True, True]),
        (CardBehaviour.DECLINES, [False, False], [False]),
        (CardBehaviour.EXPIRED, [False, False], [False]),
        (CardBehaviour.FAILS_AT_RENEWAL, [True], [False, False, False]),
        (CardBehaviour.SECOND_ATTEMPT, [False, True], [False, True]),
    ],
)
def test_a_card_does_what_its_behaviour_says(
    behaviour: CardBehaviour, at_first: list[bool], at_renewals: list[bool]
) -> None:
    """The attempts at the first charge come before those at the renewals."""
    paying = card(behaviour)
    paid: list[bool] = []
    for renewal in (*[False] * len(at_first), *[True] * len(at_renewals)):
        charge = paying.charge(renewal=renewal)
        paid.append(charge.paid)
        paying = charge.card

    assert paid == at_first + at_renewals


@pytest.mark.parametrize("number", [one.number for one in TEST_CARDS])
def test_a_test_number_has_a_valid_check_digit(number: str) -> None:
    """A form that checks the digits before it sends them takes the number."""
    doubled = [int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(number))]

    assert sum(sum(divmod(value, 10)) for value in doubled) % 10 == 0
