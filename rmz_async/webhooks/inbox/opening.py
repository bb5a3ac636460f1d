"""From the address of a database to the inbox in it."""

from __future__ import annotations

from rmz_async._calls.clock import Clock
from rmz_async.errors import ConfigurationError
from rmz_async.webhooks.inbox.interface import Inbox

__all__ = ("SQLITE", "inbox_of", "open_inbox")

SQLITE: str = "sqlite:///"
_POSTGRES = ("postgresql://", "postgresql+psycopg://", "postgres://")


def inbox_of(given: str | Inbox, clock: Clock) -> Inbox:
    """Return the inbox that an option names.

    Raises:
        ConfigurationError: The option is neither an address nor an inbox, such as the None of an
            environment variable that is not set.
    """
    if isinstance(given, str):
        return open_inbox(given, clock)
    # A test of the protocol itself would refuse a proxy.
    if not hasattr(given, "claim"):
        raise ConfigurationError(
            f"inbox: must be an address or an Inbox, and is of type {type(given).__name__}"
        )
    return given


def open_inbox(address: str, _clock: Clock | None = None) -> Inbox:
    """Return the inbox at an address; nothing is connected or created yet.

    Args:
        address: ``sqlite:///`` and the path of a file, or
            ``postgresql://user:password@host:port/database``.

    Raises:
        ConfigurationError: The address is of no known kind.
        MissingExtraError: The address is PostgreSQL's, and ``rmz[postgres]`` is not installed.
    """
    if address.startswith(_POSTGRES):
        from rmz_async.webhooks.inbox.postgres import PostgresInbox

        return PostgresInbox(address, _clock=_clock)
    path = address.removeprefix(SQLITE)
    if path in (address, ""):
        # The address may hold a password, and is not shown.
        raise ConfigurationError(
            "inbox: must be sqlite:/// and the path of a file, such as sqlite:///inbox.db, or "
            "postgresql:// and a database"
        )
    # A client without an inbox starts faster without sqlite3.
    from rmz_async.webhooks.inbox.sqlite import SQLiteInbox

    return SQLiteInbox(path, _clock=_clock)
