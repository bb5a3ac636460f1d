"""A call of an async function: how it runs, how it is cut off, and its result or error."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Coroutine
from contextlib import suppress
from functools import partial
from typing import Any, Generic, TypeVar

from rmz_async.errors import ConfigurationError, OutcomeUnknownError, RMZError
from rmz_sync._cut_off import CutOff, cut_off

T = TypeVar("T")

NOT_BEGUN = "it failed before anything was sent"


class Job(Generic[T]):
    """A call that the loop runs, in the context of the thread that waits for it.

    Attributes:
        ended: A lock that is released when the job is over.
        result: The value that the function returned, if there is no `error`.
        task: The task that runs the function; None before that, and when the job is over.
    """

    result: T

    def __init__(self, work: partial[Coroutine[Any, Any, T]]) -> None:
        self.cut_off = CutOff()
        self.ended = threading.Lock()
        self.ended.acquire()
        self.error: BaseException | None = None
        self.over = False
        self.task: asyncio.Task[Any] | None = None
        self._claimed = threading.Lock()
        self._work = work

    async def run(self) -> None:
        """Run, as a task of the loop, unless the job was given up."""
        if not self._claim():
            return
        self.task = asyncio.current_task()
        try:
            cut_off.set(self.cut_off)
            self.result = await self._work()
        except asyncio.CancelledError:
            self.lose()
        except BaseException as error:  # noqa: BLE001 - KeyboardInterrupt in a task ends the loop
            self.error = error.with_traceback(error.__traceback__ and error.__traceback__.tb_next)
        self._end()

    def cancel(self) -> None:
        """Cancel the job, in the loop; a job that has not begun never begins."""
        if self.task is None:
            self.lose()
        else:
            self.task.cancel()

    def lose(self) -> None:
        """End the job without a result, because it was cancelled or its loop is gone."""
        if self.over:
            return
        name, reason = name_of(self._work.func), self.cut_off.reason
        if self._claim():
            self.error = ConfigurationError(f"{name} was {reason}, before anything was sent")
        elif self.cut_off.verdict is not None:
            self.error = self.cut_off.verdict(reason)
        else:
            self.error = OutcomeUnknownError(
                f"{name} was {reason}; if it changes anything, the change may have been applied: "
                "read the object to find out",
                operation=name,
            )
        self._end()

    def outcome(self) -> str:
        """Return the outcome in words, for a caller that will not get the result."""
        if not self.over:
            if self._claim():
                return NOT_BEGUN
            return "its outcome is unknown, because it did not end when it was cancelled"
        if self.error is None:
            return "it had succeeded: if it changes anything, the change was applied"
        # The message of any other error may hold anything: the token source raised it, perhaps.
        shown = self.error if isinstance(self.error, RMZError) else type(self.error).__name__
        unknown = isinstance(self.error, OutcomeUnknownError)
        return f"its outcome is unknown: {shown}" if unknown else f"it failed: {shown}"

    def _claim(self) -> bool:
        # True once: for the loop, which begins the job, or for a caller that gives it up before.
        return self._claimed.acquire(blocking=False)

    def _end(self) -> None:
        # Freed before the caller goes on: Python runs code to free a task, and an interruption of
        # that code would be lost.
        self.cut_off.verdict = self.task = None
        self.over = True
        with suppress(RuntimeError):  # The caller may have given the job up.
            self.ended.release()


def name_of(function: object) -> str:
    """Return the name of *function* in messages: ``checkout_sessions.create``."""
    written: str = getattr(function, "__qualname__", "the call")
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", written).lower()
