"""Webhooks and redirects tell the paywall of changes that RMZ's next answer may not show yet."""

from __future__ import annotations

import gc
import json
import weakref
from datetime import timedelta
from typing import Any

import pytest

from rmz_async import ConnectionFailedError, EventType, ServerError
from rmz_async.paywall import Change, PaywallDouble, Reason, Source
from rmz_async.paywall._users import is_user
from rmz_async.webhooks import Receiver, sample, sign, verify
from tests.paywall.events import SECRET, event
from tests.paywall.scripted import START, ScriptedRMZ, subscription
from tests.seams import Part, Setting, Urgency, answers_over, inside, paywall_over, replace

pytestmark = pytest.mark.anyio

DOWN = ServerError("RMZ is down", status=503)


@pytest.fixture
def rmz() -> ScriptedRMZ:
    """An RMZ in which nobody pays yet."""
    return ScriptedRMZ()


async def test_an_event_renews_an_answer_immediately(rmz: ScriptedRMZ) -> None:
    """A refusal becomes a grant, and a grant a refusal, in one request each."""
    paywall = paywall_over(rmz)
    assert not await paywall.check("noura")

    rmz.set(subscription())
    await paywall.feed(event())
    access = await paywall.check("noura")
    assert (access.granted, access.source) == (True, Source.WEBHOOK)

    rmz.set(subscription(status="canceled"))
    await paywall.feed(event(EventType.SUBSCRIPTION_CANCELED, "canceled"))
    assert (await paywall.check("noura")).reason is Reason.CANCELED
    assert rmz.urgencies == [Urgency.STRANGER, Urgency.REPORTED, Urgency.REPORTED]


async def test_an_event_without_a_user_changes_nothing(rmz: ScriptedRMZ) -> None:
    """Orders have no subscription, and a subscription may have been bought without a user."""
    paywall = paywall_over(rmz)
    order = sample(EventType.ORDER_CREATED)

    await paywall.feed(verify(order, {"Signature": sign(order, SECRET)}, secrets=[SECRET]))
    await paywall.feed(event(external_customer_id=None))
    # Another program of the shop has given these names, and no check can ask for them.
    for name in ("", "  ", "x" * 192, "\ud800"):
        await paywall.feed(event(external_customer_id=name))

    assert rmz.asked == []


@pytest.mark.parametrize("name", [None, "", "  ", "x" * 192, "\ud800"])
def test_a_name_for_which_rmz_cannot_be_asked_is_no_user(name: str | None) -> None:
    """The longest name for which it can be asked has 191 characters."""
    assert is_user(name) is False
    assert is_user("x" * 191) is True


async def test_who_has_paid_is_not_refused_because_a_replica_lags(rmz: ScriptedRMZ) -> None:
    """The answer cannot say until RMZ shows what its webhook said, or half a minute is over."""
    paywall = paywall_over(rmz)
    message = r" \(its answer does not show a change yet\); .* is safe$"
    with pytest.raises(ConnectionFailedError, match=message):
        await paywall.feed(event())
    access = await paywall.check("noura")
    assert (access.granted, access.reason) == (False, Reason.UNAVAILABLE)

    rmz.later(10)
    rmz.set(subscription())
    assert (await paywall.check("noura")).granted


async def test_after_half_a_minute_rmz_is_believed(rmz: ScriptedRMZ) -> None:
    """The event was old, or the subscription is gone again."""
    paywall = paywall_over(rmz)
    with pytest.raises(ConnectionFailedError):
        await paywall.feed(event())
    rmz.later(31)

    assert (await paywall.check("noura")).reason is Reason.NO_SUBSCRIPTION


async def test_a_grant_that_contradicts_an_event_is_looked_at_again_soon(rmz: ScriptedRMZ) -> None:
    """The customer has canceled, and the replica does not know yet."""
    paywall = paywall_over(rmz)
    rmz.set(subscription())
    await paywall.feed(event(EventType.SUBSCRIPTION_CANCELED, "canceled"))
    assert (await paywall.check("noura")).granted

    rmz.set(subscription(status="canceled"))
    rmz.later(1.9)
    assert (await paywall.check("noura")).granted
    rmz.later(0.2)
    assert (await paywall.check("noura")).reason is Reason.CANCELED


async def test_a_grant_that_contradicts_an_event_is_not_left_to_the_background(
    rmz: ScriptedRMZ,
) -> None:
    """The answer came after the event, and is as good as one from before it."""
    rmz.set(subscription())
    async with paywall_over(rmz) as paywall:
        await paywall.feed(event(EventType.SUBSCRIPTION_CANCELED, "canceled"))
        rmz.set(subscription(status="canceled"))
        rmz.later(600)

        assert (await paywall.check("noura")).reason is Reason.CANCELED


async def test_a_state_that_rmz_has_shown_once_is_expected_further(rmz: ScriptedRMZ) -> None:
    """The next answer may come from another replica, which lags more."""
    paywall = paywall_over(rmz)
    rmz.set(subscription())
    await paywall.feed(event())
    rmz.set()

    with pytest.raises(ConnectionFailedError):
        await paywall.refresh("noura")
    assert await paywall.check("noura")
    rmz.later(31)
    assert (await paywall.refresh("noura")).reason is Reason.NO_SUBSCRIPTION


