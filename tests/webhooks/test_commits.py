"""Handlers whose transactions follow each other share a commit, and nothing else."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import anyio
import anyio.lowlevel
import pytest

from rmz_async.webhooks import Event, Receiver, Stats
from rmz_async.webhooks._commits import Commits
from rmz_async.webhooks.inbox.sqlite import SQLiteInbox
from tests import seams
from tests.seams import Setting, replace
from tests.webhooks.blocks import Blocks, begun, until_all_wait
from tests.webhooks.receiving import deliver_events
from tests.webhooks.storages import Time

pytestmark = pytest.mark.anyio

INSERT = "INSERT INTO effects VALUES (?)"

Effects = Callable[[], list[str]]


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no block commit because the machine is busy with other tests."""
    replace(monkeypatch, Setting.LONGEST_GROUP, 600.0)


@pytest.fixture
def effects(receiver: Receiver, tmp_path: Path) -> Iterator[Effects]:
    """The effects that were committed, as another program sees them."""
    receiver.inbox.create()
    connection = sqlite3.connect(
        tmp_path / "inbox.db", isolation_level=None, check_same_thread=False
    )
    connection.execute("CREATE TABLE effects (key TEXT)")
    connection.execute(
        "CREATE TABLE checked (id INTEGER REFERENCES rmz_deliveries DEFERRABLE INITIALLY DEFERRED)"
    )
    yield lambda: sorted(key for (key,) in connection.execute("SELECT key FROM effects"))
    connection.close()


@pytest.fixture
def statements(receiver: Receiver, effects: Effects) -> list[str]:
    """The statements of the inbox's connection from now on."""
    assert isinstance(receiver.inbox, SQLiteInbox)
    found: list[str] = []
    seams.connection_of(receiver.inbox).set_trace_callback(found.append)
    return found


class Attempts:
    """The attempts of handlers, until the last one that a test waits for has ended."""

    def __init__(self, wanted: int) -> None:
        self._left = wanted
        self._ended = anyio.Event()

    def __enter__(self) -> None:
        """Begin an attempt."""

    def __exit__(self, *_: object) -> None:
        self._left -= 1
        if not self._left:
            self._ended.set()

    async def work(self, receiver: Receiver) -> Stats:
        """Run the handlers, several at a time."""
        async with receiver.working():
            await self._ended.wait()
        return await receiver.stats()


def spoil_once(
    receiver: Receiver, attempts: Attempts, spoil: Callable[[sqlite3.Connection], object]
) -> None:
    """Let each event insert its key, and the first attempt of ``b`` spoil its transaction too."""
    faults = ["b"]

    @receiver.on("*")
    async def handler(event: Event) -> None:
        with attempts:
            async with receiver.transaction(event) as connection:
                await anyio.lowlevel.checkpoint()
                connection.execute(INSERT, (event.dedupe_key,))
                if event.dedupe_key in faults:
                    faults.clear()
                    spoil(connection)


def kept_by_each_commit(statements: list[str]) -> list[int]:
    """Return how many blocks each commit was for, without those that were for none."""
    counts, count = list[int](), 0
    for statement in statements:
        count += statement == "RELEASE rmz_block"
        if statement == "COMMIT":
            counts.append(count)
            count = 0
    return [count for count in counts if count]


async def test_handlers_that_wait_together_are_committed_together(
    receiver: Receiver, effects: Effects, statements: list[str]
) -> None:
    attempts = Attempts(8)

    @receiver.on("*")
    async def handler(event: Event) -> None:
        with attempts:
            async with receiver.transaction(event) as connection:
                await anyio.lowlevel.checkpoint()
                connection.execute(INSERT, (event.dedupe_key,))
            # Only a handler whose effect is durable may tell others of it.
            assert event.dedupe_key in effects()

    keys = list("abcdefgh")
    await deliver_events(receiver, *keys)
    assert await attempts.work(receiver) == Stats(deliveries=8, done=8)

    assert effects() == keys
    # A handler that finds the file taken for a moment has a transaction of its own.
    assert max(kept_by_each_commit(statements)) > 1


