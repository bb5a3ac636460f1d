"""Plays a day of a shop in simulated time."""

from __future__ import annotations

import tempfile
from contextlib import nullcontext
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import anyio
import anyio.abc
import attrs
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from rmz_async import RMZError
from rmz_async.paywall import Lifetimes
from rmz_async.sandbox.faults.faults import FaultRule
from rmz_async.sandbox.store.state import Status
from rmz_async.webhooks import verify
from tests.day.processes import Process, ServerGoneError, SharedClock
from tests.day.referee import Allowance, Referee
from tests.day.server import SECRET, Server
from tests.day.servers import Servers
from tests.day.shop import Change, Shop
from tests.day.simulated_time import MIDNIGHT, in_simulated_time, pass_immediately, seconds
from tests.redis_server import redis_server

__all__ = ("Plan", "Result", "play")

# How likely each fault is for one request, and for how long a slow answer is slow.
FAULTS = {"server_error": 0.004, "bad_gateway": 0.004, "reset": 0.004, "truncated": 0.004}
SLOW, SLOWNESS = 0.002, 2.0


@attrs.frozen(kw_only=True)
class Plan:
    """A day to play.

    Attributes:
        seed: Makes all that is left to chance.
        users: How many there are.
        hours: How long it lasts.
        checks: Page views in a second, on average.
        servers: How many there are.
        webhooks: Whether RMZ sends events.
        outage: From which minute to which RMZ is down; None for never.
        restart: In which minute a server ends, and another one starts in its place; or None.
        snapshots: Whether servers keep a file of payers.
        shared: Whether servers share a Redis; several always do.
        processes: Whether each server is a process of its own.
        paywall: Options of each paywall.
    """

    seed: int
    users: int = 10_000
    hours: float = 24.0
    checks: float = 3.0
    servers: int = 1
    webhooks: bool = True
    outage: tuple[float, float] | None = None
    restart: float | None = None
    snapshots: bool = False
    shared: bool = False
    processes: bool = False
    paywall: dict[str, Any] = attrs.field(factory=dict[str, Any])


@attrs.frozen
class Result:
    """The referee's report.

    Attributes:
        counts: By what was counted.
        wrong: All that must not be.
        kept: The longest that a user kept access after a subscription was taken away; seconds.
        early: The oldest refusal of a user who had paid since; seconds.
        stretch: The largest factor of the lifetimes.
        hard: The largest age that a paywall's status named; seconds.
    """

    counts: dict[str, int]
    wrong: list[str]
    kept: float
    early: float
    stretch: float
    hard: float


def play(plan: Plan) -> Result:
    """Play a day, and return what the referee says of it."""
    is_shared = plan.shared or plan.servers > 1
    with (
        redis_server() if is_shared else nullcontext() as redis,
        tempfile.TemporaryDirectory() as folder,
    ):
        clock = SharedClock() if plan.processes else None
        day = Day(plan, None if redis is None else redis.url, Path(folder), clock)
        return in_simulated_time(day.play, clock or pass_immediately)


