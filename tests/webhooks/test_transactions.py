"""The effect of a handler happens once: it is committed with the mark that it is done."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import anyio
import anyio.lowlevel
import pytest

from rmz_async import ConfigurationError, TaskLostError
from rmz_async.webhooks import Event, Receiver, Stats
from rmz_async.webhooks.inbox.sqlite import SQLiteInbox
from tests import seams
from tests.webhooks.receiving import deliver_events
from tests.webhooks.storages import Time

pytestmark = pytest.mark.anyio

INSERT = "INSERT INTO effects VALUES (?)"


@pytest.fixture
def effects(receiver: Receiver, tmp_path: Path) -> Iterator[Callable[[], list[str]]]:
    """The effects that were committed."""
    receiver.inbox.create()
    connection = sqlite3.connect(
        tmp_path / "inbox.db", isolation_level=None, check_same_thread=False
    )
    connection.execute("CREATE TABLE effects (key TEXT)")
    yield lambda: [key for (key,) in connection.execute("SELECT key FROM effects")]
    connection.close()


Effects = Callable[[], list[str]]


async def test_an_async_handler_commits_its_effect_once(
    receiver: Receiver, effects: Effects
) -> None:
    @receiver.on("*")
    async def handler(event: Event) -> None:
        async with receiver.transaction(event) as connection:
            connection.execute(INSERT, (event.dedupe_key,))

    await deliver_events(receiver, "a", "b")
    await receiver.drain()

    assert effects() == ["a", "b"]
    assert await receiver.stats() == Stats(deliveries=2, done=2)


async def test_a_plain_handler_commits_its_effect_once(
    receiver: Receiver, effects: Effects
) -> None:
    @receiver.on("*")
    def handler(event: Event) -> None:
        with receiver.transaction(event) as connection:
            connection.execute(INSERT, (event.dedupe_key,))

    await deliver_events(receiver, "a")
    await receiver.drain()

    assert effects() == ["a"]
    assert (await receiver.stats()).done == 1


async def test_an_effect_of_a_handler_that_fails_is_undone(
    receiver: Receiver, effects: Effects, time: Time
) -> None:
    """The next attempt begins from the same state."""
    attempts: list[int] = []

    @receiver.on("*")
    async def handler(event: Event) -> None:
        async with receiver.transaction(event) as connection:
            connection.execute(INSERT, (event.dedupe_key,))
            attempts.append(1)
            if len(attempts) == 1:
                raise LookupError

    await deliver_events(receiver, "a")
    await receiver.drain()
    assert effects() == []

    time.move(5)
    await receiver.drain()
    assert effects() == ["a"]


async def test_a_handler_that_fails_after_its_commit_is_done(
    receiver: Receiver, effects: Effects, caplog: pytest.LogCaptureFixture, time: Time
) -> None:
    """Its effect must not happen a second time."""

    @receiver.on("*")
    def handler(event: Event) -> None:
        with receiver.transaction(event) as connection:
            connection.execute(INSERT, (event.dedupe_key,))
        raise LookupError

    await deliver_events(receiver, "a")
    await receiver.drain()
    time.move(1e6)
    await receiver.drain()

    assert effects() == ["a"]
    assert caplog.messages[-1].endswith(
        "failed for subscription.renewed after it had committed, and is done: LookupError: "
    )


async def test_a_worker_that_was_too_slow_has_no_effect(
    receiver: Receiver, effects: Effects, time: Time, caplog: pytest.LogCaptureFixture
) -> None:
    """Another worker has taken the event meanwhile."""

    @receiver.on("*")
    async def handler(event: Event) -> None:
        time.move(60)
        taken = receiver.inbox.claim(list(names), limit=1, lease=60)
        assert len(taken) == 1
        async with receiver.transaction(event):
            pytest.fail("the effect must not happen")

    await deliver_events(receiver, "a")
    (entry,) = receiver.inbox.entries()
    names = [task.handler for task in entry.tasks]
    await receiver.drain()

    assert "has done it: nothing was changed" in caplog.messages[-1]
    assert (await receiver.stats()).running == 1


async def test_two_handlers_of_one_event_each_have_their_effect(
    receiver: Receiver, effects: Effects
) -> None:
    for name in ("first", "second"):

        @receiver.on("*", name=name)
        def handler(event: Event, name: str = name) -> None:
            with receiver.transaction(event) as connection:
                connection.execute(INSERT, (name,))

    await deliver_events(receiver, "a")
    await receiver.drain()

    assert sorted(effects()) == ["first", "second"]


async def test_an_effect_in_a_transaction_of_ones_own_happens_once(
    receiver: Receiver, effects: Effects, tmp_path: Path
) -> None:
    """For a database library that has connections of its own, Django's for instance."""
    taken: list[type[Exception]] = []

    @receiver.on("*")
    def handler(event: Event) -> None:
        for _ in range(2):
            own = sqlite3.connect(tmp_path / "inbox.db", timeout=60)
            try:
                with own:
                    receiver.mark_done(event, own.cursor())
                    own.execute(INSERT, (event.dedupe_key,))
            except TaskLostError as error:
                taken.append(type(error))
            finally:
                own.close()

    await deliver_events(receiver, "a")
    await receiver.drain()

    assert effects() == ["a"]
    assert taken == [TaskLostError]
    assert (await receiver.stats()).done == 1


