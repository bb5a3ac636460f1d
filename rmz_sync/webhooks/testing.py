"""A kit for your own tests, for code that cannot await.

The names are those of ``rmz_async.webhooks.testing``, and `deliver` blocks.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress

from rmz_async.webhooks._playing import Delivered, InboxDouble, Killed, Play, Point
from rmz_async.webhooks.events import EventType
from rmz_async.webhooks.samples import sample
from rmz_async.webhooks.signature import sign
from rmz_sync.webhooks.receiver import Receiver

__all__ = ("Delivered", "InboxDouble", "deliver", "sample", "sign")


def deliver(
    receiver: Receiver,
    events: Iterable[bytes | EventType],
    *,
    secret: str,
    duplicates: float = 0.0,
    shuffle: int | None = None,
    kill_after: Point | None = None,
) -> Delivered:
    """Deliver events to a receiver, and run its handlers to their end.

    Args:
        receiver: The receiver, with its handlers.
        events: Bodies, or types of which a sample is made.
        secret: Signs the bodies; one of the receiver's.
        duplicates: The part of them that is delivered twice, 0 to 1.
        shuffle: The seed of another order; None keeps the order. The seed also chooses which are
            delivered twice.
        kill_after: The point at which the process dies, once: ``stored``, before RMZ has its
            answer, so that RMZ delivers again; ``claimed``, before the handler runs; ``effect``,
            after the handler has run and before that is noted. The receiver's inbox must be an
            `InboxDouble`.

    Returns:
        The record of the deliveries.

    Raises:
        ConfigurationError: *kill_after* is of no known kind, or the inbox is another one.
    """
    play = Play(receiver.inbox, events, duplicates, shuffle, kill_after)
    for body in play.queue:
        headers = {"Signature": sign(body, secret)}
        # RMZ delivers again what was not stored, and what was not answered.
        while play.noted(receiver.receive(body, headers)):
            pass
        _work(receiver)
        # Coverage on 3.11 loses a frame in which an event loop has run to its end.
        while play.another_process_takes_over():  # pragma: no cover - see above
            _work(receiver)
    return play.delivered  # pragma: no cover - see above


def _work(receiver: Receiver) -> None:
    with suppress(Killed):
        receiver.drain()
