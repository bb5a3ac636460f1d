"""Snapshots by name: the same actions after a restore have the same results."""

from __future__ import annotations

import threading
from datetime import timedelta

import anyio
import httpx
import pytest
from starlette.types import Receive, Scope, Send

from rmz_async.sandbox import (
    Card,
    CardBehaviour,
    Change,
    Customer,
    Sandbox,
    SnapshotError,
    Status,
    Store,
    Webhook,
)
from rmz_async.sandbox.store.orders import PlacedRequest
from tests.sandbox.conftest import ManualClock, Receiver

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
async def test_changes_after_a_save_do_not_reach_the_snapshot(sandbox: Sandbox) -> None:
    """Rows are shared until they change; new and removed rows are not in it."""
    state = sandbox.state
    sandbox.snapshots.save("a")
    row = state.subscriptions[501]
    row.status = Status.PAUSED
    del state.subscriptions[502]
    state.customers[9] = Customer(
        id=9, first_name="N", last_name="N", country_code="966", phone="5", email="n@example.com"
    )
    state.profile.name = "Other"
    state.placed_requests["hash"] = PlacedRequest(at=sandbox.clock.now())
    sandbox.snapshots.save("b")
    row.external_customer_id = "usr_other"

    sandbox.snapshots.restore("a")
    assert state.subscriptions[501].status == "active"
    assert 502 in state.subscriptions
    assert 9 not in state.customers
    assert state.profile.name != "Other"
    sandbox.snapshots.restore("b")
    assert state.subscriptions[501].status == "paused"
    assert state.subscriptions[501].external_customer_id == "usr_abc123"
    assert state.profile.name == "Other"
    assert "hash" in state.placed_requests


@pytest.mark.anyio
async def test_lookups_and_ids_follow_a_restore(sandbox: Sandbox) -> None:
    """The indexes of the store, and the number of the next subscription."""
    sandbox.snapshots.save("a")
    first = await sandbox.subscribe(external_customer_id="usr_1")
    assert sandbox.state.finder.subscriptions(external_customer_id="usr_1")
    sandbox.snapshots.restore("a")
    assert not sandbox.state.finder.subscriptions(external_customer_id="usr_1")
    assert await sandbox.subscribe(external_customer_id="usr_2") == first


@pytest.mark.anyio
async def test_a_restored_subscription_comes_due_when_it_did(sandbox: Sandbox) -> None:
    """The clock goes back as well, and time brings the same again."""
    sandbox.snapshots.save("a")
    for _ in range(2):
        before = sandbox.clock.now()
        await sandbox.advance(days=400)
        assert len(sandbox.ledger.renewals(501)) == 1
        sandbox.snapshots.restore("a")
        assert sandbox.clock.now() == before
        assert not sandbox.ledger


@pytest.mark.anyio
async def test_a_card_that_is_charged_after_a_save_is_as_it_was(sandbox: Sandbox) -> None:
    """A card counts its declined attempts."""
    subscription = sandbox.state.subscriptions[502]
    subscription.card = Card(
        last_four="0119", scheme="visa", behaviour=CardBehaviour.SECOND_ATTEMPT
    )
    sandbox.snapshots.save("a")
    await sandbox.advance(days=5)
    declined = sandbox.state.subscriptions[502].card
    (change,) = [one for one in sandbox.snapshots.diff("a") if one.field.startswith("card")]
    assert change == Change("subscriptions", 502, "card.declined", 0, 1)
    sandbox.snapshots.restore("a")
    as_it_was = sandbox.state.subscriptions[502].card

    assert declined is not None
    assert declined.declined == 1
    assert as_it_was is not None
    assert as_it_was.declined == 0


@pytest.mark.anyio
async def test_a_delivery_under_way_is_given_up_and_made_again(anyio_backend: str) -> None:
    """Its result belongs to a future that was left, and the one of the snapshot comes anew."""
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


@pytest.mark.parametrize("name", ["", " a", "-a", "a/b", "a" * 65, "a\n"])
def test_a_name_that_no_page_could_link_to_is_refused(name: str) -> None:
    """The rule stands in the message."""
    with pytest.raises(SnapshotError, match="1 to 64 letters, digits"):
        Sandbox(state=Store()).snapshots.save(name)


def test_an_unknown_name_is_answered_with_those_that_there_are() -> None:
    """For each call that takes a name."""
    snapshots = Sandbox(state=Store()).snapshots
    with pytest.raises(SnapshotError, match="no snapshot 'x'; there are: none"):
        snapshots.restore("x")
    snapshots.save("after-trial")
    for call in (snapshots.restore, snapshots.diff, snapshots.delete, snapshots.get):
        with pytest.raises(SnapshotError, match="no snapshot 'x'; there are: 'after-trial'"):
            call("x")


def test_a_snapshot_can_be_listed_and_deleted(clock: ManualClock) -> None:
    """A second save under a name takes the place of the first."""
    sandbox = Sandbox(clock=clock, state=Store())
    sandbox.snapshots.save("a")
    sandbox.snapshots.save("b")
    clock.advance(days=1)
    again = sandbox.snapshots.save("a")
    assert [one.name for one in sandbox.snapshots.list()] == ["a", "b"]
    assert sandbox.snapshots.get("a") is again
    assert repr(again) == "<Snapshot 'a' at 2025-06-02 12:00:00 UTC>"
    sandbox.snapshots.delete("a")
    assert [one.name for one in sandbox.snapshots.list()] == ["b"]


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
