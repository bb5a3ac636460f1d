"""The receivers of "Webhooks", with deliveries of the sandbox and with forged ones."""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import io
import os
import re
import socket
from collections.abc import AsyncGenerator, Callable

import anyio
import httpx
import pytest
import uvicorn
from aiohttp.test_utils import TestServer

import rmz_async
from rmz_async import webhooks
from tests.docs.networks import pay
from tests.docs.pages import ROOT, Page, prose_of

PAGE = "docs/webhooks.md"
Receiver = Callable[[Page], contextlib.AbstractAsyncContextManager[str]]
ORDER = b'{"event": "order.created", "data": {"id": 1}}'


@contextlib.asynccontextmanager
async def fastapi_receiver(page: Page) -> AsyncGenerator[str]:
    server = uvicorn.Server(uvicorn.Config(page["app"], log_config=None, lifespan="off"))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        serving = asyncio.create_task(server.serve([listener]))
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/webhooks/rmz"
        server.should_exit = True
        await serving


@contextlib.asynccontextmanager
async def aiohttp_receiver(page: Page) -> AsyncGenerator[str]:
    async with TestServer(page["aiohttp_app"]) as server:
        yield str(server.make_url("/webhooks/rmz"))


RECEIVERS = pytest.mark.parametrize("receiver", [fastapi_receiver, aiohttp_receiver])


def signed(page: Page, body: bytes) -> dict[str, str]:
    secret = page["SECRETS"][0].encode()
    return {"Signature": hmac.digest(secret, body, "sha256").hex()}


async def buy() -> None:
    async with rmz_async.Client() as rmz:
        session = await rmz.checkout_sessions.create(
            product_id=102,
            variant_id=15,
            customer=4501,
            success_url="https://app.example/ok",
            cancel_url="https://app.example/no",
            external_customer_id="usr_new",
        )
    await anyio.to_thread.run_sync(pay, session.checkout_url)


@RECEIVERS
def test_a_purchase_is_kept_once_and_gives_access_when_it_is_worked_off(
    page: Page, receiver: Receiver
) -> None:
    page.run()
    access: dict[str, bool] = {}
    page.names["set_access"] = access.__setitem__

    async def deliver() -> None:
        async with receiver(page) as url:
            page.sandbox.add_webhook(url, secret=page["SECRETS"][0])
            await buy()
            await page.sandbox.delivered()
            sent = page.sandbox.deliveries
            async with httpx.AsyncClient(trust_env=False) as network:
                for one in sent:
                    headers = signed(page, one.body)
                    again = await network.post(url, content=one.body, headers=headers)
                    assert again.status_code == one.status == 204
            kept = {key for (key,) in page["inbox"].execute("SELECT key FROM inbox")}
            assert len(kept) == len(sent) == 2
        async with rmz_async.Client() as rmz:
            await page["work_off"](rmz)

    page.wait(deliver())
    assert access == {"usr_new": True}
    assert page["inbox"].execute("SELECT min(done) FROM inbox").fetchone() == (1,)
    page["inbox"].close()


def test_an_event_that_fails_stops_no_other(page: Page) -> None:
    """The event waits, and the one behind it is done."""
    page.run()
    refreshed: list[str] = []

    async def refresh_access(_: rmz_async.Client, user: str) -> None:
        if user == "usr_first":
            raise ConnectionError("the database is locked")
        refreshed.append(user)

    page.names["refresh_access"] = refresh_access
    for user in ("usr_first", "usr_second"):
        body = webhooks.sample(
            webhooks.EventType.SUBSCRIPTION_RENEWED, event_id=user, external_customer_id=user
        )
        page["keep"](
            webhooks.verify(body, signed(page, body), secrets=page["SECRETS"]),
        )

    page.wait(page["work_off"](rmz_async.Client()))

    assert refreshed == ["usr_second"]
    left = page["inbox"].execute("SELECT event FROM inbox WHERE done = 0").fetchall()
    assert len(left) == 1
    assert "usr_first" in left[0][0]
    page["inbox"].close()


