"""Store verified deliveries, answer RMZ, and run handlers for them afterwards."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING

import anyio

from rmz_async.client import Client
from rmz_async.errors import ConfigurationError
from rmz_async.webhooks._ack import STORED, Ack, not_stored
from rmz_async.webhooks._core import ReceiverCore
from rmz_async.webhooks._headers import Headers
from rmz_async.webhooks._replaying import Replay
from rmz_async.webhooks._threads import in_thread
from rmz_async.webhooks.health import Health
from rmz_async.webhooks.inbox.interface import Stats
from rmz_async.webhooks.reconciliation import PAGES, Reconciliation

if TYPE_CHECKING:
    from rmz_async.webhooks._intake import Arrival

__all__ = ("Ack", "Receiver", "Replay")


class Receiver(ReceiverCore):
    """Receives deliveries: each event is stored once, and each of its handlers succeeds once.

    A handler runs after the answer to RMZ. If it fails, it is attempted again later, and after the
    last attempt the error stays in the inbox. A process that dies in the middle of a handler makes
    the handler run again: use `transaction` so that its effect happens once.

    Register all handlers before the first delivery, in each process that receives.

    Args:
        secrets: See `verify`.
        inbox: ``sqlite:///`` and the path of a file, which all processes of one machine may share;
            ``postgresql://`` and the address of a database; or an `Inbox` of your own.
        max_attempts: How many attempts a handler gets for each event, 1 or more.
        backoff: A function that gets the number of an attempt, counted from 1, and returns the
            seconds until the next one. The wait is a random time between half of these seconds and
            all of them. If left out: 5 seconds, 20, 80 and so on, up to an hour.
        forget_after: Seconds after which a delivery is forgotten, if all its handlers have
            succeeded; 7 days if left out, None for never. An event that was forgotten counts as new
            if somebody sends it again.
        handler_timeout: Seconds that an attempt of an async handler may take.
        allow_unsigned: See `verify`.
        observer: Gets a record of each delivery and of each attempt of a handler; see
            :mod:`rmz_async.observing`.

    Raises:
        ConfigurationError: The inbox's address is of no known kind, or an option breaks a rule.
    """

    async def receive(self, body: bytes, headers: Headers | None) -> Ack:
        """Verify and store a delivery, and return the answer to RMZ.

        Args:
            body: The raw body of the request.
            headers: All headers of the request, as for `verify`.

        Returns:
            200 if the delivery is stored, or its event was known before. 401 if RMZ did not sign
            the body. 503 if it could not be stored, and 500 if the secrets cannot be used; RMZ
            delivers it again later. A signed body that cannot be read is stored, too.
        """
        parts = self._parts
        began = parts.clock.clock()
        found = parts.intake.arrival_of(body, headers)
        ack, inbox_id = (found, None) if isinstance(found, Ack) else await self._stored(found)
        return parts.answered(found, ack, inbox_id, parts.clock.clock() - began)

    async def _stored(self, arrival: Arrival) -> tuple[Ack, int | None]:
        try:
            inbox_id = await self._parts.deliveries.submit(arrival)
        except Exception as error:  # noqa: BLE001 - each database has errors of its own
            return not_stored(error), None
        if inbox_id is not None and arrival.read().handlers:
            if self._parts.hand_over is not None:
                await self._parts.hand_over.hand_over(inbox_id)
            self._parts.wake()
        return STORED, inbox_id

    @asynccontextmanager
    async def working(self, *, concurrency: int = 10, grace: float = 5.0) -> AsyncGenerator[None]:
        """Run the handlers in the background for as long as the block runs.

        Several processes may do so with one inbox. If one of them dies, the others take over its
        events after 30 seconds.

        Args:
            concurrency: How many handlers may run at the same time, 1 or more.
            grace: Seconds that running handlers get at the end of the block. Then they are
                cancelled, and run again later. A plain handler cannot be cancelled, and runs to its
                end.
        """
        async with self._parts.working(concurrency, grace):
            yield

    async def drain(self) -> int:
        """Run all handlers that are due, one after another; for tests and for cron jobs.

        Returns:
            How many handlers ran.
        """
        return await self._parts.drain()

    async def run_one(self, inbox_id: int) -> int:
        """Run the waiting handlers of one delivery, due or not; for the worker of a queue.

        Args:
            inbox_id: The number that was handed over.

        Returns:
            How many handlers ran; their errors are in the inbox, and they are handed over again.
        """
        return await self._parts.run_one(inbox_id)

    async def replay(self, inbox_id: int, *, dry_run: bool = False) -> Sequence[Replay]:
        """Run the handlers of a delivery again, with all their attempts.

        Handlers that were registered after the delivery came are among them. A handler that runs at
        this moment is not started a second time.

        Args:
            inbox_id: The delivery's number in the inbox.
            dry_run: Change nothing.

        Returns:
            The handlers that run again, or would; empty if there is no such delivery, if it is not
            an event, or if no handler wants it.
        """
        call = partial(self.replayed, inbox_id, dry_run=dry_run)
        return await in_thread(call, anyio.to_thread.current_default_thread_limiter())

    async def reconcile(
        self, rmz: Client, *, per_minute: int = PAGES, feed_first: bool = False
    ) -> Reconciliation:
        """Compare all subscriptions with those that the inbox knows, and make up for missed events.

        If a webhook fails too often, RMZ switches it off, and never delivers the events of that
        time. So the comparison stores an event for each change that no event announced. These
        events are handled like the others; `Event.is_reconciled` marks them. The first comparison
        learns all subscriptions, and later ones count unknown subscriptions as new. If a comparison
        was cut off less than an hour ago, the next one goes on from there.

        Args:
            rmz: The client; its ``pacing`` holds, too.
            per_minute: The most pages of 15 to ask for in a minute, 1 or more.
            feed_first: Let the first comparison make an event of each unknown subscription, too.

        Returns:
            A report. If another process is comparing at this moment, the report is not complete.

        Raises:
            RMZError: As ``subscriptions.list`` does. The next comparison goes on from there.
            ConfigurationError: *rmz* is a client of ``rmz_sync``, *per_minute* breaks its rule, or
                the inbox keeps no known states.
        """
        if hasattr(rmz, "__enter__"):
            raise ConfigurationError("rmz: must be a Client of rmz_async, as this receiver is")
        return await self.reconciled(rmz, per_minute, feed_first)

    async def stats(self) -> Stats:
        """Return how many deliveries and tasks the inbox holds."""
        limiter = anyio.to_thread.current_default_thread_limiter()
        return await in_thread(self.inbox.stats, limiter)

    async def health(self) -> Health:
        """Return how this receiver is doing, for a status page.

        The figures are those of this process: its latest 100 answers to RMZ.
        """
        return self._parts.monitor.report(await self.stats())

    async def aclose(self) -> None:
        """Close the inbox."""
        await in_thread(self.inbox.close)
