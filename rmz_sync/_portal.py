"""The way from code that cannot await to the event loop of its client."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from rmz_async import errors as _async
from rmz_async.errors import ConfigurationError
from rmz_sync._loop_thread import LoopThread
from rmz_sync.errors import OutcomeUnknownError

T = TypeVar("T")

_gate = threading.Lock()
# Held by all portals while they start a thread or give it up: that is rare, and one lock is easily
# renewed.


def _renew_gate() -> None:
    """Forget a lock that another thread held when this process was forked: it would stay locked."""
    global _gate
    _gate = threading.Lock()


if sys.platform != "win32":  # pragma: no branch - Windows cannot fork
    os.register_at_fork(after_in_child=_renew_gate)


class Portal:
    """Runs coroutines in a thread of its own, which starts with the first of them.

    Any thread may use it. So may a forked process: it gets a thread of its own, and leaves alone
    the one that it inherited, which does not run there.

    Args:
        finish: Called in the thread as the last thing, if the thread was ever started.
    """

    def __init__(self, finish: Callable[[], Awaitable[object]]) -> None:
        self._finish = finish
        self._closed = False
        self._thread: LoopThread | None = None

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run *work* to its end, and return or raise what it did.

        An exception that interrupts the wait, such as Ctrl-C, cancels *work* and gives it a moment
        to clean up.

        Raises:
            ConfigurationError: The portal was closed, or this is the portal's own thread.
            RMZError: What *work* says, also where the portal was closed while it ran.
        """
        try:
            thread = self._ready()
        except BaseException:
            work.close()  # Otherwise Python warns that it was never awaited.
            raise
        try:
            return thread.call(work)
        except OutcomeUnknownError:
            # Its own resolve() could not tell either.
            raise
        except _async.OutcomeUnknownError as error:
            raise OutcomeUnknownError.of(error, self.run) from error.__cause__

    def close(self) -> None:
        """Cancel what still runs and end the thread; any number of times.

        Raises:
            ConfigurationError: This is the portal's own thread.
        """
        if self._thread is not None and self._thread.is_current:
            raise _own_thread()
        with _gate:
            self._closed = True
            thread, self._thread = self._thread, None
        if thread is not None and thread.alive:
            thread.end()
            thread.join()
            if thread.failure is not None:
                raise thread.failure

    def __del__(self) -> None:
        if self._thread is not None and self._thread.alive:
            self._thread.end()

    def _ready(self) -> LoopThread:
        thread = self._thread
        if thread is None or not thread.alive:
            thread = self._start()
        if thread.is_current:
            raise _own_thread()
        return thread

    def _start(self) -> LoopThread:
        if sys.is_finalizing():
            raise ConfigurationError("the interpreter is leaving: no call can be made any more")
        with _gate:
            if self._closed:
                raise ConfigurationError("this client was closed; make a new one")
            if self._thread is None or not self._thread.alive:
                try:
                    self._thread = LoopThread(self._finish)
                except RuntimeError as error:
                    raise ConfigurationError(f"no thread for this client: {error}") from error
            return self._thread


def _own_thread() -> ConfigurationError:
    return ConfigurationError(
        "this client was called from its own thread, by a token provider perhaps: it would wait "
        "for itself; use another client there"
    )
