"""Deliveries as RMZ sends them to two webhooks, and some that RMZ has not signed; from a seed."""

from __future__ import annotations

from random import Random
from typing import Any

import attrs

from rmz_async.webhooks import EventType, sample, sign, verify

SECRETS = ("S3CRETcanary-of-the-first-webhook", "S3CRETcanary-of-the-second-webhook")
WRONG = "S3CRETcanary-of-somebody-else...."
ORDERS = (EventType.ORDER_CREATED, EventType.ORDER_STATUS_CHANGED)


@attrs.frozen
class Sent:
    """A request to the receiver.

    Attributes:
        body: The raw body.
        signature: The value of its header; None if the header is missing.
        key: The event's dedupe key; None if RMZ has not signed the body.
    """

    body: bytes = attrs.field(repr=False)
    signature: str | None
    key: str | None

    @property
    def headers(self) -> dict[str, str]:
        """The headers of the request."""
        return {} if self.signature is None else {"Signature": self.signature}


def genuine(chance: Random, number: int) -> tuple[Sent, Sent]:
    """Return an event as each of the two webhooks gets it."""
    kind = chance.choice(list(EventType))
    if kind in ORDERS:
        values: dict[str, Any] = {"id": number, "status": {"id": number, "status": 4}}
        # The text that says how long ago the order was made differs between the two.
        first = sample(kind, **values, human_date="1 second ago")
        second = sample(kind, **values, human_date="2 seconds ago")
    else:
        first = second = sample(kind, event_id=f"event-{number}", id=chance.randrange(1, 10_000))
    return _signed(first, SECRETS[0]), _signed(second, SECRETS[1])


def forged(chance: Random, number: int) -> Sent:
    """Return a delivery that must be refused."""
    body = sample(EventType.SUBSCRIPTION_RENEWED, event_id=f"forged-{number}")
    other = sample(EventType.SUBSCRIPTION_RENEWED, event_id=f"other-{number}")
    signature = chance.choice(
        [
            sign(body, WRONG),
            sign(other, SECRETS[0]),
            sign(body, SECRETS[0])[:-1],
            sign(body + b"\n", SECRETS[1]),
            "",
            None,
        ]
    )
    return Sent(body, signature, None)


def crowd(seed: int, count: int) -> list[Sent]:
    """Return *count* deliveries, shuffled: a tenth come twice or oftener, a twentieth are forged.

    Half of the duplicates are the other webhook's, and half are repeats.
    """
    chance = Random(seed)
    forgeries, duplicates = count // 20, count // 10
    pairs = [genuine(chance, number) for number in range(count - forgeries - duplicates)]
    sent = [first for first, _ in pairs]
    sent += [chance.choice(pairs)[number % 2] for number in range(duplicates)]
    sent += [forged(chance, number) for number in range(forgeries)]
    chance.shuffle(sent)
    return sent


def _signed(body: bytes, secret: str) -> Sent:
    signature = sign(body, secret)
    event = verify(body, {"Signature": signature}, secrets=[secret])
    return Sent(body, signature, event.dedupe_key)
