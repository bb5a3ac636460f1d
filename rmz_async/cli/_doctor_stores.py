"""Checks of Redis and of the inbox; both are only read."""

from __future__ import annotations

from concurrent.futures import Future
from pathlib import Path
from threading import Thread

from anyio import to_thread

from rmz_async.cli._findings import Finding, State
from rmz_async.cli._wording import text
from rmz_async.errors import RMZError
from rmz_async.redis._link import Link
from rmz_async.webhooks.inbox.interface import Stats
from rmz_async.webhooks.inbox.opening import SQLITE, open_inbox

_TIMEOUT = 3.0
# PostgreSQL alone may take 2 seconds for a connection.
_PATIENCE = 5.0
# The SQLSTATE of PostgreSQL for a table that is not there.
_NO_TABLE = "42P01"


async def check_redis(url: str | None) -> Finding:
    """Ask Redis whether it is there."""
    if not url:
        how = text("not looked at: name the address by --redis or REDIS_URL")
        return Finding("redis", State.SKIPPED, how)
    try:
        link = Link(url, _TIMEOUT)
        try:
            await link.run("PING")
        finally:
            link.close()
    except Exception as error:  # noqa: BLE001 - redis-py's errors, which may show the address
        advice = text("look whether Redis runs, and at the address and its password")
        return Finding("redis", State.FAILED, _reason(error), advice)
    return Finding("redis", State.OK, text("answers"))


async def check_inbox(address: str | None) -> Finding:
    """Count the deliveries of an inbox."""
    if not address:
        how = text("not looked at: name the address by --inbox or RMZ_INBOX")
        return Finding("inbox", State.SKIPPED, how)
    try:
        stats = await to_thread.run_sync(_stats_in_time, address)
    except FileNotFoundError:
        advice = text("run rmz webhooks create, or start your application")
        return Finding("inbox", State.FAILED, text("the file is not there"), advice)
    except Exception as error:  # noqa: BLE001 - each database has errors of its own
        if getattr(error.__cause__, "sqlstate", None) == _NO_TABLE:
            advice = text("run rmz webhooks create, or start your application")
            return Finding("inbox", State.FAILED, text("the tables are not there"), advice)
        advice = text("look whether the database runs, and at the address and its password")
        return Finding("inbox", State.FAILED, _reason(error), advice)
    found = text(
        "%(deliveries)s deliveries, %(waiting)s waiting, %(dead)s failed, "
        "%(unreadable)s unreadable",
        deliveries=stats.deliveries,
        waiting=stats.waiting,
        dead=stats.dead,
        unreadable=stats.unreadable,
    )
    if stats.dead or stats.unreadable:
        # A delivery that cannot be read has no tasks that could be dead or run again.
        advice = (
            text("look at rmz webhooks list --state dead, mend, and rmz webhooks replay")
            if stats.dead
            else text(
                "look at rmz webhooks list, and with rmz webhooks show NUMBER --body at the "
                "unreadable"
            )
        )
        return Finding("inbox", State.WARNING, found, advice)
    return Finding("inbox", State.OK, found)


def _stats_in_time(address: str) -> Stats:
    found: Future[Stats] = Future()

    def count() -> None:
        try:
            found.set_result(_stats(address))
        except Exception as error:  # noqa: BLE001 - for the thread that waits
            found.set_exception(error)

    # Python would wait at its end for any other thread, and a lock in the database has none.
    Thread(target=count, name="rmz doctor", daemon=True).start()
    return found.result(_PATIENCE)


def _stats(address: str) -> Stats:
    path = address.removeprefix(SQLITE)
    if path != address and not Path(path).is_file():
        # SQLite would make the file.
        raise FileNotFoundError(path)
    inbox = open_inbox(address)
    try:
        return inbox.stats()
    finally:
        inbox.close()


def _reason(error: Exception) -> str:
    if isinstance(error, RMZError):
        return str(error)
    if isinstance(error, TimeoutError):
        return text("no answer in time")
    return text("cannot be used (%(error)s)", error=type(error).__name__)
