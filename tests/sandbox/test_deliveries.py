from __future__ import annotations

import hashlib
import hmac
import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import anyio
import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.types import Receive, Scope, Send

from rmz_async.sandbox import Event, Sandbox, Webhook
from rmz_async.sandbox.delivery.health import Health
from rmz_async.sandbox.delivery.log import Delivery

if TYPE_CHECKING:
    from tests.sandbox.conftest import Receiver

pytestmark = pytest.mark.anyio
URL = "http://127.0.0.1/hooks"


def seconds(sandbox: Sandbox) -> list[float]:
    """Return when each attempt began, counted from the first."""
    first = sandbox.deliveries[0].at
    return [(delivery.at - first).total_seconds() for delivery in sandbox.deliveries]


def signature(secret: str, body: bytes) -> str:
    """Return the signature that the body must have."""
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def is_on(webhook: Webhook) -> bool:
    """Whether the webhook gets events."""
    return webhook.enabled


async def test_a_failed_delivery_is_attempted_again_by_the_clock(
    sandbox: Sandbox, receiver: Receiver
) -> None:
    """After 10, 100, 1,000 and 10,000 s, with the same body and request id."""
    receiver.status = 500
    sandbox.add_webhook(URL, app=receiver, tries=5)
    sandbox.emit("subscription.renewed", 501)
    await sandbox.delivered()
    assert len(sandbox.deliveries) == 1
    await sandbox.clock.advance(hours=12)
    assert seconds(sandbox) == [0, 10, 110, 1110, 11110]
    assert [delivery.attempt for delivery in sandbox.deliveries] == [1, 2, 3, 4, 5]
    assert len(set(receiver.bodies)) == 1
    assert len({headers["x-rmz-request-id"] for headers in receiver.headers}) == 1


@pytest.mark.parametrize("tries", [1, 2, 3, 4])
async def test_a_webhook_has_no_more_attempts_than_its_tries(
    sandbox: Sandbox, receiver: Receiver, tries: int
) -> None:
    """The first attempt counts."""
    receiver.status = 500
    sandbox.add_webhook(URL, app=receiver, tries=tries)
    sandbox.emit("subscription.renewed", 501)
    await sandbox.clock.advance(hours=12)
    assert len(sandbox.deliveries) == tries


async def test_a_delivery_that_was_taken_is_not_sent_again(
    sandbox: Sandbox, receiver: Receiver
) -> None:
    """A retry ends with the first success."""
    receiver.status = 503
    sandbox.add_webhook(URL, app=receiver)
    sandbox.emit("subscription.renewed", 501)
    await sandbox.clock.advance(seconds=9)
    receiver.status = 200
    await sandbox.clock.advance(hours=12)
    assert [delivery.status for delivery in sandbox.deliveries] == [503, 200]


async def test_a_retry_is_signed_with_the_current_secret(
    sandbox: Sandbox, receiver: Receiver
) -> None:
    """After a rotation the old secret signs nothing, not even a retry."""
    receiver.status = 500
    webhook = sandbox.add_webhook(URL, app=receiver, tries=3)
    old = webhook.secret
    sandbox.emit("subscription.renewed", 501)
    await sandbox.delivered()
    new = webhook.rotate()
    assert new != old
    await sandbox.clock.advance(seconds=10)
    webhook.signed = False
    await sandbox.clock.advance(seconds=100)
    sent = [headers.get("signature") for headers in receiver.headers]
    body = receiver.bodies[0]
    assert sent == [signature(old, body), signature(new, body), None]


async def test_a_webhook_that_fails_nearly_always_is_switched_off(
    sandbox: Sandbox, receiver: Receiver
) -> None:
    """At 80 % of five attempts; switching it on gives it another chance."""
    webhook = sandbox.add_webhook(URL, app=receiver, tries=1)
    for status in (500, 500, 200, 500):
        receiver.status = status
        sandbox.emit("subscription.renewed", 501)
        await sandbox.delivered()
    assert is_on(webhook)
    sandbox.emit("subscription.renewed", 501)
    await sandbox.delivered()
    assert not is_on(webhook)
    sandbox.emit("subscription.renewed", 501)
    await sandbox.delivered()
    assert len(sandbox.deliveries) == 5
    webhook.enabled = True
    sandbox.emit("subscription.renewed", 501)
    await sandbox.delivered()
    assert is_on(webhook)


async def test_a_webhook_that_is_off_gets_no_retry(sandbox: Sandbox, receiver: Receiver) -> None:
    """A delivery that waited is dropped when its time comes."""
    receiver.status = 500
    webhook = sandbox.add_webhook(URL, app=receiver)
    sandbox.emit("subscription.renewed", 501)
    await sandbox.delivered()
    webhook.enabled = False
    await sandbox.clock.advance(hours=12)
    assert len(sandbox.deliveries) == 1


async def test_failures_are_forgotten_after_three_months(sandbox: Sandbox) -> None:
    """Only what was attempted within 90 days counts."""
    health = Health()
    now = sandbox.clock.now()

    def attempt(days: int, status: int) -> None:
        health.note(
            Delivery(
                webhook_id=1,
                url=URL,
                event="e",
                event_id=None,
                request_id=1,
                attempt=1,
                at=now + timedelta(days=days),
                status=status,
                error=None,
                body=b"",
            )
        )

    for _ in range(4):
        attempt(0, 500)
    attempt(91, 500)
    verdicts = [health.is_bad]
    for _ in range(4):
        attempt(92, 500)
    verdicts.append(health.is_bad)
    attempt(93, 200)
    attempt(93, 200)
    verdicts.append(health.is_bad)
    assert verdicts == [False, True, False]


