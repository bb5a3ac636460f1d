"""The way from code that cannot await to an event loop: an anyio portal in a thread of its own."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from typing import Any, ParamSpec, TypeVar

from rmz_async.errors import ConfigurationError, RMZError
from rmz_sync._job import NOT_BEGUN, Job, name_of
from rmz_sync._portal_thread import PortalThread

P = ParamSpec("P")
T = TypeVar("T")


class Portal:
    """Runs async functions in a thread of its own, which starts with the first of them.

    Any thread may use it. A forked process may use it too: the child starts a thread of its own,
    and does not touch the inherited one, which does not run there.

    No lock guards it, since a finalizer or a signal handler may call any method while another
    method runs in the same thread.

    Args:
        finish: Called in the thread as the last thing, if the thread was ever started.
    """

    def __init__(self, finish: Callable[[], Awaitable[object]]) -> None:
        self._finish = finish
        self._closed = False
        self._thread: PortalThread | None = None
        # The thread that was made because the other has ended; the first one is under None.
        self._successors: dict[PortalThread | None, PortalThread] = {}

    def run(
        self, function: Callable[P, Coroutine[Any, Any, T]], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Call *function*, and return its result or raise its error.

        An exception that interrupts the wait, such as Ctrl-C, cancels the call, gives it a moment
        to clean up, and carries a note that says whether the call was applied.

        Raises:
            ConfigurationError: The portal was closed, or this is the portal's own thread.
            RMZError: The error of *function*, also if the portal was closed while it ran.
        """
        job: Job[T] | None = None
        try:
            job = Job(partial(function, *args, **kwargs))
            self._open().run(job)
            if job.error is None:
                # Nothing is called from here to the caller's next line, so that no interruption can
                # take the result away without a note.
                return job.result
        except RMZError:
            raise
        except BaseException as interruption:
            outcome = NOT_BEGUN if job is None else job.give_up()
            interruption.add_note(f"{name_of(function)} was interrupted: {outcome}")
            raise
        error, job.error = job.error, None
        try:
            raise error
        finally:
            del error  # The error's traceback has this frame: they would keep each other alive.

    def close(self) -> None:
        """Cancel the calls that run and end the thread; any number of times.

        Raises:
            ConfigurationError: This is the portal's own thread, in the middle of a call.
        """
        thread = self._newest()
        if thread is not None and thread.is_current and thread.is_busy:
            raise _own_thread()
        closed, self._closed = self._closed, True
        # Looked up again, since another thread may have started one before it saw `_closed`.
        thread = self._newest()
        if thread is not None and thread.is_ours:
            try:
                thread.end()
                thread.join()
            except BaseException:
                thread.end()  # Once more, as the interruption may have come before the loop woke.
                raise
            if thread.finish_error is not None and not closed:
                raise thread.finish_error

    def __del__(self) -> None:
        thread = self._newest()
        if thread is not None and thread.is_ours:
            thread.end()

    def _newest(self) -> PortalThread | None:
        thread = self._thread
        while (successor := self._successors.get(thread)) is not None:
            thread = successor
        self._thread = thread
        return thread

    def _open(self) -> PortalThread:
        thread = self._newest()
        while thread is None or not thread.alive:
            if sys.is_finalizing():
                raise ConfigurationError("Python is exiting: no call can be made any more")
            if self._closed:
                raise _closed()
            # ``setdefault`` is one step, in place of a lock: all threads here get the same.
            thread = self._successors.setdefault(thread, PortalThread(self._finish))
        if thread.is_current:
            raise _own_thread()
        if self._closed:
            thread.end()
            raise _closed()
        return thread


def _closed() -> ConfigurationError:
    return ConfigurationError("this client was closed: create another one")


def _own_thread() -> ConfigurationError:
    return ConfigurationError(
        "this client was called from its own thread, by a token provider perhaps: it would wait "
        "for itself; use another client there"
    )