async def test_a_transaction_that_takes_long_takes_up_no_other_handler(
    receiver: Receiver, effects: Effects, statements: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """No delivery can be stored meanwhile."""
    replace(monkeypatch, Setting.LONGEST_GROUP, -1.0)
    attempts = Attempts(3)

    @receiver.on("*")
    async def handler(event: Event) -> None:
        with attempts:
            async with receiver.transaction(event) as connection:
                await anyio.lowlevel.checkpoint()
                connection.execute(INSERT, (event.dedupe_key,))

    await deliver_events(receiver, "a", "b", "c")
    await attempts.work(receiver)

    assert effects() == ["a", "b", "c"]
    assert set(kept_by_each_commit(statements)) == {1}


async def test_a_handler_that_fails_takes_back_its_own_effect_only(
    receiver: Receiver, effects: Effects
) -> None:
    attempts = Attempts(4)

    @receiver.on("*", max_attempts=1)
    async def handler(event: Event) -> None:
        with attempts:
            async with receiver.transaction(event) as connection:
                await anyio.lowlevel.checkpoint()
                connection.execute(INSERT, (event.dedupe_key,))
                if event.dedupe_key in "bd":
                    raise LookupError

    await deliver_events(receiver, *"abcd")
    stats = await attempts.work(receiver)

    assert effects() == ["a", "c"]
    assert (stats.done, stats.dead) == (2, 2)


async def test_a_commit_that_fails_has_no_effect_and_all_run_again(
    receiver: Receiver, effects: Effects, time: Time
) -> None:
    attempts = Attempts(3)
    # SQLite looks for such a delivery when the transaction is committed.
    spoil_once(receiver, attempts, lambda at: at.execute("INSERT INTO checked VALUES (999)"))
    await deliver_events(receiver, *"abc")
    await attempts.work(receiver)
    assert "b" not in effects()

    time.move(1e6)
    await receiver.drain()

    assert effects() == ["a", "b", "c"]
    assert await receiver.stats() == Stats(deliveries=3, done=3)


@pytest.mark.parametrize("statement", ["COMMIT", "ROLLBACK"])
@pytest.mark.parametrize("fails", [False, True])
async def test_code_that_ends_the_transaction_loses_and_doubles_no_effect(
    receiver: Receiver,
    effects: Effects,
    time: Time,
    caplog: pytest.LogCaptureFixture,
    statement: str,
    fails: bool,
) -> None:
    attempts = Attempts(3)

    def end(connection: sqlite3.Connection) -> None:
        connection.execute(statement)
        if fails:
            raise LookupError("b")

    spoil_once(receiver, attempts, end)
    await deliver_events(receiver, *"abc")
    await attempts.work(receiver)
    expected = "LookupError: b" if fails else "leave COMMIT and ROLLBACK to the receiver"
    assert expected in caplog.text

    time.move(1e6)
    await receiver.drain()

    assert effects() == ["a", "b", "c"]
    assert await receiver.stats() == Stats(deliveries=3, done=3)


async def test_a_next_handler_that_is_cancelled_leaves_no_effect_uncommitted() -> None:
    commits, blocks = Commits(), Blocks()
    group = await begun(commits, blocks)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(begun, commits, blocks)
        await until_all_wait()
        tasks.cancel_scope.cancel()
        with anyio.fail_after(60):
            await commits.end(group, is_kept=True)

    assert blocks.done == ["begin", "keep", "commit"]
    # The turn is free.
    await begun(commits, Blocks())


async def test_a_handler_that_is_cancelled_while_another_one_runs_commits_nothing() -> None:
    commits, blocks = Commits(), Blocks()
    group = await begun(commits, blocks)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(begun, commits, blocks)
        await until_all_wait()
        tasks.cancel_scope.cancel()

    assert blocks.done == ["begin"]
    await commits.end(group, is_kept=True)
    assert blocks.done == ["begin", "keep", "commit"]


async def test_a_block_that_cannot_begin_fails_those_before_it() -> None:
    """SQLite rolls a whole transaction back if the disk is full."""
    commits, blocks = Commits(), Blocks()
    first = await begun(commits, blocks)
    errors: list[Exception] = []

    async def second() -> None:
        try:
            await begun(commits, blocks)
        except sqlite3.OperationalError as error:
            errors.append(error)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(second)
        await until_all_wait()
        blocks.fails = ("begin",)
        with pytest.raises(sqlite3.OperationalError, match="disk full"):
            await commits.end(first, is_kept=True)

    assert len(errors) == 1
    assert blocks.done[-1] == "roll back for disk full"
    await begun(commits, Blocks())


async def test_an_inbox_that_cannot_be_opened_holds_up_no_other_handler() -> None:
    commits = Commits()

    def broken() -> Blocks:
        raise sqlite3.DatabaseError("file is not a database")

    with pytest.raises(sqlite3.DatabaseError):
        await commits.begin(broken, "the mark")

    await begun(commits, Blocks())
