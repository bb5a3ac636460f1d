"""The way from code that cannot await to an event loop: an anyio portal in a thread of its own.

anyio's functions for other threads wait under a lock of `concurrent.futures`. Ctrl-C can leave that
lock locked, and the loop would wait for it for ever, with all its calls. So each calling thread
waits for a lock of its own job, which the loop only ever releases.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from typing import Any, ParamSpec, TypeVar

from rmz_async.errors import ConfigurationError, RMZError
from rmz_sync import _portal_thread
from rmz_sync._job import NOT_BEGUN, Job, name_of
from rmz_sync._portal_thread import PortalThread, threads

P = ParamSpec("P")
T = TypeVar("T")

OWN_THREAD = (
    "this client was called from its own thread, by a token provider perhaps: it would wait for "
    "itself; use another client there"
)


class Portal:
    """Runs async functions in a thread of its own, which starts with the first of them.

    Any thread may use it, and a forked process too: the child starts a thread of its own. No lock
    guards it, since a finalizer or a signal handler may call any method while another method runs
    in the same thread.

    Args:
        finish: Called in the thread as the last thing, if the thread was ever started.
    """

    def __init__(self, finish: Callable[[], Awaitable[object]]) -> None:
        self._closed = False
        self.finish: Callable[[], Awaitable[object]] = finish
        # A thread refers to this key and not to the portal, which it must not keep alive.
        self._key = object()

    @property
    def is_closed(self) -> bool:
        """Whether no function can be run any more."""
        return self._closed

    def run(
        self, function: Callable[P, Coroutine[Any, Any, T]], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Call *function*, and return its result or raise its error.

        An exception that interrupts the wait, such as Ctrl-C, cancels the call, gives it a moment
        to clean up, and carries a note that says whether the call was applied.
        """
        job: Job[T] | None = None
        try:
            job = Job(partial(function, *args, **kwargs))
            self._perform(job)
            if job.error is None:
                # Python calls nothing from here to the caller's next line, so no interruption can
                # lose the result without a note in the error.
                return job.result
        except RMZError:
            raise
        except BaseException as interruption:
            outcome = NOT_BEGUN if job is None else job.outcome()
            interruption.add_note(f"{name_of(function)} was interrupted: {outcome}")
            raise
        try:
            raise job.error
        finally:
            job.error = None  # The traceback has this frame, and would keep the error alive.

    def close(self) -> None:
        """Cancel the calls that run and end the thread; any number of times."""
        runner, current = self._runner(), threading.current_thread()
        if runner is not None and runner.thread is current and runner.jobs:
            raise ConfigurationError(OWN_THREAD)
        self._closed = True
        # Looked up again, since another thread may have made one before it saw `_closed`.
        runner = self._runner()
        if runner is None:
            return
        try:
            runner.end()
            # A finalizer may run in any thread, also in this one.
            if runner.thread and runner.thread.is_alive() and runner.thread is not current:
                runner.thread.join(2 * _portal_thread.GRACE)
        finally:
            runner.end()  # Again, because an interruption may have come before the loop woke.
        if runner.error is not None:
            raise runner.error

    def __del__(self) -> None:
        if (runner := self._runner()) is not None:
            runner.end()

    def _runner(self) -> PortalThread | None:
        return None if sys.is_finalizing() else threads.get((self._key, os.getpid()))

    def _started(self) -> PortalThread:
        while True:
            if sys.is_finalizing():
                raise ConfigurationError("Python is exiting: no call can be made any more")
            key = self._key, os.getpid()
            # ``setdefault`` is one step, in place of a lock: all threads here get the same.
            runner = threads.get(key) or threads.setdefault(key, PortalThread(key, self.finish))
            if runner.thread is threading.current_thread():
                raise ConfigurationError(OWN_THREAD)
            # Kept, because Python runs code to free it, in which an interruption would be lost.
            self._latest = runner
            if self._closed:
                runner.end()
                raise ConfigurationError("this client was closed: create another one")
            if runner.loop is not None:
                return runner
            runner.start()

    def _perform(self, job: Job[Any]) -> None:
        runner = self._started()
        try:
            runner.jobs.add(job)
            runner.call_soon(runner.begin, job)
            # In short waits, so that no caller waits for a loop that has ended.
            while not job.over and self._runner() is runner:
                job.ended.acquire(timeout=_portal_thread.SLICE)
        except BaseException:
            job.cut_off.reason = "interrupted"
            runner.call_soon(job.cancel)
            if not job.over and self._runner() is runner:
                job.ended.acquire(timeout=_portal_thread.GRACE)
            raise
        finally:
            runner.jobs.discard(job)
        # If the loop has ended without the job, nothing else ends it.
        job.lose()
