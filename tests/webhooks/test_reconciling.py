"""A receiver makes up for the events that never came."""

from __future__ import annotations

import copy
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest

import rmz_sync
from rmz_async import ConfigurationError, RMZError
from rmz_async.sandbox import Sandbox
from rmz_async.webhooks import Event, Inbox, Receiver, Reconciliation, SubscriptionEvent
from rmz_async.webhooks.inbox.sqlite import SQLiteInbox
from tests.seams import Clock
from tests.webhooks.receiving import SECRET


def clock_of(sandbox: Sandbox) -> Clock:
    """The sandbox's clock, for the receiver: a wait moves it on."""
    clock = sandbox.clock

    async def sleep(seconds: float) -> None:
        await clock.advance(seconds=seconds)

    return Clock(clock=lambda: clock.now().timestamp(), today=clock.now, sleep=sleep)


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    """A seeded store."""
    async with Sandbox(seed=1) as sandbox:
        yield sandbox


@pytest.fixture
async def receiver(sandbox: Sandbox, address: str) -> AsyncIterator[Receiver]:
    """A receiver that lives in the sandbox's time."""
    receiver = Receiver(secrets=[SECRET], inbox=address, _clock=clock_of(sandbox))
    yield receiver
    await receiver.aclose()


def handled_by(receiver: Receiver | rmz_sync.webhooks.Receiver) -> list[Event]:
    """Return the list of the events that a handler has got."""
    events: list[Event] = []

    @receiver.on("*")
    def handle(event: Event) -> None:
        events.append(event)

    return events


