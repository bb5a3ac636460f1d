from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from rmz_async.sandbox import Card, CardBehaviour, ChargeAt, Sandbox, Status
from rmz_async.sandbox.rules.plan_changes import change_plan, quote_plan_change
from rmz_async.sandbox.rules.subscriptions import resume
from rmz_async.sandbox.wire.answers import RefusedError

if TYPE_CHECKING:
    from tests.sandbox.conftest import ManualClock, Receiver

pytestmark = pytest.mark.anyio
URL = "http://127.0.0.1/hooks"


def only(sandbox: Sandbox, number: int, behaviour: CardBehaviour = CardBehaviour.PAYS) -> Any:
    """Leave one subscription in the store, with a card that behaves so; return it."""
    for other in tuple(sandbox.state.subscriptions):
        if other != number:
            del sandbox.state.subscriptions[other]
    subscription = sandbox.state.subscriptions[number]
    if subscription.card is not None:
        subscription.card = Card(last_four="0000", scheme="visa", behaviour=behaviour)
    return subscription


def reported(receiver: Receiver) -> list[tuple[str, str]]:
    """Return the events in their order, each with the status that it names."""
    return [
        (payload["event"].partition(".")[2], payload["data"]["subscription"]["status"])
        for payload in receiver.payloads
    ]


async def test_a_renewal_is_charged_three_days_early(sandbox: Sandbox, receiver: Receiver) -> None:
    """The period moves on by its length, and the charge has an order of its own."""
    sandbox.add_webhook(URL, app=receiver)
    subscription = only(sandbox, 502 + 3 - 1)  # 504 is a monthly plan
    subscription.status = Status.ACTIVE
    subscription.paused_at = subscription.paused_remaining_days = None
    end = subscription.current_period_end
    orders = len(sandbox.state.orders)
    await sandbox.clock.advance(end - timedelta(days=3, seconds=1) - sandbox.clock.now())
    assert reported(receiver) == []
    await sandbox.clock.advance(seconds=1)
    assert reported(receiver) == [("renewed", "active")]
    assert subscription.current_period_start == end
    assert subscription.current_period_end == end + subscription_length(sandbox, subscription)
    order = sandbox.state.orders[max(sandbox.state.orders)]
    assert len(sandbox.state.orders) == orders + 1
    assert (order.total, order.customer_id) == (subscription.price, subscription.customer_id)
    assert order.items[0].subscription_id == subscription.id
    assert order.created_at == end - timedelta(days=3)
    assert [effect.at for effect in sandbox.ledger.renewals(504)] == [order.created_at]


def subscription_length(sandbox: Sandbox, subscription: Any) -> timedelta:
    """How long one period lasts."""
    return sandbox.state.variants[subscription.variant_id].duration.length


@pytest.mark.parametrize("charge_at", [ChargeAt.THREE_DAYS_BEFORE, ChargeAt.PERIOD_END])
async def test_dunning_ends_after_zero_three_and_seven_days(
    sandbox: Sandbox, receiver: Receiver, charge_at: ChargeAt
) -> None:
    """Access goes on in between; after the third failure it has expired."""
    sandbox.switches.charge_at = charge_at
    sandbox.add_webhook(URL, app=receiver)
    subscription = only(sandbox, 501, CardBehaviour.DECLINES)
    first = subscription.current_period_end
    if charge_at is ChargeAt.THREE_DAYS_BEFORE:
        first -= timedelta(days=3)
    await sandbox.clock.advance(first - sandbox.clock.now())
    assert subscription.next_retry_at == first + timedelta(days=3)
    await sandbox.clock.advance(days=30)
    assert reported(receiver) == [
        ("past_due", "past_due"),
        ("renewal_failed", "past_due"),
        ("renewal_failed", "past_due"),
        ("renewal_failed", "past_due"),
        ("expired", "expired"),
    ]
    at = [effect.at - first for effect in sandbox.ledger]
    days = [timedelta(days=number) for number in (0, 0, 3, 7, 7)]
    assert at == days
    assert subscription.auto_renew is False


