from __future__ import annotations

from typing import Any

import httpx
import pytest

from rmz_async.sandbox import Sandbox

pytestmark = pytest.mark.anyio

URL = "/subscriptions/checkout-sessions"


async def test_session_lives_seven_minutes(
    api: httpx.AsyncClient, sandbox: Sandbox, order: dict[str, Any]
) -> None:
    """A session has an id, an address on this server, and an end; no subscription yet."""
    before = len(sandbox.state.subscriptions)
    answer = await api.post(URL, json=order)
    assert answer.status_code == 200
    (session,) = sandbox.state.checkout_sessions.values()
    assert answer.json()["message"] is None
    assert answer.json()["data"] == {
        "session_id": session.id,
        "checkout_url": f"http://127.0.0.1/checkout/{session.key}",
        "expires_at": "2025-06-01T12:07:00.000000Z",
    }
    assert session.id.startswith("cs_")
    assert len(session.key) == 26
    assert len(sandbox.state.subscriptions) == before


async def test_two_requests_make_two_sessions(
    api: httpx.AsyncClient, order: dict[str, Any]
) -> None:
    """The same request again makes another session."""
    first = (await api.post(URL, json=order)).json()["data"]
    second = (await api.post(URL, json=order)).json()["data"]
    assert first["session_id"] != second["session_id"]
    assert first["checkout_url"] != second["checkout_url"]


async def test_new_customer_is_made_and_then_matched(
    api: httpx.AsyncClient, sandbox: Sandbox, order: dict[str, Any]
) -> None:
    """Dial code and phone make a customer once; the next time they match, and nothing changes."""
    await api.post(URL, json=order)
    order["customer"] |= {"country_code": "+965", "firstName": "Someone"}
    await api.post(URL, json=order)
    assert {session.customer_id for session in sandbox.state.checkout_sessions.values()} == {4504}
    customer = sandbox.state.customers[4504]
    assert (customer.name, customer.email) == ("Sara Omar", "sara@example.com")
    assert (customer.country_code, customer.phone) == ("965", "99887766")
    assert len(sandbox.state.customers) == 4


async def test_leading_plus_is_not_kept(
    api: httpx.AsyncClient, sandbox: Sandbox, order: dict[str, Any]
) -> None:
    """A new customer's dial code is stored without its plus."""
    order["customer"]["country_code"] = "+965"
    await api.post(URL, json=order)
    assert sandbox.state.customers[4504].country_code == "965"


async def test_a_known_customer_is_named_by_id_alone(
    api: httpx.AsyncClient, sandbox: Sandbox, order: dict[str, Any]
) -> None:
    """With an id, every other field of the customer is ignored."""
    order["customer"] = {"id": 4501, "phone": 5, "email": "nonsense"}
    assert (await api.post(URL, json=order)).status_code == 200
    (session,) = sandbox.state.checkout_sessions.values()
    assert session.customer_id == 4501


@pytest.mark.parametrize(
    ("product_id", "variant_id", "message"),
    [
        (999, 15, "Product not found: 999"),
        (101, 15, "Product not found: 101"),
        (102, 999, "Variant not found: 999"),
        (102, 20, "Variant not found: 20"),
    ],
)
async def test_offer_must_exist(
    api: httpx.AsyncClient, order: dict[str, Any], product_id: int, variant_id: int, message: str
) -> None:
    """A product that is no subscription, or another product's variant, is a 404."""
    answer = await api.post(URL, json=order | {"product_id": product_id, "variant_id": variant_id})
    assert answer.status_code == 404
    assert answer.json()["message"] == message


async def test_unknown_customer_id_is_a_wrong_field(
    api: httpx.AsyncClient, order: dict[str, Any]
) -> None:
    """The endpoint documents no 404 for a customer: an unknown id is a 422."""
    for wrong, reason in (
        (99, "The selected customer.id is invalid."),
        ("x", "The customer.id field must be an integer."),
    ):
        answer = await api.post(URL, json=order | {"customer": {"id": wrong}})
        assert answer.status_code == 422
        assert reason in answer.json()["errors"]["customer.id"]


