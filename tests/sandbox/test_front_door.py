from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import httpx
import pytest

from rmz_async.sandbox import Sandbox, Store

if TYPE_CHECKING:
    from tests.sandbox.conftest import ManualClock

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    "authorization", [None, "", "Bearer", "Bearer 1|wrong", "Bearer é", "Basic {token}", "{token}"]
)
async def test_only_the_token_opens(
    api: httpx.AsyncClient, sandbox: Sandbox, authorization: str | None
) -> None:
    """Anything but the bearer token is answered with Laravel's bare 401."""
    del api.headers["Authorization"]
    sent = (authorization or "").format(token=sandbox.token).encode("latin-1")
    headers = {} if authorization is None else {b"Authorization": sent}
    answer = await api.get("/subscriptions/501", headers=headers)
    assert answer.status_code == 401
    assert answer.json() == {"message": "Unauthenticated."}
    assert "x-ratelimit-limit" not in answer.headers


async def test_tokens_look_real_and_differ() -> None:
    """Each sandbox has a token of its own, in Sanctum's form, and does not show it."""
    first, second = Sandbox(), Sandbox()
    assert first.token.startswith("1|")
    assert len(first.token) == 42
    assert first.token != second.token
    assert first.token not in repr(first)


async def test_refused_callers_use_up_no_requests(api: httpx.AsyncClient) -> None:
    """A wrong token does not count against the right one."""
    for _ in range(61):
        await api.get("/subscriptions/501", headers={"Authorization": "Bearer wrong"})
    assert (await api.get("/subscriptions/501")).headers["x-ratelimit-remaining"] == "59"


async def test_the_61st_request_of_a_minute_is_refused(
    api: httpx.AsyncClient, clock: ManualClock
) -> None:
    """The window opens with the first request; the 61st is refused until it closes."""
    for remaining in range(59, -1, -1):
        answer = await api.get("/subscriptions/501" if remaining % 2 else "/subscriptions/999")
        assert answer.headers["x-ratelimit-limit"] == "60"
        assert answer.headers["x-ratelimit-remaining"] == str(remaining)
        assert "retry-after" not in answer.headers
        clock.advance(seconds=0.5)
    answer = await api.get("/subscriptions/501")
    assert answer.status_code == 429
    assert answer.json() == {"message": "Too Many Requests"}
    assert answer.headers["x-ratelimit-limit"] == "60"
    assert answer.headers["x-ratelimit-remaining"] == "0"
    assert answer.headers["retry-after"] == "30"
    assert answer.headers["x-ratelimit-reset"] == "1748779260"
    clock.advance(seconds=29)
    assert (await api.get("/subscriptions/501")).status_code == 429
    clock.advance(seconds=1)
    answer = await api.get("/subscriptions/501")
    assert (answer.status_code, answer.headers["x-ratelimit-remaining"]) == (200, "59")


async def test_lookup_has_a_limit_of_its_own(api: httpx.AsyncClient) -> None:
    """120 lookups a minute, beside the sixty."""
    query = "/subscriptions/lookup?external_customer_id=usr_abc123"
    statuses = [(await api.get(query)).status_code for _ in range(121)]
    assert statuses == [200] * 120 + [429]
    answer = await api.get("/subscriptions/501")
    assert (answer.status_code, answer.headers["x-ratelimit-remaining"]) == (200, "59")


async def test_validation_errors_count(api: httpx.AsyncClient) -> None:
    """A 422 carries the limit's headers like any answer."""
    answer = await api.post("/portal-sessions", json={})
    assert answer.headers["x-ratelimit-remaining"] == "59"


async def test_throttle_can_be_off(clock: ManualClock) -> None:
    """Without the throttle nothing is counted, and no header speaks of it."""
    sandbox = Sandbox(clock=clock, throttle=False)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(sandbox.app),
        base_url=sandbox.base_url,
        headers={"Authorization": f"Bearer {sandbox.token}"},
    ) as api:
        answers = [await api.get("/subscriptions/501") for _ in range(61)]
    assert {answer.status_code for answer in answers} == {200}
    assert "x-ratelimit-limit" not in answers[-1].headers


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[1]",
        b"null",
        b'{"customer": NaN}',
        b'{"customer": "\xff"}',
        b'{"return_url": "\\ud800"}',
        b"[" * 100_000,
    ],
)
async def test_body_that_is_no_object_has_no_fields(api: httpx.AsyncClient, body: bytes) -> None:
    """As in Laravel, what cannot be read is as if nothing had been sent."""
    headers = {"Content-Type": "application/json"}
    answer = await api.post("/portal-sessions", content=body, headers=headers)
    assert answer.status_code == 422
    assert "customer" in answer.json()["errors"]


async def test_unknown_route_is_json(api: httpx.AsyncClient) -> None:
    """A path that leads nowhere is a 404 in JSON."""
    answer = await api.get("/nothing")
    assert answer.status_code == 404
    assert answer.json() == {"message": "The route shawarma/nothing could not be found."}
    answer = await api.get("http://127.0.0.1/nothing")
    assert answer.json() == {"message": "The route nothing could not be found."}


