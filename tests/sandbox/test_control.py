from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from rmz_async.sandbox import Sandbox

if TYPE_CHECKING:
    from tests.sandbox.conftest import Receiver

pytestmark = pytest.mark.anyio
CLOCK = "http://127.0.0.1/sandbox/clock"
EMIT = "http://127.0.0.1/sandbox/emit"
RESEND = "http://127.0.0.1/sandbox/resend"


async def test_time_can_be_moved_over_http(api: httpx.AsyncClient, sandbox: Sandbox) -> None:
    """The answer comes when everything that was due has happened."""
    before = datetime.fromisoformat((await api.get(CLOCK)).json()["now"])
    answer = await api.post(CLOCK, json={"days": 4, "hours": 1})
    after = datetime.fromisoformat(answer.json()["now"])
    assert after - before == timedelta(days=4, hours=1)
    assert sandbox.state.subscriptions[502].paid_periods == 1


async def test_an_event_can_be_sent_over_http(
    api: httpx.AsyncClient, sandbox: Sandbox, receiver: Receiver
) -> None:
    """As `Sandbox.emit` does it."""
    sandbox.add_webhook("http://127.0.0.1/hooks", app=receiver)
    answer = await api.post(EMIT, json={"event": "subscription.renewed", "id": 501})
    assert answer.json() == {"event": "subscription.renewed", "webhooks": 1}
    await sandbox.delivered()
    assert receiver.payloads[0]["event"] == "subscription.renewed"


@pytest.mark.parametrize(
    ("url", "body"),
    [
        (CLOCK, {"days": -1}),
        (CLOCK, {"weeks": 1}),
        (CLOCK, {"days": "many"}),
        (CLOCK, {"days": 1e12}),
        (CLOCK, [1]),
        (EMIT, {"event": "subscription.renewed"}),
        (EMIT, {"event": "subscription.renewed", "id": 1}),
        (EMIT, {"event": "nothing", "id": 501}),
        (EMIT, []),
    ],
)
async def test_a_senseless_request_is_refused_with_a_reason(
    api: httpx.AsyncClient, sandbox: Sandbox, url: str, body: Any
) -> None:
    """And changes nothing."""
    before = sandbox.clock.now()
    answer = await api.post(url, json=body)
    assert answer.status_code == 422
    assert answer.json()["message"]
    assert sandbox.clock.now() == before


@pytest.mark.parametrize(
    ("url", "body", "reason"),
    [
        (CLOCK, {"days": "1"}, "days must be a number"),
        (CLOCK, {"days": True}, "days must be a number"),
        (CLOCK, 1, "the body must be a JSON object"),
        (
            EMIT,
            {"event": "subscription.nope", "id": 501},
            "event must be one of subscription.",
        ),
        (EMIT, {"event": ["x"], "id": 501}, "event must be one of"),
        (EMIT, {"id": 501}, "event must be one of"),
        (EMIT, {"event": "subscription.renewed"}, "id must be an integer"),
        (EMIT, {"event": "subscription.renewed", "id": True}, "id must be an integer"),
        (RESEND, {"number": "1"}, "number must be an integer"),
        (RESEND, {"number": 9}, "there is no delivery 9"),
    ],
)
async def test_a_refusal_names_the_field_and_the_rule(
    api: httpx.AsyncClient, url: str, body: Any, reason: str
) -> None:
    answer = await api.post(url, json=body)

    assert answer.status_code == 422
    assert answer.json()["message"].startswith(reason)


async def test_a_body_that_is_no_json_is_refused(api: httpx.AsyncClient) -> None:
    answer = await api.post(CLOCK, content=b"days=1")

    assert answer.json()["message"] == "the body must be a JSON object"


@pytest.mark.parametrize("url", [CLOCK, EMIT])
async def test_only_the_token_opens(browser: httpx.AsyncClient, url: str) -> None:
    """A page that is open in the same browser moves no time."""
    answer = await browser.post(url, json={"days": 1})
    assert answer.status_code == 401


async def test_the_attempt_that_was_asked_for_is_shown(
    api: httpx.AsyncClient, sandbox: Sandbox, receiver: Receiver
) -> None:
    """Another delivery may end before it."""
    sandbox.add_webhook("http://127.0.0.1/hooks", app=receiver)
    sandbox.emit("subscription.renewed", 501)
    await sandbox.delivered()
    sandbox.emit("subscription.renewed", 502)
    answer = await api.post("http://127.0.0.1/sandbox/resend", json={"number": 1})

    shown = answer.json()["attempt"]
    assert (shown["number"], shown["about"], shown["attempt"]) == (3, 501, 2)


async def test_an_unknown_list_is_refused_with_the_known_ones(api: httpx.AsyncClient) -> None:
    answer = await api.get("http://127.0.0.1/sandbox/list/secrets")

    assert answer.status_code == 422
    assert "subscriptions, customers" in answer.json()["message"]


@pytest.mark.parametrize("path", ["list/orders", "clock"])
async def test_the_controls_need_the_token(browser: httpx.AsyncClient, path: str) -> None:
    assert (await browser.get(f"/sandbox/{path}")).status_code == 401
