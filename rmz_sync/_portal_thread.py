"""The thread of a client: an anyio portal with its event loop, and the jobs that it runs.

anyio's functions for other threads wait under a lock of `concurrent.futures`. Ctrl-C can leave that
lock locked, and the loop would wait for it for ever, with all its calls. So a calling thread waits
for one lock that is its job's own and that the loop only ever releases.
"""

from __future__ import annotations

import _thread
import asyncio
import math
import os
import sys
import threading
import time
from collections.abc import Awaitable, Callable
from typing import Any

from anyio.from_thread import BlockingPortal

from rmz_async.errors import ConfigurationError, ConnectionFailedError, RMZError
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
    """

    # An attribute of the class, as the loop's clock is, so that a test cannot freeze it.
    _monotonic = staticmethod(time.monotonic)

    def __init__(self, finish: Callable[[], Awaitable[object]]) -> None:
        self.finish_error: Exception | None = None
        # Kept also so that the connections live as long as the thread: Python warns of those that
        # are freed open, as it exits.
        self._finish = finish
        self._finishes = self._ending = self._over = False
        self._pid = os.getpid()
        # The jobs of every thread that is inside `run`.
        self._jobs: set[Job[Any]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._start_error: Exception | None = None
        # No thread waits for this lock: the one that gets it starts the portal's thread.
        self._starter = threading.Lock()
        self._thread: threading.Thread | None = None

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

    def run(self, job: Job[Any]) -> None:
        """Run *job* and wait for its end; if the wait is interrupted, cancel it.

        Raises:
            RMZError: No thread, or no event loop, could be started.
        """
        try:
            self._jobs.add(job)
            if self._loop is None:
                self._start()
            else:
                self._call_soon(self._begin, job)
            self._wait(job, math.inf)
        except BaseException:
            job.stop("interrupted")
            # If there is no loop yet, the job has not begun, and never will.
            if self._loop is not None:
                self._call_soon(job.cancel)
                self._wait(job, GRACE)
            raise
        finally:
            self._jobs.discard(job)
        if self._start_error is not None:
            raise _not_started(self._start_error) from self._start_error

    def end(self) -> None:
        """Ask the thread to cancel its jobs and to end; do not wait, as a finalizer may ask."""
        self._finishes = self._ending = True
        self._call_soon(self._stop)

    def join(self) -> None:
        """Wait until the thread has ended, within a time limit."""
        # A finalizer may run in any thread, also in this one.
        if self._thread is not None and self._thread.is_alive() and not self.is_current:
            self._thread.join(2 * GRACE)

    def _wait(self, job: Job[Any], limit: float) -> None:
        until = self._monotonic() + limit
        # In slices, so that no caller waits for a loop that has ended.
        while not job.over and self.alive and self._monotonic() < until:
            job.ended.acquire(timeout=SLICE)
        if not self.alive:
            job.refuse()

    def _call_soon(self, callback: Callable[..., object], *args: object) -> None:
        if self._loop is not None and self.alive:
            try:
                self._loop.call_soon_threadsafe(callback, *args)
            except RuntimeError:  # from a signal handler, unless the loop was closed a moment ago
                if not self._loop.is_closed():
                    raise

    def _start(self) -> None:
        # In a thread of its own, as `Thread.start` waits under a lock of the new thread.
        try:
            _thread.start_new_thread(self._start_once, ())
        except RuntimeError as error:
            # The error of a signal handler has the handler's frame in its traceback.
            if error.__traceback__ is not None and error.__traceback__.tb_next is not None:
                raise
            raise _not_started(error) from error

    def _start_once(self) -> None:
        if self._starter.acquire(blocking=False):
            try:
                # A daemon, because Python waits for every other thread before it exits.
                self._thread = threading.Thread(target=self._live, name="rmz-sync", daemon=True)
                self._thread.start()
            except Exception as error:  # noqa: BLE001 - the callers raise it
                self._start_error = error
                self._over = True

    def _live(self) -> None:
        _living.add(self)
        try:
            # Without asyncio's debug mode, which would make every call five times slower.
            with asyncio.Runner(debug=False, loop_factory=new_loop) as runner:
                loop = runner.get_loop()
                serving = loop.create_task(self._serve())
                try:
                    loop.run_until_complete(serving)
                except BaseException:
                    # A stray task has stopped the loop, by SystemExit for instance.
                    self._stop()
                    loop.run_until_complete(serving)
                    raise
        except Exception as error:
            if self._loop is not None:
                raise
            self._start_error = error
        finally:
            self._over = True
            _living.discard(self)

    async def _serve(self) -> None:
        async with BlockingPortal() as portal:
            self._portal = portal
            # From here on, a caller hands its job over. A job that came before is looked for here.
            self._loop = asyncio.get_running_loop()
            for job in list(self._jobs):
                self._begin(job)
            if not self._ending:
                await portal.sleep_until_stopped()
            self._ending = True
            await self._cancel_all()
            try:
                if self._finishes:
                    await self._finish()
            except Exception as error:  # noqa: BLE001 - the thread that waits in join() raises it
                self.finish_error = error
            # A token function that cannot be cancelled keeps this thread. Its caller need not wait:
            # without connections the call sends nothing any more.
            self._over = True

    def _begin(self, job: Job[Any]) -> None:
        if self._ending:
            job.stop(CLOSED)
        job.start()

    def _stop(self) -> None:
        self._stopping = asyncio.ensure_future(self._portal.stop(), loop=self._loop)

    async def _cancel_all(self) -> None:
        jobs = list(self._jobs)
        for job in jobs:
            job.stop(CLOSED)
            job.cancel()
        if tasks := [job.task for job in jobs if job.task is not None]:
            await asyncio.wait(tasks, timeout=GRACE)


def _not_started(error: Exception) -> RMZError:
    if isinstance(error, RuntimeError):
        return ConfigurationError(f"no thread for this client: {error}")
    return ConnectionFailedError(
        "nothing was sent, because no event loop could be started for this client "
        f"({error}): close files or raise their limit, then retry"
    )
