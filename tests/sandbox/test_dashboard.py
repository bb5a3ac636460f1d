from __future__ import annotations

import re
from typing import Any

import anyio
import httpx
import pytest
from starlette.requests import Request

from rmz_async.sandbox import Sandbox, Webhook
from rmz_async.sandbox.dashboard.live import Live
from tests.sandbox.conftest import Receiver

pytestmark = pytest.mark.anyio

PAGES = (
    "/",
    "/subscriptions",
    "/subscriptions?status=paused",
    "/subscriptions?customer=4501",
    "/subscriptions/501",
    "/customers",
    "/orders",
    "/requests",
    "/deliveries",
    "/webhooks",
    "/faults",
    "/calls",
)


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("language", ["ar", "en"])
async def test_each_page_opens_in_both_languages(
    browser: httpx.AsyncClient, path: str, language: str
) -> None:
    """The page that is open is marked in the navigation."""
    browser.cookies.set("rmz-language", language)
    page = await browser.get(path)
    assert page.status_code == 200
    assert f'<html lang="{language}"' in page.text
    assert 'aria-current="page"' in page.text


async def test_the_first_page_says_how_to_connect(
    browser: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    """Both lines can be copied into a shell."""
    page = await browser.get("/")
    assert "export RMZ_BASE_URL=http://127.0.0.1/shawarma" in page.text
    assert sandbox.token in page.text


async def test_an_empty_sandbox_has_words_for_it(browser: httpx.AsyncClient) -> None:
    """No list is an empty space."""
    assert "No request has come yet." in (await browser.get("/requests")).text
    assert "Nothing was delivered yet." in (await browser.get("/deliveries")).text
    assert "Nothing has happened yet." in (await browser.get("/subscriptions/501")).text


async def test_a_request_is_shown_with_its_answer_and_without_the_token(
    api: httpx.AsyncClient, browser: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    """A developer sees what a client has sent."""
    await api.post("/subscriptions/501/extend?x=<b>", json={"days": 7})
    await api.get("/subscriptions/1")
    page = (await browser.get("/requests")).text
    assert "POST /subscriptions/501/extend?x=%3Cb%3E" in page
    assert "&#34;days&#34;: 7" in page
    assert "GET /subscriptions/1" in page
    assert sandbox.token.split("|")[1] not in page


@pytest.mark.parametrize(
    ("number", "call", "form", "status"),
    [
        (501, "pause", {}, "paused"),
        (501, "cancel", {"effective": "immediate"}, "canceled"),
        (501, "cancel", {"effective": "end_of_period"}, "active"),
        (501, "extend", {"days": "7"}, "active"),
    ],
)
async def test_a_button_does_what_the_call_does(
    browser: httpx.AsyncClient,
    sandbox: Sandbox,
    number: int,
    call: str,
    form: dict[str, str],
    status: str,
) -> None:
    """The ledger has the call's own name."""
    answer = await browser.post(f"/subscriptions/{number}/{call}", data=form)
    assert answer.headers["location"] == f"/subscriptions/{number}"
    assert sandbox.state.subscriptions[number].status == status
    assert len(sandbox.ledger.of(f"subscriptions.{call}", number)) == 1


async def test_a_paused_subscription_is_unpaused_and_a_canceled_one_resumed(
    browser: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    """Both buttons appear if they have something to do."""
    await browser.post("/subscriptions/501/pause")
    assert "/subscriptions/501/unpause" in (await browser.get("/subscriptions/501")).text
    await browser.post("/subscriptions/501/unpause")
    await browser.post("/subscriptions/501/cancel", data={"effective": "end_of_period"})
    assert "/subscriptions/501/resume" in (await browser.get("/subscriptions/501")).text
    await browser.post("/subscriptions/501/resume")
    one = sandbox.state.subscriptions[501]
    assert (one.status, one.cancel_at_period_end) == ("active", False)


@pytest.mark.parametrize(
    ("call", "form", "said"),
    [
        ("unpause", {}, "Only paused subscriptions can be unpaused"),
        ("extend", {"days": "9000"}, "days"),
        ("resume", {}, "Subscription is not canceled"),
    ],
)
async def test_a_refusal_is_shown_in_rmzs_own_words(
    browser: httpx.AsyncClient, sandbox: Sandbox, call: str, form: dict[str, str], said: str
) -> None:
    """Nothing was changed."""
    answer = await browser.post(f"/subscriptions/501/{call}", data=form)
    page = await browser.get(answer.headers["location"])
    shown = page.text.split('role="alert">')[1].split("</p>")[0]
    assert said in shown
    assert sandbox.ledger == ()


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("/subscriptions/1/pause", {}),
        ("/subscriptions/1/resume", {}),
        ("/subscriptions/501/explode", {}),
        ("/subscriptions/1/card", {"behaviour": "pays"}),
        ("/subscriptions/501/card", {"behaviour": "magic"}),
        ("/subscriptions/501/emit", {"event": "magic"}),
        ("/orders/1", {"status": "5"}),
        ("/customers/1/portal", {}),
        ("/customers/1/checkout", {"variant": "15"}),
        ("/customers/4501/checkout", {"variant": "x"}),
        ("/webhooks/1", {"change": "remove"}),
        ("/deliveries/0", {}),
    ],
)
async def test_a_button_of_something_that_is_gone_says_so(
    browser: httpx.AsyncClient, sandbox: Sandbox, path: str, form: dict[str, str]
) -> None:
    """A page may be older than the store."""
    answer = await browser.post(path, data=form)
    assert answer.status_code == 404
    assert sandbox.ledger == ()


async def test_a_subscription_that_is_gone_has_no_page(browser: httpx.AsyncClient) -> None:
    """A made-up number is answered in words."""
    assert (await browser.get("/subscriptions/1")).status_code == 404


async def test_a_card_is_made_to_fail(browser: httpx.AsyncClient, sandbox: Sandbox) -> None:
    """The next renewal then fails."""
    await browser.post("/subscriptions/501/card", data={"behaviour": "declines"})
    card = sandbox.state.subscriptions[501].card
    assert card is not None
    assert card.behaviour == "declines"


async def test_the_clock_moves_and_leads_back_to_the_page(
    browser: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    """Another server's page is never led to."""
    before = sandbox.clock.now()
    answer = await browser.post(
        "/clock", data={"days": "31"}, headers={"Referer": "http://127.0.0.1/orders"}
    )
    assert answer.headers["location"] == "http://127.0.0.1/orders"
    assert (sandbox.clock.now() - before).days == 31
    answer = await browser.post(
        "/clock", data={"hours": "x"}, headers={"Referer": "https://evil.example/"}
    )
    assert answer.headers["location"] == "/"


async def test_the_clock_runs_and_stops_by_a_click(anyio_backend: str) -> None:
    """The button says what it does next."""
    async with (
        Sandbox() as sandbox,
        httpx.AsyncClient(
            transport=httpx.ASGITransport(sandbox.app),
            base_url="http://127.0.0.1",
            cookies={"rmz-language": "en"},
        ) as browser,
    ):
        assert "Let the clock run" in (await browser.get("/")).text
        await browser.post("/clock", data={"run": "1"})
        assert sandbox.clock.is_running
        assert "Stop the clock" in (await browser.get("/")).text
        await browser.post("/clock", data={"stop": "1"})
        assert not sandbox.clock.is_running


async def test_a_webhook_is_added_changed_and_removed(
    browser: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    """Each button changes one thing."""
    await browser.post("/webhooks", data={"url": "http://127.0.0.1:1/hook"})
    (webhook,) = sandbox.webhooks
    secret = webhook.secret
    assert secret in (await browser.get("/webhooks")).text
    for change in ("enabled", "signed", "rotate", "nonsense"):
        await browser.post("/webhooks/1", data={"change": change})
    assert (webhook.enabled, webhook.signed) == (False, False)
    assert webhook.secret != secret
    await browser.post("/webhooks/1", data={"change": "remove"})
    assert sandbox.webhooks == ()


async def test_a_webhook_elsewhere_is_refused_in_words(
    browser: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    """The sandbox never talks to the outside."""
    answer = await browser.post("/webhooks", data={"url": "https://example.com/hook"})
    page = await browser.get(answer.headers["location"])
    assert "loopback address" in page.text
    assert sandbox.webhooks == ()


async def test_an_event_is_sent_and_sent_again(
    browser: httpx.AsyncClient, sandbox: Sandbox, receiver: Receiver
) -> None:
    """The deliveries show both attempts, with what was sent."""
    sandbox.add_webhook("http://127.0.0.1/hooks", app=receiver)
    await browser.post("/subscriptions/501/emit", data={"event": "subscription.renewed"})
    await sandbox.delivered()
    await browser.post("/deliveries/0")
    first, second = sandbox.deliveries
    assert first.body == second.body
    assert (first.attempt, second.attempt) == (1, 2)
    page = (await browser.get("/deliveries")).text
    assert "subscription.renewed" in page
    assert "X-RMZ-REQUEST-ID" in page


async def test_a_failed_delivery_says_why(browser: httpx.AsyncClient, sandbox: Sandbox) -> None:
    """The port is closed."""
    sandbox.add_webhook("http://127.0.0.1:1/hooks")
    sandbox.emit("subscription.renewed", 501)
    await sandbox.delivered()
    assert "ConnectError" in (await browser.get("/deliveries")).text
    assert "✕" in (await browser.get("/")).text


async def test_an_order_is_moved_on(browser: httpx.AsyncClient, sandbox: Sandbox) -> None:
    """The call's own rules hold."""
    order = next(one for one in sandbox.state.orders.values() if one.status == 3)
    await browser.post(f"/orders/{order.id}", data={"status": "4"})
    assert order.status == 4


async def test_a_customers_pages_open_by_a_click(
    browser: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    """Checkout and portal need no code."""
    answer = await browser.post("/customers/4501/checkout", data={"variant": "15"})
    assert (await browser.get(answer.headers["location"])).status_code == 200
    answer = await browser.post("/customers/4501/portal")
    assert (await browser.get(answer.headers["location"])).status_code == 200


async def read_events(sandbox: Sandbox, wanted: int) -> list[bytes]:
    """Read the stream until so many changes have come."""
    found: list[bytes] = []
    done = anyio.Event()

    async def send(message: Any) -> None:
        if b"event: change" in message.get("body", b""):
            found.append(message["body"])
        if len(found) == wanted:
            done.set()

    async def receive() -> Any:
        await done.wait()
        return {"type": "http.disconnect"}

    scope = {
        "type": "http",
        "method": "GET",
        "path": "/live",
        "query_string": b"",
        "headers": [(b"host", b"127.0.0.1")],
    }

    async def serve() -> None:
        await sandbox.app(scope, receive, send)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(serve)
        for days in range(1, 1 + wanted):
            while len(found) < days:
                sandbox.state.subscriptions[501].price += 1
                await sandbox.clock.advance(days=1)
                await anyio.sleep(0.05)
    return found


async def test_an_open_page_hears_of_every_change(sandbox: Sandbox) -> None:
    """No page has to be loaded again."""
    with anyio.fail_after(10):
        assert len(await read_events(sandbox, 2)) == 2


async def test_a_stream_that_nobody_reads_ends_within_two_minutes() -> None:
    """A change is sent once, and then the stream waits for the next."""
    versions = iter(["a", "a", "b"])
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    live = Live(lambda: next(versions, "b"), sleep)
    stream = await live.stream(Request({"type": "http", "query_string": b""}))
    sent = [chunk async for chunk in stream.body_iterator]
    assert sent == ["retry: 500\n\n", "event: change\ndata: \n\n"]
    assert 30 < sum(waited) < 120


@pytest.mark.parametrize(("seen", "changes"), [("a", 1), ("b", 0)])
async def test_a_change_before_the_stream_begins_is_not_lost(seen: str, changes: int) -> None:
    """The browser may open the stream late, and opens the next one after a while."""

    async def sleep(_: float) -> None:
        """Wait for nothing."""

    scope = {"type": "http", "query_string": f"seen={seen}".encode()}
    stream = await Live(lambda: "b", sleep).stream(Request(scope))
    sent = [chunk async for chunk in stream.body_iterator]
    assert sent.count("event: change\ndata: \n\n") == changes


async def test_a_page_says_which_version_it_shows(
    browser: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    """Each change makes another one."""

    async def seen() -> str:
        found = re.search(r'sse-connect="/live\?seen=(\w+)"', (await browser.get("/")).text)
        assert found is not None
        return found[1]

    first = await seen()
    assert await seen() == first
    sandbox.faults.add("reset")
    assert await seen() != first


async def test_the_picture_shows_how_a_subscription_went(
    browser: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    """Periods, states and events share one axis."""
    await browser.post("/subscriptions/501/card", data={"behaviour": "fails_at_renewal"})
    await sandbox.clock.advance(days=800)
    page = (await browser.get("/subscriptions/501")).text
    for kind in ("active", "past_due", "expired"):
        assert f'class="state {kind}"' in page
    assert page.count('class="event renewal_failed"') == 3
    assert 'class="period"' in page


def test_a_webhook_hides_its_secret_in_its_repr() -> None:
    """Only the dashboard's page shows it."""
    webhook = Webhook(id=1, url="http://127.0.0.1/hook")
    assert webhook.secret not in repr(webhook)
