"""The types of ``rmz_async`` as a checker sees them; never run."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, assert_never, assert_type

import attrs
import httpx

import rmz_async
from rmz_async import (
    Category,
    CheckoutSession,
    Code,
    CodeStock,
    CompletedOrder,
    DuplicateOrder,
    Duration,
    Event,
    EventType,
    Media,
    MediaKind,
    NewCustomer,
    NewVariant,
    Order,
    OrderItem,
    OrderLine,
    OrderStatus,
    OrderStatusChange,
    Page,
    Pager,
    PendingOrder,
    PhoneNumber,
    PortalSession,
    Product,
    ProductStatus,
    ProductType,
    ProductVariant,
    RetryPolicy,
    Store,
    StoreStatistics,
    Subscription,
    SubscriptionLookup,
    SubscriptionPlans,
    SubscriptionSnapshot,
    SubscriptionStatus,
    webhooks,
)


async def token() -> str:
    """A source of tokens that awaits."""
    return "1|token"


async def calls() -> None:
    """Each call has its own answer."""
    async with rmz_async.Client() as rmz:
        assert_type(rmz, rmz_async.Client)
        who = NewCustomer(
            country_code="966", phone="512345678", first_name="A", last_name="B", email="a@b.sa"
        )
        session = await rmz.checkout_sessions.create(
            product_id=102,
            variant_id=15,
            customer=who,
            success_url="https://a.example",
            cancel_url="https://b.example",
            metadata={"plan": "pro", "seats": "3"},
        )
        assert_type(session, CheckoutSession)
        assert_type(session.expires_at, datetime | None)
        portal = await rmz.portal_sessions.create(
            customer=PhoneNumber(country_code="966", phone="512345678")
        )
        assert_type(portal, PortalSession)
        assert_type(portal.url, str)
        subscription = await rmz.subscriptions.get(501)
        assert_type(subscription, Subscription)
        assert_type(await rmz.subscriptions.lookup(email="a@b.sa"), SubscriptionLookup)
        assert_type(await rmz.subscriptions.cancel(501, effective="immediate"), Subscription)
        assert_type(await rmz.subscriptions.pause(501), Subscription)
        assert_type(await rmz.subscriptions.unpause(501), Subscription)
        assert_type(await rmz.subscriptions.extend(501, days=7), Subscription)
        assert_type(await rmz.subscriptions.extend(subscription, months=1), Subscription)
        # Exactly one of the two, which a checker can see.
        await rmz.subscriptions.extend(501)  # type: ignore[call-overload] # pyright: ignore[reportCallIssue] # the claim itself
        await rmz.subscriptions.extend(501, days=1, months=1)  # type: ignore[call-overload] # pyright: ignore[reportCallIssue] # the claim itself


async def orders(rmz: rmz_async.Client) -> None:
    """An order ends in one of three results, and a caller must find out which."""
    created = await rmz.orders.create(
        created_from="app.example",
        products=[OrderLine(product="gift-card", options={"size": "L"}), OrderLine(product=1)],
        customer=4501,
    )
    assert_type(created, PendingOrder | CompletedOrder | DuplicateOrder)
    str(created.checkout_url)  # type: ignore[union-attr] # pyright: ignore[reportAttributeAccessIssue] # the claim itself: a free order has none
    str(created.order_id)  # type: ignore[union-attr] # pyright: ignore[reportAttributeAccessIssue] # the claim itself: an unpaid one has none
    match created:
        case PendingOrder():
            assert_type(created.checkout_url, str)
            assert_type(created.amount, Decimal | None)
        case CompletedOrder():
            assert_type(created.order_id, int)
        case DuplicateOrder():
            assert_type(created.checkout_url, str | None)
            assert_type(created.order_id, int | None)
        case _:
            assert_never(created)
    result: rmz_async.CreatedOrder = created
    if isinstance(result, DuplicateOrder):
        assert_type(result.duplicate, bool)
    # Lines are a sequence of OrderLines: no mapping, no string and no single line.
    await rmz.orders.create(created_from="x", products=[{"product": 1}])  # type: ignore[list-item] # pyright: ignore[reportArgumentType] # the claim itself
    await rmz.orders.create(created_from="x", products="gift-card")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType] # the claim itself
    await rmz.orders.create(created_from="x", products=OrderLine(product=1))  # type: ignore[arg-type] # pyright: ignore[reportArgumentType] # the claim itself
    assert_type(await rmz.orders.get(78901), Order)
    await rmz.orders.update(78901, status=OrderStatus.COMPLETED)
    await rmz.orders.update(78901, status=4)
    await rmz.orders.update(78901)  # type: ignore[call-arg] # pyright: ignore[reportCallIssue] # the claim itself: RMZ alone could say what it does
    pager = rmz.orders.list(created_from=date(2024, 1, 1), order_by="total", order_direction="asc")
    assert_type(pager, Pager[Order])
    async for order in pager:
        assert_type(order, Order)
    rmz.orders.list(order_by="name")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType] # the claim itself
    rmz.orders.list(created_from="2024-01-01")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType] # the claim itself


async def catalog(rmz: rmz_async.Client) -> None:
    """The rest is read."""
    assert_type(await rmz.products.get(101), Product)
    assert_type(rmz.products.list(), Pager[Product])
    assert_type(rmz.categories.list(page=2), Pager[Category])
    assert_type(await rmz.categories.list().first(), Page[Category])
    assert_type(await rmz.store.get(), Store)
    assert_type(await rmz.store.statistics(), StoreStatistics)


async def product_writes(
    rmz: rmz_async.Client, picture: Path, pieces: AsyncIterator[bytes]
) -> None:
    """A product is sold in one of several ways, and a replacement names all that is to stay."""
    image = await rmz.products.upload(picture, kind="image")
    assert_type(image, Media)
    assert_type(image.id, int)
    await rmz.products.upload(b"%PDF", kind=MediaKind.FILE, name="book.pdf")
    await rmz.products.upload(pieces, kind="file", name="film.mp4", mime_type="video/mp4")
    await rmz.products.upload("film.mp4", kind="film")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType] # the claim itself
    plans = SubscriptionPlans(
        variants=[NewVariant(duration=Duration.MONTHLY, price=Decimal("49.90"))]
    )
    made = await rmz.products.create(name="Pro", kind=plans, price=0, cost_price=0, image=image)
    assert_type(made, Product)
    await rmz.products.create(
        name="Key",
        kind=CodeStock(codes=["A-1"]),
        price=Decimal("9.99"),
        cost_price=1,
        image=image.id,
    )
    await rmz.products.create(name="Key", kind=plans, price=9.99, cost_price=1, image=1)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType] # the claim itself: a float is no money
    assert_type(
        await rmz.products.update(101, slug="pro", image=image, files=None, extra_images=[7]),
        Product,
    )
    await rmz.products.update(101, slug="pro", name="Pro")  # type: ignore[call-arg] # pyright: ignore[reportCallIssue] # the claim itself: RMZ would remove the pictures


async def lists() -> None:
    """Lists give items, pages, or one page."""
    rmz = rmz_async.Client(token, base_url="https://proxy.example", timeout=5)
    pager = rmz.subscriptions.list(customer_email="a@b.sa", page=2)
    assert_type(pager, Pager[Subscription])
    async for item in pager:
        assert_type(item, Subscription)
    async for page in pager.pages():
        assert_type(page, Page[Subscription])
        assert_type(page.items, tuple[Subscription, ...])
    assert_type(await pager.first(), Page[Subscription])
    copy = rmz.with_options(timeout=2, retry=RetryPolicy(max_attempts=1))
    assert_type(copy, rmz_async.Client)
    await rmz.aclose()


def fields(subscription: Subscription) -> None:
    """Only what is guaranteed is never None, and enums are open."""
    assert_type(subscription.id, int)
    assert_type(subscription.status, SubscriptionStatus | str)
    assert_type(subscription.duration, Duration | str | None)
    assert_type(subscription.current_period_end, datetime | None)
    assert_type(subscription.starts_at, datetime | None)
    assert_type(subscription.metadata, Mapping[str, Any] | None)
    assert_type(subscription.extra, Mapping[str, Any])
    assert_type(subscription.grants_access, bool)
    assert_type(subscription.to_dict(), dict[str, Any])
    if subscription.price is not None:
        assert_type(subscription.price.amount, Decimal)
    assert_type(rmz_async.from_dict(Subscription, {"id": 1}), Subscription)


def order_fields(order: Order, product: Product) -> None:
    """Statuses are open numbers, types are open words, and amounts are exact."""
    assert_type(order.id, int)
    assert_type(order.current_status, OrderStatus | int | None)
    assert_type(order.total, Decimal | None)
    assert_type(order.items, tuple[OrderItem, ...] | None)
    assert_type(order.statuses, tuple[OrderStatusChange, ...] | None)
    for item in order.items or ():
        assert_type(item.subscription, Subscription | None)
        assert_type(item.codes, tuple[Code, ...] | None)
        if item.item is not None:
            assert_type(item.item.type, ProductType | str | None)
    assert_type(product.status, ProductStatus | int | None)
    assert_type(product.metadata, Mapping[str, Any] | None)
    assert_type(product.subscription_variants, tuple[ProductVariant, ...] | None)
    assert_type(rmz_async.from_dict(Order, {"id": 1}), Order)
    order.id = 2  # type: ignore[misc] # pyright: ignore[reportAttributeAccessIssue] # the claim itself
    assert_type(hash(OrderLine(product=1)), int)


def events(body: bytes, headers: dict[str, str]) -> None:
    """A delivery is an event."""
    event = rmz_async.webhooks.verify(body, headers, secrets=["a secret of 28 characters ..."])
    assert_type(event.event, EventType | str)
    assert_type(event.dedupe_key, str)
    assert_type(event.secret_index, int | None)
    any_of_them: Event = event
    assert_type(any_of_them.subscription, SubscriptionSnapshot | None)
    assert_type(event.event_id, str | None)
    assert_type(event.subscription, SubscriptionSnapshot | None)
    assert_type(event.order, Order | None)
    rmz_async.webhooks.verify(body, [(b"signature", b"")], secrets=("another",))


def every_event(event: webhooks.AnyEvent) -> str:
    """A type checker sees that a match covers all events."""
    match event:
        case webhooks.SubscriptionRenewed(subscription=subscription):
            assert_type(subscription, SubscriptionSnapshot)
            return "renewed"
        case webhooks.OrderCreated() | webhooks.OrderStatusChanged():
            assert_type(event.order, Order)
            return "order"
        case (
            webhooks.SubscriptionCreated()
            | webhooks.SubscriptionActivated()
            | webhooks.SubscriptionRenewalFailed()
            | webhooks.SubscriptionPastDue()
            | webhooks.SubscriptionExpired()
            | webhooks.SubscriptionCanceled()
            | webhooks.SubscriptionPaused()
            | webhooks.SubscriptionUnpaused()
            | webhooks.SubscriptionResumed()
            | webhooks.SubscriptionUpdated()
        ):
            assert_type(event.subscription, SubscriptionSnapshot)
            return "subscription"
        case webhooks.UnknownEvent():
            assert_type(event.fault, str | None)
            return "unknown"


async def refreshed(event: webhooks.SubscriptionEvent, order: webhooks.OrderCreated) -> None:
    """The present state has the model of the API."""
    async with rmz_async.Client() as rmz:
        assert_type(await event.refresh(rmz), Subscription)
        assert_type(await order.refresh(rmz), Order)


def errors(error: rmz_async.UnprocessableEntityError) -> None:
    """A single except serves both sides of a refused field."""
    refused: rmz_async.InvalidRequestError = error
    answered: rmz_async.APIError = error
    assert_type(answered.status, int)
    assert_type(answered.page, int | None)
    assert_type(answered.retry_after, float | None)
    for field, reasons in refused.errors.items():
        assert_type(field, str)
        for reason in reasons:
            assert_type(reason, str)


def own_http(http: httpx.AsyncClient) -> rmz_async.Client:
    """A caller may bring connections of their own."""
    return rmz_async.Client("1|token", http=http)


def evolved(subscription: Subscription, event: Event, phone: PhoneNumber) -> None:
    """A model can be evolved, by keyword and with the right types only."""
    assert_type(attrs.evolve(subscription, external_customer_id="usr_abc123"), Subscription)
    assert_type(attrs.evolve(phone, phone="512345678"), PhoneNumber)
    assert_type(attrs.evolve(event, event_id="1"), Event)
    attrs.evolve(event, event_id=1)  # type: ignore[arg-type] # the claim itself; pyright looks at the class only
    PhoneNumber("966", "512345678")  # type: ignore[call-arg] # pyright: ignore[reportCallIssue] # the claim itself
