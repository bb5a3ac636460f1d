"""Plans by name, so that no id stands in a program."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import anyio
import pytest

import rmz_sync.sandbox
from rmz_async import ConfigurationError, Duration, Plan, PlanNotFoundError, Plans
from rmz_async.models import Product, ProductVariant
from rmz_async.plans import _plans_of
from rmz_async.sandbox import Sandbox


def plan(variant_id: int, slug: str = "pro-plan", duration: str = "monthly") -> Plan:
    """Make a plan."""
    return Plan(
        product_id=102,
        variant_id=variant_id,
        slug=slug,
        name="Pro",
        duration=Duration(duration),
        price=Decimal("19.99"),
        trial_days=0,
    )


@pytest.mark.anyio
async def test_the_plans_of_a_store_are_read_once() -> None:
    """The list costs a request, and so does each product that is subscribed to."""
    async with Sandbox(throttle=False) as sandbox, sandbox.client() as rmz:
        plans = await rmz.plans()
        found = plans["pro-plan", "annually"]
        assert (found.product_id, found.variant_id, found.price) == (102, 15, Decimal("199.99"))
        asked = len(sandbox.requests)
        assert await rmz.with_options(timeout=5).plans() is plans
        assert len(sandbox.requests) == asked
        assert await rmz.plans(max_age=0) is not plans
        assert {each.slug for each in plans} == {"pro-plan", "business", "starter-plan"}


@pytest.mark.anyio
async def test_those_who_ask_at_the_same_time_share_one_reading() -> None:
    """Else the first visitors after a start would spend a part of the minute each."""
    async with Sandbox(throttle=False) as sandbox, sandbox.client() as rmz:
        found: list[Plans] = []

        async def ask() -> None:
            found.append(await rmz.plans())

        async with anyio.create_task_group() as tasks:
            for _ in range(5):
                tasks.start_soon(ask)
        asked = len(sandbox.requests)
        assert len({id(plans) for plans in found}) == 1
        await rmz.plans(max_age=0)
        assert len(sandbox.requests) == 2 * asked


@pytest.mark.anyio
async def test_those_who_ask_at_the_same_time_share_a_failure() -> None:
    """Else each would read again after the one before, and the last would wait for all of them."""
    asked: list[str] = []

    async def no_token() -> str:
        asked.append("for a token")
        await anyio.wait_all_tasks_blocked()
        raise LookupError

    async def ask() -> None:
        with pytest.raises(LookupError):
            await rmz.plans()

    async with Sandbox(throttle=False) as sandbox, sandbox.client(token=no_token) as rmz:
        async with anyio.create_task_group() as tasks:
            for _ in range(5):
                tasks.start_soon(ask)
        assert len(asked) == 1
        # A failure is not kept: the next caller reads again.
        await ask()
        assert len(asked) == 2


@pytest.mark.anyio
@pytest.mark.parametrize("age", [-1, 86_401, float("nan"), float("inf"), True, None, "5"])
async def test_plans_are_kept_for_a_day_at_most(age: Any) -> None:
    """Prices change."""
    async with Sandbox(throttle=False) as sandbox, sandbox.client() as rmz:
        with pytest.raises(ConfigurationError, match=r"^max_age: must be 0 to 86400 seconds"):
            await rmz.plans(max_age=age)


def test_code_that_cannot_await_has_the_same_plans() -> None:
    """Over the portal."""
    with rmz_sync.sandbox.Sandbox(throttle=False) as sandbox, sandbox.client() as rmz:
        assert rmz.plans()["pro-plan", Duration.MONTHLY].variant_id == 14


def test_a_wrong_name_is_refused_with_those_that_are_near() -> None:
    """As a ``KeyError`` that reads like a sentence."""
    plans = Plans([plan(1), plan(2, duration="annually")])

    with pytest.raises(PlanNotFoundError, match="the nearest are: pro-plan, monthly") as caught:
        plans["pro-plam", "monthly"]
    assert isinstance(caught.value, KeyError)
    assert str(caught.value).startswith("plans: the store has no plan pro-plam, monthly;")
    with pytest.raises(PlanNotFoundError, match="its plans are: pro-plan, monthly; pro-plan"):
        plans["zzz", "qqq"]


def test_two_plans_of_one_name_are_told_apart_by_their_variant() -> None:
    """The message names both."""
    plans = Plans([plan(1), plan(2)])

    with pytest.raises(PlanNotFoundError, match="variants 1, 2"):
        plans["pro-plan", "monthly"]
    assert plans.variant(2).variant_id == 2
    with pytest.raises(PlanNotFoundError, match="variant 3"):
        plans.variant(3)
    assert len(plans.of("pro-plan")) == len(plans) == 2
    assert plans.of("other") == ()
    assert repr(plans) == "<Plans: pro-plan/monthly, pro-plan/monthly>"


@pytest.mark.anyio
async def test_a_duration_in_days_has_its_name() -> None:
    """RMZ keeps the duration with which a product was made."""
    async with Sandbox(throttle=False) as sandbox, sandbox.client() as rmz:
        sandbox.switches.duration_in_days = True
        plans = await rmz.plans()

    assert {each.duration for each in plans} == set(Duration)


def test_a_new_duration_stays_as_it_came() -> None:
    product = Product(
        id=102,
        slug="pro-plan",
        subscription_variants=(
            ProductVariant(id=1, duration=Duration.ANNUALLY),
            ProductVariant(id=2, duration="45"),
            ProductVariant(id=3),
        ),
    )
    assert [each.duration for each in _plans_of(product)] == [Duration.ANNUALLY, "45", ""]
    assert list(_plans_of(Product(id=1))) == []
