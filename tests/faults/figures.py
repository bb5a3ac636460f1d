"""The cost of a client: requests to a server that is down, its caller's time, and RMZ's quota."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import anyio
import attrs

from rmz_async import Client, Pacing, RetryPolicy, RMZError
from rmz_async._execution import SETTLE_GRACE
from rmz_async.sandbox.endpoints.throttle import Throttle
from tests.faults.faults import Fault, Kind, Position, fault_named
from tests.faults.http1 import Answer, Wire
from tests.faults.shop import Shop
from tests.seams import Clock, async_client, connections_of

_CALLERS = 100
_TIMEOUT = 0.3
# Changes that run into their deadline.
_CHANGES = 40
_NO_LIMIT = 10**6
_FOREVER = 10.0**5
# Seconds: a minute's requests come one after the other, but not as far apart as the client allows.
_BETWEEN_ARRIVALS = 0.01


@attrs.frozen
class Figure:
    """A number, and the limit that it should not exceed.

    Attributes:
        timed: Whether it also depends on the machine's speed, and so fails nothing.
    """

    what: str
    value: float
    goal: float
    timed: bool = False

    @property
    def met(self) -> bool:
        """Whether it is as it should be."""
        return self.value <= self.goal

    def __str__(self) -> str:
        missed = "   over it, which fails nothing" if self.timed else "   NOT MET"
        mark = "" if self.met else missed
        return f"{self.value:>10.3f}  goal {self.goal:<6g} {self.what}{mark}"


class Always:
    """The same fault for every request, or none."""

    def __init__(self, fault: Fault | None = None) -> None:
        self._fault = fault

    def on_connection(self) -> Fault | None:
        """See `Plan`."""
        return None

    def on_request(self, method: str) -> Fault | None:
        """See `Plan`."""
        return self._fault

    def passing(self, when: str) -> None:
        """See `Plan`."""


class Counted(Always):
    """Counts requests as Laravel's throttle does; each takes its time to arrive."""

    def __init__(self, shop: Shop) -> None:
        super().__init__()
        self.most_in_a_minute = 0
        self._shop = shop
        self._throttle = Throttle(_NO_LIMIT)

    def on_request(self, method: str) -> Fault | None:
        """See `Plan`."""
        self._shop.timing.skip(_BETWEEN_ARRIVALS)
        admission = self._throttle.admit(self._shop.timing.today())
        count = _NO_LIMIT - admission.remaining
        self.most_in_a_minute = max(self.most_in_a_minute, count)
        return super().on_request(method)


async def storm(shop: Shop, calls: int) -> list[Figure]:
    """100 callers, and a server whose port is closed, or that answers 503 to all."""
    figures: list[Figure] = []
    for what in ("its port is closed", "it answers 503"):
        answers = what == "it answers 503"
        fault = fault_named("html-503/before")
        line = shop.proxy.line(Always(fault), listening=answers)
        client = async_client(
            shop.timing.waiting(), shop.token, base_url=line.base_url, pacing=None
        )
        sent = Sent(client)
        async with client:
            await at_once(_failing(client), _CALLERS, _CALLERS)
            at_first, sent.tries = sent.tries, 0
            await at_once(_failing(client), calls, _CALLERS)
        line.close()
        whole = (at_first + sent.tries) / (_CALLERS + calls)
        figures += [
            Figure(f"attempts per call, server down, {what}: from the first on", whole, 1.1),
            Figure(f"the same after the budget is spent, {calls} calls", sent.tries / calls, 1.1),
        ]
    return figures


class Sent:
    """Counts the requests that a client attempts to send."""

    def __init__(self, client: Client) -> None:
        self.tries = 0
        self._under_way = 0
        self._idle = asyncio.Event()
        self._idle.set()
        connections: Any = connections_of(client)
        self._exchange = connections.exchange
        connections.exchange = self._counted

    async def when_idle(self, shop: Shop, seconds: float) -> None:
        """Let time pass while nothing is on its way: no way takes a minute."""
        # A request that has its slot, and that no task has sent yet, is on its way too.
        await anyio.wait_all_tasks_blocked()
        while self._under_way:
            await self._idle.wait()
            await anyio.wait_all_tasks_blocked()
        shop.timing.skip(seconds)

    async def _counted(self, *given: Any) -> Any:
        self.tries += 1
        self._under_way += 1
        self._idle.clear()
        try:
            return await self._exchange(*given)
        finally:
            self._under_way -= 1
            if not self._under_way:
                self._idle.set()


