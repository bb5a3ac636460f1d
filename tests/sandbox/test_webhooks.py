from __future__ import annotations

import hashlib
import hmac
import json
import socket
import uuid
from typing import TYPE_CHECKING, Any

import anyio
import httpx
import pytest
from starlette.types import Receive, Scope, Send

from rmz_async.sandbox import Faults, Sandbox, Webhook
from rmz_async.sandbox.delivery.courier import Courier
from rmz_async.sandbox.delivery.log import Parcel

if TYPE_CHECKING:
    from tests.sandbox.conftest import ManualClock, Receiver

pytestmark = pytest.mark.anyio

NO_FAULTS = Faults(1)
URL = "http://127.0.0.1:9000/hooks"
SECRET = "a secret of twenty-eight chs"


async def stalls(scope: Scope, receive: Receive, send: Send) -> None:
    """Take a delivery and never answer."""
    await anyio.sleep_forever()


async def test_created_is_sent_signed(
    api: httpx.AsyncClient,
    browser: httpx.AsyncClient,
    sandbox: Sandbox,
    receiver: Receiver,
    order: dict[str, Any],
) -> None:
    """A paid checkout sends the documented body, with the three headers, and then its order's."""
    sandbox.add_webhook(URL, secret=SECRET, app=receiver)
    order |= {"external_customer_id": "usr_new", "variant_id": 14}
    answer = await api.post("/subscriptions/checkout-sessions", json=order)
    await browser.post(answer.json()["data"]["checkout_url"] + "/pay")
    await sandbox.delivered()
    payload, of_the_order = receiver.reported
    assert of_the_order["event"] == "order.created"
    place = receiver.payloads.index(payload)
    headers, body = receiver.headers[place], receiver.bodies[place]
    (delivery,) = (delivery for delivery in sandbox.deliveries if delivery.event_id)
    assert payload == {
        "event": "subscription.created",
        "event_id": delivery.event_id,
        "data": {
            "subscription": {
                "id": 534,
                "status": "active",
                "external_customer_id": "usr_new",
                "product_id": 102,
                "product_name": "Pro Plan",
                "variant": {
                    "id": 14,
                    "price": sandbox.state.variants[14].price,
                    "duration": "monthly",
                },
                "duration": "monthly",
                "current_period_start": "2025-06-01T12:00:00.000000Z",
                "current_period_end": "2025-07-01T12:00:00.000000Z",
                "auto_renew": True,
                "metadata": None,
                "customer": {"id": 4504, "email": "sara@example.com", "name": "Sara Omar"},
            }
        },
    }
    assert headers["x-rmz-webhooks"] == "1.2"
    assert headers["x-rmz-request-id"] == str(delivery.request_id)
    assert headers["content-type"] == "application/json"
    assert headers["signature"] == hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    assert delivery.body == body


@pytest.mark.parametrize(
    ("subscription_id", "call", "event", "status", "auto_renew"),
    [
        (501, "cancel", "subscription.canceled", "active", False),
        (501, "pause", "subscription.paused", "paused", False),
        (504, "unpause", "subscription.unpaused", "active", True),
        (501, "extend", "subscription.updated", "active", True),
    ],
)
async def test_each_change_has_its_event(
    api: httpx.AsyncClient,
    sandbox: Sandbox,
    receiver: Receiver,
    subscription_id: int,
    call: str,
    event: str,
    status: str,
    auto_renew: bool,
) -> None:
    """A change is sent as it is afterwards; one at the period's end still says active."""
    sandbox.add_webhook(URL, app=receiver)
    await api.post(f"/subscriptions/{subscription_id}/{call}", json={"days": 7})
    await sandbox.delivered()
    (payload,) = receiver.payloads
    reported = payload["data"]["subscription"]
    assert payload["event"] == event
    assert (reported["id"], reported["status"]) == (subscription_id, status)
    assert reported["auto_renew"] is auto_renew
    now = (await api.get(f"/subscriptions/{subscription_id}")).json()["data"]
    assert reported["current_period_end"] == now["current_period_end"]


async def test_external_customer_id_is_always_there(
    api: httpx.AsyncClient, sandbox: Sandbox, receiver: Receiver
) -> None:
    """The key is there without a value, and the banked days stand in the metadata."""
    sandbox.add_webhook(URL, app=receiver)
    sandbox.state.subscriptions[508].metadata = {}
    await api.post("/subscriptions/508/pause")
    await sandbox.delivered()
    reported = receiver.payloads[0]["data"]["subscription"]
    assert reported["external_customer_id"] is None
    assert reported["metadata"] == {"paused_remaining_days": 20}


async def test_refused_change_has_no_event(
    api: httpx.AsyncClient, sandbox: Sandbox, receiver: Receiver
) -> None:
    """A change that did not happen is not reported."""
    sandbox.add_webhook(URL, app=receiver)
    for call in ("cancel", "pause", "unpause", "extend"):
        await api.post(f"/subscriptions/506/{call}", json={"days": 7})
    await sandbox.delivered()
    assert sandbox.deliveries == ()


