"""A process that forks others, each of which reconciles and is killed at a named point.

``python -m tests.webhooks.reconciling_victim INBOX BASE_URL TOKEN`` reads lines of JSON: a point
and the time. The answer to each line is how the process ended.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import anyio
import anyio.lowlevel
import attrs

import rmz_async
from rmz_async.webhooks import Event, Receiver
from rmz_async.webhooks.inbox.opening import open_inbox
from tests import seams
from tests.webhooks.receiving import SECRET

__all__ = ("POINTS", "clock_at")

POINTS = {
    "took up the walk": 1,
    "asked for a page": 2,
    "read a page": 2,
    "compared a subscription": 20,
    "stored, not committed": 2,
    "committed a page": 2,
    "handed an event over": 2,
    "reached the end": 1,
    "gave the walk back": 1,
}
"""The points, and how often each is reached until the process dies: all but the ends on page 2."""


def clock_at(seconds: float) -> seams.Clock:
    """Return a clock that stands still, and for which a wait takes no time."""

    async def sleep(_: float) -> None:
        await anyio.lowlevel.checkpoint()

    now = datetime(2026, 5, 4, tzinfo=UTC) + timedelta(seconds=seconds)
    return seams.Clock(clock=lambda: seconds, today=lambda: now, sleep=sleep)


def handle(event: Event) -> None:
    """Do nothing: the process that goes on has the handler."""


@attrs.define
class Death:
    """Kills this process as soon as a point was reached so many times."""

    point: str
    times: int

    def reach(self, point: str) -> None:
        """Die, or go on."""
        self.times -= point == self.point
        if self.times == 0:
            os.kill(os.getpid(), signal.SIGKILL)


def trace(inbox: Any, death: Death) -> None:
    """Let an inbox name the points at which a comparison is."""
    resume, compare, leave = inbox.resume, inbox.compare, inbox.leave

    def traced_resume(**options: Any) -> Any:
        walk = resume(**options)
        death.reach("took up the walk")
        return walk

    def traced_compare(walk: Any, page: Any, decide: Callable[..., Any], **options: Any) -> Any:
        death.reach("read a page")

        def decided(*arguments: Any) -> Any:
            found = decide(*arguments)
            death.reach("compared a subscription")
            return found

        stored = compare(walk, page, decided, **options)
        death.reach("committed a page")
        return stored

    def traced_leave(walk: Any, **options: Any) -> None:
        death.reach("reached the end")
        leave(walk, **options)
        death.reach("gave the walk back")

    inbox.resume, inbox.compare, inbox.leave = traced_resume, traced_compare, traced_leave


class TracedList:
    """A client whose list names the point at which a page is asked for."""

    def __init__(self, rmz: rmz_async.Client, death: Death) -> None:
        self._rmz = rmz
        self._reach = death.reach
        self.subscriptions = self

    def list(self, *, page: int) -> TracedList:
        """Return the pages of the client's own list."""
        self._pages = self._rmz.subscriptions.list(page=page).pages()
        return self

    def pages(self) -> TracedList:
        """Return the pages."""
        return self

    async def __anext__(self) -> Any:
        self._reach("asked for a page")
        return await anext(self._pages)


async def reconcile(address: str, base_url: str, token: str, death: Death, now: float) -> None:
    """Compare, until death."""
    seams.after_storing(lambda: death.reach("stored, not committed"))
    clock = clock_at(now)
    inbox = open_inbox(address, clock)
    trace(inbox, death)
    receiver = Receiver(secrets=[SECRET], inbox=inbox, _clock=clock)
    receiver.on("*", name="handle")(handle)
    receiver.hand_off(lambda inbox_id: death.reach("handed an event over"))
    async with rmz_async.Client(token, base_url=base_url, pacing=None) as rmz:
        await receiver.reconcile(cast("Any", TracedList(rmz, death)))


async def warm_up(base_url: str, token: str) -> None:
    """Import and prepare what a comparison needs."""
    importlib.import_module("rmz_async.webhooks.inbox.postgres")
    async with rmz_async.Client(token, base_url=base_url, pacing=None) as rmz:
        await rmz.subscriptions.list().first()


def main(arguments: Sequence[str]) -> None:
    """Fork a process for each line, and say how it ended."""
    address, base_url, token = arguments
    # Once for all, so that each process begins in an instant.
    anyio.run(warm_up, base_url, token)
    for line in sys.stdin:
        point, now = json.loads(line)
        child = os.fork()
        if child == 0:
            anyio.run(reconcile, address, base_url, token, Death(point, POINTS[point]), now)
            os._exit(0)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)  # noqa: T201 - the answer


if __name__ == "__main__":
    main(sys.argv[1:])
