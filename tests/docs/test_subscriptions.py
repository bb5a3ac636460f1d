"""The functions of "Sell a subscription"."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

import rmz_async
from rmz_async.sandbox import Status
from tests.docs.networks import pay
from tests.docs.pages import Page

PAGE = "docs/subscriptions.md"


def test_a_new_user_has_access_after_paying_and_not_before(page: Page) -> None:
    page.run()

    async def buy() -> None:
        async with rmz_async.Client() as rmz:
            assert not await page["has_access"](rmz, "usr_new")
            target = pay(await page["start_checkout"](rmz, "usr_new"))
            assert target.startswith("https://app.example/welcome?rmz-subscription-id=")
            assert await page["has_access"](rmz, "usr_new")

    page.wait(buy())


@pytest.mark.parametrize("typed", ["", "0", "501", "999", "-1", "9" * 50, "501/cancel"])
def test_an_address_that_somebody_typed_is_no_proof(page: Page, typed: str) -> None:
    page.run()

    async def come_back() -> None:
        async with rmz_async.Client() as rmz:
            paid = pay(await page["start_checkout"](rmz, "usr_new")).rpartition("=")[2]
            assert await page["is_theirs"](rmz, "usr_new", paid)
            assert not await page["is_theirs"](rmz, "usr_other", paid)
            assert not await page["is_theirs"](rmz, "usr_new", typed)

    page.wait(come_back())


@pytest.mark.parametrize(
    ("status", "granted"),
    [
        ("trialing", True),
        ("active", True),
        ("past_due", True),
        ("paused", False),
        ("canceled", False),
        ("expired", False),
    ],
)
def test_access_follows_the_table(page: Page, status: str, granted: bool) -> None:
    page.run()
    page.sandbox.state.subscriptions[501].status = Status(status)

    async def ask() -> object:
        async with rmz_async.Client() as rmz:
            return await page["has_access"](rmz.with_options(timeout=2), "usr_abc123")

    assert page.wait(ask()) is granted
    assert rmz_async.SubscriptionStatus(status).grants_access is granted


def test_the_address_of_the_portal_opens(page: Page) -> None:
    page.run()

    async def open_it() -> Any:
        async with rmz_async.Client() as rmz:
            return await page["open_portal"](rmz)

    assert httpx.get(page.wait(open_it()), trust_env=False).status_code == 200


def test_an_apology_adds_a_week_and_a_cancellation_keeps_access(page: Page) -> None:
    page.run()

    async def change() -> None:
        async with rmz_async.Client() as rmz:
            before = await rmz.subscriptions.get(508)
            await page["a_week_as_an_apology"](rmz, 508)
            await page["stop_at_the_end"](rmz, 508)
            after = await rmz.subscriptions.get(508)
            assert before.current_period_end
            assert after.current_period_end
            assert (after.current_period_end - before.current_period_end).days == 7
            assert after.grants_access
            assert after.cancel_at_period_end

    page.wait(change())


def test_a_number_of_a_single_field_is_split(page: Page) -> None:
    page.run()

    assert page.printed == ["966 512345678"]


@pytest.mark.parametrize(
    "typed", ["0512345678", "٥١٢ ٣٤٥ ٦٧٨", "+966 51-234-5678", "00966512345678"]
)
def test_every_way_to_type_a_number_finds_the_same_customer(page: Page, typed: str) -> None:
    async def portal() -> None:
        async with rmz_async.Client() as rmz:
            phone = rmz_async.PhoneNumber(country_code="966", phone=typed)
            await rmz.portal_sessions.create(customer=phone)

    customers = len(page.sandbox.state.customers)
    page.wait(portal())
    (session,) = page.sandbox.state.portal_sessions.values()
    assert session.customer_id == 4501
    assert len(page.sandbox.state.customers) == customers
