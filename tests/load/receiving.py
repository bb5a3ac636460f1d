"""The receiver of the proof, and its handlers, whose effects can be counted."""

from __future__ import annotations

from rmz_async.webhooks import Event, Inbox, Receiver
from tests.load.databases import AnyDatabase, add_row
from tests.load.deliveries import SECRETS

MANY = 10_000
"""Attempts, so that no event is given up however often its worker is killed."""


RECORDED = "recorded"
"""The name of the handler that records each event."""


def new_receiver(inbox: Inbox) -> Receiver:
    """Return a receiver for both webhooks, which soon attempts again what has failed."""
    return Receiver(secrets=SECRETS, inbox=inbox, max_attempts=MANY, backoff=lambda _: 0.05)


def transacting(database: AnyDatabase, inbox: Inbox) -> Receiver:
    """Return a receiver with one handler, which records each event in the inbox's transaction."""
    receiver = new_receiver(inbox)

    @receiver.on("*", name=RECORDED)
    async def recorded(event: Event) -> None:
        async with receiver.transaction(event) as connection:
            add_row(database, connection, "effects", event.dedupe_key, RECORDED)

    return receiver
