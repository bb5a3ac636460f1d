"""An inbox in PostgreSQL: several processes together, a restart, notifications and forks."""

from __future__ import annotations

import threading
import traceback
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import psycopg
import pytest
from sqlalchemy import Connection, make_url, text
from sqlalchemy.exc import DBAPIError

from rmz_async import ConfigurationError
from rmz_async.webhooks.inbox._postgres_pool import QUIET, new_engine
from rmz_async.webhooks.inbox.interface import Grouping, Inbox
from rmz_async.webhooks.inbox.opening import open_inbox
from rmz_async.webhooks.inbox.postgres import PostgresInbox
from rmz_async.webhooks.inbox.records import Task
from tests import seams
from tests.webhooks.postgres import end_connections, locked, new_database, new_schema, run_sql
from tests.webhooks.storages import LEASE, Time, claim, claim_one, delivery, store

WORKERS = 4


@pytest.fixture
def address() -> str:
    """An empty schema on the server."""
    return new_schema()


@pytest.fixture
def inbox(address: str) -> Iterator[PostgresInbox]:
    """An inbox in the schema."""
    inbox = PostgresInbox(address)
    inbox.create()
    yield inbox
    inbox.close()


@pytest.fixture
def others(address: str, inbox: PostgresInbox) -> Iterator[list[PostgresInbox]]:
    """Inboxes of other processes on the same schema."""
    others = [PostgresInbox(address) for _ in range(WORKERS)]
    yield others
    for each in others:
        each.close()


def test_an_address_opens_an_inbox_in_postgresql(address: str) -> None:
    """The driver is the one of the extra, whichever the address names."""
    plain = address.replace("postgresql+psycopg://", "postgresql://")
    inbox = open_inbox(plain)
    inbox.create()
    assert inbox.add([delivery()]) == [1]
    inbox.close()


def test_an_address_that_cannot_be_read_shows_no_password() -> None:
    with pytest.raises(ConfigurationError, match="must be postgresql://") as caught:
        open_inbox("postgresql://user:secret@host:port/db")
    assert "secret" not in str(caught.value)
    shown = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    assert "self = PostgresInbox(None)" in "".join(shown.format())
    assert "secret" not in repr(PostgresInbox("postgresql://user:secret@host/db"))


def test_the_environment_does_not_choose_the_encoding(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Deliveries with Arabic letters would not be stored."""
    monkeypatch.setenv("PGCLIENTENCODING", "latin1")
    inbox = PostgresInbox(address)
    inbox.create()
    inbox.add([delivery("سارة")])

    assert [entry.key for entry in inbox.entries()] == ["سارة"]
    inbox.close()


def test_a_database_without_an_encoding_has_an_inbox() -> None:
    """Servers that were set up without a language have such databases."""
    with new_database("SQL_ASCII") as address:
        inbox = PostgresInbox(address)
        inbox.create()
        inbox.add([delivery("سارة")])

        assert [entry.key for entry in inbox.entries()] == ["سارة"]
        inbox.close()


def test_a_database_that_cannot_store_all_characters_is_refused() -> None:
    """RMZ would get 503 for an Arabic name, again and again, and would switch the webhook off."""
    with new_database("LATIN1") as address:
        inbox = PostgresInbox(address)
        with pytest.raises(ConfigurationError, match="encoding UTF8, and has LATIN1"):
            inbox.create()
        inbox.close()


def test_processes_may_make_the_tables_at_the_same_time(address: str) -> None:
    inboxes = [PostgresInbox(address) for _ in range(WORKERS)]
    with ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(lambda inbox: inbox.create(), inboxes))

    assert inboxes[0].add([delivery()]) == [1]
    for inbox in inboxes:
        inbox.close()


def test_the_printed_schema_is_the_one_that_is_made(address: str) -> None:
    """For migrations of one's own; the statements may run twice."""
    inbox = PostgresInbox(address)
    for _ in range(2):
        run_sql(address, *statements(inbox.schema()))

    store(inbox, "a", grouping=Grouping.ORDERED)
    assert claim_one(inbox).key == "a"
    inbox.close()


def test_processes_that_store_the_same_events_in_another_order_do_not_block_each_other(
    others: list[PostgresInbox],
) -> None:
    """PostgreSQL would end one of two that wait for each other."""
    keys = [f"e-{number}" for number in range(40)]

    def add(worker: int) -> int:
        order = keys if worker % 2 else keys[::-1]
        stored = others[worker].add([delivery(key) for key in order])
        return sum(number is not None for number in stored)

    with ThreadPoolExecutor(WORKERS) as pool:
        assert sum(pool.map(add, range(WORKERS))) == len(keys)


def test_deliveries_that_are_stored_together_keep_their_order(inbox: PostgresInbox) -> None:
    """Ordered handlers run them as they came."""
    inbox.add([delivery(key, ("first",), Grouping.ORDERED) for key in "bac"])
    keys: list[str] = []
    while tasks := claim(inbox):
        keys += [task.key for task in tasks]
        inbox.done(tasks)

    assert keys == ["b", "a", "c"]


@pytest.mark.parametrize("grouping", Grouping)
def test_workers_that_claim_at_the_same_time_share_the_tasks(
    inbox: PostgresInbox, others: list[PostgresInbox], grouping: Grouping
) -> None:
    """Each task runs once, and of a group only one runs at a time."""
    inbox.add(
        [
            delivery(f"{subject}-{number}", ("first",), grouping, subject=f"subscription:{subject}")
            for number in range(5)
            for subject in range(8)
        ]
    )
    running: set[str] = set()
    keys: list[str] = []
    overlaps: list[str] = []

    def work(worker: Inbox) -> None:
        while tasks := worker.claim(["first"], limit=2, lease=LEASE):
            for task in tasks:
                subject = task.key.partition("-")[0]
                if grouping != Grouping.EACH and subject in running:
                    overlaps.append(task.key)
                running.add(subject)
                keys.append(task.key)
            running.difference_update({task.key.partition("-")[0] for task in tasks})
            worker.done(tasks)

    with ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(work, others))
    # A worker may find nothing because all that is left runs elsewhere.
    work(inbox)

    assert len(keys) == len(set(keys)) == (8 if grouping == Grouping.COALESCED else 40)
    assert overlaps == []
    assert inbox.stats().waiting == 0


