from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest

from rmz_async.sandbox import Effect, Sandbox

if TYPE_CHECKING:
    from tests.sandbox.conftest import ManualClock

pytestmark = pytest.mark.anyio


async def test_each_change_of_a_subscription_is_recorded(
    api: httpx.AsyncClient, sandbox: Sandbox, clock: ManualClock
) -> None:
    """Under the client's name of the call, in the order of the calls, with their time."""
    for call, body in (
        ("pause", None),
        ("unpause", None),
        ("extend", {"months": 1}),
        ("cancel", None),
        ("cancel", {"effective": "immediate"}),
    ):
        assert (await api.post(f"/subscriptions/501/{call}", json=body)).status_code == 200
        clock.advance(minutes=1)
    start = clock.now.replace(minute=0)
    assert sandbox.ledger == (
        Effect("subscriptions.pause", 501, start, "paused"),
        Effect("subscriptions.unpause", 501, start.replace(minute=1), "unpaused"),
        Effect("subscriptions.extend", 501, start.replace(minute=2), "30 days"),
        Effect("subscriptions.cancel", 501, start.replace(minute=3), "at the period's end"),
        Effect("subscriptions.cancel", 501, start.replace(minute=4), "immediately"),
    )


async def test_sessions_and_their_payment_are_recorded(
    api: httpx.AsyncClient,
    browser: httpx.AsyncClient,
    sandbox: Sandbox,
    clock: ManualClock,
    order: dict[str, Any],
) -> None:
    """A payment counts once; a portal session is shown without its secret."""
    session = (await api.post("/subscriptions/checkout-sessions", json=order)).json()["data"]
    for _ in range(2):
        await browser.post(session["checkout_url"] + "/pay")
    await api.post("/portal-sessions", json={"customer": {"id": 4501}, "expires_in": 600})
    assert sandbox.ledger == (
        Effect("checkout_sessions.create", session["session_id"], clock.now, "variant 15"),
        Effect("hosted.pay", session["session_id"], clock.now, "subscription 534"),
        Effect("portal_sessions.create", 4501, clock.now, "for 600 s"),
    )
    (token,) = sandbox.state.portal_sessions
    assert token not in repr(sandbox.ledger)


async def test_orders_are_recorded(
    api: httpx.AsyncClient,
    browser: httpx.AsyncClient,
    sandbox: Sandbox,
    clock: ManualClock,
    basket: dict[str, Any],
) -> None:
    """A checkout, its payment, a free order and a new status; the same order again is no effect."""
    free = basket | {"coupon_code": "FREE100"}
    paid = (await api.post("/orders", json=basket)).json()["data"]
    for _ in range(2):
        await api.post("/orders", json=basket)
        await api.post("/orders", json=free)
        await browser.post(paid["checkout_url"] + "/pay")
    await api.put("/orders/79002", json={"status": 6})
    assert sandbox.ledger == (
        Effect("orders.create", 55044, clock.now, "checkout made"),
        Effect("orders.create", 79001, clock.now, "order made"),
        Effect("hosted.pay", 55044, clock.now, "order 79002"),
        Effect("orders.update", 79002, clock.now, "4 to 6"),
    )


async def test_the_ledger_can_be_asked(api: httpx.AsyncClient, sandbox: Sandbox) -> None:
    """By the kind of effect, of one object or of all."""
    await api.post("/subscriptions/501/extend", json={"days": 7})
    await api.post("/subscriptions/508/extend", json={"days": 7})
    await api.post("/subscriptions/501/pause")
    assert [effect.detail for effect in sandbox.ledger.extensions(501)] == ["7 days"]
    assert sandbox.ledger.extensions(502) == ()
    assert len(sandbox.ledger.of("subscriptions.extend")) == 2
    assert sandbox.ledger.renewals(503) == ()
    await sandbox.clock.advance(days=3)
    assert len(sandbox.ledger.renewals(503)) == 1


async def test_refused_and_read_only_calls_are_not_recorded(
    api: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    """A call that changed nothing leaves no trace."""
    await api.get("/orders")
    await api.post("/orders", json={})
    await api.put("/orders/78938", json={"status": 4})
    await api.post("/subscriptions/506/cancel")
    await api.post("/portal-sessions", json={"customer": {"id": 1}})
    assert sandbox.ledger == ()
