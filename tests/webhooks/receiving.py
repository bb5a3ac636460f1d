"""Deliveries that RMZ has signed, for the tests of the receiver."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from functools import partial
from typing import Any, cast

import rmz_sync
from rmz_async.webhooks import Ack, Event, EventType, Inbox, Receiver, sample, sign
from rmz_async.webhooks.inbox.sqlite import SQLiteInbox
from tests.webhooks.storages import Time

SECRET = "S3CRETcanary-of-28-letters.."


async def deliver(receiver: Receiver, body: bytes) -> Ack:
    """Deliver a body that RMZ has signed."""
    return await receiver.receive(body, {"Signature": sign(body, SECRET)})


async def deliver_events(receiver: Receiver, *event_ids: str, subscription: int = 501) -> None:
    """Deliver renewals of a subscription, each of which must be stored."""
    for event_id in event_ids:
        body = sample(EventType.SUBSCRIPTION_RENEWED, event_id=event_id, id=subscription)
        assert await deliver(receiver, body) == Ack(200, "stored")


def fill_inbox(address: str, *, failure: str) -> None:
    """Leave an event that was applied, one that failed, and one that cannot be read."""
    receiver = rmz_sync.webhooks.Receiver(secrets=[SECRET], inbox=address, max_attempts=1)

    @receiver.on("subscription.*", name="renew")
    def renew(event: Event) -> None:
        if event.dedupe_key == "bad":
            raise LookupError(failure)

    bodies = [sample(EventType.SUBSCRIPTION_RENEWED, event_id=key) for key in ("good", "bad")]
    for body in (*bodies, b"[]"):
        receiver.receive(body, {"Signature": sign(body, SECRET)})
    receiver.drain()
    receiver.close()


class Unreliable:
    """An inbox some of whose methods fail the first time that they are called.

    Attributes:
        broken: The names of the methods that are still to fail.
        wakes: The functions that wake those who listen.
        has_stopped: Whether somebody has ceased to listen.
    """

    def __init__(self, inbox: Inbox, *broken: str) -> None:
        self._inbox = inbox
        self.broken = list(broken)
        self.wakes: list[Callable[[], None]] = []
        self.has_stopped = False

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inbox, name)
        return partial(self._fail_once, name) if name in self.broken else found

    def listen(self, wake: Callable[[], None]) -> Callable[[], None]:
        """Keep *wake* for the test."""
        if "listen" in self.broken:
            self.broken.remove("listen")
            self._fail()
        self.wakes.append(wake)
        return self._stop

    def _stop(self) -> None:
        self.has_stopped = True

    def _fail_once(self, name: str, *_: object, **__: object) -> None:
        self.broken.remove(name)
        self._fail()

    @staticmethod
    def _fail(*arguments: object, **options: object) -> None:
        raise sqlite3.OperationalError("disk I/O error")


def unreliable(address: str, time: Time, *broken: str) -> tuple[Receiver, Unreliable]:
    """Return a receiver, and its inbox some of whose methods fail once."""
    path = address.removeprefix("sqlite:///")
    inbox = Unreliable(SQLiteInbox(path, _clock=time.clock()), *broken)
    receiver = Receiver(
        secrets=[SECRET], inbox=cast("Inbox", inbox), max_attempts=3, _clock=time.clock()
    )
    return receiver, inbox
