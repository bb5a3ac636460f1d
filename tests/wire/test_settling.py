"""After an answer that cannot be trusted, the subscription itself is asked."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
import respx

from rmz_async import ConflictError, OutcomeUnknownError, RateLimitError, Subscription

pytestmark = pytest.mark.anyio

LOST = httpx.ReadError("connection reset")
END = datetime(2026, 12, 1, tzinfo=UTC)
CHANGES: dict[str, tuple[Any, dict[str, object], dict[str, object]]] = {
    "cancel": (
        lambda r: r.cancel(501),
        {"status": "active", "cancel_at_period_end": True},
        {"status": "active", "cancel_at_period_end": False},
    ),
    "cancel at once": (
        lambda r: r.cancel(501, effective="immediate"),
        {"status": "canceled"},
        {"status": "active", "cancel_at_period_end": True},
    ),
    "pause": (lambda r: r.pause(501), {"status": "paused"}, {"status": "active"}),
    "unpause": (lambda r: r.unpause(501), {"status": "active"}, {"status": "paused"}),
}


def ok(**fields: object) -> httpx.Response:
    """A subscription as RMZ answers it."""
    return httpx.Response(200, json={"message": None, "data": {"id": 501, **fields}})


class Routes:
    """The subscription's own address, and those of all its changes."""

    def __init__(self, router: respx.MockRouter) -> None:
        self.read = router.get("/subscriptions/501")
        self.change = router.post(path__regex=r".*/subscriptions/501/\w+$")


@pytest.fixture
def routes(rmz_api: respx.MockRouter) -> Routes:
    """The routes."""
    return Routes(rmz_api)


