"""A transaction in which blocks follow each other, without a database."""

from __future__ import annotations

import sqlite3
import threading

import anyio

from rmz_async.webhooks._commits import Commits, Group


class Blocks:
    """A transaction that does what a test wants.

    Attributes:
        done: The methods that were called.
        fails: The methods that fail from now on.
        error: Is raised by them.
        may_commit: Holds `commit` up while this is not set.
    """

    def __init__(self) -> None:
        self.done: list[str] = []
        self.fails: tuple[str, ...] = ()
        self.error: BaseException = sqlite3.OperationalError("disk full")
        self.may_commit = threading.Event()
        self.may_commit.set()

    def begin(self, mark: str) -> str:
        """Return a connection."""
        self._do("begin")
        return mark

    def keep(self) -> None:
        """Keep a block."""
        self._do("keep")

    def undo(self) -> None:
        """Undo a block."""
        self._do("undo")

    def commit(self) -> None:
        """Commit."""
        self.may_commit.wait(60)
        self._do("commit")

    def roll_back(self, error: BaseException) -> None:
        """Roll back."""
        self._do(f"roll back for {error}")

    def _do(self, method: str) -> None:
        self.done.append(method)
        if method in self.fails:
            raise self.error


async def begun(commits: Commits, blocks: Blocks) -> Group:
    """Begin a block."""
    group, connection = await commits.begin(lambda: blocks, "the mark")
    assert group is not None
    assert connection == "the mark"
    return group


async def until_all_wait() -> None:
    """Let the other tasks run until each of them waits."""
    await anyio.wait_all_tasks_blocked()
