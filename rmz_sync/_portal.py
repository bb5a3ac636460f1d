"""The way from code that cannot await to an event loop: an anyio portal in a thread of its own."""

from __future__ import annotations

import asyncio
import os
import re
import sys
import threading
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from contextvars import ContextVar
from functools import partial
from typing import Any, Generic, ParamSpec, TypeVar

import anyio
from anyio import from_thread
from anyio.from_thread import BlockingPortal
from anyio.lowlevel import current_token

from rmz_async.errors import (
    ConfigurationError,
    ConnectionFailedError,
    OutcomeUnknownError,
    RMZError,
)
from rmz_sync._loop import new_loop

P = ParamSpec("P")
T = TypeVar("T")

SLICE = 0.1
"""Seconds between two looks at whether a thread still lives. Ctrl-C is at most that late if a lock
cannot be interrupted: on Windows, and if another thread received the signal."""

GRACE = 2.0
"""Seconds that cancelled calls may take to clean up."""

CLOSED = "cut off, because this client was closed or its loop ended"

_living: set[PortalThread] = set()
# Their loops hold open connections. A forked child keeps what it inherited in this set until it
# ends: a loop that is freed unregisters its connections in the epoll object that both processes
# share.


class Portal:
    """Runs async functions in a thread of its own, which starts with the first of them.

    Any thread may use it. A forked process may use it too: the child starts a thread of its own,
    and does not touch the inherited one, which does not run there.

    No lock guards it, since a finalizer or a signal handler may call any method while another
    method runs in the same thread.

    Args:
        finish: Called in the thread as the last thing, if the thread was ever started.
    """

    _successor: PortalThread | None = None

    def __init__(self, finish: Callable[[], Awaitable[object]]) -> None:
        self._finish = finish
        self._closed = False
        self._thread: PortalThread | None = None

    def run(
        self, function: Callable[P, Coroutine[Any, Any, T]], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Call *function*, and return or raise what came of it.

        An exception that interrupts the wait, such as Ctrl-C, cancels the call, gives it a moment
        to clean up, and carries a note that says whether the call was applied.

        Raises:
            ConfigurationError: The portal was closed, or this is the portal's own thread.
            RMZError: The error of *function*, also if the portal was closed while it ran.
        """
        job: Job[T] | None = None
        try:
            thread = self._ready()
            job = Job(partial(function, *args, **kwargs), name_of(function))
            thread.run(job)
            if job.error is None:
                # Nothing is called from here to the caller's next line, so that no interruption can
                # take the result away without a note.
                return job.result
        except RMZError:
            raise
        except BaseException as interruption:
            fate = "it failed before anything was sent" if job is None else job.fate
            interruption.add_note(f"{name_of(function)} was interrupted: {fate}")
            raise
        error, job.error = job.error, None
        try:
            raise error
        finally:
            del error  # This frame is in its traceback: the two would keep each other alive.

    def close(self) -> None:
        """Cancel what still runs and end the thread; any number of times.

        Raises:
            ConfigurationError: This is the portal's own thread, in the middle of a call.
        """
        thread = self._newest()
        if thread is not None and thread.is_current and thread.is_busy:
            raise _own_thread()
        closed, self._closed = self._closed, True
        # Again, since another thread may have started one before it could see that this is closed.
        thread = self._newest()
        if thread is not None and thread.is_ours:
            thread.end()
            thread.join()
            if thread.finish_error is not None and not closed:
                raise thread.finish_error

    def __del__(self) -> None:
        thread = self._newest()
        if thread is not None and thread.is_ours:
            thread.end()

    def _newest(self) -> PortalThread | None:
        newest = self._thread or self._successor
        while newest is not None and newest.successor is not None:
            newest = newest.successor
        self._thread = newest
        return newest

    def _ready(self) -> PortalThread:
        thread = self._newest()
        while thread is None or not thread.ready():
            if sys.is_finalizing():
                raise ConfigurationError("Python is exiting: no call can be made any more")
            if self._closed:
                raise _closed()
            fresh = PortalThread(self._finish)
            # A single step, in place of a lock: if several threads come here, all get the same.
            thread = (
                vars(self).setdefault("_successor", fresh)
                if thread is None
                else vars(thread).setdefault("successor", fresh)
            )
        if thread.is_current:
            raise _own_thread()
        if self._closed:
            thread.end()
            raise _closed()
        return thread


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
        # Also so that the connections live as long as the thread: Python warns of those that are
        # freed open, as it exits.
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
        """Whether it runs, or has run, in this process, and still can."""
        return self._pid == os.getpid() and not sys.is_finalizing()

    @property
    def is_current(self) -> bool:
        """Whether this very thread asks."""
        return self._thread is threading.current_thread()

    @property
    def is_busy(self) -> bool:
        """Whether a caller waits for a job."""
        return bool(self._jobs)

    def ready(self) -> bool:
        """Start the thread, unless it was started, and return whether it takes jobs."""
        # A process may fork in the middle of the start: its child would never stop waiting.
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
            # anyio's, if the loop has ended. Any other is what a signal's handler raised.
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
            job.task = asyncio.create_task(job.run())
            await self._wait(job)

    async def _wait(self, job: Job[Any]) -> None:
        # In slices, and in a task of its own, so that no caller waits for a job that cannot be
        # cancelled, or for a loop that has ended.
        if job.task is not None:
            await asyncio.wait((job.task,), timeout=SLICE)

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
        if job.task is not None:
            await asyncio.wait((job.task,), timeout=GRACE)

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
        except Exception as error:  # noqa: BLE001 - it is for the thread that waits in join()
            self.finish_error = error
        # A token function that cannot be cancelled keeps this thread. Its caller need not wait:
        # without connections the call sends nothing any more.
        self._over = True
        # A caller that comes just now must find the loop still running, or would never stop
        # waiting.
        with anyio.move_on_after(5 * SLICE):
            while self.is_busy:  # noqa: ASYNC110 - other threads say so, and set no event
                await anyio.sleep(0.001)
        await self._portal.stop()


class CutOff:
    """The error that a job raises if it is cut off.

    Apart from the job, because a connection remembers the context in which it was opened.

    Attributes:
        reason: Why it is cut off.
        verdict: Makes the error of that reason; None if the call has not begun. Any thread may ask.
    """

    __slots__ = ("reason", "verdict")

    def __init__(self) -> None:
        self.reason = CLOSED
        self.verdict: Callable[[str], RMZError] | None = None


cut_off: ContextVar[CutOff] = ContextVar("cut_off")
"""That of the job that runs."""


class Job(Generic[T]):
    """A call of an async function: the work, and its result.

    Attributes:
        name: The call's name in messages.
        task: The task that runs it, after it was handed over.
        over: Whether it has ended, in whatever way.
        result: The value that it returned, if there is no `error`.
        error: The error that it raised.
    """

    __slots__ = ("_begun", "_cut_off", "_work", "error", "name", "over", "result", "task")

    result: T

    def __init__(self, work: Callable[[], Coroutine[Any, Any, T]], name: str) -> None:
        self.name = name
        self.task: asyncio.Task[None] | None = None
        self.error: BaseException | None = None
        self.over = self._begun = False
        self._work = work
        self._cut_off = CutOff()

    async def run(self) -> None:
        """Run it to its end, whatever that is."""
        self._begun = True
        cut_off.set(self._cut_off)
        try:
            self.result = await self._work()
        except asyncio.CancelledError:
            self.error = self._lost()
        except BaseException as error:  # noqa: BLE001 - left in the task, Ctrl-C would end the loop
            traceback = error.__traceback__
            self.error = error.with_traceback(traceback and traceback.tb_next)
        finally:
            self.over = True
            self._cut_off.verdict = None

    def cancel(self, reason: str) -> None:
        """Cancel it, in the loop; *reason* is for its error."""
        self._cut_off.reason = reason
        if not self._begun:
            self.refuse()
        if self.task is not None:
            self.task.cancel()

    def refuse(self) -> None:
        """End it from outside, because no loop will."""
        if not self.over:
            self.error = self._lost()
            self.over = True

    @property
    def fate(self) -> str:
        """The outcome of the job, for a caller that will not get its result."""
        if not self.over:
            return f"its outcome is unknown, because it did not end within {GRACE:g} s"
        if self.error is None:
            return "it had succeeded: if it changes anything, the change was applied"
        # Another error may show what it likes: it is the token source's, for instance.
        shown = self.error if isinstance(self.error, RMZError) else type(self.error).__name__
        unknown = isinstance(self.error, OutcomeUnknownError)
        return f"its outcome is unknown: {shown}" if unknown else f"it failed: {shown}"

    def _lost(self) -> RMZError:
        if not self._begun:
            return ConfigurationError(
                f"{self.name} was {self._cut_off.reason}, before anything was sent"
            )
        if self._cut_off.verdict is not None:
            return self._cut_off.verdict(self._cut_off.reason)
        return OutcomeUnknownError(
            f"{self.name} was {self._cut_off.reason}; if it changes anything, the change may have "
            "been applied: read the object to find out",
            operation=self.name,
        )


def name_of(function: object) -> str:
    """Return what messages call *function*: ``checkout_sessions.create``."""
    written: str = getattr(function, "__qualname__", "the call")
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", written).lower()


def _closed() -> ConfigurationError:
    return ConfigurationError("this client was closed: create another one")


def _own_thread() -> ConfigurationError:
    return ConfigurationError(
        "this client was called from its own thread, by a token provider perhaps: it would wait "
        "for itself; use another client there"
    )