async def test_every_enabled_webhook_gets_every_event(
    api: httpx.AsyncClient, sandbox: Sandbox, receiver: Receiver
) -> None:
    """An event has one event id and body, and for each webhook a request id and signature."""
    first = sandbox.add_webhook(URL, app=receiver)
    second = sandbox.add_webhook(URL, app=receiver)
    sandbox.add_webhook(URL, app=receiver, enabled=False)
    await api.post("/subscriptions/501/pause")
    await sandbox.delivered()
    assert {delivery.webhook_id for delivery in sandbox.deliveries} == {first.id, second.id}
    assert len({delivery.event_id for delivery in sandbox.deliveries}) == 1
    assert len({delivery.request_id for delivery in sandbox.deliveries}) == 2
    assert len(set(receiver.bodies)) == 1
    assert len({headers["signature"] for headers in receiver.headers}) == 2


async def test_unsigned_webhook_has_no_signature(
    api: httpx.AsyncClient, sandbox: Sandbox, receiver: Receiver
) -> None:
    """Signing can be off for a webhook."""
    sandbox.add_webhook(URL, app=receiver, signed=False)
    await api.post("/subscriptions/501/pause")
    await sandbox.delivered()
    assert "signature" not in receiver.headers[0]


@pytest.mark.parametrize(
    ("status", "succeeded"), [(200, True), (204, True), (299, True), (302, False), (500, False)]
)
async def test_any_2xx_is_success(
    api: httpx.AsyncClient,
    sandbox: Sandbox,
    receiver: Receiver,
    clock: ManualClock,
    status: int,
    succeeded: bool,
) -> None:
    """The log has what was answered; a redirect is a failure and is not followed."""
    receiver.status = status
    webhook = sandbox.add_webhook(URL, app=receiver)
    await api.post("/subscriptions/501/pause")
    await sandbox.delivered()
    (delivery,) = sandbox.deliveries
    assert (delivery.status, delivery.error, delivery.succeeded) == (status, None, succeeded)
    assert (delivery.webhook_id, delivery.url) == (webhook.id, URL)
    assert (delivery.event, delivery.attempt) == ("subscription.paused", 1)
    assert delivery.at == clock.now
    assert len(receiver.bodies) == 1


async def test_broken_receiver_is_a_500(api: httpx.AsyncClient, sandbox: Sandbox) -> None:
    """An application that raises is logged as a server would answer for it."""

    async def breaks(scope: Scope, receive: Receive, send: Send) -> None:
        raise RuntimeError

    sandbox.add_webhook(URL, app=breaks)
    await api.post("/subscriptions/501/pause")
    await sandbox.delivered()
    assert sandbox.deliveries[0].status == 500


async def test_silent_receiver_is_an_error(api: httpx.AsyncClient, sandbox: Sandbox) -> None:
    """An application that ends without an answer breaks nothing but its own delivery."""

    async def says_nothing(scope: Scope, receive: Receive, send: Send) -> None:
        """Take a delivery and go."""

    sandbox.add_webhook(URL, app=says_nothing)
    await api.post("/subscriptions/501/pause")
    await sandbox.delivered()
    assert sandbox.deliveries[0].status is None
    assert (sandbox.deliveries[0].error or "").startswith("AssertionError")


async def test_closed_port_is_an_error(api: httpx.AsyncClient, sandbox: Sandbox) -> None:
    """If no receiver listens, the log says why, and the call itself went well."""
    with socket.socket() as unheard:
        # Bound and not listening: connections are refused, and no other program gets the port.
        unheard.bind(("127.0.0.1", 0))
        sandbox.add_webhook(f"http://127.0.0.1:{unheard.getsockname()[1]}/hooks")
        answer = await api.post("/subscriptions/501/pause")
        await sandbox.delivered()
    assert answer.status_code == 200
    (delivery,) = sandbox.deliveries
    assert (delivery.status, delivery.succeeded) == (None, False)
    assert (delivery.error or "").startswith("ConnectError")


async def test_receiver_has_three_seconds(clock: ManualClock) -> None:
    """The bound is what RMZ documents."""
    assert Courier({}, clock, NO_FAULTS).timeout == 3.0


async def test_slow_receiver_is_given_up(clock: ManualClock) -> None:
    """A receiver that does not answer in time is an error in the log."""
    courier = Courier({1: Webhook(id=1, url=URL, app=stalls)}, clock, NO_FAULTS, timeout=0.01)
    courier.send(Parcel(webhook_id=1, event="e", event_id="i", request_id=1, body=b"{}"))
    await courier.delivered()
    (delivery,) = courier.log
    assert (delivery.status, delivery.error) == (None, "no answer within 0.01 s")


async def test_answer_comes_before_the_delivery(
    api: httpx.AsyncClient, sandbox: Sandbox, receiver: Receiver
) -> None:
    """A call does not wait for its webhooks, and closing gives up what is still under way."""
    sandbox.add_webhook(URL, app=stalls)
    sandbox.add_webhook(URL, app=receiver)
    with anyio.fail_after(60):
        assert (await api.post("/subscriptions/501/pause")).status_code == 200
        await sandbox.aclose()
        # A delivery that was given up does not count as under way.
        await sandbox.delivered()
    assert [delivery.webhook_id for delivery in sandbox.deliveries] in ([], [2])


