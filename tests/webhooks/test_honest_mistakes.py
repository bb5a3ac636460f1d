"""Mistakes of honest users in handlers, which must not pass in silence."""

from __future__ import annotations

import contextlib
import functools
import inspect
import logging
import sqlite3
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from rmz_async import ConfigurationError
from rmz_async.webhooks import Event, Receiver, Stats
from tests.webhooks.receiving import SECRET, deliver_events
from tests.webhooks.storages import Time

pytestmark = pytest.mark.anyio


@pytest.fixture
async def second(tmp_path: Path, time: Time) -> AsyncIterator[Receiver]:
    """Another receiver, with an inbox of its own."""
    address = f"sqlite:///{tmp_path / 'second.db'}"
    receiver = Receiver(secrets=[SECRET], inbox=address, max_attempts=1, _clock=time.clock())
    yield receiver
    await receiver.aclose()


class Methods:
    """Handlers that are methods."""

    def __init__(self) -> None:
        self.got: list[str] = []

    async def handle(self, event: Event) -> None:
        """Note the event."""
        self.got.append(event.dedupe_key)

    async def __call__(self, extra: str, event: Event) -> None:
        """Note an argument."""
        self.got.append(extra)


@pytest.mark.parametrize(
    "function",
    [lambda: 0, lambda event, session: 0, lambda *, event: 0, Methods.handle, Methods],
    ids=["none", "two", "by name", "a method of the class", "a class"],
)
async def test_a_function_that_cannot_take_the_event_is_refused(
    receiver: Receiver, function: Any
) -> None:
    """Each event would fail, hours after it came, and be dead in the end."""
    with pytest.raises(ConfigurationError, match="must take the event, and nothing else"):
        receiver.on("*")(function)


@pytest.mark.parametrize("function", [max, dict, print, lambda event, *more: 0])
async def test_a_function_that_can_take_the_event_is_accepted(
    receiver: Receiver, function: Any
) -> None:
    """Some functions of C do not say what they take."""
    receiver.on("*")(function)


async def test_a_decorator_may_pass_arguments_of_its_own(receiver: Receiver) -> None:
    got: list[str] = []

    def with_session(function: Callable[[Event, str], None]) -> Callable[[Event], None]:
        @functools.wraps(function)
        def wrapper(event: Event) -> None:
            function(event, "session")

        return wrapper

    @receiver.on("*")
    @with_session
    def handler(event: Event, session: str) -> None:
        got.append(session)

    await deliver_events(receiver, "a")
    await receiver.drain()

    assert got == ["session"]


async def test_an_async_function_inside_something_else_is_awaited(receiver: Receiver) -> None:
    """A static method whose class is not ready, and a partial of an object."""
    methods = Methods()

    async def note(event: Event) -> None:
        methods.got.append("static")

    receiver.on("*", name="static")(staticmethod(note))
    receiver.on("*", name="partial")(functools.partial(methods, "partial"))
    await deliver_events(receiver, "a")
    await receiver.drain()

    assert sorted(methods.got) == ["partial", "static"]


