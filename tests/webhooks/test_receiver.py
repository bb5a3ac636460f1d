"""From the bytes of a delivery to a handler that has run once."""

from __future__ import annotations

import json
import traceback
from functools import partial
from operator import getitem
from pathlib import Path
from typing import Any

import anyio.lowlevel
import attrs
import pytest

from rmz_async import ConfigurationError
from rmz_async.webhooks import (
    Ack,
    Event,
    EventType,
    OrderEvent,
    Receiver,
    Stats,
    SubscriptionPaused,
    SubscriptionRenewed,
    UnknownEvent,
    sample,
)
from rmz_async.webhooks._handlers import default_backoff
from tests.webhooks.receiving import SECRET, deliver, deliver_events
from tests.webhooks.storages import Time

pytestmark = pytest.mark.anyio


async def test_a_handler_runs_after_the_answer(receiver: Receiver) -> None:
    """The answer says that the event is stored; the handler gets the typed event."""
    got: list[Event] = []

    @receiver.on(SubscriptionRenewed)
    async def renewed(event: SubscriptionRenewed) -> None:
        await anyio.lowlevel.checkpoint()
        got.append(event)

    assert await deliver(receiver, sample(EventType.SUBSCRIPTION_RENEWED)) == Ack(200, "stored")
    assert got == []
    assert await receiver.drain() == 1
    assert [type(event) for event in got] == [SubscriptionRenewed]
    assert got[0].secret_index == 0


async def test_a_delivery_that_comes_again_runs_no_handler_again(receiver: Receiver) -> None:
    """The repeated delivery is answered like the first."""
    got: list[str] = []
    receiver.on("*")(lambda event: got.append(event.dedupe_key))
    body = sample(EventType.SUBSCRIPTION_RENEWED, event_id="e-1")
    for _ in range(3):
        assert (await deliver(receiver, body)).status == 200
        await receiver.drain()

    assert got == ["e-1"]


async def test_each_handler_gets_the_events_that_it_wants(receiver: Receiver) -> None:
    """By pattern, type or class; plain functions run in a thread."""
    got: list[tuple[str, str]] = []

    @receiver.on("subscription.*")
    def by_pattern(event: Event) -> None:
        got.append(("pattern", event.event))

    @receiver.on(EventType.SUBSCRIPTION_PAUSED, EventType.ORDER_CREATED)
    def by_type(event: Event) -> None:
        got.append(("type", event.event))

    @receiver.on(OrderEvent, SubscriptionPaused)
    def by_class(event: Event) -> None:
        got.append(("class", event.event))

    for kind in (EventType.SUBSCRIPTION_PAUSED, EventType.ORDER_CREATED):
        await deliver(receiver, sample(kind))
    await receiver.drain()

    assert sorted(got) == [
        ("class", "order.created"),
        ("class", "subscription.paused"),
        ("pattern", "subscription.paused"),
        ("type", "order.created"),
        ("type", "subscription.paused"),
    ]


async def test_an_object_with_an_async_call_is_a_handler(receiver: Receiver) -> None:
    """A class may hold what its handler needs."""
    got: list[str] = []

    class Handler:
        async def __call__(self, event: Event) -> None:
            got.append(event.event)

    receiver.on("*")(Handler())
    await deliver(receiver, sample(EventType.ORDER_CREATED))
    await receiver.drain()

    assert got == ["order.created"]