async def test_a_transaction_is_for_the_handler_of_the_event(
    receiver: Receiver, effects: Effects
) -> None:
    """A forgotten name or a background task would mark another event as done."""
    events: list[Event] = []

    @receiver.on("*", max_attempts=1)
    def handler(event: Event) -> None:
        events.append(event)
        receiver.transaction(events[0])

    await deliver_events(receiver, "a", "b")
    await receiver.drain()

    assert [entry.tasks[0].state for entry in receiver.inbox.entries()] == ["dead", "done"]
    with pytest.raises(ConfigurationError, match="call this in a handler"):
        receiver.transaction(events[0])


async def test_a_transaction_inside_another_one_is_refused_immediately(
    receiver: Receiver, effects: Effects
) -> None:
    """The inner one would wait for the outer one, and no delivery could be stored meanwhile."""

    @receiver.on("*", name="plain")
    def plain(event: Event) -> None:
        with receiver.transaction(event) as connection:
            with pytest.raises(ConfigurationError, match="inside another"):
                receiver.transaction(event).__enter__()
            connection.execute(INSERT, ("plain",))

    @receiver.on("*", name="async")
    async def handler(event: Event) -> None:
        async with receiver.transaction(event) as connection:
            with pytest.raises(ConfigurationError, match="inside another"):
                await receiver.transaction(event).__aenter__()
            connection.execute(INSERT, ("async",))

    await deliver_events(receiver, "a")
    await receiver.drain()

    assert sorted(effects()) == ["async", "plain"]


async def test_a_transaction_can_be_entered_again_after_it_was_taken_back(
    receiver: Receiver, effects: Effects
) -> None:
    """A handler may attempt its effect a second time by itself; after a commit it has none."""

    @receiver.on("*", name="plain")
    def plain(event: Event) -> None:
        transaction = receiver.transaction(event)
        with pytest.raises(LookupError), transaction:
            raise LookupError
        with transaction as connection:
            connection.execute(INSERT, ("plain",))
        with pytest.raises(TaskLostError), transaction:
            pytest.fail("the effect must not happen")

    @receiver.on("*", name="async")
    async def handler(event: Event) -> None:
        transaction = receiver.transaction(event)
        with pytest.raises(LookupError):
            async with transaction:
                raise LookupError
        async with transaction as connection:
            connection.execute(INSERT, ("async",))
        with pytest.raises(TaskLostError):
            async with transaction:
                pytest.fail("the effect must not happen")

    await deliver_events(receiver, "a")
    await receiver.drain()

    assert sorted(effects()) == ["async", "plain"]
    assert (await receiver.stats()).done == 2


