"""From the bytes of a delivery to a handler that has run once."""

from __future__ import annotations

import json
import logging
import re
import threading
import traceback
from collections.abc import Sequence
from functools import partial
from operator import getitem
from pathlib import Path
from typing import Any

import anyio.from_thread
import anyio.lowlevel
import pytest

from rmz_async import ConfigurationError, PayloadError, SignatureError
from rmz_async.webhooks import (
    Ack,
    Event,
    EventType,
    Receiver,
    SubscriptionRenewed,
    sample,
    sign,
    verify,
)
from rmz_async.webhooks._comparing import state_of_event
from rmz_async.webhooks.inbox.records import Delivery, Entry
from rmz_async.webhooks.inbox.sqlite import SQLiteInbox
from tests.seams import Setting, replace
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


def test_an_answer_may_be_a_status_alone() -> None:
    """RMZ ignores the string."""
    assert Ack(200) == Ack(200, "")


async def test_a_delivery_that_comes_again_runs_no_handler_again(receiver: Receiver) -> None:
    """The repeated delivery is answered like the first."""
    got: list[str] = []
    receiver.on("*")(lambda event: got.append(event.dedupe_key))
    body = sample(EventType.SUBSCRIPTION_RENEWED, event_id="e-1")
    for _ in range(3):
        assert (await deliver(receiver, body)).status == 200
        await receiver.drain()

    assert got == ["e-1"]