async def test_waiting_for_nothing_ends_immediately(sandbox: Sandbox) -> None:
    """If nothing is under way, waiting ends immediately."""
    await sandbox.delivered()


async def test_sandbox_can_be_closed_by_another_task(
    clock: ManualClock, receiver: Receiver
) -> None:
    """Opened, used and closed by three tasks, as fixtures of some test runners do."""
    sandbox = Sandbox(clock=clock)
    sandbox.add_webhook(URL, app=receiver)
    headers = {"Authorization": f"Bearer {sandbox.token}"}

    async def use() -> None:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(sandbox.app)) as api:
            await api.post(f"{sandbox.base_url}/subscriptions/501/pause", headers=headers)
        await sandbox.delivered()

    async def close() -> None:
        await sandbox.__aexit__(None, None, None)

    await sandbox.__aenter__()
    for step in (use, close):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(step)
    assert len(receiver.bodies) == 1


async def sent_by(sandbox: Sandbox, receiver: Receiver) -> tuple[bytes, str]:
    """Pause a subscription; return the body and the request id of what that sends."""
    sandbox.add_webhook(URL, app=receiver)
    async with (
        sandbox,
        httpx.AsyncClient(
            transport=httpx.ASGITransport(sandbox.app),
            headers={"Authorization": f"Bearer {sandbox.token}"},
        ) as api,
    ):
        await api.post(f"{sandbox.base_url}/subscriptions/501/pause")
        await sandbox.delivered()
    return receiver.bodies[-1], receiver.headers[-1]["x-rmz-request-id"]


async def test_events_have_new_ids_in_every_run(clock: ManualClock, receiver: Receiver) -> None:
    """An inbox that drops what it had must not drop what a restarted sandbox sends."""
    first, second = [await sent_by(Sandbox(clock=clock), receiver) for _ in range(2)]
    ids = [json.loads(body)["event_id"] for body, _ in (first, second)]
    assert ids[0] != ids[1]
    assert first[1] != second[1]
    assert uuid.UUID(ids[0]).version == 4


async def test_a_seed_repeats_a_run(clock: ManualClock, receiver: Receiver) -> None:
    """Two sandboxes that are used alike send the same bytes, but for the signature."""
    first, second = [await sent_by(Sandbox(clock=clock, seed=7), receiver) for _ in range(2)]
    assert first == second
    assert receiver.headers[0]["signature"] != receiver.headers[1]["signature"]
    assert await sent_by(Sandbox(clock=clock, seed=8), receiver) != first


async def test_secrets_are_random_and_hidden(sandbox: Sandbox) -> None:
    """A secret has the dashboard's length, is new for each webhook, and no repr shows it."""
    first, second = sandbox.add_webhook(URL), sandbox.add_webhook(URL)
    assert len(first.secret) == 28
    assert first.secret != second.secret
    assert first.secret not in repr(first)
    assert sandbox.webhooks == (first, second)


@pytest.mark.parametrize(
    "url",
    [
        "https://app.example/hooks",
        "http://127.0.0.1@app.example/hooks",
        "http://127.0.0.1.nip.example/hooks",
        "http://2130706433/hooks",
        "http://0.0.0.0/hooks",
        "ftp://127.0.0.1/hooks",
        "/hooks",
        "http://[::1/hooks",
        "",
    ],
)
async def test_webhook_stays_on_this_machine(sandbox: Sandbox, url: str) -> None:
    """A URL that is not http or https on a loopback host is refused with the reason."""
    with pytest.raises(ValueError, match="never talks to the outside"):
        sandbox.add_webhook(url)
    assert sandbox.webhooks == ()


@pytest.mark.parametrize(
    "url",
    ["http://localhost/h", "https://localhost:8443/h", "http://[::1]:80/h", "http://127.1.1.1"],
)
async def test_every_loopback_url_is_taken(sandbox: Sandbox, url: str) -> None:
    """Names and addresses of this machine are fine, with TLS or without."""
    assert sandbox.add_webhook(url).url == url


async def test_webhook_is_checked(sandbox: Sandbox) -> None:
    """A secret that RMZ would refuse, and a number of attempts that it does not offer."""
    wrong: list[Any] = ["", "x" * 15, 5, b"x" * 16]
    for secret in wrong:
        with pytest.raises(ValueError, match="secret must be a string of at least 16 characters"):
            sandbox.add_webhook(URL, secret=secret)
    assert sandbox.add_webhook(URL, secret="x" * 16).secret == "x" * 16
    for tries in (0, 6):
        with pytest.raises(ValueError, match="tries must be 1 to 5"):
            sandbox.add_webhook(URL, tries=tries)
    assert sandbox.add_webhook(URL, tries=5).tries == 5