async def test_an_event_of_before_the_end_of_a_subscription_is_late(rmz: ScriptedRMZ) -> None:
    """No subscription leaves that status, so the answer is the newer one."""
    paywall = paywall_over(rmz)
    rmz.set(subscription(status="expired"))

    await paywall.feed(event(EventType.SUBSCRIPTION_PAST_DUE, "past_due"))

    assert (await paywall.check("noura")).reason is Reason.EXPIRED


async def test_a_refusal_that_an_event_confirms_is_spoken(rmz: ScriptedRMZ) -> None:
    """Though the answer does not have the subscription at all."""
    paywall = paywall_over(rmz)

    await paywall.feed(event(EventType.SUBSCRIPTION_EXPIRED, "expired"))

    assert (await paywall.check("noura")).reason is Reason.NO_SUBSCRIPTION


async def test_an_event_that_cannot_be_followed_is_attempted_again(rmz: ScriptedRMZ) -> None:
    """The payer comes in meanwhile, and every few seconds RMZ is asked again."""
    paywall = paywall_over(rmz)
    rmz.set(subscription())
    await paywall.check("noura")
    rmz.failure = DOWN
    with pytest.raises(ConnectionFailedError, match="ServerError"):
        await paywall.feed(event(EventType.SUBSCRIPTION_CANCELED, "canceled"))
    assert (await paywall.check("noura")).source is Source.STALE

    rmz.failure = None
    rmz.set(subscription(status="canceled"))
    rmz.later(5.1)
    assert (await paywall.check("noura")).reason is Reason.CANCELED


async def test_a_payer_of_whom_nothing_is_known_yet_may_be_fed(rmz: ScriptedRMZ) -> None:
    """The first check then needs no request."""
    paywall = paywall_over(rmz)
    rmz.set(subscription())

    await paywall.feed(event())
    assert (await paywall.check("noura")).granted
    assert rmz.asked == ["noura"]


async def test_a_confirmed_subscription_outweighs_a_lookup_that_lags(rmz: ScriptedRMZ) -> None:
    """RMZ's API has returned it, so it is there."""
    answers = answers_over(rmz)
    paid = subscription()

    assert answers.confirmed("noura", paid, START).granted
    assert (await answers.check("noura")).granted
    rmz.set(subscription(7, "expired"))
    assert (await answers.refresh("noura")).granted

    rmz.later(31)
    rmz.set()
    assert (await answers.refresh("noura")).reason is Reason.NO_SUBSCRIPTION


async def test_each_report_gives_the_replicas_half_a_minute(rmz: ScriptedRMZ) -> None:
    """Also a second one of the same state: the customer may have paused in between."""
    answers = answers_over(rmz)
    for kind in (EventType.SUBSCRIPTION_CREATED, EventType.SUBSCRIPTION_UNPAUSED):
        with pytest.raises(ConnectionFailedError):
            await answers.feed(event(kind))
        answers.confirmed("sami", subscription(user="sami"), rmz.today())
        rmz.later(20)

    with pytest.raises(ConnectionFailedError):
        await answers.refresh("noura")
    assert (await answers.refresh("sami")).granted


async def test_a_state_that_rmz_has_returned_replaces_an_older_one(rmz: ScriptedRMZ) -> None:
    """The lookup reads from a replica that lags, and shows the time before the pause."""
    answers = answers_over(rmz)
    rmz.set(subscription())
    answers.confirmed("noura", subscription(status="paused"), START)

    assert (await answers.refresh("noura")).reason is Reason.PAUSED


async def test_a_confirmed_subscription_that_is_over_grants_nothing(rmz: ScriptedRMZ) -> None:
    """An old link leads to an old subscription."""
    answers = answers_over(rmz)

    assert answers.confirmed("noura", subscription(status="expired"), START).granted is False


