"""A SQLite file that threads, processes and the children of a fork may share."""

from __future__ import annotations

import logging
import os
import sqlite3
import threading
import time
import weakref
from collections.abc import Generator
from contextlib import contextmanager, suppress

from rmz_async.webhooks.inbox._sqlite_schema import LATER_COLUMNS

logger: logging.Logger = logging.getLogger("rmz_async")

# Seconds between two attempts to open a file that another process is opening too.
PAUSE = 0.02
OPENINGS = 50

# The latest column: a file of an older version gets the tables and columns that it lacks.
_IS_LATEST = "SELECT 1 FROM pragma_table_info('rmz_time') WHERE name = 'tasks_until'"

# SQLite's paths for databases that end with their connection.
_WITHOUT_A_FILE = ("", ":memory:")

# Seconds that a fork waits for a transaction of another thread.
FORK_PATIENCE = 1.0

pause = time.sleep

# Connections that a parent has opened. The child must not close them, since the file's locks and
# its write-ahead log are the parent's.
_inherited: list[sqlite3.Connection] = []

# Is held while a file is created. SQLite's locks on a file end when any descriptor of it is closed.
_creating = threading.Lock()

# The files that are closed while a thread forks, by the thread.
_resting: dict[int, list[SQLiteFile]] = {}


class SQLiteFile:
    """A connection, which one thread at a time may use.

    Args:
        path: The file, which is created if it does not exist.
        schema: Statements that create the tables, unless they are there.
    """

    def __init__(self, path: str, schema: str) -> None:
        # A process that changes its folder later, as a daemon does, goes on with the same file.
        self._path = path if path in _WITHOUT_A_FILE else os.path.abspath(path)
        self._schema = schema
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._opened_file: tuple[int, int] | None = None
        self._patience: float | None = None
        self._is_closing = False
        self._taker: int | None = None
        _files.add(self)

    def close(self, patience: float) -> None:
        """Close the file; the next transaction opens it again.

        Args:
            patience: Seconds to wait for a transaction that runs now. If it takes longer, the file
                is closed as soon as it ends.
        """
        lock = self._lock
        self._is_closing = True
        if lock.acquire(timeout=patience):
            try:
                self._drop()
            finally:
                lock.release()

    @contextmanager
    def transaction(self, patience: float) -> Generator[sqlite3.Connection]:
        """Return a transaction that may write, and that is durable when it is left.

        The context may be left in another thread than the one in which it was entered.

        Args:
            patience: Seconds to wait for other threads, and as long again for other processes.

        Raises:
            sqlite3.Error: The transaction was rolled back, or has not begun.
        """
        with self.statement(patience) as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                if not connection.in_transaction:
                    raise ended_inside()
                connection.execute("COMMIT")
            except BaseException:
                # After some errors, a full disk for instance, SQLite has rolled back by itself.
                with suppress(sqlite3.Error):
                    connection.execute("ROLLBACK")
                raise

    @contextmanager
    def statement(self, patience: float) -> Generator[sqlite3.Connection]:
        """Return the connection; each statement is a transaction of its own.

        Args:
            patience: As for `transaction`.

        Raises:
            sqlite3.Error: The statement that failed has changed nothing.
        """
        # SQLite waits for another process by sleeping longer and longer, and knows no queue. The
        # threads of one process wait for each other here.
        lock = self._lock
        if not lock.acquire(timeout=patience):
            raise sqlite3.OperationalError(
                f"another thread has kept the inbox for more than {patience:g} seconds"
            )
        self._taker = threading.get_ident()
        try:
            if self._connection is not None and self._opened_file != _file_at(self._path):
                # A file without a name is gone, with all that is in it, when the process ends.
                logger.error(
                    "the file of the inbox was deleted or replaced while it was in use: what "
                    "waited in it is not handled, and the file at its path is used from now on"
                )
                self._drop()
            if self._connection is None:
                self._connection, self._opened_file = _opened(self._path, self._schema)
                self._patience = None
            connection = self._connection
            if self._patience != patience:
                connection.execute(f"PRAGMA busy_timeout = {int(patience * 1000)}")
                self._patience = patience
            restore(connection)
            if connection.isolation_level is not None:
                connection.isolation_level = None
            yield connection
        finally:
            self._taker = None
            try:
                if self._is_closing or _is_unusable(self._connection):
                    self._drop()
            finally:
                lock.release()

    def _drop(self) -> None:
        self._is_closing = False
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def rest(self, patience: float) -> bool:
        """Close the file, and keep it closed until `go_on`; False if a thread uses it.

        Args:
            patience: Seconds to wait for a transaction of another thread.
        """
        # A thread that forks inside its own transaction would wait for itself.
        own = self._taker == threading.get_ident()
        if not self._lock.acquire(timeout=0 if own else patience):
            return False
        self._drop()
        return True

    def go_on(self) -> None:
        """Let the next transaction open the file again."""
        self._lock.release()

    def forget(self) -> None:
        """Leave the connection to the parent, in the child of a fork."""
        if self._connection is not None:
            _inherited.append(self._connection)
        self._connection = None
        self._taker = None
        # Another thread, which this process does not have, may have held it.
        self._lock = threading.Lock()


