"""Slots over a store that notes what it is asked, on a clock that the test moves."""

from __future__ import annotations

import anyio
import anyio.lowlevel
import attrs

from rmz_async import Pacing, QuotaReport, operations
from rmz_async._calls.token import Secret
from rmz_async._pacing.slots import Slot, Slots
from rmz_async.operations import Operation
from tests.seams import Clock

TOKEN = Secret("1|slots-test-token")


@attrs.define
class Store:
    """Notes what was asked; lets pass while there is room."""

    room: int = 100
    asked: list[tuple[str, int]] = attrs.field(factory=list[tuple[str, int]])
    taken: list[float] = attrs.field(factory=list[float])
    learned: list[int | None] = attrs.field(factory=list[int | None])
    fails: bool = False

    async def reserve(self, key: str, per_minute: int, now: float, *, ahead: int = 0) -> float:
        """Let one pass."""
        self.asked.append((key, per_minute))
        if self.fails:
            raise OSError("unreachable")
        if len(self.taken) >= self.room:
            return 61.0
        self.taken.append(now)
        return 0.0

    async def forget(self, key: str, at: float) -> None:
        """Take it back, with the time that a far store needs."""
        await anyio.lowlevel.checkpoint()
        self.taken.remove(at)

    async def learn(self, key: str, per_minute: int, now: float, report: QuotaReport) -> bool:
        """Note what is left."""
        self.learned.append(report.remaining)
        return False


class ManualClock:
    """Seconds that pass when somebody sleeps, or when the test says so."""

    def __init__(self) -> None:
        self.now = 100.0

    async def sleep(self, seconds: float) -> None:
        """Let time pass immediately."""
        self.now += seconds
        await anyio.lowlevel.checkpoint()


@attrs.define
class Gates:
    """Slots over a store, with one request under way at a time."""

    clock: ManualClock = attrs.field(factory=ManualClock)
    store: Store = attrs.field(factory=Store)
    concurrency: anyio.Semaphore = attrs.field(
        factory=lambda: anyio.Semaphore(1, fast_acquire=True)
    )
    slots: Slots = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        """Build the slots."""
        waiting = Clock(clock=lambda: self.clock.now, sleep=self.clock.sleep)
        self.slots = Slots(Pacing(per_minute=60, lookup_per_minute=120, store=self.store), waiting)

    def slot(
        self, operation: Operation = operations.SUBSCRIPTIONS_GET, token: Secret = TOKEN
    ) -> Slot:
        """Return a slot that must come within half a minute."""
        return self.slots.slot(operation, token, self.concurrency, self.clock.now + 30)
