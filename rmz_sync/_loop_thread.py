"""A thread that runs an event loop, and the calls that other threads hand to it.

The calls are handed over by hand, because that is the cheapest of the ways that were measured: a
third of ``asyncio.run_coroutine_threadsafe`` and a quarter of ``anyio.from_thread``.
"""

from __future__ import annotations

import asyncio
import os
import re
import ssl
import sys
import threading
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from contextvars import ContextVar
from importlib import import_module
from typing import Any, Generic, TypeVar

from rmz_async.errors import ConfigurationError, OutcomeUnknownError, RMZError

T = TypeVar("T")

SLICE = 0.1
"""Seconds between two looks at whether the loop still lives. It also bounds how late Ctrl-C is
where a lock cannot be interrupted: on Windows, and where the signal reached another thread."""

GRACE = 2.0
"""Seconds that a cancelled call may take to clean up."""

# What a call would import, in the thread: the first one, and the first that gets a wrong answer. A
# process that was forked while a thread imported a module can never import it: the lock of that
# import stays locked, and its calls would hang. Tests tell where a new version of a dependency
# needs other modules.
for _name in (
    "anyio._backends._asyncio",
    "cattrs",
    "certifi",
    "concurrent.futures.thread",
    "encodings.idna",
    "httpcore._backends.auto",
    "httpcore._backends.anyio",
    "httpcore._async.http11",
    "importlib.readers",
    "importlib.resources._adapters",
):
    with suppress(ImportError):
        import_module(_name)
# And the same for OpenSSL, which sets itself up, under locks of its own, for the first context.
ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)

_living: set[LoopThread] = set()
# Their loops hold open connections. A forked child keeps what it inherited in this set for ever: if
# freed, the loop would unregister the connections in the epoll object that both processes share.


class LoopThread:
    """An event loop in a daemon thread, for one process; it starts when it is made.

    Args:
        finish: Called in the loop, last of all.

    Attributes:
        failure: What *finish* raised.
    """

    def __init__(self, finish: Callable[[], Awaitable[object]]) -> None:
        self.failure: Exception | None = None
        self._finish = finish
        self._pid = os.getpid()
        self._ending = False
        self._over = False
        self._stop = asyncio.Event()
        # Made here, so that calls can be handed over before the thread has begun to run.
        self._loop = asyncio.new_event_loop()
        # Development mode would report our own slow steps, and make every call five times slower.
        self._loop.set_debug(False)
        # A daemon, because the interpreter waits for any other kind before it leaves.
        self._thread = threading.Thread(target=self._live, name="rmz-sync", daemon=True)
        _living.add(self)
        try:
            self._thread.start()
        except BaseException:
            _living.discard(self)
            self._loop.close()
            raise

    @property
    def inherited(self) -> bool:
        """Whether it belongs to the process that forked this one."""
        return self._pid != os.getpid()

    @property
    def alive(self) -> bool:
        """Whether a call that is handed over now will run."""
        return not (self._over or self.inherited or sys.is_finalizing())

    @property
    def is_current(self) -> bool:
        """Whether this is the very thread that asks."""
        return self._thread is threading.current_thread()

    def call(self, work: Coroutine[Any, Any, T]) -> T:
        """Run *work* in the loop, wait for its end, and return or raise what it did."""
        call = Call(work)
        try:
            self.begin(call)
            while not call.ended.acquire(timeout=SLICE):
                if not self.alive:
                    call.refuse()
        except BaseException as interruption:
            if not call.over:
                self._cancel(call)
                interruption.add_note(
                    f"{call.name} was cancelled; if it writes, it may have been applied"
                )
            raise
        if call.error is None:
            return call.result
        error, call.error = call.error, None
        try:
            raise error
        finally:
            del error  # This frame is in its traceback: the two would keep each other alive.

    def begin(self, call: Call[Any]) -> None:
        """Start *call* in the loop, and do not wait for it."""
        try:
            # It also takes the caller's context variables along.
            self._loop.call_soon_threadsafe(self._begin, call)
        except RuntimeError:  # The loop was closed a moment ago.
            call.refuse()

    def end(self) -> None:
        """Ask the thread to cancel its calls and to end; any thread may, also in a finalizer."""
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._stop.set)

    def join(self) -> None:
        """Wait until the thread has ended; not for ever."""
        self._thread.join(2 * GRACE)

    def _begin(self, call: Call[Any]) -> None:
        if self._ending:
            call.refuse()
        else:
            call.task = self._loop.create_task(call.drive())

    def _cancel(self, call: Call[Any]) -> None:
        if not self.alive:
            call.refuse()
            return
        with suppress(RuntimeError):
            # A turn later than it was begun: before its first step it could not even clean up.
            self._loop.call_soon_threadsafe(self._loop.call_soon, call.cancel)
            call.ended.acquire(timeout=GRACE)

    def _live(self) -> None:
        # A caller inside trio hands over a context that says "trio": what the thread says wins.
        with suppress(ImportError):
            from sniffio import thread_local

            thread_local.name = "asyncio"
        try:
            with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
                try:
                    runner.run(self._main())
                finally:
                    self._ending = True
        finally:
            self._over = True
            _living.discard(self)

    async def _main(self) -> None:
        await self._stop.wait()
        self._ending = True
        # A turn later, for the reason given above.
        await asyncio.sleep(0)
        calls = asyncio.all_tasks() - {asyncio.current_task()}
        for task in calls:
            task.cancel()
        if calls:
            await asyncio.wait(calls, timeout=GRACE)
        try:
            await self._finish()
        except Exception as error:  # noqa: BLE001 - it is for the thread that waits in join()
            self.failure = error
        # A token function that cannot be cancelled would keep this thread, and its callers with it.
        # Without connections its call sends nothing any more: what they are told stays true.
        self._over = True


