"""A transaction in which the blocks of several handlers run, one after another."""

from __future__ import annotations

import sqlite3

from rmz_async.webhooks.inbox._sqlite_file import SQLiteFile, ended_inside, restore


class SQLiteBlocks:
    """A transaction of the file, which is begun without waiting.

    Each block has a savepoint of its own, so that an error takes back no other block.

    Args:
        file: The file.

    Raises:
        sqlite3.OperationalError: Another writer has the file.
    """

    def __init__(self, file: SQLiteFile) -> None:
        self._transaction = file.transaction(0.0)
        self._connection = self._transaction.__enter__()

    def begin(self, mark: str) -> sqlite3.Connection | None:
        """Begin a block.

        Args:
            mark: Marks the block's task as done.

        Returns:
            The connection; None if the mark has changed no row, and there is no block.
        """
        restore(self._connection)
        self._connection.execute("SAVEPOINT rmz_block")
        if self._connection.execute(mark).rowcount == 1:
            return self._connection
        self.undo()
        return None

    def keep(self) -> None:
        """End a block; `commit` makes the block durable.

        Raises:
            sqlite3.ProgrammingError: The code inside the block has ended the transaction.
        """
        if not self._connection.in_transaction:
            raise ended_inside()
        self._connection.execute("RELEASE rmz_block")

    def undo(self) -> None:
        """End a block without a trace of it.

        Raises:
            sqlite3.ProgrammingError: The transaction was rolled back by SQLite, on a full disk for
                instance, or ended by the code inside the block.
        """
        if not self._connection.in_transaction:
            raise ended_inside()
        self._connection.execute("ROLLBACK TO rmz_block")
        self._connection.execute("RELEASE rmz_block")

    def commit(self) -> None:
        """Make all blocks durable that were kept; this blocks.

        Raises:
            sqlite3.Error: All of them were rolled back.
        """
        self._transaction.__exit__(None, None, None)

    def roll_back(self, error: BaseException) -> None:
        """End the transaction, because of *error*, without a trace of any block."""
        self._transaction.__exit__(type(error), error, error.__traceback__)
