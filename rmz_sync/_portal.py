"""The way from code that cannot await to an event loop: an anyio portal in a thread of its own."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from typing import Any, ParamSpec, TypeVar

from rmz_async.errors import ConfigurationError, RMZError
from rmz_sync._job import Job, name_of
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

    _successor: PortalThread | None = None

    def __init__(self, finish: Callable[[], Awaitable[object]]) -> None:
        self._finish = finish
        self._closed = False
        self._thread: PortalThread | None = None

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
        error: BaseException | None = None
        try:
            thread = self._ready()
            job = Job(partial(function, *args, **kwargs), name_of(function))
            thread.run(job)
            # Nothing is called from here to the caller's next line, so that no interruption can
            # take the result or the error away without a note.
            error, job.error = job.error, None
            if error is None:
                return job.result
            raise error
        except BaseException as raised:
            if raised is not error:
                self._note(raised, job, function)
            raise
        finally:
            # The traceback of the error has this frame: they would keep each other alive.
            del job, error

    def _note(self, raised: BaseException, job: Job[Any] | None, function: object) -> None:
        if not isinstance(raised, RMZError):
            fate = "it failed before anything was sent" if job is None else job.fate
            raised.add_note(f"{name_of(function)} was interrupted: {fate}")

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
            # `setdefault` is one step, in place of a lock: all threads that come here get the same.
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


def _closed() -> ConfigurationError:
    return ConfigurationError("this client was closed: create another one")


def _own_thread() -> ConfigurationError:
    return ConfigurationError(
        "this client was called from its own thread, by a token provider perhaps: it would wait "
        "for itself; use another client there"
    )
