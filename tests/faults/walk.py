"""A long random walk: any call, any fault, and a customer who acts meanwhile."""

from __future__ import annotations

import random
import time
from functools import partial
from typing import Any

from rmz_async import operations
from rmz_async._calls.retry import Budget
from rmz_async._calls.verdict import CLOCK_STEP
from rmz_async.sandbox.store.state import Status
from tests.faults.customer import Customer
from tests.faults.faults import FAULTS, Fault, Stage
from tests.faults.judge import Column, Finding, Tally, Verdict, column
from tests.faults.lanes import Lane
from tests.faults.matrix import reported, said
from tests.faults.shop import Shop
from tests.faults.subjects import SUBJECTS, Subject, snapshot
from tests.seams import budget_of

SEED = 20260301

_SUBSCRIPTIONS = 6
_ORDERS = 4
_PATIENCE = 0.25
_AFTER_WORK = 92.0
# The times are whole seconds on RMZ's side, and the client allows for its clock being put right.
_WINDOW = CLOCK_STEP + 2.0

_ANY = tuple(fault for fault in FAULTS if fault.kind.stage is not Stage.PORT)
_EARLY = tuple(fault for fault in _ANY if fault.kind.stage is Stage.CONNECTION)
_LOUD = tuple(
    fault
    for fault in _ANY
    if fault.kind.stage is Stage.REQUEST and not fault.kind.silent and fault.kind.name != "no-fault"
)
_SILENT = tuple(fault for fault in _ANY if fault.kind.silent)
_ON_SUBSCRIPTIONS = ("cancel", "cancel+immediate", "pause", "unpause", "extend", "extend+baseline")
# Changes come more often than calls that only read.
_WEIGHTS = [4 if subject.changes else 1 for subject in SUBJECTS]


class WalkPlan:
    """The faults of one call, and what the customer does during it."""

    def __init__(self, chance: random.Random, customer: Customer, about: list[int]) -> None:
        self.off = False
        self._chance = chance
        self._customer = customer
        self._about = about
        # Some calls meet none, and some hardly anything else.
        self._rate = chance.choice((0.0, 0.1, 0.3, 0.3, 0.6))

    def on_connection(self) -> Fault | None:
        """See `Plan`."""
        if self.off or self._chance.random() >= self._rate / 4:
            return None
        return self._chance.choice(_EARLY)

    def on_request(self, method: str) -> Fault | None:
        """See `Plan`."""
        if self.off or self._chance.random() >= self._rate:
            return None
        return self._chance.choice(_SILENT if self._chance.random() < 0.03 else _LOUD)

    def passing(self, when: str) -> None:
        """Let the customer act just before a request, or just after it."""
        if not self.off and self._chance.random() < 0.12:
            self._customer.act(self._chance, self._chance.choice(self._about))