async def test_a_retry_that_is_paid_renews(sandbox: Sandbox, receiver: Receiver) -> None:
    """The period goes on from its old end, as if nothing had happened."""
    sandbox.add_webhook(URL, app=receiver)
    subscription = only(sandbox, 501, CardBehaviour.SECOND_ATTEMPT)
    end = subscription.current_period_end
    await sandbox.clock.advance(end - sandbox.clock.now())
    assert [event for event, _ in reported(receiver)] == ["past_due", "renewal_failed", "renewed"]
    assert subscription.status is Status.ACTIVE
    assert subscription.current_period_start == end
    assert subscription.next_retry_at is None


async def test_a_trial_that_is_paid_is_activated(sandbox: Sandbox, receiver: Receiver) -> None:
    """The first period begins when the trial ends; later ones are renewals."""
    sandbox.add_webhook(URL, app=receiver)
    subscription = only(sandbox, 502)
    trial_ends_at = subscription.trial_ends_at
    await sandbox.clock.advance(days=4)
    assert reported(receiver) == [("activated", "active")]
    assert subscription.current_period_start == trial_ends_at
    await sandbox.clock.advance(subscription.current_period_end - sandbox.clock.now())
    assert [event for event, _ in reported(receiver)] == ["activated", "renewed"]


@pytest.mark.parametrize("behaviour", [CardBehaviour.DECLINES, CardBehaviour.FAILS_AT_RENEWAL])
async def test_a_first_charge_that_is_declined_never_looks_like_a_conversion(
    sandbox: Sandbox, receiver: Receiver, behaviour: CardBehaviour
) -> None:
    """Nothing says activated or renewed, and no order was paid."""
    sandbox.add_webhook(URL, app=receiver)
    orders = len(sandbox.state.orders)
    only(sandbox, 502, behaviour)
    await sandbox.clock.advance(days=60)
    assert [event for event, _ in reported(receiver)] == [
        "past_due",
        "renewal_failed",
        "renewal_failed",
        "renewal_failed",
        "expired",
    ]
    assert len(sandbox.state.orders) == orders


async def test_a_first_charge_that_is_paid_late_is_the_conversion(
    sandbox: Sandbox, receiver: Receiver
) -> None:
    """The trial is activated by the retry, once."""
    sandbox.add_webhook(URL, app=receiver)
    only(sandbox, 502, CardBehaviour.SECOND_ATTEMPT)
    await sandbox.clock.advance(days=8)
    assert [event for event, _ in reported(receiver)] == ["past_due", "renewal_failed", "activated"]


@pytest.mark.parametrize(("grace", "failures"), [(0, 1), (2, 1), (3, 2), (6, 2), (7, 3), (10, 3)])
async def test_the_products_grace_says_how_long_access_goes_on(
    sandbox: Sandbox, receiver: Receiver, grace: int, failures: int
) -> None:
    """Attempts that would come later are not made."""
    sandbox.add_webhook(URL, app=receiver)
    subscription = only(sandbox, 501, CardBehaviour.DECLINES)
    sandbox.state.products[subscription.product_id].grace_period_days = grace
    first = subscription.current_period_end - timedelta(days=3)
    await sandbox.clock.advance(days=400)
    events = [event for event, _ in reported(receiver)]
    assert events == ["past_due", *["renewal_failed"] * failures, "expired"]
    assert sandbox.ledger[-1].at == first + timedelta(days=grace)


@pytest.mark.parametrize("status", [Status.ACTIVE, Status.TRIALING, Status.PAST_DUE])
@pytest.mark.parametrize("reason", ["no card", "canceled", "off"])
async def test_a_subscription_that_does_not_renew_expires(
    sandbox: Sandbox, receiver: Receiver, status: Status, reason: str
) -> None:
    """Nothing is charged, and access lasts until the end."""
    sandbox.add_webhook(URL, app=receiver)
    number = {Status.ACTIVE: 501, Status.TRIALING: 502, Status.PAST_DUE: 503}[status]
    subscription = only(sandbox, number)
    if reason == "no card":
        subscription.card = None
    elif reason == "off":
        subscription.auto_renew = False
    else:
        subscription.cancel_at_period_end = True
    end = subscription.current_period_end
    await sandbox.clock.advance(end - timedelta(seconds=1) - sandbox.clock.now())
    assert reported(receiver) == []
    await sandbox.clock.advance(seconds=1)
    assert reported(receiver) == [("expired", "expired")]