def _is_unusable(connection: sqlite3.Connection | None) -> bool:
    """Return whether a handler has closed the connection, or a transaction was not ended.

    A second interrupt may have kept the first from rolling back. Nothing that is stored in such a
    transaction from then on would be durable.
    """
    try:
        return connection is not None and connection.in_transaction
    except sqlite3.ProgrammingError:
        return True


def _file_at(path: str) -> tuple[int, int] | None:
    """Return the identity of a file; None if there is none, as for ``:memory:``."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def restore(connection: sqlite3.Connection) -> None:
    """Undo what a handler has set on the connection: the inbox reads rows as tuples."""
    connection.row_factory = None
    connection.text_factory = str


def ended_inside() -> sqlite3.ProgrammingError:
    """Return the error for code that has ended the transaction in which it runs."""
    return sqlite3.ProgrammingError(
        "the transaction was ended by the code inside it: leave COMMIT and ROLLBACK to the receiver"
    )


_files: weakref.WeakSet[SQLiteFile] = weakref.WeakSet()


def _before_fork() -> None:
    # SQLite remembers in the process which locks it holds, and a child does not inherit the locks.
    # A child that finds a file open would write without any, into a log that others may delete.
    resting = _resting[threading.get_ident()] = []
    # In the same order in each thread, so that two that fork do not wait for each other.
    resting.extend(file for file in sorted(_files, key=id) if file.rest(FORK_PATIENCE))


def _after_fork_in_parent() -> None:
    for file in _resting.pop(threading.get_ident(), ()):
        file.go_on()


def _after_fork() -> None:
    global _creating
    _creating = threading.Lock()
    _resting.clear()
    for file in list(_files):
        file.forget()


# Windows has no fork.
if hasattr(os, "register_at_fork"):  # pragma: no branch
    os.register_at_fork(
        before=_before_fork,
        after_in_parent=_after_fork_in_parent,
        after_in_child=_after_fork,
    )


def _opened(path: str, schema: str) -> tuple[sqlite3.Connection, tuple[int, int] | None]:
    for _ in range(OPENINGS):
        try:
            return _opened_now(path, schema)
        except sqlite3.OperationalError as error:
            # The bits above the lowest eight only say more about the same error.
            code = error.sqlite_errorcode & 0xFF
            if code == sqlite3.SQLITE_CANTOPEN:
                raise sqlite3.OperationalError(
                    f"unable to open the inbox's file {path!r}: its folder must exist, and this "
                    "process must be allowed to write into it"
                ) from error
            # SQLite does not wait for another process that makes the file at this moment.
            if code != sqlite3.SQLITE_BUSY:
                raise
        pause(PAUSE)
    return _opened_now(path, schema)


def _create(path: str) -> None:
    """Create the file of customers' data for its owner alone, unless it exists.

    SQLite gives the files beside it the same mode.
    """
    # SQLite raises an error that says more.
    with _creating, suppress(OSError):
        # The flag for a new file refuses a link, to whatever it leads.
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL
        os.close(os.open(os.path.realpath(path), flags, 0o600))


def _opened_now(path: str, schema: str) -> tuple[sqlite3.Connection, tuple[int, int] | None]:
    if path not in _WITHOUT_A_FILE:
        _create(path)
    # Before it is opened: a file that replaces it from now on is another one.
    file = _file_at(path)
    # Without isolation_level=None, the module would begin transactions of its own.
    connection = sqlite3.connect(path, timeout=0, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        # An answer to RMZ promises that the delivery is stored, even if the power fails.
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        # Creating them needs the file for oneself, even if they exist.
        if not connection.execute(_IS_LATEST).fetchone():
            missing = "".join(_missing_columns(connection))
            connection.executescript(f"BEGIN IMMEDIATE; {missing} {schema} COMMIT;")
    except BaseException:
        connection.close()
        raise
    return connection, file


def _missing_columns(connection: sqlite3.Connection) -> Generator[str]:
    for table, column, kind in LATER_COLUMNS:
        names = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
        if names and column not in names:
            yield f"ALTER TABLE {table} ADD COLUMN {column} {kind};"