async def test_many_confirmed_subscriptions_are_forgotten_in_order(
    rmz: ScriptedRMZ, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A flood of purchases costs a bounded amount of memory."""
    replace(monkeypatch, Setting.MOST_RETURNED, 1)
    answers = answers_over(rmz)
    for user in ("noura", "sami"):
        answers.confirmed(user, subscription(user=user), START)

    assert (await answers.refresh("noura")).granted is False
    assert (await answers.refresh("sami")).granted is True


async def test_many_events_are_forgotten_in_order(
    rmz: ScriptedRMZ, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A flood of events costs a bounded amount of memory, and no confirmed subscription."""
    replace(monkeypatch, Setting.MOST_REPORTED, 1)
    answers = answers_over(rmz)
    answers.confirmed("sara", subscription(user="sara"), START)
    for user in ("noura", "sami"):
        with pytest.raises(ConnectionFailedError):
            await answers.feed(event(external_customer_id=user))

    assert (await answers.refresh("noura")).granted is False
    with pytest.raises(ConnectionFailedError):
        await answers.refresh("sami")
    assert (await answers.refresh("sara")).granted is True


async def test_a_confirmed_subscription_is_let_go_when_replicas_have_caught_up(
    rmz: ScriptedRMZ,
) -> None:
    """A million payers without their subscriptions take no memory for those."""
    answers = answers_over(rmz, keep_subscriptions=False)
    paid = subscription()
    kept = weakref.ref(paid)
    answers.confirmed("noura", paid, START)
    del paid
    assert kept() is not None

    rmz.later(30)
    answers.confirmed("sami", subscription(user="sami"), rmz.today())

    gc.collect()
    assert kept() is None


async def test_a_receiver_feeds_several_paywalls(tmp_path: Any) -> None:
    """The handler is one like any other: it runs after the answer to RMZ."""
    doubles = [PaywallDouble(now=START), PaywallDouble(now=START)]
    receiver = Receiver(secrets=[SECRET], inbox=f"sqlite:///{tmp_path}/inbox.db")
    for double in doubles:
        receiver.feeds(double)
        double.grant("noura", until=START + timedelta(days=1))
    body = json.loads(sample(EventType.SUBSCRIPTION_CREATED))
    body["data"]["subscription"] |= {"id": 1, "external_customer_id": "noura", "status": "active"}
    raw = json.dumps(body).encode()

    assert (await receiver.receive(raw, {"Signature": sign(raw, SECRET)})).status == 200
    assert await receiver.drain() == 2

    assert [double.status.asked for double in doubles] == [1, 1]
    assert (await doubles[0].check("noura")).source is Source.WEBHOOK
    await receiver.aclose()


@pytest.mark.parametrize("on_outage", ["keep-known", "deny"])
async def test_an_event_after_the_redirect_takes_nothing_back(
    rmz: ScriptedRMZ, on_outage: str
) -> None:
    """The lookup reads from another replica than the redirect, and does not show the purchase."""
    paywall = paywall_over(rmz, on_outage=on_outage)
    rmz.set(subscription(created_at=START))
    assert await paywall.confirm("rmz-subscription-id=501", user="noura")
    rmz.set()

    await paywall.feed(event())

    assert (await paywall.check("noura")).reason is Reason.ACTIVE


async def test_a_late_event_brings_no_old_subscription_back(rmz: ScriptedRMZ) -> None:
    """The subscription of the redirect has been canceled since."""
    paywall = paywall_over(rmz)
    rmz.set(subscription(created_at=START))
    assert await paywall.confirm("rmz-subscription-id=501", user="noura")
    rmz.later(31)
    rmz.set(subscription(status="canceled"))

    with pytest.raises(ConnectionFailedError):
        await paywall.feed(event())
    rmz.later(31)

    assert (await paywall.check("noura")).reason is Reason.CANCELED


async def test_a_late_event_that_is_fed_again_is_no_change_of_its_own(rmz: ScriptedRMZ) -> None:
    """Half a minute after it came first, RMZ is believed, and the inbox is done with it."""
    paywall = paywall_over(rmz)
    rmz.set(subscription(status="canceled"))
    for seconds in (5, 25):
        with pytest.raises(ConnectionFailedError):
            await paywall.feed(event())
        rmz.later(seconds)

    await paywall.feed(event())

    assert (await paywall.check("noura")).reason is Reason.CANCELED


async def test_many_events_are_recognized_no_more(
    rmz: ScriptedRMZ, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A flood of events costs a bounded amount of memory; the last ones are still recognized."""
    replace(monkeypatch, Setting.MOST_EVENTS, 2)
    paywall = paywall_over(rmz)
    users = ("noura", "sami", "huda")
    for _ in range(2):
        for user in users:
            with pytest.raises(ConnectionFailedError):
                await paywall.feed(event(external_customer_id=user))
        rmz.later(31)
        await paywall.feed(event(external_customer_id="huda"))
        await paywall.feed(event(external_customer_id="sami"))


def test_the_last_ten_thousand_events_are_recognized(rmz: ScriptedRMZ) -> None:
    """A shop that cancels all of its subscriptions in one minute fills no more memory."""
    reported = inside(answers_over(rmz), Part.REPORTED)

    def is_new(number: int) -> bool:
        change = Change(user="noura", at=START, subscription_id=number, status="active")
        return reported.first(number, change) is change

    assert all(is_new(number) for number in range(10_001))

    assert not is_new(1)
    assert is_new(0)


async def test_an_event_of_a_change_after_the_redirect_counts(rmz: ScriptedRMZ) -> None:
    """The customer has paused meanwhile."""
    paywall = paywall_over(rmz)
    rmz.set(subscription(created_at=START))
    assert await paywall.confirm("rmz-subscription-id=501", user="noura")
    rmz.set(subscription(status="paused"))

    await paywall.feed(event(EventType.SUBSCRIPTION_PAUSED, "paused"))

    assert (await paywall.check("noura")).reason is Reason.PAUSED