def test_an_inbox_handles_each_event_of_a_purchase_once(page: Page) -> None:
    page.run("Receive into an inbox")
    noted: list[tuple[str, bool]] = []
    page.names["set_access"] = lambda user, granted: noted.append((user, granted))
    receiver = page["receiver"]

    async def deliver() -> int:
        address = "http://127.0.0.1/webhooks/rmz"
        secret = os.environ["RMZ_WEBHOOK_SECRET"]
        page.sandbox.add_webhook(address, secret=secret, app=page["service"])
        await buy()
        await page.sandbox.delivered()
        for one in page.sandbox.deliveries:
            again = await receiver.receive(one.body, {"Signature": webhooks.sign(one.body, secret)})
            assert one.status == again.status == 200
        await receiver.drain()
        stats = await receiver.stats()
        await receiver.aclose()
        return int(stats.done)

    assert page.wait(deliver()) == 1
    assert noted == [("usr_new", True)]


@RECEIVERS
def test_only_signed_events_are_kept(page: Page, receiver: Receiver) -> None:
    page.run()

    async def post() -> None:
        async with receiver(page) as url, httpx.AsyncClient(trust_env=False) as network:
            for body, headers, wanted in (
                (ORDER, {}, 401),
                (ORDER, {"Signature": "0" * 64}, 401),
                (ORDER, signed(page, ORDER), 204),
            ):
                answer = await network.post(url, content=body, headers=headers)
                assert answer.status_code == wanted

    page.wait(post())
    assert page["inbox"].execute("SELECT count(*) FROM inbox").fetchone() == (1,)
    page["inbox"].close()


@pytest.mark.parametrize("secret", ["NEW", "OLD"])
def test_both_secrets_are_accepted_while_redeploying(page: Page, secret: str) -> None:
    page.run()
    signature = hmac.digest(page[secret].encode(), ORDER, "sha256").hex()

    event = page["receive_while_redeploying"](ORDER, {"signature": signature})

    assert event.event is rmz_async.EventType.ORDER_CREATED
    page["inbox"].close()


def test_the_table_of_events_has_every_event() -> None:
    lines = (line for _, line in prose_of(PAGE))
    named = {line.split("`")[1] for line in lines if line.startswith("| `") and "." in line[:25]}

    assert {name for name in named if name.partition(".")[0] in ("order", "subscription")} == {
        event.value for event in rmz_async.EventType
    }


def test_the_page_names_the_number_of_secrets_that_are_accepted() -> None:
    page = " ".join((ROOT / PAGE).read_text(encoding="utf-8").split())
    (most,) = map(int, re.findall(r"up to (\d+) secrets", page))
    secrets = [f"secret-number-{number:04}" for number in range(most + 1)]
    signature = hmac.digest(secrets[0].encode(), ORDER, "sha256").hex()

    event = rmz_async.webhooks.verify(ORDER, {"Signature": signature}, secrets=secrets[:-1])

    assert event.event == "order.created"
    with pytest.raises(rmz_async.ConfigurationError):
        rmz_async.webhooks.verify(ORDER, {"Signature": signature}, secrets=secrets)


@pytest.mark.parametrize("shop", ["shop-a", "shop-b"])
def test_the_secret_that_fitted_names_the_shop(page: Page, shop: str) -> None:
    page.run()
    signature = hmac.digest(page["SHOPS"][shop].encode(), ORDER, "sha256").hex()

    assert page["shop_and_event"](ORDER, {"Signature": signature})[0] == shop
    page["inbox"].close()


@pytest.mark.parametrize(
    ("body", "note"),
    [
        (ORDER, "a new order: 1"),
        (b'{"event": "store.moved", "data": {}}', "an event that this version cannot read"),
        (
            b'{"event": "subscription.past_due", "event_id": "e", "data": {"subscription": '
            b'{"id": 1, "status": "past_due", "external_customer_id": "usr_1"}}}',
            "a payment failed: usr_1",
        ),
        (
            b'{"event": "subscription.paused", "event_id": "e", "data": {"subscription": '
            b'{"id": 1, "status": "paused", "external_customer_id": "usr_1"}}}',
            "",
        ),
    ],
)
def test_the_team_is_told_of_certain_events_only(page: Page, body: bytes, note: str) -> None:
    page.run()
    signature = hmac.digest(page["SECRETS"][0].encode(), body, "sha256").hex()
    event = rmz_async.webhooks.verify(body, {"Signature": signature}, secrets=page["SECRETS"])

    assert page["note_for_the_team"](event).startswith(note)
    page["inbox"].close()


def test_a_refusal_is_explained_while_developing(page: Page) -> None:
    page.run()

    with contextlib.redirect_stdout(io.StringIO()) as printed:
        page["explain"](ORDER, {})

    assert "Signature" in printed.getvalue()
    page["inbox"].close()
