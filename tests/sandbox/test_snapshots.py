"""Snapshots of a running sandbox: the same actions after a restore have the same results."""

from __future__ import annotations

import threading
from datetime import timedelta

import anyio
import httpx
import pytest
from starlette.types import Receive, Scope, Send

from rmz_async.sandbox import Change, Sandbox, SnapshotError, Status, Webhook
from tests.sandbox.conftest import Receiver

HOOK = "http://127.0.0.1/hooks"
PAUSE = "/subscriptions/501/pause"


def everything(sandbox: Sandbox) -> dict[str, object]:
    """Everything that a test can see of a sandbox."""
    return {
        "now": sandbox.clock.now(),
        "tables": {name: dict(table) for name, table in sandbox.state.tables().items()},
        "switches": sandbox.switches,
        "profile": sandbox.state.profile,
        "history": sandbox.state.history,
        "messages": sandbox.state.messages,
        "ledger": sandbox.ledger,
        "deliveries": sandbox.deliveries,
        "requests": sandbox.requests,
        "faults": (list(sandbox.faults.rules), list(sandbox.faults.injected)),
        "webhooks": sandbox.webhooks,
    }


async def a_month(sandbox: Sandbox) -> None:
    """Do a little of everything that a sandbox can do."""
    headers = {"Authorization": f"Bearer {sandbox.token}"}
    transport = httpx.ASGITransport(sandbox.app)
    async with httpx.AsyncClient(transport=transport, base_url=sandbox.base_url) as api:
        for _ in range(3):
            await api.post(PAUSE, headers=headers)
            await api.post("/subscriptions/501/unpause", headers=headers)
        number = await sandbox.subscribe(variant_id=14, card="4000000000000341")
        await api.post(f"/subscriptions/{number}/extend", headers=headers, json={"days": 3})
        answer = await api.post(
            "/portal-sessions", headers=headers, json={"customer": {"id": 4501}}
        )
        if answer.status_code == 200:
            await api.post(answer.json()["data"]["url"])
    await sandbox.advance(days=40)


@pytest.mark.anyio
async def test_the_same_actions_after_a_restore_have_the_same_results(
    anyio_backend: str, receiver: Receiver
) -> None:
    """Ids, codes for the portal, event ids, faults by chance, retries and rate limits included."""
    async with Sandbox() as sandbox:
        sandbox.add_webhook(HOOK, app=receiver)
        receiver.status = 500
        sandbox.faults.add("duplicate", chance=0.5)
        sandbox.faults.add("server_error", "GET *", times=1)
        # Retries, sessions and half-used windows are left behind.
        await a_month(sandbox)
        sandbox.switches.replica_lag = 3600
        sandbox.snapshots.save("begin")
        began = everything(sandbox)

        await a_month(sandbox)
        first = everything(sandbox)
        sandbox.snapshots.restore("begin")
        restored = everything(sandbox)
        await a_month(sandbox)

    assert restored == began
    assert everything(sandbox) == first
    assert first != began


@pytest.mark.anyio
async def test_a_delivery_under_way_is_given_up_and_made_again(anyio_backend: str) -> None:
    """Its result belongs to a future that was left, and the one of the snapshot comes again."""
    calls: list[str] = []
    hangs = True

    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        calls.append("came")
        if hangs:
            await anyio.sleep_forever()
        await Receiver()(scope, receive, send)

    async with Sandbox() as sandbox:
        sandbox.add_webhook(HOOK, app=slow)
        sandbox.emit("subscription.renewed", 501)
        sandbox.emit("subscription.expired", 501)
        await anyio.wait_all_tasks_blocked()
        sandbox.snapshots.save("a")
        hangs = False
        sandbox.snapshots.restore("a")
        await sandbox.delivered()

        assert calls == ["came", "came", "came"]
        assert [one.event for one in sandbox.deliveries] == [
            "subscription.renewed",
            "subscription.expired",
        ]
        sandbox.snapshots.restore("a")
        await sandbox.delivered()
        assert len(sandbox.deliveries) == 2


@pytest.mark.anyio
async def test_a_receiver_may_restore_and_its_own_delivery_leaves_no_trace(
    anyio_backend: str,
) -> None:
    """The attempt ends in the moment that was left."""

    async def restores(scope: Scope, receive: Receive, send: Send) -> None:
        await Receiver()(scope, receive, send)
        sandbox.snapshots.restore("a")

    async with Sandbox() as sandbox:
        sandbox.add_webhook(HOOK, app=restores)
        sandbox.snapshots.save("a")
        sandbox.emit("subscription.renewed", 501)
        await anyio.wait_all_tasks_blocked()
        await sandbox.delivered()
        assert not sandbox.deliveries
        assert sandbox.snapshots.diff("a") == ()


def test_without_an_event_loop_a_delivery_waits_for_the_clock(receiver: Receiver) -> None:
    """A plain test may restore, and the deliveries come with the next advance."""
    sandbox = Sandbox()
    sandbox.add_webhook(HOOK, app=receiver)

    async def begin() -> None:
        sandbox.emit("subscription.renewed", 501)
        sandbox.snapshots.save("a")
        await sandbox.aclose()

    anyio.run(begin)
    sandbox.snapshots.restore("a")
    assert not receiver.bodies

    async def go_on() -> None:
        await sandbox.advance(seconds=0)
        sandbox.deliveries.assert_once("subscription.renewed", 501)

    anyio.run(go_on)


