"""The records of a sandbox, which tests look at, and the events that they make it send."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from rmz_async.sandbox.backend import Backend
from rmz_async.sandbox.delivery.log import Deliveries, Delivery
from rmz_async.sandbox.delivery.webhook import Webhook
from rmz_async.sandbox.faults.faults import Faults
from rmz_async.sandbox.serving.request_log import Requests
from rmz_async.sandbox.shapes.events import Event
from rmz_async.sandbox.store.ledger import Ledger
from rmz_async.sandbox.store.switches import Switches

__all__ = ("Observed",)


class Observed:
    """The records of a sandbox.

    Attributes:
        seed: Repeats this run's ids of events and faults, if it is given to another sandbox.
    """

    seed: int | str
    _backend: Backend

    @property
    def switches(self) -> Switches:
        """The behaviour where the documentation leaves a choice, or servers disagree."""
        return self._backend.store.switches

    @property
    def faults(self) -> Faults:
        """The faults of calls and deliveries; `Faults.add` starts one."""
        return self._backend.faults

    @property
    def webhooks(self) -> tuple[Webhook, ...]:
        """The webhooks, in the order in which they were added."""
        return tuple(self._backend.webhooks.values())

    @property
    def deliveries(self) -> Deliveries:
        """The attempts to deliver an event, in the order in which they ended."""
        return Deliveries.of_run(self._backend.courier.log, self.seed)

    @property
    def requests(self) -> Requests:
        """The latest thousand requests of the API, in the order in which they were answered."""
        return Requests.of_run(self._backend.requests, self.seed)

    @property
    def ledger(self) -> Ledger:
        """The changes by calls, pages and time, in order; a refused call changes nothing."""
        return Ledger(self._backend.ledger)

    def emit(self, event: Event | str, object_id: int) -> None:
        """Send *event* about an object as it is now, whatever has happened to it.

        Args:
            event: Such as ``subscription.renewed``.
            object_id: The id of a subscription or, for an event about orders, of an order.

        Raises:
            ValueError: There is no such event, or no such object.
        """
        self._backend.emit(Event(event), object_id)

    def send_again(self, delivery: Delivery) -> None:
        """Attempt *delivery* again: the same body and request id, signed as of now."""
        self._backend.courier.send_again(delivery.parcel)

    def watch_deliveries(self, watch: Callable[[Delivery, datetime | None], object]) -> None:
        """Call *watch* when an attempt to deliver has ended.

        Args:
            watch: Takes the attempt, and when the next one is due, UTC; None if there is none.
        """
        self._backend.courier.watchers.append(watch)
