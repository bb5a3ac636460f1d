"""Handlers of one event loop whose transactions follow each other, and are committed together."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Protocol, TypeAlias

import anyio
import attrs

from rmz_async.webhooks._threads import in_thread


class Blocks(Protocol):
    """A transaction that was begun, in which one block at a time runs."""

    def begin(self, mark: str) -> Any:
        """Begin a block, and return the connection; None if *mark* has changed no row."""
        ...

    def keep(self) -> None:
        """End a block; `commit` makes the block durable."""
        ...

    def undo(self) -> None:
        """End a block without a trace of it."""
        ...

    def commit(self) -> None:
        """Make all blocks durable that were kept; this blocks."""
        ...

    def roll_back(self, error: BaseException) -> None:
        """End the transaction, because of *error*, without a trace of any block."""
        ...


BeginNow: TypeAlias = Callable[[], Blocks | None]
"""Begins a transaction without waiting; returns None if another writer has the file."""

# The most blocks of one commit.
MOST_BLOCKS = 50

# Seconds during which a group takes up further blocks, because no delivery can be stored meanwhile.
LONGEST_GROUP = 0.01


@attrs.define(eq=False, repr=False)
class Group:
    """The blocks that are committed together.

    Attributes:
        blocks: The transaction.
        opened: When it began.
        count: How many blocks were kept.
        ended: Is set when they are committed, or rolled back.
        failure: Why they were rolled back, or may have been; None if they were committed.
    """

    blocks: Blocks
    opened: float
    count: int = 0
    # A lambda, because `anyio.Event` itself would import most of anyio here.
    ended: anyio.Event = attrs.field(factory=lambda: anyio.Event())
    failure: Exception | None = attrs.field(
        factory=lambda: RuntimeError("the commit was interrupted, and may have been done")
    )


class Commits:
    """The transactions of one event loop, on an inbox that has one at a time.

    If a block ends while others wait to begin, it leaves the commit to them, and waits for it.
    """

    def __init__(self) -> None:
        self._lock = anyio.Lock(fast_acquire=True)
        self._group: Group | None = None

    async def begin(self, begin_now: BeginNow, mark: str) -> tuple[Group | None, Any]:
        """Wait until no other block runs, and begin one.

        Returns:
            The group and the connection. The group is None if another writer has the file; the
            caller must `release` then. The connection is None if *mark* has changed no row, and
            there is no block; the caller must `leave` then.
        """
        try:
            await self._lock.acquire()
        except BaseException:
            # The block before has left its commit to this one, and no other block takes over.
            if self._group is not None and not self._lock.locked():
                try:
                    _commit(self._group)
                finally:
                    self._close(self._group)
            raise
        try:
            if self._group is None:
                blocks = begin_now()
                if blocks is None:
                    return None, None
                self._group = Group(blocks, anyio.current_time())
            return self._group, self._group.blocks.begin(mark)
        # A KeyboardInterrupt of a signal's handler, too: the next block must be able to begin.
        except BaseException as error:
            self._fail(self._group, error)
            raise

    def release(self) -> None:
        """Let the next block begin."""
        self._lock.release()

    async def end(self, group: Group, *, is_kept: bool) -> None:
        """End a block that has begun, and return when what was kept is durable.

        Args:
            group: The group of the block.
            is_kept: Whether the block is to be committed.

        Raises:
            Exception: The database's; the block was rolled back, or may have been.
        """
        try:
            if is_kept:
                group.blocks.keep()
                group.count += 1
            else:
                group.blocks.undo()
        except BaseException as error:
            self._fail(group, error)
            # A handler that failed raises its own error, and nothing of it was to be kept.
            if is_kept or not isinstance(error, Exception):
                raise
            return
        await self.leave(group)
        if is_kept and group.failure is not None:
            raise group.failure

    async def leave(self, group: Group) -> None:
        """Leave the commit to the next block, or commit if there is none; wait until it is done."""
        is_last = not self._lock.statistics().tasks_waiting
        is_full = group.count >= MOST_BLOCKS or anyio.current_time() - group.opened > LONGEST_GROUP
        with anyio.CancelScope(shield=True):
            if not (is_last or is_full):
                self._lock.release()
                await group.ended.wait()
                return
            try:
                # If this is interrupted, the thread goes on, and nobody sees whether it commits.
                await in_thread(partial(_commit, group))
            finally:
                self._close(group)
                self._lock.release()

    def _fail(self, group: Group | None, error: BaseException) -> None:
        # A second interrupt may come while the first is rolled back.
        try:
            if group is not None:
                # The others must not raise a KeyboardInterrupt, which is for one block only.
                interrupted = RuntimeError("the transaction was interrupted, and was rolled back")
                group.failure = error if isinstance(error, Exception) else interrupted
                self._close(group)
                group.blocks.roll_back(error)
        finally:
            self._lock.release()

    def _close(self, group: Group) -> None:
        self._group = None
        group.ended.set()


def _commit(group: Group) -> None:
    try:
        group.blocks.commit()
        group.failure = None
    except Exception as error:  # noqa: BLE001 - each block of the group raises it
        group.failure = error