class Notice:
    """What a call wants to have raised if it is cut off.

    Apart from the call and what it holds, for a connection remembers the context in which it was
    opened.

    Attributes:
        error: Returns it; None where the call has said nothing. Any thread may call it.
    """

    __slots__ = ("error",)

    def __init__(self) -> None:
        self.error: Callable[[], RMZError] | None = None


notice: ContextVar[Notice] = ContextVar("notice")
"""That of the call that runs."""


class Call(Generic[T]):
    """One call: what is to be run, and what came of it.

    Attributes:
        begun: Whether it took its first step.
        ended: Locked until the call is over. A lock wakes its waiter sooner than a future does.
        over: Whether it has ended, in whatever way.
        task: What runs it, once it has begun.
        result: What it returned, if there is no `error`.
        error: What it raised.
        notice: What it raises if it is cut off.
    """

    __slots__ = ("_work", "begun", "ended", "error", "notice", "over", "result", "task")

    result: T

    def __init__(self, work: Coroutine[Any, Any, T]) -> None:
        self._work = work
        self.task: asyncio.Task[None] | None = None
        self.error: BaseException | None = None
        self.notice = Notice()
        self.begun = self.over = False
        self.ended = threading.Lock()
        self.ended.acquire()

    @property
    def name(self) -> str:
        """What messages call it: ``checkout_sessions.create``."""
        written: str = getattr(self._work, "__qualname__", "the call")
        return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", written).lower()

    async def drive(self) -> None:
        """Run it to its end, whatever that is."""
        self.begun = True
        notice.set(self.notice)
        try:
            self.result = await self._work
        except asyncio.CancelledError:
            self.error = self._cut_off()
        except BaseException as error:  # noqa: BLE001 - left in the task, Ctrl-C would end the loop
            traceback = error.__traceback__
            self.error = error.with_traceback(traceback and traceback.tb_next)
        finally:
            self._end()

    def refuse(self) -> None:
        """End it from outside, because no loop will."""
        if self.over:
            return
        self.error = self._cut_off()
        if not self.begun:
            self._work.close()  # Otherwise Python warns that it was never awaited.
        self._end()

    def cancel(self) -> None:
        """Cancel it; in the loop."""
        if self.task is None:
            self.refuse()
        else:
            self.task.cancel()

    def _end(self) -> None:
        self.over = True
        self.notice.error = None
        with suppress(RuntimeError):  # Another thread has just ended it, too.
            self.ended.release()

    def _cut_off(self) -> RMZError:
        if not self.begun:
            return ConfigurationError(f"this client was closed before {self.name} began")
        told = self.notice.error
        if told is not None:
            return told()
        return OutcomeUnknownError(
            f"{self.name} was cut off, because this client was closed or its loop ended; if it "
            "writes, it may have been applied: read the object to find out",
            operation=self.name,
        )
