"""Engines of PostgreSQL, which notice that an idle connection is closed without a query."""

from __future__ import annotations

import selectors
from collections.abc import Callable
from typing import Any

from rmz_async._extras import extra
from rmz_async.errors import ConfigurationError

with extra("postgres", needed_by="an inbox in PostgreSQL"):
    import psycopg
    from sqlalchemy import URL, Connection, Engine, NullPool, create_engine, event, text
    from sqlalchemy.engine import ExceptionContext
    from sqlalchemy.exc import DisconnectionError
    from sqlalchemy.pool import ConnectionPoolEntry

# RMZ waits 3 seconds for an answer. A connection that is made in them leaves as long to store.
CONNECTING = 2

# The driver would take another encoding from the environment, and the server's own without one.
UTF8: dict[str, Any] = {"client_encoding": "utf8"}

# Handlers keep a connection for as long as they run: no delivery may wait for them. All are kept
# open, because to open one takes longer than a handler's effect. The errors of storing are logged,
# and the values are a customer's.
FOR_STORING: dict[str, Any] = {
    "pool_size": 10,
    "max_overflow": 0,
    "pool_timeout": 1.2,
    "hide_parameters": True,
}
FOR_WORKING: dict[str, Any] = {"pool_size": 25, "max_overflow": 0, "pool_timeout": 10.0}

# With the stricter isolation that a database may have by default, statements fail that meet another
# worker's.
COMMITTED: dict[str, Any] = {"isolation_level": "READ COMMITTED"}

QUIET = 5.0
"""Seconds without use after which a connection is asked: a firewall may have forgotten it."""

_USED = "rmz_used"


def new_engine(url: URL, seconds: Callable[[], float], options: dict[str, Any]) -> Engine:
    """Return an engine that replaces connections which the server has closed.

    SQLAlchemy would ask each connection before each use, which takes as long as a handler's effect.

    Args:
        url: The database.
        seconds: The monotonic clock.
        options: Options of the engine and its pool.
    """
    engine = create_engine(url, connect_args={"connect_timeout": CONNECTING, **UTF8}, **options)

    def taken(driver: Any, entry: ConnectionPoolEntry, _: object) -> None:
        # A connection that was made a moment ago was not used before.
        used = entry.info.pop(_USED, None)
        if used is None or (used + QUIET > seconds() and not _has_news(driver)):
            return
        try:
            engine.dialect.do_ping(driver)
        except engine.dialect.loaded_dbapi.Error as error:
            raise DisconnectionError(str(error)) from error

    def given_back(_: object, entry: ConnectionPoolEntry) -> None:
        entry.info[_USED] = seconds()

    def explained(context: ExceptionContext) -> Exception | None:
        # The server was the main one, and another one is now: only a new connection leads there.
        if isinstance(context.original_exception, psycopg.errors.ReadOnlySqlTransaction):
            context.is_disconnect = True
        missing = isinstance(context.original_exception, psycopg.errors.UndefinedTable)
        if not missing or '"rmz_' not in str(context.original_exception):
            return None
        return ConfigurationError(
            "inbox: the database has no tables of this version: run "
            "python -m rmz_async.webhooks create"
        )

    event.listen(engine, "handle_error", explained, retval=True)
    event.listen(engine, "checkout", taken)
    event.listen(engine, "checkin", given_back)
    return engine


def new_listening_engine(url: URL) -> Engine:
    """Return an engine without a pool, for a connection that is never used for anything else."""
    return create_engine(url, connect_args=UTF8, poolclass=NullPool, isolation_level="AUTOCOMMIT")


def check_encoding(connection: Connection) -> None:
    """See that the database can store all characters.

    Raises:
        ConfigurationError: The database has another encoding.
    """
    encoding = connection.scalar(text("SHOW server_encoding"))
    if encoding not in ("UTF8", "SQL_ASCII"):
        raise ConfigurationError(
            f"inbox: the database must have the encoding UTF8, and has {encoding}"
        )


def _has_news(driver: Any) -> bool:
    """Return whether the server has sent something since the last answer, such as a close."""
    with selectors.DefaultSelector() as selector:
        selector.register(driver.fileno(), selectors.EVENT_READ)
        return bool(selector.select(0))
