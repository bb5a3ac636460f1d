from __future__ import annotations

import pytest

from rmz_async.sandbox import (
    TEST_CARDS,
    CardBehaviour,
    Deliveries,
    NotPaidError,
    Sandbox,
    Status,
)
from tests.sandbox.conftest import ManualClock, Receiver

pytestmark = pytest.mark.anyio

HOOK = "http://localhost/hooks"


def card_that(behaviour: CardBehaviour) -> str:
    """The number of a card that behaves so."""
    return next(card.number for card in TEST_CARDS if card.behaviour is behaviour)


async def test_a_customer_subscribes_in_one_call(sandbox: Sandbox) -> None:
    """The subscription has all that the session was given."""
    number = await sandbox.subscribe(
        variant_id=14, external_customer_id="usr_new", metadata={"plan": "pro"}
    )

    made = sandbox.state.subscriptions[number]
    assert (made.variant_id, made.external_customer_id) == (14, "usr_new")
    assert made.metadata == {"plan": "pro"}
    assert len(sandbox.ledger.of("hosted.pay")) == 1


async def test_a_card_is_given_by_its_number_or_as_a_test_card(sandbox: Sandbox) -> None:
    """The card is kept for the renewals."""
    by_number = await sandbox.subscribe(card=card_that(CardBehaviour.FAILS_AT_RENEWAL))
    by_card = await sandbox.subscribe(card=TEST_CARDS[1])

    cards = [sandbox.state.subscriptions[number].card for number in (by_number, by_card)]
    assert [card and card.last_four for card in cards] == ["0341", TEST_CARDS[1].number[-4:]]


async def test_the_bank_is_told_that_the_payment_is_wanted(sandbox: Sandbox) -> None:
    """A card with a confirmation step pays too."""
    number = await sandbox.subscribe(card=card_that(CardBehaviour.CHALLENGE))

    assert sandbox.state.subscriptions[number].status is Status.ACTIVE


@pytest.mark.parametrize("number", [card_that(CardBehaviour.DECLINES), "1234567890123456"])
async def test_a_card_that_does_not_pay_is_an_error(sandbox: Sandbox, number: str) -> None:
    """The message has no more than the last four digits."""
    before = len(sandbox.state.subscriptions)

    with pytest.raises(NotPaidError, match=f"ends in {number[-4:]} did not pay") as caught:
        await sandbox.subscribe(card=number)

    assert number not in str(caught.value)
    assert len(sandbox.state.subscriptions) == before


async def test_a_served_sandbox_sends_what_the_payment_caused(receiver: Receiver) -> None:
    """The customer comes through the port, so that the server's own loop delivers."""
    sandbox = Sandbox()
    async with sandbox.serve(clock_runs=False) as served:
        sandbox.add_webhook(HOOK, app=receiver)
        number = await sandbox.subscribe()
        await served.delivered()
        served.deliveries.assert_once("subscription.created", number)


async def test_advance_moves_the_clock_and_what_is_due() -> None:
    """A monthly subscription has been paid twice after 31 days."""
    async with Sandbox() as sandbox:
        number = await sandbox.subscribe(variant_id=14)
        before = sandbox.clock.now()
        await sandbox.advance(days=30, hours=24)
        assert (sandbox.clock.now() - before).days == 31
        assert len(sandbox.ledger.renewals(number)) == 1


async def test_deliveries_are_found_by_event_and_object(
    sandbox: Sandbox, receiver: Receiver
) -> None:
    """An order's event has the order's id."""
    sandbox.add_webhook(HOOK, app=receiver)
    sandbox.emit("subscription.renewed", 501)
    sandbox.emit("subscription.renewed", 502)
    sandbox.emit("order.created", 78901)
    await sandbox.delivered()

    deliveries = sandbox.deliveries
    assert len(deliveries.of("subscription.renewed")) == 2
    assert [one.event for one in deliveries.of(object_id=78901)] == ["order.created"]
    deliveries.assert_once("subscription.renewed", 501)
    deliveries.assert_none("subscription.renewed", 503)
    with pytest.raises(AssertionError, match=r"1 attempt.*\n  .* of 502 to webhook 1, .* → 200"):
        deliveries.assert_none("subscription.renewed", 502)


async def test_a_delivery_that_succeeds_later_is_accepted_once(
    clock: ManualClock, receiver: Receiver
) -> None:
    """An attempt that failed counts for nothing."""
    async with Sandbox() as sandbox:
        sandbox.add_webhook(HOOK, app=receiver)
        receiver.status = 500
        sandbox.emit("subscription.renewed", 501)
        await sandbox.delivered()
        with pytest.raises(AssertionError, match=r"accepted 0 time.*\n.*attempt 1 → 500"):
            sandbox.deliveries.assert_once("subscription.renewed", 501)
        receiver.status = 200
        await sandbox.advance(seconds=10)
        assert len(sandbox.deliveries) == 2
        sandbox.deliveries.assert_once("subscription.renewed", 501)


async def test_a_delivery_that_was_accepted_twice_is_told(
    sandbox: Sandbox, receiver: Receiver
) -> None:
    """The message has both attempts; another webhook that was sent it once does not hide that."""
    sandbox.add_webhook(HOOK, app=receiver)
    sandbox.add_webhook(HOOK, app=Receiver())
    sandbox.emit("subscription.renewed", 501)
    await sandbox.delivered()
    sandbox.send_again(sandbox.deliveries.of("subscription.renewed", 501)[0])
    await sandbox.delivered()

    with pytest.raises(AssertionError, match=r"2 time\(s\) by webhook \d") as caught:
        sandbox.deliveries.assert_once("subscription.renewed", 501)
    assert str(caught.value).count("\n  ") == 3


async def test_an_event_that_was_never_sent_is_told_with_what_was(sandbox: Sandbox) -> None:
    """The reader sees what arrived instead."""
    with pytest.raises(AssertionError, match=r"by no webhook.* Nothing was sent"):
        sandbox.deliveries.assert_once("subscription.renewed", 501)
    sandbox.add_webhook("http://127.0.0.1:1/hooks")
    sandbox.emit("subscription.paused", 501)
    await sandbox.delivered()

    with pytest.raises(AssertionError, match=r"subscription.paused of 501 .* → ConnectError"):
        sandbox.deliveries.assert_once("subscription.renewed", 501)
    assert isinstance(sandbox.deliveries, Deliveries)
