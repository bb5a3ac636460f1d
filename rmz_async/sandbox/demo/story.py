"""The story, chapter by chapter."""

from __future__ import annotations

from datetime import datetime

import attrs

import rmz_async
from rmz_async import SubscriptionStatus
from rmz_async.sandbox.demo.customer import Customer, subscription_of
from rmz_async.sandbox.demo.shop import Shop
from rmz_async.sandbox.demo.telling import Teller, check, day, known
from rmz_async.sandbox.sandbox import Sandbox
from rmz_async.sandbox.serving.served import Served
from rmz_async.sandbox.store.cards import TEST_CARDS, CardBehaviour, TestCard
from rmz_async.sandbox.wire.below import BASE_PATH

__all__ = ("tell_story",)

USER = "usr_ahmed"
PRO_PLAN, MONTHLY, YEARLY = 102, 14, 15
PHONE = rmz_async.PhoneNumber(country_code="966", phone="512345678")


async def tell_story(teller: Teller) -> None:
    """Serve a sandbox and a shop, and tell all chapters."""
    shop = Shop()
    sandbox = Sandbox()
    # A shop that has products, and no subscriber yet.
    sandbox.state.subscriptions.clear()
    with shop.serve() as address, sandbox.serve(clock_runs=False) as served:
        served.add_webhook(address, secret=shop.secret)
        # The owner of a shop sets this in RMZ's dashboard.
        served.state.products[PRO_PLAN].trial_days = 7
        origin = served.base_url.removesuffix(BASE_PATH)
        customer = Customer(origin, f"{PHONE.country_code}{PHONE.phone}")
        teller.line(f"A local RMZ answers at {served.base_url}")
        teller.line(f"Your receiver of webhooks listens at {address}")
        teller.line("← is a webhook whose signature was verified; = is what the API answers")
        try:
            async with rmz_async.Client(served.token, base_url=served.base_url) as rmz:
                story = _Story(teller, served, rmz, shop, customer)
                await story.begin_trial(address)
                await story.convert()
                await story.renew()
                await story.fail_to_renew()
                await story.recover()
                await story.change_plan()
                await story.pause()
                await story.cancel()
                await story.expire()
        finally:
            await customer.close()
        teller.line()
        teller.line(f"All as expected; {shop.count} webhooks were verified.")
        teller.line("For a real store set its token, and no line of your code changes:")
        teller.line("    export RMZ_API_TOKEN='1|…'   # from the dashboard of the store")


