"""Bring about in order what comes due."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from operator import itemgetter

import anyio
import attrs

from rmz_async.sandbox.backend import Backend
from rmz_async.sandbox.lifecycle.agenda import Agenda
from rmz_async.sandbox.lifecycle.charging import come_due, next_due
from rmz_async.sandbox.lifecycle.clock import Clock
from rmz_async.sandbox.rules.orders import credit, credited_at
from rmz_async.sandbox.shapes.events import Event

__all__ = ("Timeline", "TimelineState")


@attrs.frozen(kw_only=True)
class TimelineState:
    """The state of a timeline at one moment.

    Attributes:
        subscriptions: When each comes due; must not be changed.
        stale: The subscriptions to look at again, in order.
        reached: Until when everything has happened.
    """

    subscriptions: Agenda[int]
    stale: tuple[int, ...]
    reached: datetime


class Timeline:
    """Follows the subscriptions, the late deliveries and the clock.

    Args:
        clock: The time; its `Clock.advance` is done here from now on.
    """

    def __init__(self, backend: Backend, clock: Clock) -> None:
        self._backend = backend
        self._clock = clock
        self._subscriptions: Agenda[int] = Agenda()
        # A row announces a change before it happens, so that it is looked at later.
        self._stale: dict[int, None] = dict.fromkeys(backend.store.subscriptions)
        backend.store.subscriptions.listen(self._note)
        self._credits: Agenda[int] = Agenda()
        self._changed_orders: dict[int, None] = dict.fromkeys(backend.store.orders)
        backend.store.orders.listen(self._note_order)
        self._reached = clock.now()
        self._lock: anyio.Lock | None = None
        self._movers = 0
        clock.moved_by(self.run_until)

    @property
    def is_moving(self) -> bool:
        """Whether a caller is moving the clock."""
        return self._movers > 0

    def keep(self) -> TimelineState:
        """Return the state from which `put_back` goes on."""
        return TimelineState(
            subscriptions=self._subscriptions.copied(),
            stale=tuple(self._stale),
            reached=self._reached,
        )

    def put_back(self, state: TimelineState) -> None:
        """Go on from *state*; the store was put back before."""
        self._subscriptions = state.subscriptions.copied()
        self._stale = dict.fromkeys(state.stale)
        self._reached = state.reached

    def catch_up(self) -> None:
        """Bring about what has come due since the last look, because time passes by itself."""
        now = self._clock.now()
        if self._movers or now <= self._reached:
            return
        try:
            while (due := self._next(now)) is not None:
                self._clock.pin(due)
                self._perform()
        finally:
            self._clock.pin(None)
            self._reached = now

    async def run_until(self, until: Callable[[], datetime]) -> None:
        """Move the clock on, and bring about in order what comes due on the way.

        *until* returns how far, and is called when no other caller moves the clock.
        """
        # A lock belongs to one event loop, and the next mover may come from another.
        self._lock = self._lock if self._movers and self._lock else anyio.Lock()
        self._movers += 1
        try:
            async with self._lock:
                # An attempt that is under way may leave a retry behind, and takes its time.
                await self._backend.courier.delivered()
                await self._move(until())
        finally:
            self._movers -= 1

    async def _move(self, until: datetime) -> None:
        try:
            while (due := self._next(until)) is not None:
                self._reached = due
                self._clock.pin(due)
                self._perform()
                await self._backend.courier.delivered()
            self._reached = max(until, self._reached)
        finally:
            # If the caller is cancelled on the way, the clock stays at the time that it has
            # reached.
            self._clock.set_to(self._reached)
        await self._backend.courier.delivered()

    def _next(self, until: datetime) -> datetime | None:
        """Return when the next thing happens, if that is not after *until*.

        Events that should have happened earlier happen now: the clock never goes back.
        """
        for number in self._stale:
            row = self._backend.store.subscriptions.get(number)
            due = None if row is None else next_due(row, self._backend.store)
            self._subscriptions.put(number, due)
        self._stale.clear()
        for number in self._changed_orders:
            order = self._backend.store.orders.get(number)
            self._credits.put(number, None if order is None else credited_at(order))
        self._changed_orders.clear()
        moments = (
            self._subscriptions.next(),
            self._credits.next(),
            self._backend.courier.retries.next(),
        )
        due = min((moment for moment in moments if moment is not None), default=None)
        return None if due is None or due > until else max(due, self._reached)

    def _perform(self) -> None:
        """Do the one thing that comes first; of two at a moment the delivery, which is older."""
        retries = self._backend.courier.retries.next()
        coming: list[tuple[datetime, Callable[[], None]]] = [
            (moment, act)
            for moment, act in (
                (retries, self._backend.courier.retry_next),
                (self._credits.next(), self._credit),
                (self._subscriptions.next(), self._change),
            )
            if moment is not None
        ]
        min(coming, key=itemgetter(0))[1]()

    def _credit(self) -> None:
        _, number = self._credits.take()
        credit(self._backend.store.orders[number], self._backend.store, self._backend.now())

    def _change(self) -> None:
        backend = self._backend
        _, number = self._subscriptions.take()
        subscription = backend.store.subscriptions[number]
        orders = backend.store.orders
        count = len(orders)
        for event in come_due(subscription, backend.store, backend.now()):
            backend.record(f"lifecycle.{event.partition('.')[2]}", number, subscription.status)
            backend.announce(event, subscription)
        if backend.store.switches.renewals_announce_orders and len(orders) > count:
            backend.announce_order(Event.ORDER_CREATED, orders[orders.ordered()[-1]])
        # Set even if nothing changed: the next moment would be lost otherwise.
        self._stale[number] = None

    def _note(self, number: int) -> None:
        self._stale[number] = None

    def _note_order(self, number: int) -> None:
        self._changed_orders[number] = None
