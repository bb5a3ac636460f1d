"""The thread of a client: an anyio portal with its event loop, and the jobs that it runs."""

from __future__ import annotations

import _thread
import asyncio
import os
import sys
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from contextvars import copy_context
from importlib import import_module
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
        successor: The thread that was made because this one has ended.
    """

    successor: PortalThread | None = None
    _starter: tuple[int] | None = None

    def __init__(self, finish: Callable[[], Awaitable[object]]) -> None:
        self.finish_error: Exception | None = None
        self._start_error: RMZError | None = None
        # Kept also so that the connections live as long as the thread: Python warns of those that
        # are freed open, as it exits.
        self._finish = finish
        self._finishes = False
        self._pid = os.getpid()
        # The jobs of every thread that is inside `run`.
        self._jobs: set[Job[Any]] = set()
        self._has_started = False
        # Locked until the thread has started. No event: it would keep a lock of its own, which an
        # interrupted caller could leave locked, and the thread would never start.
        self._gate = threading.Lock()
        self._gate.acquire()
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
        if self.is_ours and not self._has_started:
            mine = (threading.get_ident(),)
            starter = vars(self).setdefault("_starter", mine)
            if starter is mine:
                self._start()
            elif starter == mine:
                # This is a finalizer or a signal handler, in the middle of the start.
                self._abandon()
            self._wait_for_start()
            if self._start_error is not None:
                raise self._start_error
        return self.alive

    def run(self, job: Job[Any]) -> None:
        """Run *job* and wait for its end; if the wait is interrupted, cancel it."""
        self._jobs.add(job)
        try:
            # anyio's own way from a thread waits for a future: see `Job`.
            self._call_soon(self._begin, job)
            # In slices, so that no caller waits for a loop that has ended.
            while not job.wait(SLICE) and self.alive:
                pass
            job.refuse()
        except BaseException:
            self._cancel(job)
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
            # `Thread.start` waits for an event: another thread does that, which no signal
            # interrupts.
            _thread.start_new_thread(self._bring_up, ())
        except BaseException as error:
            self._abandon()
            if isinstance(error, RuntimeError) and not _by_a_signal_handler(error):
                raise _no_thread(error) from error
            raise

    def _wait_for_start(self) -> None:
        while not self._has_started:
            # A caller that is interrupted before it opens the gate leaves the others a slice
            # late.
            if self._gate.acquire(timeout=SLICE):
                self._open_gate()

    def _bring_up(self) -> None:
        try:
            if not self._over:
                self._thread.start()
        except RuntimeError as error:
            self._start_error = _no_thread(error)
            self._abandon()

    def _abandon(self) -> None:
        self._over = True
        self._end_soon()
        self._open_gate()

    def _open_gate(self) -> None:
        self._has_started = True
        try:
            self._gate.release()
        except RuntimeError as error:
            # Another thread, or a signal handler in this one, has opened it already.
            if _by_a_signal_handler(error):
                raise

    def _end_soon(self) -> None:
        self._ending = True
        if self._loop is not None:
            self._call_soon(self._end)

    def _call_soon(self, function: Callable[..., object], *args: object) -> None:
        assert self._loop is not None
        try:
            self._loop.call_soon_threadsafe(function, *args, context=copy_context())
        except RuntimeError:
            # Unless the loop was closed a moment ago, a signal handler raised.
            if not self._loop.is_closed():
                raise

    def _begin(self, job: Job[Any]) -> None:
        if self._ending:
            job.refuse()
        else:
            job.start()

    def _cancel(self, job: Job[Any]) -> None:
        if self.alive and not job.over:
            self._call_soon(job.cancel, "interrupted")
            # Not longer, because a token function may block the loop.
            job.wait(GRACE)
        if not self.alive:
            job.refuse()

    def _live(self) -> None:
        _living.add(self)
        _name_the_library()
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
            if self._has_started:
                raise
            self._start_error = _no_loop(error)
        finally:
            self._over = True
            self._open_gate()
            _living.discard(self)

    async def _serve(self) -> None:
        async with BlockingPortal() as portal:
            self._portal = portal
            self._open_gate()
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
        await self._portal.stop()


def _name_the_library() -> None:
    # A caller inside trio hands its context over, which names trio. The name of the thread counts
    # for more.
    with suppress(ImportError):
        import_module("sniffio").thread_local.name = "asyncio"


def _by_a_signal_handler(error: RuntimeError) -> bool:
    """Whether *error* is no error of the call that it came from: that call has no frame."""
    return error.__traceback__ is not None and error.__traceback__.tb_next is not None


def _no_thread(error: RuntimeError) -> ConfigurationError:
    return ConfigurationError(f"no thread for this client: {error}")


def _no_loop(error: Exception) -> ConnectionFailedError:
    failed = ConnectionFailedError(
        "nothing was sent, because no event loop could be started for this client "
        f"({error}): close files or raise their limit, then retry"
    )
    failed.__cause__ = error
    return failed
