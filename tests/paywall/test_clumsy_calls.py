"""A paywall that is called wrongly says so, and lets nobody in by mistake."""

from __future__ import annotations

import math
from datetime import datetime
from typing import Any

import httpx
import pytest
from multidict import MultiDict
from yarl import URL

import rmz_async
import rmz_sync
import rmz_sync.sandbox
from rmz_async import ConfigurationError, InvalidRequestError, Paywall, PlanNotFoundError, Plans
from rmz_async.paywall import NotYet, PaywallDouble, Reason
from rmz_async.sandbox import Sandbox

pytestmark = pytest.mark.anyio

CUSTOMER = 4501
SECRET = "an-example-secret-0123456789"


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
    """A database may ignore the case of letters, and ids that differ only by it are common."""
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


@pytest.mark.parametrize(
    "query",
    [
        "rmz-subscription-id=501&next=/a?b=1",
        "https://app.example/ok?a=b?c&rmz-subscription-id=501",
        "/ok?rmz-subscription-id=501",
        "?rmz-subscription-id=501",
        {"rmz-subscription-id": [b"501"]},
        {"rmz-subscription-id": b"501"},
        MultiDict({"rmz-subscription-id": b"501"}),
    ],
)
async def test_a_query_may_be_a_part_of_an_address_or_have_bytes(query: Any) -> None:
    """A query may have question marks of its own, and Tornado's has bytes."""
    async with Sandbox(throttle=False) as sandbox, sandbox.client() as rmz:
        assert await Paywall(rmz).confirm(query, user="usr_abc123")


@pytest.mark.parametrize("user", [" usr_abc123", "usr_abc123\t"])
async def test_a_user_whose_name_ends_in_blanks_is_confirmed(user: str) -> None:
    """RMZ removes them, and a check finds the user, too."""
    async with Sandbox(throttle=False) as sandbox, sandbox.client() as rmz:
        paywall = Paywall(rmz)
        assert await paywall.confirm("rmz-subscription-id=501", user=user)
        assert await paywall.check(user)


@pytest.mark.parametrize("wait", [math.nan, math.inf, -1, "8", None, True])
async def test_a_wait_that_would_not_end_is_refused(wait: Any) -> None:
    """NaN would have RMZ asked again and again."""
    message = r"^wait: must be a finite number of seconds, 0 or more$"
    with pytest.raises(ConfigurationError, match=message):
        await Paywall(client_that_finds()).confirm(b"", user="noura", wait=wait)


@pytest.mark.parametrize("query", [None, 501, [("rmz-subscription-id", "501")]])
async def test_a_query_of_another_form_is_the_callers_mistake(query: Any) -> None:
    """A customer must not read that nothing was bought."""
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

    with pytest.raises(ConfigurationError, match=r"^shared: must have the methods of AccessCache$"):
        Paywall(client_that_finds("a"), shared=no_cache)


@pytest.mark.parametrize("address", ["http://[bad", "ok", None, 5, b"https://app.example/ok"])
async def test_a_signed_address_that_is_none_is_refused(address: Any) -> None:
    """Before it is signed, with the same words as without a signature."""
    async with Sandbox(throttle=False) as sandbox, sandbox.client() as rmz:
        plan = (await rmz.plans())["pro-plan", "annually"]
        with pytest.raises(InvalidRequestError, match="success_url must be an absolute http"):
            await Paywall(rmz, state_secret=SECRET).start(
                "noura",
                plan=plan,
                customer=CUSTOMER,
                success_url=address,
                cancel_url="https://app.example/no",
            )


async def test_a_signed_address_may_be_a_frameworks_own_object() -> None:
    """Without a signature, RMZ gets it as a string, too."""
    address: Any = URL("https://app.example/ok")
    async with Sandbox(throttle=False) as sandbox, sandbox.client() as rmz:
        plan = (await rmz.plans())["pro-plan", "annually"]
        session = await Paywall(rmz, state_secret=SECRET).start(
            "noura",
            plan=plan,
            customer=CUSTOMER,
            success_url=address,
            cancel_url="https://app.example/no",
        )
    assert session.checkout_url


async def test_a_confirmation_that_no_wait_mends_is_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The customer is asked to wait, and the shop has a wrong token."""
    async with Sandbox(throttle=False) as sandbox, sandbox.client(token="1|wrong") as rmz:
        outcome = await Paywall(rmz).confirm("rmz-subscription-id=501", user="usr_abc123")

    assert isinstance(outcome, NotYet)
    assert [record.levelname for record in caplog.records if "confirm" in record.message] == [
        "ERROR"
    ]


def test_a_double_grants_until_a_time_with_a_zone() -> None:
    """The check would fail, and not the grant that is wrong."""
    with pytest.raises(ConfigurationError, match=r"^until: must be an aware time"):
        PaywallDouble().grant("noura", until=datetime(2026, 2, 1))  # noqa: DTZ001 - the mistake