def test_a_coalesced_task_that_runs_is_never_merged(
    inbox: PostgresInbox, others: list[PostgresInbox]
) -> None:
    """A newer task that comes while an older one is being claimed waits for it."""
    for round_number in range(20):
        store(inbox, f"{round_number}-old", grouping=Grouping.COALESCED)
        with ThreadPoolExecutor(WORKERS) as pool:
            new = pool.submit(store, others[0], f"{round_number}-new", grouping=Grouping.COALESCED)
            claims = [pool.submit(claim_one_or_none, worker) for worker in others[1:]]
            new.result()
            claimed = [task for each in claims for task in each.result()]
        assert len(claimed) == 1
        inbox.done(claimed)
        inbox.done(claim(inbox))
    assert inbox.stats().waiting == inbox.stats().running == 0


def statements(schema: str) -> list[str]:
    """Split the schema, as a migration may."""
    return [each for each in schema.split(";\n") if each.strip()]


def claim_one_or_none(worker: Inbox) -> list[Task]:
    """Claim at most one task."""
    return list(worker.claim(["first"], limit=1, lease=LEASE))


def test_a_connection_that_the_server_has_closed_is_replaced(
    inbox: PostgresInbox, address: str
) -> None:
    """A server that was restarted has closed them all."""
    inbox.add([delivery()])
    end_connections(address)

    assert inbox.add([delivery("b")]) != [None]
    assert len(claim(inbox)) == 4


