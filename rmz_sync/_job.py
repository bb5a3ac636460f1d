"""A call of an async function: how it runs, how it is cut off, and its result or error."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Coroutine
from contextlib import suppress
from contextvars import ContextVar, copy_context
from functools import partial
from importlib import import_module
from typing import Any, Generic, TypeVar

from rmz_async.errors import ConfigurationError, OutcomeUnknownError, RMZError
from rmz_sync._cut_off import CutOff, cut_off

T = TypeVar("T")

NOT_BEGUN = "it failed before anything was sent"

_async_library: ContextVar[str | None] = ContextVar("async_library")
with suppress(ImportError):
    # anyio and httpcore ask it, and a caller inside trio would mislead them.
    _async_library = import_module("sniffio").current_async_library_cvar


class Job(Generic[T]):
    """A call of an async function, in the context of the thread that makes it.

    Only the loop's thread runs it, and only the calling thread waits for it. No lock guards it: an
    interruption could leave one locked, and the loop would wait for that for ever.

    Attributes:
        ended: A lock that the loop releases when the job is over.
        over: Whether it has ended, in whatever way.
        result: The value that it returned, if there is no `error`.
        error: The error that it raised.
        task: The task that runs it.
    """

    __slots__ = (
        "_begun", "_context", "_cut_off", "_stopped", "_work", "ended", "error", "over", "result",
        "task",
    )  # fmt: skip

    result: T

    def __init__(self, work: partial[Coroutine[Any, Any, T]]) -> None:
        self.ended = threading.Lock()
        self.ended.acquire()
        self.error: BaseException | None = None
        self.over = self._begun = self._stopped = False
        self._context = copy_context()
        self._cut_off = CutOff()
        self.task: asyncio.Task[None] | None = None
        self._work = work

    def start(self) -> None:
        """Run it in a task of its own, in the loop, unless that has happened."""
        if self.task is None and not self.over:
            loop = asyncio.get_running_loop()
            self.task = loop.create_task(self._run(), context=self._context)

    def stop(self, reason: str) -> None:
        """Do not let it begin any more; *reason* is for its error."""
        self._cut_off.reason = reason
        self._stopped = True

    def cancel(self) -> None:
        """Cancel it, in the loop and after `stop`."""
        # The interruption may have come before the job was handed over.
        self.start()
        if self._begun and self.task is not None:
            self.task.cancel()

    def refuse(self) -> None:
        """End it in the calling thread, because no loop will."""
        if not self.over:
            self.error = self._lost()
            self.over = True

    def give_up(self) -> str:
        """Stop it, and return its outcome for a caller that will not get its result."""
        self._stopped = True
        if not self.over:
            if not self._begun:
                return NOT_BEGUN
            return "its outcome is unknown, because it did not end when it was cancelled"
        if self.error is None:
            return "it had succeeded: if it changes anything, the change was applied"
        # The message of any other error may hold anything: the token source raised it, perhaps.
        shown = self.error if isinstance(self.error, RMZError) else type(self.error).__name__
        unknown = isinstance(self.error, OutcomeUnknownError)
        return f"its outcome is unknown: {shown}" if unknown else f"it failed: {shown}"

    async def _run(self) -> None:
        # First this, and then a look at `_stopped`; the caller does it the other way round. So one
        # of them sees the other, and a job that is said not to have begun never begins.
        self._begun = True
        try:
            if self._stopped:
                self._begun = False
                raise self._lost()
            _async_library.set("asyncio")
            cut_off.set(self._cut_off)
            self.result = await self._work()
        except asyncio.CancelledError:
            self.error = self._lost()
        except BaseException as error:  # noqa: BLE001 - KeyboardInterrupt in a task ends the loop
            traceback = error.__traceback__
            self.error = error.with_traceback(traceback and traceback.tb_next)
        finally:
            self._cut_off.verdict = None
            # A task that is freed calls code, which would swallow an interruption of the caller.
            self.task = None
            self.over = True
            self.ended.release()

    def _lost(self) -> RMZError:
        name, reason = name_of(self._work.func), self._cut_off.reason
        if not self._begun:
            return ConfigurationError(f"{name} was {reason}, before anything was sent")
        if self._cut_off.verdict is not None:
            return self._cut_off.verdict(reason)
        return OutcomeUnknownError(
            f"{name} was {reason}; if it changes anything, the change may have been applied: read "
            "the object to find out",
            operation=name,
        )


def name_of(function: object) -> str:
    """Return the name of *function* in messages: ``checkout_sessions.create``."""
    written: str = getattr(function, "__qualname__", "the call")
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", written).lower()
