"""The thread of a client: an anyio portal with its event loop, and the jobs that it runs."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import anyio
from anyio import from_thread
from anyio.from_thread import BlockingPortal
from anyio.lowlevel import current_token

from rmz_async.errors import ConfigurationError, ConnectionFailedError
from rmz_sync._cut_off import CLOSED
from rmz_sync._job import Job
from rmz_sync._loop import new_loop

SLICE = 0.1
"""Seconds between two looks at whether a thread still lives. Ctrl-C is late by that much at most,
if a lock cannot be interrupted: on Windows, or if another thread received the signal."""

GRACE = 2.0
"""Seconds that cancelled jobs may take to clean up."""

_living: set[PortalThread] = set()
# Their loops hold open connections. A forked child keeps what it inherited in this set until it
# ends: a loop that is freed unregisters its connections in the epoll object that both processes
# share.


class PortalThread:
    """An anyio portal in a daemon thread, for one process.

    Attributes:
        finish_error: The error of *finish*, or None.
        successor: The thread that was made because this one has ended.
    """

    successor: PortalThread | None = None
    _starter: tuple[int] | None = None

    def __init__(self, finish: Callable[[], Awaitable[object]]) -> None:
        self.finish_error: Exception | None = None
        self._start_error: Exception | None = None
        # Kept also so that the connections live as long as the thread: Python warns of those that
        # are freed open, as it exits.
        self._finish = finish
        self._finishes = False
        self._pid = os.getpid()
        # The jobs of every thread that is inside `run`.
        self._jobs: set[Job[Any]] = set()
        self._started = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._last_task: asyncio.Task[None] | None = None
        self._ending = self._over = False
        # A daemon, because Python waits for every other thread before it exits.
        self._thread = threading.Thread(target=self._live, name="rmz-sync", daemon=True)

    @property
    def alive(self) -> bool:
        """Whether a job that is handed over now will run."""
        return self.is_ours and not self._over

    @property
    def is_ours(self) -> bool:
        """Whether this process made the thread, and does not exit yet."""
        return self._pid == os.getpid() and not sys.is_finalizing()

    @property
    def is_current(self) -> bool:
        """Whether the caller runs in this thread."""
        return self._thread is threading.current_thread()

    @property
    def is_busy(self) -> bool:
        """Whether a caller waits for a job."""
        return bool(self._jobs)

    def ready(self) -> bool:
        """Start the thread, unless it was started, and return whether it takes jobs."""
        # If a process forks in the middle of the start, its child would never stop waiting.
        if self.is_ours and not self._started.is_set():
            mine = (threading.get_ident(),)
            starter = vars(self).setdefault("_starter", mine)
            if starter is mine:
                self._start()
            elif starter == mine:
                # This is a finalizer or a signal handler, in the middle of the start.
                self._abandon()
            while not self._started.wait(SLICE):
                pass
            if self._start_error is not None:
                raise ConnectionFailedError(
                    "nothing was sent, because no event loop could be started for this client "
                    f"({self._start_error}): close files or raise their limit, then retry"
                ) from self._start_error
        return self.alive

    def run(self, job: Job[Any]) -> None:
        """Run *job* and wait for its end; if the wait is interrupted, cancel it."""
        self._jobs.add(job)
        try:
            step = self._begin
            while self.alive and not job.over:
                from_thread.run(step, job, token=self._token)
                step = self._wait
            job.refuse()
        except BaseException as error:
            self._cancel(job)
            # A condition that is interrupted as it takes its lock again hides the interruption.
            hidden = error.__context__
            if hidden is not None and "un-acquired lock" in str(error):
                raise hidden from None
            # anyio raises RuntimeError if the loop has ended; any other is a signal handler's.
            if self.alive or not isinstance(error, RuntimeError):
                raise
        finally:
            self._jobs.discard(job)

    def end(self) -> None:
        """Ask the thread to cancel its jobs and to end; do not wait, as a finalizer may ask."""
        self._finishes = True
        self._end_soon()

    def join(self) -> None:
        """Wait until the thread has ended, within a time limit."""
        # A finalizer may run in any thread, also in this one.
        if self._thread.is_alive() and not self.is_current:
            self._thread.join(2 * GRACE)

    def _start(self) -> None:
        try:
            self._thread.start()
        except BaseException as error:
            self._abandon()
            if isinstance(error, RuntimeError) and self._thread.ident is None:
                raise ConfigurationError(f"no thread for this client: {error}") from error
            raise

    def _abandon(self) -> None:
        self._over = True
        self._end_soon()
        self._started.set()

    def _end_soon(self) -> None:
        self._ending = True
        if self._loop is not None:
            with suppress(RuntimeError):  # The loop was closed a moment ago.
                self._loop.call_soon_threadsafe(self._end)

    async def _begin(self, job: Job[Any]) -> None:
        if self._ending:
            job.refuse()
        else:
            job.start()
            await job.wait(SLICE)

    async def _wait(self, job: Job[Any]) -> None:
        # In slices, so that no caller waits for a job that cannot be cancelled, or for a loop that
        # has ended.
        await job.wait(SLICE)

    def _cancel(self, job: Job[Any]) -> None:
        if not self.alive:
            job.refuse()
        elif not job.over and self._loop is not None:
            ended = asyncio.run_coroutine_threadsafe(self._interrupt(job), self._loop)
            # Not through anyio, which has no time limit: a blocked loop would hold up Ctrl-C.
            with suppress(RuntimeError, TimeoutError):
                ended.result(GRACE)

    async def _interrupt(self, job: Job[Any]) -> None:
        job.cancel("interrupted")
        await job.wait(GRACE)

    def _live(self) -> None:
        _living.add(self)
        try:
            # Without asyncio's debug mode, which would make every call five times slower.
            with asyncio.Runner(debug=False, loop_factory=new_loop) as runner:
                self._loop = runner.get_loop()
                serving = self._loop.create_task(self._serve())
                try:
                    self._loop.run_until_complete(serving)
                finally:
                    # A stray task may have stopped the loop, by SystemExit for instance.
                    self._end()
                    self._loop.run_until_complete(serving)
        except Exception as error:
            if self._started.is_set():
                raise
            self._start_error = error
        finally:
            self._over = True
            self._started.set()
            _living.discard(self)

    async def _serve(self) -> None:
        async with BlockingPortal() as portal:
            self._portal = portal
            self._token = current_token()
            self._started.set()
            if self._ending:
                self._end()
            await portal.sleep_until_stopped()

    def _end(self) -> None:
        if self._last_task is None:
            self._last_task = asyncio.ensure_future(self._wind_up(), loop=self._loop)

    async def _wind_up(self) -> None:
        self._ending = True
        jobs = list(self._jobs)
        for job in jobs:
            job.cancel(CLOSED)
        if tasks := [job.task for job in jobs if job.task is not None]:
            await asyncio.wait(tasks, timeout=GRACE)
        try:
            if self._finishes:
                await self._finish()
        except Exception as error:  # noqa: BLE001 - the thread that waits in join() raises it
            self.finish_error = error
        # A token function that cannot be cancelled keeps this thread. Its caller need not wait:
        # without connections the call sends nothing any more.
        self._over = True
        # A caller that comes just now must find the loop still running, or would never stop
        # waiting.
        with anyio.move_on_after(5 * SLICE):
            while self.is_busy:  # noqa: ASYNC110 - other threads set no event when they leave
                await anyio.sleep(0.001)
        await self._portal.stop()