def test_a_connection_that_nobody_has_used_for_long_is_asked_before_it_is_used(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A firewall may have forgotten it, and the server says nothing then."""
    now = Time()
    engine = new_engine(make_url(address), lambda: now.monotonic, {})

    def backend() -> int:
        with engine.connect() as connection:
            return int(connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one())

    def forgotten(_: object) -> bool:
        raise psycopg.OperationalError("reset by peer")

    first = backend()
    now.move(QUIET + 1)
    assert backend() == first

    monkeypatch.setattr(engine.dialect, "do_ping", forgotten)
    assert backend() == first
    now.move(QUIET + 1)
    assert backend() != first
    engine.dispose()


def test_many_handlers_at_once_use_the_same_connections_again(inbox: PostgresInbox) -> None:
    """To open one for each handler took longer than all the rest."""
    store(inbox, *map(str, range(12)))

    def backends() -> set[int]:
        with ExitStack() as stack:
            held = [
                stack.enter_context(inbox.transaction(task))
                for task in inbox.claim(["first"], limit=6, lease=LEASE)
            ]
            return {one.exec_driver_sql("SELECT pg_backend_pid()").scalar_one() for one in held}

    first = backends()
    assert len(first) == 6
    assert backends() == first


def test_a_claim_reads_no_more_than_it_takes(address: str, inbox: PostgresInbox) -> None:
    """PostgreSQL has no statistics of a new table, and would sort all that waits."""
    inbox.add([delivery(str(number)) for number in range(2_000)])
    end_connections(address)
    read = (
        "SELECT sum(idx_tup_read) + sum(idx_tup_fetch) + (SELECT seq_tup_read FROM "
        "pg_stat_user_tables WHERE relid = 'rmz_tasks'::regclass) "
        "FROM pg_stat_user_indexes WHERE relid = 'rmz_tasks'::regclass"
    )
    before = run_sql(address, read)[0][0]

    assert len(inbox.claim(["first"], limit=3, lease=LEASE)) == 3
    # A connection reports its figures to the server at its end.
    end_connections(address)

    assert run_sql(address, read)[0][0] - before < 100


def test_a_process_whose_clock_was_put_back_is_at_most_a_second_behind(address: str) -> None:
    """The database holds the time for it, and is seldom written nevertheless."""
    now = Time()
    first = PostgresInbox(address, _clock=now.clock())
    first.create()
    store(first, "a")
    lease = 1.2
    assert first.claim(["first"], limit=1, lease=lease)
    seen = run_sql(address, "SELECT seen FROM rmz_time")
    now.move(0.9)
    first.stats()
    assert run_sql(address, "SELECT seen FROM rmz_time") == seen

    now.move(lease)
    first.stats()
    now.put_clock(-3_600)
    second = PostgresInbox(address, _clock=now.clock())

    assert second.claim(["first"], limit=1, lease=lease)
    for each in (first, second):
        each.close()


def test_a_handler_s_failure_inside_its_transaction_undoes_its_effect(
    address: str, inbox: PostgresInbox
) -> None:
    """The effect and the mark that the task is done are one."""
    store(inbox, "a")
    task = claim_one(inbox)

    def effect(connection: Connection, by: int) -> None:
        connection.execute(text("CREATE TABLE effects (result INTEGER)"))
        connection.execute(text("INSERT INTO effects VALUES (:result)"), {"result": 6 // by})

    with pytest.raises(ZeroDivisionError), inbox.transaction(task) as connection:
        effect(connection, 0)
    with inbox.transaction(task) as connection:
        effect(connection, 2)

    assert inbox.stats().done == 1
    assert run_sql(address, "SELECT result FROM effects") == [(3,)]


def test_a_notification_wakes_a_worker_of_another_process(
    inbox: PostgresInbox, others: list[PostgresInbox]
) -> None:
    """Also the deliveries that were stored before anybody listened."""
    woken = threading.Semaphore(0)
    stop = others[0].listen(woken.release)
    assert woken.acquire(timeout=20)
    inbox.add([delivery()])

    assert woken.acquire(timeout=20)
    stop()
    assert not any(each.name == "rmz-inbox" for each in threading.enumerate())


def test_a_listener_whose_connection_is_lost_connects_again(
    address: str, inbox: PostgresInbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    seams.set_listening_pause(monkeypatch, 0.01)
    woken = threading.Semaphore(0)
    stop = inbox.listen(woken.release)
    assert woken.acquire(timeout=20)
    end_connections(address)

    assert woken.acquire(timeout=20)
    stop()


def test_a_child_of_a_fork_opens_connections_of_its_own(inbox: PostgresInbox) -> None:
    """The parent's go on to work."""
    inbox.add([delivery("a")])
    with seams.as_another_process(inbox):
        inbox.add([delivery("b")])
    inbox.add([delivery("c")])

    assert inbox.stats().deliveries == 3


def test_a_statement_that_hangs_is_ended_before_rmz_stops_waiting(
    address: str, inbox: PostgresInbox
) -> None:
    """The delivery is answered with an error, and RMZ sends it again."""
    with locked(address, "rmz_deliveries"), pytest.raises(DBAPIError, match="timeout"):
        inbox.add([delivery()])

    assert inbox.add([delivery()]) != [None]


def test_the_server_s_clock_counts_and_not_the_machine_s(inbox: PostgresInbox) -> None:
    """Two machines whose clocks differ share the leases."""
    inbox.add([delivery(handlers=("first",))], delay=60.0)
    entry = inbox.entry(1)

    assert entry is not None
    assert 55 < entry.tasks[0].due_in <= 60
