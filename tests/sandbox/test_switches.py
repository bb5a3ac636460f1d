from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import httpx
import pytest

import rmz_async
from rmz_async.sandbox import Event, ExtendGuard, Sandbox, Status, Switches

if TYPE_CHECKING:
    from tests.sandbox.conftest import Receiver

pytestmark = pytest.mark.anyio

URL = "http://127.0.0.1/hooks"
QUIRKS: dict[str, tuple[str, Any]] = {
    "texts for numbers": ("integers_as_text", True),
    "numbers for booleans": ("booleans_as_numbers", True),
    "texts for money": ("money_as_text", True),
    "times as rows": ("times", "row"),
    "times with an offset": ("times", "offset"),
    "zeros for no time": ("missing_times", "zero"),
    "nothing for no time": ("missing_times", "empty"),
    "unknown keys": ("unknown_keys", True),
}


async def data(api: httpx.AsyncClient, path: str) -> Any:
    """Return the data of an answer."""
    return (await api.get(path)).json()["data"]


@pytest.mark.parametrize("quirk", QUIRKS)
async def test_the_client_reads_the_same_whatever_form_a_value_has(
    sandbox: Sandbox, quirk: str
) -> None:
    """Each quirk changes what is sent, and none of what is read."""
    name, value = QUIRKS[quirk]
    async with sandbox.client(pacing=None) as rmz:
        plain = (await rmz.subscriptions.get(501), await rmz.orders.get(78901))
        page = await rmz.subscriptions.list().first()
        setattr(sandbox.switches, name, value)
        odd = (await rmz.subscriptions.get(501), await rmz.orders.get(78901))
        odd_page = await rmz.subscriptions.list().first()
        sent = sandbox.requests
    for before, after in zip((*plain, *page.items), (*odd, *odd_page.items), strict=True):
        assert {**before.to_dict()}.keys() <= {**after.to_dict()}.keys()
        for field in ("id", "status", "price", "current_period_end", "auto_renew", "total"):
            assert getattr(before, field, None) == getattr(after, field, None)
        assert after.unreadable == {}
    assert sent[0].answer != sent[3].answer


@pytest.mark.parametrize("quirk", QUIRKS)
async def test_webhooks_have_the_same_quirks(
    sandbox: Sandbox, receiver: Receiver, quirk: str
) -> None:
    """The event is signed as it is sent, and is read."""
    webhook = sandbox.add_webhook(URL, app=receiver)
    setattr(sandbox.switches, *QUIRKS[quirk])
    sandbox.emit(Event.RENEWED, 501)
    sandbox.emit(Event.ORDER_CREATED, 78901)
    await sandbox.delivered()
    read = [
        rmz_async.webhooks.verify(body, headers, secrets=[webhook.secret])
        for body, headers in zip(receiver.bodies, receiver.headers, strict=True)
    ]
    assert isinstance(read[0], rmz_async.webhooks.SubscriptionEvent)
    assert read[0].subscription.id == 501
    assert isinstance(read[1], rmz_async.webhooks.OrderEvent)
    assert read[1].order.id == 78901


async def test_days_may_be_a_fraction_and_a_duration_a_number(
    api: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    """Both are older forms of the same."""
    whole = (await data(api, "/subscriptions/501"))["days_remaining"]
    sandbox.switches.days_as_fraction = True
    sandbox.switches.duration_in_days = True
    shown = await data(api, "/subscriptions/501")
    assert shown["days_remaining"] == whole + 0.5
    assert shown["duration"] == 365
    async with sandbox.client() as rmz:
        assert (await rmz.subscriptions.get(501)).id == 501


async def test_a_list_comes_instead_of_an_object_whose_keys_count(
    api: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    """PHP has one type for both."""
    subscription = sandbox.state.subscriptions[501]
    for metadata, sent in (
        ({}, []),
        ({"0": "gold"}, ["gold"]),
        ({"0": "gold", "1": "blue"}, ["gold", "blue"]),
        ({"1": "gold"}, {"1": "gold"}),
    ):
        subscription.metadata = metadata
        assert (await data(api, "/subscriptions/501"))["metadata"] == sent


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("second_cancel_status", 418),
        ("invalid_fields_status", 500),
        ("times", "roman"),
        ("missing_times", "soon"),
        ("extend_guard", "none"),
        ("charge_at", "noon"),
        ("paused_is_active", "no"),
    ],
)
async def test_a_value_that_there_is_not_is_refused(name: str, value: Any) -> None:
    """A slip of the pen would otherwise test nothing."""
    with pytest.raises((ValueError, TypeError)):
        setattr(Switches(), name, value)
    with pytest.raises(AttributeError):
        setattr(Switches(), "past_due_is_activ", True)  # noqa: B010 - a name that mypy knows not


async def test_a_lookup_may_count_past_due(api: httpx.AsyncClient, sandbox: Sandbox) -> None:
    """The guide says that access goes on, and the page of the lookup leaves them out."""
    sandbox.state.subscriptions[501].status = Status.PAST_DUE
    path = "/subscriptions/lookup?external_customer_id=usr_abc123"
    assert (await data(api, path))["count"] == 0
    sandbox.switches.lookup_hides_past_due = False
    found = await data(api, path)
    assert (found["count"], found["has_active"]) == (1, True)


async def test_a_paused_one_may_be_called_active(api: httpx.AsyncClient, sandbox: Sandbox) -> None:
    """A page of RMZ says that access stays until the period ends."""
    await api.post("/subscriptions/501/pause")
    assert (await data(api, "/subscriptions/501"))["is_active"] is False
    sandbox.switches.paused_is_active = True
    assert (await data(api, "/subscriptions/501"))["is_active"] is True