@pytest.mark.anyio
async def test_a_webhook_stays_the_object_that_the_test_holds(
    sandbox: Sandbox, receiver: Receiver
) -> None:
    """Removed ones come back with their application, and new ones go."""
    kept = sandbox.add_webhook(HOOK, app=receiver, tries=2)
    secret = kept.secret
    sandbox.snapshots.save("a")
    kept.rotate()
    kept.enabled = False
    sandbox.add_webhook(HOOK)
    sandbox.snapshots.restore("a")
    assert sandbox.webhooks == (kept,)
    assert (kept.secret, kept.enabled) == (secret, True)


@pytest.mark.anyio
async def test_a_webhook_that_leads_elsewhere_can_be_restored(sandbox: Sandbox) -> None:
    """The permission comes back before the address is checked."""
    hook: Webhook = sandbox.add_webhook("http://shop:8000/", beyond_loopback=True)
    sandbox.snapshots.save("a")
    hook.url = HOOK
    hook.beyond_loopback = False
    sandbox.snapshots.restore("a")
    assert hook.url == "http://shop:8000/"


@pytest.mark.anyio
async def test_a_difference_names_object_id_field_and_both_values(sandbox: Sandbox) -> None:
    """Rows that came or went are one change each."""
    state = sandbox.state
    sandbox.snapshots.save("a")
    state.subscriptions[501].status = Status.PAUSED
    removed = state.subscriptions.pop(502)
    sandbox.switches.replica_lag = 2
    await sandbox.advance(seconds=1)
    sandbox.snapshots.save("b")
    state.subscriptions[503].auto_renew = False

    now = sandbox.clock.now()
    assert sandbox.snapshots.diff("a", "b") == (
        Change("clock", "", "now", now - timedelta(seconds=1), now),
        Change("subscriptions", 501, "status", "active", "paused"),
        Change("subscriptions", 502, "", removed, None),
        Change("switches", "", "replica_lag", 0.0, 2),
    )
    assert [str(change) for change in sandbox.snapshots.diff("b")] == [
        "subscriptions 503 auto_renew: True → False"
    ]
    assert [str(change) for change in sandbox.snapshots.diff("a", "b")][2] == (
        "subscriptions 502: removed"
    )
    assert sandbox.snapshots.diff("b", "b") == ()


@pytest.mark.anyio
async def test_logs_are_compared_by_their_entries(
    sandbox: Sandbox, api: httpx.AsyncClient, receiver: Receiver
) -> None:
    """New effects, deliveries and messages are rows; of the requests only the number counts."""
    sandbox.snapshots.save("a")
    sandbox.add_webhook(HOOK, app=receiver)
    await api.post(PAUSE)
    await sandbox.delivered()
    found = [(one.object, one.id, one.field) for one in sandbox.snapshots.diff("a")]
    assert ("ledger", 1, "") in found
    assert ("deliveries", 1, "") in found
    assert ("webhooks", 1, "") in found
    assert ("requests", "", "count") in found


@pytest.mark.anyio
async def test_a_difference_shows_no_code_and_no_link_of_the_portal(
    sandbox: Sandbox, api: httpx.AsyncClient, browser: httpx.AsyncClient
) -> None:
    """The row is named by the beginning of its key, and its secret fields show no value."""
    answer = await api.post("/portal-sessions", json={"customer": {"id": 4501}})
    link = answer.json()["data"]["url"]
    sandbox.snapshots.save("a")
    await browser.post(link)
    changes = [one for one in sandbox.snapshots.diff("a") if one.object == "portal_sessions"]
    token = link.rpartition("/")[2]
    session = sandbox.state.portal_sessions[token]
    shown = repr(changes)
    assert {change.field for change in changes} == {"used_at", "visit", "code"}
    assert {change.id for change in changes} == {f"{token[:4]}…"}
    assert token not in shown
    assert session.code not in shown
    assert str(session.visit) not in shown


@pytest.mark.anyio
async def test_nothing_is_restored_while_the_clock_is_being_moved(
    anyio_backend: str, receiver: Receiver
) -> None:
    """A receiver is called in the middle of an advance."""
    problems: list[str] = []

    async def restores(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            sandbox.snapshots.restore("a")
        except SnapshotError as problem:
            problems.append(str(problem))
        await receiver(scope, receive, send)

    async with Sandbox() as sandbox:
        sandbox.add_webhook(HOOK, app=restores)
        sandbox.snapshots.save("a")
        await sandbox.advance(days=5)
    assert problems
    assert "restore when advance has returned" in problems[0]


def test_a_served_sandbox_is_restored_from_any_thread(receiver: Receiver) -> None:
    """Its own loop does the work, which deliveries belong to."""
    threads: list[threading.Thread] = []

    async def saves(scope: Scope, receive: Receive, send: Send) -> None:
        threads.append(threading.current_thread())
        snapshots.save("b")
        await receiver(scope, receive, send)

    with Sandbox().serve(clock_runs=False) as served:
        snapshots = served.snapshots
        served.add_webhook(HOOK, app=saves)
        snapshots.save("a")
        served.advance(days=5)
        assert threads[0] is not threading.current_thread()
        snapshots.restore("a")
        assert not served.deliveries
        assert snapshots.diff("a") == ()
    snapshots.restore("b")
    assert snapshots.diff("b") == ()