@attrs.define
class _Story:
    _teller: Teller
    _served: Served
    _rmz: rmz_async.Client
    _shop: Shop
    _customer: Customer
    _id: int = 0

    async def begin_trial(self, address: str) -> None:
        self._chapter("Ahmed begins a trial")
        product = await self._rmz.products.get(PRO_PLAN)
        plans = product.subscription_variants or ()
        plan = next(plan for plan in plans if plan.id == MONTHLY)
        session = await self._rmz.checkout_sessions.create(
            product_id=PRO_PLAN,
            variant_id=MONTHLY,
            customer=rmz_async.NewCustomer(
                country_code=PHONE.country_code,
                phone=PHONE.phone,
                first_name="Ahmed",
                last_name="Ali",
                email="ahmed@example.com",
            ),
            success_url="https://app.example/welcome",
            cancel_url="https://app.example/plans",
            external_customer_id=USER,
        )
        self._teller.say(
            f"Your server sends him to a checkout page: {product.name}, {plan.price} SAR a month "
            f"after {product.trial_days} days. He types the card that ends in "
            f"{_card(CardBehaviour.PAYS).number[-4:]}."
        )
        back = await self._customer.pay(
            session.checkout_url, _card(CardBehaviour.PAYS), self._now()
        )
        self._id = subscription_of(back)
        await self._webhooks("subscription.created", "order.created")
        found = await self._rmz.subscriptions.lookup(external_customer_id=USER)
        check(
            [subscription.id for subscription in found.subscriptions] == [self._id],
            "the lookup finds him",
        )
        await self._state(SubscriptionStatus.TRIALING, access=True)
        status = await self._shop.refuse_forgery(address)
        check(status == 401, "a webhook that nobody signed is refused")
        self._teller.say(f"A stranger posts a webhook without the secret: {status}.")

    async def convert(self) -> None:
        before = await self._read()
        await self._advance(days=7)
        self._chapter("The trial ends, and the first payment succeeds")
        await self._webhooks("subscription.activated")
        after = await self._state(SubscriptionStatus.ACTIVE, access=True)
        check(_end(after) > _end(before), "a period has begun")

    async def renew(self) -> None:
        before = await self._read()
        await self._advance(days=(_end(before) - self._now()).days)
        self._chapter("The month is over, and RMZ has renewed it")
        await self._webhooks("subscription.renewed")
        after = await self._state(SubscriptionStatus.ACTIVE, access=True)
        check(_end(after) > _end(before), "another period has begun")

    async def fail_to_renew(self) -> None:
        bad = _card(CardBehaviour.FAILS_AT_RENEWAL)
        await self._enter_portal()
        await self._customer.change_card(self._id, bad, self._now())
        await self._advance(days=(_end(await self._read()) - self._now()).days - 2)
        self._chapter("The next payment fails")
        self._teller.say(f"His new card, which ends in {bad.number[-4:]}, was declined.")
        await self._webhooks("subscription.past_due", "subscription.renewal_failed")
        late = await self._state(SubscriptionStatus.PAST_DUE, access=True)
        retry = known(late.next_retry_at, "another attempt will come")
        self._teller.say(
            "He is not locked out: RMZ grants him a time of grace, and attempts the payment again "
            f"on {day(retry)}."
        )

    async def recover(self) -> None:
        good = next(card for card in TEST_CARDS if card.scheme == "mada")
        await self._enter_portal()
        await self._customer.change_card(self._id, good, self._now())
        retry = known((await self._read()).next_retry_at, "another attempt will come")
        await self._advance(days=(retry - self._now()).days + 1)
        self._chapter("He has changed the card in the billing portal, and it pays")
        await self._webhooks("subscription.renewed")
        after = await self._state(SubscriptionStatus.ACTIVE, access=True)
        paid_with = known(after.payment_method, "a card is kept")
        check(paid_with.last_four == good.number[-4:], "it is paid with the new card")

    async def change_plan(self) -> None:
        await self._enter_portal()
        cost = await self._customer.cost_of_plan(self._id, YEARLY)
        self._chapter("He changes to the yearly plan")
        await self._customer.change_plan(self._id, YEARLY)
        _, ordered = await self._webhooks("subscription.updated", "order.created")
        after = await self._state(SubscriptionStatus.ACTIVE, access=True)
        order = known(ordered.order, "the webhook is about an order")
        plan = known(after.variant, "there is a plan")
        check(plan.id == YEARLY, "the plan is the yearly one")
        self._teller.say(
            f"The portal showed {cost} as due today: {plan.price} SAR, less what was "
            f"left of the month. He was charged {order.total} SAR."
        )

    async def pause(self) -> None:
        before = await self._read()
        self._chapter("He pauses for ten days")
        await self._rmz.subscriptions.pause(self._id)
        await self._webhooks("subscription.paused")
        await self._state(SubscriptionStatus.PAUSED, access=False)
        try:
            await self._rmz.subscriptions.pause(self._id)
        except rmz_async.ConflictError as refusal:
            self._teller.say(f"A second pause is refused: {refusal.status} {refusal.message}")
        else:
            check(False, "what is paused cannot be paused")
        await self._advance(days=10)
        self._chapter("He is back")
        await self._rmz.subscriptions.unpause(self._id)
        await self._webhooks("subscription.unpaused")
        after = await self._state(SubscriptionStatus.ACTIVE, access=True)
        kept = (_end(after) - _end(before)).days
        check(kept >= 9, "the pause has cost him nothing")
        self._teller.say(f"The days of the pause were kept: the period ends {kept} days later.")

    async def cancel(self) -> None:
        self._chapter("He cancels, with the end of the period")
        await self._rmz.subscriptions.cancel(self._id)
        await self._webhooks("subscription.canceled")
        after = await self._state(SubscriptionStatus.ACTIVE, access=True)
        check(after.cancel_at_period_end is True, "it ends with its period")
        self._teller.say("He keeps until then what he has paid for.")

    async def expire(self) -> None:
        await self._advance(days=(_end(await self._read()) - self._now()).days + 1)
        self._chapter("The period is over")
        await self._webhooks("subscription.expired")
        await self._state(SubscriptionStatus.EXPIRED, access=False)

    def _now(self) -> datetime:
        return self._served.sandbox.clock.now()

    def _chapter(self, title: str) -> None:
        self._teller.chapter(self._now(), title)

    async def _advance(self, days: int) -> None:
        await self._served.sandbox.clock.advance(days=days)

    async def _enter_portal(self) -> None:
        session = await self._rmz.portal_sessions.create(
            customer=PHONE, return_url="https://app.example/account"
        )
        await self._customer.enter_portal(session.url)

    async def _webhooks(self, *expected: str) -> list[rmz_async.Event]:
        await self._served.delivered()
        events = self._shop.take(*expected)
        for event in events:
            self._teller.event(event)
        return events

    async def _read(self) -> rmz_async.Subscription:
        return await self._rmz.subscriptions.get(self._id)

    async def _state(self, status: SubscriptionStatus, *, access: bool) -> rmz_async.Subscription:
        """Read the subscription, and print it if it is as it should be."""
        subscription = await self._read()
        check(subscription.status == status, f"it is {status}, not {subscription.status}")
        check(subscription.grants_access is access, f"access is {access}")
        self._teller.state(subscription)
        return subscription


def _card(behaviour: CardBehaviour) -> TestCard:
    return next(card for card in TEST_CARDS if card.behaviour is behaviour)


def _end(subscription: rmz_async.Subscription) -> datetime:
    return known(subscription.current_period_end, "the period has an end")