def _failing(client: Client, *, changes: bool = False) -> Callable[[], Awaitable[None]]:
    async def call() -> None:
        try:
            await (client.subscriptions.pause(501) if changes else client.subscriptions.get(501))
        except RMZError:
            return
        raise AssertionError("a server that is down has answered")

    return call


async def overshoot(shop: Shop, calls: int) -> list[Figure]:
    """How much later than its deadline a call ends, in real time."""
    return await asyncio.gather(
        *(
            _overshoot(shop, what, fault, changes=changes, calls=_CHANGES if changes else calls)
            for what, fault in (("stall", _ENDLESS_STALL), ("drip", _ENDLESS_DRIP))
            for changes in (False, True)
        )
    )


async def _overshoot(shop: Shop, what: str, fault: Fault, *, changes: bool, calls: int) -> Figure:
    line = shop.proxy.line(Always(fault))
    late: list[float] = []
    client = Client(shop.token, base_url=line.base_url, pacing=None, timeout=_TIMEOUT)
    call = _failing(client, changes=changes)
    async with client:
        if changes:
            # Reading back takes all the time that it may: all of them together.
            await at_once(_timed(call, late, _TIMEOUT + SETTLE_GRACE), calls, calls)
        else:
            await at_once(_timed(call, late, _TIMEOUT), calls, 10)
    line.close()
    worst = sorted(late)[int(len(late) * 0.999)]
    of = "a change that is read back" if changes else "a read"
    return Figure(f"s over the deadline of {of} under {what}, p99.9 of {calls}", worst, 0.25, True)


def _timed(
    call: Callable[[], Awaitable[None]], late: list[float], allowed: float
) -> Callable[[], Awaitable[None]]:
    clock = asyncio.get_running_loop().time

    async def timed() -> None:
        began = clock()
        await call()
        late.append(clock() - began - allowed)

    return timed


async def politeness(shop: Shop, calls: int) -> list[Figure]:
    """How many requests of 100 callers RMZ's throttle counts in one of its minutes.

    Time must stand still in *shop* unless somebody sleeps, or a request arrives.
    """
    plan = Counted(shop)
    line = shop.proxy.line(plan)
    client = async_client(
        Clock(clock=shop.timing.clock, sleep=lambda seconds: sent.when_idle(shop, seconds)),
        shop.token,
        base_url=line.base_url,
        timeout=_FOREVER,
        pacing=Pacing(max_wait=_FOREVER),
        retry=RetryPolicy(attempt_timeout=_FOREVER),
    )
    sent = Sent(client)
    answered = 0

    async def call() -> None:
        nonlocal answered
        await client.subscriptions.get(501)
        answered += 1

    async with client:
        await at_once(call, calls, _CALLERS)
    line.close()
    return [
        Figure(f"requests in RMZ's fullest minute, of {calls} together", plan.most_in_a_minute, 60),
        Figure("calls of these without an answer", calls - answered, 0),
    ]


async def at_once(call: Callable[[], Awaitable[None]], count: int, width: int) -> None:
    """Make *count* calls, *width* at a time."""
    left = iter(range(count))

    async def worker() -> None:
        for _ in left:
            await call()

    await asyncio.gather(*(worker() for _ in range(width)))


async def _drip_for_ever(wire: Wire, answer: Answer) -> None:
    for byte in answer.head(content_length="100000") + b" " * 1000:
        if not await wire.send(bytes([byte])):
            return
        await asyncio.sleep(0.02)


async def _stall_for_ever(wire: Wire, _: Answer) -> None:
    with suppress(OSError):
        await wire.reader.read()  # Until the client hangs up.


_ENDLESS_STALL = Fault(Kind("endless-stall", _stall_for_ever), Position.BEFORE)
_ENDLESS_DRIP = Fault(Kind("endless-drip", _drip_for_ever), Position.BEFORE)