class Day:
    """A day while it is played.

    Args:
        plan: The plan.
        redis: The address of a Redis; None for none.
        folder: For snapshots.
        clock: The clock of servers that are processes; None for servers that live in this program.
    """

    def __init__(
        self, plan: Plan, redis: str | None, folder: Path, clock: SharedClock | None
    ) -> None:
        self._plan = plan
        lifetimes = plan.paywall.get("lifetimes", Lifetimes())
        self._shop = Shop(plan.seed, plan.users, plan.hours, plan.checks)
        allowance = Allowance(
            kept=5.0 if plan.webhooks else None,
            known=lifetimes.max_stale,
            outage=None if plan.outage is None else _moments(*plan.outage),
        )
        self._referee = Referee(self._shop.sandbox, allowance)
        self._servers = Servers(
            self._shop,
            self._referee,
            plan.servers,
            redis,
            folder if plan.snapshots else None,
            clock,
            **plan.paywall,
        )
        self._stretch, self._hard = 1.0, 0.0
        self._down: list[FaultRule] = []
        self._set_hard = lifetimes.hard
        self._tasks: anyio.abc.TaskGroup

    async def play(self) -> Result:
        """Play it."""
        plan, sandbox, referee = self._plan, self._shop.sandbox, self._referee
        if plan.webhooks:
            sandbox.add_webhook("http://127.0.0.1/hook", secret=SECRET, app=self._deliver)
            sandbox.faults.add("duplicate", chance=0.05)
        self._add_faults()
        async with anyio.create_task_group() as self._tasks:
            for _ in range(plan.servers):
                await self._servers.start(self._tasks)
            self._tasks.start_soon(self._tick)
            if plan.outage is not None:
                self._tasks.start_soon(self._go_down, *plan.outage)
            if plan.restart is not None:
                self._tasks.start_soon(self._restart, plan.restart)
            async with anyio.create_task_group() as coming:
                coming.start_soon(self._visit)
                coming.start_soon(self._change)
            for server in self._servers.running:
                await server.end()
            self._tasks.cancel_scope.cancel()
        await sandbox.aclose()
        counts = {**referee.counts, "events": self._servers.events}
        return Result(
            counts=counts,
            wrong=referee.wrong,
            kept=referee.longest_kept,
            early=referee.longest_early,
            stretch=self._stretch,
            hard=self._hard,
        )

    def _add_faults(self) -> None:
        for fault, chance in FAULTS.items():
            self._shop.sandbox.faults.add(fault, chance=chance)
        self._shop.sandbox.faults.add("latency", chance=SLOW, seconds=SLOWNESS)

    async def _tick(self) -> None:
        """Bring about what time brings, also while no request comes."""
        while True:
            await anyio.sleep(1.0)
            self._shop.sandbox.catch_up()

    async def _go_down(self, begin: float, end: float) -> None:
        faults = self._shop.sandbox.faults
        await anyio.sleep(begin * 60)
        faults.clear()
        down = [faults.add("reset", chance=0.5), faults.add("bad_gateway")]
        await anyio.sleep((end - begin) * 60)
        for rule in down:
            faults.remove(rule)
        self._add_faults()

    async def _restart(self, minute: float) -> None:
        await anyio.sleep(minute * 60)
        await self._servers.stop()
        await self._servers.start(self._tasks)

    async def _visit(self) -> None:
        async with anyio.create_task_group() as visitors:
            for at, user in self._shop.visits():
                await anyio.sleep(at - seconds())
                if self._servers.running:
                    visitors.start_soon(self._view, user, self._servers.any())

    async def _view(self, user: str, server: Server | Process) -> None:
        try:
            answer = await server.check(user)
        except ServerGoneError:
            self._referee.counts["page views that a killed server left"] += 1
            return
        self._stretch = max(self._stretch, answer.stretch)
        self._hard = max(self._hard, answer.hard)
        if answer.hard > self._set_hard * answer.stretch:
            self._referee.counts["answers while no slot came in time"] += 1
        self._referee.judge(
            user,
            granted=answer.granted,
            certain=answer.certain,
            asked=answer.asked,
            hard=answer.hard,
            by=answer.origin,
        )

    async def _change(self) -> None:
        async with anyio.create_task_group() as changes:
            for change in self._shop.changes():
                await anyio.sleep(change.at - seconds())
                changes.start_soon(self._make, change)

    async def _make(self, change: Change) -> None:
        try:
            if change.kind == "subscribe":
                await self._subscribe()
            else:
                await self._call(change.kind)
        except (RMZError, ServerGoneError):
            # RMZ is down, or does not do it: then nothing has changed, or the referee sees it.
            self._referee.counts["changes that failed"] += 1
        else:
            self._referee.counts["changes"] += 1

    async def _call(self, kind: str) -> None:
        status = Status.PAUSED if kind == "unpause" else Status.ACTIVE
        row = self._shop.someone(status)
        if row is None:
            return
        user, number = row.external_customer_id, row.id
        assert user is not None
        # A user who is about to lose access is on the site.
        await self._view(user, self._servers.any())
        await self._servers.any().change(kind, number)
        for pause in (0.5, 1.0, 2.0, 4.0, 60.0, 800.0):
            self._tasks.start_soon(self._view_later, user, pause)

    async def _view_later(self, user: str, pause: float) -> None:
        await anyio.sleep(pause)
        if self._servers.running:
            await self._view(user, self._servers.any())

    async def _subscribe(self) -> None:
        user, server, sandbox = self._shop.newcomer(), self._servers.any(), self._shop.sandbox
        await self._view(user, server)
        address = await server.start(user)
        await anyio.sleep(self._shop.chance.uniform(5.0, 120.0))
        key = address.rpartition("/")[2]
        number = await sandbox.pay(address)
        [link] = [
            one.success_url for one in sandbox.state.checkout_sessions.values() if one.key == key
        ]
        link = f"{link}&rmz-subscription-id={number}"
        while not await self._servers.any().confirm(link, user):
            self._referee.counts["redirects that had to be loaded again"] += 1
            await anyio.sleep(3.0)
        for pause in (0.0, 0.1, 1.0, 3.0, 20.0):
            self._tasks.start_soon(self._view_later, user, pause)

    async def _deliver(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await Request(scope, receive).body()
        await Response(status_code=204)(scope, receive, send)
        event = verify(body, dict(Headers(scope=scope)), secrets=[SECRET])
        if event.subscription is not None:
            self._tasks.start_soon(self._servers.feed, event)


def _moments(*minutes: float) -> tuple[datetime, datetime]:
    begin, end = (MIDNIGHT + timedelta(minutes=each) for each in minutes)
    return begin, end