@pytest.mark.parametrize("name", CHANGES)
async def test_a_change_that_is_there_is_a_success(
    routes: Routes, make_client: Any, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    """A change that the subscription shows was applied: it is not sent again, and it is marked."""
    call, done, _ = CHANGES[name]
    routes.change.side_effect = [LOST]
    routes.read.side_effect = [ok(**done)]
    async with make_client() as rmz:
        with caplog.at_level(logging.WARNING, logger="rmz_async"):
            changed = await call(rmz.subscriptions)
    assert changed.status == done["status"]
    assert routes.change.call_count == 1
    assert "settled by reading back: applied" in caplog.text


@pytest.mark.parametrize("name", CHANGES)
async def test_a_change_that_is_not_there_is_sent_again(
    routes: Routes, make_client: Any, name: str
) -> None:
    """A change that the subscription does not show is sent once more."""
    call, done, open_ = CHANGES[name]
    routes.change.side_effect = [LOST, ok(**done)]
    routes.read.side_effect = [ok(**open_)]
    async with make_client() as rmz:
        assert (await call(rmz.subscriptions)).status == done["status"]
    assert routes.change.call_count == 2


@pytest.mark.parametrize("name", CHANGES)
async def test_a_change_that_stays_away_is_unknown(
    routes: Routes, make_client: Any, name: str
) -> None:
    """Not to be seen after two tries is no proof: the server may still be working."""
    call, _, open_ = CHANGES[name]
    routes.change.side_effect = [LOST, LOST]
    routes.read.return_value = ok(**open_)
    async with make_client() as rmz:
        with pytest.raises(OutcomeUnknownError, match="may have been applied"):
            await call(rmz.subscriptions)
    assert routes.change.call_count == 2


async def test_a_subscription_that_cannot_be_read(routes: Routes, make_client: Any) -> None:
    """Where the subscription cannot be read either, nothing is sent again."""
    routes.change.side_effect = [LOST]
    routes.read.side_effect = LOST
    async with make_client() as rmz:
        with pytest.raises(OutcomeUnknownError):
            await rmz.subscriptions.pause(501)
    assert routes.change.call_count == 1


async def test_a_late_change_is_not_sent_again(routes: Routes, make_client: Any, time: Any) -> None:
    """Half a minute later the customer may have undone the change: it is not sent again."""

    def slow(_: httpx.Request) -> httpx.Response:
        time.now += 31
        raise LOST

    routes.change.side_effect = slow
    routes.read.return_value = ok(status="active")
    async with make_client() as rmz:
        with pytest.raises(OutcomeUnknownError):
            await rmz.subscriptions.pause(501)
    assert routes.change.call_count == 1


async def test_the_echo_of_an_applied_change(routes: Routes, make_client: Any) -> None:
    """A conflict after a lost answer is settled by reading: it may be the first try's success."""
    conflict = httpx.Response(422, json={"message": "Only active subscriptions can be paused"})
    routes.change.side_effect = [LOST, conflict]
    routes.read.side_effect = [ok(status="active"), ok(status="paused")]
    async with make_client() as rmz:
        assert (await rmz.subscriptions.pause(501)).status == "paused"


async def test_a_conflict_that_is_one(routes: Routes, make_client: Any) -> None:
    """A conflict that the subscription confirms is raised as what it is."""
    conflict = httpx.Response(409, json={"message": "Already expired"})
    routes.change.side_effect = [LOST, conflict]
    routes.read.side_effect = [ok(status="active"), ok(status="expired")]
    async with make_client() as rmz:
        with pytest.raises(ConflictError, match="Already expired"):
            await rmz.subscriptions.pause(501)


async def test_a_conflict_that_cannot_be_checked(routes: Routes, make_client: Any) -> None:
    """A conflict after a lost answer may be its echo: where nobody can look, nobody can tell."""
    conflict = httpx.Response(409, json={"message": "Already paused"})
    routes.change.side_effect = [LOST, conflict]
    routes.read.side_effect = [ok(status="active"), LOST, LOST, LOST]
    async with make_client() as rmz:
        with pytest.raises(OutcomeUnknownError) as caught:
            await rmz.subscriptions.pause(501)
    assert isinstance(caught.value.__cause__, ConflictError)


async def test_a_resend_that_must_wait_is_looked_at_anew(
    routes: Routes, make_client: Any, time: Any
) -> None:
    """A change is not repeated after a wait in which the customer may have undone the first one."""
    throttled = httpx.Response(
        429, json={}, headers={"Retry-After": "40", "X-RateLimit-Remaining": "0"}
    )
    routes.change.side_effect = [LOST, throttled]
    routes.read.side_effect = [ok(status="active"), ok(status="active")]
    async with make_client() as rmz:
        with pytest.raises(OutcomeUnknownError):
            await rmz.subscriptions.pause(501)
    assert routes.change.call_count == 2


async def test_a_conflict_at_first_is_not_read_back(routes: Routes, make_client: Any) -> None:
    """Nothing is unclear about a first try that is refused."""
    routes.change.side_effect = [httpx.Response(409, json={"message": "no"})]
    async with make_client() as rmz:
        with pytest.raises(ConflictError):
            await rmz.subscriptions.pause(501)
    assert not routes.read.called


async def test_a_throttled_change_is_sent_again(
    routes: Routes, make_client: Any, time: Any
) -> None:
    """The throttle answers before anything is done, so the change is sent when it allows."""
    throttled = httpx.Response(
        429, json={}, headers={"Retry-After": "3", "X-RateLimit-Remaining": "0"}
    )
    routes.change.side_effect = [throttled, ok(status="paused")]
    async with make_client() as rmz:
        await rmz.subscriptions.pause(501)
    assert time.slept == [3.0]


async def test_another_429_of_a_change_is_raised(routes: Routes, make_client: Any) -> None:
    """A 429 that is not the throttle's is not met with another try of a change."""
    routes.change.side_effect = [httpx.Response(429, json={})]
    async with make_client() as rmz:
        with pytest.raises(RateLimitError):
            await rmz.subscriptions.pause(501)
    assert routes.change.call_count == 1


@pytest.mark.parametrize(
    ("added", "end"),
    [
        ({"days": 7}, "2026-12-08T00:00:00.000000Z"),
        ({"months": 2}, "2027-01-30T00:00:00.000000Z"),
    ],
)
async def test_an_extension_is_settled_by_comparison(
    routes: Routes, make_client: Any, added: dict[str, int], end: str
) -> None:
    """An extension of a subscription that was read is settled where its end has moved just so."""
    routes.change.side_effect = [LOST]
    routes.read.side_effect = [ok(status="active", current_period_end=end)]
    before = Subscription(id=501, status="active", current_period_end=END)
    async with make_client() as rmz:
        extended = await rmz.subscriptions.extend(before, **added)
    assert extended.current_period_end > END
    assert routes.change.call_count == 1


@pytest.mark.parametrize("end", ["2026-12-01T00:00:00Z", "2026-12-15T00:00:00Z", None])
async def test_an_extension_that_cannot_be_seen_is_unknown(
    routes: Routes, make_client: Any, end: str | None
) -> None:
    """An end that has not moved, or moved by something else, proves nothing: never sent again."""
    routes.change.side_effect = [LOST]
    routes.read.side_effect = [ok(status="active", current_period_end=end)]
    before = Subscription(id=501, status="active", current_period_end=END)
    async with make_client() as rmz:
        with pytest.raises(OutcomeUnknownError):
            await rmz.subscriptions.extend(before, days=7)
    assert routes.change.call_count == 1


async def test_an_extension_without_a_known_end_is_not_read_back(
    routes: Routes, make_client: Any
) -> None:
    """Where the end was not known before, reading it now would tell nothing."""
    routes.change.side_effect = [LOST]
    async with make_client() as rmz:
        with pytest.raises(OutcomeUnknownError):
            await rmz.subscriptions.extend(Subscription(id=501, status="active"), days=7)
    assert not routes.read.called