def shop(receiver: Receiver) -> Any:
    """Return a shop's application, which can be down."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        message = await receive()
        body = message["body"]
        while message.get("more_body"):
            message = await receive()
            body += message["body"]
        headers = {key.decode(): value.decode() for key, value in scope["headers"]}
        ack = await receiver.receive(body, headers)
        status = 503 if app.is_down else ack.status  # type: ignore[attr-defined] # the attribute is of this test
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    app.is_down = False  # type: ignore[attr-defined] # the attribute is of this test
    return app


@pytest.mark.anyio
async def test_the_first_comparison_learns_and_feeds_nothing(
    sandbox: Sandbox, receiver: Receiver
) -> None:
    """A shop that begins with the library gets no flood of old subscriptions."""
    events = handled_by(receiver)
    count = len(sandbox.state.subscriptions)
    assert count > 15
    async with sandbox.client() as rmz:
        first = await receiver.reconcile(rmz)
        await sandbox.advance(minutes=1)
        second = await receiver.reconcile(rmz)
    await receiver.drain()

    assert first == Reconciliation(
        pages=-(-count // 15), subscriptions=count, events=0, is_complete=True, is_first=True
    )
    assert (second.events, second.is_first, second.is_complete) == (0, False, True)
    assert events == []


@pytest.mark.anyio
async def test_the_first_comparison_feeds_all_on_request(
    sandbox: Sandbox, receiver: Receiver
) -> None:
    events = handled_by(receiver)
    async with sandbox.client() as rmz:
        found = await receiver.reconcile(rmz, feed_first=True)
    await receiver.drain()

    created = {event.subscription.id for event in events if event.subscription is not None}
    assert created == set(sandbox.state.subscriptions)
    assert found.events == len(events) >= len(created)


@pytest.mark.anyio
async def test_what_was_missed_is_mended_once(sandbox: Sandbox, receiver: Receiver) -> None:
    """RMZ has switched the webhook off, and delivers nothing of that time later."""
    events = handled_by(receiver)
    async with sandbox.client() as rmz:
        await receiver.reconcile(rmz)
        app = shop(receiver)
        webhook = sandbox.add_webhook("http://127.0.0.1/", app=app, secret="w" * 28, tries=5)
        app.is_down = True
        active = [
            number
            for number, one in sandbox.state.subscriptions.items()
            if one.status == "active" and not one.cancel_at_period_end
        ][:3]
        await rmz.subscriptions.extend(active[0], days=1)
        await sandbox.advance(hours=5)
        assert not webhook.enabled

        await rmz.subscriptions.pause(active[0])
        await rmz.subscriptions.cancel(active[1], effective="immediate")
        await rmz.subscriptions.cancel(active[2])
        new = await sandbox.subscribe()
        await sandbox.advance(minutes=1)
        mended = await receiver.reconcile(rmz)
        await sandbox.advance(minutes=1)
        again = await receiver.reconcile(rmz)
        await receiver.drain()

        found = {
            (event.event.removeprefix("subscription."), event.subscription.id)
            for event in events
            if event.subscription is not None
        }
        assert {
            ("paused", active[0]),
            ("canceled", active[1]),
            ("canceled", active[2]),
            ("created", new),
        } <= found
        assert mended.events == len(events) == len(found)
        assert again.events == 0
        assert all(event.is_reconciled and event.secret_index is None for event in events)
        (event,) = (one for one in events if one.event == "subscription.paused")
        assert isinstance(event, SubscriptionEvent)
        assert (await event.refresh(rmz)).status == "paused"


@pytest.mark.anyio
async def test_an_event_that_came_is_not_made_up_for(sandbox: Sandbox, receiver: Receiver) -> None:
    receiver_of_rmz = Receiver(secrets=["w" * 28], inbox=receiver.inbox, _clock=clock_of(sandbox))
    events = handled_by(receiver_of_rmz)
    async with sandbox.client() as rmz:
        await receiver.reconcile(rmz)
        await sandbox.advance(minutes=1)
        sandbox.add_webhook("http://127.0.0.1/", app=shop(receiver_of_rmz), secret="w" * 28)
        new = await sandbox.subscribe()
        await sandbox.delivered()
        await rmz.subscriptions.pause(new)
        await sandbox.delivered()
        await sandbox.advance(minutes=1)
        found = await receiver_of_rmz.reconcile(rmz)
    await receiver_of_rmz.drain()

    ours = [event.event for event in events if event.subscription and event.subscription.id == new]
    assert ours == ["subscription.created", "subscription.paused"]
    assert not any(event.is_reconciled for event in events)
    assert found.events == 0


@pytest.mark.anyio
async def test_a_comparison_goes_on_where_it_was_cut_off(
    sandbox: Sandbox, receiver: Receiver
) -> None:
    fill(sandbox, 40)
    pages: list[int] = []
    async with sandbox.client() as rmz:
        with pytest.raises(RMZError):
            await receiver.reconcile(cast("Any", Failing(rmz, pages, at=2)))
        rest = await receiver.reconcile(cast("Any", Failing(rmz, pages, at=0)))

    assert pages[:3] == [1, 2, 2]
    assert (rest.is_complete, rest.is_first) == (True, True)
    # The last request finds the list at its end.
    assert rest.pages == len(pages) - 3


@pytest.mark.anyio
async def test_a_second_comparison_leaves_the_work_to_the_first(
    sandbox: Sandbox, receiver: Receiver
) -> None:
    """Two machines with one crontab ask RMZ for each page once."""
    async with sandbox.client() as rmz:
        second = Together(rmz, receiver, sandbox)
        first = await receiver.reconcile(cast("Any", second))

    assert first.is_complete
    assert second.found is not None
    assert (second.found.is_complete, second.found.pages) == (False, 0)


@pytest.mark.anyio
async def test_a_comparison_that_lost_its_lease_stops(sandbox: Sandbox, receiver: Receiver) -> None:
    fill(sandbox, 40)
    async with sandbox.client() as rmz:
        second = Together(rmz, receiver, sandbox, late=timedelta(hours=1))
        first = await receiver.reconcile(cast("Any", second))

    assert second.found is not None
    assert second.found.is_complete
    assert (first.is_complete, first.pages) == (False, 0)


@pytest.mark.anyio
async def test_pages_are_asked_for_within_the_share(sandbox: Sandbox, receiver: Receiver) -> None:
    """The rest of RMZ's minute is for the shop's own calls."""
    fill(sandbox, 90)
    began = sandbox.clock.now()
    async with sandbox.client() as rmz:
        found = await receiver.reconcile(rmz, per_minute=10)

    seconds = (sandbox.clock.now() - began).total_seconds()
    assert seconds == pytest.approx(found.pages * 6.0, abs=1.0)


@pytest.mark.anyio
async def test_events_are_handed_over_to_a_queue(sandbox: Sandbox, receiver: Receiver) -> None:
    handled_by(receiver)
    queue: list[int] = []
    receiver.hand_off(queue.append)
    async with sandbox.client() as rmz:
        found = await receiver.reconcile(rmz, feed_first=True)

    assert len(queue) == found.events > 0


@pytest.mark.anyio
@pytest.mark.parametrize("per_minute", [0, True, 1.5])
async def test_a_share_is_a_whole_number(
    sandbox: Sandbox, receiver: Receiver, per_minute: Any
) -> None:
    async with sandbox.client() as rmz:
        with pytest.raises(ConfigurationError, match="per_minute: must be an integer"):
            await receiver.reconcile(rmz, per_minute=per_minute)


@pytest.mark.anyio
async def test_an_inbox_of_ones_own_may_keep_no_states(sandbox: Sandbox) -> None:
    of_ones_own = SimpleNamespace(claim=None)
    receiver = Receiver(secrets=[SECRET], inbox=cast("Inbox", of_ones_own))
    async with sandbox.client() as rmz:
        with pytest.raises(ConfigurationError, match="KnownStates"):
            await receiver.reconcile(rmz)


def fill(sandbox: Sandbox, count: int) -> None:
    """Let the store have more subscriptions, copies of one of its own."""
    subscriptions = sandbox.state.subscriptions
    pattern = next(one for one in subscriptions.values() if one.status == "expired")
    for number in range(100_000, 100_000 + count):
        one = copy.copy(pattern)
        one.id = number
        subscriptions[number] = one


class Failing:
    """A client whose list fails at one page, and that notes which pages are asked for."""

    def __init__(self, rmz: Any, asked: list[int], at: int) -> None:
        self._rmz = rmz
        self._asked = asked
        self._at = at
        self.subscriptions = self

    def list(self, *, page: int) -> Any:
        """Return the pages of the client's own list, up to the one that fails."""
        self._pages = self._rmz.subscriptions.list(page=page).pages()
        self._next = page
        return self

    def pages(self) -> Any:
        """Return the pages."""
        return self

    async def __anext__(self) -> Any:
        self._asked.append(self._next)
        if self._next == self._at:
            raise RMZError("no answer")
        self._next += 1
        return await anext(self._pages)


