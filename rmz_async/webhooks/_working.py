"""The background of a receiver: look for tasks, have them run or handed over, forget old ones."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Any

import anyio
import attrs

from rmz_async._calls.refusals import quoted
from rmz_async.webhooks._threads import in_thread
from rmz_async.webhooks._worker import Worker
from rmz_async.webhooks.inbox.records import Task

logger: logging.Logger = logging.getLogger("rmz_async")

# Seconds between two looks at the inbox, because another process may have stored a delivery.
POLL = 0.5

# Seconds between two times at which old deliveries are forgotten.
CLEANING = 3600.0


class Signal:
    """Wakes the background, from any thread."""

    def __init__(self) -> None:
        loop: Any = anyio.lowlevel.current_token().native_token
        # asyncio's loop has the first, trio's token the second. Neither blocks.
        self._soon: Callable[[Callable[[], object]], object] = (
            getattr(loop, "call_soon_threadsafe", None) or loop.run_sync_soon
        )
        self._thread = threading.get_ident()
        self._is_set = False
        # None if no task waits.
        self._event: anyio.Event | None = None

    def set(self) -> None:
        """Wake the background."""
        if self._thread == threading.get_ident():
            self._set()
            return
        # The event loop may have ended meanwhile.
        with suppress(RuntimeError):
            self._soon(self._set)

    def clear(self) -> None:
        """Let `wait` wait again."""
        self._is_set = False

    async def wait(self) -> None:
        """Wait for a `set` since the latest `clear`."""
        if not self._is_set:
            self._event = anyio.Event()
            await self._event.wait()

    def _set(self) -> None:
        self._is_set = True
        if self._event is not None:
            self._event.set()
            self._event = None


@attrs.define(eq=False, repr=False)
class Background:
    """The work of one ``working()`` block.

    Attributes:
        worker: Runs the tasks.
        signal: Is set if there may be something to do.
        concurrency: How many handlers may run at the same time.
        forget_after: Seconds after which deliveries that are done are forgotten; None for never.
        hand_over: Hands what is due over to a queue, in place of running it here; None to run it.
    """

    worker: Worker
    signal: Signal
    concurrency: int
    forget_after: float | None
    hand_over: Callable[[], Awaitable[object]] | None
    _limiter: anyio.CapacityLimiter = attrs.field(init=False)
    _is_stopping: bool = attrs.field(init=False, default=False)
    # The claimed tasks that wait for a free place here.
    _claimed: deque[Task] = attrs.field(init=False, factory=deque[Task])
    _busy: int = attrs.field(init=False, default=0)

    def __attrs_post_init__(self) -> None:
        self._limiter = anyio.CapacityLimiter(self.concurrency)

    def stop(self) -> None:
        """Begin no other handler, and end as soon as no handler runs."""
        self._is_stopping = True
        self.signal.set()

    async def run(self) -> None:
        """Work until `stop`, or until this is cancelled."""
        stop_listening = await in_thread(self._listen)
        try:
            async with anyio.create_task_group() as clocks:
                clocks.start_soon(self._poll)
                clocks.start_soon(self._forget)
                async with self.worker.keeping_leases() as leased:
                    await self._work(leased)
                clocks.cancel_scope.cancel()
        finally:
            with anyio.CancelScope(shield=True):
                await in_thread(stop_listening)

    def _listen(self) -> Callable[[], None]:
        try:
            return self.worker.inbox.listen(self.signal.set)
        except Exception as error:  # noqa: BLE001 - each database has errors of its own
            _report("nothing wakes the worker, which looks by itself", error)
            return _nothing

    async def _work(self, leased: set[Task]) -> None:
        try:
            async with anyio.create_task_group() as group:
                while not self._is_stopping:
                    self.signal.clear()
                    if self._busy < self.concurrency and not self._claimed:
                        await self._find(leased)
                    while self._may_begin():
                        self._busy += 1
                        group.start_soon(self._run, self._claimed.popleft(), leased)
                    # With room left and nothing claimed, only the signal brings something new.
                    await self.signal.wait()
        finally:
            if self._claimed:
                await self.worker.give_back(self._claimed)

    def _may_begin(self) -> bool:
        # `stop` may come while tasks are claimed.
        return bool(self._claimed) and self._busy < self.concurrency and not self._is_stopping

    async def _find(self, leased: set[Task]) -> None:
        try:
            if self.hand_over is not None:
                await self.hand_over()
            else:
                self._claimed.extend(await self.worker.claim(self.concurrency))
                leased.update(self._claimed)
        except Exception as error:  # noqa: BLE001 - each database has errors of its own
            _report("the inbox cannot be read", error)

    async def _run(self, task: Task, leased: set[Task]) -> None:
        try:
            await self.worker.run(task, leased, self._limiter)
        finally:
            self._busy -= 1
            self.signal.set()

    async def _poll(self) -> None:
        while True:
            await self.worker.clock.sleep(POLL)
            self.signal.set()

    async def _forget(self) -> None:
        while self.forget_after is not None:
            try:
                await in_thread(partial(self.worker.inbox.purge, older_than=self.forget_after))
            except Exception as error:  # noqa: BLE001 - each database has errors of its own
                _report("old deliveries were not forgotten", error)
            await self.worker.clock.sleep(CLEANING)


@asynccontextmanager
async def working(background: Background, grace: float) -> AsyncGenerator[None]:
    """Run the background while the block runs; then give its handlers *grace* seconds to end."""
    failure: BaseException | None = None
    async with anyio.create_task_group() as group:
        ended = anyio.Event()

        async def run() -> None:
            await background.run()
            ended.set()

        group.start_soon(run)
        try:
            yield
        except (Exception, SystemExit, KeyboardInterrupt) as error:  # noqa: BLE001 - raised below
            failure = error
        background.stop()
        with anyio.move_on_after(grace):
            await ended.wait()
        group.cancel_scope.cancel()
    # Inside of the group it would become a part of an exception group, which ends no program.
    if failure is not None:
        raise failure


def _report(what: str, error: Exception) -> None:
    # Without a traceback: the database may be down for a moment, and the next look may succeed.
    logger.error("%s: %s", what, quoted(f"{type(error).__name__}: {error}"))


def _nothing() -> None:
    return None
