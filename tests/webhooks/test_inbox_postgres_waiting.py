"""Transactions in PostgreSQL that take long or meet, and the others that must not wait or fail."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy.exc import DBAPIError

from rmz_async.webhooks.inbox.interface import Grouping
from rmz_async.webhooks.inbox.known import Seen
from rmz_async.webhooks.inbox.postgres import PostgresInbox
from rmz_async.webhooks.inbox.records import Delivery
from tests.webhooks.postgres import (
    holding,
    new_schema,
    run_sql,
    wait_for_waiting,
    with_setting,
)
from tests.webhooks.storages import LEASE, Time, claim, claim_one, claimed_keys, delivery, store


@pytest.fixture
def address() -> str:
    """An empty schema, in which a wait is an error: a test of it would not end."""
    return with_setting(new_schema(), "lock_timeout=5000")


@pytest.fixture
def inbox(address: str, time: Time) -> Iterator[PostgresInbox]:
    """An inbox in the schema."""
    inbox = PostgresInbox(address, _clock=time.clock())
    inbox.create()
    yield inbox
    inbox.close()


@pytest.fixture
def other(address: str, inbox: PostgresInbox, time: Time) -> Iterator[PostgresInbox]:
    """The inbox of another process."""
    other = PostgresInbox(address, _clock=time.clock())
    yield other
    other.close()


def while_comparing(
    inbox: PostgresInbox, time: Time, call: Callable[[], Sequence[Delivery]]
) -> object:
    """Call *call* inside the transaction of a comparison, and have it store what is returned."""

    def decide(_: Seen, known: Mapping[str, Any]) -> Sequence[Delivery]:
        return call()

    walk = inbox.resume(lease=LEASE)
    assert walk is not None
    time.move(10)
    page = [Seen(subject="subscription:7", state={"status": "active"}, source=None)]
    return inbox.compare(walk, page, decide, asked=0.0, lease=LEASE)


def test_a_handler_inside_a_transaction_holds_up_no_renewal(
    inbox: PostgresInbox, other: PostgresInbox, time: Time
) -> None:
    """Another worker would run all tasks of this one a second time."""
    store(inbox, "a", "b")
    tasks = claim(inbox)
    with inbox.transaction(tasks[0]):
        time.move(LEASE / 2)
        inbox.renew(tasks, lease=LEASE)
        time.move(LEASE / 2)
        assert claim(other) == []


def test_a_transaction_that_takes_long_holds_up_no_delivery_and_no_worker(
    inbox: PostgresInbox, other: PostgresInbox, time: Time
) -> None:
    """Each of them sees that the time in the database is behind."""

    def work() -> Sequence[Delivery]:
        store(other, "a")
        assert claimed_keys(other) == ["a"]
        return ()

    assert while_comparing(inbox, time, work) == []


def test_a_coalesced_task_inside_a_transaction_holds_up_no_worker(
    inbox: PostgresInbox, other: PostgresInbox, time: Time
) -> None:
    """Its lease has ended, because nobody could renew it."""
    store(inbox, "old", grouping=Grouping.COALESCED)
    old = claim_one(inbox)
    store(inbox, "new", grouping=Grouping.COALESCED)
    with inbox.transaction(old):
        time.move(LEASE)
        assert claimed_keys(other) == ["new"]

    assert inbox.stats().done == 1


def test_a_delivery_that_is_run_again_is_not_forgotten_at_the_same_moment(
    address: str, inbox: PostgresInbox, other: PostgresInbox, time: Time
) -> None:
    store(inbox, "a")
    inbox.done(claim(inbox))
    time.move(10)
    with ThreadPoolExecutor(2) as pool:
        with holding(address, "SELECT FROM rmz_tasks FOR UPDATE"):
            requeued = pool.submit(inbox.requeue, 1, {"first": Grouping.EACH})
            wait_for_waiting(address, 1)
            purged = pool.submit(other.purge, older_than=0.0)
            wait_for_waiting(address, 2)
        assert (requeued.result(), purged.result()) == (True, 0)

    assert claimed_keys(inbox) == ["a"]


@pytest.mark.parametrize("level", ["repeatable read", "serializable"])
def test_an_isolation_of_the_database_is_that_of_handlers_only(
    address: str, time: Time, level: str
) -> None:
    """Deliveries of one event would fail if they came at the same time."""
    setting = level.replace(" ", "\\ ")
    strict = with_setting(address, f"default_transaction_isolation={setting}")
    inbox, other = (PostgresInbox(strict, _clock=time.clock()) for _ in range(2))
    inbox.create()

    def add() -> Sequence[Delivery]:
        store(other, "a")
        return [delivery("a")]

    assert while_comparing(inbox, time, add) == []
    with inbox.transaction(claim_one(inbox)) as connection:
        assert connection.exec_driver_sql("SHOW transaction_isolation").scalar() == level
    inbox.close()
    other.close()


def test_a_connection_to_a_server_that_only_reads_now_is_replaced(
    address: str, inbox: PostgresInbox
) -> None:
    """Another server has taken over, and the connection would fail until a restart."""
    store(inbox, "a", "b")
    with inbox.transaction(claim_one(inbox)) as connection:
        connection.exec_driver_sql("SET default_transaction_read_only = on")

    with pytest.raises(DBAPIError, match="read-only transaction"):
        claim(inbox)

    assert claimed_keys(inbox) == ["b"]
    assert run_sql(address, "SHOW default_transaction_read_only") == [("off",)]
