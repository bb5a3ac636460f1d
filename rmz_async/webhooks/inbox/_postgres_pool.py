"""Engines of PostgreSQL: idle connections are known to be alive without a question each time."""

from __future__ import annotations

import selectors
from collections.abc import Callable
from typing import Any

from rmz_async._extras import extra
from rmz_async.errors import ConfigurationError

with extra("postgres", needed_by="an inbox in PostgreSQL"):
    from sqlalchemy import URL, Connection, Engine, NullPool, create_engine, event, text
    from sqlalchemy.exc import DisconnectionError
    from sqlalchemy.pool import ConnectionPoolEntry

# RMZ waits 3 seconds for an answer. A connection that is made in them leaves as long to store.
CONNECTING = 2

# The driver would take another encoding from the environment, and the server's own without one.
UTF8: dict[str, Any] = {"client_encoding": "utf8"}

QUIET = 5.0
"""Seconds without use after which a connection is asked: a firewall may have forgotten it."""

_USED = "rmz_used"


def new_engine(url: URL, seconds: Callable[[], float], **pool: Any) -> Engine:
    """Return an engine that replaces connections which the server has closed.

    SQLAlchemy would ask each connection before each use, which takes as long as a handler's effect.

    Args:
        url: The database.
        seconds: The monotonic clock.
        pool: Options of the pool.
    """
    engine = create_engine(url, connect_args={"connect_timeout": CONNECTING, **UTF8}, **pool)

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

    event.listen(engine, "checkout", taken)
    event.listen(engine, "checkin", given_back)
    return engine


def new_listening_engine(url: URL) -> Engine:
    """Return an engine whose connection no pool lends to others."""
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
    """Return whether the server has sent something since the last answer: often its farewell."""
    with selectors.DefaultSelector() as selector:
        selector.register(driver.fileno(), selectors.EVENT_READ)
        return bool(selector.select(0))