async def test_a_url_with_discord_gets_embeds(sandbox: Sandbox, receiver: Receiver) -> None:
    """The word may stand anywhere, and another webhook still gets the event."""
    sandbox.add_webhook("http://127.0.0.1/my-discord-bot", app=receiver)
    sandbox.emit(Event.RENEWED, 501)
    sandbox.emit(Event.ORDER_CREATED, 78901)
    await sandbox.delivered()
    first, second = (payload["embeds"][0] for payload in receiver.payloads)
    assert (first["title"], first["fields"][0]["value"]) == ("subscription.renewed", "#501")
    assert (second["title"], second["fields"][0]["name"]) == ("order.created", "Order")


async def test_any_event_can_be_emitted(sandbox: Sandbox, receiver: Receiver) -> None:
    """All thirteen, about an object as it is, which stays so."""
    sandbox.add_webhook(URL, app=receiver)
    for event in Event:
        sandbox.emit(event, 78901 if event.startswith("order.") else 505)
    await sandbox.delivered()
    assert [payload["event"] for payload in receiver.payloads] == list(Event)
    assert len(Event) == 13
    payloads = [payload for payload in receiver.payloads if "event_id" in payload]
    reported = [payload["data"]["subscription"] for payload in payloads]
    assert {one["status"] for one in reported} == {"canceled"}
    assert sandbox.ledger == ()


@pytest.mark.parametrize(
    ("event", "number", "reason"),
    [
        ("subscription.renewed", 1, "there is no subscription 1"),
        ("order.created", 501, "there is no order 501"),
        ("subscription.exploded", 501, "event must be one of"),
    ],
)
async def test_an_event_of_a_missing_object_cannot_be_emitted(
    sandbox: Sandbox, event: str, number: int, reason: str
) -> None:
    """A slip of the pen is an error and no silence."""
    with pytest.raises(ValueError, match=reason):
        sandbox.emit(event, number)


async def test_a_delivery_can_be_sent_again(sandbox: Sandbox, receiver: Receiver) -> None:
    """The same request with the signature of now; a failure brings no retries of its own."""
    webhook = sandbox.add_webhook(URL, app=receiver)
    sandbox.emit("subscription.renewed", 501)
    await sandbox.delivered()
    (first,) = sandbox.deliveries
    webhook.rotate()
    receiver.status = 500
    sandbox.send_again(first)
    await sandbox.clock.advance(hours=12)
    second = sandbox.deliveries[1]
    assert len(sandbox.deliveries) == 2
    assert (second.body, second.request_id, second.attempt) == (first.body, first.request_id, 2)
    assert second.headers["Signature"] == signature(webhook.secret, first.body)


async def test_the_log_has_what_was_sent_and_what_came_back(sandbox: Sandbox) -> None:
    """Headers and bodies of both; of the receiver's no more than its beginning."""

    async def talks(scope: Scope, receive: Receive, send: Send) -> None:
        body = "no, thanks" if sandbox.deliveries else "x" * 10_000
        answer = PlainTextResponse(body, 418, {"X-Reason": "tea"})
        await answer(scope, receive, send)

    sandbox.add_webhook(URL, app=talks, tries=2)
    sandbox.emit("subscription.renewed", 501)
    await sandbox.clock.advance(seconds=10)
    first, second = sandbox.deliveries
    assert first.answer == b"x" * 4096
    assert (second.answer, second.answer_headers["x-reason"]) == (b"no, thanks", "tea")
    assert second.headers["X-RMZ-REQUEST-ID"] == str(second.request_id)
    assert second.headers["X-RMZ-WEBHOOKS"] == "1.2"


async def test_only_the_status_counts_of_a_body_that_may_be_endless(sandbox: Sandbox) -> None:
    """A long body, or one of unknown length, is not kept."""
    answers = [
        PlainTextResponse("x" * 100_000),
        StreamingResponse(iter(["a", "b"]), 202),
    ]

    async def talks(scope: Scope, receive: Receive, send: Send) -> None:
        await answers[len(sandbox.deliveries)](scope, receive, send)

    sandbox.add_webhook(URL, app=talks)
    for _ in answers:
        sandbox.emit("subscription.renewed", 501)
    await sandbox.delivered()
    log = [(delivery.status, delivery.answer) for delivery in sandbox.deliveries]
    assert log == [(200, b""), (202, b"")]


async def test_a_webhook_gets_its_events_in_their_order(sandbox: Sandbox) -> None:
    """The second delivery waits for the first, although that takes longer."""
    reported: list[str] = []

    async def takes_its_time(scope: Scope, receive: Receive, send: Send) -> None:
        event = json.loads(await Request(scope, receive).body())["event"]
        if not reported:
            await anyio.wait_all_tasks_blocked()
        reported.append(event)
        await PlainTextResponse("")(scope, receive, send)

    sandbox.add_webhook(URL, app=takes_its_time)
    events: list[Any] = [Event.PAST_DUE, Event.RENEWAL_FAILED, Event.EXPIRED]
    for event in events:
        sandbox.emit(event, 501)
    await sandbox.delivered()
    assert reported == events