async def test_an_async_handler_cannot_block_the_event_loop_with_a_transaction(
    receiver: Receiver, effects: Effects
) -> None:
    """The loop would wait for another of its own handlers, which it keeps from going on."""

    @receiver.on("*")
    async def handler(event: Event) -> None:
        with pytest.raises(ConfigurationError, match="async with"):
            receiver.transaction(event).__enter__()
        await anyio.to_thread.run_sync(in_a_thread, event)

    def in_a_thread(event: Event) -> None:
        with receiver.transaction(event) as connection:
            connection.execute(INSERT, (event.dedupe_key,))

    await deliver_events(receiver, "a")
    await receiver.drain()

    assert effects() == ["a"]


async def test_a_handler_that_is_cut_off_after_its_commit_is_done(
    receiver: Receiver, effects: Effects
) -> None:
    """A redeployment repeats no effect."""
    committed = anyio.Event()

    @receiver.on("*")
    async def handler(event: Event) -> None:
        async with receiver.transaction(event) as connection:
            connection.execute(INSERT, (event.dedupe_key,))
        committed.set()
        await anyio.sleep_forever()

    await deliver_events(receiver, "a")
    async with receiver.working(grace=0.0):
        await committed.wait()
    await receiver.drain()

    assert effects() == ["a"]
    assert (await receiver.stats()).done == 1


async def test_handlers_that_want_a_transaction_wait_for_each_other(
    receiver: Receiver, effects: Effects
) -> None:
    order: list[str] = []

    @receiver.on("*")
    async def handler(event: Event) -> None:
        async with receiver.transaction(event) as connection:
            order.append("begun")
            for _ in range(5):
                await anyio.lowlevel.checkpoint()
            connection.execute(INSERT, (event.dedupe_key,))
            order.append("ends")

    await deliver_events(receiver, "a", "b", "c")
    async with receiver.working():
        while (await receiver.stats()).waiting:
            await anyio.lowlevel.checkpoint()

    assert order == ["begun", "ends"] * 3
    assert sorted(effects()) == ["a", "b", "c"]


@pytest.mark.parametrize("can_begin", ["never", "has no such method"])
async def test_a_transaction_that_cannot_begin_immediately_begins_in_a_thread(
    receiver: Receiver, effects: Effects, monkeypatch: pytest.MonkeyPatch, can_begin: str
) -> None:
    """As if another writer had the file, or as with PostgreSQL."""
    if can_begin == "never":
        monkeypatch.setattr(SQLiteInbox, "begin_now", lambda *_: None)
    else:
        monkeypatch.delattr(SQLiteInbox, "begin_now")

    @receiver.on("*")
    async def handler(event: Event) -> None:
        async with receiver.transaction(event) as connection:
            connection.execute(INSERT, (event.dedupe_key,))

    await deliver_events(receiver, "a", "b")
    await receiver.drain()

    assert effects() == ["a", "b"]


@pytest.mark.parametrize("is_busy", [False, True])
async def test_a_handler_that_has_lost_its_task_holds_up_no_other(
    receiver: Receiver, effects: Effects, monkeypatch: pytest.MonkeyPatch, is_busy: bool
) -> None:
    if is_busy:
        # As if another writer had the file at that moment.
        monkeypatch.setattr(SQLiteInbox, "begin_now", lambda _: None)

    @receiver.on("*", name="lost")
    async def lost(event: Event) -> None:
        # As if its lease had ended, and another worker had done it.
        inbox = receiver.inbox
        assert isinstance(inbox, SQLiteInbox)
        take = "UPDATE rmz_tasks SET fence = fence + 1 WHERE handler = 'lost'"
        seams.connection_of(inbox).execute(take)
        async with receiver.transaction(event):
            raise AssertionError("the task is another worker's")

    @receiver.on("*", name="other")
    async def other(event: Event) -> None:
        async with receiver.transaction(event) as connection:
            connection.execute(INSERT, (event.dedupe_key,))

    await deliver_events(receiver, "a")
    await receiver.drain()

    assert effects() == ["a"]
