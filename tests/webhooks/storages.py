"""The databases in which an inbox can be, for the tests that all of them must pass."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import anyio
import attrs

from rmz_async.webhooks.inbox.interface import Grouping, Inbox, TaskState
from rmz_async.webhooks.inbox.records import Delivery, Task
from rmz_async.webhooks.inbox.sqlite import SQLiteInbox
from tests.seams import Clock

BOTH = ("first", "second")
LEASE = 60.0


@attrs.define
class Time:
    """Time that passes when the test says so."""

    now: datetime = datetime(2026, 5, 4, 9, 30, tzinfo=UTC)
    monotonic: float = 0.0
    slept: int = 0
    sleepers: list[tuple[float, anyio.Event]] = attrs.field(
        factory=list["tuple[float, anyio.Event]"]
    )

    async def sleep(self, seconds: float) -> None:
        """Wait until the test has let so much time pass."""
        self.slept += 1
        awake = anyio.Event()
        self.sleepers.append((self.monotonic + seconds, awake))
        await awake.wait()

    def move(self, seconds: float) -> None:
        """Let time pass, and wake those for whom it is time."""
        self.monotonic += seconds
        self.now += timedelta(seconds=seconds)
        for until, awake in self.sleepers:
            if until <= self.monotonic:
                awake.set()

    def has_slept(self, times: int) -> bool:
        """Return whether somebody has begun to sleep so many times."""
        return self.slept >= times

    def put_clock(self, seconds: float) -> None:
        """Change the clock on the wall by so many seconds; no time passes."""
        self.now += timedelta(seconds=seconds)

    def clock(self, *, draw: Callable[[], float] = lambda: 1.0) -> Clock:
        """The seam by which time and chance reach a receiver and an inbox."""
        return Clock(
            clock=lambda: self.monotonic,
            today=lambda: self.now,
            sleep=self.sleep,
            draw=draw,
        )


@attrs.frozen
class Storage:
    """A database of one test.

    Attributes:
        time: The time in it.
        open: Returns an inbox on the database, as another process would.
    """

    time: Time
    open: Callable[[], Inbox]


def sqlite_storage(folder: Path) -> Storage:
    """Return a SQLite file in a folder."""
    time = Time()
    return Storage(time, lambda: SQLiteInbox(str(folder / "inbox.db"), _clock=time.clock()))


def delivery(
    key: str = "e-1",
    handlers: tuple[str, ...] = BOTH,
    grouping: Grouping = Grouping.EACH,
    **values: str | int | None,
) -> Delivery:
    """Return a delivery of one event."""
    fields = {"request_id": "7", "secret_index": 0, "subject": "subscription:501", **values}
    return Delivery(
        key=key,
        name="subscription.renewed",
        body=b'{"a":"\xd8\xa7"}',
        handlers=dict.fromkeys(handlers, grouping),
        **fields,  # type: ignore[arg-type] # mypy cannot tell the fields apart
    )


def store(inbox: Inbox, *keys: str, grouping: Grouping = Grouping.EACH) -> None:
    """Store deliveries of one subscription for one handler, the oldest first."""
    for key in keys:
        inbox.add([delivery(key, ("first",), grouping)])


def claim(inbox: Inbox, *handlers: str, limit: int = 10) -> list[Task]:
    """Claim what is due for some handlers; for both if none is named."""
    return list(inbox.claim(handlers or BOTH, limit=limit, lease=LEASE))


def claim_one(inbox: Inbox) -> Task:
    """Claim a single task that must be there."""
    (task,) = claim(inbox, limit=1)
    return task


def claimed_keys(inbox: Inbox) -> list[str]:
    """Claim what is due, and return the events' keys."""
    return [task.key for task in claim(inbox)]


def states(inbox: Inbox, inbox_id: int = 1) -> list[TaskState]:
    """Return the states of a delivery's tasks."""
    entry = inbox.entry(inbox_id)
    assert entry is not None
    return [task.state for task in entry.tasks]