@pytest.mark.parametrize("content_type", ["text/xml", "application/x-www-form-urlencoded", ""])
async def test_json_under_another_name(api: httpx.AsyncClient, content_type: str) -> None:
    """Laravel reads as JSON only what is said to be that: there are no fields in this."""
    for sent_as, status in ((content_type, 422), ("application/vnd.api+json", 200)):
        headers = {"Content-Type": sent_as}
        answer = await api.post(
            "/subscriptions/501/extend", content=b'{"days": 3}', headers=headers
        )
        assert answer.status_code == status


@pytest.mark.parametrize(
    "number", [b"1e999999999", b"1e309", b"-1e3000000", b"1e-999999999", b"0e999"]
)
async def test_numbers_that_php_cannot_hold(api: httpx.AsyncClient, number: bytes) -> None:
    """They are refused like any other wrong body, and never written out."""
    body = b'{"reason": "x", "days": ' + number + b"}"
    headers = {"Content-Type": "application/json"}
    answer = await api.post("/subscriptions/501/extend", content=body, headers=headers)
    assert answer.status_code == 422


async def test_wrong_method_is_json(api: httpx.AsyncClient) -> None:
    """A method that a path does not have is a 405 in JSON."""
    answer = await api.get("/subscriptions/501/extend")
    assert answer.status_code == 405
    assert answer.json() == {"message": "The GET method is not supported for this route."}


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/orders", {"GET", "HEAD", "POST"}),
        ("/orders/78901", {"GET", "HEAD", "PUT"}),
        ("/subscriptions/checkout-sessions", {"POST"}),
        ("/subscriptions/lookup", {"GET", "HEAD"}),
    ],
)
async def test_wrong_method_names_the_right_ones(
    api: httpx.AsyncClient, path: str, allowed: set[str]
) -> None:
    """All methods of the path, though each may be answered by a call of its own."""
    answer = await api.delete(path)
    assert answer.status_code == 405
    assert set(answer.headers["Allow"].split(", ")) == allowed


async def test_head_is_a_get_without_a_body(api: httpx.AsyncClient) -> None:
    """As for every GET of Laravel, also if the path has other methods."""
    answer = await api.head("/orders")
    assert answer.status_code == 200
    assert answer.content == b""


@pytest.mark.parametrize(
    "host", ["localhost", "localhost:8787", "127.0.0.1:8787", "127.9.9.9", "[::1]", "[::1]:8787"]
)
async def test_loopback_hosts_are_answered(api: httpx.AsyncClient, host: str) -> None:
    """Every loopback name is known, and links are built on the name that was used."""
    answer = await api.post(
        "/portal-sessions", json={"customer": {"id": 4501}}, headers={"Host": host}
    )
    assert answer.json()["data"]["url"].startswith(f"http://{host}/s/")


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "192.168.1.5", "", "[::1", "localhost.evil"]
)
async def test_other_hosts_are_refused(api: httpx.AsyncClient, host: str) -> None:
    """A name that was rebound to this machine is not answered, token or not."""
    answer = await api.get("/subscriptions/501", headers={"Host": host})
    assert answer.status_code == 400


async def test_two_hosts_are_refused(api: httpx.AsyncClient) -> None:
    """A request that names two hosts is ambiguous."""
    headers = [("Host", "127.0.0.1"), ("Host", "127.0.0.1")]
    answer = await api.get("/subscriptions/501", headers=headers)
    assert answer.status_code == 400


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("http://127.0.0.1", 404),
        ("https://evil.example", 400),
        ("null", 400),
    ],
)
async def test_foreign_pages_cannot_post(
    browser: httpx.AsyncClient, origin: str, status: int
) -> None:
    """A form on a page from elsewhere is refused before anything is looked at."""
    answer = await browser.post("/checkout/made-up/pay", headers={"Origin": origin})
    assert answer.status_code == status


async def test_no_answer_opens_itself_to_other_origins(api: httpx.AsyncClient) -> None:
    """There is no CORS."""
    answer = await api.get("/subscriptions/501", headers={"Origin": "http://localhost:3000"})
    assert not [name for name in answer.headers if name.startswith("access-control")]


async def test_a_sandbox_takes_a_store_that_was_set_up(clock: ManualClock) -> None:
    """A sandbox takes a store that was set up, or an empty one."""
    store = Store()
    assert Sandbox(clock=clock, state=store).state is store
    assert not Sandbox(clock=clock, state=Store()).state.subscriptions


async def test_seeds_do_not_share_anything(clock: ManualClock) -> None:
    """A change in one sandbox is not seen in the next."""
    changed = Sandbox(clock=clock).state
    changed.products[102].name = "Changed"
    changed.variants[15].price *= 2
    changed.customers[4501].email = "changed@example.com"
    changed.subscriptions[501].auto_renew = False
    fresh = Sandbox(clock=clock).state
    assert fresh.products[102].name == "Pro Plan"
    assert str(fresh.variants[15].price) == "199.99"
    assert fresh.customers[4501].email == "ahmed@example.com"
    assert fresh.subscriptions[501].auto_renew is True


async def test_clock_must_be_aware() -> None:
    """A naive clock is refused immediately, because it could mean any hour."""
    with pytest.raises(ValueError, match="aware"):
        Sandbox(clock=lambda: datetime(2025, 6, 1))  # noqa: DTZ001 - the naive one is the point