class Together:
    """A client during whose first request another process begins to compare."""

    def __init__(
        self, rmz: Any, receiver: Receiver, sandbox: Sandbox, late: timedelta = timedelta()
    ) -> None:
        self._rmz = rmz
        self._sandbox = sandbox
        self._receiver = receiver
        self._late = late
        self.found: Reconciliation | None = None
        self.subscriptions = self

    def list(self, *, page: int) -> Any:
        """Return the pages of the client's own list."""
        self._pages = self._rmz.subscriptions.list(page=page).pages()
        return self

    def pages(self) -> Any:
        """Return the pages."""
        return self

    async def __anext__(self) -> Any:
        if self.found is None:
            await self._sandbox.advance(self._late)
            self.found = await self._receiver.reconcile(self._rmz)
        return await anext(self._pages)


def test_a_blocking_receiver_does_the_same(address: str) -> None:
    sandbox = Sandbox(seed=1)
    receiver = rmz_sync.webhooks.Receiver(secrets=[SECRET], inbox=address, _clock=clock_of(sandbox))
    events = handled_by(receiver)
    fill(sandbox, 20)
    with (
        sandbox.serve(clock_runs=False) as served,
        rmz_sync.Client(token=sandbox.token, base_url=served.base_url) as rmz,
    ):
        first = receiver.reconcile(rmz)
        number = next(n for n, s in sandbox.state.subscriptions.items() if s.status == "active")
        rmz.subscriptions.pause(number)
        served.advance(minutes=1)
        second = receiver.reconcile(rmz)
    receiver.drain()
    receiver.close()

    assert (first.is_complete, first.events, first.pages >= 2) == (True, 0, True)
    assert second.events == len(events) >= 1
    assert "subscription.paused" in [event.event for event in events]


def test_a_blocking_receiver_stops_if_it_lost_its_lease(address: str) -> None:
    receiver = rmz_sync.webhooks.Receiver(secrets=[SECRET], inbox=address)
    found = receiver.reconcile(cast("Any", Slow(address.removeprefix("sqlite:///"))))
    receiver.close()

    assert (found.is_complete, found.pages) == (False, 0)


class Slow:
    """A client that is so slow that another process takes the walk up meanwhile."""

    number = 1
    items = ()

    def __init__(self, path: str) -> None:
        self._path = path
        self.subscriptions = self

    def list(self, *, page: int) -> Slow:
        """Return the list."""
        return self

    def pages(self) -> Slow:
        """Return the pages."""
        return self

    def __next__(self) -> Slow:
        clock = Clock(today=lambda: datetime.now(UTC) + timedelta(hours=1))
        other = SQLiteInbox(self._path, _clock=clock)
        assert other.resume(lease=60.0) is not None
        other.close()
        return self


def test_a_blocking_receiver_leaves_the_work_to_another(address: str) -> None:
    receiver = rmz_sync.webhooks.Receiver(secrets=[SECRET], inbox=address)
    assert receiver.inbox.resume(lease=60.0) is not None  # type: ignore[attr-defined] # of SQLite and PostgreSQL only

    found = receiver.reconcile(cast("Any", None))
    receiver.close()

    assert (found.is_complete, found.pages) == (False, 0)