async def test_an_event_that_nobody_wants_is_answered_with_success(
    receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    """RMZ switches a webhook off that refuses too often; and nothing is wrong with the event."""
    receiver.on("subscription.*")(print)
    assert (await deliver(receiver, sample(EventType.ORDER_CREATED))).status == 200
    assert await receiver.drain() == 0
    assert (await receiver.stats()).unreadable == 0
    assert caplog.messages == []


@pytest.mark.parametrize("headers", [None, {}, {"Signature": "0" * 64}])
async def test_a_delivery_that_rmz_did_not_sign_is_refused(
    receiver: Receiver, headers: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing of it is stored, and the log says why."""
    receiver.on("*")(print)
    body = sample(EventType.ORDER_CREATED)
    with pytest.raises(SignatureError) as refused:
        verify(body, headers, secrets=[SECRET])

    assert await receiver.receive(body, headers) == Ack(401, "the signature does not match")
    assert await receiver.drain() == 0
    assert caplog.messages == [f"a delivery was refused: {refused.value}"]
    assert caplog.records[0].name == "rmz_async"


async def test_a_signed_body_that_names_no_event_waits_in_the_inbox(
    receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    """No handler can read it, and a retry would be the same."""
    receiver.on("*")(print)
    body = json.dumps(["x"]).encode()
    with pytest.raises(PayloadError) as unread:
        verify(body, {"Signature": sign(body, SECRET)}, secrets=[SECRET])

    assert (await deliver(receiver, body)).status == 200
    assert (await deliver(receiver, body)).status == 200
    assert await receiver.drain() == 0
    assert caplog.messages == [f"a signed delivery waits in the inbox: {unread.value}"] * 2


async def test_an_event_that_a_defect_makes_unreadable_waits_in_the_inbox(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The events that are stored together with it are none the worse."""
    handled: list[str] = []
    receiver.on("*", name="handle")(lambda event: handled.append(event.dedupe_key))

    def defective(event: Event) -> dict[str, Any]:
        if event.event_id == "odd":
            raise LookupError("its message might show a customer")
        return state_of_event(event)

    replace(monkeypatch, Setting.STATE_OF_EVENT, defective)
    async with anyio.create_task_group() as tasks:
        for event_id in ("first", "odd", "last"):
            tasks.start_soon(deliver_events, receiver, event_id)

    assert await receiver.drain() == 2
    assert sorted(handled) == ["first", "last"]
    assert [entry.fault for entry in receiver.inbox.entries() if entry.fault] == ["LookupError"]


async def test_a_forged_delivery_waits_for_no_other(tmp_path: Path) -> None:
    """Those who forge cannot fill the line of those who wait for the inbox."""
    busy, stored = threading.Event(), anyio.Event()

    class Busy(SQLiteInbox):
        def add(self, deliveries: Sequence[Delivery], **options: Any) -> Sequence[int | None]:
            anyio.from_thread.run_sync(stored.set)
            busy.wait()
            return super().add(deliveries, **options)

    receiver = Receiver(secrets=[SECRET], inbox=Busy(str(tmp_path / "inbox.db")))
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(deliver_events, receiver, "genuine")
        await stored.wait()
        try:
            with anyio.fail_after(10):
                body = sample(EventType.ORDER_CREATED)
                assert (await receiver.receive(body, {"Signature": "0" * 64})).status == 401
        finally:
            busy.set()
    await receiver.aclose()


async def test_a_delivery_that_cannot_be_stored_is_retried_by_rmz(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The answer is no success, and no traceback either."""
    path = tmp_path / "no" / "such" / "folder"
    broken = Receiver(secrets=[SECRET], inbox=f"sqlite:///{path}")

    assert await deliver(broken, sample(EventType.ORDER_CREATED)) == Ack(503, "not stored")
    report = (
        f"a delivery was not stored: unable to open the inbox's file {str(path)!r}: its folder "
        "must exist, and this process must be allowed to write into it"
    )
    assert ("rmz_async", logging.ERROR, report) in caplog.record_tuples


async def test_unsigned_deliveries_are_taken_on_request(tmp_path: Path) -> None:
    """As verify does."""
    open_to_all = Receiver(
        secrets=[SECRET], inbox=f"sqlite:///{tmp_path / 'inbox.db'}", allow_unsigned=True
    )

    assert (await open_to_all.receive(sample(EventType.ORDER_CREATED), {})).status == 200
    await open_to_all.aclose()


async def test_a_list_of_secrets_may_change(tmp_path: Path) -> None:
    """The next delivery is verified with what is in it then, which is checked again."""
    secrets = [SECRET]
    receiver = Receiver(secrets=secrets, inbox=f"sqlite:///{tmp_path / 'inbox.db'}")
    body = sample(EventType.ORDER_CREATED)
    assert (await deliver(receiver, body)).status == 200

    secrets[0] = SECRET[::-1]
    assert (await deliver(receiver, body)).status == 401
    headers = {"Signature": sign(body, SECRET[::-1])}
    assert (await receiver.receive(body, headers)).status == 200

    secrets[0] = "short"
    assert (await receiver.receive(body, headers)).status == 500
    await receiver.aclose()


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


@pytest.mark.parametrize(
    ("options", "rule"),
    [
        ({"concurrency": 0}, "concurrency: must be an integer of 1 or more"),
        ({"concurrency": 1.5}, "concurrency: must be an integer of 1 or more"),
        ({"grace": "5"}, "grace: must be a number of seconds, 0 or more"),
        ({"grace": -1}, "grace: must be a number of seconds, 0 or more"),
    ],
    ids=str,
)
async def test_the_work_does_not_begin_with_a_wrong_option(
    receiver: Receiver, options: dict[str, Any], rule: str
) -> None:
    """The error names the option and ends with its rule."""
    with pytest.raises(ConfigurationError, match=f"^{rule}$"):
        async with receiver.working(**options):
            pytest.fail("the work has begun")


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


@pytest.mark.parametrize(
    ("secrets", "said"),
    [
        (lambda: [], "a delivery was not looked at: secrets: must be a list of 1 to .*"),
        (partial(getitem, {}, "S3CRET"), "a delivery was not looked at: KeyError"),
    ],
)
async def test_secrets_that_cannot_be_had_are_answered_without_a_traceback(
    address: str, caplog: pytest.LogCaptureFixture, secrets: Any, said: str
) -> None:
    """RMZ delivers again; and the log shows no secret."""
    receiver = Receiver(secrets=secrets, inbox=address)

    assert await deliver(receiver, b"{}") == Ack(500, "not configured")
    (message,) = caplog.messages
    assert re.fullmatch(said, message)
    assert "S3CRET" not in caplog.text


async def test_a_body_that_is_not_bytes_is_answered_without_a_traceback(
    receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    """The log names the mistake in the application."""
    body: Any = "{}"

    assert await receiver.receive(body, {}) == Ack(500, "not configured")
    assert caplog.messages == [
        "a delivery was not looked at: body must be the raw bytes of the request"
    ]


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


async def test_a_delivery_that_is_forgotten_meanwhile_is_not_reported_as_run_again(
    receiver: Receiver, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    receiver.on("*")(print)
    await deliver_events(receiver, "a")
    await receiver.drain()
    time.move(1)
    entry = receiver.inbox.entry

    def read_and_forget(inbox_id: int) -> Entry | None:
        found = entry(inbox_id)
        receiver.inbox.purge(older_than=0.0)
        return found

    monkeypatch.setattr(receiver.inbox, "entry", read_and_forget)
    assert await receiver.replay(1) == ()