async def test_a_plain_handler_that_returns_a_coroutine_fails(
    receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    """Its work would silently be left undone."""

    async def later(event: Event) -> None:
        raise AssertionError

    def plain(event: Event) -> Any:
        return later(event)

    receiver.on("*")(plain)
    await deliver(receiver, sample(EventType.ORDER_CREATED))
    await receiver.drain()

    assert "make it an async function" in caplog.text


async def test_an_event_that_nobody_wants_is_answered_with_success(receiver: Receiver) -> None:
    """RMZ switches a webhook off that refuses too often."""
    assert (await deliver(receiver, sample(EventType.ORDER_CREATED))).status == 200
    assert await receiver.drain() == 0


async def test_a_handler_that_fails_stops_no_other_and_is_attempted_again(
    receiver: Receiver, time: Time, caplog: pytest.LogCaptureFixture
) -> None:
    """Each attempt waits longer, and the last error stays in the inbox."""
    attempts: list[float] = []
    began = time.now

    @receiver.on("*")
    def fails(event: Event) -> None:
        attempts.append((time.now - began).total_seconds())
        raise ValueError("no\nway")

    got: list[Event] = []
    receiver.on("*")(got.append)
    await deliver(receiver, sample(EventType.ORDER_CREATED))
    for _ in range(30):
        await receiver.drain()
        time.move(1)

    assert attempts == [0.0, 5.0, 25.0]
    assert len(got) == 1
    assert await receiver.stats() == Stats(deliveries=1, done=1, dead=1)
    assert [record.levelname for record in caplog.records] == ["WARNING", "WARNING", "ERROR"]
    assert caplog.messages[-1].endswith("(attempt 3 of 3): ValueError: no\\nway")


@pytest.mark.parametrize("headers", [None, {}, {"Signature": "0" * 64}])
async def test_a_delivery_that_rmz_did_not_sign_is_refused(
    receiver: Receiver, headers: Any
) -> None:
    """Nothing of it is stored."""
    receiver.on("*")(print)

    assert await receiver.receive(sample(EventType.ORDER_CREATED), headers) == Ack(
        401, "the signature does not match"
    )
    assert await receiver.drain() == 0


async def test_a_signed_body_that_names_no_event_waits_in_the_inbox(
    receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    """No handler can read it, and a retry would be the same."""
    receiver.on("*")(print)
    body = json.dumps(["x"]).encode()

    assert (await deliver(receiver, body)).status == 200
    assert (await deliver(receiver, body)).status == 200
    assert await receiver.drain() == 0
    assert "a signed delivery waits in the inbox: the delivery is not an event" in caplog.text


async def test_a_delivery_that_cannot_be_stored_is_retried_by_rmz(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The answer is no success, and no traceback either."""
    broken = Receiver(secrets=[SECRET], inbox=f"sqlite:///{tmp_path / 'no' / 'such' / 'folder'}")

    assert await deliver(broken, sample(EventType.ORDER_CREATED)) == Ack(503, "not stored")
    assert "a delivery was not stored: unable to open database file" in caplog.messages


async def test_unsigned_deliveries_are_taken_on_request(tmp_path: Path) -> None:
    """As verify does."""
    open_to_all = Receiver(
        secrets=[SECRET], inbox=f"sqlite:///{tmp_path / 'inbox.db'}", allow_unsigned=True
    )

    assert (await open_to_all.receive(sample(EventType.ORDER_CREATED), {})).status == 200
    await open_to_all.aclose()


async def test_secrets_may_be_asked_for_with_each_delivery(tmp_path: Path) -> None:
    """A callable is asked each time, and not before."""
    current = ["another-secret-of-28-letters"]
    receiver = Receiver(secrets=lambda: current, inbox=f"sqlite:///{tmp_path / 'inbox.db'}")

    assert (await deliver(receiver, sample(EventType.ORDER_CREATED))).status == 401
    current[0] = SECRET
    assert (await deliver(receiver, sample(EventType.ORDER_CREATED))).status == 200
    await receiver.aclose()


@pytest.mark.parametrize("inbox", ["", "inbox.db", "sqlite:///", "mysql://localhost/x"])
def test_an_inbox_that_is_no_file_is_refused(inbox: str) -> None:
    """Only SQLite is known."""
    with pytest.raises(ConfigurationError, match=r"^inbox: "):
        Receiver(secrets=[SECRET], inbox=inbox)


@pytest.mark.parametrize(
    ("options", "rule"),
    [
        ({"max_attempts": 0}, "^max_attempts: "),
        ({"inbox": "nowhere"}, "^inbox: "),
        ({"inbox": None}, "^inbox: .* is of type NoneType"),
        ({"inbox": b"sqlite:///x.db"}, "^inbox: "),
        ({"backoff": 5}, "^backoff: "),
        ({"handler_timeout": None}, "^handler_timeout: "),
        ({"handler_timeout": float("nan")}, "^handler_timeout: "),
        ({"forget_after": "7 days"}, "^forget_after: "),
        ({"forget_after": -1}, "^forget_after: "),
        ({"forget_after": True}, "^forget_after: "),
        ({"secrets": [f"{SECRET} "]}, r"^secrets\[0\]: "),
    ],
)
def test_wrong_options_are_refused_at_once(options: dict[str, Any], rule: str) -> None:
    """The first delivery would be too late; and no traceback shows a secret."""
    arguments: dict[str, Any] = {"secrets": [SECRET], "inbox": "sqlite:///x.db", **options}
    hidden = {"arguments": arguments}
    with pytest.raises(ConfigurationError, match=rule) as caught:
        Receiver(**hidden["arguments"])

    ours = caught.value.__traceback__
    assert ours is not None
    summary = traceback.StackSummary.extract(traceback.walk_tb(ours.tb_next), capture_locals=True)
    assert "S3CRET" not in repr([frame.locals for frame in summary])


def test_wrong_handlers_are_refused(tmp_path: Path) -> None:
    """The name of a handler stands in the inbox, and so must be its own."""
    receiver = Receiver(secrets=[SECRET], inbox=f"sqlite:///{tmp_path / 'inbox.db'}")
    receiver.on("*")(print)

    with pytest.raises(ConfigurationError, match=r"two handlers called builtins\.print"):
        receiver.on("order.*")(print)
    with pytest.raises(ConfigurationError, match="name an event"):
        receiver.on()
    with pytest.raises(ConfigurationError, match="not both"):
        receiver.on("*", ordered=True, coalesce=True)
    assert "inbox.db" in repr(receiver)
    assert "S3CRET" not in repr(receiver)


async def test_a_fallback_gets_the_events_that_no_other_handler_wants(receiver: Receiver) -> None:
    """An event of a new type is among them."""
    got: list[tuple[str, str]] = []

    @receiver.on("subscription.*")
    async def changed(event: Event) -> None:
        got.append(("changed", event.event))

    @receiver.fallback
    async def rest(event: Event) -> None:
        got.append(("rest", event.event))

    await deliver(receiver, sample(EventType.SUBSCRIPTION_PAUSED))
    await deliver(receiver, sample(EventType.ORDER_CREATED))
    await deliver(receiver, b'{"event":"shop.closed","data":{}}')
    await receiver.drain()

    assert got == [
        ("changed", "subscription.paused"),
        ("rest", "order.created"),
        ("rest", "shop.closed"),
    ]


async def test_a_pattern_matches_no_event_that_cannot_be_read(receiver: Receiver) -> None:
    """A handler of subscriptions counts on a subscription; the event waits for a person."""
    receiver.on("subscription.*")(print)
    receiver.fallback(repr)
    await deliver(receiver, b'{"event":"subscription.renewed","event_id":"a","data":{}}')

    assert await receiver.drain() == 0
    (entry,) = receiver.inbox.entries()
    assert entry.name == "subscription.renewed"
    assert entry.fault is not None
    assert "expected an object" in entry.fault
    assert await receiver.replay(entry.inbox_id) == ()


async def test_a_new_type_without_a_subscription_is_for_no_handler_of_subscriptions(
    receiver: Receiver,
) -> None:
    receiver.on("subscription.*")(print)
    await deliver(receiver, b'{"event":"subscription.frozen","data":{}}')
    await deliver(
        receiver,
        b'{"event":"subscription.frozen","data":{"subscription":{"id":5,"status":"frozen"}}}',
    )

    assert [len(entry.tasks) for entry in receiver.inbox.entries()] == [1, 0]


@pytest.mark.parametrize("wanted", ["*", UnknownEvent, Event])
async def test_who_asks_for_everything_gets_what_cannot_be_read(
    receiver: Receiver, wanted: Any
) -> None:
    got: list[Event] = []
    receiver.on(wanted)(got.append)
    await deliver(receiver, b'{"event":"subscription.renewed","data":{}}')
    await receiver.drain()

    assert [type(event) for event in got] == [UnknownEvent]
    assert (await receiver.stats()).unreadable == 0


@pytest.mark.parametrize(("option", "expected"), [("ordered", "abc"), ("coalesce", "c")])
async def test_events_of_one_subscription_run_in_order_or_as_one(
    receiver: Receiver, option: str, expected: str
) -> None:
    got: list[str] = []
    receiver.on("*", **{option: True})(lambda event: got.append(event.dedupe_key))  # type: ignore[arg-type] # mypy takes it for any option
    await deliver_events(receiver, *"abc")
    await deliver_events(receiver, "x", subscription=502)
    await receiver.drain()

    assert "".join(key for key in got if key != "x") == expected
    assert "x" in got


async def test_a_handler_has_attempts_and_waits_of_its_own(receiver: Receiver, time: Time) -> None:
    """Each attempt counts from 1."""
    waits: list[int] = []

    def backoff(attempt: int) -> float:
        waits.append(attempt)
        return 1.0

    receiver.on("*", max_attempts=2, backoff=backoff, name="mine")(lambda event: 1 / 0)
    await deliver_events(receiver, "a")
    await receiver.drain()
    time.move(1)
    await receiver.drain()

    assert waits == [1, 2]
    (entry,) = receiver.inbox.entries()
    (task,) = entry.tasks
    assert (task.handler, task.state, task.attempts) == ("mine", "dead", 2)


def test_the_usual_wait_grows_to_an_hour() -> None:
    """However many attempts there are."""
    waits = [default_backoff(attempt) for attempt in (1, 2, 3, 100)]

    assert waits == sorted(waits)
    assert (waits[0], waits[1] / waits[0], waits[-1]) == (5.0, 4.0, 3600.0)


async def test_part_of_a_wait_is_left_to_chance(address: str, time: Time) -> None:
    """Those that failed together do not all come back together; never earlier than half."""
    clock = attrs.evolve(time.clock(), draw=lambda: 0.0)
    receiver = Receiver(secrets=[SECRET], inbox=address, _clock=clock)
    receiver.on("*")(lambda event: 1 / 0)
    await deliver_events(receiver, "a")
    await receiver.drain()

    (entry,) = receiver.inbox.entries()
    assert entry.tasks[0].due_in == 2.5
    await receiver.aclose()


@pytest.mark.parametrize(
    ("secrets", "said"),
    [
        (lambda: [], "must be a list of 1 to"),
        (partial(getitem, {}, "S3CRET"), "a delivery was not looked at: KeyError"),
    ],
)
async def test_secrets_that_cannot_be_had_are_answered_without_a_traceback(
    address: str, caplog: pytest.LogCaptureFixture, secrets: Any, said: str
) -> None:
    """RMZ delivers again; and the log shows no secret."""
    receiver = Receiver(secrets=secrets, inbox=address)

    assert await deliver(receiver, b"{}") == Ack(500, "not configured")
    assert said in caplog.text
    assert "S3CRET" not in caplog.text


async def test_a_body_that_is_not_bytes_is_answered_without_a_traceback(
    receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    """The log names the mistake in the application."""
    body: Any = "{}"

    assert (await receiver.receive(body, {})).status == 500
    assert "must be the raw bytes" in caplog.text


async def test_a_replay_runs_all_handlers_that_want_the_event_now(receiver: Receiver) -> None:
    """Also those that came later; a dry run says what would happen."""
    got: list[str] = []
    receiver.on("*", name="first")(lambda event: got.append("first"))
    await deliver_events(receiver, "a")
    await receiver.drain()
    receiver.on("*", name="second")(lambda event: got.append("second"))

    plan = await receiver.replay(1, dry_run=True)
    assert [(one.handler, one.was_applied) for one in plan] == [("first", True), ("second", False)]
    assert plan[0].event.dedupe_key == "a"
    assert await receiver.drain() == 0
    assert len(await receiver.replay(1)) == 2
    await receiver.drain()
    assert got == ["first", "first", "second"]


async def test_what_is_no_event_is_not_replayed(receiver: Receiver) -> None:
    receiver.on("*")(print)
    await deliver(receiver, b"[]")

    assert await receiver.replay(1) == await receiver.replay(7) == ()
    assert (await receiver.stats()).unreadable == 1
