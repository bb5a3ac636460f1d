"""The background of a paywall: old answers are asked for again, and a file keeps the payers."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

import anyio

from rmz_async.paywall._doubts import Doubts
from rmz_async.paywall._memory import Memory
from rmz_async.paywall._refreshing import Refreshing
from rmz_async.paywall._snapshot import Snapshot
from rmz_async.paywall.access import Access
from rmz_async.paywall.sharing import Change, Changes

__all__ = ("Background",)

logger: logging.Logger = logging.getLogger("rmz_async.paywall")

SNAPSHOT_EVERY = 60.0

# Seconds. A canceled customer keeps access so much longer in processes that got no webhook.
CHANGES_EVERY = 1.0


class Background:
    """Asks RMZ again and writes the snapshot, so that no check waits for it.

    Args:
        memory: The known payers.
        doubts: The users of whom an event has reported a change.
        refreshing: Asks RMZ again.
        snapshot: The file of the known payers; None if there is none.
        remember: Takes over an answer from the file.
        changes: Returns the changes that were reported to other processes; None if there are none.
        note: Takes over such a change.
    """

    def __init__(
        self,
        memory: Memory,
        doubts: Doubts,
        refreshing: Refreshing,
        snapshot: Snapshot | None,
        remember: Callable[[str, Access], None],
        changes: Callable[[str | None], Awaitable[Changes | None]] | None,
        note: Callable[[Change], None],
    ) -> None:
        self._memory = memory
        self._doubts = doubts
        self._refreshing = refreshing
        self._snapshot = snapshot
        self._remember = remember
        self._changes = changes
        self._note = note
        self._is_loaded = False

    @asynccontextmanager
    async def working(self) -> AsyncGenerator[None]:
        """Ask RMZ again in the background, and keep the snapshot, for as long as the block runs."""
        await self.load()
        self.begin()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self.work)
            try:
                yield
            finally:
                tasks.cancel_scope.cancel()
                with anyio.CancelScope(shield=True):
                    await self.save()

    def begin(self) -> None:
        """Leave old answers to the background from now on, because `work` is about to begin."""
        self._refreshing.begin()

    async def work(self) -> None:
        """Do the work of the background until this is cancelled."""
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._refreshing.run)
            if self._changes is not None:
                tasks.start_soon(self._follow, self._changes)
            while True:
                # Real time, also in a sandbox: a file on a disk is for the next process.
                await anyio.sleep(SNAPSHOT_EVERY)
                await self.save()

    async def _follow(self, changes: Callable[[str | None], Awaitable[Changes | None]]) -> None:
        mark = None
        while True:
            found = await changes(mark)
            if found is not None:
                mark = found.mark
                for change in found.changes:
                    self._note(change)
            # Real time, also in a sandbox: the other processes live in it.
            await anyio.sleep(CHANGES_EVERY)

    async def load(self) -> None:
        """Take over the payers of the snapshot."""
        if self._snapshot is None:
            return
        for user, access, reported in await anyio.to_thread.run_sync(self._snapshot.read):
            overtaken = self._doubts.overtook(user, access.checked_at, None)
            if self._memory.payer(user) is None and not overtaken:
                if reported is not None:
                    self._doubts.add(user, reported)
                self._remember(user, access)
        self._is_loaded = True

    async def save(self) -> None:
        """Write the snapshot in a thread; see `write`."""
        await anyio.to_thread.run_sync(self.write)

    def write(self) -> None:
        """Write the snapshot; a failure is logged."""
        # A paywall that was never asked knows nobody, and leaves the file to the next process.
        if self._snapshot is None or not self._is_loaded:
            return
        answers = (
            (user, entry.access, self._doubts.reported_at(user))
            for user, entry in self._memory.payers()
        )
        try:
            self._snapshot.write(answers)
        except OSError as error:
            logger.warning("The paywall's snapshot cannot be written: %s", error)
