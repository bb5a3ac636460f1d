"""The processes of the proof that are killed, and the one that goes on with their work."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any, cast

import anyio
import attrs

from rmz_async.webhooks import Event, Inbox, Receiver
from tests.load.databases import AnyDatabase, add_row
from tests.load.deliveries import Sent
from tests.load.disks import limit_files
from tests.load.points import (
    FAILING,
    NORMAL,
    SLOW,
    STOPPING,
    Death,
    Reach,
    TracedInbox,
    nowhere,
    trace_statements,
)
from tests.load.receiving import new_receiver
from tests.seams import Clock, set_leases

LEASE = 0.5
"""Seconds; the renewals come thrice as often."""

LIFE = 0.8
"""Seconds after which a process that has not reached its point ends by itself."""

HANDLERS = ("counted", "granted", "invoiced", "keyed")


@attrs.frozen
class Plan:
    """How one process lives and dies.

    Attributes:
        seed: The seed of the process's own chance.
        sent: The deliveries that it receives, all together.
        point: The point at which it is killed.
        times: How often the point is reached until then.
        mode: How its handlers behave.
        clock: Seconds by which its clock is put back.
        limited: A file beyond whose size no file of the process may grow; None for any size.
    """

    seed: int
    sent: Sequence[Sent]
    point: str
    times: int
    mode: str
    clock: float = 0.0
    limited: Path | None = None


def start(job: Callable[[], None]) -> int:
    """Fork, do the job in the child, and return the child's process id."""
    pid = os.fork()
    if not pid:
        # A child that hangs is killed by this, which the parent sees.
        signal.alarm(120)
        try:
            job()
        finally:
            os._exit(0)
    return pid


def live(database: AnyDatabase, plan: Plan, pipe: int) -> None:
    """Receive and work until the point is reached; write each line of the report into the pipe."""

    def report(line: str) -> None:
        os.write(pipe, f"{line}\n".encode())

    set_leases(LEASE)
    reach = Death(plan.point, plan.times, report).reach
    trace_statements(reach)
    clock = _put_back(plan.clock) if plan.clock else None
    inbox = cast("Inbox", TracedInbox(database.inbox(clock), reach))
    receiver = new_receiver(inbox)
    ended = _register(database, receiver, reach, plan.mode, Random(plan.seed))
    if plan.limited is not None:
        limit_files(plan.limited)

    async def deliver(number: int, sent: Sent) -> None:
        reach("delivery.received")
        ack = await receiver.receive(sent.body, sent.headers)
        reach("answer.before")
        if ack.status == 200:
            report(str(number))
        reach("answer.after")

    async def run() -> None:
        async with receiver.working(grace=0.0 if plan.mode == STOPPING else 1.0):
            async with anyio.create_task_group() as group:
                for number, sent in enumerate(plan.sent):
                    group.start_soon(deliver, number, sent)
            if plan.mode == STOPPING:
                await anyio.sleep(0.05)
                return
            until = time.monotonic() + LIFE
            # The handlers end in threads, too, and so cannot set an event of the loop.
            while len(ended) < len(HANDLERS) * len(plan.sent) and time.monotonic() < until:  # noqa: ASYNC110 - see above
                await anyio.sleep(0.01)
            await anyio.sleep(0.02)

    anyio.run(run)


def survive(database: AnyDatabase) -> None:
    """Work until this process is killed."""
    set_leases(LEASE)
    signal.alarm(0)
    receiver = new_receiver(cast("Inbox", _Deaf(database.inbox())))
    _register(database, receiver, nowhere, NORMAL, Random(0))

    async def run() -> None:
        async with receiver.working(concurrency=20):
            await anyio.sleep_forever()

    anyio.run(run)


class _Deaf:
    """An inbox that never says that something was stored, so that others have the first claim."""

    def __init__(self, inbox: Inbox) -> None:
        self._inbox = inbox

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inbox, name)

    def listen(self, _: Callable[[], None]) -> Callable[[], None]:
        """Do nothing."""
        return lambda: None


def lock(database: AnyDatabase, seconds: float) -> None:
    """Keep all others from writing for so long."""
    with database.locked():
        time.sleep(seconds)


def _put_back(seconds: float) -> Clock:
    return Clock(today=lambda: datetime.now(UTC) - timedelta(seconds=seconds))


def _register(
    database: AnyDatabase, receiver: Receiver, reach: Reach, mode: str, chance: Random
) -> list[str]:
    """Register a handler for each way to have an effect once; the list gets those that ended."""
    ended: list[str] = []

    @receiver.on("*")
    async def granted(event: Event) -> None:
        reach("handler.begun")
        if mode in (SLOW, STOPPING):
            await anyio.sleep(LEASE)
        async with receiver.transaction(event) as connection:
            add_row(database, connection, "effects", event.dedupe_key, "granted")
            reach("effect.after")
        ended.append("granted")

    @receiver.on("*")
    def invoiced(event: Event) -> None:
        with receiver.transaction(event) as connection:
            add_row(database, connection, "effects", event.dedupe_key, "invoiced")
            if chance.random() < (0.8 if mode == FAILING else 0.1):
                raise ValueError("the handler fails after its effect")
        ended.append("invoiced")

    @receiver.on("*")
    def counted(event: Event) -> None:
        with database.transaction() as cursor:
            receiver.mark_done(event, cursor)
            reach("own.marked")
            add_row(database, cursor, "effects", event.dedupe_key, "counted")
            reach("own.effect")
        ended.append("counted")

    @receiver.on("*")
    def keyed(event: Event) -> None:
        with database.transaction() as cursor:
            add_row(database, cursor, "keyed", event.dedupe_key)
        reach("keyed.after")
        ended.append("keyed")

    return ended