async def test_a_trial_begins_at_the_checkout_and_costs_nothing(
    api: httpx.AsyncClient,
    browser: httpx.AsyncClient,
    sandbox: Sandbox,
    receiver: Receiver,
    order: dict[str, Any],
) -> None:
    """The card is kept; its price is locked and charged when the trial ends."""
    sandbox.add_webhook(URL, app=receiver)
    sandbox.state.products[102].trial_days = 14
    session = (await api.post("/subscriptions/checkout-sessions", json=order)).json()["data"]
    await browser.post(session["checkout_url"] + "/pay")
    subscription = sandbox.state.subscriptions[534]
    assert (subscription.status, subscription.price) == (Status.TRIALING, Decimal("199.99"))
    assert sandbox.state.orders[subscription.order_id].total == 0
    trial_ends_at = sandbox.clock.now() + timedelta(days=14)
    assert subscription.trial_ends_at == subscription.current_period_end == trial_ends_at
    only(sandbox, 534)
    await sandbox.clock.advance(days=14)
    assert [payload["event"] for payload in receiver.payloads] == [
        "subscription.created",
        "order.created",
        "subscription.activated",
    ]
    assert sandbox.state.orders[max(sandbox.state.orders)].total == subscription.price


async def test_an_extension_of_a_trial_makes_the_trial_longer(
    api: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    """Nothing is charged before its new end."""
    subscription = only(sandbox, 502)
    await api.post("/subscriptions/502/extend", json={"days": 7})
    await sandbox.clock.advance(days=10)
    assert subscription.paid_periods == 0
    await sandbox.clock.advance(days=1)
    assert subscription.paid_periods == 1


@pytest.mark.parametrize("number", [504, 505, 506])
async def test_time_changes_nothing_that_is_paused_or_over(sandbox: Sandbox, number: int) -> None:
    """A pause lasts until somebody ends it."""
    subscription = only(sandbox, number)
    status = subscription.status
    await sandbox.clock.advance(days=1000)
    assert subscription.status is status
    assert sandbox.ledger == ()


async def test_time_that_passes_by_itself_is_caught_up_with(
    api: httpx.AsyncClient, sandbox: Sandbox, clock: ManualClock
) -> None:
    """The next request meets what has happened meanwhile, each thing at its own moment."""
    only(sandbox, 502)
    due = sandbox.state.subscriptions[502].trial_ends_at
    clock.advance(days=10)
    answer = (await api.get("/subscriptions/502")).json()["data"]
    assert (answer["status"], answer["updated_at"]) == ("active", "2025-06-05T12:00:00.000000Z")
    assert [effect.at for effect in sandbox.ledger] == [due]


async def test_overdue_work_happens_when_time_moves(sandbox: Sandbox) -> None:
    """Nothing is done at a moment that is over."""
    subscription = only(sandbox, 501)
    start = sandbox.clock.now()
    subscription.auto_renew = False
    subscription.current_period_end = start - timedelta(days=3)
    assert subscription.status is Status.ACTIVE
    await sandbox.clock.advance(seconds=1)
    assert [(effect.operation, effect.at) for effect in sandbox.ledger] == [
        ("lifecycle.expired", start)
    ]


async def test_a_status_that_a_test_sets_by_hand_goes_on_from_there(sandbox: Sandbox) -> None:
    """A past due subscription without any dates has its attempts and then expires."""
    subscription = only(sandbox, 501, CardBehaviour.DECLINES)
    subscription.status = Status.PAST_DUE
    await sandbox.clock.advance(days=500)
    assert subscription.status is Status.EXPIRED


async def test_a_removed_subscription_comes_due_no_more(sandbox: Sandbox) -> None:
    """Its moment passes, and nothing happens."""
    only(sandbox, 502)
    await sandbox.clock.advance(days=1)
    del sandbox.state.subscriptions[502]
    await sandbox.clock.advance(days=30)
    assert sandbox.ledger == ()


async def test_a_scheduled_plan_begins_with_the_next_period(
    sandbox: Sandbox, receiver: Receiver
) -> None:
    """At its own price and for its own time; until then it is only shown."""
    sandbox.add_webhook(URL, app=receiver)
    subscription = only(sandbox, 501)
    assert change_plan(subscription, 14, sandbox.state, sandbox.clock.now()) is None
    assert (subscription.variant_id, subscription.scheduled_variant_id) == (15, 14)
    end = subscription.current_period_end
    await sandbox.clock.advance(end - sandbox.clock.now())
    assert (subscription.variant_id, subscription.scheduled_variant_id) == (14, None)
    assert subscription.price == sandbox.state.variants[14].price
    assert subscription.current_period_end == end + timedelta(days=30)
    assert receiver.payloads[0]["data"]["subscription"]["variant"]["id"] == 14
    assert sandbox.state.orders[max(sandbox.state.orders)].total == subscription.price


async def test_an_upgrade_is_charged_now_less_what_is_left(sandbox: Sandbox) -> None:
    """Half of the old price is left after half of the period."""
    subscription = only(sandbox, 501)
    now = sandbox.clock.now().replace(microsecond=0)
    subscription.current_period_start = now - timedelta(days=100)
    subscription.current_period_end = now + timedelta(days=100)
    quote = quote_plan_change(subscription, 16, sandbox.state, now)
    assert quote.is_upgrade
    assert quote.credit == Decimal("100.00")
    assert quote.due_now == Decimal("249.50")
    order = change_plan(subscription, 16, sandbox.state, now)
    assert order is not None
    assert order.total == quote.due_now
    assert (subscription.variant_id, subscription.price) == (16, Decimal("349.5"))
    assert subscription.current_period_start == now
    assert subscription.current_period_end == now + timedelta(days=730)


async def test_an_upgrade_that_is_declined_changes_nothing(sandbox: Sandbox) -> None:
    """The customer keeps the plan that was paid."""
    for card in (None, Card(last_four="0002", scheme="visa", behaviour=CardBehaviour.DECLINES)):
        subscription = sandbox.state.subscriptions[501]
        subscription.card = card
        with pytest.raises(RefusedError, match="declined"):
            change_plan(subscription, 16, sandbox.state, sandbox.clock.now())
        assert (subscription.variant_id, subscription.price) == (15, Decimal("199.99"))


async def test_the_plan_that_it_has_cancels_what_waits(sandbox: Sandbox) -> None:
    """A customer who schedules a downgrade may take it back."""
    subscription = sandbox.state.subscriptions[501]
    now = sandbox.clock.now()
    change_plan(subscription, 14, sandbox.state, now)
    with pytest.raises(RefusedError, match="this plan already"):
        change_plan(subscription, 14, sandbox.state, now)
    change_plan(subscription, 15, sandbox.state, now)
    assert subscription.scheduled_variant_id is None


@pytest.mark.parametrize(
    ("number", "variant", "reason"),
    [
        (501, 20, "Variant not found"),
        (501, 999, "Variant not found"),
        (501, 15, "this plan already"),
        (504, 15, "Only active"),
        (507, 16, "is to end"),
    ],
)
async def test_not_every_plan_can_be_changed_to(
    sandbox: Sandbox, number: int, variant: int, reason: str
) -> None:
    """A plan of another product, the plan that it has, and one that is not running."""
    subscription = sandbox.state.subscriptions[number]
    subscription.product_id, subscription.variant_id = 102, 15
    with pytest.raises(RefusedError, match=reason):
        quote_plan_change(subscription, variant, sandbox.state, sandbox.clock.now())


@pytest.mark.parametrize("number", [501, 502])
@pytest.mark.parametrize("immediately", [True, False])
async def test_a_cancellation_can_be_undone_while_the_period_lasts(
    api: httpx.AsyncClient, sandbox: Sandbox, number: int, immediately: bool
) -> None:
    """The subscription is as it was, and renews again."""
    subscription = only(sandbox, number)
    status = subscription.status
    effective = "immediate" if immediately else "end_of_period"
    await api.post(f"/subscriptions/{number}/cancel", json={"effective": effective})
    resume(subscription, sandbox.clock.now())
    assert subscription.status is status
    assert subscription.canceled_at is None
    assert subscription.renews


async def test_an_ended_or_uncanceled_subscription_cannot_be_resumed(sandbox: Sandbox) -> None:
    """A period that has ended is not given back."""
    for number, reason in ((501, "not canceled"), (506, "not canceled"), (505, "is over")):
        subscription = sandbox.state.subscriptions[number]
        with pytest.raises(RefusedError, match=reason):
            resume(subscription, subscription.current_period_end)
