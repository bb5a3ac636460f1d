from __future__ import annotations

from typing import Any

import httpx
import pytest

from rmz_async.sandbox import Sandbox

pytestmark = pytest.mark.anyio

NEW = {
    "country_code": "965",
    "phone": "99887766",
    "firstName": "Sara",
    "lastName": "Omar",
    "email": "sara@example.com",
}
KEY = {"identifier_type": "id", "identifier": 101, "quantity": 1}


async def test_empty_body_lacks_what_is_required(api: httpx.AsyncClient) -> None:
    """Only the shop and the products must be there."""
    answer = await api.post("/orders", json={})
    assert answer.status_code == 422
    assert answer.json() == {
        "message": "The given data was invalid.",
        "errors": {
            "created_from": ["The created from field is required."],
            "products": ["The products field is required."],
        },
    }


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"created_from": 5}, "created_from"),
        ({"created_from": "myapp"}, "created_from"),
        ({"created_from": "https://myapp.com"}, "created_from"),
        ({"created_from": "my app.com"}, "created_from"),
        ({"created_from": "-myapp.com"}, "created_from"),
        ({"products": []}, "products"),
        ({"products": "101"}, "products"),
        ({"products": {"0": KEY}}, "products"),
        ({"products": [KEY | {"identifier_type": "sku"}]}, "products.0.identifier_type"),
        ({"products": [KEY, KEY | {"identifier_type": None}]}, "products.1.identifier_type"),
        ({"products": [KEY | {"identifier": ""}]}, "products.0.identifier"),
        ({"products": [KEY | {"identifier": True}]}, "products.0.identifier"),
        ({"products": [KEY | {"identifier": [101]}]}, "products.0.identifier"),
        ({"products": [KEY | {"quantity": 0}]}, "products.0.quantity"),
        ({"products": [KEY | {"quantity": "many"}]}, "products.0.quantity"),
        ({"products": [KEY | {"quantity": 1.5}]}, "products.0.quantity"),
        ({"products": [KEY | {"quantity": None}]}, "products.0.quantity"),
        ({"products": [KEY | {"quantity": 2**63}]}, "products.0.quantity"),
        ({"products": [KEY | {"quantity": str(2**63)}]}, "products.0.quantity"),
        ({"products": [KEY | {"quantity": 1e300}]}, "products.0.quantity"),
        ({"products": [KEY | {"options": "red"}]}, "products.0.options"),
        ({"products": [KEY | {"options": ["red"]}]}, "products.0.options"),
        ({"products": [KEY | {"notice": "x" * 801}]}, "products.0.notice"),
        ({"products": [KEY | {"subscription_plan": "yearly"}]}, "products.0.subscription_plan"),
        ({"coupon_code": 10}, "coupon_code"),
        ({"customer": {"id": "Ahmed"}}, "customer.id"),
        ({"customer": NEW | {"country_code": "1"}}, "customer.country_code"),
        ({"customer": NEW | {"country_code": "+965"}}, "customer.country_code"),
        ({"customer": NEW | {"country_code": 965}}, "customer.country_code"),
        ({"customer": NEW | {"phone": "1234"}}, "customer.phone"),
        ({"customer": NEW | {"phone": "1" * 16}}, "customer.phone"),
        ({"customer": NEW | {"firstName": None}}, "customer.firstName"),
        ({"customer": NEW | {"lastName": ""}}, "customer.lastName"),
        ({"customer": NEW | {"email": "sara"}}, "customer.email"),
    ],
)
async def test_wrong_field_is_named(
    api: httpx.AsyncClient,
    sandbox: Sandbox,
    basket: dict[str, Any],
    change: dict[str, object],
    path: str,
) -> None:
    """Each wrong field is named by its path, with no other, and no customer is made."""
    answer = await api.post("/orders", json=basket | change)
    assert answer.status_code == 422
    assert list(answer.json()["errors"]) == [path]
    assert len(sandbox.state.customers) == 3


@pytest.mark.parametrize(
    ("change", "paths"),
    [
        ({"customer": {}}, [f"customer.{name}" for name in NEW]),
        (
            {"products": [5]},
            [
                "products.0",
                "products.0.identifier_type",
                "products.0.identifier",
                "products.0.quantity",
            ],
        ),
    ],
)
async def test_every_lack_is_named(
    api: httpx.AsyncClient, basket: dict[str, Any], change: dict[str, object], paths: list[str]
) -> None:
    """Everything that is missing comes in one answer."""
    answer = await api.post("/orders", json=basket | change)
    assert list(answer.json()["errors"]) == paths


@pytest.mark.parametrize("code", ["966", "973", "971", "974", "968", "965"])
async def test_six_countries_are_taken(
    api: httpx.AsyncClient, basket: dict[str, Any], code: str
) -> None:
    """Those of the Gulf."""
    answer = await api.post("/orders", json=basket | {"customer": NEW | {"country_code": code}})
    assert answer.status_code == 201


@pytest.mark.parametrize(
    "change",
    [
        {"products": [KEY | {"identifier": "101", "quantity": "2"}]},
        {"products": [KEY | {"quantity": 2.0}]},
        {"products": [KEY | {"notice": "x" * 800, "options": []}]},
        {"products": [KEY | {"options": {}, "notice": None, "subscription_plan": None}]},
        {"created_from": "Shop.my-app.co.uk"},
        {"customer": None, "coupon_code": ""},
    ],
    ids=["digits", "whole", "longest", "empty", "domain", "nobody"],
)
async def test_a_valid_form_is_taken(
    api: httpx.AsyncClient, basket: dict[str, Any], change: dict[str, object]
) -> None:
    """Numbers may be strings, and optional fields may be empty."""
    assert (await api.post("/orders", json=basket | change)).status_code == 201


async def test_an_identifier_that_is_a_text_stays_one(
    api: httpx.AsyncClient, basket: dict[str, Any]
) -> None:
    """Its zeros are not those of a number; a number with a fraction of nothing is one."""
    as_text = basket | {"products": [KEY | {"identifier": "0101"}]}
    answer = await api.post("/orders", json=as_text)
    assert (answer.status_code, answer.json()["message"]) == (400, "Product not found: 0101")
    as_number = basket | {"products": [KEY | {"identifier": 101.0}]}
    assert (await api.post("/orders", json=as_number)).status_code == 201