async def test_a_receiver_without_handlers_says_so_once(
    receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    """The module of the handlers was not imported, and every answer is 200."""
    await deliver_events(receiver, "a", "b")

    assert [message.split(",")[0] for message in caplog.messages] == ["no handler is registered"]


async def test_a_handler_that_comes_too_late_is_named(
    receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    receiver.on("*", name="early")(print)
    await deliver_events(receiver, "a")
    receiver.on("*", name="late")(print)

    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert "on: late is registered after the first delivery" in record.getMessage()


@pytest.mark.parametrize("enqueue", [None, 5, "queue"])
async def test_a_queue_that_cannot_be_called_is_refused(receiver: Receiver, enqueue: Any) -> None:
    """Each number would be kept back for a minute, and again."""
    with pytest.raises(ConfigurationError, match="hand_off: must be a function"):
        receiver.hand_off(enqueue)


@pytest.mark.parametrize("method", ["transaction", "mark_done"])
async def test_a_transaction_of_another_receiver_is_refused(
    receiver: Receiver, second: Receiver, caplog: pytest.LogCaptureFixture, method: str
) -> None:
    """The task with the same number would be done there, and its handler would never run."""
    effects: list[str] = []

    @receiver.on("*", name="same", max_attempts=1)
    def wrong(event: Event) -> None:
        effects.append("wrong")
        if method == "transaction":
            with second.transaction(event):
                pass
        else:
            path = repr(second.inbox).split("'")[1]
            with contextlib.closing(sqlite3.connect(path)) as own, own:
                second.mark_done(event, own.cursor())

    @second.on("*", name="same")
    async def right(event: Event) -> None:
        effects.append("right")
        # The wrong one runs while this task is claimed.
        await receiver.drain()

    await deliver_events(receiver, "a")
    await deliver_events(second, "a")
    await second.drain()

    assert effects == ["right", "wrong"]
    assert (await receiver.stats()).dead == 1
    assert f"{method}: call this on the receiver whose handler runs" in caplog.messages[-1]


async def test_a_second_transaction_after_the_first_says_why_it_changes_nothing(
    receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    @receiver.on("*", name="async")
    async def handler(event: Event) -> None:
        for _ in range(2):
            async with receiver.transaction(event):
                pass

    @receiver.on("*", name="plain")
    def plain(event: Event) -> None:
        for _ in range(2):
            with receiver.transaction(event):
                pass

    await deliver_events(receiver, "a")
    await receiver.drain()

    assert ["put the whole effect into one" in message for message in caplog.messages] == [True] * 2
    assert (await receiver.stats()).done == 2


@pytest.mark.parametrize("is_async", [True, False])
async def test_the_inbox_does_not_care_what_a_handler_sets_on_the_connection(
    receiver: Receiver, is_async: bool
) -> None:
    """A row factory of dictionaries made the inbox unreadable until the program was restarted."""

    def spoil(connection: sqlite3.Connection) -> None:
        connection.row_factory = lambda cursor, row: {
            column[0]: value for column, value in zip(cursor.description, row, strict=True)
        }
        connection.text_factory = bytes
        connection.isolation_level = "DEFERRED"

    if is_async:

        @receiver.on("*")
        async def handler(event: Event) -> None:
            async with receiver.transaction(event) as connection:
                assert connection.execute("SELECT 'a'").fetchone() == ("a",)
                spoil(connection)
    else:

        @receiver.on("*")
        def plain(event: Event) -> None:
            with receiver.transaction(event) as connection:
                spoil(connection)

    await deliver_events(receiver, "a", "b")
    async with receiver.working():
        while (await receiver.stats()).waiting:
            await anyio.lowlevel.checkpoint()
    await deliver_events(receiver, "c")

    with contextlib.closing(sqlite3.connect(repr(receiver.inbox).split("'")[1])) as other:
        assert other.execute("SELECT count(*) FROM rmz_deliveries").fetchone() == (3,)
    assert (await receiver.stats()).waiting == 1


async def test_a_transaction_of_ones_own_that_was_not_committed_is_logged(
    receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    """A forgotten commit leaves no effect and no error."""

    @receiver.on("*", name="forgets")
    def forgets(event: Event) -> None:
        path = repr(receiver.inbox).split("'")[1]
        with contextlib.closing(sqlite3.connect(path)) as own:
            receiver.mark_done(event, own.cursor())

    @receiver.on("*", name="commits")
    def commits(event: Event) -> None:
        path = repr(receiver.inbox).split("'")[1]
        with contextlib.closing(sqlite3.connect(path)) as own, own:
            receiver.mark_done(event, own.cursor())

    await deliver_events(receiver, "a")
    await receiver.drain()

    (message,) = caplog.messages
    assert message.startswith("forgets has succeeded for subscription.renewed, but the transaction")
    assert await receiver.stats() == Stats(deliveries=1, done=2)


async def test_a_mark_whose_event_is_forgotten_is_no_error(
    receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    @receiver.on("*")
    def handler(event: Event) -> None:
        path = repr(receiver.inbox).split("'")[1]
        with contextlib.closing(sqlite3.connect(path)) as own, own:
            receiver.mark_done(event, own.cursor())
        receiver.inbox.purge(older_than=-1)

    await deliver_events(receiver, "a")
    await receiver.drain()

    assert caplog.messages == []
    assert await receiver.stats() == Stats()


class AsyncCursor:
    """A cursor of an async driver."""

    rowcount = -1

    def __init__(self) -> None:
        self.answer: Any = None

    def execute(self, operation: object) -> Any:
        """Return a coroutine that nobody awaits."""
        self.answer = self._run()
        return self.answer

    async def _run(self) -> None: ...


async def test_a_cursor_that_must_be_awaited_is_refused(
    receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    """The mark would never be set, and the handler run again every 30 seconds."""
    cursor = AsyncCursor()

    @receiver.on("*", max_attempts=1)
    async def handler(event: Event) -> None:
        receiver.mark_done(event, cursor)

    await deliver_events(receiver, "a")
    await receiver.drain()

    assert "mark_done: must get a cursor that blocks" in caplog.messages[-1]
    assert inspect.getcoroutinestate(cursor.answer) == inspect.CORO_CLOSED


async def test_a_handler_that_seems_to_kill_its_process_is_named(
    receiver: Receiver, time: Time, caplog: pytest.LogCaptureFixture
) -> None:
    """Each process that dies leaves an attempt without an end, so that none is the last one."""
    receiver.on("*", name="heavy")(print)
    await deliver_events(receiver, "a")
    for _ in range(3):
        assert receiver.inbox.claim(["heavy"], limit=1, lease=30)
        time.move(31)
    await receiver.drain()

    (message,) = caplog.messages
    assert message.startswith("heavy begins attempt 4 of 3 for subscription.renewed")
    assert (await receiver.stats()).done == 1
