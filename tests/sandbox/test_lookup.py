from __future__ import annotations

from typing import Any

import attrs
import httpx
import pytest

from rmz_async.sandbox import Sandbox

pytestmark = pytest.mark.anyio


async def looked_up(api: httpx.AsyncClient, **query: str) -> Any:
    """Look someone up, and return the data."""
    answer = await api.get("/subscriptions/lookup", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


async def test_an_external_id_finds_one_subscription(api: httpx.AsyncClient) -> None:
    """The merchant's own id finds the one subscription, without the keys that lookups lack."""
    found = await looked_up(api, external_customer_id="usr_abc123")
    whole = (await api.get("/subscriptions/501")).json()["data"]
    assert (found["count"], found["has_active"]) == (1, True)
    (row,) = found["subscriptions"]
    assert whole.keys() - row.keys() == {"payment_method", "scheduled_variant"}
    assert row == {key: whole[key] for key in row}


async def test_nothing_found_is_no_error(api: httpx.AsyncClient) -> None:
    """An unknown user has no subscriptions, and the answer is a 200."""
    found = await looked_up(api, external_customer_id="usr_nobody")
    assert found == {"count": 0, "has_active": False, "subscriptions": []}


@pytest.mark.parametrize(
    ("external_customer_id", "shown", "has_active"),
    [
        ("usr_trialing", True, True),
        ("usr_ending", True, True),
        ("usr_past_due", False, False),
        ("usr_paused", False, False),
        ("usr_canceled", False, False),
        ("usr_expired", False, False),
    ],
)
async def test_only_current_ones_show_unless_asked(
    api: httpx.AsyncClient, external_customer_id: str, shown: bool, has_active: bool
) -> None:
    """Past due and ended ones show only with include_inactive, and never count as active."""
    usual = await looked_up(api, external_customer_id=external_customer_id)
    assert (usual["count"], usual["has_active"]) == (int(shown), has_active)
    every = await looked_up(api, external_customer_id=external_customer_id, include_inactive="1")
    assert (every["count"], every["has_active"]) == (1, has_active)


@pytest.mark.parametrize("flag", ["0", "false", ""])
async def test_include_inactive_can_be_said_not_to_be(api: httpx.AsyncClient, flag: str) -> None:
    """A flag that is off is as none."""
    found = await looked_up(api, external_customer_id="usr_paused", include_inactive=flag)
    assert found["count"] == 0


async def test_include_inactive_understands_true(api: httpx.AsyncClient) -> None:
    """The flag may be written as a word."""
    found = await looked_up(api, external_customer_id="usr_paused", include_inactive="true")
    assert found["count"] == 1


@pytest.mark.parametrize(
    "query",
    [
        {"email": "ahmed@example.com"},
        {"phone": "512345678", "country_code": "966"},
        {"phone": "512345678", "country_code": "+966"},
        {"phone": "512345678"},
    ],
)
async def test_email_or_phone_finds_the_customers_subscriptions(
    api: httpx.AsyncClient, query: dict[str, str]
) -> None:
    """Email or phone find a customer's subscriptions, newest first; a leading + is no matter."""
    found = await looked_up(api, **query)
    assert [row["id"] for row in found["subscriptions"]] == [*range(531, 504, -3), 501]


async def test_all_that_is_sent_must_match(api: httpx.AsyncClient) -> None:
    """A phone of another country, or another's email, finds nothing."""
    assert (await looked_up(api, phone="512345678", country_code="973"))["count"] == 0
    both = {"external_customer_id": "usr_abc123", "email": "noura@example.com"}
    assert (await looked_up(api, **both))["count"] == 0


async def test_all_that_can_be_sent_at_once(api: httpx.AsyncClient) -> None:
    """Every identifier together still finds the one."""
    found = await looked_up(
        api,
        external_customer_id="usr_abc123",
        email="ahmed@example.com",
        country_code="966",
        phone="512345678",
        product_id="102",
    )
    assert found["count"] == 1


async def test_a_product_narrows_the_lookup(api: httpx.AsyncClient) -> None:
    """A product narrows the lookup down."""
    query = {"external_customer_id": "usr_abc123"}
    assert (await looked_up(api, **query, product_id="102"))["count"] == 1
    assert (await looked_up(api, **query, product_id="103"))["count"] == 0


async def test_lookup_ends_at_fifty(api: httpx.AsyncClient, sandbox: Sandbox) -> None:
    """However many there are, 50 are sent."""
    known = sandbox.state.subscriptions[501]
    for number in range(1001, 1061):
        sandbox.state.subscriptions[number] = attrs.evolve(known, id=number)
    found = await looked_up(api, external_customer_id="usr_abc123")
    assert found["count"] == len(found["subscriptions"]) == 50


@pytest.mark.parametrize(
    "query", [{}, {"country_code": "966"}, {"product_id": "102"}, {"email": " "}]
)
async def test_lookup_needs_someone(api: httpx.AsyncClient, query: dict[str, str]) -> None:
    """Without an id, an email or a phone there is no customer to look up."""
    answer = await api.get("/subscriptions/lookup", params=query)
    assert answer.status_code == 422
    assert answer.json()["message"] == (
        "At least one of external_customer_id, email, or phone is required"
    )
    assert answer.json()["error"] is True


async def test_lookup_names_every_wrong_field(api: httpx.AsyncClient) -> None:
    """Fields that are too long or of a wrong form are refused together, in Laravel's words."""
    query = {
        "external_customer_id": "x" * 192,
        "email": "nonsense",
        "phone": "1" * 16,
        "country_code": "123456",
        "product_id": "1.5",
        "include_inactive": "yes",
    }
    answer = await api.get("/subscriptions/lookup", params=query)
    assert answer.status_code == 422
    assert answer.json() == {
        "message": "The given data was invalid.",
        "errors": {
            "external_customer_id": [
                "The external customer id field must not be greater than 191 characters."
            ],
            "email": ["The email field must be a valid email address."],
            "phone": ["The phone field must not be greater than 15 characters."],
            "country_code": ["The country code field must not be greater than 5 characters."],
            "product_id": ["The product id field must be an integer."],
            "include_inactive": ["The include inactive field must be true or false."],
        },
    }
