from __future__ import annotations

from typing import Any

import httpx
import pydantic
import pytest
import yarl

from rmz_async import InvalidRequestError, NewCustomer, PhoneNumber, operations
from rmz_async.models import CheckoutSession, PortalSession
from rmz_async.resources.checkout_sessions import CheckoutSessions
from rmz_async.resources.portal_sessions import PortalSessions

pytestmark = pytest.mark.anyio

CHECKOUT: dict[str, Any] = {
    "product_id": 102,
    "variant_id": 15,
    "customer": 4501,
    "success_url": "https://app.example/ok",
    "cancel_url": "https://app.example/no",
}
SARA = NewCustomer(
    country_code="+965", phone="99887766", first_name="Sara", last_name="Omar", email="s@o.kw"
)


async def test_a_checkout_needs_a_customer_a_plan_and_two_addresses(recorder: Any) -> None:
    """A known customer, a plan and two addresses are enough."""
    found = await recorder.make(CheckoutSessions).create(**CHECKOUT)

    call = recorder.only
    assert found is recorder.answer
    assert call.operation is operations.CHECKOUT_SESSIONS_CREATE
    assert call.returns is CheckoutSession
    assert (call.object_id, call.query, call.settlement) == (None, {}, None)
    assert call.body == {
        **CHECKOUT,
        "customer": {"id": 4501},
        "metadata": None,
        "external_customer_id": None,
    }


async def test_all_options_of_a_checkout_are_sent(recorder: Any) -> None:
    """A new customer, metadata and the caller's own name for the customer are passed on."""
    metadata = {"plan": "pro", "seats": "3"}
    await recorder.make(CheckoutSessions).create(
        **{**CHECKOUT, "customer": SARA}, metadata=metadata, external_customer_id="usr_1"
    )

    body = recorder.only.body
    assert body["customer"] == {
        "country_code": "965",
        "phone": "99887766",
        "firstName": "Sara",
        "lastName": "Omar",
        "email": "s@o.kw",
    }
    assert body["metadata"] == metadata
    assert body["metadata"] is not metadata
    assert body["external_customer_id"] == "usr_1"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"product_id": 0}, "product_id"),
        ({"product_id": "102"}, "product_id"),
        ({"variant_id": True}, "variant_id"),
        ({"customer": -1}, "customer"),
        ({"customer": PhoneNumber(country_code="966", phone="512345678")}, "customer"),
        ({"success_url": "/ok"}, "success_url"),
        ({"cancel_url": "javascript:x"}, "cancel_url"),
        ({"metadata": {"k": None}}, "metadata.k"),
        ({"metadata": {str(number): "" for number in range(21)}}, "metadata"),
        ({"external_customer_id": ""}, "external_customer_id"),
        ({"external_customer_id": "x" * 192}, "external_customer_id"),
    ],
)
async def test_a_fault_of_a_checkout_is_refused(
    recorder: Any, change: dict[str, Any], field: str
) -> None:
    """Each field is checked, and nothing is sent."""
    with pytest.raises(InvalidRequestError, match=r"^checkout_sessions\.create was not") as caught:
        await recorder.make(CheckoutSessions).create(**{**CHECKOUT, **change})

    assert list(caught.value.errors) == [field]
    assert recorder.calls == []


async def test_a_portal_session_needs_a_customer_only(recorder: Any) -> None:
    """A customer is enough."""
    found = await recorder.make(PortalSessions).create(customer=4501)

    call = recorder.only
    assert found is recorder.answer
    assert call.operation is operations.PORTAL_SESSIONS_CREATE
    assert call.returns is PortalSession
    assert (call.object_id, call.query, call.settlement) == (None, {}, None)
    assert call.body == {"customer": {"id": 4501}, "return_url": None, "expires_in": None}


@pytest.mark.parametrize("expires_in", [300, 86_400])
async def test_all_options_of_a_portal_session_are_sent(recorder: Any, expires_in: int) -> None:
    """A phone number, the way back and the time are passed on."""
    await recorder.make(PortalSessions).create(
        customer=PhoneNumber(country_code="+966", phone="512345678"),
        return_url="https://app.example/account",
        expires_in=expires_in,
    )

    assert recorder.only.body == {
        "customer": {"country_code": "966", "phone": "512345678"},
        "return_url": "https://app.example/account",
        "expires_in": expires_in,
    }


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"customer": "4501"}, "customer"),
        ({"customer": SARA}, "customer"),
        ({"return_url": "account"}, "return_url"),
        ({"return_url": ""}, "return_url"),
        ({"expires_in": 299}, "expires_in"),
        ({"expires_in": 86_401}, "expires_in"),
        ({"expires_in": 0}, "expires_in"),
        ({"expires_in": True}, "expires_in"),
    ],
)
async def test_a_fault_of_a_portal_session_is_refused(
    recorder: Any, change: dict[str, Any], field: str
) -> None:
    """Each field is checked, and nothing is sent."""
    with pytest.raises(InvalidRequestError, match=r"^portal_sessions\.create was not") as caught:
        await recorder.make(PortalSessions).create(**{"customer": 4501, **change})

    assert list(caught.value.errors) == [field]
    assert recorder.calls == []


@pytest.mark.parametrize("kind", [httpx.URL, pydantic.HttpUrl, yarl.URL])
async def test_addresses_may_be_url_objects(recorder: Any, kind: Any) -> None:
    """They are sent as they are written."""
    paid, left = kind("https://app.example/ok?a=1"), kind("https://app.example/no")
    await recorder.make(CheckoutSessions).create(
        **{**CHECKOUT, "success_url": paid, "cancel_url": left}
    )
    sent = recorder.only.body
    assert (sent["success_url"], sent["cancel_url"]) == (str(paid), str(left))


@pytest.mark.parametrize("kind", [httpx.URL, pydantic.AnyUrl, yarl.URL])
async def test_url_objects_keep_the_rules_of_addresses(recorder: Any, kind: Any) -> None:
    """A browser is redirected to them."""
    with pytest.raises(InvalidRequestError, match="return_url"):
        await recorder.make(PortalSessions).create(customer=4501, return_url=kind("ftp://a/b"))
