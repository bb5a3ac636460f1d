"""Compare what is known with RMZ's list, and make up for the events that never came."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from rmz_async._calls.clock import Clock
from rmz_async.errors import ConfigurationError
from rmz_async.models.subscriptions import Subscription
from rmz_async.pagination import Page
from rmz_async.webhooks._comparing import body_of, changes, state_of
from rmz_async.webhooks._handlers import Handlers, subject_of
from rmz_async.webhooks._keys import storable
from rmz_async.webhooks._reading import RECONCILED, event_of
from rmz_async.webhooks.inbox.interface import Inbox
from rmz_async.webhooks.inbox.known import KnownStates, Seen, Walk
from rmz_async.webhooks.inbox.records import Delivery
from rmz_async.webhooks.reconciliation import Reconciliation

LEASE = 180.0
"""Seconds after which a walk counts as abandoned; longer than any page takes."""

LAG = 30.0
"""Seconds by which RMZ's answer may be older than the question, because it reads from a replica."""


class Comparison:
    """A walk through RMZ's list; the methods that are not properties block.

    Args:
        feed_first: Whether unknown subscriptions are events in the first walk, too.
        delay: Seconds until the tasks of events are due.

    Raises:
        ConfigurationError: The inbox keeps no states, or *per_minute* breaks its rule.
    """

    def __init__(
        self,
        inbox: Inbox,
        handlers: Handlers,
        clock: Clock,
        *,
        per_minute: int,
        feed_first: bool,
        delay: float,
    ) -> None:
        if type(per_minute) is not int or per_minute < 1:
            raise ConfigurationError("per_minute: must be an integer of 1 or more")
        if not isinstance(inbox, KnownStates):
            raise ConfigurationError("inbox: must have the methods of KnownStates to reconcile")
        self._inbox = inbox
        self._handlers = handlers
        self._clock = clock
        self._pause = 60.0 / per_minute
        self._feed_first = feed_first
        self._delay = delay
        self._walk: Walk | None = None
        self._asked: float | None = None
        self._report = Reconciliation(
            pages=0, subscriptions=0, events=0, is_complete=False, is_first=False
        )

    @property
    def report(self) -> Reconciliation:
        """The findings so far."""
        return self._report

    def begin(self) -> int | None:
        """Return the page to begin with; None if another process compares now."""
        self._walk = walk = self._inbox.resume(lease=LEASE)
        if walk is None:
            return None
        self._report = attrs.evolve(self._report, is_first=walk.is_first)
        return walk.page

    def pause(self) -> float:
        """Return the seconds to wait until the next page is asked for."""
        if self._asked is None:
            return 0.0
        return max(0.0, self._asked + self._pause - self._clock.clock())

    def ask(self) -> None:
        """Note that a page is asked for now."""
        self._asked = self._clock.clock()

    def compare(self, page: Page[Subscription]) -> Sequence[int] | None:
        """Return the numbers of the events that a page has brought; None if the walk was lost."""
        assert self._walk is not None
        assert self._asked is not None
        walk = attrs.evolve(self._walk, page=page.number)
        stored = self._inbox.compare(
            walk,
            [
                Seen(subject=storable(f"subscription:{each.id}"), state=state_of(each), source=each)
                for each in page.items
            ],
            self._missing,
            asked=self._clock.clock() - self._asked + LAG,
            lease=LEASE,
            delay=self._delay,
        )
        if stored is None:
            self._walk = None
            return None
        self._report = attrs.evolve(
            self._report,
            pages=self._report.pages + 1,
            subscriptions=self._report.subscriptions + len(page.items),
            events=self._report.events + len(stored),
        )
        return stored

    def finish(self) -> None:
        """Note that the end of the list was reached."""
        self._report = attrs.evolve(self._report, is_complete=True)

    def leave(self) -> None:
        """Let other processes compare."""
        if self._walk is not None:
            self._inbox.leave(self._walk, is_complete=self._report.is_complete)

    def _missing(self, seen: Seen, known: Mapping[str, Any]) -> Sequence[Delivery]:
        if not known and self._report.is_first and not self._feed_first:
            return ()
        kinds = changes(known, seen.state)
        return [self._delivery(body_of(kind, seen.source, seen.state)) for kind in kinds]

    def _delivery(self, body: bytes) -> Delivery:
        event = event_of(body, None, RECONCILED)
        return Delivery(
            key=event.dedupe_key,
            name=event.event,
            body=body,
            secret_index=RECONCILED,
            subject=subject_of(event),
            handlers=self._handlers.wanting(event),
        )
