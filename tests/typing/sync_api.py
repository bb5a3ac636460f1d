"""The types of ``rmz_sync`` as a checker sees them; never run."""

from __future__ import annotations

from decimal import Decimal
from io import BytesIO
from typing import assert_type

import rmz_async
import rmz_sync
from rmz_sync import (
    Category,
    CheckoutSession,
    CompletedOrder,
    DuplicateOrder,
    Duration,
    Media,
    NewVariant,
    Order,
    OrderLine,
    Page,
    Pager,
    PendingOrder,
    PortalSession,
    Product,
    RetryPolicy,
    Store,
    StoreStatistics,
    Subscription,
    SubscriptionLookup,
    SubscriptionPlans,
)


def calls() -> None:
    """Each call has its own answer, which is not awaited."""
    with rmz_sync.Client("1|token") as rmz:
        assert_type(rmz, rmz_sync.Client)
        session = rmz.checkout_sessions.create(
            product_id=102,
            variant_id=15,
            customer=4501,
            success_url="https://a.example",
            cancel_url="https://b.example",
        )
        assert_type(session, CheckoutSession)
        assert_type(rmz.portal_sessions.create(customer=4501), PortalSession)
        subscription = rmz.subscriptions.get(501)
        assert_type(subscription, Subscription)
        assert_type(rmz.subscriptions.lookup(email="a@b.sa"), SubscriptionLookup)
        assert_type(rmz.subscriptions.cancel(501), Subscription)
        assert_type(rmz.subscriptions.pause(501), Subscription)
        assert_type(rmz.subscriptions.unpause(501), Subscription)
        assert_type(rmz.subscriptions.extend(subscription, days=7), Subscription)
        assert_type(rmz.subscriptions.extend(501, months=1), Subscription)
        rmz.subscriptions.extend(501)  # type: ignore[call-overload] # pyright: ignore[reportCallIssue] # the claim itself


def orders(rmz: rmz_sync.Client) -> None:
    """An order ends in one of three results here too."""
    created = rmz.orders.create(created_from="app.example", products=[OrderLine(product=1)])
    assert_type(created, PendingOrder | CompletedOrder | DuplicateOrder)
    str(created.checkout_url)  # type: ignore[union-attr] # pyright: ignore[reportAttributeAccessIssue] # the claim itself: a free order has none
    assert_type(rmz.orders.get(78901), Order)
    rmz.orders.update(78901, status=4)
    assert_type(rmz.orders.list(order_by="total"), Pager[Order])
    for order in rmz.orders.list():
        assert_type(order, Order)


def catalog(rmz: rmz_sync.Client) -> None:
    """The rest is read."""
    assert_type(rmz.products.get(101), Product)
    assert_type(rmz.products.list(), Pager[Product])
    assert_type(rmz.categories.list().first(), Page[Category])
    assert_type(rmz.store.get(), Store)
    assert_type(rmz.store.statistics(), StoreStatistics)


def product_writes(rmz: rmz_sync.Client, picture: BytesIO) -> None:
    """The same kinds of product, and the same arguments that cannot be left out."""
    image = rmz.products.upload(picture, kind="image", name="pro.png")
    assert_type(image, Media)
    plans = SubscriptionPlans(
        variants=[NewVariant(duration=Duration.MONTHLY, price=Decimal("49.90"))]
    )
    made = rmz.products.create(name="Pro", kind=plans, price=0, cost_price=0, image=image)
    assert_type(made, Product)
    assert_type(
        rmz.products.update(101, slug="pro", image=None, files=[image], extra_images=None), Product
    )
    rmz.products.update(101, slug="pro", name="Pro")  # type: ignore[call-arg] # pyright: ignore[reportCallIssue] # the claim itself: RMZ would remove the pictures


def lists(rmz: rmz_sync.Client) -> None:
    """Lists give items, pages, or one page, without async."""
    pager = rmz.subscriptions.list(customer_email="a@b.sa")
    assert_type(pager, Pager[Subscription])
    for item in pager:
        assert_type(item, Subscription)
    for page in pager.pages():
        assert_type(page, Page[Subscription])
    assert_type(pager.first(), Page[Subscription])
    assert_type(rmz.with_options(retry=RetryPolicy(max_attempts=1)), rmz_sync.Client)
    rmz.close()


def refreshed(event: rmz_sync.webhooks.SubscriptionEvent) -> None:
    """The present state has the model of the API."""
    with rmz_sync.Client() as rmz:
        assert_type(event.refresh(rmz), Subscription)


def same_models(subscription: rmz_sync.Subscription) -> rmz_async.Subscription:
    """Models, errors and webhooks are those of ``rmz_async``."""
    assert_type(rmz_sync.NotFoundError("…"), rmz_async.NotFoundError)
    return subscription
