"""A transaction in PostgreSQL that the code inside it has lost is not taken for a commit."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Any

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import Session

from rmz_async.webhooks import Event, Receiver, Stats
from tests.webhooks.postgres import new_schema, run_sql
from tests.webhooks.receiving import SECRET, deliver_events

pytestmark = pytest.mark.anyio

INSERT = text("INSERT INTO effects VALUES (1)")


@pytest.fixture
def address() -> str:
    """An empty schema on the server."""
    return new_schema()


@pytest.fixture
async def receiver(address: str) -> AsyncIterator[Receiver]:
    """A receiver in the schema, beside a table for effects."""
    receiver = Receiver(secrets=[SECRET], inbox=address, max_attempts=1)
    receiver.inbox.create()
    run_sql(address, "CREATE TABLE effects (id integer PRIMARY KEY)")
    yield receiver
    await receiver.aclose()


def catch_a_duplicate(connection: Connection) -> None:
    connection.execute(INSERT)
    with suppress(IntegrityError):
        connection.execute(INSERT)


def roll_back(connection: Connection) -> None:
    connection.execute(INSERT)
    connection.rollback()


def roll_back_in_sql(connection: Connection) -> None:
    connection.execute(INSERT)
    connection.exec_driver_sql("ROLLBACK")


def roll_a_session_back(connection: Connection) -> None:
    with Session(bind=connection) as session:
        session.execute(INSERT)
        session.rollback()


def close(connection: Connection) -> None:
    connection.execute(INSERT)
    connection.close()


def drop_the_connection(connection: Connection) -> None:
    connection.execute(INSERT)
    connection.invalidate()


LOSING = [
    catch_a_duplicate,
    roll_back,
    roll_back_in_sql,
    roll_a_session_back,
    close,
    drop_the_connection,
]


def commit(connection: Connection) -> None:
    connection.execute(INSERT)
    connection.commit()


def commit_a_session(connection: Connection) -> None:
    with Session(bind=connection) as session:
        session.execute(INSERT)
        session.commit()


def catch_a_duplicate_in_a_savepoint(connection: Connection) -> None:
    connection.execute(INSERT)
    with suppress(IntegrityError), connection.begin_nested():
        connection.execute(INSERT)


KEEPING = [commit, commit_a_session, catch_a_duplicate_in_a_savepoint]


def register(receiver: Receiver, effect: Callable[[Connection], None], *, is_async: bool) -> None:
    if is_async:

        @receiver.on("*")
        async def handler(event: Event) -> None:
            async with receiver.transaction(event) as connection:
                effect(connection)
    else:

        @receiver.on("*")
        def plain(event: Event) -> None:
            with receiver.transaction(event) as connection:
                effect(connection)


@pytest.mark.parametrize("is_async", [True, False], ids=["async", "plain"])
@pytest.mark.parametrize("effect", LOSING)
async def test_a_handler_whose_effect_was_rolled_back_inside_fails(
    receiver: Receiver, address: str, effect: Any, is_async: bool
) -> None:
    """The handler counted as done without an effect, and ran again every 30 seconds, unseen."""
    register(receiver, effect, is_async=is_async)
    await deliver_events(receiver, "a")
    await receiver.drain()

    (entry,) = receiver.inbox.entries()
    reason = "keeps nothing" if effect is catch_a_duplicate else "rolled back by the code inside"
    assert reason in str(entry.tasks[0].error)
    assert run_sql(address, "SELECT * FROM effects") == []
    assert (await receiver.stats()).dead == 1


@pytest.mark.parametrize("is_async", [True, False], ids=["async", "plain"])
@pytest.mark.parametrize("effect", KEEPING)
async def test_a_handler_whose_effect_was_kept_is_done(
    receiver: Receiver, address: str, effect: Any, is_async: bool
) -> None:
    register(receiver, effect, is_async=is_async)
    await deliver_events(receiver, "a")
    await receiver.drain()

    assert run_sql(address, "SELECT * FROM effects") == [(1,)]
    assert await receiver.stats() == Stats(deliveries=1, done=1)


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@pytest.mark.parametrize("is_committed", [True, False])
async def test_an_async_session_holds_the_effect_and_the_mark(
    receiver: Receiver, address: str, is_committed: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """SQLAlchemy's async drivers run on asyncio only."""
    engine = create_async_engine(address)

    @receiver.on("*")
    async def handler(event: Event) -> None:
        def mark(session: Session) -> None:
            receiver.mark_done(event, session.connection().connection.cursor())

        async with AsyncSession(engine) as session:
            await session.run_sync(mark)
            await session.execute(INSERT)
            if is_committed:
                await session.commit()

    await deliver_events(receiver, "a")
    await receiver.drain()
    await engine.dispose()

    assert run_sql(address, "SELECT * FROM effects") == [(1,)] * is_committed
    assert ["was not committed" in message for message in caplog.messages] == [True] * (
        not is_committed
    )
