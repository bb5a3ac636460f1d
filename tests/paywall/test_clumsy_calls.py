"""A paywall that is called wrongly says so, and lets nobody in by mistake."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

import rmz_async
import rmz_sync
import rmz_sync.sandbox
from rmz_async import ConfigurationError, InvalidRequestError, Paywall, PlanNotFoundError, Plans
from rmz_async.paywall import Reason
from rmz_async.sandbox import Sandbox

pytestmark = pytest.mark.anyio

CUSTOMER = 4501


def client_that_finds(*names: str | None) -> rmz_async.Client:
    """Return a client whose lookups all find an active subscription of each of these users."""
    found = [
        {"id": 501 + place, "status": "active", "external_customer_id": name}
        for place, name in enumerate(names)
    ]
    data = {"count": len(found), "has_active": True, "subscriptions": found}
    answer = {"message": None, "data": data, "api": "rmz.shawarma", "timestamp": 1767225600}
    transport = httpx.MockTransport(lambda _: httpx.Response(200, json=answer))
    return rmz_async.Client("1|a-token", http=httpx.AsyncClient(transport=transport))


@pytest.mark.parametrize("name", ["AbC", "abC", "abc2"])
async def test_a_user_whose_name_is_written_alike_is_another_user(name: str) -> None:
    """A database may ignore the case of letters, and ids that are told apart by it are common."""
    access = await Paywall(client_that_finds(name)).check("aBc")

    assert (access.granted, access.reason) == (False, Reason.NO_SUBSCRIPTION)


@pytest.mark.parametrize("names", [("AbC", "aBc"), (None,), (" aBc",)])
async def test_the_subscription_of_the_user_grants_access(names: tuple[str | None, ...]) -> None:
    """RMZ removes blanks, and an answer that names nobody is believed."""
    access = await Paywall(client_that_finds(*names)).check("aBc")

    assert access.granted


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"product_ids": 102}, "product_ids"),
        ({"product_ids": "102"}, "product_ids"),
        ({"policy": 5}, "policy"),
    ],
)
def test_a_single_product_is_refused_with_an_example(options: dict[str, Any], named: str) -> None:
    with pytest.raises(ConfigurationError, match=f"^{named}: must be"):
        Paywall(rmz_async.Client("1|a-token"), **options)


async def test_a_single_user_is_not_asked_for_letter_by_letter() -> None:
    """Each letter would be a user who cost a request."""
    async with Sandbox(throttle=False) as sandbox, sandbox.client() as rmz:
        with pytest.raises(InvalidRequestError, match=r"^users: "):
            await Paywall(rmz).check_many("usr_abc123")
        assert not sandbox.requests


def test_a_single_user_is_refused_without_await_too() -> None:
    with rmz_sync.sandbox.Sandbox() as sandbox, sandbox.client() as rmz:
        paywall = rmz_sync.Paywall(rmz)
        with pytest.raises(InvalidRequestError, match=r"^users: "):
            paywall.check_many("usr_abc123")
        assert list(paywall.check_many(user for user in ["usr_abc123"])) == ["usr_abc123"]


@pytest.mark.parametrize("plan", ["pro-plan", ("pro-plan", "annually"), None])
async def test_a_checkout_of_no_plan_is_refused_with_an_example(plan: Any) -> None:
    paywall = Paywall(rmz_async.Client("1|a-token"))
    with pytest.raises(InvalidRequestError, match=r"^plan: must be a plan, such as plans\["):
        await paywall.start(
            "noura",
            plan=plan,
            customer=CUSTOMER,
            success_url="https://app.example/ok",
            cancel_url="https://app.example/no",
        )


@pytest.mark.parametrize("name", ["pro-plan", "", 102, None, ("pro-plan",), ("a", "b", "c")])
def test_a_plan_without_its_duration_is_refused_with_an_example(name: Any) -> None:
    with pytest.raises(PlanNotFoundError, match=r"a product and a duration, such as plans\["):
        Plans([])[name]


async def test_a_query_may_be_the_bytes_of_an_address() -> None:
    """ASGI has the query as bytes."""
    async with Sandbox(throttle=False) as sandbox, sandbox.client() as rmz:
        assert await Paywall(rmz).confirm(b"rmz-subscription-id=501", user="usr_abc123")


@pytest.mark.parametrize("query", [None, 501, [("rmz-subscription-id", "501")]])
async def test_a_query_of_another_form_is_the_callers_mistake(query: Any) -> None:
    """A customer must not be told that nothing was bought."""
    with pytest.raises(ConfigurationError, match=r"^query: "):
        await Paywall(rmz_async.Client("1|a-token")).confirm(query, user="noura")


async def test_a_client_of_the_other_package_is_refused() -> None:
    blocking: Any = rmz_sync.Client("1|a-token")
    client: Any = rmz_async.Client("1|a-token")

    with pytest.raises(ConfigurationError, match="rmz: must be a Client of rmz_async"):
        Paywall(blocking)
    with pytest.raises(ConfigurationError, match="rmz: must be a Client of rmz_sync"):
        rmz_sync.Paywall(client)
    blocking.close()


async def test_an_object_that_is_no_cache_is_refused() -> None:
    no_cache: Any = object()

    with pytest.raises(ConfigurationError, match="shared: must have the methods of AccessCache"):
        Paywall(client_that_finds("a"), shared=no_cache)
