"""A play of deliveries: which come when, and where a process dies."""

from __future__ import annotations

import hashlib
import random
import tempfile
from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from pathlib import Path
from typing import Literal, TypeAlias, get_args

import attrs

from rmz_async.errors import ConfigurationError, PayloadError
from rmz_async.webhooks._ack import STORED, Ack
from rmz_async.webhooks._reading import event_of
from rmz_async.webhooks.events import EventType
from rmz_async.webhooks.inbox.interface import Inbox
from rmz_async.webhooks.inbox.records import Delivery, Task
from rmz_async.webhooks.inbox.sqlite import SQLiteInbox
from rmz_async.webhooks.samples import sample

Point: TypeAlias = Literal["stored", "claimed", "effect"]
"""The point at which a process dies."""

# The statuses with which RMZ delivers again what the receiver would take.
FAILED = 500


class Killed(Exception):  # noqa: N818 - no error of anybody, but the end of a process
    """The process has died here."""


class InboxDouble(SQLiteInbox):
    """An inbox for tests, in a file of its own that is removed as it is closed.

    `deliver` lets the process that uses it die.
    """

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="rmz-inbox-")
        self._dies_after: Point | None = None
        self._claimed: dict[Task, None] = {}
        super().__init__(str(Path(self._folder.name, "inbox.db")))

    def die_after(self, point: Point | None) -> None:
        """Let the process die once, right after this point."""
        self._dies_after = point

    def recover(self) -> bool:
        """End the leases of a process that has died; return whether it had any."""
        abandoned, self._claimed = tuple(self._claimed), {}
        self.release(abandoned)
        return bool(abandoned)

    def add(self, deliveries: Sequence[Delivery], *, delay: float = 0.0) -> Sequence[int | None]:
        """Store deliveries."""
        found = super().add(deliveries, delay=delay)
        self._die_at("stored")
        return found

    def claim(
        self,
        handlers: Sequence[str],
        *,
        limit: int,
        lease: float,
        inbox_id: int | None = None,
    ) -> Sequence[Task]:
        """Claim tasks."""
        tasks = super().claim(handlers, limit=limit, lease=lease, inbox_id=inbox_id)
        self._claimed |= dict.fromkeys(tasks)
        if tasks:
            self._die_at("claimed")
        return tasks

    def done(self, tasks: Sequence[Task]) -> None:
        """Mark tasks as done."""
        self._die_at("effect")
        super().done(tasks)
        self._forget(tasks)

    def failed(self, task: Task, error: str, *, retry_after: float | None) -> None:
        """Note a failure; the next attempt need not wait, because no time passes."""
        super().failed(task, error, retry_after=None if retry_after is None else 0.0)
        self._forget([task])

    def close(self) -> None:
        """Close the file and remove it."""
        super().close()
        self._folder.cleanup()

    def _forget(self, tasks: Iterable[Task]) -> None:
        for task in tasks:
            self._claimed.pop(task, None)

    def _die_at(self, point: Point) -> None:
        if self._dies_after == point:
            self._dies_after = None
            raise Killed(f"the process died, because kill_after asked for it: {point}")


@attrs.frozen(kw_only=True)
class Delivered:
    """The record of a play.

    Attributes:
        events: How many different events were delivered.
        deliveries: How many deliveries there were, duplicates and retries included.
        seed: The seed of the order; None if the order was kept.
        kill_after: The point at which the process died; None if it lived.
    """

    events: int
    deliveries: int
    seed: int | None
    kill_after: Point | None

    def assert_once(self, effects: Iterable[Hashable]) -> None:
        """Assert that each event had its effect once.

        Args:
            effects: A list with one value for each effect, different for different events: for
                example what a handler has appended to it, or the rows of a table.

        Raises:
            AssertionError: An effect is missing, or happened twice; the message has the seed.
        """
        counts = Counter(effects)
        twice = [
            f"{effect!r} happened {count} times" for effect, count in counts.items() if count > 1
        ]
        story = f"deliver(shuffle={self.seed}, kill_after={self.kill_after!r})"
        if twice:
            raise AssertionError(
                f"{'; '.join(twice)} in {story}: commit the effect with receiver.transaction(event)"
            )
        if len(counts) != self.events:
            raise AssertionError(
                f"{self.events} events were delivered, and {len(counts)} had an effect, in {story}"
            )


class Play:
    """A play of deliveries."""

    def __init__(
        self,
        inbox: Inbox,
        events: Iterable[bytes | EventType],
        duplicates: float,
        shuffle: int | None,
        kill_after: Point | None,
    ) -> None:
        if not 0 <= duplicates <= 1:
            raise ConfigurationError(
                "duplicates: must be the part of the events that comes twice, from 0 to 1"
            )
        if kill_after is not None and kill_after not in get_args(Point):
            raise ConfigurationError("kill_after: must be stored, claimed or effect")
        self._inbox = inbox if isinstance(inbox, InboxDouble) else None
        if kill_after is not None and self._inbox is None:
            raise ConfigurationError(
                "kill_after: needs an inbox that can die: Receiver(…, inbox=InboxDouble())"
            )
        bodies = [sample(each) if isinstance(each, EventType) else each for each in events]
        chance = random.Random(shuffle or 0)  # noqa: S311 - to be repeated by its seed
        # Whole numbers, so that 10 % of 20 events are 2 with any seed.
        twice = chance.sample(bodies, round(len(bodies) * duplicates))
        self.queue = [*bodies, *twice]
        if shuffle is not None:
            chance.shuffle(self.queue)
        if self._inbox is not None:
            self._inbox.die_after(kill_after)
        self._events = len(set(map(_key_of, bodies)))
        self._count = 0
        self._seed: int | None = shuffle
        self._kill_after: Point | None = kill_after

    @property
    def delivered(self) -> Delivered:
        """The record; from now on, no process dies."""
        if self._inbox is not None:
            self._inbox.die_after(None)
        return Delivered(
            events=self._events,
            deliveries=self._count,
            seed=self._seed,
            kill_after=self._kill_after,
        )

    def noted(self, ack: Ack) -> bool:
        """Count a delivery, and say whether RMZ delivers it again."""
        self._count += 1
        if ack == STORED:
            return False
        if ack.status < FAILED or self._inbox is None or self._kill_after != "stored":
            raise AssertionError(f"the receiver answered {ack.status}: {ack.body}")
        return True

    def another_process_takes_over(self) -> bool:
        """Let the leases of a dead process end, and say whether it had any."""
        return self._inbox is not None and self._inbox.recover()


def _key_of(body: bytes) -> str:
    """Return what all deliveries of one event share: webhooks may write an order differently."""
    try:
        return event_of(body, None, None).dedupe_key
    except PayloadError:
        return hashlib.sha256(body).hexdigest()
