"""What a type checker sees of ``rmz_async``; never run."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, assert_type

import httpx

import rmz_async
from rmz_async import (
    CheckoutSession,
    Duration,
    Event,
    EventType,
    NewCustomer,
    Page,
    Pager,
    PhoneNumber,
    PortalSession,
    RetryPolicy,
    Subscription,
    SubscriptionLookup,
    SubscriptionSnapshot,
    SubscriptionStatus,
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
            metadata={"plan": "pro", "seats": 3, "trial": True},
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
        # Exactly one of the two, which a checker can tell.
        await rmz.subscriptions.extend(501)  # type: ignore[call-overload] # pyright: ignore[reportCallIssue] # the claim itself
        await rmz.subscriptions.extend(501, days=1, months=1)  # type: ignore[call-overload] # pyright: ignore[reportCallIssue] # the claim itself


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
    assert_type(subscription.starts_at, date | datetime | None)
    assert_type(subscription.metadata, Mapping[str, Any] | None)
    assert_type(subscription.extra, Mapping[str, Any])
    assert_type(subscription.grants_access, bool)
    assert_type(subscription.to_dict(), dict[str, Any])
    if subscription.price is not None:
        assert_type(subscription.price.amount, Decimal)
    assert_type(rmz_async.from_dict(Subscription, {"id": 1}), Subscription)


def events(body: bytes, headers: dict[str, str]) -> None:
    """A delivery is an event."""
    event = rmz_async.webhooks.verify(body, headers, secrets=["a secret of 28 characters ..."])
    assert_type(event, Event)
    assert_type(event.event, EventType | str)
    assert_type(event.event_id, str | None)
    assert_type(event.subscription, SubscriptionSnapshot | None)
    rmz_async.webhooks.verify(body, [(b"signature", b"")], secrets=("another",))


def errors(error: rmz_async.UnprocessableEntityError) -> None:
    """One except serves both sides of a refused field."""
    refused: rmz_async.InvalidRequestError = error
    answered: rmz_async.APIError = error
    assert_type(answered.status, int)
    assert_type(answered.retry_after, float | None)
    for field, reasons in refused.errors.items():
        assert_type(field, str)
        for reason in reasons:
            assert_type(reason, str)


def own_http(http: httpx.AsyncClient) -> rmz_async.Client:
    """A caller may bring connections of their own."""
    return rmz_async.Client("1|token", http=http)
