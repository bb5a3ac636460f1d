"""A call of an async function: how it runs, how it is cut off, and its result or error."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, Generic, TypeVar

from rmz_async.errors import ConfigurationError, OutcomeUnknownError, RMZError
from rmz_sync._cut_off import CutOff, cut_off

T = TypeVar("T")


class Job(Generic[T]):
    """A call of an async function, which the loop's thread runs and another thread waits for.

    The two share one plain lock, which belongs to this job alone: the loop's thread opens it once.
    A signal can interrupt the other thread anywhere, also between taking a lock and remembering to
    give it back. A condition, an event or a future would then stay locked, and the loop's thread
    would wait for it for ever, and every other call with it.

    Attributes:
        name: The name of the call in messages.
        task: The task that runs it, if it was started.
        over: Whether it has ended, in whatever way.
        result: The value that it returned, if there is no `error`.
        error: The error that it raised.
    """

    __slots__ = ("_begun", "_cut_off", "_end", "_work", "error", "name", "over", "result", "task")

    result: T

    def __init__(self, work: Callable[[], Coroutine[Any, Any, T]], name: str) -> None:
        self.name = name
        self.task: asyncio.Task[None] | None = None
        self.error: BaseException | None = None
        self.over = self._begun = False
        self._work = work
        self._cut_off = CutOff()
        self._end = threading.Lock()
        self._end.acquire()

    def start(self) -> None:
        """Run it in a task of its own, in the loop."""
        self.task = asyncio.create_task(self._run())

    def wait(self, seconds: float) -> bool:
        """Wait for its end, in a thread and no longer than *seconds*; return whether it ended."""
        return self.over or self._end.acquire(timeout=seconds)

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
            self._ended()

    @property
    def fate(self) -> str:
        """The outcome of the job, for a caller that will not get its result."""
        if not self.over:
            return "its outcome is unknown, because it did not end when it was cancelled"
        if self.error is None:
            return "it had succeeded: if it changes anything, the change was applied"
        # The message of any other error may hold anything: the token source raised it, perhaps.
        shown = self.error if isinstance(self.error, RMZError) else type(self.error).__name__
        unknown = isinstance(self.error, OutcomeUnknownError)
        return f"its outcome is unknown: {shown}" if unknown else f"it failed: {shown}"

    async def _run(self) -> None:
        self._begun = True
        cut_off.set(self._cut_off)
        try:
            self.result = await self._work()
        except asyncio.CancelledError:
            self.error = self._lost()
        except BaseException as error:  # noqa: BLE001 - KeyboardInterrupt in a task ends the loop
            traceback = error.__traceback__
            self.error = error.with_traceback(traceback and traceback.tb_next)
        finally:
            self._cut_off.verdict = None
            # A task that the waiting thread freed would call back into the event loop's list of
            # tasks, and Python swallows an interruption there.
            self.task = None
            self._ended()

    def _ended(self) -> None:
        self.over = True
        with suppress(RuntimeError):  # It was refused from outside a moment ago.
            self._end.release()

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
    """Return the name of *function* in messages: ``checkout_sessions.create``."""
    written: str = getattr(function, "__qualname__", "the call")
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", written).lower()
