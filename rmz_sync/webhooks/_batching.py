"""Calls of threads that wait for the same resource together become one call."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from itertools import islice
from typing import Generic, TypeVar, cast

from rmz_async.webhooks._batching import MAX_BATCH, Item, outcomes_of

T = TypeVar("T")
R = TypeVar("R")


class ThreadBatches(Generic[T, R]):
    """Calls a function with all items that wait at that time, in the first thread that waits.

    The function must do no harm if it gets an item a second time.

    Args:
        function: Returns the result of each item.
    """

    def __init__(self, function: Callable[[Sequence[T]], Sequence[R]]) -> None:
        self._function = function
        self._line = self._new_line()

    def __len__(self) -> int:
        """Return how many items wait."""
        return len(self._line[2])

    def submit(self, value: T) -> R:
        """Return the result for *value*, or raise the error of its call."""
        pid, lock, waiting = self._line
        # In the child of a fork, the lock may be held by a thread that does not exist there.
        if pid != os.getpid():
            _, lock, waiting = self._line = self._new_line()
        item: Item[T, R] = Item(value)
        waiting[item] = None
        try:
            with lock:
                while not item.is_over:
                    self._run_batch(waiting)
        finally:
            waiting.pop(item, None)
        if isinstance(item.outcome, Exception):
            raise item.outcome
        return cast("R", item.outcome)

    @staticmethod
    def _new_line() -> tuple[int, AbstractContextManager[bool], dict[Item[T, R], None]]:
        # A signal handler may interrupt the thread that has the lock, and receive a delivery, too.
        # The keys are the items, in order.
        return os.getpid(), threading.RLock(), {}

    def _run_batch(self, waiting: dict[Item[T, R], None]) -> None:
        # `list` copies the keys in one step, because other threads add their items meanwhile.
        batch = list(islice(list(waiting), MAX_BATCH))
        outcomes = outcomes_of(self._function, [item.value for item in batch])
        for item, outcome in zip(batch, outcomes, strict=True):
            waiting.pop(item, None)
            item.outcome, item.is_over = outcome, True