class Walk:
    """The walk; the same seed gives the same one, as far as the machine's speed allows.

    Attributes:
        tally: The outcomes of the calls.
    """

    def __init__(self, shop: Shop, lane: Lane, seed: int) -> None:
        self.tally = Tally()
        self._shop = shop
        self._lane = lane
        self._seed = seed
        self._customer = Customer(shop)
        self._subscriptions = [shop.subscription().id for _ in range(_SUBSCRIPTIONS)]
        self._orders = [shop.order().id for _ in range(_ORDERS)]
        self._line = shop.proxy.line(self._plan(_chance(seed, 0), 0))
        self._client = lane.client(
            shop.token, self._line.base_url, shop.timing.waiting(), patience=_PATIENCE
        )

    async def run(self, calls: int, only: int | None = None) -> Tally:
        """Make the calls, and count what became of them.

        Args:
            calls: How many.
            only: The one to count, for which all before it are made, too.
        """
        try:
            for number in range(calls):
                counted = only is None or only == number
                await self._step(number, self.tally if counted else Tally())
        finally:
            await self._lane.close(self._client)
            self._line.close()
        return self.tally

    def _plan(self, chance: random.Random, about: int) -> WalkPlan:
        return WalkPlan(chance, self._customer, [about, about, about, *self._subscriptions])

    async def _step(self, number: int, tally: Tally) -> None:
        shop = self._shop
        chance = _chance(self._seed, number)
        shop.timing.skip(chance.choice((0.0, 1.0, 20.0, 20.0, 400.0)))
        subject = chance.choices(SUBJECTS, _WEIGHTS)[0]
        target, asked = self._target(subject, chance)
        about = subject.target_id(target)
        self._line.plan = plan = self._plan(chance, about or 0)
        if chance.random() < 0.7:
            # Else it is left as earlier calls have spent it.
            budget_of(self._client).left = Budget.SIZE
        began, mark, injected = shop.timing.clock(), shop.mark(), self._line.injected
        began_really = time.monotonic()
        verdict, answer = await reported(self._lane, partial(asked.call, self._client, target))
        # Without a fault, only a machine that is busy with other things is so slow.
        timed_out = time.monotonic() - began_really >= _PATIENCE
        self._line.settle()
        name = f"walk/{self._seed}/{number}"
        injected = self._line.injected - injected
        row = subject.operation.name
        forced = injected > 0 or timed_out
        where = self._column(asked, verdict, answer, target, mark, began, forced=forced)
        tally.add(row, name, where, injected, f"{asked.name}: {said(verdict, answer, [])}")
        if verdict is Verdict.UNKNOWN and chance.random() < 0.5:
            plan.off = True
            shop.timing.skip(_AFTER_WORK)
            verdict, later = await reported(self._lane, partial(self._client.resolve, answer))
            where = self._column(asked, verdict, later, target, mark, began)
            said_later = f"{asked.name}, resolve(): {said(verdict, later, [])}"
            tally.add("resolve() of some of these", name, where, 0, said_later)

    @property
    def _wrapped(self) -> Any:
        return self._client._wrapped if self._lane.sync else self._client

    def _target(self, subject: Subject, chance: random.Random) -> tuple[Any, Subject]:
        """Return what is called for, out of the walk's own few objects."""
        resource, _, method = subject.name.partition(".")
        if resource == "subscriptions" and method in (*_ON_SUBSCRIPTIONS, "get"):
            number = self._alive(chance.randrange(_SUBSCRIPTIONS))
            return (snapshot(self._shop, number) if "baseline" in method else number), subject
        if subject.operation is operations.ORDERS_UPDATE:
            place = chance.randrange(_ORDERS)
            if self._shop.state.orders[self._orders[place]].status >= 5:
                self._orders[place] = self._shop.order().id
            status = chance.choice((3, 4, 4, 5, 6))
            return self._orders[place], _moving(subject, status)
        if subject.operation is operations.ORDERS_GET:
            return chance.choice(self._orders), subject
        return subject.prepare(self._shop), subject

    def _alive(self, place: int) -> int:
        subscription = self._shop.state.subscriptions[self._subscriptions[place]]
        if subscription.status is Status.CANCELED and not place % 2:
            # The others stay as they are until the customer renews them.
            self._subscriptions[place] = self._shop.subscription().id
        return self._subscriptions[place]

    def _column(
        self,
        subject: Subject,
        verdict: Verdict,
        answer: Any,
        target: Any,
        mark: int,
        began: float,
        *,
        forced: bool = True,
    ) -> Column:
        about = subject.target_id(target)
        effects = self._shop.effects(mark, subject.operation.name)
        ours = [effect for effect in effects if about in (None, effect)]
        return column(
            Finding(
                verdict=verdict,
                changes=subject.changes,
                harmless=subject.harmless,
                applied=len(ours),
                right=verdict is not Verdict.OK or self._right(subject, answer, target, ours),
                in_place=self._in_place(subject, target),
                by_customer=self._customer.explains(subject.name, about, began - _WINDOW),
                forced=forced,
            )
        )

    def _right(self, subject: Subject, answer: Any, target: Any, ours: list[int | str]) -> bool:
        if subject.operation.name.startswith("subscriptions.") and subject.target_id(target):
            # The customer may have changed all but its number meanwhile.
            return bool(answer.id == subject.target_id(target))
        if subject.operation in (operations.SUBSCRIPTIONS_GET, operations.ORDERS_GET):
            return bool(answer.id == target)
        if subject.operation in (operations.SUBSCRIPTIONS_LIST, operations.ORDERS_LIST):
            return bool(answer.items)
        if subject.operation is operations.ORDERS_CREATE and not ours:
            # Not applied, which is worse than wrong; or a resolve of an effect of another attempt.
            return True
        return subject.right(answer, target, ours)

    def _in_place(self, subject: Subject, target: Any) -> bool:
        if subject.operation is not operations.ORDERS_UPDATE:
            return False
        return subject.variant == str(self._shop.state.orders[target].status.value)


def _chance(seed: int, number: int) -> random.Random:
    return random.Random(f"{seed}/{number}")  # noqa: S311 - the same walk for the same seed


def _moving(subject: Subject, status: int) -> Subject:
    return Subject(
        operation=subject.operation,
        variant=str(status),
        prepare=subject.prepare,
        call=lambda client, target: client.orders.update(target, status=status),
        right=subject.right,
        target_id=subject.target_id,
    )