async def test_everything_that_is_missing_is_named(api: httpx.AsyncClient) -> None:
    """An empty body names every required field by its dotted path."""
    answer = await api.post(URL, json={})
    assert answer.status_code == 422
    assert answer.json() == {
        "message": "The given data was invalid.",
        "errors": {
            "product_id": ["The product id field is required."],
            "variant_id": ["The variant id field is required."],
            "success_url": ["The success url field is required."],
            "cancel_url": ["The cancel url field is required."],
            "customer": ["The customer field is required."],
            "customer.country_code": ["The customer.country code field is required."],
            "customer.phone": ["The customer.phone field is required."],
            "customer.firstName": ["The customer.firstName field is required."],
            "customer.lastName": ["The customer.lastName field is required."],
            "customer.email": ["The customer.email field is required."],
        },
    }


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("phone", "1234", "The customer.phone field must be between 5 and 15 digits."),
        ("phone", "1" * 16, "The customer.phone field must be between 5 and 15 digits."),
        ("phone", "12-345", "The customer.phone field must be between 5 and 15 digits."),
        ("phone", "٥١٢٣٤٥٦", "The customer.phone field must be between 5 and 15 digits."),
        ("phone", 512345678, "The customer.phone field must be a string."),
        (
            "country_code",
            "123456",
            "The customer.country code field must not be greater than 5 characters.",
        ),
        ("email", "sara", "The customer.email field must be a valid email address."),
        (
            "firstName",
            "x" * 192,
            "The customer.firstName field must not be greater than 191 characters.",
        ),
        ("lastName", "  ", "The customer.lastName field is required."),
    ],
)
async def test_new_customers_fields_are_checked(
    api: httpx.AsyncClient,
    sandbox: Sandbox,
    order: dict[str, Any],
    field: str,
    value: object,
    reason: str,
) -> None:
    """A wrong field is named, and no customer is made."""
    order["customer"][field] = value
    answer = await api.post(URL, json=order)
    assert answer.status_code == 422
    assert list(answer.json()["errors"].values()) == [[reason]]
    assert len(sandbox.state.customers) == 3


async def test_customer_must_be_an_object(api: httpx.AsyncClient, order: dict[str, Any]) -> None:
    """A bare id in place of the object is refused."""
    answer = await api.post(URL, json=order | {"customer": 4501})
    assert answer.json()["errors"]["customer"] == ["The customer field must be an array."]


@pytest.mark.parametrize(
    "wrong",
    [
        "app.example/ok",
        "/ok",
        "javascript:alert(1)",
        "https://",
        "https://[::1",
        "https://app.example/a b",
        "https://app.example/\x00",
    ],
)
async def test_urls_must_be_absolute_and_http(
    api: httpx.AsyncClient, order: dict[str, Any], wrong: str
) -> None:
    """The customer is sent back to an http or https URL."""
    answer = await api.post(URL, json=order | {"success_url": wrong, "cancel_url": wrong})
    assert answer.status_code == 422
    assert answer.json()["errors"] == {
        "success_url": ["The success url field must be a valid URL."],
        "cancel_url": ["The cancel url field must be a valid URL."],
    }


@pytest.mark.parametrize(
    ("metadata", "errors"),
    [
        ("text", {"metadata": ["The metadata field must be an array."]}),
        (["a"], {"metadata": ["The metadata field must be an array."]}),
        (
            {f"key{number}": "" for number in range(21)},
            {"metadata": ["The metadata field must not have more than 20 items."]},
        ),
        (
            {"plan": "x" * 501},
            {"metadata.plan": ["The metadata.plan field must not be greater than 500 characters."]},
        ),
        ({"plan": 1.5}, {"metadata.plan": ["The metadata.plan field must be a string."]}),
    ],
)
async def test_metadata_is_a_small_object_of_strings(
    api: httpx.AsyncClient, order: dict[str, Any], metadata: object, errors: dict[str, list[str]]
) -> None:
    """At most 20 strings of at most 500 characters."""
    answer = await api.post(URL, json=order | {"metadata": metadata})
    assert answer.status_code == 422
    assert answer.json()["errors"] == errors


@pytest.mark.parametrize(
    ("metadata", "kept"),
    [
        ({f"key{number}": "x" * 500 for number in range(20)},) * 2,
        ([], {}),
        ({}, {}),
        (None, None),
    ],
)
async def test_metadata_is_kept(
    api: httpx.AsyncClient, sandbox: Sandbox, order: dict[str, Any], metadata: object, kept: object
) -> None:
    """Valid metadata are kept as they were sent, and PHP's empty list is an empty object."""
    answer = await api.post(URL, json=order | {"metadata": metadata})
    assert answer.status_code == 200
    (session,) = sandbox.state.checkout_sessions.values()
    assert session.metadata == kept


async def test_external_customer_id_has_a_bound(
    api: httpx.AsyncClient, sandbox: Sandbox, order: dict[str, Any]
) -> None:
    """191 characters are kept and 192 refused."""
    fits = "u" * 191
    assert (await api.post(URL, json=order | {"external_customer_id": fits})).status_code == 200
    (session,) = sandbox.state.checkout_sessions.values()
    assert session.external_customer_id == fits
    answer = await api.post(URL, json=order | {"external_customer_id": fits + "u"})
    assert list(answer.json()["errors"]) == ["external_customer_id"]
