"""The databases of the proof, and what is found in them."""

from __future__ import annotations

import sqlite3
import time
from collections import Counter
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from rmz_async.webhooks import Inbox
from rmz_async.webhooks.inbox.sqlite import SQLiteInbox
from tests.seams import Clock

if TYPE_CHECKING:
    from tests.load.postgres import PostgresDatabase

NAMES = ("sqlite", "postgres")

# No key is unique: an effect that happens twice leaves two rows. `keyed` is for the handler whose
# effect carries the event's own key.
_FOUND = "SELECT handler, key FROM effects UNION ALL SELECT 'keyed', key FROM keyed"
EFFECTS = (
    "CREATE TABLE effects (key TEXT NOT NULL, handler TEXT NOT NULL)",
    "CREATE TABLE keyed (key TEXT PRIMARY KEY)",
    "CREATE TABLE leases (task BIGINT PRIMARY KEY, ended DOUBLE PRECISION NOT NULL)",
    "CREATE TABLE takeovers (ended DOUBLE PRECISION NOT NULL, taken DOUBLE PRECISION NOT NULL)",
)
# By the seconds since the machine was started, which nobody can put back: when each lease ends, and
# when a task was claimed whose lease nobody had given back.
_SQLITE_TRIGGER = """
CREATE TRIGGER leased AFTER UPDATE ON rmz_tasks WHEN new.leased_until > 0
BEGIN
    INSERT INTO takeovers SELECT ended, uptime() FROM leases
    WHERE task = new.id AND old.leased_until > 0 AND new.fence > old.fence;
    INSERT OR REPLACE INTO leases VALUES (new.id, uptime() + {lease});
END
"""


def uptime() -> float:
    """Return the seconds since the machine was started, the same for all processes."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def let_sqlite_tell_uptime() -> None:
    """Give all later connections of this process and its children what the trigger calls."""
    connect: Any = sqlite3.connect

    def with_uptime(*values: Any, **named: Any) -> sqlite3.Connection:
        connection: sqlite3.Connection = connect(*values, **named)
        connection.create_function("uptime", 0, uptime)
        return connection

    patched: Any = with_uptime
    sqlite3.connect = patched


class SQLiteDatabase:
    """A file in a folder."""

    name = "sqlite"
    waiting = "SELECT COUNT(*) FROM rmz_all_tasks WHERE state = 'waiting'"

    def __init__(self, folder: Path) -> None:
        self.path = folder / "inbox.db"
        self.address = f"sqlite:///{self.path}"

    def inbox(self, clock: Clock | None = None) -> Inbox:
        """Return the inbox."""
        return SQLiteInbox(str(self.path), _clock=clock)

    def create(self, lease: float | None) -> None:
        """Make all tables, and note when a lease of so many seconds is taken over; None to not."""
        inbox = self.inbox()
        inbox.create()
        inbox.close()
        noting = () if lease is None else (_SQLITE_TRIGGER.format(lease=lease),)
        for statement in (*EFFECTS, *noting):
            self.rows(statement)

    def rows(self, statement: str, *values: str) -> list[tuple[Any, ...]]:
        """Run a statement."""
        with closing(self._connection()) as connection:
            return connection.execute(statement, values).fetchall()

    @contextmanager
    def locked(self) -> Generator[None]:
        """Keep all others from writing."""
        with closing(self._connection()) as connection:
            connection.execute("BEGIN IMMEDIATE")
            yield
            connection.execute("ROLLBACK")

    @contextmanager
    def transaction(self) -> Generator[sqlite3.Cursor]:
        """Return a cursor in a transaction, as code beside the library would have one."""
        with closing(self._connection()) as connection:
            connection.execute("BEGIN IMMEDIATE")
            yield connection.cursor()
            connection.execute("COMMIT")

    def drop(self) -> None:
        """Forget all: the file goes with its folder."""

    def insert(self, table: str, columns: int) -> str:
        """Return the statement that adds a row."""
        return f"INSERT OR IGNORE INTO {table} VALUES ({', '.join('?' * columns)})"

    def _connection(self) -> sqlite3.Connection:
        return sqlite3.connect(self.path, timeout=30, isolation_level=None)


AnyDatabase: TypeAlias = "SQLiteDatabase | PostgresDatabase"


def new_database(name: str, folder: Path, tablespace: str = "") -> AnyDatabase:
    """Return a new database: a SQLite file in *folder*, or a schema in PostgreSQL's tablespace."""
    if name == "sqlite":
        return SQLiteDatabase(folder)
    from tests.load.postgres import PostgresDatabase, new_address

    return PostgresDatabase(new_address(tablespace))


def database_at(address: str) -> AnyDatabase:
    """Return a database that another process has made."""
    if address.startswith("sqlite:///"):
        return SQLiteDatabase(Path(address.removeprefix("sqlite:///")).parent)
    from tests.load.postgres import PostgresDatabase

    return PostgresDatabase(address)


def waiting(database: AnyDatabase) -> int:
    """Return how many tasks wait."""
    return int(database.rows(database.waiting)[0][0])


def add_row(database: AnyDatabase, connection: Any, table: str, *values: str) -> None:
    """Add a row over a connection or a cursor, unless its key is there."""
    # SQLAlchemy's connection has the first, all others the second.
    run = getattr(connection, "exec_driver_sql", None) or connection.execute
    run(database.insert(table, len(values)), values)


def effects(database: AnyDatabase) -> Counter[tuple[str, str]]:
    """Return how often the effect of each handler has happened for each key."""
    rows = database.rows(_FOUND)
    return Counter((handler, key) for handler, key in rows)


def takeovers(database: AnyDatabase) -> list[tuple[float, float]]:
    """Return when a lease ended that was not given back, and when its task was taken over."""
    return [(ended, taken) for ended, taken in database.rows("SELECT ended, taken FROM takeovers")]