async def test_an_immediate_cancel_may_be_final(
    api: httpx.AsyncClient, browser: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    """A cancellation at the period's end can be undone in any case."""
    sandbox.switches.canceled_may_resume = False
    await api.post("/subscriptions/501/cancel", json={"effective": "end_of_period"})
    await browser.post("/subscriptions/501/resume")
    assert sandbox.state.subscriptions[501].cancel_at_period_end is False
    await api.post("/subscriptions/501/cancel", json={"effective": "immediate"})
    await browser.post("/subscriptions/501/resume")
    assert sandbox.state.subscriptions[501].status == "canceled"
    sandbox.switches.canceled_may_resume = True
    await browser.post("/subscriptions/501/resume")
    assert sandbox.state.subscriptions[501].status == "active"


async def test_wrong_fields_may_be_a_400(api: httpx.AsyncClient, sandbox: Sandbox) -> None:
    """The body is the same."""
    wrong = {"days": 9000}
    usual = await api.post("/subscriptions/501/extend", json=wrong)
    sandbox.switches.invalid_fields_status = 400
    other = await api.post("/subscriptions/501/extend", json=wrong)
    assert (usual.status_code, other.status_code) == (422, 400)
    assert usual.json() == other.json()


async def test_another_extension_may_be_no_duplicate(
    api: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    """RMZ does not say what makes one."""
    path = "/subscriptions/501/extend"
    await api.post(path, json={"days": 7})
    assert (await api.post(path, json={"days": 8})).status_code == 429
    sandbox.switches.extend_guard = ExtendGuard.SAME_DAYS
    assert (await api.post(path, json={"days": 7})).status_code == 429
    assert (await api.post(path, json={"days": 8})).status_code == 200


@pytest.mark.parametrize("call", ["pause", "extend", "cancel"])
async def test_a_change_may_answer_with_every_key(
    api: httpx.AsyncClient, sandbox: Sandbox, call: str
) -> None:
    """The text promises them, and the examples leave some out."""
    sandbox.switches.changes_answer_in_full = True
    body = {"days": 7} if call == "extend" else None
    changed = (await api.post(f"/subscriptions/501/{call}", json=body)).json()["data"]
    assert changed.keys() == (await data(api, "/subscriptions/501")).keys()


async def test_the_limits_may_be_kept_in_silence(api: httpx.AsyncClient, sandbox: Sandbox) -> None:
    """No page promises the headers."""
    sandbox.switches.rate_limit_headers = False
    answers = [await api.get("/subscriptions/501") for _ in range(61)]
    assert answers[-1].status_code == 429
    named = {name for answer in answers for name in answer.headers}
    assert not {name for name in named if "ratelimit" in name or "retry" in name}


@pytest.mark.parametrize("is_new", [False, True])
async def test_a_retry_may_have_a_request_id_of_its_own(
    sandbox: Sandbox, receiver: Receiver, is_new: bool
) -> None:
    """A page of RMZ calls it the id of the attempt; the event's id stays."""
    receiver.status = 500
    sandbox.switches.request_id_per_attempt = is_new
    sandbox.add_webhook(URL, app=receiver, tries=2)
    sandbox.emit(Event.RENEWED, 501)
    await sandbox.delivered()
    await sandbox.clock.advance(seconds=10)
    ids = {headers["x-rmz-request-id"] for headers in receiver.headers}
    assert len(ids) == (2 if is_new else 1)
    assert len({payload["event_id"] for payload in receiver.payloads}) == 1


async def test_a_renewal_may_announce_its_order(sandbox: Sandbox, receiver: Receiver) -> None:
    """Each paid one, and none that was declined."""
    sandbox.add_webhook(URL, app=receiver)
    sandbox.switches.renewals_announce_orders = True
    for number in tuple(sandbox.state.subscriptions):
        if number != 501:
            del sandbox.state.subscriptions[number]
    await sandbox.clock.advance(days=800)
    reported = [payload["event"] for payload in receiver.reported]
    assert reported == ["subscription.renewed", "order.created"] * (len(reported) // 2)
    assert reported


async def test_the_stores_share_is_credited_a_week_later(
    api: httpx.AsyncClient, browser: httpx.AsyncClient, sandbox: Sandbox, basket: dict[str, Any]
) -> None:
    """Once; the money of a refunded order stays where it is."""
    for order in sandbox.state.orders.values():
        order.transaction = attrs.evolve(order.transaction, is_hold=True)
    # A renewal would be credited too.
    sandbox.state.subscriptions.clear()
    before = sandbox.state.profile.balance
    made: list[int] = []
    for quantity in (1, 2):
        basket["products"][0]["quantity"] = quantity
        answer = (await api.post("/orders", json=basket)).json()["data"]
        await browser.post(f"{answer['checkout_url']}/pay")
        made.append(max(sandbox.state.orders))
    await api.put(f"/orders/{made[1]}", json={"status": 6})
    share = sandbox.state.orders[made[0]].transaction.deserved
    await sandbox.clock.advance(days=7, seconds=-1)
    assert sandbox.state.profile.balance == before
    await sandbox.clock.advance(seconds=1)
    assert sandbox.state.profile.balance == before + share
    await sandbox.clock.advance(days=70)
    assert sandbox.state.profile.balance == before + share
    credited = [await data(api, f"/orders/{number}") for number in made]
    assert credited[0]["transaction"]["store_balance_credited_at"] is not None
    assert credited[1]["transaction"]["store_balance_credited_at"] is None


@pytest.mark.parametrize("name", ["charge_at", "extend_guard", "times", "missing_times"])
def test_a_word_that_a_switch_does_not_know_is_refused_with_those_that_it_knows(name: str) -> None:
    with pytest.raises(ValueError, match=r"must be one of '.*', not 'never'"):
        setattr(Sandbox().switches, name, "never")
