"""Carry events to webhooks, attempt by attempt."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial

import anyio
import attrs

from rmz_async.sandbox.delivery import background
from rmz_async.sandbox.delivery.health import Health
from rmz_async.sandbox.delivery.log import Delivery, Parcel
from rmz_async.sandbox.delivery.posting import post
from rmz_async.sandbox.delivery.webhook import Webhook, signed_headers
from rmz_async.sandbox.faults.faults import DeliveryFault, Faults, spoiled
from rmz_async.sandbox.lifecycle.agenda import Agenda

__all__ = ("RETRY_AFTER", "Attempt", "Courier", "CourierState")

RETRY_AFTER = tuple(timedelta(seconds=seconds) for seconds in (10, 100, 1_000, 10_000))
"""The waits of a delivery after its first, second, third and fourth attempt."""

Watch = Callable[[Delivery, datetime | None], object]


@attrs.frozen(eq=False)
class Attempt:
    """An attempt that is to be made.

    Attributes:
        number: 1 for the first.
        is_repeated: Whether another follows if it fails.
        signature_fault: The fault of its signature.
    """

    parcel: Parcel
    number: int
    is_repeated: bool = True
    signature_fault: DeliveryFault | None = None


@attrs.frozen(eq=False)
class _Lane:
    """The way to one webhook: one delivery at a time, in the order of the events.

    Attributes:
        making: The attempt that is being made, if there is one.
        waiting: Those that come after it.
    """

    making: list[Attempt] = attrs.field(factory=list[Attempt])

    waiting: deque[Attempt] = attrs.field(factory=deque["Attempt"])
    scope: anyio.CancelScope = attrs.field(factory=anyio.CancelScope)
    is_empty: anyio.Event = attrs.field(factory=anyio.Event)


@attrs.frozen(kw_only=True)
class CourierState:
    """The state of a courier at one moment.

    Attributes:
        retries: Must not be changed.
        health: The attempts by which each webhook is judged.
        under_way: In their order.
    """

    log: tuple[Delivery, ...]
    retries: Agenda[Attempt]
    held: Mapping[int, Attempt]
    health: Mapping[int, tuple[tuple[datetime, bool], ...]]
    under_way: tuple[Attempt, ...]


class Courier:
    """Delivers to all webhooks side by side, and to each in order.

    Args:
        webhooks: By id; who is removed or switched off gets nothing more.
        now: Returns the time, UTC.
        faults: The faults of deliveries.
        for_retry: Returns what the next attempt sends instead of a parcel; its body stays.
        timeout: How many seconds of real time a receiver has for its answer.

    Attributes:
        log: All attempts, in the order in which they ended.
        retries: The deliveries that wait for their next attempt.
        watchers: Each is called with every attempt that has ended, and when the next one comes.
    """

    def __init__(
        self,
        webhooks: Mapping[int, Webhook],
        now: Callable[[], datetime],
        faults: Faults,
        *,
        for_retry: Callable[[Parcel], Parcel] = lambda parcel: parcel,
        timeout: float = 3.0,
    ) -> None:
        self._webhooks = webhooks
        self._now = now
        self._faults = faults
        self._for_retry = for_retry
        # Each waits for the delivery that is to come before it.
        self._held: dict[int, Attempt] = {}
        self._health: dict[int, Health] = {}
        self._lanes: dict[int, _Lane] = {}
        self.timeout = timeout
        self.log: list[Delivery] = []
        self.retries: Agenda[Attempt] = Agenda()
        self.watchers: list[Watch] = []

    def send(self, parcel: Parcel) -> None:
        """Start to deliver *parcel*, unless a fault is meant for it."""
        attempt = Attempt(parcel, 1)
        rule = self._faults.for_delivery(parcel.event)
        match rule and rule.fault:
            case DeliveryFault.DROP:
                return
            case DeliveryFault.DELAY:
                assert rule is not None
                self.retries.put(attempt, self._now() + timedelta(seconds=rule.seconds))
                return
            case DeliveryFault.REORDER if parcel.webhook_id not in self._held:
                self._held[parcel.webhook_id] = attempt
                return
            case DeliveryFault.DUPLICATE:
                self._start(attempt)
                self._start(attempt)
            case DeliveryFault.UNREADABLE_FIELD:
                self._start(Attempt(spoiled(parcel), 1))
            case DeliveryFault.BAD_SIGNATURE:
                self._start(attrs.evolve(attempt, signature_fault=DeliveryFault.BAD_SIGNATURE))
            case DeliveryFault.UNSIGNED:
                self._start(attrs.evolve(attempt, signature_fault=DeliveryFault.UNSIGNED))
            case _:
                self._start(attempt)
        held = self._held.pop(parcel.webhook_id, None)
        if held is not None:
            self._start(held)

    def send_again(self, parcel: Parcel) -> None:
        """Attempt *parcel* once more, whatever came of it before."""
        before = sum(done.request_id == parcel.request_id for done in self.log)
        self._start(Attempt(parcel, before + 1, is_repeated=False))

    def retry_next(self) -> None:
        """Start the retry that comes due next."""
        self._start(self.retries.take()[1])

    async def delivered(self) -> None:
        """Wait until no attempt is under way; a retry that is not due yet does not count."""
        while self._lanes:
            await next(iter(self._lanes.values())).is_empty.wait()

    async def close(self) -> None:
        """Give up what is under way; it leaves no trace in the log."""
        self._give_up()
        with anyio.CancelScope(shield=True):
            await self.delivered()

    def keep(self) -> CourierState:
        """Return all that is to be known to go on from here."""
        lanes = self._lanes.values()
        return CourierState(
            log=tuple(self.log),
            retries=self.retries.copied(),
            held={**self._held},
            health={webhook_id: health.attempts for webhook_id, health in self._health.items()},
            under_way=tuple(attempt for lane in lanes for attempt in (*lane.making, *lane.waiting)),
        )

    def put_back(self, state: CourierState) -> None:
        """Give up what is under way, and go on from *state*.

        Attempts that were under way then start again; without an event loop they wait for the
        clock to be moved.
        """
        self._give_up()
        self._lanes.clear()
        self.log[:] = state.log
        self.retries = state.retries.copied()
        self._held = {**state.held}
        self._health = {webhook_id: Health(rows) for webhook_id, rows in state.health.items()}
        for attempt in state.under_way:
            if background.is_possible():
                self._start(attempt)
            else:
                self.retries.put(attempt, self._now())

    def _give_up(self) -> None:
        for lane in self._lanes.values():
            lane.waiting.clear()
            lane.scope.cancel()

    def _start(self, attempt: Attempt) -> None:
        webhook_id = attempt.parcel.webhook_id
        if webhook_id in self._lanes:
            self._lanes[webhook_id].waiting.append(attempt)
            return
        lane = self._lanes[webhook_id] = _Lane()
        lane.waiting.append(attempt)
        background.start(partial(self._drain, webhook_id, lane))

    async def _drain(self, webhook_id: int, lane: _Lane) -> None:
        try:
            with lane.scope:
                while lane.waiting:
                    lane.making[:] = [lane.waiting.popleft()]
                    await self._carry(lane.making[0], lane)
                    lane.making.clear()
        finally:
            if self._lanes.get(webhook_id) is lane:
                del self._lanes[webhook_id]
            lane.is_empty.set()

    async def _carry(self, attempt: Attempt, lane: _Lane) -> None:
        webhook = self._webhooks.get(attempt.parcel.webhook_id)
        if webhook is None or not webhook.enabled:
            return
        delivery = await self._attempt(webhook, attempt)
        if lane.scope.cancel_called:
            return
        self.log.append(delivery)
        is_on = self._stays_on(webhook, delivery)
        may_retry = attempt.is_repeated and attempt.number < webhook.tries
        due = None
        if may_retry and not delivery.succeeded:
            due = self._now() + RETRY_AFTER[attempt.number - 1]
            parcel = self._for_retry(attempt.parcel)
            self.retries.put(Attempt(parcel, attempt.number + 1), due)
        for watch in self.watchers:
            watch(delivery, due if is_on else None)

    def _stays_on(self, webhook: Webhook, delivery: Delivery) -> bool:
        """Switch off a webhook that fails nearly always; return whether it is still on."""
        health = self._health.setdefault(webhook.id, Health())
        health.note(delivery)
        if health.is_bad:
            webhook.enabled = False
            # A webhook that is switched on again has another chance.
            del self._health[webhook.id]
        return webhook.enabled

    async def _attempt(self, webhook: Webhook, attempt: Attempt) -> Delivery:
        parcel, at = attempt.parcel, self._now()
        # With the secret of now: a retry is not signed with the one of its first attempt.
        headers = signed_headers(webhook, parcel.request_id, parcel.body)
        if attempt.signature_fault is DeliveryFault.UNSIGNED:
            headers.pop("Signature", None)
        elif attempt.signature_fault is DeliveryFault.BAD_SIGNATURE:
            headers["Signature"] = "0" * 64
        receipt = error = None
        try:
            with anyio.fail_after(self.timeout):
                receipt = await post(webhook, parcel.body, headers, self.timeout)
        except TimeoutError:
            error = f"no answer within {self.timeout:g} s"
        # A mistake of a receiver belongs in the log; on trio it would end the event loop.
        except Exception as problem:  # noqa: BLE001 - as said above
            error = f"{type(problem).__name__}: {problem}"
        return Delivery(
            webhook_id=webhook.id,
            url=webhook.url,
            event=parcel.event,
            event_id=parcel.event_id,
            request_id=parcel.request_id,
            attempt=attempt.number,
            at=at,
            status=None if receipt is None else receipt.status,
            error=error,
            body=parcel.body,
            object_id=parcel.object_id,
            headers=headers,
            answer_headers={} if receipt is None else receipt.headers,
            answer=b"" if receipt is None else receipt.body,
        )
